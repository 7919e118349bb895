#include "python/executable.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/recycler.hpp"
#include "base/scratch.hpp"
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

Run::Run(const Executable& executable, const Packed& packed, nb::handle x, nb::handle bias,
         nb::handle scale, nb::handle residual, nb::handle out)
    : kernel_(executable.kernel()),
      x_(x, PyBUF_STRIDES),
      out_(out, PyBUF_STRIDES | PyBUF_WRITABLE),
      args_{executable.desc(), packed.data(),     {x_.data(), {}},
            nullptr,           {out_.data(), {}}, ThreadPool::instance()} {
  const Desc& d = args_.desc;
  const int axes = d.rank + 3;
  x_.expect("x", d.x_type, executable.x_shape(), axes, args_.x.strides);
  out_.expect("out", d.out_type, executable.out_shape(), axes, args_.out.strides);
  if (packed.bytes() != kernel_.packed_bytes(d))
    throw std::invalid_argument("packed: made for another problem");
  args_.bias = channels(bias_, bias, d.has_bias, "bias");
  args_.scale = channels(scale_, scale, d.has_scale, "scale");
  expect_none(d.has_residual, residual, "residual");
  if (!d.has_residual) return;
  residual_.emplace(residual, PyBUF_STRIDES);
  residual_->expect("residual", d.out_type, executable.out_shape(), axes, args_.residual.strides);
  args_.residual.data = residual_->data();
}

const void* Run::channels(std::optional<Buffer>& held, nb::handle values, bool wanted,
                          const char* name) {
  expect_none(wanted, values, name);
  if (!wanted) return nullptr;
  const Desc& d = args_.desc;
  const i64 count = d.groups * d.out_channels;
  i64 stride = 0;
  held.emplace(values, PyBUF_STRIDES);
  held->expect(name, d.compute, &count, 1, &stride);
  if (stride != 1 && count != 1)
    throw std::invalid_argument(std::string(name) + ": must be contiguous");
  return held->data();
}

void Run::operator()() const {
  kernel_.run(args_);
  trim_scratch(kKeepScratch);
}

static std::vector<Stage> stages_of(const nb::list& runs) {
  std::vector<Stage> stages;
  for (nb::handle one : runs) stages.push_back(nb::cast<const Run&>(one).stage());
  return stages;
}

CascadeJob::CascadeJob(const nb::list& runs, i64 rows) : cascade_(stages_of(runs), rows) {}

void CascadeJob::operator()() const {
  cascade_.run();
  trim_scratch(kKeepScratch);
}

void run_all(const nb::list& jobs) {
  std::vector<const Job*> all;
  for (nb::handle one : jobs) all.push_back(&nb::cast<const Job&>(one));
  const WithoutLock unlocked;
  for (const Job* job : all) (*job)();
}

}  // namespace multiconv
