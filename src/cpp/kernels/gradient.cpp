// Two separable slopes of an image at once, and what they make together: their length and, where
// there are two outputs, their direction.
//
//   out[0] = |(x * w[0], x * w[1])|,  out[1] = the angle of that vector
//
// The two input channels are the same image, seen by one kernel each. The pass down the columns
// reads the image once for both slopes and makes two rows, which stay in the first-level cache; the
// pass along them ends in registers.
#include <cstdint>
#include <type_traits>

#include "base/kernel.hpp"
#include "kernels/polar.hpp"
#include "kernels/tile.hpp"
#include "simd/hints.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRowBytes = 8 << 10;  // of a task's row
inline constexpr i64 kBandRows = 32;       // of a task
inline constexpr i64 kFar = 8 << 20;       // bytes of a result that goes past the caches
inline constexpr int kAbreast = MC_REGISTERS >= 32 ? 4 : 2;  // vectors in flight

// Calls f<V>(q) for blocks of V vectors that cover n places, n at least a vector; the last
// overlaps.
template <class T, class F>
MC_INLINE void each_block(i64 n, F&& f) {
  constexpr i64 wide = kAbreast * kLanes<T>;
  i64 q = 0;
  for (; q + wide <= n; q += wide) f.template operator()<kAbreast>(q);
  for (; q + kLanes<T> <= n; q += kLanes<T>) f.template operator()<1>(q);
  if (q < n) f.template operator()<1>(n - kLanes<T>);
}

// Both slopes' sums down n columns. Known: the number of taps, or 0. `next`: the row that the next
// sums will be the first to read. Out of line, as the compiler runs out of registers otherwise.
template <int Known, class T, class S>
__attribute__((noinline)) void sum_down(const S* const* rows, const S* next, const T* taps,
                                        i64 count, i64 n, T* first, T* second) {
  const i64 size = Known ? Known : count;
  each_block<T>(n, [&]<int V>(i64 q) {
    Vec<T> a[V] = {}, b[V] = {};
    for (i64 p = 0; p < V * kLanes<T>; p += 64 / static_cast<i64>(sizeof(S)))
      __builtin_prefetch(next + q + p);
#pragma GCC unroll 3
    for (i64 k = 0; k < size; ++k) {
      const Vec<T> tap = splat(taps[k]), other = splat(taps[size + k]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Vec<T> value = load_as<T>(rows[k] + q + v * kLanes<T>);
        a[v] += value * tap;
        b[v] += value * other;
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      store(first + q + v * kLanes<T>, a[v]);
      store(second + q + v * kLanes<T>, b[v]);
    }
  });
}

// Where results go, and how.
template <class T>
struct Target {
  T* data;  // null where they are not wanted
  bool streams;

  MC_INLINE void put(const Target& t, i64 q, Vec<T> v) {
    if (t.streams)
      stream<T>(t.data + q, v);
    else
      store(t.data + q, v);
  }
};

// Both slopes along the rows of sums, and what they make: a length and, perhaps, a direction.
template <int Known, class T>
__attribute__((noinline)) void sum_along(const T* first, const T* second, i64 step, const T* taps,
                                         i64 count, i64 n, Target<T> length, Target<T> direction) {
  const i64 size = Known ? Known : count;
  each_block<T>(n, [&]<int V>(i64 q) {
    Vec<T> a[V] = {}, b[V] = {};
#pragma GCC unroll 3
    for (i64 k = 0; k < size; ++k) {
      const Vec<T> tap = splat(taps[k]), other = splat(taps[size + k]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        a[v] += load(first + q + k * step + v * kLanes<T>) * tap;
        b[v] += load(second + q + k * step + v * kLanes<T>) * other;
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) Target<T>::put(length, q + v * kLanes<T>, length_of<T>(a[v], b[v]));
    if (direction.data == nullptr) return;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      Target<T>::put(direction, q + v * kLanes<T>, direction_of<T>(a[v], b[v]));
  });
}

template <class T>
struct Gradient {
  static constexpr i64 kItem = sizeof(T);

  // Tasks are bands of some columns.
  struct Tiling {
    i64 down, across;  // from the first tap to one past the last
    i64 columns, strips, bands;
    i64 line;  // of a row and its halo, shifted by less than a vector

    explicit Tiling(const Desc& d)
        : down((d.kernel[0] - 1) * d.dilation[0] + 1),
          across((d.kernel[1] - 1) * d.dilation[1] + 1) {
      const i64 most = max_of(kRowBytes / kItem, 2 * across);
      columns = ceil_div(d.out_size[1], ceil_div(d.out_size[1], most));
      columns = ceil_div(columns, kLanes<T>) * kLanes<T>;
      strips = ceil_div(d.out_size[1], columns);
      bands = ceil_div(d.out_size[0], kBandRows);
      line = (ceil_div(columns + across, kLanes<T>) + 1) * kLanes<T> + 64 / kItem;
    }

    // Two rows of sums, two of results, and taps for the rows that are there.
    i64 numbers(const Desc& d) const { return 4 * line + 2 * d.kernel[0]; }
    std::size_t scratch(const Desc& d) const {
      return static_cast<std::size_t>(numbers(d)) * sizeof(T);
    }
  };
  static std::size_t table_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.kernel[0]) * sizeof(void*);
  }

  // Both slopes' taps down, then both slopes' taps along the row.
  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(2 * (d.kernel[0] + d.kernel[1])) * sizeof(T);
  }

  // The lines of taps through the largest one.
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    for (i64 c = 0; c < 2; ++c) {
      T* down = static_cast<T*>(packed) + c * d.kernel[0];
      T* along = static_cast<T*>(packed) + 2 * d.kernel[0] + c * d.kernel[1];
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
      for (i64 i = 0; i < d.kernel[0]; ++i) down[i] = tap(i, column);
      for (i64 j = 0; j < d.kernel[1]; ++j) along[j] = tap(row, j) / height;
    }
  }

  template <class S>
  struct Task {
    const RunArgs& args;
    const Desc& d;
    const Tiling& t;
    const S* x;
    i64 out, top, left, rows, columns;
    const S** source;  // rows of the image under the window
    i64 count = 0;     // of them
    const S* next_row = nullptr;
    T *sums[2], *results[2], *down;
    const T* taps;
    bool far;

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
      source = static_cast<const S**>(thread_scratch(Slot::table, table_bytes(d)));
      taps = static_cast<const T*>(args.packed);
      far = d.batch * d.groups * d.out_channels * outputs_of(d) * kItem > kFar;
      T* memory = static_cast<T*>(thread_scratch(Slot::tile, t.scratch(d)));
      // Sums lie in memory as the samples above them do.
      const i64 shift = (start() % kLanes<T> + kLanes<T>) % kLanes<T>;
      for (int c = 0; c < 2; ++c) {
        sums[c] = memory + c * t.line + shift;
        results[c] = memory + (2 + c) * t.line;
        fill(memory + c * t.line, t.line, T(0));
      }
      down = memory + 4 * t.line;
    }

    i64 start() const { return left - d.pad_low[1]; }

    void run() {
      for (i64 r = top; r < top + rows; ++r) {
        find_rows(r);
        go_down();
        go_along(out + r * args.out.strides[3]);
      }
      if (far) end_stream();
    }

    // Rows beyond a boundary of zeros add nothing.
    void find_rows(i64 r) {
      const i64 last = min_of(r + t.down - d.pad_low[0], d.in_size[0] - 1);
      next_row = x + max_of(last, 0) * args.x.strides[3];
      i64 present[2] = {0, 0};
      for (int pass = 0; pass < 2; ++pass) {
        count = 0;
        for (i64 k = 0; k < d.kernel[0]; ++k) {
          const i64 at = r + k * d.dilation[0] - d.pad_low[0];
          const i64 s = resolve_index(at, d.in_size[0], d.boundary[0]);
          if (s == kOutside) continue;
          source[count] = x + s * args.x.strides[3];
          if (pass) down[count] = taps[k], down[present[0] + count] = taps[d.kernel[0] + k];
          ++count;
        }
        present[pass] = count;
      }
    }

    // Both rows of sums, with what lies beyond the boundary.
    void go_down() {
      const i64 n = columns + t.across - 1;
      const i64 begin = min_of(max_of(-start(), 0), n);
      const i64 end = max_of(min_of(n, d.in_size[1] - start()), begin);
      const i64 aligned = min_of(ceil_div(start() + begin, kLanes<T>) * kLanes<T> - start(), end);
      i64 whole = begin;
      if (end - aligned >= kLanes<T>) {
        for (; whole < aligned; ++whole) column_sum(start() + whole, whole);
        for (i64 i = 0; i < count; ++i) source[i] += start() + whole;
        const S* next = next_row + start() + whole;
        if (count == 3)
          sum_down<3>(source, next, down, 3, end - whole, sums[0] + whole, sums[1] + whole);
        else
          sum_down<0>(source, next, down, count, end - whole, sums[0] + whole, sums[1] + whole);
        for (i64 i = 0; i < count; ++i) source[i] -= start() + whole;
        whole = end;
      }
      for (; whole < end; ++whole) column_sum(start() + whole, whole);
      for (i64 q = 0; q < n; ++q) {
        if (q == begin) q = end;
        if (q < n) column_sum(resolve_index(start() + q, d.in_size[1], d.boundary[1]), q);
      }
    }

    void column_sum(i64 at, i64 q) {
      T sum[2] = {T(0), T(0)};
      for (i64 i = 0; at != kOutside && i < count; ++i)
        for (int c = 0; c < 2; ++c) sum[c] += static_cast<T>(source[i][at]) * down[c * count + i];
      sums[0][q] = sum[0];
      sums[1][q] = sum[1];
    }

    void go_along(i64 at) {
      const i64* steps = args.out.strides;
      const bool in_place = steps[4] == 1 && d.out_type == d.compute && columns >= kLanes<T>;
      Target<T> to[2] = {{results[0], false}, {d.out_channels > 1 ? results[1] : nullptr, false}};
      for (i64 p = 0; p < d.out_channels && in_place; ++p) {
        T* row = static_cast<T*>(args.out.data) + at + p * steps[2];
        const bool aligned = reinterpret_cast<std::uintptr_t>(row) % sizeof(Vec<T>) == 0;
        to[p] = {row, far && aligned && columns % kLanes<T> == 0};
      }
      const i64 n = max_of(columns, kLanes<T>), size = d.kernel[1];
      const T* along = taps + 2 * d.kernel[0];
      if (size == 3)
        sum_along<3>(sums[0], sums[1], d.dilation[1], along, size, n, to[0], to[1]);
      else
        sum_along<0>(sums[0], sums[1], d.dilation[1], along, size, n, to[0], to[1]);
      for (i64 p = 0; p < d.out_channels && !in_place; ++p)
        as_stored<T>(d.out_type, args.out.data, [&](auto* typed) {
          store_row(results[p], typed + at + p * steps[2], steps[4], columns);
        });
    }
  };

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    return static_cast<std::size_t>(threads) * (Tiling(d).scratch(d) + table_bytes(d));
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
