// Layers whose groups have one input channel: each channel is convolved by itself, with kernels of
// its own. Lanes are neighbouring pixels where these lie side by side in memory, channels where
// those do. Rows of the input are staged in a ring that stays in the first-level cache, and each
// serves all the output rows in registers.
#include <limits>
#include <type_traits>

#include "base/kernel.hpp"
#include "kernels/depthwise_rows.hpp"
#include "kernels/depthwise_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kRing = 40 * 1024;      // bytes of staged rows that are worth a narrower strip
inline constexpr i64 kFarRing = 256 * 1024;  // from which on rows do not share loads
inline constexpr double kLargestRing = 4 << 20;
inline constexpr i64 kWork = 1 << 17;  // multiply-adds that are worth a task
inline constexpr i64 kNarrowRows = 7, kNarrowVectors = MC_REGISTERS >= 32 ? 7 : 4;

// The axis of rows; of one row where there is no such axis.
struct Rows {
  i64 size, out, taps, stride, dilation, pad;
  Boundary boundary;
};

MC_INLINE Rows rows_of(const Desc& d) {
  const int a = d.rank - 2;
  if (a < 0) return {1, 1, 1, 1, 1, 0, Boundary::constant};
  return {d.in_size[a],  d.out_size[a], d.kernel[a],  d.stride[a],
          d.dilation[a], d.pad_low[a],  d.boundary[a]};
}

MC_INLINE i64 outer_product(const Desc& d, const i64* sizes) {
  i64 n = 1;
  for (int a = 0; a < d.rank - 2; ++a) n *= sizes[a];
  return n;
}

// Channels are lanes where they are neighbours in memory.
MC_INLINE bool channels_are_lanes(const Desc& d, const ConstView& x, int lanes) {
  return lanes > 1 && d.groups > 1 && x.strides[1] == 1 &&
         (x.strides[2 + d.rank] != 1 || d.in_size[d.rank - 1] == 1);
}

template <class T, bool by_lane>
struct Cut {
  static constexpr i64 lanes = kLanes<T>;
  i64 channels, units;  // units: of work, a channel or a vector of them
  i64 outer_taps, outer_outputs;
  i64 apart;   // between output rows that share input rows
  i64 phases;  // input rows between those, counted in tap rows
  i64 block;   // output rows of a block
  // Blocks of rows that are staged before the first of them is summed: loads that cross what was
  // stored just now have to wait for it.
  static constexpr i64 ahead = by_lane ? 1 : 2;
  i64 ring, positions;  // input rows staged at once, and of a band
  i64 width, strips, rows, bands;
  i64 chunk, chunks;  // units of a task
  i64 images;         // that a task's units are counted in

  explicit Cut(const Desc& d) {
    const Rows r = rows_of(d);
    channels = d.groups * d.out_channels;
    units = by_lane ? ceil_div(channels, lanes) : channels;
    outer_taps = outer_product(d, d.kernel);
    outer_outputs = outer_product(d, d.out_size);
    const i64 shared = gcd_of(r.stride, r.dilation);
    apart = r.dilation / shared;
    phases = r.stride / shared;

    const i64 out_width = d.out_size[d.rank - 1];
    const bool narrow = by_lane ? out_width % 7 == 0 && out_width % 4 != 0 : out_width <= lanes;
    const i64 together = narrow ? (by_lane ? 2 : kNarrowRows) : 4;
    width = out_width;
    const bool can_share = phases <= 2 && r.taps > 1 && r.out >= together * apart;
    block = can_share ? together * apart : 1;
    ring = ring_of(r);
    if (ring_bytes(d) > kFarRing && block > 1) {
      block = 1;
      ring = ring_of(r);
    }
    const i64 least = by_lane ? 16 : 16 * lanes;
    for (strips = 1; ring_bytes(d) > kRing && width > least; width = ceil_div(out_width, ++strips));
    strips = ceil_div(out_width, width);

    const double row = static_cast<double>(outer_taps * r.taps * d.kernel[d.rank - 1] * width) *
                       (by_lane ? lanes : 1);
    const auto worth = [&](double each) {
      return max_of(static_cast<i64>(static_cast<double>(kWork) / (each + 1.0)), 1);
    };
    const i64 some = ceil_div(max_of(worth(row), 2 * r.taps), block) * block;
    bands = ceil_div(r.out, min_of(some, r.out));
    rows = min_of(ceil_div(ceil_div(r.out, bands), block) * block, r.out);
    bands = ceil_div(r.out, rows);
    positions = (rows - 1) * r.stride + (r.taps - 1) * r.dilation + 1;
    ring = min_of(ring, positions);
    images = by_lane ? 1 : d.batch;
    chunk = min_of(worth(row * static_cast<double>(rows)), units * images);
    chunks = ceil_div(units * images, chunk);
  }

  i64 ring_of(const Rows& r) const {
    return (ahead * block - 1) * r.stride + (r.taps - 1) * r.dilation + 1;
  }
  i64 ring_bytes(const Desc& d) const {
    return outer_taps * ring * columns_for<T>(d, 0, width, by_lane).pitch *
           static_cast<i64>(sizeof(T));
  }

  // All columns_for() of one width differ by their shift alone.
  i64 row_room(const Desc& d) const { return columns_for<T>(d, 0, width, by_lane).pitch + lanes; }
  i64 stage_room(const Desc& d) const { return (outer_taps * ring + 1) * row_room(d); }
  i64 table_room(const Desc& d) const {
    return 2 * outer_taps * positions + d.kernel[d.rank - 1] + 2 * (width + lanes);
  }
  i64 line_pitch() const { return by_lane ? width * lanes : ceil_div(width, lanes) * lanes; }
  i64 tasks(const Desc& d) const {
    return chunks * d.batch / images * outer_outputs * bands * strips;
  }
};

template <class T, bool by_lane>
class Task {
  static constexpr i64 lanes = kLanes<T>;
  static constexpr T kMost = std::numeric_limits<T>::has_infinity
                                 ? std::numeric_limits<T>::infinity()
                                 : std::numeric_limits<T>::max();

 public:
  Task(const RunArgs& args, const Cut<T, by_lane>& cut, i64 task)
      : args_(args),
        d_(args.desc),
        c_(cut),
        r_(rows_of(d_)),
        clamps_(d_.activation == Activation::relu || d_.activation == Activation::relu6),
        direct_(is_direct()),
        taps_(taps_of(d_)) {
    if constexpr (by_lane) {
      chunk_ = task % c_.chunks;
      task /= c_.chunks;
    }
    const i64 strip = task % c_.strips * c_.width;
    task /= c_.strips;
    top_ = task % c_.bands * c_.rows;
    task /= c_.bands;
    i64 plane = task % c_.outer_outputs;
    task /= c_.outer_outputs;
    if constexpr (by_lane)
      image_ = task;
    else
      chunk_ = task, image_ = 0;
    width_ = min_of(c_.width, d_.out_size[d_.rank - 1] - strip);
    height_ = min_of(c_.rows, r_.out - top_);
    columns_ = columns_for<T>(d_, strip, width_, by_lane);
    make_room();
    out_at_ = strip * out_step();
    for (int a = d_.rank - 3; a >= 0; --a) {
      outer_[a] = plane % d_.out_size[a];
      plane /= d_.out_size[a];
      out_at_ += outer_[a] * args.out.strides[3 + a];
    }
    find_rows();
    place_vectors();
  }

  void run() {
    const i64 end = min_of((chunk_ + 1) * c_.chunk, c_.units * c_.images);
    as_stored<T>(d_.x_type, args_.x.data, [&](auto* x) {
      for (i64 i = chunk_ * c_.chunk; i < end; ++i)
        run_unit(x, image_ + i / c_.units, i % c_.units);
    });
  }

 private:
  void make_room() {
    room_ = c_.row_room(d_);
    stage_ = static_cast<T*>(
        thread_scratch(Slot::tile, static_cast<std::size_t>(c_.stage_room(d_)) * sizeof(T)));
    const i64 rows = c_.outer_taps * c_.positions;
    i64* table = static_cast<i64*>(
        thread_scratch(Slot::table, static_cast<std::size_t>(c_.table_room(d_)) * sizeof(i64)));
    row_ = reinterpret_cast<const T**>(table);
    source_ = table + rows;
    offset_ = source_ + rows;
    at_ = offset_ + d_.kernel[d_.rank - 1];
    out_ = at_ + c_.width + lanes;
    lines_ = static_cast<T*>(thread_scratch(
        Slot::line, static_cast<std::size_t>(kNarrowRows * c_.line_pitch()) * sizeof(T)));
  }

  // For every position of every outer tap: the row's place among the staged, and in the input.
  void find_rows() {
    const T cval = boundary_value<T>(d_, 0);
    T* outside = stage_ + c_.outer_taps * c_.ring * room_;
    fill(outside, room_, cval);
    const i64 count = min_of(c_.ring, positions());
    for (i64 o = 0; o < c_.outer_taps; ++o) {
      for (i64 i = 0; i < count; ++i)
        fill_margins(columns_, cval, stage_ + (o * c_.ring + i) * room_);
      i64 tap = o, at = 0;
      bool inside = true;
      for (int a = d_.rank - 3; a >= 0; --a) {
        const i64 j = outer_[a] * d_.stride[a] + tap % d_.kernel[a] * d_.dilation[a];
        tap /= d_.kernel[a];
        const i64 e = resolve_index(j - d_.pad_low[a], d_.in_size[a], d_.boundary[a]);
        inside &= e != kOutside;
        at += e * args_.x.strides[3 + a];
      }
      for (i64 i = 0; i < positions(); ++i) {
        const i64 j = top_ * r_.stride + i - r_.pad;
        const i64 e = inside ? resolve_index(j, r_.size, r_.boundary) : kOutside;
        const bool there = e != kOutside;
        source_[o * c_.positions + i] = there ? at + e * x_row() : kNowhere;
        row_[o * c_.positions + i] = there ? stage_ + (o * c_.ring + i % c_.ring) * room_ : outside;
      }
    }
  }

  // Where taps and vectors of outputs lie in staged rows, and vectors in the result's.
  void place_vectors() {
    for (i64 k = 0; k < d_.kernel[d_.rank - 1]; ++k)
      offset_[k] = columns_.place(k * d_.dilation[d_.rank - 1]);
    if constexpr (by_lane) {
      vectors_ = width_;
      for (i64 v = 0; v < vectors_; ++v) {
        at_[v] = v * d_.stride[d_.rank - 1] * lanes;
        out_[v] = direct_ ? v * out_step() : v * lanes;
      }
    } else {
      vectors_ = ceil_div(width_, lanes);
      for (i64 v = 0; v < vectors_; ++v)
        at_[v] = out_[v] = max_of(min_of(v * lanes, width_ - lanes), 0);
    }
  }

  i64 positions() const { return (height_ - 1) * r_.stride + (r_.taps - 1) * r_.dilation + 1; }
  i64 x_row() const { return d_.rank > 1 ? args_.x.strides[1 + d_.rank] : 0; }
  i64 out_row() const { return d_.rank > 1 ? args_.out.strides[1 + d_.rank] : 0; }
  i64 out_step() const { return args_.out.strides[2 + d_.rank]; }

  // Whether vectors of sums are stored where they belong.
  bool is_direct() const {
    if (bytes_of_integer(d_.out_type) % static_cast<int>(sizeof(T)) != 0) return false;
    const i64 *os = args_.out.strides, m = d_.out_channels;
    if constexpr (by_lane)
      return m == 1 ? os[1] == 1 : os[2] == 1 && os[1] == m;
    else
      return out_step() == 1;
  }

  template <class S>
  void run_unit(const S* x, i64 n, i64 unit) {
    const i64 channel = by_lane ? unit * lanes : unit, m = d_.out_channels;
    const i64* xs = args_.x.strides;
    count_ = by_lane ? min_of(lanes, c_.channels - channel) : min_of(lanes, width_);
    const T* packed = static_cast<const T*>(args_.packed);
    window_ = {nullptr, c_.outer_taps,          c_.positions, r_.dilation,
               r_.taps, d_.kernel[d_.rank - 1], offset_,      packed + channel * taps_};
    if constexpr (by_lane) window_.w += ceil_div(c_.channels * taps_, lanes) * lanes;
    bias_ = Vec<T>{};
    if (d_.has_bias) {
      const T* bias = static_cast<const T*>(args_.bias) + channel;
      bias_ = by_lane ? load_first(bias, count_) : splat(*bias);
    }
    const i64 group = m == 1 ? channel : channel / m;
    x += n * xs[0] + (by_lane ? 0 : group * xs[1]);
    image_out_ = n * args_.out.strides[0] + group * args_.out.strides[1] +
                 (channel - group * m) * args_.out.strides[2] + out_at_;
    channel_ = channel;

    i64 staged = 0;
    const auto stage_for = [&](i64 y) {  // output rows before y
      y = min_of(y, height_);
      const i64 end = (y - 1) * r_.stride + (r_.taps - 1) * r_.dilation + 1;
      if (staged < end) stage(x, staged, end);
      staged = max_of(staged, end);
    };
    i64 y = 0;
    if (c_.block > 1)
      for (;;) {
        if (y + c_.block > height_) {  // what is left goes back to end with the band, if it pays
          if (height_ < c_.block || 2 * (height_ - y) < c_.block) break;
          y = height_ - c_.block;
        }
        stage_for(y + c_.ahead * c_.block);
        for (i64 i = 0; i < c_.apart; ++i) run_rows(y + i);
        y += c_.block;
        if (y == height_) return;
      }
    for (; y < height_; ++y) {
      stage_for(y + c_.ahead);
      add_row<1, 1, 0>(y);
    }
  }

  template <class S>
  void stage(const S* x, i64 begin, i64 end) {
    const i64 step = args_.x.strides[2 + d_.rank];
    for (i64 o = 0; o < c_.outer_taps; ++o) {
      const i64 at = o * c_.positions + begin;
      const RowList<T> rows{source_ + at, row_ + at, end - begin};
      if constexpr (by_lane)
        stage_channels(d_, columns_, x, step, channel_, d_.out_channels, count_, rows);
      else
        stage_pixels(d_, columns_, x, step, rows);
    }
  }

  // The output rows y, y + apart, ... of a block.
  void run_rows(i64 y) {
    const bool three = is_float<T> && r_.taps == 3 && window_.width == 3;
    if (three)
      c_.phases == 1 ? run_block<1, is_float<T> ? 3 : 0>(y) : run_block<2, is_float<T> ? 3 : 0>(y);
    else
      c_.phases == 1 ? run_block<1, 0>(y) : run_block<2, 0>(y);
  }

  template <int s, int known>
  void run_block(i64 y) {
    const i64 together = c_.block / c_.apart;
    if (by_lane && together == 2)
      add_row<2, s, known>(y);
    else if (!by_lane && together == kNarrowRows)
      add_row<kNarrowRows, s, known>(y);
    else
      add_row<4, s, known>(y);
  }

  // R rows, in blocks of vectors; the last one goes back to end with the row.
  template <int R, int s, int known>
  void add_row(i64 y) {
    Window<T> window = window_;
    window.rows = row_ + y * r_.stride;
    T* to =
        direct_ ? static_cast<T*>(args_.out.data) + image_out_ + (top_ + y) * out_row() : lines_;
    const i64 to_row = direct_ ? c_.apart * out_row() : c_.line_pitch();
    constexpr int most = R == kNarrowRows                ? 1
                         : R == 2                        ? kNarrowVectors
                         : by_lane || MC_REGISTERS >= 32 ? 4
                                                         : 2;
    i64 v = 0;
    if constexpr (most > 1) {
      if (vectors_ >= most)
        for (;;) {
          add_block<R, most, s, known>(window, v, to, to_row);
          v += most;
          if (v == vectors_ || (!by_lane && vectors_ - v < most)) break;
          v = min_of(v, vectors_ - most);
        }
      if constexpr (!by_lane && most == 4) {
        if (vectors_ - v == 3) add_block<R, 3, s, known>(window, v, to, to_row), v += 3;
        if (vectors_ - v == 2) add_block<R, 2, s, known>(window, v, to, to_row), v += 2;
      }
    }
    for (; v < vectors_; ++v) add_block<R, 1, s, known>(window, v, to, to_row);
    if constexpr (is_float<T>)
      if (!clamps_ && d_.activation != Activation::none)
        for (int r = 0; r < R; ++r) activate(to + r * to_row);
    if (!direct_)
      for (int r = 0; r < R; ++r) scatter(lines_ + r * to_row, y + r * c_.apart);
  }

  template <int R, int V, int s, int known>
  void add_block(const Window<T>& window, i64 v, T* to, i64 to_row) const {
    Vec<T> acc[R][V];
    sum_block<by_lane, R, V, s, known>(window, at_ + v, bias_, acc);
    if (clamps_) {
      const Vec<T> low{}, high = splat(d_.activation == Activation::relu6 ? T(6) : kMost);
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        Vec<T>& sum = acc[i / V][i % V];
        sum = sum < low ? low : sum;  // NaN stays
        sum = sum > high ? high : sum;
      });
    }
    i64 at[V];
    unrolled<V>([&](auto i) __attribute__((always_inline)) { at[i] = out_[v + i]; });
    const i64 count = count_;
    if (count == lanes || !direct_)
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        store(to + i / V * to_row + at[i % V], acc[i / V][i % V]);
      });
    else
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        store_first(to + i / V * to_row + at[i % V], acc[i / V][i % V], count);
      });
    to += R * to_row;
    if (direct_)  // what the next rows will be the first to touch
      unrolled<R * V>([&](auto i) __attribute__((always_inline)) {
        __builtin_prefetch(to + i / V * to_row + at[i % V], 1);
      });
  }

  // A row of sums, where it was stored.
  void activate(T* row) {
    if constexpr (by_lane)
      for (i64 v = 0; v < vectors_; ++v)
        activate_row(d_.activation, row + out_[v], direct_ ? count_ : lanes);
    else
      activate_row(d_.activation, row, width_);
  }

  // A row of sums to wherever it belongs, as it is stored.
  void scatter(const T* row, i64 y) {
    const i64 at = image_out_ + (top_ + y) * out_row();
    as_stored<T>(d_.out_type, args_.out.data, [&](auto* out) {
      if constexpr (by_lane) {
        const i64 m = d_.out_channels, *os = args_.out.strides;
        const i64 begin = channel_ / m * os[1] + channel_ % m * os[2];
        for (i64 l = 0; l < count_; ++l) {
          const i64 c = channel_ + l, to = at + c / m * os[1] + c % m * os[2] - begin;
          for (i64 p = 0; p < width_; ++p)
            out[to + p * out_step()] =
                narrowed<std::remove_cvref_t<decltype(*out)>>(row[p * lanes + l]);
        }
      } else {
        store_row(row, out + at, out_step(), width_);
      }
    });
  }

  const RunArgs& args_;
  const Desc& d_;
  const Cut<T, by_lane>& c_;
  const Rows r_;
  const bool clamps_;  // the activation is done in registers
  bool direct_;
  i64 taps_;
  i64 chunk_, image_, top_, width_, height_, room_, out_at_, vectors_;
  i64 outer_[kMaxRank];
  Columns columns_;
  T *stage_, *lines_;
  const T** row_;
  i64 *source_, *offset_, *at_, *out_;
  // Of the unit at work.
  Window<T> window_;
  Vec<T> bias_;
  i64 count_, channel_, image_out_;  // count_: lanes that are stored
};

template <class T>
struct Depthwise {
  static i64 scalars(const Desc& d) {
    return ceil_div(d.groups * d.out_channels * taps_of(d), kLanes<T>) * kLanes<T>;
  }

  static std::size_t packed_bytes(const Desc& d) {
    const i64 units = ceil_div(d.groups * d.out_channels, kLanes<T>);
    const i64 vectors = kLanes<T> > 1 ? units * taps_of(d) * kLanes<T> : 0;
    return static_cast<std::size_t>(scalars(d) + vectors) * sizeof(T);
  }

  // [channel][tap], and [vector of channels][tap][lane].
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d), channels = d.groups * d.out_channels;
    for (i64 c = 0; c < channels; ++c)
      for (i64 t = 0; t < taps; ++t)
        to[c * taps + t] =
            from[w_element(d, w.strides, c / d.out_channels, c % d.out_channels, 0, t)];
    if constexpr (kLanes<T> > 1) {
      T* vectors = to + scalars(d);
      for (i64 c = 0; c < channels; c += kLanes<T>)
        for (i64 t = 0; t < taps; ++t)
          for (i64 l = 0; l < kLanes<T>; ++l)
            *vectors++ = c + l < channels ? to[(c + l) * taps + t] : T(0);
    }
  }

  template <bool by_lane>
  static std::size_t scratch(const Desc& d, int threads) {
    const Cut<T, by_lane> cut(d);
    const auto numbers =
        static_cast<std::size_t>(cut.stage_room(d) + kNarrowRows * cut.line_pitch());
    return static_cast<std::size_t>(min_of(threads, cut.tasks(d))) *
           (numbers * sizeof(T) + static_cast<std::size_t>(cut.table_room(d)) * sizeof(i64));
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const std::size_t a = scratch<false>(d, threads), b = scratch<true>(d, threads);
    return a > b ? a : b;
  }

  template <bool by_lane>
  static void run_tasks(const RunArgs& args) {
    const Cut<T, by_lane> cut(args.desc);
    args.pool.parallel_for(
        cut.tasks(args.desc), [&](i64 task, int) { Task<T, by_lane>(args, cut, task).run(); },
        work_of(args.desc) > static_cast<double>(kWork));
  }

  static void run(const RunArgs& args) {
    if constexpr (kLanes<T> > 1)
      if (channels_are_lanes(args.desc, args.x, kLanes<T>)) return run_tasks<true>(args);
    run_tasks<false>(args);
  }
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(Depthwise<std::uint32_t>{});
    case DType::u64:
      return f(Depthwise<std::uint64_t>{});
    case DType::f32:
      return f(Depthwise<float>{});
    default:
      return f(Depthwise<double>{});
  }
}

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
  if (d.in_channels != 1) return "its groups have one input channel";
  if (d.groups < 2) return "it takes several groups";
  double staged = 8.0;
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    const double span = static_cast<double>(d.kernel[a]) * static_cast<double>(d.dilation[a]);
    staged *= a < d.rank - 2 ? static_cast<double>(d.kernel[a])
                             : span + static_cast<double>(a < d.rank - 1 ? 0 : 16 * d.stride[a]);
  }
  return staged < kLargestRing ? check_types(d) : "its windows span too much";
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

extern const Kernel depthwise_kernel;
const Kernel depthwise_kernel = {"depthwise", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
