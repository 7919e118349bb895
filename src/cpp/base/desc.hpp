// The shape-only description of one convolution, as every kernel sees it.
//
// Arrays are seen through one canonical view, whatever the caller's layout:
//   x   [batch, groups, in_channels,  *in_size]     in_channels  counts one group
//   w   [groups, out_channels, in_channels, *kernel] out_channels counts one group
//   out [batch, groups, out_channels, *out_size]
// Strides are free, so channels-last data, broadcasting and gradients need no copies.
#pragma once

#include <cstdint>

namespace multiconv {

using i64 = std::int64_t;

inline constexpr int kMaxRank = 8;  // spatial axes
inline constexpr int kMaxDims = kMaxRank + 3;

enum class DType : std::uint8_t {
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  f32,
  f64,
  c64,
  c128,
  bf16,
  count
};

enum class Boundary : std::uint8_t { constant, edge, reflect, symmetric, wrap };

enum class Activation : std::uint8_t {
  none,
  relu,
  relu6,
  leaky_relu,
  silu,
  gelu,
  gelu_tanh,
  hard_swish,
  sigmoid,
  tanh
};

// out[o] = sum_k w[k] * x[o * stride + k * dilation - pad_low], where x is read with
// (in_dilation - 1) zeros between its samples and continued by `boundary` outside.
struct Desc {
  int rank;
  i64 batch, groups, in_channels, out_channels;
  i64 in_size[kMaxRank], kernel[kMaxRank], out_size[kMaxRank];
  i64 stride[kMaxRank], dilation[kMaxRank], in_dilation[kMaxRank], pad_low[kMaxRank];
  Boundary boundary[kMaxRank];
  double cval[2];           // real and imaginary part
  std::uint64_t cval_bits;  // the same for integers, modulo 2^64
  bool flip;                // true convolution: taps are read backwards
  DType x_type;             // as stored
  DType compute;   // u32, u64 (modular integers), f32, f64, c64 or c128; also the type of w, bias
                   // and scale
  DType out_type;  // as stored
  // out = activation(scale * sum + bias + residual), as far as there are such
  Activation activation;
  double slope;  // of leaky_relu
  bool has_bias, has_scale, has_residual;
  i64 tile[kMaxRank];  // the planner's choice: sizes of blocks, numbers of cosines; else 0
};

// Memory with one stride (in elements) per canonical axis.
struct ConstView {
  const void* data;
  i64 strides[kMaxDims];
};

struct View {
  void* data;
  i64 strides[kMaxDims];
};

}  // namespace multiconv
