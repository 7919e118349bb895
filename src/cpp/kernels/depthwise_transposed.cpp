// Transposed layers, and input gradients of strided ones, whose groups have one input channel.
//
// With s - 1 zeros between samples, output q * s + r of an axis sees sample q + offset through the
// taps of phase r alone: those for which offset = (r + k * dilation - pad) / s is whole. Rows of
// the input are staged with their padding; all phases of a row of outputs are summed from them and
// leave side by side. Lanes are neighbouring samples, or channels where these lie side by side.
#include <cstring>

#include "kernels/compute_type.hpp"
#include "kernels/depthwise_pack.hpp"
#include "kernels/depthwise_rows.hpp"
#include "kernels/depthwise_sum.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kStage = 24 * 1024;  // bytes of staged rows that a band is cut for
inline constexpr double kWork = 1 << 17;  // multiply-adds that are worth a task
inline constexpr i64 kStored = 4;         // of these that storing an output is worth
inline constexpr double kLargestStage = 1 << 22;

MC_INLINE i64 floor_div(i64 a, i64 b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

struct Axis {
  i64 size, out, taps, step, dilation, pad;

  // The sample that an output sees through a tap, counted from its own; false where it sees none.
  bool sees(i64 phase, i64 tap, i64& offset) const {
    const i64 at = phase + tap * dilation - pad;
    offset = floor_div(at, step);
    return at == offset * step;
  }
  i64 lowest() const { return floor_div(-pad, step); }
  i64 highest() const { return floor_div(step - 1 + (taps - 1) * dilation - pad, step); }
  i64 samples() const { return ceil_div(out, step); }  // that outputs lie at
};

MC_INLINE Axis axis_of(const Desc& d, int a) {
  if (a < 0) return {1, 1, 1, 1, 1, 0};
  return {d.in_size[a], d.out_size[a], d.kernel[a], d.in_dilation[a], d.dilation[a], d.pad_low[a]};
}

template <class T, bool by_lane>
struct Cut {
  static constexpr i64 lanes = kLanes<T>;
  Axis down, along;
  Columns columns;     // of a staged row
  i64 units;           // of work, a channel or a vector of them
  i64 rows, bands;     // of outputs
  i64 staged;          // rows of the input, of a band
  i64 chunk, chunks;   // units of a task
  i64 entries, table;  // pairs of a row and the tap it is seen through, of a band; all numbers

  explicit Cut(const Desc& d) : down(axis_of(d, d.rank - 2)), along(axis_of(d, d.rank - 1)) {
    units = by_lane ? ceil_div(d.groups, lanes) : d.groups * d.out_channels;
    const i64 whole = by_lane ? 1 : lanes;
    columns.first = along.lowest();
    columns.span = ceil_div(along.samples(), whole) * whole + along.highest() - along.lowest();
    columns.begin = min_of(max_of(-columns.first, 0), columns.span);
    columns.end = max_of(min_of(along.size - columns.first, columns.span), columns.begin);
    columns.phases = 1;
    columns.step = by_lane ? lanes : 1;
    columns.shift = 0;
    columns.phase = columns.pitch = (columns.span + lanes) * columns.step;

    const auto bytes = columns.pitch * static_cast<i64>(sizeof(T));
    rows = min_of(max_of(kStage / bytes, 1) * down.step, down.out);
    bands = ceil_div(down.out, rows);
    staged = (rows + (down.taps - 1) * down.dilation) / down.step + 2;
    entries = rows * down.taps;
    table = along.step + 1 + 2 * along.taps + rows + 1 + 2 * entries + staged;
    const i64 products = ceil_div(down.taps * along.taps, down.step * along.step) + kStored;
    const double each = static_cast<double>(rows * along.out * columns.step * products);
    chunk = min_of(max_of(static_cast<i64>(kWork / each), 1), units);
    chunks = ceil_div(units, chunk);
  }

  i64 tasks(const Desc& d) const { return d.batch * chunks * bands; }
  i64 line_room() const { return ceil_div(along.out * columns.step, lanes) * lanes; }
  std::size_t scratch(const Desc& d, int threads) const {
    const auto numbers = static_cast<std::size_t>(staged * columns.pitch + line_room());
    return static_cast<std::size_t>(min_of(threads, tasks(d))) *
           (numbers * sizeof(T) + static_cast<std::size_t>(2 * table) * sizeof(i64));
  }
};

// A band of the outputs of some channels of an image.
template <class T, bool by_lane>
class Band {
  static constexpr i64 lanes = kLanes<T>;
  static constexpr int kBlock = 4;  // vectors of sums of a phase in registers

 public:
  Band(const RunArgs& args, const Cut<T, by_lane>& cut, i64 task)
      : args_(args), d_(args.desc), c_(cut), step_(step_of(args, 2 + d_.rank)) {
    top_ = task % c_.bands * c_.rows;
    task /= c_.bands;
    first_unit_ = task % c_.chunks * c_.chunk;
    image_ = task / c_.chunks;
    height_ = min_of(c_.rows, c_.down.out - top_);
    in_place_ = stored_as<T>(d_.out_type) && (by_lane ? is_plain(d_) : step_.out == 1);
    find_rows();
    find_taps();
  }

  void run() {
    const i64 end = min_of(first_unit_ + c_.chunk, c_.units);
    as_stored<T>(d_.x_type, args_.x.data, [&](auto* x) {
      for (i64 u = first_unit_; u < end; ++u) run_unit(x, by_lane ? u * lanes : u);
    });
  }

 private:
  void find_rows() {
    const auto numbers = static_cast<std::size_t>(c_.staged * c_.columns.pitch);
    T* stage = static_cast<T*>(thread_scratch(Slot::tile, numbers * sizeof(T)));
    line_ = static_cast<T*>(
        thread_scratch(Slot::line, static_cast<std::size_t>(c_.line_room()) * sizeof(T)));
    i64* table = static_cast<i64*>(
        thread_scratch(Slot::table, static_cast<std::size_t>(2 * c_.table) * sizeof(i64)));
    row_begin_ = table;
    row_ = row_begin_ + c_.rows + 1;
    row_tap_ = row_ + c_.entries;
    tap_begin_ = row_tap_ + c_.entries;
    tap_ = tap_begin_ + c_.along.step + 1;
    at_ = tap_ + c_.along.taps;
    source_ = at_ + c_.along.taps;
    staged_ = reinterpret_cast<T**>(source_ + c_.staged);

    const Axis& a = c_.down;
    const i64 x_row = d_.rank > 1 ? args_.x.strides[1 + d_.rank] : 0;
    const i64 first = max_of(floor_div(top_ - a.pad, a.step), 0);
    i64 n = 0;
    count_ = 0;
    for (i64 y = 0; y < height_; ++y) {
      row_begin_[y] = n;
      const i64 out = top_ + y;
      for (i64 k = 0; k < a.taps; ++k) {
        i64 offset;
        if (!a.sees(out % a.step, k, offset)) continue;
        const i64 row = out / a.step + offset;
        if (row < 0 || row >= a.size) continue;
        row_[n] = row - first;
        row_tap_[n++] = k * c_.along.taps;
        count_ = max_of(count_, row - first + 1);
      }
    }
    row_begin_[height_] = n;
    for (i64 i = 0; i < count_; ++i) {
      source_[i] = (first + i) * x_row;
      staged_[i] = stage + i * c_.columns.pitch;
      fill_margins(c_.columns, T(0), staged_[i]);
    }
  }

  void find_taps() {
    const Axis& a = c_.along;
    i64 n = 0;
    for (i64 r = 0; r < a.step; ++r) {
      tap_begin_[r] = n;
      for (i64 k = 0; k < a.taps; ++k) {
        i64 offset;
        if (!a.sees(r, k, offset)) continue;
        tap_[n] = k;
        at_[n++] = (offset - c_.columns.first) * c_.columns.step;
      }
    }
    tap_begin_[a.step] = n;
  }

  // A channel, or the vector of channels that begins with it.
  template <class S>
  void run_unit(const S* x, i64 channel) {
    const i64 group = channel / d_.out_channels, last = channel % d_.out_channels;
    filled_ = by_lane ? min_of(lanes, d_.groups - channel) : lanes;
    w_ = DepthwisePack<T>::template of<by_lane>(d_, args_.packed, channel);
    if constexpr (!by_lane)
      bias_ = splat(initial<T>(args_, channel));
    else if (is_plain(d_) && d_.has_bias)
      bias_ = load_first(static_cast<const T*>(args_.bias) + channel, filled_);
    else
      bias_ = Vec<T>{};
    stage(x + image_ * args_.x.strides[0], group);
    const At row = d_.rank > 1 ? step_of(args_, 1 + d_.rank) : At{0, 0};
    At at = start_of(args_, image_, group, last) + top_ * row;
    for (i64 y = 0; y < height_; ++y, at += row) {
      y_ = y;
      T* to = in_place_ ? static_cast<T*>(args_.out.data) + at.out : line_;
      if constexpr (by_lane)
        run_pixels(to, in_place_ ? step_.out : lanes);
      else
        run_row(to);
      finish(channel, to, at);
    }
  }

  template <class S>
  void stage(const S* x, i64 group) {
    const RowList<T> rows{source_, staged_, count_};
    const i64 neighbour = args_.x.strides[2 + d_.rank];
    if constexpr (by_lane)
      stage_channels(d_, c_.columns, x, neighbour, group, 1, filled_, rows);
    else
      stage_pixels(d_, c_.columns, x + group * args_.x.strides[1], neighbour, rows);
  }

  // V vectors of sums of one phase; q is the first one's sample.
  template <int V>
  void sum(i64 phase, i64 q, Vec<T> (&acc)[V]) const {
    const Vec<T> bias = bias_;
    unrolled<V>([&](auto v) __attribute__((always_inline)) { acc[v] = bias; });
    for (i64 j = row_begin_[y_]; j < row_begin_[y_ + 1]; ++j) {
      const T* x = staged_[row_[j]] + q * c_.columns.step;
      const T* w = w_ + row_tap_[j] * c_.columns.step;
      for (i64 t = tap_begin_[phase]; t < tap_begin_[phase + 1]; ++t) {
        const auto tap = tap_of<by_lane>(w, tap_[t]);
        unrolled<V>([&](auto v) __attribute__((always_inline)) {
          acc[v] += load(x + at_[t] + v * lanes) * tap;
        });
      }
    }
  }

  // A row where lanes are samples.
  void run_row(T* to) const {
    const i64 s = c_.along.step, samples = c_.along.samples();
    i64 q = 0;
    if constexpr (lanes > 1)
      if (s == 2) {
        for (; (q + kBlock * lanes) * 2 <= c_.along.out; q += kBlock * lanes)
          run_pairs<kBlock>(q, to + 2 * q);
        for (; (q + lanes) * 2 <= c_.along.out; q += lanes) run_pairs<1>(q, to + 2 * q);
        if (q == samples) return;
        T rest[2 * lanes];
        run_pairs<1>(q, rest);
        std::memcpy(to + 2 * q, rest, static_cast<std::size_t>(c_.along.out - 2 * q) * sizeof(T));
        return;
      }
    for (; q < samples; q += lanes)
      for (i64 r = 0; r < s; ++r) {
        Vec<T> acc[1];
        T sums[lanes];
        sum(r, q, acc);
        store(sums, acc[0]);
        const i64 end = min_of(lanes, ceil_div(c_.along.out - r, s) - q);
        for (i64 l = 0; l < end; ++l) to[(q + l) * s + r] = sums[l];
      }
  }

  // Two phases, whose outputs alternate.
  template <int V>
  void run_pairs(i64 q, T* to) const {
    constexpr std::make_integer_sequence<int, kLanes<T>> all{};
    Vec<T> even[V], odd[V];
    sum(0, q, even);
    sum(1, q, odd);
    unrolled<V>([&](auto v) __attribute__((always_inline)) {
      constexpr auto from = [](int e) { return e / 2 + e % 2 * kLanes<T>; };
      T* place = to + 2 * v * lanes;
      store(place, pick<from>(even[v], odd[v], all));
      store(place + lanes, pick<[](int e) { return kLanes<T> / 2 + e / 2 + e % 2 * kLanes<T>; }>(
                               even[v], odd[v], all));
    });
  }

  // A row where lanes are channels; pixels lie `apart`.
  void run_pixels(T* to, i64 apart) const {
    const i64 s = c_.along.step, whole = c_.along.out / s;
    i64 q = 0;
    for (; q + kBlock <= whole; q += kBlock)
      for (i64 r = 0; r < s; ++r) run_phase<kBlock>(q, r, to, apart);
    for (; q < c_.along.samples(); ++q)
      for (i64 r = 0; r < min_of(s, c_.along.out - q * s); ++r) run_phase<1>(q, r, to, apart);
  }

  template <int V>
  void run_phase(i64 q, i64 r, T* to, i64 apart) const {
    Vec<T> acc[V];
    sum(r, q, acc);
    const i64 s = c_.along.step, filled = filled_;
    unrolled<V>([&](auto v) __attribute__((always_inline)) {
      T* place = to + ((q + v) * s + r) * apart;
      if (filled == lanes || !in_place_)
        store(place, acc[v]);
      else
        store_first(place, acc[v], filled);
    });
  }

  // Sums become results, and these go where they belong.
  void finish(i64 channel, T* row, At at) {
    const i64 width = c_.along.out;
    if constexpr (by_lane) {
      if (in_place_) return;
      RunArgs even = args_;
      even.residual.strides[2] = args_.residual.strides[1];
      finish_lanes(even, channel, filled_, at.residual, step_.residual, row, width);
      T* out = static_cast<T*>(args_.out.data) + at.out;
      for (i64 p = 0; p < width; ++p)
        store_first(out + p * step_.out, load(row + p * lanes), filled_);
    } else {
      finish_row(args_, channel, at.residual, step_.residual, row, width);
      if (in_place_) return;
      as_stored<T>(d_.out_type, args_.out.data,
                   [&](auto* out) { store_row(row, out + at.out, step_.out, width); });
    }
  }

  const RunArgs& args_;
  const Desc& d_;
  const Cut<T, by_lane>& c_;
  const At step_;
  i64 top_, height_, image_, first_unit_;
  bool in_place_;  // sums are stored where results belong
  i64 count_;      // staged rows
  T* line_;
  i64 *row_begin_, *row_, *row_tap_;  // of an output row: staged rows, and their taps
  i64 *tap_begin_, *tap_, *at_;       // of a phase: taps, and the places they read
  i64* source_;
  T** staged_;
  // Of the unit at work.
  i64 filled_, y_;
  const T* w_;
  Vec<T> bias_;
};

template <class T>
struct DepthwiseTransposed : DepthwisePack<T> {
  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const std::size_t a = Cut<T, false>(d).scratch(d, threads);
    const std::size_t b = Cut<T, true>(d).scratch(d, threads);
    return a > b ? a : b;
  }

  template <bool by_lane>
  static void run_bands(const RunArgs& args) {
    const Cut<T, by_lane> cut(args.desc);
    args.pool.parallel_for(
        cut.tasks(args.desc), [&](i64 task, int) { Band<T, by_lane>(args, cut, task).run(); },
        work_of(args.desc) > kWork);
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const bool neighbours = args.x.strides[1] == 1 && args.out.strides[1] == 1 &&
                            (!d.has_residual || args.residual.strides[1] == 1);
    if constexpr (kLanes<T> > 1)
      if (neighbours && d.out_channels == 1 && stored_as<T>(d.x_type) && stored_as<T>(d.out_type))
        return run_bands<true>(args);
    run_bands<false>(args);
  }
};

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
  if (d.in_channels != 1) return "its groups have one input channel";
  if (d.groups < 2) return "it takes several groups";
  if (d.rank > 2) return "it takes one or two axes";
  bool dilated = false;
  double staged = 8.0;
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1) return "it computes every output, this problem skips some";
    if (d.boundary[a] != Boundary::constant || d.cval[0] != 0 || d.cval_bits != 0)
      return "it continues the data by zeros only";
    dilated |= d.in_dilation[a] > 1;
    const double seen = static_cast<double>(d.kernel[a]) * static_cast<double>(d.dilation[a]);
    staged *= seen + static_cast<double>(d.in_dilation[a] + (a == d.rank - 1 ? d.out_size[a] : 0));
  }
  if (!dilated) return "there are no zeros between the samples";
  return staged < kLargestStage ? check_types(d) : "its windows span too much";
}

}  // namespace

extern const Kernel depthwise_transposed_kernel;
const Kernel depthwise_transposed_kernel =
    OfRealNumbers<DepthwiseTransposed>::kernel("depthwise_transposed", accepts, true);

}  // namespace multiconv::MC_TARGET
