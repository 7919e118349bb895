// The largest value under a moving window: pooling, morphological dilation. The kernel's values are
// not used, its sizes are the window's.
//
// Images are rows of columns of `inner` neighbouring values (channels that come last, or 1). Rows
// under the window are combined first, then the columns of the one row that results, in cache.
// Tall windows follow van Herk (1992) and Gil & Werman (1993): the maxima of the end of one block
// of rows and of the beginning of the next, three comparisons a value whatever the height. Wide
// windows are doubled until they fit, which takes no step across a vector's lanes.
#include <limits>
#include <type_traits>

#include "base/kernel.hpp"
#include "base/scratch.hpp"
#include "kernels/compute_type.hpp"
#include "kernels/lanes.hpp"

namespace multiconv::MC_TARGET {
namespace {

constexpr i64 kDirect = 4;            // taps up to which each is compared by itself
constexpr i64 kFar = i64(1) << 40;    // sizes up to it can be multiplied
constexpr i64 kTaskValues = 1 << 16;  // of the input that are worth a task
constexpr i64 kNear = 1 << 18;        // of rows that are worked on at once

MC_INLINE i64 lesser(i64 a, i64 b) { return a < b ? a : b; }
MC_INLINE i64 greater(i64 a, i64 b) { return a > b ? a : b; }
MC_INLINE i64 parts_of(i64 n, i64 size) { return (n + size - 1) / size; }

// NaN wins.
template <class V>
MC_INLINE V larger(V a, V b) {
  const V m = a > b ? a : b;
  return a == a ? m : a;
}

template <class T>
constexpr T kLeast = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                                 : std::numeric_limits<T>::min();

// Calls f(i) with f for vectors from i on until n values are done; the last vector overlaps.
template <class T, class F, class G>
MC_INLINE void each_vector(i64 n, F&& vector, G&& single) {
  constexpr i64 lanes = kLanes<T>;
  if (n < lanes) {
    for (i64 i = 0; i < n; ++i) single(i);
    return;
  }
  i64 i = 0;
  for (; i + lanes <= n; i += lanes) vector(i);
  if (i < n) vector(n - lanes);
}

template <class T>
MC_INLINE T largest(const T* from, i64 apart, i64 taps) {
  T m = *from;
  for (i64 t = 1; t < taps; ++t) m = larger(m, from[t * apart]);
  return m;
}

template <class T>
MC_INLINE void compare_taps(const T* from, i64 apart, i64 taps, i64 n, T* to) {
  each_vector<T>(
      n,
      [&](i64 i) {
        Vec<T> m = load(from + i);
        for (i64 t = 1; t < taps; ++t) m = larger(m, load(from + t * apart + i));
        store(to + i, m);
      },
      [&](i64 i) { to[i] = largest(from + i, apart, taps); });
}

// to[i] = the largest of from[t * apart + i], t < taps.
template <class T>
void compare(const T* from, i64 apart, i64 taps, i64 n, T* to) {
  switch (taps) {
    case 1:
      return compare_taps(from, apart, 1, n, to);
    case 2:
      return compare_taps(from, apart, 2, n, to);
    case 3:
      return compare_taps(from, apart, 3, n, to);
    default:
      return compare_taps(from, apart, taps, n, to);
  }
}

template <class T>
MC_INLINE void fill(T* to, i64 n) {
  for (i64 i = 0; i < n; ++i) to[i] = kLeast<T>;
}

// A task makes some rows and columns of one image's output.
template <class T>
struct Cut {
  i64 inner, rows, columns;  // of a task
  i64 bands, strips;         // tasks down and across an image
  i64 high, wide;            // inputs under the window
  bool blocks;               // rows are combined by blocks
  i64 line;                  // values of an input row that a task's windows cover

  explicit Cut(const Desc& d)
      : inner(d.in_size[2]),
        high((d.kernel[0] - 1) * d.dilation[0] + 1),
        wide((d.kernel[1] - 1) * d.dilation[1] + 1),
        blocks(d.kernel[0] > kDirect && d.dilation[0] == 1 && d.kernel[0] > 2 * d.stride[0]) {
    const i64 bytes = inner * d.stride[1] * static_cast<i64>(sizeof(T));
    const i64 near = kNear / ((blocks ? high : 1) * bytes);
    columns = lesser(d.out_size[1], greater(greater(near, 4 * wide / d.stride[1]), 64));
    strips = parts_of(d.out_size[1], columns);
    columns = parts_of(d.out_size[1], strips);
    strips = parts_of(d.out_size[1], columns);
    line = ((columns - 1) * d.stride[1] + wide) * inner;
    const i64 worth = greater(kTaskValues / (line * d.stride[0]), 1);
    rows = lesser(d.out_size[0], blocks ? greater(worth, 4 * high) : worth);
    bands = parts_of(d.out_size[0], rows);
    rows = parts_of(d.out_size[0], bands);
    bands = parts_of(d.out_size[0], rows);
  }

  // Of scratch, in values.
  i64 line_room() const { return line + wide * inner + 2 * kLanes<T>; }  // vectors may run over
  i64 ends_room() const { return blocks ? (high + 1) * line : 0; }
  i64 rows_room() const { return line + columns * inner + ends_room(); }
  i64 copy_room(const Desc& d) const { return ((rows - 1) * d.stride[0] + high) * line; }
};

template <class T>
class Task {
 public:
  Task(const RunArgs& args, const Cut<T>& c, i64 task) : d_(args.desc), c_(c) {
    const i64 column = task % c.strips * c.columns;
    task /= c.strips;
    begin_ = task % c.bands * c.rows;
    end_ = lesser(begin_ + c.rows, d_.out_size[0]);
    task /= c.bands;
    columns_ = lesser(c.columns, d_.out_size[1] - column);
    const i64 group = task % d_.groups, image = task / d_.groups;

    const i64 left = column * d_.stride[1] - d_.pad_low[1];
    const i64 right = left + (columns_ - 1) * d_.stride[1] + c.wide;
    const i64 from = greater(left, 0), to = lesser(right, d_.in_size[1]);
    before_ = lesser(from, right) - left;
    before_ *= c.inner;
    used_ = greater(to - from, 0) * c.inner;
    line_ = scratch(Slot::line, c.line_room());
    nothing_ = scratch(Slot::table, c.rows_room());
    result_ = nothing_ + c.line;
    ends_ = result_ + c.columns * c.inner;
    fill(line_, c.line_room());
    fill(nothing_, used_);

    const i64 *in = args.x.strides, *out = args.out.strides;
    x_ = static_cast<const T*>(args.x.data) + image * in[0] + group * in[1] + from * in[4];
    pitch_ = in[3];
    if (used_ > 0 && !dense(in, d_.in_size[1])) copy_rows(in);
    out_ = static_cast<T*>(args.out.data) + image * out[0] + group * out[1] + column * out[4];
    out_steps_ = out + 3;
    out_dense_ = dense(out, d_.out_size[1]);
  }

  void run() {
    if (c_.blocks)
      run_blocks();
    else
      for (i64 o = begin_; o < end_; ++o) {
        compare_rows(o, target(o));
        finish(o);
      }
  }

 private:
  static T* scratch(Slot slot, i64 values) {
    return static_cast<T*>(thread_scratch(slot, static_cast<std::size_t>(values) * sizeof(T)));
  }

  // Whether the values of a row are neighbours.
  bool dense(const i64* strides, i64 columns) const {
    return (c_.inner == 1 || strides[5] == 1) && (columns == 1 || strides[4] == c_.inner);
  }

  i64 top(i64 o) const { return o * d_.stride[0] - d_.pad_low[0]; }
  const T* row(i64 r) const {
    return r < 0 || r >= d_.in_size[0] ? nothing_ : x_ + (r - copied_) * pitch_;
  }

  void copy_rows(const i64* in) {
    T* to = scratch(Slot::tile, c_.copy_room(d_));
    copied_ = greater(top(begin_), 0);
    const i64 stop = lesser(top(end_ - 1) + c_.high, d_.in_size[0]);
    for (i64 r = copied_; r < stop; ++r)
      for (i64 i = 0; i < used_; ++i)
        to[(r - copied_) * used_ + i] = x_[r * in[3] + i / c_.inner * in[4] + i % c_.inner * in[5]];
    x_ = to;
    pitch_ = used_;
  }

  // Where a combined row goes: to the output if its columns stand alone, else into the line.
  bool stands_alone() const {
    return d_.kernel[1] == 1 && d_.stride[1] == 1 && used_ == columns_ * c_.inner && out_dense_;
  }
  T* output(i64 o) const { return out_ + o * out_steps_[0]; }
  T* target(i64 o) const { return stands_alone() ? output(o) : line_ + before_; }

  void compare_rows(i64 o, T* to) {
    const i64 step = d_.dilation[0], first = top(o);
    const i64 begin = first < 0 ? parts_of(-first, step) : 0;
    const i64 inside = d_.in_size[0] - 1 - first;
    const i64 taps = (inside < 0 ? 0 : lesser(inside / step + 1, d_.kernel[0])) - begin;
    if (taps > 0)
      compare(row(first + begin * step), step * pitch_, taps, used_, to);
    else
      fill(to, used_);
  }

  void run_blocks() {
    T* starts = ends_ + c_.high * used_;
    for (i64 block = top(begin_), o = begin_; o < end_; block += c_.high) {
      const T* below = nothing_;
      for (i64 j = c_.high - 1; j >= 0; --j) {
        T* end = ends_ + j * used_;
        merge(below, row(block + j), used_, end);
        below = end;
      }
      fill(starts, used_);
      for (i64 j = 0; j < c_.high && o < end_; ++j) {
        const bool wanted = top(o) == block + j;
        const T *end = ends_ + j * used_, *next = j > 0 ? row(block + c_.high + j - 1) : nothing_;
        if (wanted)
          merge_both(starts, next, end, used_, target(o));
        else
          merge(starts, next, used_, starts);
        if (wanted) finish(o++);
      }
    }
  }

  static void merge(const T* a, const T* b, i64 n, T* to) {
    i64 i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) store(to + i, larger(load(a + i), load(b + i)));
    for (; i < n; ++i) to[i] = larger(a[i], b[i]);
  }

  // The beginning of a block with one row more, and that with the end of the block before.
  static void merge_both(T* starts, const T* more, const T* ends, i64 n, T* to) {
    i64 i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) {
      const Vec<T> start = larger(load(starts + i), load(more + i));
      store(starts + i, start);
      store(to + i, larger(start, load(ends + i)));
    }
    for (; i < n; ++i) {
      starts[i] = larger(starts[i], more[i]);
      to[i] = larger(starts[i], ends[i]);
    }
  }

  // From the combined row to the output's row o.
  void finish(i64 o) {
    if (stands_alone()) return;
    T* to = out_dense_ ? output(o) : result_;
    compare_columns(to);
    if (out_dense_) return;
    for (i64 i = 0; i < columns_ * c_.inner; ++i)
      output(o)[i / c_.inner * out_steps_[1] + i % c_.inner * out_steps_[2]] = to[i];
  }

  void compare_columns(T* to) {
    const i64 step = d_.stride[1], n = columns_ * c_.inner;
    i64 apart = d_.dilation[1] * c_.inner;
    const i64 taps = widen(apart);
    if (step == 1) {
      compare(line_, apart, taps, n, to);
    } else if (c_.inner >= kLanes<T>) {
      for (i64 o = 0; o < columns_; ++o)
        compare(line_ + o * step * c_.inner, apart, taps, c_.inner, to + o * c_.inner);
    } else if (step == 2 && c_.inner == 1) {
      compare_every_second(apart, taps, n, to);
    } else {
      for (i64 i = 0; i < n; ++i) {
        const T* from = line_ + i / c_.inner * step * c_.inner + i % c_.inner;
        to[i] = largest(from, apart, taps);
      }
    }
    if (d_.kernel[1] > kDirect) {  // the line was overwritten
      fill(line_, before_);
      fill(line_ + before_ + used_, c_.line_room() - before_ - used_);
    }
  }

  // Lets every value of the line stand for all taps that follow it but the last few, and returns
  // how many these are, `apart` from each other still.
  i64 widen(i64& apart) {
    const i64 taps = d_.kernel[1];
    if (taps <= kDirect) return taps;
    i64 taken = 1, n = c_.line;
    for (; 2 * taken < taps; taken *= 2) {
      n -= taken * apart;
      merge(line_, line_ + taken * apart, n, line_);
    }
    apart *= taps - taken;
    return 2;
  }

  void compare_every_second(i64 apart, i64 taps, i64 n, T* to) {
    each_vector<T>(
        n,
        [&](i64 i) {
          Vec<T> m = even(line_ + 2 * i);
          for (i64 t = 1; t < taps; ++t) m = larger(m, even(line_ + 2 * i + t * apart));
          store(to + i, m);
        },
        [&](i64 i) { to[i] = largest(line_ + 2 * i, apart, taps); });
  }

  // The values at even places of two vectors.
  MC_INLINE Vec<T> even(const T* p) {
    if constexpr (kLanes<T> == 1) {
      return load(p);
    } else {
      constexpr std::make_integer_sequence<int, kLanes<T>> all{};
      return pick<[](int e) { return 2 * e; }>(load(p), load(p + kLanes<T>), all);
    }
  }

  const Desc& d_;
  const Cut<T>& c_;
  i64 begin_, end_, columns_;  // of the output
  i64 before_, used_;          // values of the line before the input's, and of the input
  const T* x_;                 // the first value used of row copied_
  T* out_;
  const i64* out_steps_;
  i64 pitch_, copied_ = 0;
  bool out_dense_;
  T *line_, *nothing_, *result_, *ends_;
};

const char* accepts(const Desc& d) {
  if (d.x_type != d.out_type) return "results are of the data's type";
  if (d.x_type == DType::c64 || d.x_type == DType::c128) return "complex numbers have no order";
  if (d.rank != 3) return "it takes rows, columns and what lies inside a column";
  if (d.in_channels != 1 || d.out_channels != 1) return "it takes channels one by one";
  if (d.has_bias || d.activation != Activation::none) return "it adds nothing to its results";
  for (int a = 0; a < 3; ++a) {
    if (d.boundary[a] != Boundary::constant) return "nothing is larger than what is outside";
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    if (d.kernel[a] > kFar / d.dilation[a] || d.stride[a] > kFar)
      return "its windows are too large";
  }
  if (d.pad_low[0] < 0 || d.pad_low[1] < 0) return "it crops nothing";
  if (d.kernel[2] != 1 || d.stride[2] != 1 || d.pad_low[2] != 0 || d.out_size[2] != d.in_size[2])
    return "the last axis is taken as it is";
  return nullptr;
}

std::size_t packed_bytes(const Desc&) { return 0; }
void pack(const Desc&, const ConstView&, void*) {}

// Calls `f` with a number of the type that is stored.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.x_type) {
    case DType::i8:
      return f(std::int8_t{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::i16:
      return f(std::int16_t{});
    case DType::u16:
      return f(std::uint16_t{});
    case DType::i32:
      return f(std::int32_t{});
    case DType::i64:
      return f(std::int64_t{});
    default:
      return with_real(d.x_type, f);
  }
}

template <class T>
i64 tasks_of(const Desc& d, const Cut<T>& cut) {
  return d.batch * d.groups * cut.bands * cut.strips;
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto number) {
    const Cut<decltype(number)> cut(d);
    const i64 each = cut.line_room() + cut.rows_room() + cut.copy_room(d);
    return static_cast<std::size_t>(each * lesser(threads, tasks_of(d, cut))) * sizeof number;
  });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto number) {
    using T = decltype(number);
    const Cut<T> cut(args.desc);
    const i64 tasks = tasks_of(args.desc, cut);
    args.pool.parallel_for(
        tasks, [&](i64 task, int) { Task<T>(args, cut, task).run(); },
        static_cast<double>(tasks) * static_cast<double>(cut.rows * cut.line) > kTaskValues);
  });
}

}  // namespace

extern const Kernel window_max_kernel;
const Kernel window_max_kernel = {"window_max", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
