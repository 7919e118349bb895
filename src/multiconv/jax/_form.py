"""One convolution of arrays whose axes lie in any order, and its two gradients.

Batch, groups and channels are axes of their own, as in the engine's canonical views: the data are
``(n, g, c, *space)``, the kernel is ``(g, o, c, *size)``, the result ``(n, g, o, *space)``. Seen
so, both gradients are the same operator with the three arrays in other roles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from multiconv import _geometry as geometry

Axes = tuple[int, ...]
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """Where the axes are, and the geometry in space.

    ``lhs``, ``rhs`` and ``out`` are the axes of data, kernel and result, in the order of their
    canonical views; the others are `Problem`'s. ``kernel_is_data`` tells that the kernel is no
    small one, but a layer's gradient.
    """

    lhs: Axes
    rhs: Axes
    out: Axes
    stride: Sizes
    padding: tuple[tuple[int, int], ...]
    in_dilation: Sizes
    dilation: Sizes
    flip: bool = False
    kernel_is_data: bool = False

    def out_shape(self, lhs: Sizes, rhs: Sizes) -> Sizes:
        """The result's shape, its axes in their own order."""
        n, g, _, *space = in_order(lhs, self.lhs)
        _, o, _, *size = in_order(rhs, self.rhs)
        windows = map(geometry.window, size, self.dilation)
        extents = map(geometry.dilated, space, self.in_dilation)
        lengths = (
            geometry.output_length(extent, window, stride, low, high)
            for extent, window, stride, (low, high) in zip(
                extents, windows, self.stride, self.padding, strict=True
            )
        )
        return in_order((n, g, o, *lengths), back(self.out))

    def lhs_gradient(self, lhs: Sizes, rhs: Sizes) -> Form:
        """What makes the data's gradient of the result's gradient and the kernel."""
        grad = self.out_shape(lhs, rhs)
        windows = list(map(geometry.window, in_order(rhs, self.rhs)[3:], self.dilation))
        lows = (window - 1 - low for window, (low, _) in zip(windows, self.padding, strict=True))
        extents = map(geometry.dilated, in_order(grad, self.out)[3:], self.stride)
        counts = in_order(lhs, self.lhs)[3:]
        g, o, c, *size = self.rhs
        return replace(
            self, lhs=self.out, rhs=(g, c, o, *size), out=self.lhs, flip=not self.flip,
            stride=self.in_dilation, in_dilation=self.stride,
            padding=tuple(map(_padding, counts, self.in_dilation, windows, extents, lows)),
        )  # fmt: skip

    def rhs_gradient(self, lhs: Sizes, rhs: Sizes) -> Form:
        """What makes the kernel's gradient of the data and the result's gradient; for no `flip`.

        One with `flip` is the gradient, in its data, of one without that has the same kernel.
        """
        grad = self.out_shape(lhs, rhs)
        windows = map(geometry.window, in_order(grad, self.out)[3:], self.stride)
        extents = map(geometry.dilated, in_order(lhs, self.lhs)[3:], self.in_dilation)
        lows = (low for low, _ in self.padding)
        counts = in_order(rhs, self.rhs)[3:]
        n, g, c, *space = self.lhs
        m, h, o, *places = self.out
        k, p, q, *size = self.rhs
        return replace(
            self, lhs=(c, g, n, *space), rhs=(h, o, m, *places), out=(q, k, p, *size),
            stride=self.dilation, dilation=self.stride, kernel_is_data=True,
            padding=tuple(map(_padding, counts, self.dilation, windows, extents, lows)),
        )  # fmt: skip


def in_order(sizes: Sizes, axes: Axes) -> Sizes:
    """The sizes of some axes."""
    return tuple(sizes[a] for a in axes)


def back(axes: Axes) -> Axes:
    """The order that undoes another."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def _padding(count: int, stride: int, window: int, extent: int, low: int) -> tuple[int, int]:
    """Low and high padding, of which the high one leaves exactly ``count`` windows."""
    return low, (count - 1) * stride + window - extent - low
