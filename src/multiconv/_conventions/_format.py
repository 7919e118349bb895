"""Where batch, channels and spatial axes are in a layer's arrays."""

from __future__ import annotations

from dataclasses import dataclass

from multiconv._conventions._request import Layout, ShapeDtype
from multiconv._problem import DATA_FORMATS


@dataclass(frozen=True)
class Format:
    """Where batch, channels and spatial axes are in a layer's arrays."""

    batch: int
    channels: int
    size: tuple[int, ...]
    filters: int
    filter_channels: int
    kernel: tuple[int, ...]
    first: bool
    batched: bool

    @property
    def rank(self) -> int:
        return len(self.size)

    @property
    def kernel_words(self) -> str:
        return "(out, in / groups, *size)" if self.first else "(*size, in / groups, out)"

    @property
    def transposed_words(self) -> str:
        return "(in, out / groups, *size)" if self.first else "(*size, out / groups, in)"

    @classmethod
    def of(cls, x: ShapeDtype, w: ShapeDtype, name: str, data_format: str) -> Format:
        if data_format not in DATA_FORMATS:
            raise ValueError(
                f"data_format: {data_format!r} is not allowed, choose 'channels_first' or "
                "'channels_last'"
            )
        rank = w.ndim - 2
        if rank < 1:
            raise ValueError(
                f"{name}: shape {w.shape} has {w.ndim} axes, a layer's kernel has at least 3: "
                "output channels, input channels and one spatial axis"
            )
        if x.ndim not in (rank + 1, rank + 2):
            raise ValueError(
                f"x: shape {x.shape} has {x.ndim} axes, with a kernel of rank {rank} it must have "
                f"{rank + 2} (or {rank + 1} without batch)"
            )
        first, batched = data_format == "channels_first", x.ndim == rank + 2
        shape = x.shape if batched else (1, *x.shape)
        kernel = w.shape[2:] if first else w.shape[:-2]
        if 0 in kernel:
            raise ValueError(f"{name}: shape {w.shape} has no taps, spatial sizes start at 1")
        return cls(
            batch=shape[0],
            channels=shape[1] if first else shape[-1],
            size=shape[2:] if first else shape[1:-1],
            filters=w.shape[0] if first else w.shape[-1],
            filter_channels=w.shape[1] if first else w.shape[-2],
            kernel=kernel,
            first=first,
            batched=batched,
        )

    def data_shape(self, channels: int, size: tuple[int, ...]) -> tuple[int, ...]:
        lead = (self.batch,) if self.batched else ()
        return (*lead, channels, *size) if self.first else (*lead, *size, channels)

    def data_layout(
        self, channels: int, size: tuple[int, ...], groups: int, swap: str = ""
    ) -> Layout:
        """Data as ``(batch, groups, channels, *size)``; ``swap`` moves the batch for gradients.

        ``"batch"`` exchanges batch and channels, ``"kernel"`` gives ``(groups, channels, batch,
        *size)``.
        """
        per = channels // groups
        r = self.rank
        if self.first:
            split = (self.batch, groups, per, *size)
            spatial = tuple(range(3, 3 + r))
            n, g, c = 0, 1, 2
        else:
            split = (self.batch, *size, groups, per)
            spatial = tuple(range(1, 1 + r))
            n, g, c = 0, 1 + r, 2 + r
        lead = {"": (n, g, c), "batch": (c, g, n), "kernel": (g, c, n)}[swap]
        order = (*lead, *spatial)
        shape = tuple(split[a] for a in order)
        plain = order == tuple(range(len(order)))
        return Layout(split, None if plain else order, shape)

    def kernel_layout(self, groups: int, transposed: bool = False, lead_in: bool = False) -> Layout:
        """A kernel as ``(groups, out, in, *size)``.

        ``transposed`` exchanges out and in; ``lead_in`` gives ``(in, groups, out, *size)``.
        """
        r, per = self.rank, self.filters // groups
        if self.first:
            split = (groups, per, self.filter_channels, *self.kernel)
            g, o, c, spatial = 0, 1, 2, tuple(range(3, 3 + r))
        else:
            split = (*self.kernel, self.filter_channels, groups, per)
            g, o, c, spatial = r + 1, r + 2, r, tuple(range(r))
        lead = (c, g, o) if lead_in else (g, c, o) if transposed else (g, o, c)
        order = (*lead, *spatial)
        shape = tuple(split[a] for a in order)
        plain = order == tuple(range(len(order)))
        return Layout(split, None if plain else order, shape)
