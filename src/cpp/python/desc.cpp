#include "python/desc.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace nb = nanobind;

namespace multiconv {
namespace {

constexpr const char* kDTypes[] = {"int8",      "uint8",      "int16",   "uint16",  "int32",
                                   "uint32",    "int64",      "uint64",  "float32", "float64",
                                   "complex64", "complex128", "bfloat16"};
constexpr const char* kBoundaries[] = {"constant", "edge", "reflect", "symmetric", "wrap"};
constexpr const char* kActivations[] = {"",     "relu",      "relu6",      "leaky_relu", "silu",
                                        "gelu", "gelu_tanh", "hard_swish", "sigmoid",    "tanh"};

template <class E, std::size_t n>
E word(const std::string& text, const char* const (&words)[n], const char* what) {
  for (std::size_t i = 0; i < n; ++i)
    if (text == words[i]) return static_cast<E>(i);
  throw std::invalid_argument(std::string(what) + ": unknown '" + text + "'");
}

void set_axes(i64* to, const std::vector<i64>& from, int rank, const char* what) {
  if (static_cast<int>(from.size()) != rank)
    throw std::invalid_argument(std::string(what) + ": one entry per spatial axis is needed");
  for (int a = 0; a < rank; ++a) to[a] = from[static_cast<std::size_t>(a)];
}

}  // namespace

Desc make_desc(const nb::dict& d) {
  auto axes = [&](const char* name) { return nb::cast<std::vector<i64>>(d[name]); };
  auto number = [&](const char* name) { return nb::cast<i64>(d[name]); };
  auto text = [&](const char* name) { return nb::cast<std::string>(d[name]); };
  Desc desc{};
  const std::vector<i64> in_size = axes("in_size");
  if (in_size.empty() || in_size.size() > kMaxRank)
    throw std::invalid_argument("in_size: native kernels take 1 to 8 spatial axes");
  desc.rank = static_cast<int>(in_size.size());
  desc.batch = number("batch");
  desc.groups = number("groups");
  desc.in_channels = number("in_channels");
  desc.out_channels = number("out_channels");
  set_axes(desc.in_size, in_size, desc.rank, "in_size");
  set_axes(desc.kernel, axes("kernel"), desc.rank, "kernel");
  set_axes(desc.out_size, axes("out_size"), desc.rank, "out_size");
  set_axes(desc.stride, axes("stride"), desc.rank, "stride");
  set_axes(desc.dilation, axes("dilation"), desc.rank, "dilation");
  set_axes(desc.in_dilation, axes("in_dilation"), desc.rank, "in_dilation");
  set_axes(desc.pad_low, axes("pad_low"), desc.rank, "pad_low");
  set_axes(desc.tile, axes("tile"), desc.rank, "tile");
  const auto boundary = nb::cast<std::vector<std::string>>(d["boundary"]);
  for (int a = 0; a < desc.rank; ++a)
    desc.boundary[a] =
        word<Boundary>(boundary.at(static_cast<std::size_t>(a)), kBoundaries, "boundary");
  desc.cval[0] = nb::cast<double>(d["cval_real"]);
  desc.cval[1] = nb::cast<double>(d["cval_imag"]);
  desc.cval_bits = nb::cast<std::uint64_t>(d["cval_bits"]);
  desc.flip = nb::cast<bool>(d["flip"]);
  desc.x_type = word<DType>(text("x_type"), kDTypes, "x_type");
  desc.compute = word<DType>(text("compute"), kDTypes, "compute");
  desc.out_type = word<DType>(text("out_type"), kDTypes, "out_type");
  desc.activation = word<Activation>(text("activation"), kActivations, "activation");
  desc.slope = nb::cast<double>(d["slope"]);
  desc.has_bias = nb::cast<bool>(d["has_bias"]);
  desc.has_scale = nb::cast<bool>(d["has_scale"]);
  desc.has_residual = nb::cast<bool>(d["has_residual"]);
  for (int a = 0; a < desc.rank; ++a)
    if (desc.in_size[a] < 1 || desc.kernel[a] < 1 || desc.out_size[a] < 1 || desc.stride[a] < 1 ||
        desc.dilation[a] < 1 || desc.in_dilation[a] < 1)
      throw std::invalid_argument("native kernels take sizes, strides and dilations from 1 on");
  if (desc.batch < 1 || desc.groups < 1 || desc.in_channels < 1 || desc.out_channels < 1)
    throw std::invalid_argument("native kernels take at least one sample, group and channel");
  return desc;
}

}  // namespace multiconv
