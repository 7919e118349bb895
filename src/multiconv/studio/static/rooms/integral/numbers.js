// Numbers of a fixed length, so that what stands beside them keeps its place.

export function fixed(value, digits) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

// Two digits of a small number.
export function small(value) {
  const text = value !== 0 && value < 1e-2 ? value.toExponential(1) : String(Number(value.toPrecision(2)));
  return text.replace("-", "−");
}
