// What every native kernel offers. One signature for all: adding a kernel changes no binding.
#pragma once

#include <cstddef>

#include "base/desc.hpp"
#include "base/thread_pool.hpp"

namespace multiconv {

struct RunArgs {
  const Desc& desc;
  const void* packed;  // what pack() wrote
  ConstView x;
  const void* bias;  // groups * out_channels contiguous values of the compute type, or null
  View out;
  ThreadPool& pool;
  const void* scale = nullptr;  // as bias
  ConstView residual = {};      // of out's shape and type; null where there is none
};

struct Kernel {
  const char* name;
  // Null where the kernel can run the problem, else the reason why not.
  const char* (*accepts)(const Desc&);
  std::size_t (*packed_bytes)(const Desc&);
  // w is of the compute type, any strides; packed is 64-byte aligned and packed_bytes() long.
  void (*pack)(const Desc&, const ConstView& w, void* packed);
  // Scratch that run() takes in all, for that many threads.
  std::size_t (*scratch_bytes)(const Desc&, int threads);
  // Throws std::bad_alloc where scratch cannot be had; the output is complete on return.
  void (*run)(const RunArgs&);
  // Whether run() scales sums and adds a residual. A kernel that does not never meets them.
  bool scales_and_adds = false;
};

}  // namespace multiconv
