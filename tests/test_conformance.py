"""Every registered algorithm against the definition, on every instruction set that runs here."""

import functools
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import multiconv as mc
from multiconv import testing
from multiconv._registry import registered
from multiconv.algorithms._base import Algorithm, Cost

PROBLEMS = """
    in1 k1 float32
    in7 k3 float64
    in64 k9 p4:4 flip float32
    in129 k33 s3 d2 p40:17 b=reflect float64
    in1000 k301 p300:300 b=wrap flip float64
    mb3 ic2 oc2 g2 in400 k120 p60:59 b=symmetric float32
    mb2 ic16 oc33 in65 k5 p2:2 float32 bias act=relu
    mb2 ic3 oc8 in17x33 k3x5 p1:1,2:2 float32
    mb1 ic64 oc9 in13x15 k3x2 s2x1 float64 bias act=silu channels_last
    mb2 ic12 oc12 g12 in31x47 k5x4 p2:1 float32 bias
    mb1 in63x65 k9x7 d2x3 p8:9 b=edge,wrap flip float32
    mb1 in9x5 k12x11 p11:11,10:10 b=reflect,symmetric float64
    mb1 in70x61 k25x24 p12:11 float32
    mb3 ic2 oc2 g2 in60x44 k13x12 s2x1 d1x2 p9:3,12:14 b=reflect,wrap flip float64 bias
    mb2 in1x40x30 k1x10x11 s1x1x3 p0:0,5:4,-2:6 b=edge complex128
    mb1 in160x150 k9x11 p4:4,6:5 b=symmetric,edge float32
    mb2 in48x50 k17x16 p-5:20,3:-2 b=constant,wrap complex64 cval=(0.5-2j)
    mb2 ic6 oc4 g2 in8x9 k3x2 id2x3 p2:1,1:3 flip float32 bias
    mb2 ic6 oc4 g2 in8x9x10 k3x2x1 id2x1x3 d2x1x1 p-1:4,2:1,0:2 float64
    mb1 ic3 oc2 in7 k5 id3 d2 p4:6 flip float32
    mb2 g3 ic6 oc9 in5x6 k1x3 id2 p0:1,2:3 float64 bias
    mb2 g19 ic19 oc19 in13x11 k3x5 id2 p2:1,3:2 float32 bias
    mb1 g18 ic18 oc36 in9x40 k4x3 id3x2 d1x3 p2:1,-1:4 flip float64 act=relu
    mb2 g17 ic17 oc17 in6x21 k2x7 id1x2 p1:0,4:5 float32 channels_last res
    mb1 ic3 oc5 in9x10x11 k3x2x4 s1x2x3 p1:0,-1:2,3:3 b=wrap,edge,reflect float32 act=hard_swish
    mb2 in7x9x8 k3x4x2 d1x2x3 p2:2 b=symmetric complex128 bias
    mb1 in20x21x19 k9x8x7 p4:4 float32
    mb1 ic2 oc6 in5x6x4x7 k2x3x1x2 s1x2x1x3 d2x1x1x2 p1:2 b=constant,reflect,wrap,edge float32
    mb1 ic2 oc3 in4x5x3x6x7 k2x1x3x2x2 s1x1x2x1x3 p1:0,0:1,1:1,-1:2,2:0 float64 bias
    mb2 ic4 oc2 g2 in3x4x5x2x6 k2x2x1x2x3 p1:1 b=edge,wrap,constant,symmetric,reflect int16
    mb1 in3x4x2x3x5x2 k2x1x2x3x2x1 p1:1 float32
    mb2 ic16 oc33 in11x13 k3x2 p1:1 float32 scale bias res act=relu
    mb2 ic16 oc9 in13x15 k3x2 s2x1 float64 scale res act=leaky_relu:0.2 channels_last
    mb2 ic3 oc3 g3 in31x47 k5x4 p2:1 float32 scale bias res act=silu
    mb1 in130x140 k7x5 p3:3,2:2 float32 scale bias res act=gelu
    in700 k120 p60:59 b=reflect float64 scale bias res act=tanh
    mb2 in29x31 k9x8 p4:4 complex64 scale bias res
    in900 k511 s2 p700:-300 complex128 scale bias res
    mb1 in140x150 k3x4 p1:1 int8 scale bias res
    mb1 in7x30x32 k3x5x4 p1:1 float32 scale res
    mb1 ic2 oc3 in15x17 k3x2 bool bias scale res
    mb2 ic3 oc4 in19x17 k4x3 p2:2 float16 scale bias res act=relu6
    mb2 ic3 oc4 in19x17 k4x3 p2:2 float16 bias act=gelu
    mb2 ic3 oc4 in19x17 k4x3 p2:2 bfloat16 bias act=gelu_tanh channels_last
    mb2 ic70 oc19 in11x13 k3x2 s2x1 p1:2 bfloat16 scale bias res act=relu channels_last
    mb1 ic68 oc40 g2 in9x10 k2x3 p1:1 cval=-1.5 flip bfloat16 bias
    mb1 ic66 oc18 in5x6x4 k2x1x3 d1x1x2 p1:1 b=wrap,edge,reflect bfloat16 act=gelu
    mb1 ic33 oc37 in13 k6 id2 p2:3 dt=bfloat16,bfloat16,float32,float32 res
    mb2 ic66 oc17 in7x9 k3x2 id2x1 p2:2 dt=int8,int8,int32,int32 bias
    in300 k90 p45:44 float16
    in90x80 k21x20 p10:10 bfloat16
    mb1 ic3 oc5 in12x11 k4x3 s2x1 p1:2 b=wrap int8 bias
    mb1 in40x30 k5x7 p3:4 cval=-3 int8
    mb1 in40x30 k5x7 p3:4 cval=18446744073709551615 uint64
    mb2 ic4 oc3 in33 k6 d3 p5:5 b=edge uint16 bias
    mb2 in47x150 k5x4 p2:2,3:1 b=reflect,edge flip dt=uint8,int16,int16,int16 bias
    in20011 k7 p3:3 b=reflect complex64 scale bias res
    mb2 ic2 oc3 in40x230 k3x4 p1:2 d2x1 complex128 bias
    in3x70x150 k2x3x5 p0:1,1:1,2:2 b=edge complex64
    mb3 in7x40x3 k1x5x1 p0:0,2:1,0:0 b=wrap float32 scale bias res act=relu
    mb2 g3 ic3 oc3 in6x5x40 k1x1x9 p0:0,0:0,4:4 b=edge complex64 bias res
    mb4 in3x5x6x7 k2x1x1x3 p1:0,0:0,0:0,2:1 s1x1x1x2 int16
    mb1 in3x40x30 k1x3x7 d1x2x1 p0:0,1:4,-2:6 b=wrap int16
    mb1 in50x140 k3x5 p1:1,2:2 b=symmetric uint16
    mb1 ic3 oc4 in21x22 k3x4 flip p2:2 int64
    mb1 ic2 oc4 in15x17 k3x2 dt=uint8,int8,int16,int16 cval=-32768 p1:1
    mb1 ic2 oc4 in15x17 k3x2 dt=int8,float32,float32,float32 p1:1
    mb2 ic19 oc33 in13x15 k3x2 p1:1 dt=int8,int8,int32,int32 bias
    mb1 ic64 oc17 in9x11 k1x1 dt=uint8,int8,int32,int32 channels_last
    mb2 g2 ic10 oc34 in31 k5 s2 p2:2 b=reflect dt=int8,int8,int16,int16
    mb1 ic6 oc40 in7x8 k3x2 id2x1 p1:1 int8 scale bias res
    mb2 ic70 oc6 in12x17 k3x4 s2x3 d1x2 p3:2 b=edge,wrap dt=uint8,int8,int32,int32
    mb1 ic5 oc36 in4x5x6 k2x1x3 p1:1 cval=-7 flip dt=int8,int8,int32,int32 channels_last
    mb1 ic5 oc9 in12x17 k3x4 s4x1 p2:3 dt=int16,int16,int32,int32 channels_last
    mb9 ic2 oc17 in11x12 k11x12 p1:1 float32
    mb17 ic1 oc8 in19x14 k17x12 float64 channels_last
    g2 mb8 ic4 oc18 in13x9 k13x9 p2:2 float32
    mb17 ic3 oc40 in8x12 k7x12 p0:1,2:2 float32 channels_last
    mb9 ic1 oc9 in4x9x10 k4x9x10 p1:1 float32
    mb17 ic2 oc9 in13x12 k13x12 s2x3 p2:2,3:3 float64
    g2 mb8 ic2 oc18 in3x9x10 k4x9x10 p1:1,2:2,2:2 float32 channels_last
    mb1 in15x17 k3x2 dt=float32,complex64,complex64,complex64 p1:1
    mb1 ic2 oc4 in15x17 k3x2 dt=bool,bool,int32,int32 p1:1
    mb1 in19x18 k4x3 p3:2 cval=1 bool
    mb1 in19x18 k4x3 p3:2 float128
    mb1 ic2 oc2 in9x8 k2x3 complex256
    in30 k4 p9:5 cval=inf float32
    in30 k4 p9:5 cval=nan float64
    mb2 ic3 oc2 in0x5 k2x3 p4:4 cval=2 float32
    mb0 ic3 oc2 in6x5 k2x3 float32
    mb2 ic0 oc2 in6x5 k2x3 float32 bias
    mb1 in100 k1 s7 float32 precision=fast
    mb1 ic5 oc9 in30x31 k1x1 s2x3 float32 precision=highest
    in700 k33 p16:16 b=reflect float32 precision=fast
    mb3 ic2 oc2 g2 in90x37 k25x1 p12:24,0:0 b=wrap,constant cval=2 float64 precision=fast
    mb2 in5x61x33 k1x35x1 p0:0,17:40,0:0 b=symmetric float32 precision=fast
    mb2 in100x83 k31x51 p15:15,-3:25 b=edge,reflect float32 precision=fast
    in2000 k97 p96:96 float16 precision=fast
mb1 g19 ic38 oc19 in9x11 k8x7 d1x2 p1:0,2:1 float32
mb1 g21 ic21 oc21 in8x13 k4x9 s1x2 d2x1 p1:0,2:2 channels_last float32
mb1 g5 ic5 oc5 in20x35 k10x35 d2x1 p1:0,1:1 float64
mb1 g17 ic17 oc17 in45x9 k45x9 p1:1,1:1 float32
mb1 g3 ic6 oc3 in60 k19 s2 d3 p2:-1 float32
"""
PROBLEMS = [line.strip() for line in PROBLEMS.strip().splitlines()]


def check_all(problem):
    trial = testing.Trial(problem, np.random.default_rng(7))
    return [trial.check(name, target) for name in registered() for target in testing.targets()]


@functools.cache
def reports_on(text):
    return check_all(mc.Problem.parse(text))


@pytest.mark.parametrize("text", PROBLEMS)
def test_every_algorithm_agrees_with_the_definition(text):
    reports = reports_on(text)
    assert {r.algorithm for r in reports} == set(registered())
    assert any(r.refusal is None for r in reports)


@settings(max_examples=2 * settings.default.max_examples)
@given(testing.problems())
def test_drawn_problems_agree_with_the_definition(problem):
    check_all(problem)


@pytest.mark.parametrize("target", testing.targets())
@pytest.mark.parametrize("name", registered())
def test_every_algorithm_really_runs_on_every_target(name, target):
    reports = [r for text in PROBLEMS for r in reports_on(text)]
    mine = [r for r in reports if (r.algorithm, r.target) == (name, target)]
    assert len(mine) == len(PROBLEMS)
    missing = [r.refusal for r in mine if "instruction set" in (r.refusal or "")]
    if missing:
        pytest.skip(missing[0])
    assert sum(r.refusal is None for r in mine) >= 3


def test_refusals_give_half_a_sentence():
    for reason in {r.refusal for text in PROBLEMS for r in reports_on(text)} - {None}:
        assert len(reason) > 10
        assert reason == reason.strip(" .")


@pytest.mark.parametrize("target", testing.targets())
def test_the_environment_forces_an_instruction_set(python, target):
    code = (
        "import numpy as np, multiconv as mc; from multiconv import _core, testing;"
        "testing.check('direct', 'mb2 ic3 oc5 in9x21 k3x2 p1:1 float32');"
        "print(_core.active_target(), mc.convolve([1., 2, 3], [1., 10]))"
    )
    done = python(code, MULTICONV_FORCE_ISA=target)
    assert done.stdout.split()[0] == target, done.stderr
    assert "[ 1. 12. 23. 30.]" in done.stdout


def test_an_unknown_instruction_set_is_refused_clearly(python):
    done = python("import multiconv as mc; mc.convolve([1.], [2.])", MULTICONV_FORCE_ISA="avx9")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    for word in ("ValueError", "MULTICONV_FORCE_ISA", "avx9", *testing.targets()):
        assert word in last


def test_forcing_a_target_reaches_the_kernels_and_ends():
    from multiconv.algorithms import _native

    with testing.forced_target("scalar"):
        assert _native.forced_target == "scalar"
        with testing.forced_target(""):
            assert _native.forced_target == ""
    assert _native.forced_target == ""
    with pytest.raises(ValueError, match="scalar"), testing.forced_target("avx9"):
        pass


def broken(change):
    """`reference` with one thing wrong."""
    base = registered()["reference"]

    class Broken(Algorithm):
        name = "broken"
        summary = "wrong on purpose"

        def accepts(self, problem, traits):
            return None

        def cost(self, problem, traits, planning):
            cost = base.cost(problem, traits, planning)
            return Cost(cost.seconds, cost.bytes, 0.0) if change == "bound" else cost

        def prepare(self, problem, kernel, traits, planning):
            if change == "flip":
                kernel = kernel[..., ::-1]
            return base.prepare(problem, kernel, traits, planning)

        def run(self, prepared, x, epilogue, out):
            if change == "input":
                x[...] = 0
            base.run(prepared, np.nan_to_num(x) if change == "nan" else x, epilogue, out)
            if change == "one":
                out[(-1,) * out.ndim] += 1
            elif change == "tiny":
                out[...] = out * (1 + 1e-4)
            elif change == "place":
                out[...] += out.ctypes.data % 64
            elif change == "outside":
                view = np.lib.stride_tricks.as_strided(out, (out.shape[-1] + 1,), out.strides[-1:])
                view[-1] = 0

    return Broken()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("flip", "differ"),
        ("one", "exact sums differ"),
        ("tiny", "differ"),
        ("bound", "times what the bound"),
        ("nan", "isfinite|isnan"),
        ("input", "wrote to the input"),
        ("place", "other bits|differ"),
        ("outside", "outside"),
    ],
)
def test_the_suite_catches(change, complaint):
    with pytest.raises(testing.ConformanceError, match=complaint) as caught:
        testing.check(broken(change), "in30 k4 float32", np.random.default_rng(3))
    assert "in30 k4 float32" in str(caught.value)


def test_the_suite_passes_what_is_right():
    report = testing.check(broken("nothing"), "in30 k4 float32")
    assert report.refusal is None
    assert report.error <= report.bound


def test_no_algorithm_is_named_outside_its_own_file():
    # Two names are also plain words, of reports and of training.
    names = set(registered()) - {"reference", "steps"}
    quoted = re.compile("|".join(rf"[\"']{name}[\"']" for name in names))
    own = {Path(inspect.getfile(type(a))) for a in registered().values()}
    for file in Path(mc.__file__).parent.rglob("*.py"):
        if file in own or file.name == "testing.py":
            continue
        code = re.sub(r'"""(?s:.)*?"""', "", file.read_text(encoding="utf-8"))
        assert not quoted.search(code), file
