// Two separable slopes of an image at once, and what they make together: their length and, where
// there are two outputs, their direction.
//
//   out[0] = |(x * w[0], x * w[1])|,  out[1] = the angle of that vector
//
// The two input channels are the same image, seen by one kernel each. The pass down the columns
// reads the image once for both slopes and makes two rows, which stay in the first-level cache; the
// pass along them ends in registers.
#include <type_traits>

#include "base/kernel.hpp"
#include "kernels/polar.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRowBytes = 4 << 10;                    // of a task's row
inline constexpr i64 kBandRows = 32;                         // of a task
inline constexpr int kAbreast = MC_REGISTERS >= 32 ? 4 : 2;  // vectors in flight

template <class T>
struct Gradient {
  static constexpr i64 kItem = sizeof(T);

  // Tasks are bands of some columns.
  struct Tiling {
    i64 down, across;  // from the first tap to one past the last
    i64 columns, strips, bands;
    i64 line;  // of a row and its halo, with room for vectors that run over

    explicit Tiling(const Desc& d)
        : down((d.kernel[0] - 1) * d.dilation[0] + 1),
          across((d.kernel[1] - 1) * d.dilation[1] + 1) {
      const i64 most = max_of(kRowBytes / kItem, 2 * across);
      columns = ceil_div(d.out_size[1], ceil_div(d.out_size[1], most));
      strips = ceil_div(d.out_size[1], columns);
      bands = ceil_div(d.out_size[0], kBandRows);
      line = (ceil_div(columns + across - 1, kLanes<T>) + kAbreast) * kLanes<T> + 64 / kItem;
    }

    i64 numbers() const { return 4 * line; }  // two rows of sums and two of results
    std::size_t table_bytes(const Desc& d) const {
      return static_cast<std::size_t>(d.kernel[0]) * (sizeof(void*) + sizeof(i64));
    }
  };

  // Of each slope, the taps down and those along the row.
  static i64 taps(const Desc& d) { return 2 * (d.kernel[0] + d.kernel[1]); }
  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(taps(d)) * sizeof(T);
  }

  // The lines of taps through the largest one.
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    T* to = static_cast<T*>(packed);
    for (i64 c = 0; c < 2; ++c) {
      auto tap = [&](i64 i, i64 j) {
        const i64 t = i * d.kernel[1] + j;
        return static_cast<const T*>(w.data)[w_element(d, w.strides, 0, 0, c, t)];
      };
      auto size = [&](i64 i, i64 j) { return tap(i, j) < T(0) ? -tap(i, j) : tap(i, j); };
      i64 row = 0, column = 0;
      for (i64 i = 0; i < d.kernel[0]; ++i)
        for (i64 j = 0; j < d.kernel[1]; ++j)
          if (size(i, j) > size(row, column)) row = i, column = j;
      const T height = size(row, column) > T(0) ? tap(row, column) : T(1);
      for (i64 i = 0; i < d.kernel[0]; ++i) *to++ = tap(i, column);
      for (i64 j = 0; j < d.kernel[1]; ++j) *to++ = tap(row, j) / height;
    }
  }

  template <class S>
  struct Task {
    const RunArgs& args;
    const Desc& d;
    const Tiling& t;
    const S* x;
    i64 out, top, left, rows, columns;
    const S** source;  // rows of the image under the window, and the taps they meet
    i64* met;
    i64 count = 0;
    T *sums[2], *results[2];
    const T *down[2], *across[2];

    Task(const RunArgs& a, const Tiling& tiling, i64 task, const S* image)
        : args(a), d(a.desc), t(tiling), x(image) {
      left = task % t.strips * t.columns;
      task /= t.strips;
      top = task % t.bands * kBandRows;
      task /= t.bands;
      const i64 g = task % d.groups, n = task / d.groups;
      x += n * args.x.strides[0] + g * args.x.strides[1];
      out = n * args.out.strides[0] + g * args.out.strides[1] + left * args.out.strides[4];
      rows = min_of(kBandRows, d.out_size[0] - top);
      columns = min_of(t.columns, d.out_size[1] - left);
      source = static_cast<const S**>(thread_scratch(Slot::table, t.table_bytes(d)));
      met = reinterpret_cast<i64*>(source + d.kernel[0]);
      T* memory = static_cast<T*>(
          thread_scratch(Slot::tile, static_cast<std::size_t>(t.numbers()) * sizeof(T)));
      const T* taps = static_cast<const T*>(args.packed);
      for (int c = 0; c < 2; ++c) {
        sums[c] = memory + c * t.line;
        results[c] = memory + (2 + c) * t.line;
        fill(sums[c] + columns + t.across - 1, t.line - columns - t.across + 1, T(0));
        down[c] = taps + c * (d.kernel[0] + d.kernel[1]);
        across[c] = down[c] + d.kernel[0];
      }
    }

    void run() {
      for (i64 r = top; r < top + rows; ++r) {
        find_rows(r);
        sum_columns();
        sum_rows(out + r * args.out.strides[3]);
      }
    }

    // Rows beyond the boundary that hold zeros add nothing.
    void find_rows(i64 r) {
      count = 0;
      for (i64 k = 0; k < d.kernel[0]; ++k) {
        const i64 at = r + k * d.dilation[0] - d.pad_low[0];
        const i64 s = resolve_index(at, d.in_size[0], d.boundary[0]);
        if (s == kOutside) continue;
        source[count] = x + s * args.x.strides[3];
        met[count++] = k;
      }
    }

    // Both rows of sums, with what lies beyond the boundary.
    void sum_columns() {
      const i64 start = left - d.pad_low[1], n = columns + t.across - 1;
      const i64 begin = min_of(max_of(-start, 0), n);
      const i64 end = max_of(min_of(n, d.in_size[1] - start), begin);
      constexpr i64 wide = kAbreast * kLanes<T>;
      i64 q = begin;
      for (; q + wide <= end; q += wide) column_block<kAbreast>(start, q);
      for (; q + kLanes<T> <= end; q += kLanes<T>) column_block<1>(start, q);
      if (q < end && end - begin >= kLanes<T>)
        column_block<1>(start, end - kLanes<T>);
      else
        for (; q < end; ++q) column_sum(start + q, q);
      for (q = 0; q < n; ++q) {
        if (q == begin) q = end;
        if (q < n) column_sum(resolve_index(start + q, d.in_size[1], d.boundary[1]), q);
      }
    }

    void column_sum(i64 at, i64 q) {
      for (int c = 0; c < 2; ++c) {
        T sum = T(0);
        for (i64 i = 0; at != kOutside && i < count; ++i)
          sum += static_cast<T>(source[i][at]) * down[c][met[i]];
        sums[c][q] = sum;
      }
    }

    template <int V>
    void column_block(i64 start, i64 q) {
      Vec<T> sum[2][V] = {};
      for (i64 i = 0; i < count; ++i) {
        const S* from = source[i] + start + q;
        const T first = down[0][met[i]], second = down[1][met[i]];
        for (int v = 0; v < V; ++v) {
          const Vec<T> value = load_as<T>(from + v * kLanes<T>);
          sum[0][v] += value * first;
          sum[1][v] += value * second;
        }
      }
      for (int c = 0; c < 2; ++c)
        for (int v = 0; v < V; ++v) store(sums[c] + q + v * kLanes<T>, sum[c][v]);
    }

    // Vectors run over the end of a row of results, which has room for it.
    void sum_rows(i64 at) {
      const bool in_place = args.out.strides[4] == 1 && d.out_type == d.compute;
      const int parts = static_cast<int>(d.out_channels);
      T* to[2];
      for (int p = 0; p < parts; ++p)
        to[p] =
            in_place ? static_cast<T*>(args.out.data) + at + p * args.out.strides[2] : results[p];
      constexpr i64 wide = kAbreast * kLanes<T>;
      i64 q = 0;
      for (; q + wide <= columns; q += wide) row_block(q, to);
      if (q < columns) row_block(q, results);
      for (int p = 0; p < parts; ++p)
        if (in_place)
          for (i64 i = q; i < columns; ++i) to[p][i] = results[p][i];
        else
          as_stored<T>(d.out_type, args.out.data, [&](auto* typed) {
            auto* row = typed + at + p * args.out.strides[2];
            store_row(results[p], row, args.out.strides[4], columns);
          });
    }

    void row_block(i64 q, T* const* to) {
      Vec<T> slope[2][kAbreast] = {};
      for (int c = 0; c < 2; ++c)
        for (i64 j = 0; j < d.kernel[1]; ++j) {
          const T* from = sums[c] + q + j * d.dilation[1];
          const T tap = across[c][j];
          for (int v = 0; v < kAbreast; ++v) slope[c][v] += load(from + v * kLanes<T>) * tap;
        }
      for (int v = 0; v < kAbreast; ++v)
        store(to[0] + q + v * kLanes<T>, length_of<T>(slope[0][v], slope[1][v]));
      if (d.out_channels == 1) return;
      for (int v = 0; v < kAbreast; ++v)
        store(to[1] + q + v * kLanes<T>, direction_of<T>(slope[0][v], slope[1][v]));
    }
  };

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Tiling t(d);
    const std::size_t numbers = static_cast<std::size_t>(t.numbers()) * sizeof(T);
    return static_cast<std::size_t>(threads) * (numbers + t.table_bytes(d));
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const Tiling t(d);
    args.pool.parallel_for(
        d.batch * d.groups * t.bands * t.strips,
        [&](i64 task, int) {
          as_stored<T>(d.x_type, args.x.data, [&](auto* x) {
            Task<std::remove_cvref_t<decltype(*x)>>(args, t, task, x).run();
          });
        },
        work_of(d) > 1 << 17);
  }
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  return d.compute == DType::f32 ? f(Gradient<float>{}) : f(Gradient<double>{});
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it computes in real floats";
  if (d.rank != 2) return "slopes are taken in the plane";
  if (d.in_channels != 2) return "it takes the image once for each of two slopes";
  if (d.out_channels > 2) return "it gives a length and a direction";
  if (d.has_bias || d.activation != Activation::none) return "it adds nothing to its results";
  for (int a = 0; a < 2; ++a) {
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return "it takes every sample";
    if (d.boundary[a] == Boundary::constant && d.cval[0] != 0) return "it is surrounded by zeros";
  }
  return check_types(d);
}

std::size_t packed_bytes(const Desc& d) {
  return dispatch(d, [&](auto k) { return k.packed_bytes(d); });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  dispatch(d, [&](auto k) { k.pack(d, w, packed); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto k) { return k.scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto k) { k.run(args); });
}

}  // namespace

extern const Kernel gradient_kernel;
const Kernel gradient_kernel = {"gradient", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
