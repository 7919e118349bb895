// Messages as bytes, as _envelope.py reads and writes them.

const ARRAYS = {
  uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array,
  uint32: Uint32Array, int32: Int32Array, float32: Float32Array, float64: Float64Array,
};
const NAMES = new Map(Object.entries(ARRAYS).map(([name, type]) => [type, name]));
NAMES.set(Uint8ClampedArray, "uint8");
const PREFIX = 8;
const padded = (bytes) => Math.ceil(bytes / 8) * 8;

// An array is {data: a typed array, shape: [..]}.
export function encode({ values = {}, arrays = {} }) {
  const listed = Object.entries(arrays).map(([name, { data, shape }]) => (
    { name, dtype: NAMES.get(data.constructor), shape: shape ?? [data.length] }
  ));
  let header = new TextEncoder().encode(JSON.stringify({ values, arrays: listed }));
  const length = padded(header.length);
  const body = Object.values(arrays).reduce((sum, { data }) => sum + padded(data.byteLength), 0);
  const bytes = new Uint8Array(PREFIX + length + body);
  new DataView(bytes.buffer).setUint32(0, length, true);
  new DataView(bytes.buffer).setUint32(4, body, true);
  bytes.fill(32, PREFIX, PREFIX + length);
  bytes.set(header, PREFIX);
  let at = PREFIX + length;
  for (const { data } of Object.values(arrays)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += padded(data.byteLength);
  }
  return bytes;
}

// How many bytes the first message of a buffer takes, or Infinity where that is not yet known.
export function extent(bytes) {
  if (bytes.length < PREFIX) return Infinity;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return PREFIX + view.getUint32(0, true) + view.getUint32(4, true);
}

export function decode(bytes) {
  const whole = bytes.byteOffset % 8 ? bytes.slice() : bytes;
  const length = new DataView(whole.buffer, whole.byteOffset).getUint32(0, true);
  const text = new TextDecoder().decode(whole.subarray(PREFIX, PREFIX + length));
  const { values, arrays: listed } = JSON.parse(text);
  const arrays = {};
  let at = whole.byteOffset + PREFIX + length;
  for (const { name, dtype, shape } of listed) {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = new ARRAYS[dtype](whole.buffer, at, count);
    arrays[name] = { data, shape };
    at += padded(data.byteLength);
  }
  return { values, arrays };
}
