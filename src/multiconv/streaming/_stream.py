"""The stream that users hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from multiconv import _arrays
from multiconv._errors import MemoryLimitError
from multiconv._machine import memory_limit
from multiconv._typing import Array

from . import _arguments
from ._convolver import Convolver
from ._kernel import Kernel
from ._outliers import largest
from ._partition import Load, Part, partition
from ._transform import bins, spectral


class Stream:
    """Convolution of an endless signal, block by block, with low and constant latency.

    The samples are those of `convolve` in ``full`` mode, ``latency`` samples late. Blocks may have
    any size and be of different ones; the samples do not depend on it.

    Parameters
    ----------
    h : array_like
        The kernel, taps last: ``(taps,)`` for all channels alike, ``(channels, taps)`` with one
        for each, or ``(out, in, taps)`` with one from every channel in to every channel out.
    block_size : int
        Samples that are transformed together. The size in which the signal arrives is best.
    channels : int, optional
        Channels of the signal. Unless given, 1, or as many as a kernel of several axes takes.
    latency : int, optional
        ``block_size``, or 0: the first ``block_size`` taps are then summed directly.
    max_taps : int, optional
        Taps of the longest kernel that may be exchanged for ``h``; as many as ``h`` has, unless
        given.
    dtype : dtype, optional
        float32, float64, complex64 or complex128, in which all is computed. Unless given,
        ``result_type(h, float32)``.

    Attributes
    ----------
    block_size, latency, max_taps : int
        As given.
    channels_in, channels_out : int
        Channels of blocks and of results.
    dtype : dtype
        Of the results.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed; the message names it and says what is.
    MemoryLimitError
        If the spectra would need more memory than the limit.

    See Also
    --------
    convolve : of a signal that is there as a whole.

    Notes
    -----
    *Method.* Overlap-save with the kernel partitioned: short partitions at its head, longer ones
    behind, whose work is spread evenly over the blocks. After Gardner, "Efficient convolution
    without input-output delay" (1995), and Wefers, "Partitioned convolution algorithms for
    real-time auralization" (2015). The bits of a result depend on ``block_size``, and with
    ``latency=0`` on the blocks' sizes.

    *Errors.* Those of a transform: relative to the largest sample that the kernel or a partition
    of up to a few thousand taps spans, not to each result. NaN, infinity and magnitudes above the
    square root of the largest number stay out of the transforms and reach exactly the results
    whose window holds them. Long runs of infinities cost as much as direct summation.

    *State.* A stream can be pickled and copied (`copy.deepcopy`) at any time; the copy goes on
    where the original was. It must not be used from two threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> from multiconv.streaming import Stream
    >>> stream = Stream([1.0, 0.5, 0.25], block_size=2)
    >>> stream.process(np.array([1.0, 0, 0])).round(6)
    array([0., 0., 1.])
    >>> stream.process(np.array([4.0])).round(6)
    array([0.5])
    >>> stream.flush().round(6)
    array([0.25, 4.  , 2.  , 1.  ])

    Two channels in, one out, without latency:

    >>> left, right = [1.0, 0.5], [0.0, 2.0]
    >>> stream = Stream([[left, right]], block_size=64, latency=0)
    >>> stream.process(np.array([[1.0, 0], [0, 1], [0, 0]]))
    array([[1. ],
           [0.5],
           [2. ]])
    """

    def __init__(
        self, h: Any, block_size: int, channels: int | None = None, *, latency: int | None = None,
        max_taps: int | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        taps = _arguments.kernel(h)
        self.block_size = _arguments.positive(block_size, "block_size")
        self.latency = _latency(latency, self.block_size)
        self.max_taps = _longest(max_taps, taps.shape[-1])
        self.dtype = _arguments.sample_type(taps, dtype)
        self._form = _arguments.form(taps, channels)
        self._flat = self._form.channels_in == 1
        self._parts = self._partition()
        self._convolver = self._begun(self._prepared(taps))
        # What the libraries set up at a first call is set up here.
        self.process(np.zeros((self.block_size, self.channels_in), self.dtype))
        self.reset()

    @property
    def channels_in(self) -> int:
        """Channels of a block."""
        return self._form.channels_in

    @property
    def channels_out(self) -> int:
        """Channels of a result."""
        return self._form.channels_out

    def process(self, block: Any) -> Any:
        """Take the next samples and give as many results.

        Parameters
        ----------
        block : array_like
            ``(samples, channels)``, or ``(samples,)`` of one channel; any number of samples. Its
            dtype must be one that `dtype` holds without loss; integers keep their values.

        Returns
        -------
        array
            ``(samples, channels_out)``, or ``(samples,)`` where the block was and there is one
            channel out; of `dtype` and of the library that ``block`` is from.

        Raises
        ------
        ValueError, TypeError
            If the block is not allowed; the stream is then as it was.
        """
        samples = _arguments.samples(block, self.channels_in, self.dtype)
        self._flat = samples.ndim == 1
        count = len(samples)
        result = np.empty((count, self.channels_out), self.dtype)
        x = samples.T.reshape(self._form.groups, self._form.inputs, count)
        y = result.T.reshape(self._form.groups, self._form.outputs, count)
        with np.errstate(invalid="ignore", over="ignore"):
            self._convolver.advance(x, y)
        if self._flat and self.channels_out == 1:
            result = result[:, 0]
        restore = None if type(block) is np.ndarray else _arrays.restorer(block)
        return restore(result) if restore else result

    def flush(self) -> Array:
        """The results that are still to come when the signal ends; then begin anew.

        Returns
        -------
        ndarray
            ``latency + taps - 1`` results, of the form that `process` gave last.
        """
        length = self.latency + self._convolver.longest - 1
        silence = np.zeros((length, self.channels_in), self.dtype)
        tail: Array = self.process(silence[:, 0] if self._flat else silence)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget the signal; the kernel is the last one given."""
        self._convolver = self._begun(self._convolver.kernel)

    def exchange(self, h: Any, *, fade: int | None = None) -> None:
        """Go on with another kernel, from the next result.

        Each result during the fade is a weighted mean of what the kernels would have given, had
        they been there from the start; the weight of the new one rises linearly. The call
        transforms all of ``h``, which takes as long as many blocks do.

        Parameters
        ----------
        h : array_like
            The kernel, of as many axes and channels as the first, of up to `max_taps` taps.
        fade : int, optional
            How many results are mixed; ``block_size`` unless given. With 0 the change is abrupt.

        Raises
        ------
        ValueError, TypeError
            If an argument is not allowed; the stream is then as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from multiconv.streaming import Stream
        >>> stream = Stream([1.0], block_size=1, latency=0)
        >>> stream.exchange([5.0], fade=3)
        >>> stream.process(np.ones(5))
        array([2., 3., 4., 5., 5.])
        """
        taps = _arguments.kernel(h)
        found = _arguments.form(taps, self.channels_in if taps.ndim == 1 else None)
        if found != self._form:
            raise ValueError(
                f"h: shape {taps.shape} takes {found.channels_in} channels to "
                f"{found.channels_out}, the stream has {self.channels_in} and {self.channels_out}"
            )
        if taps.shape[-1] > self.max_taps:
            raise ValueError(
                f"h: has {taps.shape[-1]} taps, the stream allows {self.max_taps}; give it a "
                "larger max_taps"
            )
        length = self.block_size if fade is None else _arguments.natural(fade, "fade")
        self._convolver.exchange(self._prepared(taps), length)

    def _begun(self, kernel: Kernel) -> Convolver:
        reach = self.max_taps - self._head
        return Convolver(kernel, self._form, self.block_size, self._parts, reach, self.dtype)

    @property
    def _head(self) -> int:
        """How many taps are summed directly."""
        return 0 if self.latency else min(self.block_size, self.max_taps)

    def _partition(self) -> tuple[Part, ...]:
        groups, outputs, inputs = self._form
        load = Load(self.channels_in, self.channels_out, groups * outputs * inputs)
        parts = partition(self.block_size, self.max_taps - self._head, load)
        values = sum(
            bins(p.points, self.dtype)
            * (load.products * p.number + 2 * load.inputs * (p.number + 1))
            for p in parts
        )
        needed = values * spectral(self.dtype).itemsize
        if needed > memory_limit():
            raise MemoryLimitError(
                f"h: its spectra would need {needed} bytes, the memory limit is {memory_limit()} "
                "bytes (set MULTICONV_MEMORY_LIMIT to change it)"
            )
        return parts

    def _prepared(self, taps: Array) -> Kernel:
        taps = _arguments.fitted(taps, self.dtype)
        most = self._largest_gain()
        gain = float(np.abs(taps).sum(axis=-1, dtype=np.float64).max())
        if gain > most:
            raise ValueError(
                f"h: its taps' magnitudes add up to {gain:.3g}, transforms of {self.dtype} allow "
                f"{most:.3g}; scale it down"
            )
        return Kernel(_arguments.grouped(taps, self._form), self._head, self._parts)

    def _largest_gain(self) -> float:
        """What keeps the sums of transforms, which are not yet divided by their length, finite."""
        most = float(np.finfo(self.dtype).max) / largest(self.dtype) / self._form.inputs
        return min((most / (2 * p.points**2) for p in self._parts), default=np.inf)


def _latency(asked: Any, block_size: int) -> int:
    found = block_size if asked is None else _arguments.natural(asked, "latency")
    if found not in (0, block_size):
        raise ValueError(f"latency: {found} is not allowed, give 0 or block_size ({block_size})")
    return found


def _longest(asked: Any, taps: int) -> int:
    found = taps if asked is None else _arguments.positive(asked, "max_taps")
    if found < taps:
        raise ValueError(f"max_taps: {found} is not allowed, h has {taps} taps")
    return found
