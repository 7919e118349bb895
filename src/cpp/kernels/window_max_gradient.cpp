// The gradient of the largest value under a moving window: what came for a window goes to the first
// of its largest values in row-major order, or to its last NaN.
//
// The problem is the adjoint of the pooling: x holds a number for each window, `residual` the data,
// out the data's gradient, which is as large. Windows of a row are compared side by side, tap after
// tap; only the addition at the end goes value by value. A task has all windows of some channels,
// so that no two threads add to one place.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/boundary.hpp"
#include "base/kernel.hpp"
#include "base/scratch.hpp"

namespace multiconv::MC_TARGET {
namespace {

constexpr i64 kBlock = 1024;    // windows times channels that are compared at once
constexpr i64 kChannels = 64;   // of a task, where channels are neighbours
constexpr i64 kTask = 1 << 14;  // comparisons that are worth a second thread

template <class T>
using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

i64 taps_in(const Desc& d) {
  i64 n = 1;
  for (int a = 0; a < d.rank; ++a) n *= d.kernel[a];
  return n;
}

// Whether neighbouring channels lie side by side everywhere.
bool channels_side_by_side(const RunArgs& args) {
  return args.desc.groups > 1 && args.x.strides[1] == 1 && args.out.strides[1] == 1 &&
         args.residual.strides[1] == 1;
}

// Counts the places of a box from zero, the last axis first; false when all are done.
MC_INLINE bool advance(i64* at, const i64* size, int rank) {
  for (int a = rank - 1; a >= 0; --a) {
    if (++at[a] < size[a]) return true;
    at[a] = 0;
  }
  return false;
}

template <class T>
class Task {
 public:
  Task(const RunArgs& args, i64 image, i64 channel, i64 channels)
      : d_(args.desc),
        last_(d_.rank - 1),
        channels_(channels),
        in_(args.x.strides + 3),
        data_step_(args.residual.strides + 3),
        out_step_(args.out.strides + 3),
        grad_(static_cast<const T*>(args.x.data) + image * args.x.strides[0] +
              channel * args.x.strides[1]),
        data_(static_cast<const T*>(args.residual.data) + image * args.residual.strides[0] +
              channel * args.residual.strides[1]),
        out_(static_cast<T*>(args.out.data) + image * args.out.strides[0] +
             channel * args.out.strides[1]) {
    for (int a = 0; a < d_.rank; ++a) low_[a] = (d_.kernel[a] - 1) * d_.dilation[a] - d_.pad_low[a];
    const std::size_t places = static_cast<std::size_t>(kBlock + kChannels);
    largest_ = static_cast<T*>(thread_scratch(Slot::line, places * sizeof(T)));
    tap_ = static_cast<Place<T>*>(thread_scratch(Slot::tile, places * sizeof(Place<T>)));
    offset_ = static_cast<i64*>(
        thread_scratch(Slot::table, static_cast<std::size_t>(taps_in(d_)) * sizeof(i64)));
  }

  void run() {
    clear();
    list_taps();
    const i64 columns = kBlock / channels_, wide = d_.in_size[last_];
    i64 row[kMaxRank] = {};
    do {
      for (i64 from = 0; from < wide; from += columns) {
        const i64 end = from + columns < wide ? from + columns : wide;
        find(row, from, end);
        spread(row, from, end);
      }
    } while (advance(row, d_.in_size, last_));
  }

 private:
  void clear() {
    i64 at[kMaxRank] = {};
    do {
      T* to = out_;
      for (int a = 0; a < last_; ++a) to += at[a] * out_step_[a];
      if (out_step_[last_] == channels_)
        std::fill_n(to, d_.out_size[last_] * channels_, T(0));
      else
        for (i64 i = 0; i < d_.out_size[last_]; ++i)
          std::fill_n(to + i * out_step_[last_], channels_, T(0));
    } while (advance(at, d_.out_size, last_));
  }

  // Where each tap lies, seen from its window's first.
  void list_taps() {
    i64 tap[kMaxRank] = {}, n = 0;
    do {
      i64 at = 0;
      for (int a = 0; a < d_.rank; ++a) at += tap[a] * d_.dilation[a] * out_step_[a];
      offset_[n++] = at;
    } while (advance(tap, d_.kernel, d_.rank));
  }

  // The largest values of a row's windows from `from` to `end`, and the numbers of their taps.
  void find(const i64* row, i64 from, i64 end) {
    const i64 n = (end - from) * channels_;
    for (i64 i = 0; i < n; ++i) largest_[i] = -std::numeric_limits<T>::infinity();
    for (i64 i = 0; i < n; ++i) tap_[i] = -1;
    i64 tap[kMaxRank] = {}, number = 0;
    do {
      const T* line = data_;
      bool inside = true;
      for (int a = 0; a < last_; ++a) {
        const i64 j = row[a] * d_.in_dilation[a] + tap[a] * d_.dilation[a] - low_[a];
        inside &= j >= 0 && j < d_.out_size[a];
        line += j * data_step_[a];
      }
      if (inside) compare_line(line, from, end, number);
      number += d_.kernel[last_];
    } while (advance(tap, d_.kernel, last_));
  }

  void compare_line(const T* line, i64 from, i64 end, i64 number) {
    const i64 step = d_.in_dilation[last_];
    for (i64 k = 0; k < d_.kernel[last_]; ++k) {
      const i64 shift = k * d_.dilation[last_] - low_[last_];
      const i64 first = shift < 0 ? (-shift + step - 1) / step : 0;
      const i64 furthest = d_.out_size[last_] - 1 - shift;
      const i64 stop = furthest < 0 ? 0 : furthest / step + 1;
      const i64 begin = first > from ? first : from, close = stop < end ? stop : end;
      if (begin >= close) continue;
      const i64 place = (begin - from) * channels_, apart = step * data_step_[last_];
      const T* x = line + (begin * step + shift) * data_step_[last_];
      const auto tap = static_cast<Place<T>>(number + k);
      if (channels_ > 1)
        for (i64 o = 0; o < close - begin; ++o)
          compare<1>(x + o * apart, 1, channels_, place + o * channels_, tap);
      else if (apart == 1)
        compare<1>(x, 1, close - begin, place, tap);
      else if (apart == 2)
        compare<2>(x, 2, close - begin, place, tap);
      else
        compare<0>(x, apart, close - begin, place, tap);
    }
  }

  template <int known>
  void compare(const T* x, i64 apart, i64 n, i64 place, Place<T> tap) {
    const i64 step = known > 0 ? known : apart;
    T* __restrict largest = largest_ + place;
    Place<T>* __restrict winner = tap_ + place;
    for (i64 i = 0; i < n; ++i) {
      const T v = x[i * step];
      const bool wins = (v > largest[i]) | (v != v) | (winner[i] < 0);
      largest[i] = wins ? v : largest[i];
      winner[i] = wins ? tap : winner[i];
    }
  }

  void spread(const i64* row, i64 from, i64 end) {
    const T* grad = grad_;
    T* out = out_;
    for (int a = 0; a < last_; ++a) {
      grad += row[a] * in_[a];
      out += (row[a] * d_.in_dilation[a] - low_[a]) * out_step_[a];
    }
    grad += from * in_[last_];
    out += (from * d_.in_dilation[last_] - low_[last_]) * out_step_[last_];
    const i64 apart = d_.in_dilation[last_] * out_step_[last_];
    if (channels_ == 1)
      spread<1>(grad, out, end - from, apart);
    else
      spread<0>(grad, out, end - from, apart);
  }

  template <int known>
  void spread(const T* grad, T* out, i64 n, i64 apart) {
    const i64 channels = known > 0 ? known : channels_, step = in_[last_];
    const i64* offset = offset_;
    const Place<T>* tap = tap_;
    for (i64 o = 0; o < n; ++o, grad += step, out += apart)
      for (i64 c = 0; c < channels; ++c, ++tap)
        if (*tap >= 0) out[offset[*tap] + c] += grad[c];
  }

  const Desc& d_;
  int last_;
  i64 channels_;
  const i64 *in_, *data_step_, *out_step_;
  const T *grad_, *data_;
  T* out_;
  i64 low_[kMaxRank];
  T* largest_;
  Place<T>* tap_;
  i64* offset_;
};

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64)
    return "it computes in float32 and float64";
  if (d.x_type != d.compute || d.out_type != d.compute) return "all its arrays are of one type";
  if (d.in_channels != 1 || d.out_channels != 1) return "it takes channels one by one";
  if (!d.has_residual || d.has_bias || d.has_scale || d.activation != Activation::none)
    return "it takes the data as residual and adds nothing to its results";
  double taps = 1;
  for (int a = 0; a < d.rank; ++a) {
    if (d.boundary[a] != Boundary::constant) return "nothing is larger than what is outside";
    if (d.stride[a] != 1) return "it is the adjoint of pooling, strides are input dilations";
    taps *= static_cast<double>(d.kernel[a]);
  }
  return taps < std::numeric_limits<std::int32_t>::max() ? nullptr : "its windows are too large";
}

std::size_t packed_bytes(const Desc&) { return 0; }
void pack(const Desc&, const ConstView&, void*) {}

i64 chunks(const Desc& d, bool side_by_side) {
  return side_by_side ? (d.groups + kChannels - 1) / kChannels : d.groups;
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  const i64 tasks = d.batch * chunks(d, false);
  const std::size_t each =
      static_cast<std::size_t>(kBlock + kChannels) * (d.compute == DType::f32 ? 8 : 16) +
      static_cast<std::size_t>(taps_in(d)) * sizeof(i64);
  return each * static_cast<std::size_t>(tasks < threads ? tasks : threads);
}

template <class T>
void run_as(const RunArgs& args) {
  const Desc& d = args.desc;
  const bool side_by_side = channels_side_by_side(args);
  const i64 each = side_by_side ? kChannels : 1, of_image = chunks(d, side_by_side);
  double work = static_cast<double>(d.batch * d.groups * taps_in(d));
  for (int a = 0; a < d.rank; ++a) work *= static_cast<double>(d.in_size[a]);
  args.pool.parallel_for(
      d.batch * of_image,
      [&](i64 task, int) {
        const i64 channel = task % of_image * each;
        const i64 left = d.groups - channel;
        Task<T>(args, task / of_image, channel, left < each ? left : each).run();
      },
      work > kTask);
}

void run(const RunArgs& args) {
  if (args.desc.compute == DType::f32)
    run_as<float>(args);
  else
    run_as<double>(args);
}

}  // namespace

extern const Kernel window_max_gradient_kernel;
const Kernel window_max_gradient_kernel = {"window_max_gradient", accepts, packed_bytes, pack,
                                           scratch_bytes,         run,     true};

}  // namespace multiconv::MC_TARGET
