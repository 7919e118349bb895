"""The networks, in torch's own layers; one file an architecture."""

from .convnext_tiny import ConvNeXtTiny
from .mobilenet_v2 import MobileNetV2
from .raw_audio import RawAudio
from .resnet50 import ResNet50
from .unet import unet_2d, unet_3d
from .vgg16 import VGG16

__all__ = ["VGG16", "ConvNeXtTiny", "MobileNetV2", "RawAudio", "ResNet50", "unet_2d", "unet_3d"]
