// Times, sizes and errors as people read them.

function digits(value) {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

const scaled = (units, fallback) => (value) => {
  const [unit, scale] = units.find(([, least]) => value >= least * 0.9995) ?? fallback;
  return `${digits(value / scale)} ${unit}`;
};

export const duration = scaled([["s", 1], ["ms", 1e-3], ["µs", 1e-6]], ["ns", 1e-9]);
const large = scaled([["GB", 1e9], ["MB", 1e6], ["kB", 1e3]], ["B", 1]);
export const bytes = (value) => (value < 1000 ? `${value} B` : large(value));

export function error(value) {
  if (value === 0) return "0";
  const [mantissa, power] = value.toExponential(1).split("e");
  return `${mantissa}·10${[...power.replace("+", "")].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`;
}
