// Weight gradients of layers whose channels are convolved by themselves:
//     out[c, tap] = sum over n, pixels of x[n, c, window(pixel)[tap]] * grad[n, c, pixel].
// Lanes are channels where these lie side by side in memory, and where bands of rows can be turned
// around in the cache. Elsewhere lanes are pixels, and rows of the data are staged with
// their padding, one phase of the stride after the other. Rows are dealt to a number of shares that
// the problem alone decides, and shares are added in order.
#include "kernels/gradient_rows.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kUnit = 16;  // channels of a task where lanes are pixels
inline constexpr i64 kTasks = 8;
inline constexpr i64 kWork = 1 << 16;
inline constexpr double kLargestStage = 16 << 20;
inline constexpr i64 kTurned = 128 << 10;  // bytes of rows that are turned around at once
inline constexpr i64 kAgain = 2;  // rows that two bands turn: at most so many of each of its own

// Sizes of the layer whose gradient it is, rows first.
struct Plane {
  i64 images, rows, high, wide, tall;  // outputs down, samples down and along, taps down
  RowTaps along, down;
  i64 taps;
};

MC_INLINE RowTaps axis_of(const Desc& d, int a) {
  return {d.dilation[a], d.stride[a], d.pad_low[a], d.in_size[a], d.kernel[a]};
}

MC_INLINE Plane plane_of(const Desc& d) {
  const int last = d.rank - 1;
  const RowTaps one = {1, 1, 0, 1, 1};
  Plane p{};
  p.along = axis_of(d, last);
  p.down = last > 0 ? axis_of(d, 0) : one;
  p.images = d.in_channels;
  p.rows = p.down.outputs;
  p.high = p.down.size;
  p.wide = d.out_size[last];
  p.tall = last > 0 ? d.out_size[0] : 1;
  p.taps = p.tall * p.wide;
  return p;
}

// Where rows of a vector of channels lie.
template <class T>
struct Rows {
  const T* data;
  i64 row, step;
};

enum class Lanes { pixels, channels, turned };

template <class T>
struct Cut {
  Lanes kind;
  bool by_channels;
  i64 units;   // vectors of channels, or sets of kUnit
  i64 shares;  // of the rows of all images
  i64 reach;   // samples of one phase of a staged row
  i64 pitch;   // of a staged row
  i64 staged;  // rows
  i64 band;    // rows of gradients that are turned around at once; 0 where there is no room

  Cut(const Desc& d, const Plane& p, Lanes lanes_are) {
    kind = lanes_are;
    by_channels = kind != Lanes::pixels;
    band = p.rows;
    while (band > 0 && turned(p) * static_cast<i64>(sizeof(T)) > kTurned) --band;
    units = ceil_div(d.groups, by_channels ? kLanes<T> : kUnit);
    const i64 rows = p.images * p.rows;
    shares = max_of(min_of(ceil_div(kTasks, units), rows / 4), 1);
    const RowTaps& a = p.along;
    reach = (ceil_div(a.outputs, kLanes<T>) + 1) * kLanes<T> + (p.wide - 1) * a.dilation / a.stride;
    pitch = reach * a.stride;
    const i64 most = min_of(ceil_div(rows, shares), p.rows);
    staged = min_of((most - 1) * p.down.stride + (p.tall - 1) * p.down.dilation + 1, p.high);
  }

  // Rows of the data that a band sees, and numbers of its two sides.
  i64 seen(const Plane& p) const {
    return min_of((band - 1) * p.down.stride + (p.tall - 1) * p.down.dilation + 1, p.high);
  }
  i64 turned(const Plane& p) const {
    return (seen(p) * p.along.size + band * p.along.outputs) * kLanes<T>;
  }
  bool turns(const Plane& p) const {
    return band > 0 && (band == p.rows || seen(p) <= kAgain * band * p.down.stride);
  }

  i64 sums(const Plane& p) const { return p.taps * kLanes<T> * (by_channels ? 1 : kUnit); }
  i64 shared_room(const Plane& p) const { return shares * units * sums(p); }
  // A row of zeros, the staged rows, the gradient's row.
  i64 stage_room(const Plane& p) const {
    if (by_channels) return kLanes<T> + (kind == Lanes::turned ? turned(p) : 0);
    return (staged + 1) * pitch + reach;
  }
};

template <class T>
class DepthwiseGradient {
 public:
  static std::size_t packed_bytes(const Desc&) { return sizeof(ConstView); }

  // The kernel is the gradient at a layer's output, as large as the data: it is read where it lies.
  static void pack(const Desc&, const ConstView& w, void* packed) {
    *static_cast<ConstView*>(packed) = w;
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Plane p = plane_of(d);
    std::size_t most = 0;
    for (const Lanes kind : {Lanes::pixels, Lanes::channels, Lanes::turned}) {
      const Cut<T> cut(d, p, kind);
      if (kind == Lanes::turned && !cut.turns(p)) continue;
      const i64 numbers = cut.shared_room(p) + threads * cut.stage_room(p);
      const std::size_t bytes = static_cast<std::size_t>(numbers) * sizeof(T);
      most = bytes > most ? bytes : most;
    }
    return most;
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const ConstView& grad = *static_cast<const ConstView*>(args.packed);
    const Plane p = plane_of(d);
    const Cut<T> cut = cut_for(d, p, args.x, grad);
    const auto bytes = static_cast<std::size_t>(cut.shared_room(p)) * sizeof(T);
    T* sums = static_cast<T*>(thread_scratch(Slot::kernel, bytes));
    const DepthwiseGradient job{d, p, cut, args.x, grad, args.out, sums};
    args.pool.parallel_for(
        cut.units * cut.shares, [&](i64 t, int) { job.add_up(t % cut.units, t / cut.units); },
        work_of(d) > static_cast<double>(kWork));
    for (i64 u = 0; u < cut.units; ++u) job.finish(u);
  }

 private:
  static Cut<T> cut_for(const Desc& d, const Plane& p, const ConstView& x, const ConstView& grad) {
    if (kLanes<T> == 1 || d.groups < kLanes<T>) return {d, p, Lanes::pixels};
    if (x.strides[1] == 1 && grad.strides[0] == 1) return {d, p, Lanes::channels};
    const Cut<T> cut(d, p, Lanes::turned);
    return cut.turns(p) ? cut : Cut<T>(d, p, Lanes::pixels);
  }

  DepthwiseGradient(const Desc& d, const Plane& p, const Cut<T>& cut, const ConstView& x,
                    const ConstView& grad, const View& out, T* sums)
      : d_(d),
        p_(p),
        cut_(cut),
        out_(out),
        sums_(sums),
        data_(static_cast<const T*>(x.data)),
        grad_(static_cast<const T*>(grad.data)) {
    const int last = d.rank - 1;
    const i64 *xs = x.strides, *gs = grad.strides;
    channel_[0] = xs[1], image_[0] = xs[2], row_[0] = last > 0 ? xs[3] : 0, step_[0] = xs[3 + last];
    channel_[1] = gs[0], image_[1] = gs[2], row_[1] = last > 0 ? gs[3] : 0, step_[1] = gs[3 + last];
  }

  // The first channel of a unit; the last vector overlaps the one before it.
  i64 channel_of(i64 unit) const {
    return cut_.by_channels ? min_of(unit * kLanes<T>, d_.groups - kLanes<T>) : unit * kUnit;
  }

  T* sums_of(i64 unit, i64 share) const {
    return sums_ + (share * cut_.units + unit) * cut_.sums(p_);
  }

  void add_up(i64 unit, i64 share) const {
    T* sums = sums_of(unit, share);
    fill(sums, cut_.sums(p_), T(0));
    const auto bytes = static_cast<std::size_t>(cut_.stage_room(p_)) * sizeof(T);
    T* stage = static_cast<T*>(thread_scratch(Slot::tile, bytes));
    fill(stage, cut_.by_channels ? kLanes<T> : cut_.pitch, T(0));
    const i64 rows = p_.images * p_.rows, end = rows * (share + 1) / cut_.shares;
    for (i64 r = rows * share / cut_.shares; r < end;) {
      const i64 n = r / p_.rows, first = r % p_.rows;
      const i64 past = min_of(first + end - r, p_.rows);
      const i64 c = channel_of(unit);
      if (cut_.kind == Lanes::channels)
        add_vectors(in_place(0, n, c), in_place(1, n, c), first, past, stage, sums);
      else if (cut_.kind == Lanes::turned)
        for (i64 b = first; b < past; b += cut_.band)
          add_band(n, c, b, min_of(b + cut_.band, past), stage, sums);
      else
        for (i64 i = 0; i < min_of(kUnit, d_.groups - c); ++i)
          add_channel(n, c + i, first, past, stage, sums + i * p_.taps * kLanes<T>);
      r += past - first;
    }
  }

  // The row of the data that tap k of output row r sees; outside [0, high) there is none.
  i64 row_of(i64 r, i64 k) const { return r * p_.down.stride + k * p_.down.dilation - p_.down.low; }

  // A vector's rows of the data (0) or of the gradient (1).
  Rows<T> in_place(int side, i64 n, i64 c) const {
    const T* first = (side == 0 ? data_ : grad_) + n * image_[side] + c * channel_[side];
    return {first, row_[side], step_[side]};
  }

  // Rows [first, past), whose channels become neighbours at `to`.
  Rows<T> turned(int side, i64 n, i64 c, i64 first, i64 past, T* to) const {
    constexpr i64 lanes = kLanes<T>;
    const i64 wide = side == 0 ? p_.along.size : p_.along.outputs;
    const T* from = in_place(side, n, c).data + first * row_[side];
    const bool whole = row_[side] == wide * step_[side];
    const i64 runs = whole ? 1 : past - first, length = whole ? (past - first) * wide : wide;
    for (i64 r = 0; r < runs; ++r) {
      const Planes<const T> planes = {from + r * row_[side], lanes, channel_[side], nullptr};
      const i64 apart = max_of((lanes - 1) * channel_[side], 0);
      const T* end = planes.first + apart + (length - 1) * step_[side] + 1;
      read_run(planes, step_[side], length, end, to + r * wide * lanes);
    }
    return {to - first * wide * lanes, wide * lanes, lanes};
  }

  void add_band(i64 n, i64 c, i64 first, i64 past, T* stage, T* sums) const {
    const i64 top = min_of(max_of(row_of(first, 0), 0), p_.high - 1);
    const i64 bottom = max_of(min_of(row_of(past - 1, p_.tall - 1) + 1, p_.high), top + 1);
    T* data = stage + kLanes<T>;
    T* grad = data + cut_.seen(p_) * p_.along.size * kLanes<T>;
    add_vectors(turned(0, n, c, top, bottom, data), turned(1, n, c, first, past, grad), first, past,
                stage, sums);
  }

  void add_vectors(const Rows<T>& data, const Rows<T>& grad, i64 first, i64 past, const T* zeros,
                   T* sums) const {
    for (i64 r = first; r < past; ++r)
      for (i64 k = 0; k < p_.tall; ++k) {
        const i64 row = row_of(r, k);
        const bool inside = row >= 0 && row < p_.high;
        const T* from = inside ? data.data + row * data.row : zeros;
        T* to = sums + k * p_.wide * kLanes<T>;
        each_taps(p_.wide, [&]<int K>(i64 t) {
          row_by_channels<T, K>(p_.along, t, from, inside ? data.step : 0, grad.data + r * grad.row,
                                grad.step, to + t * kLanes<T>);
        });
      }
  }

  void add_channel(i64 n, i64 c, i64 first, i64 past, T* stage, T* sums) const {
    const RowTaps& a = p_.along;
    const i64 top = max_of(row_of(first, 0), 0), reach = cut_.reach;
    const i64 bottom = min_of(row_of(past - 1, p_.tall - 1) + 1, p_.high);
    T* rows = stage + cut_.pitch;
    for (i64 y = top; y < bottom; ++y) {
      const T* row = data_ + n * image_[0] + c * channel_[0] + y * row_[0];
      for (i64 f = 0; f < a.stride; ++f)
        stage_phase(row, step_[0], a.size, f - a.low, a.stride, reach,
                    rows + (y - top) * cut_.pitch + f * reach);
    }
    T* grad = rows + cut_.staged * cut_.pitch;
    for (i64 r = first; r < past; ++r) {
      const T* from = grad_ + n * image_[1] + c * channel_[1] + r * row_[1];
      stage_phase(from, step_[1], a.outputs, 0, 1, reach, grad);
      for (i64 k = 0; k < p_.tall; ++k) {
        const i64 y = row_of(r, k);
        const T* row = y >= 0 && y < p_.high ? rows + (y - top) * cut_.pitch : stage;
        T* to = sums + k * p_.wide * kLanes<T>;
        each_taps(p_.wide, [&]<int K>(i64 t) {
          const T* taps[K];
          for (int i = 0; i < K; ++i) {
            const i64 at = (t + i) * a.dilation;
            taps[i] = row + at % a.stride * reach + at / a.stride;
          }
          row_by_pixels<T, K>(taps, grad, a.outputs, to + t * kLanes<T>);
        });
      }
    }
  }

  // Adds the shares of a unit, first to last, and writes its outputs.
  void finish(i64 unit) const {
    T* sums = sums_of(unit, 0);
    for (i64 s = 1; s < cut_.shares; ++s) {
      const T* more = sums_of(unit, s);
      for (i64 i = 0; i < cut_.sums(p_); ++i) sums[i] += more[i];
    }
    const i64 c = channel_of(unit), *s = out_.strides;
    const i64 down = d_.rank > 1 ? s[3] : 0, along = s[2 + d_.rank];
    const i64 channels = min_of(cut_.by_channels ? kLanes<T> : kUnit, d_.groups - c);
    T* out = static_cast<T*>(out_.data) + c * s[1];
    for (i64 i = 0; i < channels; ++i)
      for (i64 k = 0, t = 0; k < p_.tall; ++k)
        for (i64 j = 0; j < p_.wide; ++j, ++t)
          out[i * s[1] + k * down + j * along] = cut_.by_channels
                                                     ? sums[t * kLanes<T> + i]
                                                     : total(sums + (i * p_.taps + t) * kLanes<T>);
  }

  static T total(const T* lanes) {
    T part[kLanes<T>];
    for (int i = 0; i < kLanes<T>; ++i) part[i] = lanes[i];
    for (int half = kLanes<T> / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) part[i] += part[i + half];
    return part[0];
  }

  const Desc& d_;
  const Plane& p_;
  const Cut<T>& cut_;
  const View& out_;
  T* sums_;  // [share][unit]
  const T *data_, *grad_;
  i64 channel_[2], image_[2], row_[2], step_[2];  // of the data and of the gradient
};

template <class T>
struct Of {
  using Sum = DepthwiseGradient<T>;
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  if (d.compute == DType::f32) return f(Of<float>{});
  return f(Of<double>{});
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it sums real floats only";
  if (d.x_type != d.compute || d.out_type != d.compute) return "what is stored is not computed in";
  if (d.rank > 2) return "it takes one or two axes";
  if (d.batch != 1 || d.out_channels != 1 || d.groups < 2)
    return "its groups have one channel on either side";
  if (d.flip || d.has_bias || d.activation != Activation::none)
    return "gradients have no bias or activation, and are not flipped";
  double staged = sizeof(double);
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] > 1) return "it reads no zeros between samples";
    if (d.boundary[a] != Boundary::constant || d.cval[0] != 0.0) return "outside it knows zeros";
    staged *= static_cast<double>(d.in_size[a] + d.kernel[a] + d.out_size[a] * d.stride[a]);
  }
  return staged < kLargestStage ? nullptr : "its rows take too much room";
}

std::size_t packed_bytes(const Desc& d) {
  return dispatch(d, [&](auto k) { return decltype(k)::Sum::packed_bytes(d); });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  dispatch(d, [&](auto k) { decltype(k)::Sum::pack(d, w, packed); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto k) { return decltype(k)::Sum::scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto k) { decltype(k)::Sum::run(args); });
}

}  // namespace

extern const Kernel depthwise_gradient_kernel;
const Kernel depthwise_gradient_kernel = {"depthwise_gradient", accepts, packed_bytes, pack,
                                          scratch_bytes,        run};

}  // namespace multiconv::MC_TARGET
