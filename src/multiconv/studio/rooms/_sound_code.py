"""The convolution of two saved sounds as a program for each library."""

from __future__ import annotations

READ = """from scipy.io.wavfile import read

# The files that the page saves; arrays of samples x channels.
_, sound = read("sound.wav")
_, response = read("response.wav")
sound = sound.reshape(len(sound), -1)
"""

PROGRAMS = {
    "multiconv": f"""import multiconv as mc
{READ}
# float64: what dies away has taps that a transform in float32 would lose.
result = mc.convolve(sound, response, axes=0, dtype="float64")
""",
    "SciPy": f"""{READ.rstrip()}
from scipy.signal import fftconvolve

result = fftconvolve(sound, response, axes=0)
""",
    "torch": f"""import torch
{READ}
# conv1d would sum directly, which takes minutes: transforms instead.
samples = len(sound) + len(response) - 1
spectrum = torch.fft.rfft(torch.from_numpy(sound), samples, 0)
spectrum = spectrum * torch.fft.rfft(torch.from_numpy(response), samples, 0)
result = torch.fft.irfft(spectrum, samples, 0).numpy()
""",
    "Keras": f"""import numpy as np
from keras import ops
{READ}
# A layer would sum directly, which takes minutes: transforms instead, whose length is even.
samples = len(sound) + len(response) - 1
size = 2 * (samples // 2 + 1)
a, b = ops.rfft(ops.transpose(sound), size)
c, d = ops.rfft(ops.transpose(response), size)
result = ops.irfft((a * c - b * d, a * d + b * c), size)
result = np.asarray(ops.convert_to_numpy(result)).T[:samples]
""",
    "JAX": f"""import numpy as np
from jax.scipy.signal import fftconvolve
{READ}
sound = np.broadcast_to(sound, (len(sound), response.shape[1]))
result = np.asarray(fftconvolve(sound, response, axes=0))
""",
}
