// The types that kernels compute in.
#pragma once

#include <cstdint>

#include "base/kernel.hpp"

namespace multiconv::MC_TARGET {

// Calls f with a number of the type that is computed in, where that is real or an integer.
template <class F>
inline auto with_real(DType compute, F&& f) {
  switch (compute) {
    case DType::u32:
      return f(std::uint32_t{});
    case DType::u64:
      return f(std::uint64_t{});
    case DType::f32:
      return f(float{});
    default:
      return f(double{});
  }
}

// A kernel's functions, where it is one template for all of these.
template <template <class> class K>
struct OfRealNumbers {
  static std::size_t packed_bytes(const Desc& d) {
    return with_real(d.compute, [&]<class T>(T) { return K<T>::packed_bytes(d); });
  }
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    with_real(d.compute, [&]<class T>(T) { K<T>::pack(d, w, packed); });
  }
  static std::size_t scratch_bytes(const Desc& d, int threads) {
    return with_real(d.compute, [&]<class T>(T) { return K<T>::scratch_bytes(d, threads); });
  }
  static void run(const RunArgs& args) {
    with_real(args.desc.compute, [&]<class T>(T) { K<T>::run(args); });
  }

  static constexpr Kernel kernel(const char* name, const char* (*accepts)(const Desc&),
                                 bool scales_and_adds) {
    return {name, accepts, packed_bytes, pack, scratch_bytes, run, scales_and_adds};
  }
};

}  // namespace multiconv::MC_TARGET
