// What happens to finished sums before they are stored: out = activation(scale * sum + bias +
// residual).
//
// Sums begin with the bias (initial()), unless they are to be scaled first. Rows of one channel go
// through finish_row(), of neighbouring channels in vector lanes through finish_lanes(); needless
// work is none where is_plain().
#pragma once

#include "base/kernel.hpp"
#include "kernels/activation.hpp"
#include "kernels/clamp.hpp"
#include "kernels/lanes.hpp"
#include "kernels/round_row.hpp"
#include "kernels/stored.hpp"
#include "simd/vec.hpp"

namespace multiconv::MC_TARGET {

// Whether sums are results: nothing is to be done to them but to store them.
MC_INLINE bool is_plain(const Desc& d) {
  return d.activation == Activation::none && !d.has_scale && !d.has_residual;
}

// An output's place in the output and in the residual, in elements; distances are of the same kind.
struct At {
  i64 out, residual;
};
MC_INLINE At operator+(At a, At b) { return {a.out + b.out, a.residual + b.residual}; }
MC_INLINE At operator*(i64 n, At a) { return {n * a.out, n * a.residual}; }
MC_INLINE At& operator+=(At& a, At b) { return a = a + b; }

// The distance of neighbours on an axis of the canonical views: batch, group, channel, spatial
// ones.
MC_INLINE At step_of(const RunArgs& args, int axis) {
  return {args.out.strides[axis], args.residual.strides[axis]};
}

// Where a channel of an image begins.
MC_INLINE At start_of(const RunArgs& args, i64 image, i64 group, i64 channel) {
  return image * step_of(args, 0) + group * step_of(args, 1) + channel * step_of(args, 2);
}

// What the sums of a channel begin with; channels are counted over all groups.
template <class T>
MC_INLINE T initial(const RunArgs& args, i64 channel) {
  const Desc& d = args.desc;
  return d.has_bias && !d.has_scale ? static_cast<const T*>(args.bias)[channel] : T(0);
}

// Those of complex numbers, one of two parts.
template <class T, int parts>
MC_INLINE T initial(const RunArgs& args, i64 channel, int part) {
  return initial<T>(args, channel * parts + part);
}

// The residual's values from element `at` on, as T.
template <class T>
void read_residual(const RunArgs& args, i64 at, i64 stride, T* to, i64 n) {
  as_stored<T>(args.desc.out_type, args.residual.data, [&](auto* data) {
    const auto* from = data + at;
    if (stride == 1)
      for (i64 i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
    else
      for (i64 i = 0; i < n; ++i) to[i] = static_cast<T>(from[i * stride]);
  });
}

inline constexpr i64 kFinished = 256;  // sums that are finished at once

// What finish_row() does with up to kFinished sums.
template <class T>
struct Finish {
  bool scaled;
  T scale, bias;      // where scaled
  const T* residual;  // or null

  // In one loop, so that a sum's place in the row cannot change its bits: the last vector, read
  // before it is written over in part, overlaps the one before it.
  template <class F>
  void run(T* row, i64 n, F&& activate) const {
    constexpr i64 lanes = kLanes<T>;
    if (n < lanes) {
      T sums[lanes] = {}, more[lanes] = {};
      for (i64 i = 0; i < n; ++i) sums[i] = row[i];
      for (i64 i = 0; i < n && residual; ++i) more[i] = residual[i];
      Finish{scaled, scale, bias, residual ? more : nullptr}.run(sums, lanes, activate);
      for (i64 i = 0; i < n; ++i) row[i] = sums[i];
      return;
    }
    const Vec<T> last = load(row + n - lanes);
    for (i64 i = 0; i < n; i += lanes) {
      const bool over = i + lanes > n;
      const i64 at = over ? n - lanes : i;
      Vec<T> sum = over ? last : load(row + at);
      if (scaled) sum = sum * scale + bias;
      if (residual) sum = sum + load(residual + at);
      store(row + at, activate(sum));
    }
  }
};

// Finishes n sums of one channel (counted over all groups) in place, unless is_plain(). `at` is
// where the first one's residual lies, `stride` how far it is to the next.
template <class T>
void finish_row(const RunArgs& args, i64 channel, i64 at, i64 stride, T* row, i64 n) {
  const Desc& d = args.desc;
  if (is_plain(d)) return;
  Finish<T> finish{d.has_scale, T(1), T(0), nullptr};
  if (d.has_scale) finish.scale = static_cast<const T*>(args.scale)[channel];
  if (d.has_scale && d.has_bias) finish.bias = static_cast<const T*>(args.bias)[channel];
  const bool readable = stride == 1 && stored_as<T>(d.out_type);
  T residual[kFinished];
  for (i64 begin = 0; begin < n; begin += kFinished) {
    const i64 count = n - begin < kFinished ? n - begin : kFinished;
    if (d.has_residual && readable) {
      finish.residual = static_cast<const T*>(args.residual.data) + at + begin;
    } else if (d.has_residual) {
      read_residual(args, at + begin * stride, stride, residual, count);
      finish.residual = residual;
    }
    if constexpr (is_float<T>)
      with_activation<T>(d.activation, static_cast<T>(d.slope),
                         [&](auto f) { finish.run(row + begin, count, f); });
    else
      finish.run(row + begin, count, [](Vec<T> x) { return x; });
  }
}

// The same for complex numbers, which have no activation: their parts lie apart in `re` and `im`,
// `step` numbers from one to the next. `at` and `stride` count complex elements.
template <class T>
void finish_complex(const RunArgs& args, i64 channel, i64 at, i64 stride, T* re, T* im, i64 step,
                    i64 n) {
  const Desc& d = args.desc;
  if (d.has_scale) {
    const T* scale = static_cast<const T*>(args.scale) + 2 * channel;
    const T* bias = static_cast<const T*>(args.bias) + 2 * channel;
    for (i64 i = 0; i < n; ++i) {
      const T a = re[i * step], b = im[i * step];
      re[i * step] = a * scale[0] - b * scale[1] + (d.has_bias ? bias[0] : T(0));
      im[i * step] = a * scale[1] + b * scale[0] + (d.has_bias ? bias[1] : T(0));
    }
  }
  if (d.has_residual) {
    const T* from = static_cast<const T*>(args.residual.data) + 2 * at;
    for (i64 i = 0; i < n; ++i) {
      re[i * step] += from[2 * i * stride];
      im[i * step] += from[2 * i * stride + 1];
    }
  }
}

// Adds a residual whose channels lie `channel` apart, and positions `position`, to sums in lanes.
template <class T, class S>
void add_residual(const S* from, i64 count, i64 channel, i64 position, T* sums, i64 n) {
  constexpr int lanes = kLanes<T>;
  i64 i = 0;
  if (channel == 1 && count == lanes) {
    for (; i < n; ++i)
      store(sums + i * lanes, load(sums + i * lanes) + load_as<T>(from + i * position));
  } else if (position == 1) {
    for (; i + lanes <= n; i += lanes) {
      Vec<T> v[lanes];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l)
        v[l] = l < count ? load_as<T>(from + l * channel + i) : Vec<T>{};
      transpose<T>(v);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) {
        T* to = sums + (i + l) * lanes;
        store(to, load(to) + v[l]);
      }
    }
  }
  for (; i < n; ++i)
    for (i64 l = 0; l < count; ++l)
      sums[i * lanes + l] += static_cast<T>(from[l * channel + i * position]);
}

// Finishes sums of kLanes<T> neighbouring output channels of a group, the first `count` of which
// are there: sums[position][lane] for n positions, in place. They begin with zeros. `channel`
// counts over all groups; `at` is where the residual of the first one lies and `position` how far
// it is to the next position's.
template <class T>
void finish_lanes(const RunArgs& args, i64 channel, i64 count, i64 at, i64 position, T* sums,
                  i64 n) {
  const Desc& d = args.desc;
  constexpr i64 lanes = kLanes<T>, most = kFinished / 4;  // positions that stay in cache
  T scales[lanes], biases[lanes];
  for (i64 l = 0; l < lanes; ++l) {
    const bool real = l < count;
    scales[l] = real && d.has_scale ? static_cast<const T*>(args.scale)[channel + l] : T(1);
    biases[l] = real && d.has_bias ? static_cast<const T*>(args.bias)[channel + l] : T(0);
  }
  const Vec<T> scale = load(scales), bias = load(biases);
  for (i64 done = 0; done < n; done += most, sums += most * lanes, at += most * position) {
    const i64 now = n - done < most ? n - done : most;
    if (d.has_scale || d.has_bias)
      for (i64 i = 0; i < now; ++i) store(sums + i * lanes, load(sums + i * lanes) * scale + bias);
    if (d.has_residual)
      as_stored_or_brain<T>(d.out_type, args.residual.data, [&](auto* data) {
        add_residual(data + at, count, args.residual.strides[2], position, sums, now);
      });
    if constexpr (is_float<T>)
      if (d.activation != Activation::none)
        with_activation<T>(d.activation, static_cast<T>(d.slope), [&](auto f) {
          for (i64 i = 0; i < now; ++i) store(sums + i * lanes, f(load(sums + i * lanes)));
        });
  }
}

// Puts rows of results through the activation, unless registers cut them off before they stored.
template <class T>
void activate_rows(const Desc& d, T* first, i64 step, i64 width, i64 rows) {
  if constexpr (is_float<T>) {
    if (d.activation == Activation::none || cuts_off(d)) return;
    const Finish<T> alone{false, T(1), T(0), nullptr};
    with_activation<T>(d.activation, static_cast<T>(d.slope), [&](auto f) {
      for (i64 row = 0; row < rows; ++row) alone.run(first + row * step, width, f);
    });
  }
}

// Compiled once for all kernels of a target, in epilogue.cpp.
#define MC_FINISH_OF(linkage, T)                                               \
  linkage template void finish_row<T>(const RunArgs&, i64, i64, i64, T*, i64); \
  linkage template void activate_rows<T>(const Desc&, T*, i64, i64, i64);      \
  linkage template void finish_lanes<T>(const RunArgs&, i64, i64, i64, i64, T*, i64)
#define MC_FINISH(linkage)              \
  MC_FINISH_OF(linkage, float);         \
  MC_FINISH_OF(linkage, double);        \
  MC_FINISH_OF(linkage, std::uint32_t); \
  MC_FINISH_OF(linkage, std::uint64_t)
MC_FINISH(extern);

// Writes n values as they are stored.
template <class T, class Out>
MC_INLINE void store_row(const T* row, Out* out, i64 stride, i64 n) {
  if constexpr (is_float<T> && sizeof(Out) <= 2)
    if (stride == 1) return round_row(row, out, n);
  if (stride == 1)
    for (i64 i = 0; i < n; ++i) out[i] = narrowed<Out>(row[i]);
  else
    for (i64 i = 0; i < n; ++i) out[i * stride] = narrowed<Out>(row[i]);
}

}  // namespace multiconv::MC_TARGET
