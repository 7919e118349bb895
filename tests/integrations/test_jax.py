"""`multiconv.jax` against `jax.lax`: values, derivatives, batching, refusals."""

import ctypes
import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import multiconv as mc

jax = pytest.importorskip("jax")

from jax import lax  # noqa: E402
from jax import numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

import multiconv.jax as mj  # noqa: E402
from multiconv.jax import _ffi  # noqa: E402
from multiconv.jax._lax import by_lax  # noqa: E402

SIZES = {"D": 6, "H": 7, "W": 9}
TAPS = {"D": 2, "H": 3, "W": 4}

LAYOUTS = {
    1: [None, ("NWC", "WIO", "NWC"), ("CNW", "IWO", "WCN")],
    2: [None, ("NHWC", "HWIO", "NHWC"), ("HNWC", "OHWI", "NWHC")],
    3: [None, ("NDHWC", "DHWIO", "NDHWC"), ("NCDHW", "IODHW", "CNWHD")],
}
GEOMETRIES = {
    "plain": {"padding": "VALID"},
    "same": {"padding": "SAME", "window_strides": (2, 3, 1)},
    "same lower": {"padding": "SAME_LOWER", "window_strides": (1, 2, 1)},
    "uneven": {"padding": ((3, 1), (-1, 2), (0, -2)), "rhs_dilation": (1, 2, 2)},
    "transposed": {"padding": ((1, 2), (2, 0), (3, 1)), "lhs_dilation": (2, 3, 1)},
    "all": {"padding": ((2, 1), (3, 2), (0, 4)), "lhs_dilation": (3, 1, 2),
            "window_strides": (2, 1, 3), "rhs_dilation": (1, 2, 2)},
}  # fmt: skip
GROUPS = {"one": {}, "features": {"feature_group_count": 2}, "batches": {"batch_group_count": 2}}


def spelled(rank, layout):
    """The layout's three words."""
    axes = "DHW"[-rank:]
    return layout or (f"NC{axes}", f"OI{axes}", f"NC{axes}")


def whole(rng, shape, dtype=np.float32):
    """Small whole numbers, with which every sum is exact."""
    values = rng.integers(-3, 4, shape)
    if np.dtype(dtype).kind in "bu":
        values = np.abs(values)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.integers(-3, 4, shape)
    return jnp.asarray(values.astype(dtype))


def arrays(rng, rank, layout=None, *, groups=1, dtype=np.float32):
    """Data of 4 samples of 4 channels, and a kernel to 6."""
    data, kernel, _ = spelled(rank, layout)
    data_sizes, kernel_sizes = {"N": 4, "C": 4} | SIZES, {"O": 6, "I": 4 // groups} | TAPS
    x = whole(rng, [data_sizes[a] for a in data], dtype)
    return x, whole(rng, [kernel_sizes[a] for a in kernel], dtype)


def options(rank, geometry, layout=None, groups="one"):
    """Arguments of `conv_general_dilated`, those per axis cut to a rank; sums are direct."""
    cut = {k: v if isinstance(v, str) else v[:rank] for k, v in GEOMETRIES[geometry].items()}
    plain = {"window_strides": (1,) * rank, "dimension_numbers": layout, "precision": "highest"}
    return plain | cut | GROUPS[groups]


def same(found, wanted):
    """Equal in shape, dtype and every value, one array or several."""
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def both(**given):
    """The engine's function and JAX's own, with the same arguments."""
    return tuple(partial(m.conv_general_dilated, **given) for m in (mj, lax))


def calls(lowered):
    """The calls of the engine in a program, as text."""
    return re.findall(r'call = "(.*?)"', lowered.as_text())


def texts(function, *given):
    """The same of a function."""
    return calls(jax.jit(function).lower(*given))


CASES = [
    (rank, layout, geometry, groups)
    for rank in (1, 2, 3)
    for number, geometry in enumerate(GEOMETRIES)
    for at, layout in enumerate(LAYOUTS[rank])
    if rank == 2 or at == number % 3
    for groups in [list(GROUPS)[(at + number + number // 3) % 3]]
]


@pytest.mark.parametrize(("rank", "layout", "geometry", "groups"), CASES)
def test_values_and_gradients(rng, rank, layout, geometry, groups):
    given = options(rank, geometry, layout, groups)
    x, w = arrays(rng, rank, layout, groups=given.get("feature_group_count", 1))
    grad = None

    def value_and_gradients(function):
        def run(x, w, grad):
            value, back = jax.vjp(function, x, w)
            return value, *back(grad)

        return run

    ours, theirs = both(**given)
    grad = whole(rng, jax.eval_shape(theirs, x, w).shape)
    program = jax.jit(value_and_gradients(ours)).lower(x, w, grad)
    same(program.compile()(x, w, grad), jax.jit(value_and_gradients(theirs))(x, w, grad))
    assert len(calls(program)) == 3


@pytest.mark.parametrize("dtype", [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "bfloat16", "float32", "float64", "complex64", "complex128",
])  # fmt: skip
def test_dtypes(rng, dtype):
    with jax.enable_x64(True):
        x, w = arrays(rng, 2, groups=2, dtype=jnp.dtype(dtype))
        ours, theirs = both(**options(2, "same", groups="features"))
        same(ours(x, w), theirs(x, w))
        assert len(texts(ours, x, w)) == 1


@pytest.mark.parametrize(("dtype", "wider"), [
    ("int8", "int32"), ("uint8", "uint16"), ("int8", "float32"), ("int32", "float32"),
    ("float16", "float32"), ("bfloat16", "float32"), ("bfloat16", "float16"),
])  # fmt: skip
def test_preferred_element_type(rng, dtype, wider):
    x, w = arrays(rng, 2, dtype=jnp.dtype(dtype))
    given = options(2, "uneven")
    ours, theirs = both(**given, preferred_element_type=wider)
    same(ours(x, w), theirs(x, w))
    assert len(texts(ours, x, w)) == 1
    if jnp.issubdtype(dtype, jnp.floating):
        found, wanted = (
            jax.grad(lambda x, w, f=f, to=to: f(x.astype(to), w.astype(to)).sum(), (0, 1))(x, w)
            for f, to in ((ours, dtype), (theirs, wider))
        )
        same(found, wanted)


@pytest.mark.parametrize("geometry", ["same", "all"])
def test_derivatives_of_both_modes(rng, geometry):
    with jax.enable_x64(True):
        x, w = (a / 4 for a in arrays(rng, 2, LAYOUTS[2][1], groups=2, dtype=np.float64))
        ours, _ = both(**options(2, geometry, LAYOUTS[2][1], "features"))
        check_grads(ours, (x, w), order=2, modes=["fwd", "rev"])


def test_complex_derivatives(rng):
    x, w = arrays(rng, 2, dtype=np.complex64)
    ours, theirs = (
        jax.grad(lambda x, w, f=f: f(x, w).real.sum(), (0, 1)) for f in both(**options(2, "all"))
    )
    same(ours(x, w), theirs(x, w))


def test_third_derivative_in_the_kernel(rng):
    x, w, along = whole(rng, (2, 1, 7)), whole(rng, (1, 1, 3)), whole(rng, (1, 1, 3))

    def slope(function):
        return lambda w: jax.jvp(function, (w,), (along,))[1]

    def third(function):
        back = jax.grad(lambda w: (function(x, w) ** 3).sum())
        return jax.jit(slope(slope(back)))(w)

    same(*map(third, both(**options(1, "same"))))


def test_jacobians(rng):
    x, w = whole(rng, (2, 3, 5)), whole(rng, (4, 3, 2))
    ours, theirs = both(**options(1, "same"))
    for jacobian in (jax.jacrev, jax.jacfwd):
        same(*(jax.jit(jacobian(f, (0, 1)))(x, w) for f in (ours, theirs)))


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_are_the_engine_s_problems(rng, layout, groups):
    """As `conv_input_grad` and `conv_weight_grad` spell them, so tuning one tunes the other."""
    words = LAYOUTS[2][layout == "channels_last"]
    x, w = arrays(rng, 2, words, groups=groups)
    ours, _ = both(
        padding=((2, 1), (1, 1)), window_strides=(2, 1), rhs_dilation=(1, 2),
        dimension_numbers=words, feature_group_count=groups,
    )  # fmt: skip
    y, back = jax.vjp(ours, x, w)
    alike = {"stride": (2, 1), "padding": ((2, 1), (1, 1)), "dilation": (1, 2), "groups": groups,
             "data_format": layout}  # fmt: skip
    shapes = [mc.ShapeDtype(a.shape, a.dtype) for a in (x, w, y)]
    plans = (
        mc.plan(mc.conv, *shapes[:2], **alike),
        mc.plan(mc.conv_input_grad, shapes[2], shapes[1], x_shape=x.shape, **alike),
        mc.plan(mc.conv_weight_grad, shapes[0], shapes[2], w_shape=w.shape, **alike),
    )
    found = [text.partition(" | ")[0] for text in [*texts(ours, x, w), *texts(back, y)]]
    assert sorted(found) == sorted(str(plan.problem) for plan in plans)


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("axes", [(0, None), (None, 0), (1, 2), (3, None), (None, 4), (4, 0)])
def test_vmap_is_one_call(rng, groups, axes):
    given = options(2, "all", groups=groups)
    x, w = arrays(rng, 2, groups=given.get("feature_group_count", 1))
    many = [
        a if at is None else whole(rng, (*a.shape[:at], 5, *a.shape[at:]))
        for a, at in zip((x, w), axes, strict=True)
    ]
    ours, theirs = (jax.vmap(f, axes) for f in both(**given))
    same(ours(*many), theirs(*many))
    assert len(texts(ours, *many)) == 1


def test_vmap_of_gradients_and_of_vmap(rng):
    x, w = whole(rng, (3, 2, 4, 6, 7)), whole(rng, (5, 4, 2, 3))

    def gradients(function):
        back = jax.grad(lambda x, w: (function(x, w) ** 2).sum(), (0, 1))
        return jax.vmap(back, (0, None))

    def twice(function):
        return jax.vmap(jax.vmap(function, (None, 0)), (0, None))

    ours, theirs = both(**options(2, "same"))
    same(*(jax.jit(gradients(f))(x, w) for f in (ours, theirs)))
    kernels = whole(rng, (2, *w.shape))
    same(*(jax.jit(twice(f))(x, kernels) for f in (ours, theirs)))
    nothing = jnp.zeros((0, 4, 6, 7))
    assert jax.vmap(ours, (0, None))(nothing[:, None], w).shape == (0, 1, 5, 3, 3)


def test_within_scan_checkpoint_and_without_jit(rng):
    x, kernels = whole(rng, (2, 3, 9)), whole(rng, (4, 3, 3, 2))

    def loss(module):
        def step(x, w):
            return jax.checkpoint(layer)(x, w) % 5, x.sum()

        layer = partial(module.conv, window_strides=(1,), padding="SAME", precision="highest")
        return lambda x, kernels: sum(part.sum() for part in lax.scan(step, x, kernels))

    ours, theirs = loss(mj), loss(lax)
    same(jax.jit(ours)(x, kernels), theirs(x, kernels))
    same(*(jax.jit(jax.grad(f, (0, 1)))(x, kernels) for f in (ours, theirs)))
    with jax.disable_jit():
        same(mj.conv(x, kernels[0], [2], "SAME"), lax.conv(x, kernels[0], [2], "SAME"))
    shape = jax.eval_shape(partial(mj.conv, window_strides=(2,), padding="SAME"), x, kernels[0])
    assert (shape.shape, shape.dtype) == ((2, 3, 5), jnp.float32)


@pytest.mark.parametrize("given", [
    {"strides": (2, 3), "padding": "SAME"},
    {"strides": (3, 1), "padding": "VALID", "rhs_dilation": (1, 2)},
    {"strides": (2, 2), "padding": ((1, 2), (-1, 3))},
    {"strides": (2, 3), "padding": "SAME", "transpose_kernel": True},
    {"strides": (1, 2), "padding": ((1, 2), (2, 0)), "transpose_kernel": True,
     "dimension_numbers": ("NCHW", "OIHW", "NCHW")},
    {"strides": [2, 1], "padding": ((1, 0), (1, 2)), "use_consistent_padding": True},
])  # fmt: skip
def test_conv_transpose(rng, given):
    if not given.keys() <= inspect.signature(lax.conv_transpose).parameters.keys():
        pytest.skip("not in this JAX")
    given = {"precision": "highest"} | given
    layout = given.get("dimension_numbers", LAYOUTS[2][1])
    x, w = arrays(rng, 2, layout)
    if given.get("transpose_kernel"):
        i, o = layout[1].index("I"), layout[1].index("O")
        w = w.swapaxes(i, o)
    ours, theirs = (partial(m.conv_transpose, **given) for m in (mj, lax))
    same(ours(x, w), theirs(x, w))
    squares = (jax.grad(lambda x, w, f=f: (f(x, w) ** 2).sum(), (0, 1)) for f in (ours, theirs))
    same(*(jax.jit(f)(x, w) for f in squares))
    assert len(texts(ours, x, w)) == 1


@pytest.mark.parametrize(("x", "w"), [
    ((0, 4, 8), (6, 4, 3)), ((2, 0, 8), (6, 0, 3)), ((2, 4, 0), (6, 4, 3)), ((2, 4, 8), (0, 4, 3)),
    ((2, 4, 2), (6, 4, 3)), ((2, 4), (6, 4)),
])  # fmt: skip
def test_left_to_jax(x, w):
    x, w = jnp.ones(x), jnp.ones(w)
    padding = [(1, 0)] * (x.ndim - 2)
    for given in (padding, "VALID"):
        same(*(m.conv(x, w, (1,) * (x.ndim - 2), given) for m in (mj, lax)))
    narrow = jnp.ones((1, 2, 4), jnp.int4), jnp.ones((1, 2, 2), jnp.int4)
    same(mj.conv(*narrow, (1,), "VALID"), lax.conv(*narrow, (1,), "VALID"))


@pytest.mark.parametrize("given", [
    {"padding": "FULL"}, {"padding": 1}, {"padding": [(1, 1)]}, {"padding": [(1, 1, 1)] * 2},
    {"padding": [(-9, 0), (0, 0)]}, {"window_strides": (1,)}, {"feature_group_count": 3},
    {"feature_group_count": 0}, {"batch_group_count": 3}, {"precision": "best"},
    {"feature_group_count": 2, "batch_group_count": 2}, {"lhs_dilation": (2, 1)},
    {"dimension_numbers": ("NCHW", "OIHW")}, {"dimension_numbers": ("NCHW", "OIWD", "NCHW")},
    {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}, {"preferred_element_type": "int32"},
    {"preferred_element_type": "float16"}, {"rhs": np.ones((6, 4, 3), np.float32)},
    {"rhs": np.ones((6, 4, 3, 3), np.int32)}, {"rhs": [[1.0]]}, {"lhs": None},
], ids=str)  # fmt: skip
def test_refuses_what_jax_refuses(given):
    x, w = np.ones((4, 4, 8, 9), np.float32), np.ones((6, 4, 3, 2), np.float32)
    given = {"lhs": x, "rhs": w, "window_strides": (1, 1), "padding": "SAME"} | given
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        lax.conv_general_dilated(**given)
    with pytest.raises(theirs.type) as ours:
        mj.conv_general_dilated(**given)
    assert ours.type is theirs.type
    lists = str.maketrans("[]", "()")
    words = [str(e.value).splitlines()[0].translate(lists) for e in (ours, theirs)]
    assert words[0] == words[1]


def test_accepts_the_containers_that_jax_accepts(rng):
    x, w = (np.asarray(a) for a in arrays(rng, 2))
    given = {"window_strides": np.array([2, 1]), "padding": [[1, 1], np.array([0, 2])],
             "dimension_numbers": ["NCHW", "OIHW", "NCHW"]}  # fmt: skip
    ours, theirs = both(**given, precision="highest")
    same(ours(x, w), theirs(x, w))
    numbers = lax.conv_dimension_numbers(x.shape, w.shape, ("NCHW", "OIHW", "CNHW"))
    given = {"padding": "SAME", "dimension_numbers": numbers, "precision": "highest"}
    ours, theirs = both(window_strides=(1, 1), **given)
    same(ours(x, w), theirs(x, w))


def test_precision(rng):
    """The highest sums directly; the others differ by little."""
    x, w = (
        jnp.asarray(rng.standard_normal(n), jnp.float32) for n in ((2, 16, 30, 31), (8, 16, 3, 3))
    )
    ours, theirs = both(window_strides=(1, 1), padding="SAME")
    np.testing.assert_allclose(ours(x, w), theirs(x, w), atol=1e-4)
    for precision, words in (("highest", True), (lax.Precision.HIGH, False), (None, False)):
        (text,) = texts(partial(ours, precision=precision), x, w)
        assert ("precision=highest" in text) == words


def test_refuses_more_than_the_memory_limit(rng, monkeypatch):
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "10kB")
    x, w = whole(rng, (1, 1, 60, 61)), whole(rng, (1, 1, 3, 2))
    with pytest.raises(mc.MemoryLimitError, match="MULTICONV_MEMORY_LIMIT"):
        mj.conv(x, w, (1, 1), "SAME")


@pytest.mark.parametrize(("error", "words"), [
    (ValueError("kernel: unfit"), "ValueError: kernel: unfit"),
    (MemoryError("no room"), "RESOURCE_EXHAUSTED: MemoryError: no room"),
    (KeyboardInterrupt(), "KeyboardInterrupt"),
])  # fmt: skip
def test_failures_while_running_are_reported(rng, monkeypatch, error, words):
    def fail(*_):
        raise error

    x, w = arrays(rng, 2)
    compiled = (
        jax.jit(partial(mj.conv, window_strides=(1, 1), padding="SAME")).lower(x, w).compile()
    )
    monkeypatch.setattr("multiconv._api._run", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match=words):
        compiled(x, w).block_until_ready()
    monkeypatch.undo()
    np.testing.assert_allclose(compiled(x, w), lax.conv(x, w, (1, 1), "SAME"), atol=1e-4)


def test_refuses_another_interface():
    frame, api = _ffi._Frame(struct_size=10**3), _ffi._Api()
    frame.api.contents, api.version.major = api, 1
    for buffers in (frame.arguments, frame.results, frame.attributes):
        buffers.struct_size = ctypes.sizeof(buffers)
    with pytest.raises(RuntimeError, match=r"this jaxlib has version 1\.0"):
        _ffi._answer(frame)


def test_many_threads(rng):
    problems = [(whole(rng, (2, 3, 20 + k, 9)), whole(rng, (4, 3, 3, 2))) for k in range(4)]
    function = jax.jit(
        lambda x, w: mj.conv(mj.conv(x, w, (1, 1), "SAME")[:, :3], w, (1, 2), "SAME")
    )
    wanted = [np.asarray(function(x, w)) for x, w in problems]

    def work(k):
        x, w = problems[k % 4]
        return all(np.array_equal(function(x, w), wanted[k % 4]) for _ in range(25))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


def test_other_devices_run_jax_s_operator(rng):
    x, w = arrays(rng, 2, groups=2)
    ours, _ = both(**options(2, "all", groups="features"))
    back = jax.grad(lambda x, w: (ours(x, w) ** 2).sum(), (0, 1))
    module = jax.jit(back).trace(x, w).lower(lowering_platforms=("cuda",)).as_text()
    assert "custom_call" not in module
    assert module.count("stablehlo.convolution") == 3


@pytest.mark.parametrize("groups", GROUPS)
def test_jax_s_operator_agrees(rng, groups):
    """What runs on other devices, run here."""
    given = options(2, "all", LAYOUTS[2][2], groups)
    x, w = arrays(rng, 2, LAYOUTS[2][2], groups=given.get("feature_group_count", 1))
    ours, _ = both(**given)
    back = jax.make_jaxpr(jax.grad(lambda x, w: (ours(x, w) ** 2).sum(), (0, 1)))(x, w)
    steps = [step for step in back.eqns if step.primitive.name == "multiconv_conv"]
    for step in steps:
        values = [whole(rng, v.aval.shape) for v in step.invars]
        same(step.primitive.bind(*values, **step.params), by_lax(*values, **step.params))
    assert len(steps) == 3


TWO_DEVICES = """
from functools import partial
import jax, numpy as np
from jax import lax, numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
import multiconv.jax as mj

rng = np.random.default_rng(4)
x = jnp.asarray(rng.integers(-3, 4, (4, 3, 8, 9)), jnp.float32)
w = jnp.asarray(rng.integers(-3, 4, (5, 3, 3, 2)), jnp.float32)
mesh = jax.make_mesh((2,), ("d",), axis_types=(AxisType.Auto,))

def loss(f, x, w):
    return (f(x, w, (2, 1), "SAME", precision="highest") ** 2).sum()

def shared(f, check):
    total = lambda x, w: lax.psum(loss(f, x, w), "d")
    return jax.shard_map(total, mesh=mesh, in_specs=(P("d"), P()), out_specs=P(), check_vma=check)

wanted = jax.grad(partial(loss, lax.conv), (0, 1))(x, w)
split = jax.device_put(x, NamedSharding(mesh, P("d"))), jax.device_put(w, NamedSharding(mesh, P()))
found = [jax.jit(jax.grad(partial(loss, mj.conv), (0, 1)))(*split)]
found += [jax.jit(jax.grad(shared(mj.conv, check), (0, 1)))(x, w) for check in (True, False)]
alone = jax.grad(shared(mj.conv, True), 1)(x, w)
assert np.array_equal(alone, wanted[1])
for pair in found:
    assert all(map(np.array_equal, pair, wanted))
mj.conv(jnp.ones((8, 16, 99, 98)), jnp.ones((16, 16, 5, 5)), (1, 1), "SAME")  # not waited for
print("equal")
"""


def test_two_devices(python):
    done = python(TWO_DEVICES, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert done.stdout == "equal\n", done.stderr


EXPORTED = """
import jax, numpy as np
from jax import export
import multiconv.jax as mj

x = np.arange(2 * 3 * 9, dtype=np.float32).reshape(2, 3, 9)
w = np.arange(4 * 3 * 2, dtype=np.float32).reshape(4, 3, 2)
program, what = {argv!r}
if what == "write":
    allowed = [export.DisabledSafetyCheck.custom_call("multiconv_conv")]
    conv = jax.jit(lambda x, w: mj.conv(x, w, (2,), "SAME"))
    with open(program, "wb") as file:
        file.write(export.export(conv, disabled_checks=allowed)(x, w).serialize())
else:
    with open(program, "rb") as file:
        found = export.deserialize(bytearray(file.read())).call(x, w)
    assert np.array_equal(found, jax.lax.conv(x, w, (2,), "SAME"))
    print("equal")
"""


def test_programs_run_in_other_processes(python, tmp_path):
    program = str(tmp_path / "program")
    for what, printed in (("write", ""), ("read", "equal\n")):
        done = python(EXPORTED.format(argv=(program, what)))
        assert done.stdout == printed, done.stderr


def test_is_imported_only_when_asked_for(python):
    done = python("import sys, multiconv; print('jax' in sys.modules)")
    assert done.stdout == "False\n", done.stderr


def test_names_the_extra_when_jax_is_missing(python):
    code = "import sys; sys.modules['jax'] = None\nimport multiconv.jax"
    done = python(code)
    assert "MissingExtraError: multiconv.jax needs JAX: pip install 'multiconv[jax]'" in done.stderr
