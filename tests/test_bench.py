"""The benchmark: its problems, its clock, what it prints and draws."""

import io
import json
import math
from functools import partial
from itertools import groupby

import numpy as np
import pytest
from rich.console import Console

import multiconv as mc
from multiconv.bench import (
    Case,
    Entry,
    Family,
    _accuracies,
    _accuracy,
    _judge,
    _results,
    _sample,
    families,
    interleave,
)
from multiconv.bench._call import spell
from multiconv.bench._problems import NOT_BEHIND, parse, select
from multiconv.bench._runner import Effort, difference, measure, run
from multiconv.bench.peers import Offer, Peers
from multiconv.cli import main

BRIEF = Effort(rounds=3, seconds=0.01)
ENTRIES = [entry for family in families() for entry in family.entries]
LAYERS = [entry for family in families("layers") for entry in family.entries]
TINY = mc.Problem.parse("mb1 ic1 oc1 in60 k5 p2:2 flip float64")
MACHINE = {
    "cpu": "a CPU", "cores": 2, "system": "a system", "multiconv": "0", "threads": 2, "load": 0.0,
    "date": "2026-01-01", "libraries": {"a library": "1.0"},
    "profile": {"flops32": 2e11, "flops64": 1e11, "bandwidth": 4e10, "bandwidth1": 2e10,
                "cache": 2**20},
}  # fmt: skip


class Fake:
    """A peer that does what it is told."""

    def __init__(self, **calls):
        self.calls = calls

    def offers(self, case):
        for name, call in self.calls.items():
            yield Offer(name, partial(call, case))


def right(case):
    return np.convolve(case.x, case.w, case.mode)


def wrong(case):
    return right(case) + np.eye(1, case.x.size, 7)[0]


def entry(name="small", problem=TINY, **facts):
    return Entry("family", name, problem, **facts)


def result(name, ours, peer=None, family="family", problem=TINY, **facts):
    found = _results.Result.of(entry(name, problem, **facts))
    found.family = family
    found.seconds = {"multiconv": _results.Seconds(ours, 1.1 * ours, 3)}
    if peer is not None:
        found.seconds["peer"] = _results.Seconds(peer, 1.2 * peer, 3)
    return found


def report(*results, **family):
    keys = dict.fromkeys(r.family for r in results)
    return _results.Report.of(
        MACHINE, [Family(key, f"Title of {key}", **family) for key in keys], list(results)
    )


def printed(found, width=80):
    from multiconv.bench import _terminal

    console = Console(width=width, highlight=False, record=True, file=io.StringIO())
    _terminal.show(found, console)
    return console.export_text()


# --- the problems


def test_every_problem_is_what_its_public_call_means():
    for one in ENTRIES + LAYERS:
        if one.filter:
            continue
        call = spell(one.problem)
        dtypes = one.problem.x_dtype, one.problem.w_dtype
        shapes = map(mc.ShapeDtype, (call.x_shape, call.w_shape), dtypes)
        assert mc.plan(call.function, *shapes, **call.options).problem == one.problem, one


@pytest.mark.parametrize("entries", [ENTRIES, LAYERS], ids=["single", "layers"])
def test_names_are_unique_and_targets_make_sense(entries):
    names = [str(one) for one in entries]
    assert len(set(names)) == len(names) > 200
    assert all(one.aim == 0 or one.aim > one.must > 0 for one in entries)


def test_the_families_are_there():
    keys = {family.key for family in families()}
    assert {"signal", "long", "batch", "image", "volume", "tiny", "growth", "map"} <= keys


@pytest.mark.parametrize("one", [e for e in ENTRIES if e.filter], ids=str)
def test_every_filter_runs_and_gives_the_dtype_it_says(one):
    problem = mc.Problem(
        in_size=tuple(24 + axis for axis in range(one.problem.rank)), kernel=one.problem.kernel,
        padding=one.problem.padding, boundary=one.problem.boundary, flip=one.problem.flip,
        x_dtype=one.problem.x_dtype, w_dtype=one.problem.w_dtype,
        acc_dtype=one.problem.acc_dtype, out_dtype=one.problem.out_dtype,
    )  # fmt: skip
    small = Case(Entry(one.family, one.name, problem, one.filter))
    found = small.calls()["multiconv"]()
    assert found.shape == problem.in_size
    assert found.dtype == problem.out_dtype
    for offer in Peers().offers(small):
        assert difference(np.asarray(offer.run()), found, small, offer.levels) == "", offer.name


def test_parsing():
    lines = ["# a remark", "[one] First", "picture growth", "within 2", "must 3 aim 4",
             f"a | {TINY}", f"b | {TINY} | box:size=3", "[two] Second", f"c | {TINY}"]  # fmt: skip
    one, two = parse(lines)
    assert (one.key, one.title, one.picture, one.within) == ("one", "First", "growth", 2)
    assert [(e.name, e.must, e.aim) for e in one.entries] == [("a", 3, 4), ("b", 3, 4)]
    assert Case(one.entries[1]).filter == ("box", {"size": 3})
    assert (two.entries[0].must, two.entries[0].aim) == (NOT_BEHIND, 0)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("must two", "neither a problem nor a setting"),
        ("a | in9 k3", "canonical"),
        ("a | mb1 ic1 oc1 in9 what float64", "no word of a problem"),
        (f"a | {TINY} | box | 3", "more than name"),
    ],
)
def test_lines_that_cannot_be_understood(line, complaint):
    with pytest.raises(ValueError, match=rf"line 2: .*{complaint}"):
        parse(["[one] First", line])


def test_selection():
    assert [str(e) for f in select("5 by 3 float32") for e in f.entries] == ["tiny 5 by 3 float32"]
    assert [f.key for f in select(family="batch,tiny")] == ["batch", "tiny"]
    eight = [e for f in select(family="dense3", suite="layers", batch=8) for e in f.entries]
    assert eight
    assert {e.problem.batch for e in eight} == {8}
    with pytest.raises(ValueError, match="at batch 7"):
        select(suite="layers", batch=7)
    with pytest.raises(ValueError, match="family: 'tinny'"):
        select(family="tinny")
    with pytest.raises(ValueError, match="contains 'nothing'"):
        select("nothing")
    with pytest.raises(ValueError, match="suite: 'all' is not allowed"):
        select(suite="all")


def test_batches_and_passes_make_one_entry_each():
    layer = mc.Problem.parse("mb2 ic3 oc4 in5x6 k3x3 float32")
    (one,) = parse(["[one] First", "batches 1 8", "passes forward weight_grad", "must 2 aim 3",
                    f"a | {layer}"])  # fmt: skip
    assert [(e.name, e.problem.batch, e.direction, e.must) for e in one.entries] == [
        ("a", 2, "forward", 2), ("a, mb8", 16, "forward", 2),
        ("a, weight grad", 2, "weight_grad", 1.3), ("a, mb8, weight grad", 16, "weight_grad", 1.3),
    ]  # fmt: skip


@pytest.mark.parametrize("direction", ["forward", "input_grad", "weight_grad"])
@pytest.mark.parametrize(
    "layer",
    ["mb2 ic6 oc4 in9x8 k3x2 s2 p1:1 float32", "mb2 g2 ic4 oc6 in11 k3 d2 p2:2 float32",
     "mb1 ic2 oc3 in5x6x7 k3x3x3 p1:1 float32"],
)  # fmt: skip
def test_the_libraries_agree_on_layers(layer, direction):
    one = Entry("family", "layer", mc.Problem.parse(layer), direction=direction)
    peers = Peers()
    with peers.threads(mc.get_num_threads()):
        found = measure(one, peers, BRIEF)
    assert (found.failure, found.left_out) == ("", {})
    assert "torch" in found.seconds
    assert found.ours <= found.seconds["multiconv"].minimum
    assert (found.one_shot is None) == (direction == "weight_grad")


def test_the_libraries_agree_on_a_transposed_layer():
    text = "mb1 g2 ic4 oc6 in5x6 k4x3 id2 p1:2,1:1 flip float32"
    found = measure(entry(problem=mc.Problem.parse(text)), Peers(), BRIEF)
    assert found.failure == ""


# --- the runner


def test_all_that_agree_are_timed():
    found = measure(entry(), Fake(peer=right, other=right), BRIEF)
    assert found.failure == ""
    assert list(found.seconds) == ["multiconv", "peer", "other"]
    assert all(0 < s.minimum <= s.median and s.rounds == 3 for s in found.seconds.values())
    assert found.algorithm in mc.algorithms()
    assert found.ratio == found.seconds[found.best_peer].minimum / found.ours


def test_a_result_that_nobody_confirms_fails_the_case_and_nothing_is_timed():
    found = measure(entry(), Fake(liar=wrong), BRIEF)
    assert found.failure.startswith("liar differs from multiconv by 1")
    assert found.seconds == {}
    assert found.verdict == "failed"


def test_who_alone_differs_is_left_out_and_says_so():
    found = measure(entry(), Fake(liar=wrong, peer=right), BRIEF)
    assert found.failure == ""
    assert found.left_out["liar"].startswith("differs from multiconv by 1")
    assert list(found.seconds) == ["multiconv", "peer"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_differs(value):
    found = measure(entry(), Fake(peer=lambda c: np.where(c.x > c.x[3], value, right(c))), BRIEF)
    assert found.failure


def test_another_shape_differs():
    found = measure(entry(), Fake(peer=lambda c: right(c)[1:]), BRIEF)
    assert "gives (59,) where multiconv gives (60,)" in found.failure


def test_peers_that_cannot_are_left_out_and_say_so():
    class Greedy(Fake):
        def offers(self, case):
            yield Offer("slow", partial(right, case), seconds=100)
            yield Offer("large", partial(right, case), bytes=9e9)
            yield Offer("broken", partial(np.dot, np.ones(2), np.ones(3)))

    found = measure(entry(), Greedy(), BRIEF)
    assert found.left_out["slow"] == "would take about 100 s"
    assert found.left_out["large"] == "would need about 9 GB"
    assert found.left_out["broken"].startswith("fails: shapes (2,) and (3,)")
    assert (found.failure, found.ratio, found.verdict) == ("", None, "")


def test_the_libraries_agree_on_the_tiny_family():
    peers, told = Peers(), []
    with peers.threads(mc.get_num_threads()):
        results = run(select(family="tiny"), peers, BRIEF, told.append)
    assert told == results
    assert [r.failure for r in results] == [""] * 6
    assert all("numpy" in r.seconds for r in results[:2])


def test_every_contestant_runs_once_a_round():
    order = []
    calls = {name: partial(_slow, order, name) for name in "ab"}
    timings = interleave(calls, rounds=4)
    turns = [(name, len(list(calls))) for name, calls in groupby(order)]
    assert [name for name, _ in turns[-4:]] == ["a", "b"] * 2
    assert min(count for _, count in turns[-4:]) > 1  # some to warm up, one that counts
    assert [len(t.samples) for t in timings.values()] == [4, 4]
    again = interleave(calls, rounds=2, known=timings)
    assert [len(t.samples) for t in again.values()] == [6, 6]


def _slow(order, name):
    order.append(name)
    sum(range(60_000))


def test_a_budget_ends_the_rounds():
    timings = interleave({"a": partial(_slow, [], "a")}, rounds=1000, seconds=0.05)
    assert 3 <= len(timings["a"].samples) < 1000


# --- what is printed, written and drawn


def test_what_is_lost_comes_first():
    failed = result("broken", 1.0)
    failed.failure = "peer differs from multiconv by 1"
    found = report(result("won", 1e-3, 5e-3, must=2, aim=4), result("close", 1e-3, 9e-4),
                   result("behind", 1e-3, 2e-4), failed)  # fmt: skip
    assert [r.name for r in found.lost()] == ["broken", "behind", "close"]
    text = printed(found)
    places = [text.index(word) for word in ("family broken", "family behind", "family close",
                                            "Title of family")]  # fmt: skip
    assert places == sorted(places)
    assert text.index("won") > places[-1]
    assert "peer differs from multiconv by 1" in text
    assert [r.verdict for r in found.results] == ["aim", "miss", "miss", "failed"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(width):
    found = report(*(result(str(one)[-26:], 1.23e-3, 1.23, must=12.5) for one in ENTRIES))
    lines = printed(found, width).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)


def test_growth_is_judged():
    small, large = (mc.Problem.parse(f"in{n} k5 p2:2 flip float32") for n in (100, 1000))
    found = report(result("small", 1e-7, problem=small), result("large", 5e-6, problem=large),
                   within=2.0)  # fmt: skip
    assert ": 1 ns a sample at best, 5.00 times that at worst (at most 2)" in printed(found)


def test_json_comes_back(tmp_path):
    found = report(result("one", 1e-3, 2e-3), result("two", 1e-3))
    found.save(tmp_path / "r.json")
    assert _results.Report.load(tmp_path / "r.json") == found
    (tmp_path / "other.json").write_text('{"results": 3}')
    with pytest.raises(ValueError, match="holds no results"):
        _results.Report.load(tmp_path / "other.json")


@pytest.mark.parametrize(("picture", "names"), [("map", ["ratios"]), ("growth", ["growth"])])
def test_pictures_are_drawn(tmp_path, picture, names):
    from multiconv.bench import _growth_picture, _map

    problems = [mc.Problem.parse(f"in{'x'.join([str(n)] * r)} k{'x'.join([str(k)] * r)} float32")
                for r in (1, 2, 3) for n in (32, 64) for k in (3, 9)]  # fmt: skip
    found = report(*(result(str(p), 1e-3 * p.kernel[0], 4e-3, problem=p) for p in problems),
                   picture=picture)  # fmt: skip
    written = _map.draw(found, tmp_path) + _growth_picture.draw(found, tmp_path)
    assert [p.name for p in written] == [f"{n}.{kind}" for n in names for kind in ("svg", "png")]
    assert all(p.stat().st_size > 5000 for p in written)


def test_layers_are_drawn(tmp_path):
    from multiconv.bench import _layers_picture

    results = [result(f"{way} {n}", 1e-3, 1e-3 * n, problem=LAYERS[0].problem, direction=way)
               for way in ("forward", "input_grad") for n in (0.5, 2, 60)]  # fmt: skip
    found = report(*results)
    assert _layers_picture.draw(found, tmp_path) == []
    found.suite = "layers"
    assert all(p.stat().st_size > 5000 for p in _layers_picture.draw(found, tmp_path))


def test_nothing_is_drawn_of_nothing(tmp_path):
    from multiconv.bench import _growth_picture, _map

    found = report(result("one", 1e-3, 2e-3))
    assert _map.draw(found, tmp_path) + _growth_picture.draw(found, tmp_path) == []


def test_the_command(tmp_path, capsys):
    arguments = ["bench", "--only", "5 by 3", "--quick", "--json", str(tmp_path / "r.json"),
                 "--publish", str(tmp_path / "out")]  # fmt: skip
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "Tiny calls" in out
    assert "1/1  tiny 5 by 3 float32" in err
    table = (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    assert "| 5 by 3 float32 |" in table
    stored = json.loads((tmp_path / "r.json").read_text())
    assert stored == json.loads((tmp_path / "out" / "results.json").read_text())
    assert stored["machine"]["threads"] == mc.get_num_threads()
    assert main(["bench", "--read", str(tmp_path / "r.json")]) == 0
    assert capsys.readouterr().out == out[: out.index("→")]


def test_a_difference_is_the_exit_status(tmp_path, capsys):
    failed = result("broken", 1.0)
    failed.failure = "peer differs"
    report(failed).save(tmp_path / "r.json")
    assert main(["bench", "--read", str(tmp_path / "r.json")]) == 1
    assert "peer differs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["5"], "suite: '5' is not allowed"),
        (["--planner", "five"], "count: 'five' is not allowed"),
        (["--family", "none"], "family: 'none' is not allowed"),
        (["--planner", "0"], "count: 0 problems"),
        (["--read", "missing.json"], "missing.json: cannot be used"),
    ],
)
def test_bad_arguments(arguments, complaint, capsys):
    assert main(["bench", *arguments]) == 2
    assert complaint in capsys.readouterr().err


# --- the planner judged


def test_draws_are_valid_repeatable_and_varied():
    draws = list(_sample.draw(300, 3))
    assert list(_sample.draw(20, 3)) == draws[:20]
    assert [d.problem for d in _sample.draw(20, 4)] != [d.problem for d in draws[:20]]
    for one in draws:
        call = spell(one.problem)
        dtypes = one.problem.x_dtype, one.problem.w_dtype
        shapes = map(mc.ShapeDtype, (call.x_shape, call.w_shape), dtypes)
        assert mc.plan(call.function, *shapes, **call.options).problem == one.problem
    assert {d.problem.rank for d in draws} == {1, 2, 3}
    assert {d.kind for d in draws} == set(_sample.KERNELS)
    for trait in ("stride", "dilation", "boundary", "groups", "batch", "x_dtype"):
        assert len({getattr(d.problem, trait) for d in draws}) > 1, trait


@pytest.mark.parametrize("kind", list(_sample.KERNELS))
def test_kernels_are_of_their_kind(kind):
    draw = _sample.Draw(mc.Problem.parse("in60x50 k20x15 flip float64"), kind, 5)
    x, w = draw.arrays((60, 50), (20, 15))
    assert (x.shape, w.shape) == ((60, 50), (20, 15))
    rank, zeros = np.linalg.matrix_rank(w), np.mean(w == 0)
    expected = {"random": (15, 0), "product": (1, 0), "box": (1, 0)}
    if kind in expected:
        assert (rank, zeros) == expected[kind]
    else:
        assert zeros > 0.7


def test_the_planner_is_judged(tmp_path, capsys):
    assert main(["bench", "--planner", "5", "--publish", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert "of 5 choices are within 10 % of the best measured" in out
    assert "predicted / measured" in out
    assert "5/5" in err
    stored = json.loads((tmp_path / "planner.json").read_text())
    assert stored["problems"] == len(stored["verdicts"]) == 5
    for verdict in stored["verdicts"]:
        measured = verdict["measured"]
        assert set(measured) == set(verdict["predicted"]) <= set(mc.algorithms())
        loss = measured[verdict["chosen"]] / min(measured.values())
        assert math.isclose(verdict["loss"], loss)


def test_verdicts_are_counted():
    good = _judge.Verdict("p", "box", "a", {"a": 1.0, "b": 2.0}, {"a": 1.05, "b": 1.0})
    bad = _judge.Verdict("p", "box", "a", {"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 1.0})
    facts = _judge.summary([good, bad])
    assert (facts["within 10 %"], facts["within 2 times"], facts["worst"]) == (0.5, 0.5, 3.0)
    assert (good.best, bad.best) == ("b", "b")


def test_measured_choices_are_ignored_while_judging():
    x, h = np.ones(50), np.arange(1.0, 8)
    mc.tune(mc.convolve, x, h)
    draw = _sample.Draw(mc.plan(mc.convolve, x, h).problem, "random", 0)
    from multiconv import _wisdom

    tuned = _wisdom.recall(draw.problem)
    assert tuned is not None
    seen = []

    def draws():
        seen.append(_wisdom.recall(draw.problem))
        yield draw

    list(_judge.judge(draws()))
    assert seen == [None]
    assert _wisdom.recall(draw.problem) == tuned
    _wisdom.forget()


# --- the layers' errors


def test_the_accuracy_of_layers(tmp_path, capsys):
    arguments = ["bench", "--accuracy", "--family", "dense3", "--only", "512 to 512 7^2"]
    assert main([*arguments, "--publish", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert "times as wrong as direct summation" in out
    assert "3/3" in err
    layers = json.loads((tmp_path / "accuracy.json").read_text())["layers"]
    assert len({one["layer"] for one in layers}) == sum(one["chosen"] for one in layers) == 3
    for one in layers:
        assert 0 < one["relative"] < 1e-5
        assert 0 < one["weighted"] <= one["bound"]
    page = (tmp_path / "accuracy.md").read_text(encoding="utf-8")
    assert all(f"| {one['layer']} |" in page for one in layers)


def test_a_choice_is_compared_with_direct_summation():
    def error(layer, algorithm, chosen, times):
        return _accuracy.Accuracy(layer, algorithm, chosen, 1e-6, 1e-7, 1e-5, times)

    found = [error("a", "f", True, 3.0), error("a", "g", False, 9.0), error("b", "f", True, 2.0)]
    assert _accuracy.worst(found) == 3.0
    rows = list(_accuracies.rows_of(found))
    assert [row[0] for row in rows] == ["a", "", "b"]
    assert [row[1] for row in rows] == ["→ f", "  g", "→ f"]
