// One problem on one native kernel, and a convolution kernel packed for it.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <string>

#include "base/cascade.hpp"
#include "base/kernel.hpp"
#include "python/buffer.hpp"

namespace multiconv {

class Packed {
 public:
  explicit Packed(std::size_t bytes);
  ~Packed();
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_;
  std::size_t bytes_;
};

class Executable {
 public:
  Executable(const std::string& kernel, const std::string& target,
             const nanobind::dict& description);

  const char* refusal() const { return refusal_; }
  const Desc& desc() const { return desc_; }
  // Throws std::invalid_argument where the problem is refused.
  const Kernel& kernel() const;

  const i64* x_shape() const { return x_shape_; }
  const i64* w_shape() const { return w_shape_; }
  const i64* out_shape() const { return out_shape_; }

  Packed* pack(nanobind::handle w) const;

 private:
  Desc desc_;
  const Kernel* kernel_;
  const char* refusal_;
  i64 x_shape_[kMaxDims], w_shape_[kMaxDims], out_shape_[kMaxDims];
};

// Something to run again and again, without the interpreter's lock.
struct Job {
  virtual ~Job() = default;
  virtual void operator()() const = 0;
};

// A run on certain arrays, which it holds; not the executable and what it packed.
class Run : public Job {
 public:
  // bias, scale and residual are None where the problem has none.
  Run(const Executable& executable, const Packed& packed, nanobind::handle x, nanobind::handle bias,
      nanobind::handle scale, nanobind::handle residual, nanobind::handle out);

  void operator()() const override;
  Stage stage() const { return {kernel_, args_}; }

 private:
  const void* channels(std::optional<Buffer>& held, nanobind::handle values, bool wanted,
                       const char* name);

  const Kernel& kernel_;
  Buffer x_, out_;
  std::optional<Buffer> bias_, scale_, residual_;
  RunArgs args_;
};

// Runs by rows; it does not hold them.
class CascadeJob : public Job {
 public:
  CascadeJob(const nanobind::list& runs, i64 rows);
  void operator()() const override;

 private:
  Cascade cascade_;
};

// One after the other.
void run_all(const nanobind::list& jobs);

}  // namespace multiconv
