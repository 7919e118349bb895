"""The benchmark of whole models: the networks, who runs them, what is printed and drawn."""

import io
import math

import pytest
import torch
from rich.console import Console
from torch import nn

from multiconv.bench import _models_picture, _results, _terminal, run
from multiconv.bench._comparison import Seconds
from multiconv.bench._markdown import text as markdown
from multiconv.bench._model_result import ModelResult
from multiconv.bench._problems import Family
from multiconv.bench._runner import Effort
from multiconv.bench.models import _case, _entries, _runner, contestants, lightest, select
from multiconv.bench.models.contestants import Contestant
from multiconv.bench.models.networks.unet import UNet
from multiconv.cli import main

BRIEF = Effort(rounds=3, seconds=0.01)
ENTRIES = {str(entry): entry for entry in select()}
MACHINE = {
    "cpu": "a CPU", "cores": 2, "system": "a system", "multiconv": "0", "threads": 2, "load": 0.0,
    "date": "2026-01-01", "libraries": {"a library": "1.0"},
    "profile": {"flops32": 2e11, "flops64": 1e11, "bandwidth": 4e10, "bandwidth1": 2e10,
                "cache": 2**20},
}  # fmt: skip


def tiny():
    """A layer of every kind whose memory format matters."""
    return nn.Sequential(
        nn.Conv2d(3, 8, (3, 5), padding=(1, 2), bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Dropout(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


def entry(key="batch1", build=tiny, **facts):
    network = _entries.Network("tiny", build, (3, 20, 26), training_batch=4, **facts)
    return _entries.Entry(network, next(form for form in _entries.FORMS if form.key == key))


def case(tmp_path, key="batch1", **facts):
    return _case.ModelCase(entry(key, **facts), tmp_path, 2)


def plainly(name="multiconv fake", change=lambda y: y):
    """Torch's own layers under a name, their outputs changed."""

    def offers(case):
        model, x = case.model()
        yield Contestant(name, lambda: case.call(lambda x: change(model(x)), model, x))

    return offers


def result(name, ours, peer, family="batch1", **facts):
    facts = {"must": 1.0, "aim": 0.0, "form": "batch 1", "shape": "1 x 3 x 20 x 26"} | facts
    found = ModelResult(family=family, name=name, **facts)
    times = {"multiconv compile": ours, "multiconv layers": 2 * ours, "torch": 2 * peer,
             "inductor last": peer}  # fmt: skip
    found.seconds = {name: Seconds(t, 1.1 * t, 15) for name, t in times.items()}
    found.differences = dict.fromkeys(times, 2e-6)
    return found


def report(*results):
    families = [Family(key, f"Title of {key}") for key in dict.fromkeys(r.family for r in results)]
    return _results.Report.of(MACHINE, families, list(results), "models")


def printed(found, width=80):
    console = Console(width=width, highlight=False, record=True, file=io.StringIO())
    _terminal.show(found, console)
    return console.export_text()


# --- the networks


@pytest.mark.parametrize(
    ("name", "millions", "outputs"),
    [
        ("VGG-16", 138.357544, (1000,)), ("ResNet-50", 25.557032, (1000,)),
        ("MobileNetV2", 3.504872, (1000,)), ("ConvNeXt-Tiny", 28.589128, (1000,)),
        ("2-D U-Net", 1.927108, (4, 256, 256)), ("3-D U-Net", 0.339603, (3, 64, 96, 96)),
        ("raw audio", 8.455178, (10,)),
    ],
)  # fmt: skip
def test_networks_have_their_sizes(name, millions, outputs):
    network = ENTRIES[f"{name}, batch 1"].network
    with torch.device("meta"):
        model, x = network.build(), torch.empty(2, *network.shape)
    assert sum(weight.numel() for weight in model.parameters()) == round(1e6 * millions)
    assert model(x).shape == (2, *outputs)


def test_a_resnet_halves_its_images_five_times_and_a_mobilenet_too():
    for name, channels in (("ResNet-50", 2048), ("MobileNetV2", 1280)):
        seen = []
        with torch.device("meta"):
            model = ENTRIES[f"{name}, batch 1"].network.build()
            body = model.features if hasattr(model, "features") else model.blocks
            body.register_forward_hook(lambda module, x, y, seen=seen: seen.append(y.shape))
            model(torch.empty(1, 3, 224, 224))
        assert seen == [(1, channels, 7, 7)]


@pytest.mark.parametrize("sizes", [(16, 24), (8, 12, 20)])
def test_a_unet_passes_each_size_across(sizes):
    model = UNet(len(sizes), 2, (4, 6, 8), classes=5).eval()
    for layer in model.grow:
        nn.init.zeros_(layer.weight)  # nothing comes up from below
    x = torch.randn(1, 2, *sizes)
    y = model(x)
    assert y.shape == (1, 5, *sizes)
    place = tuple(n // 2 for n in sizes)
    x[(0, 1, *place)] += 1
    changed = (model(x) - y)[0].abs().amax(0) > 0
    assert changed[place]
    assert changed.sum() <= 9 ** len(sizes)  # four layers of 3


def test_weights_are_the_same_each_time_and_values_stay_of_one_size(tmp_path):
    for one in ENTRIES.values():
        if one.form.key == "batch1" and one.network.name in ("MobileNetV2", "2-D U-Net"):
            found = _case.ModelCase(one, tmp_path, 2)
            (model, x), (again, _) = found.model(), found.model()
            for a, b in zip(model.parameters(), again.parameters(), strict=True):
                assert torch.equal(a, b)
            assert 1e-3 < found.call(model, model, x)().std() < 1e3


# --- what is chosen


def test_every_network_has_every_form_and_a_target():
    assert len(ENTRIES) == len(_entries.NETWORKS) * len(_entries.FORMS) == 21
    assert all(t.aim == 0 or t.aim > t.must > 0 for t in (e.target for e in ENTRIES.values()))
    assert {e.batch for e in ENTRIES.values() if not e.form.training} == {1, 8}


def test_choices():
    assert [str(e) for e in select("U-Net", "batch8")] == ["2-D U-Net, batch 8",
                                                            "3-D U-Net, batch 8"]  # fmt: skip
    assert {e.batch for e in select(batch=8)} == {8}
    assert [e.form.key for e in lightest(select())] == ["batch1", "batch8", "training"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("nothing",), "only: no model's name contains 'nothing'"),
     (("", "layers"), "family: 'layers' is not allowed, give some of batch1, batch8, training"),
     (("VGG", "", 5), "only: no model's name contains 'VGG' at batch 5")],
)  # fmt: skip
def test_bad_choices(arguments, message):
    with pytest.raises(ValueError, match=message):
        select(*arguments)


def test_the_command_says_what_is_wrong(capsys):
    assert main(["bench", "models", "--only", "nothing"]) == 2
    assert "only: no model's name contains 'nothing'" in capsys.readouterr().err


def test_budgets():
    assert run.effort_of("models", 15, None).seconds == 60
    assert run.effort_of("layers", 7, None) == Effort(7, 2.5)
    assert run.effort_of("models", 15, 3.0).seconds == 3


# --- the runner


@pytest.mark.parametrize("key", ["batch1", "batch8", "training"])
def test_a_tiny_network_is_timed(key):
    def offers(case):
        yield from plainly()(case)
        yield from (c for c in contestants.torch.ways(case) if "inductor" not in c.name)

    found = _runner.measure(entry(key), BRIEF, 2, offers=offers)
    assert (found.failure, found.left_out) == ("", {})
    assert set(found.seconds) == {"multiconv fake", "torch", "torch last"}
    assert all(0 < s.minimum <= s.median and s.rounds == 3 for s in found.seconds.values())
    assert found.differences["torch"] == 0.0
    assert 0 < found.differences["torch last"] < 1e-4
    assert found.shape == f"{ {'batch1': 1, 'batch8': 8}.get(key, 4) } x 3 x 20 x 26"


@pytest.mark.parametrize("key", ["batch1", "training"])
def test_our_layers_agree(key):
    def offers(case):
        yield from (c for c in contestants.multiconv.ways(case) if "layers" in c.name)

    found = _runner.measure(entry(key), BRIEF, 2, offers=offers)
    assert (found.failure, found.left_out) == ("", {})
    assert set(found.seconds) == {"multiconv layers", "multiconv layers last"}


@pytest.mark.parametrize("library", ["onnxruntime", "openvino"])
def test_other_libraries_agree(library):
    pytest.importorskip(library)
    pytest.importorskip("onnx")

    def offers(case):
        yield from plainly()(case)
        yield from getattr(contestants, library).ways(case)

    found = _runner.measure(entry("batch8"), BRIEF, 2, offers=offers)
    assert (found.failure, found.left_out) == ("", {})
    assert found.differences[library] < 1e-5
    assert not list(getattr(contestants, library).ways(case(None, "training")))


@pytest.mark.parametrize("value", [1.01, math.nan])
@pytest.mark.parametrize("key", ["batch1", "training"])
def test_who_differs_is_left_out_and_if_it_is_us_nothing_is_timed(key, value):
    def offers(case):
        yield from plainly()(case)
        yield from plainly("liar", lambda y: y * value)(case)

    found = _runner.measure(entry(key), BRIEF, 2, offers=offers)
    assert found.failure == ""
    assert set(found.seconds) == {"multiconv fake"}
    assert found.left_out["liar"].startswith("differs from torch by ")

    found = _runner.measure(entry(key), BRIEF, 2, offers=plainly(change=lambda y: y * value))
    assert found.failure.startswith("multiconv fake differs from torch by ")
    assert (found.seconds, found.verdict) == ({}, "failed")


def test_who_fails_is_left_out_and_says_why():
    def offers(case):
        yield from plainly("multiconv fake", lambda y: y[:, 1:])(case)
        yield Contestant("broken", lambda: 1 / 0)

    found = _runner.measure(entry(), BRIEF, 2, offers=offers)
    assert found.left_out["broken"] == "fails: ZeroDivisionError: division by zero"
    assert "gives (1, 5) where torch gives (1, 6)" in found.failure


def test_half_precision_is_told_apart():
    def rounded(y):
        return y.to(torch.bfloat16).float()

    found = _runner.measure(entry(), BRIEF, 2, offers=plainly(change=rounded))
    assert "differs from torch" in found.failure


def test_dropout_is_off_and_normalisation_is_not(tmp_path):
    model, _ = case(tmp_path, "training").model()
    assert [m.training for m in model if isinstance(m, nn.Dropout | nn.BatchNorm2d)] == [
        True,
        False,
    ]


def test_a_step_changes_the_weights(tmp_path):
    found = case(tmp_path, "training")
    model, x = found.model()
    before = [w.clone() for w in model.parameters()]
    gradients = found.call(model, model, x)()
    for old, new, gradient in zip(before, model.parameters(), gradients, strict=True):
        torch.testing.assert_close(new, old - _case.RATE * gradient)


def test_threads_are_given_back():
    from multiconv.bench.models import threads

    before = torch.get_num_threads()
    with threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


# --- what is printed, written and drawn


def test_training_is_judged_beside_plain_torch():
    found = result("one", 1.0, 0.9, must=1.0, aim=1.5, over="torch")
    assert found.best_peer == "inductor last"
    assert found.best_of_ours == "multiconv compile"
    assert (found.ratio, found.judged, found.verdict) == (0.9, 1.8, "aim")
    assert found.remarks == {"way": "compile", "eager": "1.80", "differs": "2e-06"}


@pytest.mark.parametrize("width", [80, 100, 120])
def test_tables(width):
    failed = result("broken", 1.0, 2.0)
    failed.failure, failed.seconds = "multiconv compile differs from torch by 1", {}
    won = result("ConvNeXt-Tiny", 1e-3, 5e-3, must=2, aim=4)
    won.left_out["onnxruntime"] = "fails: for a reason"
    found = report(won, result("behind", 1e-3, 2e-4), result("close", 1e-3, 9e-4), failed)
    text = printed(found, width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    places = [text.index(f"{word}, batch 1") for word in ("broken", "behind", "close")]
    assert places == sorted(places)
    assert text.index("Title of batch1") > places[-1]
    assert "ConvNeXt-Tiny: onnxruntime left out, fails: for a reason" in text
    rows = [line.split() for line in lines if "multiconv layers" in line]
    assert rows[0] == ["multiconv", "layers", "2.00", "ms", "2.20", "ms", "15", "2.00", "2e-06"]


def test_the_page():
    page = markdown(report(result("won", 1e-3, 5e-3, aim=4), result("behind", 1e-3, 2e-4)))
    assert "| won | 1.00 ms | 5.00 ms | inductor last | 5.00 | 1 | 4 | ✓✓ | compile |" in page
    assert page.index("behind, batch 1") < page.index("## Title of batch1")
    assert "|  | torch | 10.0 ms | 11.0 ms | 15 | 10.0 | 2e-06 |" in page


def test_everything_is_written_and_read_again(tmp_path):
    found = report(result("won", 1e-3, 5e-3, aim=4), result("behind", 1e-3, 2e-4, "training"))
    console = Console(file=io.StringIO())
    run.show(console, found, run.Where(publish=tmp_path))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"models.json", "models.md", "models.png", "models.svg"}
    assert run.read(tmp_path / "models.json") == found


def test_the_picture_has_a_panel_a_form_and_says_who_is_ahead(tmp_path):
    failed = result("broken", 1.0, 2.0)
    failed.failure, failed.seconds = "multiconv compile differs from torch by 1", {}
    found = report(result("won", 1e-3, 5e-2, aim=4), failed,
                   result("behind", 1e-3, 2e-4, "training"))  # fmt: skip
    files = [path.name for path in _models_picture.draw(found, tmp_path)]
    assert files == ["models.svg", "models.png"]
    drawn = (tmp_path / "models.svg").read_text()
    assert all(word in drawn for word in ("Title of training", "50.0", "failed", "inductor last"))
    assert _models_picture.draw(report(failed), tmp_path) == []
