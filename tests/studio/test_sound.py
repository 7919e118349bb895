"""Sounds and responses are what they say, the result is their convolution, and it is heard."""

import re

import numpy as np
import pytest

from multiconv.studio._room import Message, all_rooms
from multiconv.studio.rooms._sound_pictures import COLUMNS, ROWS, spectrogram, wave
from multiconv.studio.rooms._sound_responses import RESPONSES, Place, response, start
from multiconv.studio.rooms._sound_sources import PEAK, RATE, SOURCES, source

USUAL = {
    "source": "clap", "response": "spikes", "decay": 1.5, "size": 20, "mix": 0.4,
    "spikes": [[0, 1], [30, 0.6], [250, -0.5]], "crowd": 0,
}  # fmt: skip
PLACE = Place(0.6, 12.0, ((0.0, 1.0), (30.0, 0.6)), 0)


def ask(values, **arrays):
    return all_rooms()["sound"].actions["hear"].answer(Message(values, arrays))


def short_sound(channels=2, samples=301):
    return np.random.default_rng(1).uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name):
    sound = source(name)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() == pytest.approx(PEAK)
    assert np.abs(sound[0, -50:]).max() < 0.05
    source.cache_clear()
    np.testing.assert_array_equal(source(name), sound)


@pytest.mark.parametrize("name", RESPONSES)
def test_dry_is_the_sound_alone(name):
    taps = response(name, PLACE, 0)
    if name != "spikes":
        assert taps[:, start(name, taps)].tolist() == [1, 1]
        assert np.count_nonzero(taps) == 2


@pytest.mark.parametrize("name", ["small", "hall", "cathedral", "spring"])
def test_rooms_die_away(name):
    taps = response(name, Place(1.0, 12.0, (), 0), 1)
    assert taps.shape == (2, RATE)
    energy = (taps.astype(float) ** 2).reshape(2, 10, -1).sum((0, 2))
    slope = np.polyfit(np.arange(2, 9), 10 * np.log10(energy[2:9]), 1)[0]  # decibels in 0.1 s
    assert -12 < slope < -4
    assert not np.array_equal(taps[0], taps[1])


def test_echoes_come_from_the_wall():
    taps = response("echo", Place(1.0, 17.15, (), 0), 1)
    np.testing.assert_array_equal(np.flatnonzero(taps[0])[:3], np.array([1, 2, 3]) * RATE // 10)
    np.testing.assert_allclose(taps[0, [4800, 9600]], 10.0 ** np.array([-0.3, -0.6]), rtol=1e-6)


def test_telephones_pass_what_is_spoken():
    taps = response("telephone", PLACE, 1)[0]
    gain = np.abs(np.fft.rfft(taps, RATE))
    np.testing.assert_allclose(gain[[500, 1000, 3000]], 1, atol=0.01)
    assert gain[[100, 5000, 9000]].max() < 0.01


def test_a_crowd_grows():
    few, many = (response("spikes", Place(1.0, 2.0, (), crowd), 1) for crowd in (10, 3000))
    assert np.count_nonzero(few) == 20
    assert np.count_nonzero(many) > 5000
    assert np.count_nonzero((few != 0) & (many == 0)) <= 2  # two of a place may cancel


@pytest.mark.parametrize("channels", [1, 2])
def test_the_result_is_the_convolution(channels):
    sound = short_sound(channels)
    answer = ask(USUAL | {"response": "echo", "decay": 0.3, "size": 3}, sound=sound)
    result, taps = answer.arrays["result"], answer.arrays["response"]
    for channel in range(2):
        expected = np.convolve(sound[channel % channels].astype(float), taps[channel])
        np.testing.assert_allclose(result[channel], expected, atol=1e-6)
    assert answer.values["samples"] == 301
    assert answer.values["products"] == 301 * taps.shape[1] * 2


def test_each_spike_makes_a_copy():
    answer = ask(USUAL)
    sound, result = answer.arrays["sound"][0], answer.arrays["result"][1]
    expected = np.zeros(len(result))
    for milliseconds, height in USUAL["spikes"]:
        at = milliseconds * RATE // 1000
        expected[at : at + len(sound)] += height * sound
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert answer.values["result peak"] == pytest.approx(np.abs(answer.arrays["result"]).max())


def test_clipping_and_loudness_are_told():
    answer = ask(USUAL | {"spikes": [[0, 1], [0, 1], [0, 1]]})
    result, sound = answer.arrays["result"], answer.arrays["sound"]
    assert answer.values["clipped"] == np.count_nonzero(np.abs(result) > 1) > 0
    assert answer.values["gain"] == pytest.approx(1 / 3, rel=1e-5)
    assert np.abs(answer.values["gain"] * result).max() == pytest.approx(
        np.abs(sound).max(), rel=1e-5
    )


def test_silence_stays_silence():
    answer = ask(USUAL, sound=np.zeros((1, 50), np.float32))
    assert not answer.arrays["result"].any()
    assert answer.values["gain"] == 1


def test_waves_hold_every_peak():
    sound, total = short_sound(2, 5000), 2 * COLUMNS * 5
    shown = wave(sound, total)
    parts = np.zeros((2, total), np.float32)
    parts[:, :5000] = sound
    np.testing.assert_array_equal(shown.high, parts.max(0).reshape(COLUMNS, -1).max(1))
    np.testing.assert_array_equal(shown.low, parts.min(0).reshape(COLUMNS, -1).min(1))


def test_a_tone_has_its_row():
    tone = np.sin(2 * np.pi * 1000 / RATE * np.arange(RATE, dtype=np.float32))[None]
    levels = spectrogram(tone, 2 * RATE)
    assert levels.shape == (ROWS, COLUMNS)
    row = ROWS * np.log(18_000 / 1000) / np.log(300)
    assert abs(levels[:, 100].argmax() + 0.5 - row) <= 1
    assert levels[:, 100].max() > -6
    assert levels[:, 500].max() < -100


@pytest.mark.parametrize(("change", "words"), [
    ({"source": "horn"}, "source: 'horn'"), ({"response": "cave"}, "response: 'cave'"),
    ({"decay": 9}, "decay: 9"), ({"size": "big"}, "size: 'big'"), ({"mix": -0.1}, "mix: -0.1"),
    ({"crowd": 5000}, "crowd: 5000"), ({"spikes": [[2000, 1]]}, "spikes: 2000"),
    ({"spikes": [[1, 1]] * 65}, "spikes: give at most 64"),
])  # fmt: skip
def test_bad_questions(change, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        ask(USUAL | change)


@pytest.mark.parametrize(("sound", "words"), [
    (np.zeros((3, 9), np.float32), "sound: float32 of shape (3, 9)"),
    (np.zeros((1, 9)), "sound: float64 of shape (1, 9)"),
    (np.zeros((1, 0), np.float32), "sound: 0.0 s"),
    (np.broadcast_to(np.float32(0), (2, 30 * RATE + 480)), "sound: 30.0 s"),
    (np.full((1, 9), np.nan, np.float32), "sound: it holds"),
])  # fmt: skip
def test_bad_sounds(sound, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        ask(USUAL, sound=sound)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """The page's result, and the files it saves in the folder where programs run."""
    wavfile = pytest.importorskip("scipy.io.wavfile")
    values = USUAL | {"response": "small", "decay": 0.2, "size": 3, "mix": 0.7}
    answer = ask(values, sound=short_sound())
    monkeypatch.chdir(tmp_path)
    for name in ("sound", "response"):
        wavfile.write(f"{name}.wav", RATE, answer.arrays[name].T)
    return answer.arrays["result"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' own
@pytest.mark.parametrize(("library", "module"), [
    ("multiconv", "scipy"), ("SciPy", "scipy"), ("torch", "torch"), ("Keras", "keras"),
    ("JAX", "jax"),
])  # fmt: skip
def test_programs(library, module, saved):
    pytest.importorskip(module)
    program = all_rooms()["sound"].actions["code"].answer(Message(USUAL)).values[library]
    space = {}
    exec(compile(program, library, "exec"), space)
    np.testing.assert_allclose(space["result"], saved.T, atol=2e-6)


def test_playing_in_the_browser(open_room):
    page = open_room("sound", "?source=voice&response=hall")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    place = page.get_by_role("slider", name="Place in the sound")
    page.get_by_text("Before", exact=True).click()
    heard = [float(place.get_attribute("aria-valuenow"))]
    page.wait_for_timeout(600)
    heard.append(float(place.get_attribute("aria-valuenow")))
    assert heard[1] > heard[0]
    page.get_by_role("button", name="Pause").click()
    place.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert place.get_attribute("aria-valuetext") == "0.1 s"
    values = USUAL | {"source": "voice", "response": "hall", "decay": 1.8, "size": 24}
    told = ask(values).values
    count = page.locator(".count").inner_text()
    assert all(f"{told[name]:,}" in count for name in ("samples", "taps", "products"))


def test_spikes_in_the_browser(open_room, tmp_path):
    wavfile = pytest.importorskip("scipy.io.wavfile")
    page = open_room("sound", "?source=clap&response=spikes&spikes=[[0,1]]")
    spikes = page.locator(".spike")
    spikes.first.wait_for()
    box = page.get_by_role("group", name="Spikes that you draw").bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.7 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    page.mouse.up()
    total = source("clap").shape[1] / RATE + 2
    spike = page.get_by_role("slider", name=re.compile("^Spike at [1-9]"))
    assert float(spike.get_attribute("aria-valuenow")) == pytest.approx(0.75, abs=0.02)
    milliseconds = int(re.search(r"at (\d+) ms", spike.get_attribute("aria-valuetext"))[1])
    assert milliseconds == pytest.approx(300 * total, abs=5)
    spike.press("ArrowRight")
    spike.press("ArrowDown")
    height = round(float(spike.get_attribute("aria-valuenow")), 2)
    open_room.settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save result.wav").click()
    download.value.save_as(tmp_path / "result.wav")
    rate, result = wavfile.read(tmp_path / "result.wav")
    assert rate == RATE
    expected = ask(USUAL | {"spikes": [[0, 1], [milliseconds + 10, height]]}).arrays["result"]
    np.testing.assert_allclose(result.T, expected, atol=1e-6)
    spike.press("Delete")
    assert spikes.count() == 1


def test_recording_in_the_browser(open_room):
    page = open_room("sound", "?response=telephone&mix=1", width=375)
    page.locator(".count").get_by_text("153,600").wait_for()
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Record").wait_for()
    assert page.get_by_label("Sound", exact=True).first.input_value() == "own"
    page.locator(".count").filter(has_not_text="153,600").wait_for()
    assert 10_000 < int(page.locator(".count").inner_text().split()[0].replace(",", "")) < 300_000
