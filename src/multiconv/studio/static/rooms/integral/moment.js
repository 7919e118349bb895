// What is seen at one shift t: the overlap, the products there, their area or their sum.

// picture: f, g as {low, high, data}, `fine` samples a unit; sums where a sum stands for the integral.
export function moment(picture, asked) {
  return picture.sums ? ofSum(picture, asked) : ofIntegral(picture, asked);
}

function ofIntegral({ f, g, fine, t: grid, result, error }, asked) {
  const k = Math.min(grid.length - 1, Math.max(0, Math.round((asked - grid[0]) * fine)));
  const t = grid[k];
  const low = Math.max(f.low, t - g.high);
  const high = Math.min(f.high, t - g.low);
  const xs = [];
  const products = [];
  const count = Math.round((high - low) * fine);
  for (let i = 0; i <= count; i += 1) {
    const x = low + i / fine;
    xs.push(x);
    products.push(f.data[Math.round((x - f.low) * fine)] * g.data[Math.round((t - x - g.low) * fine)]);
  }
  return { t, k, xs, products, value: result[k], exact: result[k], error, digits: 2 };
}

// Bars where the sum takes its samples: f(τₘ) g(t − τₘ) over a cell as wide as the step.
function ofSum({ f, sums }, asked) {
  const { t: grid, result, exact, step } = sums;
  const k = Math.min(grid.length - 1, Math.max(0, Math.round((asked - grid[0]) / step)));
  const bars = [];
  for (let m = Math.max(0, k - sums.g.length + 1); m <= Math.min(sums.f.length - 1, k); m += 1) {
    bars.push({ low: f.low + m * step, high: f.low + (m + 1) * step, value: sums.f[m] * sums.g[k - m] });
  }
  return { t: grid[k], k, bars, step, value: result[k], exact: exact[k], error: Math.abs(result[k] - exact[k]), digits: 3 };
}
