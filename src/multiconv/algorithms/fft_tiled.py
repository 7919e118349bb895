"""Tile transforms of all channels: layers with large kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from multiconv._geometry import out_size, outputs, reached, window
from multiconv._machine import Machine, machine
from multiconv._problem import Problem, rounding
from multiconv._traits import KernelTraits
from multiconv.algorithms._base import Cost, Planning, Refusal, weight_bytes
from multiconv.algorithms._native import CALL, ROUNDS_MORE, NativeAlgorithm, shared
from multiconv.algorithms._radices import smooth_below, smooth_from, stages


class FftTiled(NativeAlgorithm):
    """Tiles of all channels are transformed, multiplied by the kernels' spectra, transformed back.

    At each frequency the products are a complex matrix times the tiles' channels. Spectra of the
    kernels are kept where a prepared kernel may be as large; else each run computes them, block by
    block. Tiles whose values a transform would blur (NaN, infinity, a huge range) are summed
    directly. After Mathieu, Henaff & LeCun, "Fast training
    of convolutional networks through FFTs" (2014), and Zlateski, Jia, Li & Durand, "The anatomy of
    efficient FFT and Winograd convolutions on modern CPUs", ICS'19.
    """

    name = "fft_tiled"
    summary = "layers with large kernels, real floats, rank 1 to 3, by transforms of tiles"
    value_sensitive = True

    def accepts(self, problem: Problem, traits: KernelTraits) -> Refusal | None:
        """Real floats with kernels that a transform keeps, several channels at a time."""
        if problem.acc_dtype.kind != "f":
            return Refusal("it is for real floats")
        if problem.rank > 3:
            return Refusal("it takes up to three axes")
        if max(problem.in_dilation) > 1:
            return Refusal("it would transform the zeros between samples")
        if problem.in_channels * problem.out_channels == 1:
            return Refusal("one channel would leave lanes empty")
        if problem.precision == "highest":
            return Refusal("precision='highest' asks for direct summation")
        if not traits.finite:
            return Refusal("the kernel has NaN or infinite taps, which a transform would spread")
        if traits.wide_range:
            return Refusal("the kernel's range is so wide that a transform would lose small taps")
        return super().accepts(problem, traits)

    def tile(self, problem: Problem) -> tuple[int, ...]:
        """The tile sizes with the least predicted time; the first negative to keep no spectra."""
        best = _best(problem)
        return best.tile if best.kept else (-best.tile[0], *best.tile[1:])

    def cost(self, problem: Problem, traits: KernelTraits, planning: Planning) -> Cost:
        """Transforms and products, at the best tile size."""
        best = _best(problem)
        eps = rounding(problem.acc_dtype)
        error = eps * (3 * math.log2(math.prod(best.tile) + 1) + problem.group_in)
        return Cost(
            CALL + ROUNDS_MORE + best.seconds, self.scratch(problem, planning.machine), error
        )

    def packing(self, problem: Problem, traits: KernelTraits, planning: Planning) -> float:
        """The kernels' transforms where they are kept, and a copy of the weights."""
        return _best(problem).preparation


STAGE = {2: 7.8, 3: 12, 4: 14, 5: 11, 8: 15}
"""Operations at the peak rate that a stage of each radix takes for one complex point."""

ROWS, ROW = 5, 0.13e-6
"""How much longer transforms along rows take, one at a time, and seconds for each row, one way."""

VOLUME = 2
"""How much longer volumes take."""

PRODUCT, LOADS, FEW = 1.8, 3, 1.5
"""How much longer products take than at the peak rate, if beginning and ending one counts as so
many channels, and loading a kernel's spectrum as so many tiles."""

SPECTRA, KERNELS, ARRAYS = 0.76, 0.15, 6
"""Trips through memory of what caches do not hold: spectra of tiles, of kernels, and arrays."""

START = 2.1e-6
"""Seconds that a run takes beyond its work: four shared pieces, one after another."""

AGAIN = 19.0
"""How much longer kernels' transforms in a run take than at the peak rate."""

READY = 1.4
"""The same for preparations."""

PREPARED = 0.5
"""The share of a preparation that tiles are chosen by: plans are used again, most calls are not."""

PREPARED_SHARE, PREPARED_MORE, PREPARED_MORE_ALONE = 4.5, 2**20, 2**26
"""Times the weights, and bytes more, that a prepared kernel may take; the last where no channels
are summed."""

CHUNK_BYTES = 2**25
"""Bytes of spectra of tiles that are there at a time; as the kernel's."""

PANEL = 2
"""Vectors of output channels that spectra are computed for at a time, where they are not kept."""

ROUNDS = 4
"""In which the best size is looked for along one axis after another, at most."""

LARGEST_POINTS = 2**18
"""Of a tile: more would leave no room for channels in a chunk."""


@dataclass(frozen=True)
class _Tiles:
    tile: tuple[int, ...]
    kept: bool
    seconds: float
    preparation: float


@dataclass(frozen=True)
class _Axis:
    """One axis of a problem: outputs, the inputs under a window, how far windows are apart."""

    outputs: int
    window: int
    stride: int

    def step(self, size: int) -> int:
        """Outputs of a tile."""
        return (size - self.window) // self.stride + 1

    def sizes(self, even: bool, finest: float) -> tuple[int, ...]:
        """Tile sizes worth a look."""
        whole = self.window + (self.outputs - 1) * self.stride
        most = min(_smooth_from(whole, even), max(8 * _smooth_from(self.window, even), 64))
        sizes = [_smooth_from(min(whole, most), even)]
        for size in reversed(smooth_below(sizes[0])):
            if self.window <= size < sizes[-1] / finest and not (even and size % 2):
                sizes.append(size)
        return tuple(sizes)


@lru_cache(maxsize=4096)
def _best(problem: Problem) -> _Tiles:
    """Tile sizes by predicted time."""
    profile = machine()
    axes = [
        _Axis(o, window(k, d), s)
        for o, k, d, s in zip(
            out_size(problem), problem.kernel, problem.dilation, problem.stride, strict=True
        )
    ]
    finest = {1: 1.1, 2: 1.1, 3: 1.15}[problem.rank]
    choices = [axis.sizes(a == problem.rank - 1, finest) for a, axis in enumerate(axes)]
    best = _Tiles(tuple(sizes[-1] for sizes in choices), False, math.inf, 0.0)
    for _ in range(ROUNDS):
        before = best
        for a in reversed(range(problem.rank)):  # rows first: they are transformed one by one
            along = _along(problem, best.tile, a, choices[a], axes, profile)
            best = min([best, *along], key=_time)
        if best == before:
            break
    return best


def _along(
    problem: Problem, tile: tuple[int, ...], axis: int, sizes: Sequence[int], axes: list[_Axis],
    profile: Machine,
) -> Iterator[_Tiles]:  # fmt: skip
    """The tile with each size along one axis, the spectra kept or not."""
    for size in sizes:
        changed = (*tile[:axis], size, *tile[axis + 1 :])
        if math.prod(changed) <= LARGEST_POINTS or size == sizes[-1]:
            for kept in _ways(problem, changed):
                work = _Work(problem, changed, kept, axes, profile)
                yield _Tiles(changed, kept, work.seconds(), work.preparation())


def _time(tiles: _Tiles) -> float:
    return tiles.seconds + PREPARED * tiles.preparation


def _ways(problem: Problem, tile: tuple[int, ...]) -> tuple[bool, ...]:
    """Whether spectra may be kept, and may be computed in each run."""
    if _alone(problem):
        return (True,)
    return (False, True) if _prepared(problem, tile) <= _most_prepared(problem) else (False,)


def _alone(problem: Problem) -> bool:
    """Whether groups of one channel each are done side by side."""
    return problem.group_in == problem.group_out == 1 and problem.groups > 1


def _most_prepared(problem: Problem) -> float:
    more = (
        PREPARED_MORE_ALONE if problem.group_in == 1 and not problem.low_memory else PREPARED_MORE
    )
    return (1 if problem.low_memory else PREPARED_SHARE) * weight_bytes(problem) + more


def _prepared(problem: Problem, tile: tuple[int, ...]) -> int:
    """Of the weights, and of spectra with this tile size; tables aside."""
    profile, value = machine(), problem.acc_dtype.itemsize
    lanes = profile.vector(value)
    if _alone(problem):
        spectra = -(-problem.groups // lanes) * lanes
    else:
        spectra = problem.groups * problem.group_in * -(-problem.group_out // lanes) * lanes
    return weight_bytes(problem) + value * (spectra * math.prod(tile) + 8 * sum(tile))


class _Work:
    """What a run with one tile size consists of. Times are one thread's, in seconds."""

    def __init__(
        self, problem: Problem, tile: tuple[int, ...], kept: bool, axes: list[_Axis],
        profile: Machine,
    ) -> None:  # fmt: skip
        self._problem, self._tile, self._axes, self._profile = problem, tile, axes, profile
        self._value = value = problem.acc_dtype.itemsize
        self._lanes = lanes = profile.vector(value)
        self._depthwise = _alone(problem)
        self._groups = 1 if self._depthwise else problem.groups
        self._ins = -(-(problem.groups if self._depthwise else problem.group_in) // lanes)
        self._outs = self._ins if self._depthwise else -(-problem.group_out // lanes)
        self._kernels = self._outs if self._depthwise else problem.group_in * self._outs
        counts = (-(-axis.outputs // axis.step(n)) for axis, n in zip(axes, tile, strict=True))
        self._tiles = problem.batch * math.prod(counts)
        self._cells = math.prod(tile) // 2
        self._spectrum = self._cells * 2 * lanes * value  # bytes, of as many channels as lanes
        self._spectra = float(self._groups * self._kernels * self._spectrum)
        self._kept = kept
        outs = self._outs if self._kept else min(self._outs, PANEL)
        at_once = max(CHUNK_BYTES // (self._spectrum * (self._ins + outs)), 1)
        self._chunks = 1 if self._depthwise else -(-self._tiles // at_once)

    def seconds(self) -> float:
        """A run."""
        return START + shared(self.transforms() + self.products() + self.memory(), self._profile)

    def transforms(self) -> float:
        """Of all tiles' channels, there and back, for the rows that hold outputs only."""
        flops = self._profile.flops(self._value)
        forward, back, rows = self._one_way(self._cells)
        ins, outs = self._groups * self._tiles * self._ins, self._groups * self._tiles * self._outs
        whole = math.prod(self._tile[:-1])
        seconds = self._lanes * (forward * ins + back * outs) / flops
        seconds += ROW * (whole * ins + rows * outs)
        return seconds * (VOLUME if len(self._tile) > 2 else 1)

    def _one_way(self, cells: int) -> tuple[float, float, int]:
        """Operations of a transform, of one back, and rows that this one ends with."""
        forward = back = 0.0
        rows = 1
        kept = cells
        last = len(self._tile) - 1
        for a, (axis, size) in enumerate(zip(self._axes, self._tile, strict=True)):
            weight = ROWS * _weight(size // 2) if a == last else _weight(size)
            forward += weight * cells
            back += weight * kept
            if a < last:
                step = min(axis.step(size), axis.outputs)
                kept = kept // size * step
                rows *= step
        return forward, back, rows

    def products(self) -> float:
        """Of all tiles' spectra with all kernels'."""
        of_tile = 8.0 * self._lanes * self._cells / self._profile.flops(self._value)
        if self._depthwise:
            return PRODUCT * of_tile * self._tiles * self._outs
        of_tile *= (self._problem.group_in + LOADS) * self._outs * self._groups
        blocks = self._chunks * -(-self._tiles // (8 * self._chunks))
        return PRODUCT * of_tile * (self._tiles + FEW * blocks)

    def memory(self) -> float:
        """Trips of what caches do not hold, and spectra that are not kept."""
        problem, profile = self._problem, self._profile
        near = 4 * profile.cache
        sets = 0 if self._depthwise else self._groups * self._tiles * (self._ins + self._outs)
        repeats = self._chunks
        if self._depthwise and self._spectra > profile.cache:
            repeats = self._tiles
        arrays = problem.batch * problem.in_channels * reached(problem) + outputs(problem)
        seconds = SPECTRA * max(2 * self._spectrum * sets - near, 0) / profile.bandwidth1
        seconds += KERNELS * max(self._spectra * repeats - near, 0) / profile.bandwidth1
        seconds += ARRAYS * max(arrays * self._value - near, 0) / profile.bandwidth1
        return seconds if self._kept else seconds + AGAIN * self._chunks * self._of_kernels()

    def _of_kernels(self) -> float:
        forward, _, _ = self._one_way(self._cells)
        flops = self._profile.flops(self._value)
        return self._lanes * forward * self._kernels * self._groups / flops / ROWS

    def preparation(self) -> float:
        """The kernels' transforms where they are kept, and a copy of the weights."""
        written = 2.0 * weight_bytes(self._problem) + (self._spectra if self._kept else 0.0)
        seconds = written / self._profile.bandwidth1
        return READY * (seconds + self._of_kernels() if self._kept else seconds)


@lru_cache(maxsize=4096)
def _weight(n: int) -> float:
    """Operations at the peak rate that a transform of n points takes for each, one way."""
    return stages(n, STAGE)


def _smooth_from(n: int, even: bool) -> int:
    return 2 * smooth_from(-(-n // 2)) if even else smooth_from(n)
