// Bytes and 16-bit integers, summed in lanes of 16 bits.
//
// Results of 16 bits and less depend on no higher bit of any term, so that sums may wrap: they are
// exact modulo the result's type. Means of bytes are sums that fit 16 bits, divided by a product.
// Kernels that are an outer product of integers go through each input row once, along the row
// first, and from register to register down the columns.
#include <type_traits>

#include "base/kernel.hpp"
#include "kernels/narrow_block.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kBandRows = 32;        // of a task
inline constexpr i64 kStripColumns = 4096;  // of a task
inline constexpr i64 kSpan = 1024;          // samples that a window may reach over

// A problem as planes of rows: axes before the last two have one tap each.
struct Planes {
  i64 rows, columns;  // outputs of a plane
  i64 taps_down, taps_across, step_down, step_across, span_down, span_across;
  i64 count, bands, strips;  // planes of a channel, tasks down and across a plane
  i64 strip;                 // outputs across a strip

  explicit Planes(const Desc& d) {
    const int last = d.rank - 1, row = d.rank - 2;
    rows = row < 0 ? 1 : d.out_size[row];
    columns = d.out_size[last];
    taps_down = row < 0 ? 1 : d.kernel[row];
    taps_across = d.kernel[last];
    step_down = row < 0 ? 1 : d.dilation[row];
    step_across = d.dilation[last];
    span_down = (taps_down - 1) * step_down + 1;
    span_across = (taps_across - 1) * step_across + 1;
    count = 1;
    for (int a = 0; a < row; ++a) count *= d.out_size[a];
    bands = ceil_div(rows, kBandRows);
    strips = ceil_div(columns, kStripColumns);
    strip = ceil_div(columns, strips);
    strips = ceil_div(columns, strip);
  }

  i64 taps() const { return taps_down * taps_across; }
  i64 band_inputs() const { return kBandRows + span_down - 1; }

  // Scratch of a task, in bytes: where rows begin and edges' columns lie; a row of the constant and
  // the edge of all rows.
  std::size_t table_bytes() const {
    return static_cast<std::size_t>(2 * band_inputs()) * sizeof(void*) +
           static_cast<std::size_t>(edge_pitch()) * sizeof(i64);
  }
  i64 edge_pitch() const { return kLanes<Short> + span_across - 1 + kLanes<Short>; }
  std::size_t sample_bytes() const {
    const i64 numbers = strip + span_across + band_inputs() * edge_pitch();
    return static_cast<std::size_t>(numbers) * sizeof(Short);
  }
};

bool is_mean(const Desc& d) { return d.compute == DType::f32 || d.compute == DType::f64; }

Division mean_of(const Desc& d) { return Division(taps_of(d)); }

// A task: a band of rows of one strip.
template <class S>
class Task {
 public:
  Task(const RunArgs& args, const Planes& p, i64 task) : args_(args), d_(args.desc), p_(p) {
    const i64 strip = task % p.strips;
    task /= p.strips;
    const i64 band = task % p.bands;
    task /= p.bands;
    i64 plane = task % p.count;
    task /= p.count;
    const i64 o = task % d_.out_channels, g = task / d_.out_channels % d_.groups;
    const i64 n = task / d_.out_channels / d_.groups, filter = g * d_.out_channels + o;
    const i64 *xs = args.x.strides, *os = args.out.strides;
    top_ = band * kBandRows;
    left_ = strip * p.strip;
    rows_ = min_of(kBandRows, p.rows - top_);
    width_ = min_of(p.strip, p.columns - left_);
    const S* x = static_cast<const S*>(args.x.data) + n * xs[0] + g * xs[1];
    out_at_ = n * os[0] + g * os[1] + o * os[2] + left_ * os[3 + last()];
    bool inside = true;
    for (int a = d_.rank - 3; a >= 0; --a) {
      const i64 at = plane % d_.out_size[a];
      plane /= d_.out_size[a];
      const i64 s = resolve_index(at - d_.pad_low[a], d_.in_size[a], d_.boundary[a]);
      inside = inside && s != kOutside;
      x += inside ? s * xs[3 + a] : 0;
      out_at_ += at * os[3 + a];
    }
    if (d_.rank > 1) out_at_ += top_ * os[1 + d_.rank];
    find_rows(x, inside);
    filter_ = Filter(args.packed, filter, p.taps());
    filter_.down = p.taps_down;
    filter_.across = p.taps_across;
    filter_.step = p.step_across;
    if (d_.has_bias)
      filter_.bias = static_cast<Short>(static_cast<const std::uint32_t*>(args.bias)[filter]);
  }

  void run() {
    const bool dense = args_.x.strides[3 + last()] == 1 && args_.out.strides[3 + last()] == 1;
    const i64 start = left_ - d_.pad_low[last()];
    const i64 reach = d_.in_size[last()] - p_.span_across + 1 - start;
    i64 low = min_of(max_of(-start, 0), width_), high = max_of(min_of(reach, width_), low);
    if (!dense || high - low < kLanes<Short>) low = high = width_;
    for (i64 q = 0; q < low; q += kLanes<Short>) run_edge(q, min_of(q + kLanes<Short>, low));
    if (low < high) run_inside(low, high);
    for (i64 q = high; q < width_; q += kLanes<Short>)
      run_edge(q, min_of(q + kLanes<Short>, width_));
  }

 private:
  int last() const { return d_.rank - 1; }
  i64 out_row() const { return d_.rank > 1 ? args_.out.strides[1 + d_.rank] : 0; }

  // Where tap 0 of the strip's first output reads, for each input row of the band.
  void find_rows(const S* x, bool inside) {
    rows_in_ = static_cast<const S**>(thread_scratch(Slot::table, p_.table_bytes()));
    shifted_ = rows_in_ + p_.band_inputs();
    edge_columns_ = reinterpret_cast<i64*>(shifted_ + p_.band_inputs());
    samples_ = static_cast<S*>(thread_scratch(Slot::tile, p_.sample_bytes()));
    fill(samples_, width_ + p_.span_across - 1, boundary_sample());
    edge_ = samples_ + p_.strip + p_.span_across;
    start_ = left_ - d_.pad_low[last()];
    for (i64 i = 0; i < rows_ + p_.span_down - 1; ++i) {
      i64 s = 0;
      if (d_.rank > 1) {
        const int a = d_.rank - 2;
        s = resolve_index(top_ + i - d_.pad_low[a], d_.in_size[a], d_.boundary[a]);
      }
      const bool real = inside && s != kOutside;
      rows_in_[i] = real ? x + (d_.rank > 1 ? s * args_.x.strides[1 + d_.rank] : 0) : nullptr;
    }
  }

  S boundary_sample() const {
    return is_mean(d_) ? static_cast<S>(d_.cval[0]) : static_cast<S>(d_.cval_bits);
  }

  // Outputs [low, high), whose windows lie inside the rows, which are read in place.
  void run_inside(i64 low, i64 high) {
    for (i64 i = 0; i < rows_ + p_.span_down - 1; ++i)
      shifted_[i] = rows_in_[i] ? rows_in_[i] + start_ + low : samples_;
    const i64 n = high - low;
    i64 i = 0;
    if (p_.step_down == 1 && p_.taps_down > 2 && n >= kWide * kLanes<Short>)
      for (; i + kGroup <= rows_; i += kGroup)
        filter_.grouped(shifted_ + i, n,
                        [&](i64 q, auto& sums) { write(*this, i, low + q, sums); });
    for (; i < rows_; ++i)
      filter_.single(shifted_ + i, p_.step_down, n,
                     [&](i64 q, auto& sums) { write(*this, i, low + q, sums); });
  }

  template <int R, int V>
  MC_INLINE void write(const Task& t, i64 row, i64 q, const Shorts (&sums)[R][V]) {
    const i64 step = t.out_row(), at = t.out_at_ + row * step + q;
    if (bytes_of_integer(t.d_.out_type) == 2) {
      Short* to = static_cast<Short*>(t.args_.out.data) + at;
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) store(to + r * step + v * kLanes<Short>, sums[r][v]);
    } else {
      std::uint8_t* to = static_cast<std::uint8_t*>(t.args_.out.data) + at;
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) store_bytes(to + r * step + v * kLanes<Short>, sums[r][v]);
    }
  }

  // Outputs [low, high), at most a vector of them, from a copy that goes on beyond the boundary.
  void run_edge(i64 low, i64 high) {
    const i64 n = high - low + p_.span_across - 1, pitch = p_.edge_pitch();
    for (i64 e = 0; e < n; ++e) {
      const i64 s = resolve_index(start_ + low + e, d_.in_size[last()], d_.boundary[last()]);
      edge_columns_[e] = s;
    }
    const S beyond = boundary_sample();
    const i64 step = args_.x.strides[3 + last()];
    for (i64 i = 0; i < rows_ + p_.span_down - 1; ++i) {
      S* row = edge_ + i * pitch;
      const S* from = rows_in_[i];
      shifted_[i] = row;
      for (i64 e = 0; e < n; ++e) {
        const i64 s = edge_columns_[e];
        row[e] = from && s != kOutside ? from[s * step] : beyond;
      }
    }
    for (i64 i = 0; i < rows_; ++i)
      filter_.single(shifted_ + i, p_.step_down, kLanes<Short>, [&](i64, auto& sums) {
        Short results[kLanes<Short>];
        store(results, sums[0][0]);
        const i64 at = out_at_ + i * out_row(), to = args_.out.strides[3 + last()];
        if (bytes_of_integer(d_.out_type) == 2)
          put(static_cast<Short*>(args_.out.data) + at, to, low, high, results);
        else
          put(static_cast<std::uint8_t*>(args_.out.data) + at, to, low, high, results);
      });
  }

  template <class Out>
  MC_INLINE void put(Out* to, i64 step, i64 low, i64 high, const Short* results) {
    for (i64 q = low; q < high; ++q) to[q * step] = static_cast<Out>(results[q - low]);
  }

  const RunArgs& args_;
  const Desc& d_;
  const Planes& p_;
  i64 top_, left_, rows_, width_, start_ = 0, out_at_;
  const S **rows_in_ = nullptr, **shifted_ = nullptr;  // null: all of it lies outside
  S *samples_ = nullptr, *edge_ = nullptr;
  i64* edge_columns_ = nullptr;
  Filter filter_;
};

const char* accepts(const Desc& d) {
  if (d.in_channels != 1) return "it treats input channels one by one";
  if (d.activation != Activation::none) return "it has no activations";
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1 || d.in_dilation[a] != 1) return "it takes every sample";
    if (a < d.rank - 2 && d.kernel[a] != 1) return "its kernels extend along the last two axes";
    if (d.kernel[a] > kSpan || (d.kernel[a] - 1) * d.dilation[a] >= kSpan)
      return "its windows are too large";
  }
  const int in = bytes_of_integer(d.x_type), out = bytes_of_integer(d.out_type);
  if (in < 1 || in > 2 || d.x_type == DType::i8) return "it reads uint8, int16 and uint16";
  if (out < 1 || out > 2) return "it writes integers of 8 and 16 bits";
  if (is_mean(d)) {
    if (d.x_type != DType::u8 || d.out_type == DType::i8) return "its means are of bytes";
    if (d.has_bias) return "it adds nothing to means";
    if (!mean_of(d).is_exact()) return "the sums of so many bytes are too large";
    if (!(d.cval[0] >= 0 && d.cval[0] <= 255 && d.cval[0] == static_cast<int>(d.cval[0])))
      return "the value beyond the boundary is no byte";
  } else if (d.compute != DType::u32) {
    return "it computes in short integers";
  } else {
    const auto value = static_cast<i64>(d.cval_bits);
    const i64 low = d.x_type == DType::i16 ? -32768 : 0;
    const i64 high = d.x_type == DType::u8 ? 255 : d.x_type == DType::i16 ? 32767 : 65535;
    if (value < low || value > high) return "the value beyond the boundary is no sample";
  }
  return nullptr;
}

std::size_t packed_bytes(const Desc& d) {
  return Filter::packed_bytes(d.groups * d.out_channels, taps_of(d));
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  const Planes p(d);
  for (i64 g = 0; g < d.groups; ++g)
    for (i64 o = 0; o < d.out_channels; ++o) {
      auto tap = [&](i64 t) {
        if (is_mean(d)) return std::int32_t{1};
        return static_cast<const std::int32_t*>(w.data)[w_element(d, w.strides, g, o, 0, t)];
      };
      Filter::pack(packed, g * d.out_channels + o, p.taps_down, p.taps_across, tap,
                   is_mean(d) ? mean_of(d) : Division());
    }
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  const Planes p(d);
  return static_cast<std::size_t>(threads) * (p.table_bytes() + p.sample_bytes());
}

void run(const RunArgs& args) {
  const Desc& d = args.desc;
  const Planes p(d);
  args.pool.parallel_for(
      d.batch * d.groups * d.out_channels * p.count * p.bands * p.strips,
      [&](i64 task, int) {
        if (d.x_type == DType::u8)
          Task<std::uint8_t>(args, p, task).run();
        else
          Task<Short>(args, p, task).run();
      },
      work_of(d) > 1 << 20);
}

}  // namespace

extern const Kernel narrow_kernel;
const Kernel narrow_kernel = {"narrow", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
