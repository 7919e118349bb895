// Where things are: every layer is shown as one of three axes, the missing ones of size 1.

export const count = (sizes) => sizes.reduce((a, b) => a * b, 1);
const three = (sizes, fill) => [...Array(3 - sizes.length).fill(fill), ...sizes];

// The layer's axes as three, with what the layer does along each.
export function geometry(state, outSize) {
  const each = (value, fill) => three(state.size.map(() => value), fill);
  return {
    size: three(state.size, 1), taps: three(state.taps, 1), out: three(outSize, 1),
    stride: each(state.stride, 1), padding: each(state.padding, 0), dilation: each(state.dilation, 1),
    channelSize: count(state.size), sliceSize: count(state.taps), outCount: count(outSize),
    seen: state.channels / state.groups,
  };
}

// The place along an axis of the input under a tap, for one output; outside it lies in the padding.
export function under(g, axis, output, tap) {
  return output * g.stride[axis] + tap * g.dilation[axis] - g.padding[axis];
}

// How many places a layer gives along an axis: the formula of every library's documentation.
export function outputLength(n, k, { stride, padding, dilation }) {
  return Math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
}

export const AXES = { 1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"] };
