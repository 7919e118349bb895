#include "python/executable.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/recycler.hpp"
#include "base/scratch.hpp"
#include "python/buffer.hpp"
#include "python/desc.hpp"
#include "python/lock.hpp"
#include "registry.hpp"

namespace nb = nanobind;

namespace multiconv {
namespace {

constexpr std::size_t kKeepScratch = 64 << 20;  // bytes a slot that a thread keeps between calls
constexpr std::size_t kLongPack = 1 << 14;      // bytes from which packing lets other threads run

}  // namespace

Packed::Packed(std::size_t bytes) : data_(take_memory(bytes)), bytes_(bytes) {
  if (data_ == nullptr) throw std::bad_alloc();
}

Packed::~Packed() { give_memory(data_, bytes_); }

Executable::Executable(const std::string& kernel, const std::string& target,
                       const nb::dict& description)
    : desc_(make_desc(description)), kernel_(find_kernel(kernel.c_str(), target.c_str())) {
  if (kernel_ == nullptr)
    throw std::invalid_argument("kernel: there is no '" + kernel + "' for '" + target + "' here");
  const Desc& d = desc_;
  refusal_ = kernel_->accepts(d);
  if (refusal_ == nullptr && (d.has_scale || d.has_residual) && !kernel_->scales_and_adds)
    refusal_ = "it neither scales its sums nor adds a residual";
  const i64 x[] = {d.batch, d.groups, d.in_channels};
  const i64 w[] = {d.groups, d.out_channels, d.in_channels};
  const i64 out[] = {d.batch, d.groups, d.out_channels};
  std::copy(d.in_size, d.in_size + d.rank, std::copy(x, x + 3, x_shape_));
  std::copy(d.kernel, d.kernel + d.rank, std::copy(w, w + 3, w_shape_));
  std::copy(d.out_size, d.out_size + d.rank, std::copy(out, out + 3, out_shape_));
}

const Kernel& Executable::kernel() const {
  if (refusal_ != nullptr) throw std::invalid_argument(std::string("kernel: ") + refusal_);
  return *kernel_;
}

Packed* Executable::pack(nb::handle w) const {
  const Buffer buffer(w, PyBUF_STRIDES);
  ConstView view{buffer.data(), {}};
  buffer.expect("w", desc_.compute, w_shape_, desc_.rank + 3, view.strides);
  auto packed = std::make_unique<Packed>(kernel().packed_bytes(desc_));
  if (packed->bytes() < kLongPack) {
    kernel_->pack(desc_, view, packed->data());
  } else {
    const WithoutLock unlocked;
    kernel_->pack(desc_, view, packed->data());
  }
  return packed.release();
}

// Presence in the problem and in the call must agree.
static void expect_none(bool wanted, nb::handle array, const char* name) {
  if (wanted == array.is_none())
    throw std::invalid_argument(std::string(name) +
                                ": given without a place in the problem, or missing");
}

void Executable::check_channels(const Buffer& values, const char* name) const {
  const i64 count = desc_.groups * desc_.out_channels;
  i64 stride = 0;
  values.expect(name, desc_.compute, &count, 1, &stride);
  if (stride != 1 && count != 1)
    throw std::invalid_argument(std::string(name) + ": must be contiguous");
}

void Executable::run(const Packed& packed, nb::handle x, nb::handle bias, nb::handle scale,
                     nb::handle residual, nb::handle out) const {
  const Buffer x_buffer(x, PyBUF_STRIDES), out_buffer(out, PyBUF_STRIDES | PyBUF_WRITABLE);
  ConstView x_view{x_buffer.data(), {}};
  View out_view{out_buffer.data(), {}};
  x_buffer.expect("x", desc_.x_type, x_shape_, desc_.rank + 3, x_view.strides);
  out_buffer.expect("out", desc_.out_type, out_shape_, desc_.rank + 3, out_view.strides);
  if (packed.bytes() != kernel().packed_bytes(desc_))
    throw std::invalid_argument("packed: made for another problem");
  RunArgs args{desc_, packed.data(), x_view, nullptr, out_view, ThreadPool::instance()};
  expect_none(desc_.has_bias, bias, "bias");
  expect_none(desc_.has_scale, scale, "scale");
  expect_none(desc_.has_residual, residual, "residual");
  std::optional<Buffer> held[3];  // until the run is over
  if (desc_.has_bias) {
    check_channels(held[0].emplace(bias, PyBUF_STRIDES), "bias");
    args.bias = held[0]->data();
  }
  if (desc_.has_scale) {
    check_channels(held[1].emplace(scale, PyBUF_STRIDES), "scale");
    args.scale = held[1]->data();
  }
  if (desc_.has_residual) {
    held[2].emplace(residual, PyBUF_STRIDES);
    held[2]->expect("residual", desc_.out_type, out_shape_, desc_.rank + 3, args.residual.strides);
    args.residual.data = held[2]->data();
  }
  const WithoutLock unlocked;
  kernel_->run(args);
  trim_scratch(kKeepScratch);
}

}  // namespace multiconv
