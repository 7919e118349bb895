// Registers that hold matrices (AMX): a product of two of them is one instruction.
//
// A register has sixteen rows of sixteen words. Rows of the first factor are pixels, a word the
// samples of neighbouring channels; rows of the second are those channels, a word their weights for
// one output. Their sums are words, too: [pixel][output].
#pragma once

#include <cstddef>

#include "base/desc.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kSide = 16;  // rows of a register, and words of a row
inline constexpr i64 kMatrix = kSide * kSide;

#if MC_VECTOR_BYTES == 64

// The calling thread may use the registers while this lives.
class MatrixRegisters {
 public:
  MatrixRegisters() {
    alignas(64) unsigned char shape[64] = {1};  // the first palette
    for (int i = 0; i < 8; ++i) {
      shape[16 + 2 * i] = 4 * kSide;  // bytes of a row
      shape[48 + i] = kSide;
    }
    asm volatile("ldtilecfg %0" : : "m"(shape));
  }
  ~MatrixRegisters() { asm volatile("tilerelease"); }
  MatrixRegisters(const MatrixRegisters&) = delete;
  MatrixRegisters& operator=(const MatrixRegisters&) = delete;
};

// Registers 0 to 3 are sums, 4 and 5 pixels, 6 and 7 weights.
template <int number>
MC_INLINE void load_matrix(const void* from, i64 row_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2"
               :
               : "r"(from), "r"(row_bytes), "i"(number)
               : "memory");
}
template <int number>
MC_INLINE void store_matrix(void* to, i64 row_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)"
               :
               : "r"(to), "r"(row_bytes), "i"(number)
               : "memory");
}
template <int number>
MC_INLINE void clear_matrix() {
  asm volatile("tilezero %%tmm%c0" : : "i"(number));
}

// Four channels a word: samples without a sign or with one, weights with one.
struct UnsignedBytes {
  template <int sum, int x, int w>
  MC_INLINE void multiply() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(x), "i"(w));
  }
};
struct SignedBytes {
  template <int sum, int x, int w>
  MC_INLINE void multiply() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(x), "i"(w));
  }
};

// Two channels a word, bfloat16; sums are floats. Subnormal numbers count as zeros.
struct BrainFloats {
  template <int sum, int x, int w>
  MC_INLINE void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(x), "i"(w));
  }
};

#else  // nothing here is ever run

struct MatrixRegisters {
  MatrixRegisters() {}
};
template <int number>
MC_INLINE void load_matrix(const void*, i64) {}
template <int number>
MC_INLINE void store_matrix(void*, i64) {}
template <int number>
MC_INLINE void clear_matrix() {}
struct UnsignedBytes {
  template <int sum, int x, int w>
  MC_INLINE void multiply() {}
};
using SignedBytes = UnsignedBytes;
using BrainFloats = UnsignedBytes;

#endif

}  // namespace
}  // namespace multiconv::MC_TARGET
