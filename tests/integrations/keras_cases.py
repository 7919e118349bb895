"""Our Keras layers against Keras' own, on the backend of this process; test_keras.py runs it."""

import inspect
import itertools

import keras
import numpy as np
import pytest

import multiconv.keras
from multiconv.keras import _layer

# Keras' variables on its NumPy backend, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BACKEND = keras.config.backend()
TRAINS = BACKEND in ("torch", "jax")
SIZES, TAPS, STEPS, GAPS = (11, 9, 8), (3, 2, 4), (2, 3, 1), (2, 3, 2)
FORMATS = ("channels_last", "channels_first")
NAMES = tuple(multiconv.keras.__all__)


def rank_of(name):
    return int(name[name.index("D") - 1] if name[-1] != "D" else name[-2])


def arguments(name, **options):
    """Small constructor arguments for a layer of this name."""
    filters = {} if name.startswith("Depthwise") else {"filters": 4}
    return {**filters, "kernel_size": TAPS[: rank_of(name)], **options}


def whole(rng, shape):
    """Whole numbers, whose sums are exact in any dtype of the tests."""
    return rng.integers(-2, 3, shape).astype("float32")


def data(rng, name, data_format="channels_last", channels=4):
    space = SIZES[: rank_of(name)]
    last = data_format == "channels_last"
    return whole(rng, (2, *space, channels) if last else (2, channels, *space))


def pair(rng, name, x, **options):
    """Our layer and Keras', with the same whole weights."""
    kinds = [getattr(m, name) for m in (multiconv.keras, keras.layers)]
    starts = [p for p in inspect.signature(kinds[1]).parameters if p.endswith("initializer")]
    zeros = dict.fromkeys(starts, "zeros")  # random numbers take JAX longer
    layers = [kind(**zeros, **options) for kind in kinds]
    for layer in layers:
        layer.build(x.shape)
    layers[0].set_weights([whole(rng, w.shape) for w in layers[0].get_weights()])
    layers[1].set_weights(layers[0].get_weights())
    return layers


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def equal(ours, theirs):
    """The same whole numbers, of the same dtype; fast algorithms may miss them by a little."""
    ours, theirs = numbers(ours), numbers(theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(np.rint(ours), theirs)


def same(first, second):
    """The same bits."""
    np.testing.assert_array_equal(numbers(first), numbers(second), strict=True)


def geometries(name):
    """Constructor arguments, one dictionary for each geometry that Keras allows a layer."""
    rank = rank_of(name)
    paddings = ["valid", "same"] + ["causal"] * (name == "Conv1D")
    moves = [{}, {"strides": STEPS[:rank]}, {"dilation_rate": GAPS[:rank]}]
    extras = [{}, {"groups": 2}]
    if name.startswith(("Depthwise", "Separable")):
        extras = [{}, {"depth_multiplier": 3}]
    if "Transpose" in name:
        extras = [{}]
        moves += [{"strides": STEPS[:rank], "output_padding": tuple(s - 1 for s in STEPS[:rank])},
                  {"strides": (5, 4, 6)[:rank], "output_padding": 0}]  # fmt: skip
    for padding, extra, move in itertools.product(paddings, extras, moves):
        yield {"padding": padding, **move, **extra}


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_equals_keras(name, data_format, rng):
    x = data(rng, name, data_format)
    every = list(geometries(name))
    if BACKEND != "torch":  # Keras has JAX compile each: a quarter for each format and rank
        every = every[(2 * FORMATS.index(data_format) + rank_of(name)) % 4 :: 4]
    for geometry in every:
        options = arguments(name, data_format=data_format, **geometry)
        ours, theirs = pair(rng, name, x, **options)
        equal(ours(x), theirs(x))


@pytest.mark.parametrize("name", NAMES)
def test_runs_on_the_engine(name, rng, monkeypatch):
    calls = []
    for function in ("conv", "conv_transpose"):
        original = getattr(_layer.engine, function)
        monkeypatch.setattr(
            _layer.engine, function,
            lambda *a, _original=original, **k: calls.append(1) or _original(*a, **k),
        )  # fmt: skip
    x = data(rng, name)
    ours, theirs = pair(rng, name, x, **arguments(name))
    ours(x)
    assert len(calls) == (2 if name.startswith("Separable") else 1)
    theirs(x)
    assert len(calls) == (2 if name.startswith("Separable") else 1)


@pytest.mark.parametrize("activation", [
    "relu", "relu6", "leaky_relu", "silu", "gelu", "hard_silu", "sigmoid", "tanh", "linear",
    "softmax", "elu", lambda x: keras.ops.square(x), keras.layers.ReLU(max_value=1.0),
])  # fmt: skip
@pytest.mark.parametrize("name", ["Conv2D", "Conv1DTranspose"])
def test_activations(name, activation, rng):
    x = rng.standard_normal((2, *SIZES[: rank_of(name)], 3)).astype("float32")
    ours, theirs = pair(rng, name, x, **arguments(name, activation=activation))
    np.testing.assert_allclose(numbers(ours(x)), numbers(theirs(x)), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["Conv1D", "Conv2DTranspose", "DepthwiseConv2D"])
def test_dtype_policies(name, policy, rng):
    x = data(rng, name)
    ours, theirs = pair(rng, name, x, **arguments(name, dtype=policy, activation="relu"))
    equal(ours(x), theirs(x))
    assert keras.backend.standardize_dtype(ours(x).dtype) == ours.compute_dtype


@pytest.mark.skipif(BACKEND == "jax", reason="JAX rounds to float32 unless a program forbids it")
@pytest.mark.parametrize("name", ["Conv1D", "Conv2DTranspose", "DepthwiseConv2D"])
def test_double_precision(name, rng):
    x, little = data(rng, name).astype(float), data(rng, name) * 2.0**-40
    ours, _ = pair(rng, name, x, **arguments(name, dtype="float64", use_bias=False))
    expected = numbers(ours(x)) + numbers(ours(little))
    np.testing.assert_allclose(numbers(ours(x + little)), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_before_data(name, rng):
    rank = rank_of(name)
    options = arguments(name, strides=2, padding="same")
    for space in (SIZES[:rank], (None,) * rank):
        inputs = keras.Input((*space, 4))
        ours = getattr(multiconv.keras, name)(**options)
        theirs = getattr(keras.layers, name)(**options)
        assert ours(inputs).shape == theirs(inputs).shape
        assert ours.compute_output_shape(inputs.shape) == theirs.compute_output_shape(inputs.shape)
        x = data(rng, name)
        assert tuple(keras.Model(inputs, ours(inputs)).predict(x, verbose=0).shape) == tuple(
            theirs(x).shape
        )


class Block(keras.Model):
    """A model that Keras has to trace to know its shapes."""

    def __init__(self, layers):
        super().__init__()
        self.first = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.second = layers.SeparableConv2D(3, 3)
        self.third = layers.Conv2DTranspose(2, 2, strides=2)

    def call(self, inputs):
        return self.third(self.second(self.first(inputs)))


def test_a_traced_model(rng):
    inputs = keras.Input((None, 9, 3))
    ours, theirs = Block(multiconv.keras), Block(keras.layers)
    assert ours(inputs).shape == theirs(inputs).shape == (None, None, 14, 2)
    x = whole(rng, (2, 7, 9, 3))
    theirs.set_weights([whole(rng, w.shape) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    equal(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


def network(layers):
    """All kinds of layers, in one data format and then in the other."""
    last = {"data_format": "channels_last", "padding": "same"}
    first = {"data_format": "channels_first", "padding": "same"}
    return keras.Sequential([
        keras.Input((8, 9, 3)),
        layers.Conv2D(6, (3, 2), strides=2, activation="relu", kernel_regularizer="l2", **last),
        layers.Conv2DTranspose(4, 3, strides=2, activation="gelu",
                               kernel_constraint=keras.constraints.MaxNorm(1.5), **last),
        layers.SeparableConv2D(5, 3, bias_regularizer="l1", **last),
        keras.layers.Permute((3, 1, 2)),
        layers.DepthwiseConv2D((2, 3), depth_multiplier=2, activation="tanh", **first),
        layers.Conv2D(4, 3, groups=2, dilation_rate=2, activity_regularizer="l2", **first),
        layers.Conv2DTranspose(3, (2, 3), strides=2, **first),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
    ])  # fmt: skip


def twins():
    keras.utils.set_random_seed(3)
    ours, theirs = network(multiconv.keras), network(keras.layers)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


@pytest.mark.skipif(not TRAINS, reason="Keras trains on torch and JAX")
def test_trains_as_keras_does(rng):
    x = rng.standard_normal((24, 8, 9, 3)).astype("float32")
    labels = rng.integers(0, 3, 24)
    losses = []
    models = twins()
    for model in models:
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        history = model.fit(x, labels, batch_size=8, epochs=3, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert losses[0][-1] < losses[0][0]
    for ours, theirs in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.skipif(not TRAINS, reason="Keras trains on torch and JAX")
@pytest.mark.parametrize("name", ["Conv1D", "Conv3D", "Conv3DTranspose"])
def test_trains_in_mixed_precision(name, rng):
    x = data(rng, name) / 4
    model = keras.Sequential([getattr(multiconv.keras, name)(
        **arguments(name, dtype="mixed_bfloat16", activation="relu", padding="same")
    )])  # fmt: skip
    y = x.copy()
    model.compile(keras.optimizers.Adam(0.05), "mse")
    losses = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all(v.dtype == "float32" for v in model.trainable_variables)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_keras_own(name, rng):
    x = data(rng, name)
    ours, theirs = pair(rng, name, x, **arguments(name))
    assert [(w.name, tuple(w.shape)) for w in ours.weights] == [
        (w.name, tuple(w.shape)) for w in theirs.weights
    ]
    theirs.set_weights([whole(rng, w.shape) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    equal(ours(x), theirs(x))


def test_weight_files_go_either_way(tmp_path, rng):
    x = rng.standard_normal((2, 8, 9, 3)).astype("float32")
    ours, theirs = twins()
    expected = ours.predict(x, verbose=0)
    ours.save_weights(tmp_path / "ours.weights.h5")
    other = network(keras.layers)
    other.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_allclose(other.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    other = network(multiconv.keras)
    other.load_weights(tmp_path / "theirs.weights.h5")
    same(other.predict(x, verbose=0), expected)


def kinds(model):
    return [type(layer) for layer in model.layers]


def test_whole_models_are_saved_and_cloned(tmp_path, rng):
    x = rng.standard_normal((2, 8, 9, 3)).astype("float32")
    model, _ = twins()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert kinds(loaded) == kinds(model)
    same(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    clone = keras.models.clone_model(model)
    assert kinds(clone) == kinds(model)
    clone.set_weights(model.get_weights())
    same(clone.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("name", NAMES)
def test_layers_are_serialised(name):
    layer = getattr(multiconv.keras, name)(**arguments(name, padding="same", activation="relu"))
    config = keras.saving.serialize_keras_object(layer)
    assert config["registered_name"] == f"multiconv>{name}"
    assert config["config"] == layer.get_config()
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


class Doubled(multiconv.keras.Conv2D):
    """A subclass with an operation of its own."""

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, 2 * keras.ops.convert_to_tensor(kernel))


def test_a_subclass_may_convolve_in_its_own_way(rng):
    x = whole(rng, (2, 7, 8, 3))
    plain = multiconv.keras.Conv2D(4, 3)
    doubled = Doubled(4, 3)
    plain.build(x.shape)
    doubled.build(x.shape)
    doubled.set_weights(plain.get_weights())
    np.testing.assert_allclose(numbers(doubled(x)), 2 * numbers(plain(x)), rtol=1e-5)


def test_low_rank_adaptation(rng):
    x = data(rng, "Conv2D")
    ours, theirs = pair(rng, "Conv2D", x, **arguments("Conv2D"))
    for layer in (ours, theirs):
        layer.enable_lora(2)
    theirs.lora_kernel_b.assign(whole(rng, theirs.lora_kernel_b.shape))
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(numbers(ours(x)), numbers(theirs(x)), rtol=1e-4, atol=1e-4)


def test_data_that_is_not_contiguous(rng):
    x = np.swapaxes(data(rng, "Conv2D"), 1, 2)[::-1, ::2]
    ours, theirs = pair(rng, "Conv2D", x, **arguments("Conv2D"))
    equal(ours(x), theirs(x))


def test_no_samples(rng):
    x = data(rng, "Conv2D")
    ours, _ = pair(rng, "Conv2D", x, **arguments("Conv2D"))
    assert tuple(ours(x[:0]).shape) == (0, 9, 8, 4)


def outcome(function):
    """What a call gives: its exception's type, or its dtype and values."""
    try:
        result = numbers(function())
    except Exception as error:
        return type(error)
    return result.dtype, result.tolist()


@pytest.mark.parametrize(("name", "changes"), [
    ("Conv2D", {"filters": 0}),
    ("Conv2D", {"filters": 5, "groups": 2}),
    ("Conv2D", {"groups": 3}),
    ("Conv2D", {"groups": 0}),
    ("Conv2D", {"kernel_size": 0}),
    ("Conv2D", {"kernel_size": (3, 3, 3)}),
    ("Conv2D", {"kernel_size": "wide"}),
    ("Conv2D", {"kernel_size": 12}),
    ("Conv2D", {"strides": 0}),
    ("Conv2D", {"strides": -1}),
    ("Conv2D", {"strides": 2, "dilation_rate": 2}),
    ("Conv2D", {"padding": "causal"}),
    ("Conv2D", {"padding": 1}),
    ("Conv2D", {"data_format": "channels_middle"}),
    ("Conv2D", {"activation": "no such"}),
    ("Conv2D", {"unknown": 1}),
    ("Conv1D", {"padding": "full"}),
    ("Conv2DTranspose", {"output_padding": 2, "strides": 2}),
    ("Conv2DTranspose", {"padding": "causal"}),
    ("DepthwiseConv2D", {"depth_multiplier": 0}),
    ("SeparableConv1D", {"padding": "causal"}),
    ("SeparableConv1D", {"kernel_size": 30}),
])  # fmt: skip
def test_arguments_are_refused_as_keras_does(name, changes, rng):
    x = data(rng, name)
    got, expected = (
        outcome(lambda m=m: getattr(m, name)(**{**arguments(name), **changes})(x))
        for m in (multiconv.keras, keras.layers)
    )
    assert isinstance(expected, type)
    assert got is expected


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "DepthwiseConv2D"])
@pytest.mark.parametrize("change", [
    lambda x: x[..., :2], lambda x: x[0], lambda x: x[:, None],
    lambda x: x.astype("int32"), lambda x: x.astype("uint8"), lambda x: x.astype(bool),
    lambda x: "text", lambda x: None, lambda x: [x, x],
])  # fmt: skip
def test_data_are_taken_or_refused_as_keras_does(name, change, rng):
    x = data(rng, name)
    ours, theirs = pair(rng, name, x, **arguments(name))
    assert outcome(lambda: ours(change(x))) == outcome(lambda: theirs(change(x)))


@pytest.mark.parametrize("name", ["Conv1D", "Conv2D", "Conv3D"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_data_smaller_than_the_kernel(name, padding, rng):
    x = data(rng, name)
    ours, theirs = pair(rng, name, x, **arguments(name, padding=padding))
    assert outcome(lambda: ours(x[:, :1])) == outcome(lambda: theirs(x[:, :1]))


@pytest.fixture
def rng():
    return np.random.default_rng(20260)
