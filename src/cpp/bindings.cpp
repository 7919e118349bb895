// The only file that knows Python: validates, releases the GIL once, runs.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

#include "base/cpu.hpp"
#include "base/cpu_count.hpp"
#include "base/kernel.hpp"
#include "base/profile.hpp"
#include "base/scratch.hpp"
#include "base/thread_pool.hpp"
#include "registry.hpp"

namespace nb = nanobind;

namespace multiconv {
namespace {

constexpr const char* kDTypes[] = {"int8",    "uint8",   "int16",     "uint16",
                                   "int32",   "uint32",  "int64",     "uint64",
                                   "float32", "float64", "complex64", "complex128"};
constexpr i64 kItemSize[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16};
constexpr const char* kBoundaries[] = {"constant", "edge", "reflect", "symmetric", "wrap"};
constexpr const char* kActivations[] = {"",     "relu",      "relu6",      "leaky_relu", "silu",
                                        "gelu", "gelu_tanh", "hard_swish", "sigmoid",    "tanh"};

constexpr std::size_t kKeepScratch = 64 << 20;  // bytes a slot that a thread keeps between calls
constexpr std::size_t kLongPack = 1 << 14;      // bytes from which packing lets other threads run

template <class E, std::size_t n>
E word(const std::string& text, const char* const (&words)[n], const char* what) {
  for (std::size_t i = 0; i < n; ++i)
    if (text == words[i]) return static_cast<E>(i);
  throw std::invalid_argument(std::string(what) + ": unknown '" + text + "'");
}

i64 item_size(DType t) { return kItemSize[static_cast<int>(t)]; }

void set_axes(i64* to, const std::vector<i64>& from, int rank, const char* what) {
  if (static_cast<int>(from.size()) != rank)
    throw std::invalid_argument(std::string(what) + ": one entry per spatial axis is needed");
  for (int a = 0; a < rank; ++a) to[a] = from[static_cast<std::size_t>(a)];
}

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
  desc.has_bias = nb::cast<bool>(d["has_bias"]);
  for (int a = 0; a < desc.rank; ++a)
    if (desc.in_size[a] < 1 || desc.kernel[a] < 1 || desc.out_size[a] < 1 || desc.stride[a] < 1 ||
        desc.dilation[a] < 1 || desc.in_dilation[a] < 1)
      throw std::invalid_argument("native kernels take sizes, strides and dilations from 1 on");
  if (desc.batch < 1 || desc.groups < 1 || desc.in_channels < 1 || desc.out_channels < 1)
    throw std::invalid_argument("native kernels take at least one sample, group and channel");
  return desc;
}

// A NumPy array's memory while a call lasts. Raw buffers: several times quicker than a typed cast.
class Buffer {
 public:
  Buffer(nb::handle array, int flags) {
    if (PyObject_GetBuffer(array.ptr(), &view_, flags) != 0) throw nb::python_error();
  }
  ~Buffer() { PyBuffer_Release(&view_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return view_.buf; }

  // Checks type size, shape and alignment (a complex number's is its parts'); strides come back in
  // elements.
  void expect(const char* name, DType type, const i64* shape, int ndim, i64* strides) const {
    const i64 item = item_size(type);
    const bool complex = type == DType::c64 || type == DType::c128;
    const auto alignment = static_cast<std::uintptr_t>(complex ? item / 2 : item);
    if (view_.itemsize != item || view_.ndim != ndim) fail(name);
    if (reinterpret_cast<std::uintptr_t>(view_.buf) % alignment != 0) fail(name);
    for (int a = 0; a < ndim; ++a) {
      if (view_.shape[a] != shape[a]) fail(name);
      if (shape[a] != 1 && view_.strides[a] % item != 0) fail(name);
      strides[a] = shape[a] == 1 ? 0 : view_.strides[a] / item;
    }
  }

 private:
  [[noreturn]] static void fail(const char* name) {
    throw std::invalid_argument(std::string(name) + ": array does not fit the problem");
  }
  Py_buffer view_;
};

// Lets other Python threads run. A daemon thread that asks for the lock again while the interpreter
// ends is unwound by force, which would terminate the process in the first noexcept frame: it
// sleeps instead until the process is gone, as later Pythons do by themselves.
class WithoutLock {
 public:
  WithoutLock() : state_(PyEval_SaveThread()) {}
  ~WithoutLock() {
#ifdef __GLIBCXX__
    try {
      PyEval_RestoreThread(state_);
    } catch (abi::__forced_unwind&) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
#else
    PyEval_RestoreThread(state_);
#endif
  }
  WithoutLock(const WithoutLock&) = delete;
  WithoutLock& operator=(const WithoutLock&) = delete;

 private:
  PyThreadState* state_;
};

class Packed {
 public:
  explicit Packed(std::size_t bytes) : bytes_(bytes) {
    const std::size_t whole = (bytes + kAlign - 1) / kAlign * kAlign;
    data_ = std::aligned_alloc(kAlign, whole ? whole : kAlign);
    if (data_ == nullptr) throw std::bad_alloc();
  }
  ~Packed() { std::free(data_); }
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
  Executable(const std::string& kernel, const std::string& target, const nb::dict& desc)
      : desc_(make_desc(desc)), kernel_(find_kernel(kernel.c_str(), target.c_str())) {
    if (kernel_ == nullptr)
      throw std::invalid_argument("kernel: there is no '" + kernel + "' for '" + target + "' here");
    refusal_ = kernel_->accepts(desc_);
    const Desc& d = desc_;
    i64* x = x_shape_;
    i64* w = w_shape_;
    i64* out = out_shape_;
    const i64 x_lead[] = {d.batch, d.groups, d.in_channels};
    const i64 w_lead[] = {d.groups, d.out_channels, d.in_channels};
    const i64 out_lead[] = {d.batch, d.groups, d.out_channels};
    std::copy(x_lead, x_lead + 3, x);
    std::copy(w_lead, w_lead + 3, w);
    std::copy(out_lead, out_lead + 3, out);
    std::copy(d.in_size, d.in_size + d.rank, x + 3);
    std::copy(d.kernel, d.kernel + d.rank, w + 3);
    std::copy(d.out_size, d.out_size + d.rank, out + 3);
  }

  const char* refusal() const { return refusal_; }

  std::size_t packed_bytes() const { return usable().packed_bytes(desc_); }

  std::size_t scratch_bytes(int threads) const { return usable().scratch_bytes(desc_, threads); }

  Packed* pack(nb::handle w) const {
    const Buffer buffer(w, PyBUF_STRIDES);
    ConstView view{buffer.data(), {}};
    buffer.expect("w", desc_.compute, w_shape_, desc_.rank + 3, view.strides);
    auto packed = std::make_unique<Packed>(usable().packed_bytes(desc_));
    if (packed->bytes() < kLongPack) {
      kernel_->pack(desc_, view, packed->data());
    } else {
      const WithoutLock unlocked;
      kernel_->pack(desc_, view, packed->data());
    }
    return packed.release();
  }

  void run(const Packed& packed, nb::handle x, nb::handle bias, nb::handle out) const {
    const Buffer x_buffer(x, PyBUF_STRIDES), out_buffer(out, PyBUF_STRIDES | PyBUF_WRITABLE);
    ConstView x_view{x_buffer.data(), {}};
    View out_view{out_buffer.data(), {}};
    x_buffer.expect("x", desc_.x_type, x_shape_, desc_.rank + 3, x_view.strides);
    out_buffer.expect("out", desc_.out_type, out_shape_, desc_.rank + 3, out_view.strides);
    if (packed.bytes() != usable().packed_bytes(desc_))
      throw std::invalid_argument("packed: made for another problem");
    if (desc_.has_bias == bias.is_none())
      throw std::invalid_argument("bias: given without a place in the problem, or missing");
    if (bias.is_none()) {
      execute({desc_, packed.data(), x_view, nullptr, out_view, ThreadPool::instance()});
    } else {
      const Buffer bias_buffer(bias, PyBUF_STRIDES);
      const i64 shape = desc_.groups * desc_.out_channels;
      i64 stride = 0;
      bias_buffer.expect("bias", desc_.compute, &shape, 1, &stride);
      if (stride != 1 && shape != 1) throw std::invalid_argument("bias: must be contiguous");
      execute({desc_, packed.data(), x_view, bias_buffer.data(), out_view, ThreadPool::instance()});
    }
  }

 private:
  const Kernel& usable() const {
    if (refusal_ != nullptr) throw std::invalid_argument(std::string("kernel: ") + refusal_);
    return *kernel_;
  }

  void execute(const RunArgs& args) const {
    const WithoutLock unlocked;
    kernel_->run(args);
    trim_scratch(kKeepScratch);
  }

  Desc desc_;
  const Kernel* kernel_;
  const char* refusal_;
  i64 x_shape_[kMaxDims], w_shape_[kMaxDims], out_shape_[kMaxDims];
};

nb::dict machine_profile(const std::string& name) {
  const Target* target = find_target(name.c_str());
  if (target == nullptr) throw std::invalid_argument("target: '" + name + "' does not run here");
  MachineProfile p;
  {
    const WithoutLock unlocked;
    p = measure_machine(*target);
  }
  nb::dict d;
  d["flops32"] = p.flops32;
  d["flops64"] = p.flops64;
  d["bandwidth"] = p.bandwidth;
  d["bandwidth1"] = p.bandwidth1;
  d["cache"] = p.cache;
  d["wake"] = p.wake;
  d["lanes"] = p.lanes;
  return d;
}

nb::list target_list() {
  nb::list found;
  for (const Target& t : targets())
    if (t.supported) found.append(t.name);
  return found;
}

}  // namespace
}  // namespace multiconv

NB_MODULE(_core, m) {
  using namespace multiconv;
  nb::set_leak_warnings(false);  // a daemon thread may hold its plan to the very end
  m.doc() = "The native core: kernels for several instruction sets behind one signature.";
  m.def("targets", target_list, "Instruction sets that this CPU runs, best last.");
  m.def(
      "active_target", [] { return std::string(active_target().name); },
      "The instruction set in force.");
  m.def("cpu_name", cpu_name, "The CPU's name, empty where unknown.");
  m.def("measure_machine", machine_profile, nb::arg("target"),
        "Measure the limits of this machine.");
  m.def("default_num_threads", available_cpus, "CPUs that this process may use.");
  m.def("set_num_threads", [](int n) { ThreadPool::instance().set_num_threads(n); }, nb::arg("n"));
  m.def("get_num_threads", [] { return ThreadPool::instance().num_threads(); });
  nb::class_<Packed>(m, "Packed", "A kernel as one native kernel wants it.")
      .def_prop_ro("bytes", &Packed::bytes);
  nb::class_<Executable>(m, "Executable", "One problem on one native kernel.")
      .def(nb::init<const std::string&, const std::string&, const nb::dict&>(), nb::arg("kernel"),
           nb::arg("target"), nb::arg("desc"))
      .def_prop_ro("refusal", &Executable::refusal)
      .def_prop_ro("packed_bytes", &Executable::packed_bytes)
      .def("scratch_bytes", &Executable::scratch_bytes, nb::arg("threads"))
      .def("pack", &Executable::pack, nb::arg("w"), nb::rv_policy::take_ownership)
      .def("run", &Executable::run, nb::arg("packed"), nb::arg("x"), nb::arg("bias").none(),
           nb::arg("out"));
}
