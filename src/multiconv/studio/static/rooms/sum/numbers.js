// Numbers as they are: whole ones whole, others without the noise of binary fractions.

export function exact(value) {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(12))).replaceAll("-", "−");
}

// As a factor or a summand in a formula.
export const guarded = (value) => (value < 0 ? `(${exact(value)})` : exact(value));

export const whole = (values, low, high = Infinity) => (
  values.every((value) => Number.isInteger(value) && value >= low && value <= high));

// The index of a result: its position, or its lag where nothing is flipped.
export const indexOf = (k, { g, correlate }) => (correlate ? k - g.length + 1 : k);
