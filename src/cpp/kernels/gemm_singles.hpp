// The plain form of a layer's numbers: each is one sample of one channel.
#pragma once

#include "base/kernel.hpp"
#include "kernels/channel_io.hpp"
#include "kernels/gemm_gather.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
struct Singles {
  using Number = T;
  static constexpr bool kInPlace = true;  // windows may be read where they are

  MC_INLINE Vec<T> add(Vec<T> sum, Vec<T> w, T x) { return sum + w * x; }

  // What stands for positions outside the input, and between samples.
  static T outside(const Desc& d) { return boundary_value<T>(d, 0); }
  static T hole(const Desc&) { return T(0); }

  // What the sums of an output channel begin with, beside its bias.
  static T start(i64) { return T(0); }

  // Calls f(samples, what brings `inputs` of their numbers into scratch).
  template <class F>
  static void gather(const RunArgs& args, i64, i64 inputs, F&& f) {
    const Desc& d = args.desc;
    as_stored<T>(d.x_type, args.x.data, [&](auto* x) {
      using S = std::remove_const_t<std::remove_pointer_t<decltype(x)>>;
      const i64 leading[] = {d.batch, d.groups, d.in_channels};
      const S* end = x + end_of(args.x.strides, leading, d.in_size, d.rank);
      f(x, Gather<T, S>(inputs, args.x.strides[2], end));
    });
  }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
