"""The measured profile: kept on disk, and never in the way whatever lies there."""

import dataclasses
import json
import os
import stat

import pytest

import multiconv as mc
from multiconv import _core, _machine, _store, _wisdom


@pytest.fixture(scope="module")
def measured():
    return _core.measure_machine("")


@pytest.fixture
def cache(tmp_path, monkeypatch, measured):
    """An empty cache directory, heard by everything that remembers; measured in no time."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MULTICONV_CACHE_DIR", str(folder))
    monkeypatch.setattr(_core, "measure_machine", lambda target: measured)
    for memory in (_machine._machine, _wisdom._choices):
        memory.cache_clear()
    yield folder
    for memory in (_machine._machine, _wisdom._choices):
        memory.cache_clear()


def profile_file(cache):
    (file,) = cache.glob("machine-*.json")
    return file


def test_the_profile_is_measured_once_and_kept(cache, monkeypatch):
    first = _machine.machine()
    monkeypatch.delattr(_core, "measure_machine")
    kept = profile_file(cache).read_text()
    _machine._machine.cache_clear()
    assert _machine.machine() == first
    assert profile_file(cache).read_text() == kept
    assert list(cache.iterdir()) == [profile_file(cache)]


def test_the_profile_makes_sense(cache):
    found = _machine.machine()
    assert 1e8 < found.flops64 <= 1.2 * found.flops32 < 1e13
    assert 0.5 * found.flops32 < found.mixed32 < 4 * found.flops32
    assert 1e8 < found.bandwidth < 1e13
    assert 1e8 < found.bandwidth1 < 1e12
    assert 2**14 <= found.cache <= 2**30
    assert 0 < found.wake < 0.1
    assert found.lanes in (1, 4, 8, 16)
    assert found.threads >= 1


@pytest.mark.parametrize(("mixed", "gain"), [(0.9, 1.0), (1.0, 1.0), (2.0, 1.4)])
def test_transforms_gain_of_additions_that_have_units_of_their_own(mixed, gain):
    found = dataclasses.replace(
        _machine.machine(), flops32=2e11, flops64=1e11, mixed32=mixed * 2e11
    )
    assert found.transform_flops(4) == pytest.approx(gain * 2e11)
    assert found.transform_flops(8) == pytest.approx(gain * 1e11)


DAMAGE = {
    "empty": "",
    "cut": '{"cpu": "x", "flops',
    "no JSON": "\x00\x01\x02",
    "a list": "[1, 2]",
    "a number": "7",
    "null": "null",
    "no fields": "{}",
    "deep": "[" * 100_000,
    "long number": '{"cpu": ' + "9" * 6000 + "}",
}


@pytest.mark.parametrize("text", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_profile_is_measured_again(cache, text):
    _machine.machine()
    file = profile_file(cache)
    file.write_text(text)
    _machine._machine.cache_clear()
    assert mc.convolve([1.0, 2.0], [1.0, 3.0]).tolist() == [1, 5, 6]
    assert _machine.machine().threads >= 1
    assert json.loads(file.read_text())["threads"] >= 1


WRONG = [None, "1e9", "fast", [1], {}, -1, 0, float("nan"), float("inf"), 10**400, True, 2.5]


@pytest.mark.parametrize("value", WRONG, ids=[str(v)[:9] for v in WRONG])
@pytest.mark.parametrize("name", ["flops32", "bandwidth", "cache", "threads"])
def test_a_profile_with_a_wrong_number_is_measured_again(cache, name, value):
    good = _machine.machine()
    file = profile_file(cache)
    wrong = value if name in ("cache", "threads") or value != 2.5 else 7
    file.write_text(json.dumps({**dataclasses.asdict(good), name: wrong}))
    _machine._machine.cache_clear()
    assert _machine.machine() == good
    assert json.loads(file.read_text()) == dataclasses.asdict(good)


def test_another_cpus_profile_is_not_believed(cache):
    good = _machine.machine()
    file = profile_file(cache)
    file.write_text(json.dumps({**dataclasses.asdict(good), "cpu": "Z80", "flops32": 1.0}))
    _machine._machine.cache_clear()
    assert _machine.machine().cpu == good.cpu


def test_a_profile_that_is_not_text(cache):
    _machine.machine()
    profile_file(cache).write_bytes(b"\xff\xfe\xfa")
    _machine._machine.cache_clear()
    assert _machine.machine().threads >= 1


def test_a_profile_that_is_a_directory(cache):
    _machine.machine()
    file = profile_file(cache)
    file.unlink()
    file.mkdir()
    _machine._machine.cache_clear()
    assert _machine.machine().threads >= 1


def test_a_cache_directory_that_is_a_file(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("MULTICONV_CACHE_DIR", str(tmp_path / "file"))
    (tmp_path / "file").write_text("mine")
    assert _machine.machine().threads >= 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_cache_directory_below_nothing(cache, monkeypatch):
    monkeypatch.setenv("MULTICONV_CACHE_DIR", "/proc/nothing/here")
    assert _machine.machine().threads >= 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_directory_that_cannot_be_written(cache):
    cache.mkdir()
    cache.chmod(stat.S_IREAD | stat.S_IEXEC)
    assert _machine.machine().threads >= 1
    cache.chmod(stat.S_IRWXU)
    assert list(cache.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(cache, monkeypatch):
    _store.save("some.json", {"old": 1})

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _store.save("some.json", {"new": 2})
    assert _store.load("some.json") == {"old": 1}
    assert [p.name for p in cache.iterdir()] == ["some.json"]


def test_no_home_at_all(python):
    code = "import multiconv as mc; print(mc.convolve([1.0, 2.0], [1.0, 3.0]))"
    done = python(code, HOME=None, MULTICONV_CACHE_DIR=None, XDG_CACHE_HOME="/dev/null/x")
    assert done.stdout.strip() == "[1. 5. 6.]", done.stderr


def test_the_platforms_place_for_caches(tmp_path, python):
    code = "from multiconv import _store; print(_store.directory())"
    done = python(code, MULTICONV_CACHE_DIR=None, XDG_CACHE_HOME=str(tmp_path))
    assert done.stdout.strip() == str(tmp_path / "multiconv")
    done = python(code, MULTICONV_CACHE_DIR=None, XDG_CACHE_HOME=None, HOME=str(tmp_path))
    assert done.stdout.strip() == str(tmp_path / ".cache" / "multiconv")


@pytest.mark.parametrize("text", ["[]", "{", '{"x": 3}', "null", '{"x": null}'])
def test_damaged_wisdom_is_forgotten(cache, text):
    cache.mkdir()
    (cache / _wisdom._name()).write_text(text)
    problem = mc.Problem.parse("in9 k3")
    assert _wisdom.recall(problem) is None
    _wisdom.remember(problem, "some")
    _wisdom._choices.cache_clear()
    assert _wisdom.recall(problem) == "some"


@pytest.mark.parametrize(
    ("text", "count"),
    [("1500000", 1_500_000), ("512MB", 512_000_000), ("2 GiB", 2**31), ("1.5kb", 1500), ("7B", 7),
     ("0.5TiB", 2**39)],
)  # fmt: skip
def test_amounts_of_memory(text, count):
    assert _machine.parse_bytes(text, "limit") == count


@pytest.mark.parametrize("text", ["", "much", "-1GB", "0", "1XB", "nan", "inf", "1e999", "GB"])
def test_no_amounts_of_memory(text):
    with pytest.raises(ValueError, match=r"limit: .*'2GB'"):
        _machine.parse_bytes(text, "limit")


def test_the_memory_limit_is_the_variables_or_most_of_what_there_is(monkeypatch):
    monkeypatch.delenv("MULTICONV_MEMORY_LIMIT", raising=False)
    assert 2**26 < _machine.memory_limit() < 2**50
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "3MB")
    assert _machine.memory_limit() == 3_000_000
    monkeypatch.setenv("MULTICONV_MEMORY_LIMIT", "plenty")
    with pytest.raises(ValueError, match="MULTICONV_MEMORY_LIMIT: 'plenty'"):
        mc.convolve([1.0] * 17, [1.0] * 5)
