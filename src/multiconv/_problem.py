"""The one description of every convolution: frozen, hashable, free of arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, TypeVar

import numpy as np

FLOAT64 = np.dtype(np.float64)
Precision = Literal["highest", "default", "fast"]
T = TypeVar("T")

BOUNDARIES = ("constant", "edge", "reflect", "symmetric", "wrap")
ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "silu", "gelu", "gelu_tanh", "hard_swish", "sigmoid", "tanh",
)  # fmt: skip
SLOPE = 0.01
"""What leaky_relu multiplies negative values by, unless told otherwise."""

PRECISIONS = ("highest", "default", "fast")
DATA_FORMATS = ("channels_first", "channels_last")


@dataclass(frozen=True, eq=True)
class Problem:
    """One convolution, whatever the words it was asked for in.

    ``out[n, o, i] = sum over c, k of w[o, c, k] * x[n, c, i * stride + k * dilation - low]``,
    where ``x`` is read with ``in_dilation - 1`` zeros between its samples and continued by
    ``boundary`` outside; ``flip`` reads the taps of ``w`` backwards. The epilogue then makes
    ``activation(scale[o] * out + bias[o] + residual[n, o, i])`` of it, as far as the fields ask
    for; ``slope`` is that of ``leaky_relu``.

    Channel counts are totals over all groups; all tuples have one entry per spatial axis.
    ``str(problem)`` is the canonical string, `Problem.parse` its inverse.
    """

    in_size: tuple[int, ...]
    kernel: tuple[int, ...]
    batch: int = 1
    groups: int = 1
    in_channels: int = 1
    out_channels: int = 1
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    in_dilation: tuple[int, ...] = ()
    padding: tuple[tuple[int, int], ...] = ()
    boundary: tuple[str, ...] = ()
    cval: complex = 0
    flip: bool = False
    data_format: str = "channels_first"
    x_dtype: np.dtype = FLOAT64
    w_dtype: np.dtype = FLOAT64
    acc_dtype: np.dtype = FLOAT64
    out_dtype: np.dtype = FLOAT64
    bias: bool = False
    activation: str | None = None
    precision: Precision = "default"
    scale: bool = False
    residual: bool = False
    slope: float = SLOPE
    low_memory: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ones, none = (1,) * self.rank, ((0, 0),) * self.rank
        for name, default in (
            ("stride", ones),
            ("dilation", ones),
            ("in_dilation", ones),
            ("padding", none),
            ("boundary", ("constant",) * self.rank),
        ):
            if not getattr(self, name):
                object.__setattr__(self, name, default)
        if not takes_slope(self.activation):
            object.__setattr__(self, "slope", SLOPE)
        object.__setattr__(self, "_hash", hash(_values(self)))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        # Hashes of words differ between processes, so the one that is kept must not travel.
        return Problem.parse, (str(self),)

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.in_size)

    @property
    def group_in(self) -> int:
        """Input channels of one group."""
        return self.in_channels // self.groups

    @property
    def group_out(self) -> int:
        """Output channels of one group."""
        return self.out_channels // self.groups

    def __str__(self) -> str:
        parts = [f"mb{self.batch}"]
        if self.groups != 1:
            parts.append(f"g{self.groups}")
        parts += [f"ic{self.in_channels}", f"oc{self.out_channels}"]
        parts += ["in" + _sizes(self.in_size), "k" + _sizes(self.kernel)]
        for token, values in (("s", self.stride), ("d", self.dilation), ("id", self.in_dilation)):
            if any(v != 1 for v in values):
                parts.append(token + _uniform(values, "x"))
        if any(pair != (0, 0) for pair in self.padding):
            parts.append("p" + _uniform([f"{lo}:{hi}" for lo, hi in self.padding], ","))
        if any(b != "constant" for b in self.boundary):
            parts.append("b=" + _uniform(self.boundary, ","))
        if self.cval != 0:
            parts.append(f"cval={self.cval}")
        if self.flip:
            parts.append("flip")
        if self.data_format != "channels_first":
            parts.append(self.data_format)
        parts += self._dtype_words()
        parts += self._epilogue_words()
        if self.precision != "default":
            parts.append(f"precision={self.precision}")
        if self.low_memory:
            parts.append("low_memory")
        return " ".join(parts)

    def _epilogue_words(self) -> list[str]:
        given = {"scale": self.scale, "bias": self.bias, "res": self.residual}
        words = [word for word, there in given.items() if there]
        if self.activation:
            slope = f":{self.slope}" if self.slope != SLOPE else ""
            words.append(f"act={self.activation}{slope}")
        return words

    def _dtype_words(self) -> list[str]:
        dtypes = (self.x_dtype, self.w_dtype, self.acc_dtype, self.out_dtype)
        one = self.x_dtype
        if dtypes == (one, one, accumulator(one), one):
            return [one.name]
        return ["dt=" + ",".join(d.name for d in dtypes)]

    @classmethod
    def parse(cls, text: str) -> Problem:
        """Read the canonical string.

        Raises
        ------
        ValueError
            If a word is unknown, malformed or missing, or a number is too small.

        Examples
        --------
        >>> problem = Problem.parse("mb1 ic64 oc64 in56x56 k3x3 p1:1 float32")
        >>> problem.kernel, str(problem)
        ((3, 3), 'mb1 ic64 oc64 in56x56 k3x3 p1:1 float32')
        """
        found: dict[str, str] = {}
        for word in text.split():
            match = _WORD.fullmatch(word)
            if match is None:
                raise ValueError(
                    f"problem: {word!r} is no word of a problem such as "
                    "'mb1 ic64 oc64 in56x56 k3x3 s1 p1:1 float32'"
                )
            found.update({k: v for k, v in match.groupdict().items() if v is not None})
        if "in" not in found or "k" not in found:
            raise ValueError(
                f"problem: {text!r} needs the sizes of input and kernel, such as 'in56x56 k3x3'"
            )
        in_size, kernel = _ints(found["in"]), _ints(found["k"])
        if len(in_size) != len(kernel):
            raise ValueError(f"problem: in{found['in']} and k{found['k']} differ in rank")
        rank = len(in_size)
        if "dt" in found:
            dtypes = [dtype_from_name(name) for name in found["dt"].split(",")]
        else:
            dtypes = [dtype_from_name(found.get("dtype", "float64"))] * 4
            dtypes[2] = accumulator(dtypes[0])
        padding = _spread(found.get("p", "0:0").split(","), rank, "p")
        problem = cls(
            in_size=in_size, kernel=kernel,
            batch=int(found.get("mb", 1)), groups=int(found.get("g", 1)),
            in_channels=int(found.get("ic", 1)), out_channels=int(found.get("oc", 1)),
            stride=_spread(_ints(found.get("s", "1")), rank, "s"),
            dilation=_spread(_ints(found.get("d", "1")), rank, "d"),
            in_dilation=_spread(_ints(found.get("id", "1")), rank, "id"),
            padding=tuple((int(lo), int(hi)) for lo, hi in (p.split(":") for p in padding)),
            boundary=_spread(found.get("b", "constant").split(","), rank, "b"),
            cval=_number(found.get("cval", "0")), flip="flip" in found,
            data_format=found.get("format", "channels_first"),
            x_dtype=dtypes[0], w_dtype=dtypes[1], acc_dtype=dtypes[2], out_dtype=dtypes[3],
            bias="bias" in found, activation=found.get("act"),
            precision=found.get("precision", "default"),  # type: ignore[arg-type]
            scale="scale" in found, residual="res" in found,
            slope=_slope(found), low_memory="low_memory" in found,
        )  # fmt: skip
        _check_numbers(problem)
        return problem


_values = attrgetter(*(f.name for f in fields(Problem) if f.compare))


def takes_slope(activation: str | None) -> bool:
    """Whether `Problem.slope` means anything to an activation."""
    return activation == "leaky_relu"


def dtype_from_name(name: str) -> np.dtype:
    """The NumPy dtype of a name, bfloat16 included where ml_dtypes is installed."""
    if name == "bfloat16":
        import ml_dtypes

        bfloat16: np.dtype = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise ValueError(f"dtype: {name!r} is no NumPy dtype") from None
    if dtype.kind not in "biufc":
        raise ValueError(f"dtype: {name!r} is no dtype of numbers")
    return dtype


def accumulator(dtype: np.dtype) -> np.dtype:
    """The type sums are kept in: float32 for the half floats, counts for bool, else ``dtype``."""
    if dtype.name in ("float16", "bfloat16"):
        return np.dtype(np.float32)
    if dtype == np.bool_:
        return np.dtype(np.int32)
    return dtype


def rounding(dtype: np.dtype) -> float:
    """Relative spacing of a dtype's numbers; 0 for exact ones."""
    return float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0


_WORD = re.compile(
    r"mb(?P<mb>\d+)|g(?P<g>\d+)|ic(?P<ic>\d+)|oc(?P<oc>\d+)|in(?P<in>\d+(x\d+)*)|k(?P<k>\d+(x\d+)*)"
    r"|s(?P<s>\d+(x\d+)*)|d(?P<d>\d+(x\d+)*)|id(?P<id>\d+(x\d+)*)|p(?P<p>-?\d+:-?\d+(,-?\d+:-?\d+)*)"
    rf"|b=(?P<b>({'|'.join(BOUNDARIES)})(,({'|'.join(BOUNDARIES)}))*)|cval=(?P<cval>\S+)"
    rf"|(?P<flip>flip)|(?P<scale>scale)|(?P<bias>bias)|(?P<res>res)|(?P<low_memory>low_memory)"
    rf"|act=(?P<act>{'|'.join(ACTIVATIONS)})(:(?P<slope>\S+))?"
    rf"|precision=(?P<precision>{'|'.join(PRECISIONS)})|(?P<format>{'|'.join(DATA_FORMATS)})"
    r"|dt=(?P<dt>\w+,\w+,\w+,\w+)|(?P<dtype>bool|u?int\d+|b?float\d+|longdouble|c?longdouble|complex\d+)"
)


def _sizes(values: tuple[int, ...]) -> str:
    return "x".join(map(str, values))


def _uniform(values: tuple[object, ...] | list[str], separator: str) -> str:
    return str(values[0]) if len(set(values)) == 1 else separator.join(map(str, values))


def _ints(text: str) -> tuple[int, ...]:
    return tuple(int(v) for v in text.split("x"))


def _spread(values: Sequence[T], rank: int, word: str) -> tuple[T, ...]:
    if len(values) not in (1, rank):
        raise ValueError(f"problem: {word} names {len(values)} values, allowed are 1 or {rank}")
    return tuple(values) * (rank if len(values) == 1 else 1)


def _number(text: str) -> complex:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = complex(text)
    except ValueError:
        raise ValueError(f"problem: cval={text} is no number") from None
    return value if value.imag else value.real


def _slope(found: dict[str, str]) -> float:
    text = found.get("slope", str(SLOPE))
    try:
        slope = float(text) if takes_slope(found.get("act")) or "slope" not in found else math.nan
    except ValueError:
        slope = math.nan
    if not math.isfinite(slope):
        raise ValueError(f"problem: act={found.get('act')}:{text} has no slope that is a number")
    return slope


def _check_numbers(problem: Problem) -> None:
    groups, channels = problem.groups, (problem.in_channels, problem.out_channels)
    for name in ("kernel", "stride", "dilation", "in_dilation"):
        if min(getattr(problem, name)) < 1:
            raise ValueError(f"problem: {name} is {getattr(problem, name)}, numbers start at 1")
    if groups < 1 or any(n % groups for n in channels):
        raise ValueError(
            f"problem: {groups} groups do not divide both {channels[0]} input and {channels[1]} "
            "output channels"
        )
