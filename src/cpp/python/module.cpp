// The extension module: names and their documentation.
#define MC_IMPORTS_NUMPY
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <stdexcept>
#include <string>

#include "base/cpu.hpp"
#include "base/cpu_count.hpp"
#include "base/profile.hpp"
#include "base/recycler.hpp"
#include "base/tap_boxes.hpp"
#include "base/watch.hpp"
#include "python/arrays.hpp"
#include "python/buffer.hpp"
#include "python/calls.hpp"
#include "python/executable.hpp"
#include "python/lock.hpp"
#include "python/samples.hpp"
#include "registry.hpp"

namespace nb = nanobind;

namespace multiconv {
namespace {

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
  d["mixed32"] = p.mixed32;
  d["bandwidth"] = p.bandwidth;
  d["bandwidth1"] = p.bandwidth1;
  d["cache"] = p.cache;
  d["wake"] = p.wake;
  d["lanes"] = p.lanes;
  return d;
}

// Of the largest kernel over the leading axes; 0 where one has too many.
i64 tap_boxes(nb::handle kernels, int rank) {
  const Buffer buffer(kernels, PyBUF_STRIDES);
  const Py_buffer& view = buffer.view();
  const int lead = view.ndim - rank;
  if (rank < 1 || rank > kMaxRank || lead < 0) throw std::invalid_argument("rank: out of range");
  i64 size[kMaxRank], strides[kMaxRank], slices = 1, most = 0;
  for (int a = 0; a < lead; ++a) slices *= view.shape[a];
  for (int a = 0; a < rank; ++a) {
    size[a] = view.shape[lead + a];
    strides[a] = view.strides[lead + a];
    if (size[a] < 1) return 0;
  }
  for (i64 slice = 0; slice < slices; ++slice) {
    const char* taps = static_cast<const char*>(view.buf);
    i64 rest = slice;
    for (int a = lead - 1; a >= 0; --a) {
      taps += rest % view.shape[a] * view.strides[a];
      rest /= view.shape[a];
    }
    TapBox boxes[kMostTapBoxes];
    const i64 count =
        cut_into_boxes(taps, rank, size, strides, static_cast<std::size_t>(view.itemsize), boxes);
    if (count > kMostTapBoxes) return 0;
    if (count > most) most = count;
  }
  return most;
}

nb::list target_list() {
  nb::list found;
  for (const Target& t : targets())
    if (t.supported) found.append(t.name);
  return found;
}

nb::object empty(const nb::tuple& shape, nb::handle dtype) {
  npy_intp sizes[NPY_MAXDIMS];
  const auto ndim = static_cast<int>(shape.size());
  if (ndim > NPY_MAXDIMS) throw std::invalid_argument("shape: too many axes");
  for (int a = 0; a < ndim; ++a) sizes[a] = nb::cast<npy_intp>(shape[a]);
  PyArray_Descr* found = nullptr;
  if (!PyArray_DescrConverter(dtype.ptr(), &found)) throw nb::python_error();
  PyObject* array = empty_array(ndim, sizes, found);
  if (!array) throw nb::python_error();
  return nb::steal(array);
}

}  // namespace
}  // namespace multiconv

NB_MODULE(_core, m) {
  using namespace multiconv;
  if (_import_array() < 0 || !prepare_arrays()) throw nb::python_error();
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
  m.def(
      "run_threads_by",
      [](std::uintptr_t runner) {
        ThreadPool::instance().run_by(reinterpret_cast<ThreadPool::Runner>(runner));
      },
      nb::arg("runner"));
  m.def("get_num_threads", [] { return ThreadPool::instance().num_threads(); });
  nb::class_<Packed>(m, "Packed", "A kernel as one native kernel wants it.")
      .def_prop_ro("bytes", &Packed::bytes);
  nb::class_<Executable>(m, "Executable", "One problem on one native kernel.")
      .def(nb::init<const std::string&, const std::string&, const nb::dict&>(), nb::arg("kernel"),
           nb::arg("target"), nb::arg("desc"))
      .def_prop_ro("refusal", &Executable::refusal)
      .def_prop_ro("packed_bytes",
                   [](const Executable& e) { return e.kernel().packed_bytes(e.desc()); })
      .def(
          "scratch_bytes",
          [](const Executable& e, int n) { return e.kernel().scratch_bytes(e.desc(), n); },
          nb::arg("threads"))
      .def("pack", &Executable::pack, nb::arg("w"), nb::rv_policy::take_ownership)
      .def(
          "run",
          [](const Executable& e, const Packed& packed, nb::handle x, nb::handle bias,
             nb::handle scale, nb::handle residual, nb::handle out) {
            const Run run(e, packed, x, bias, scale, residual, out);
            const WithoutLock unlocked;
            run();
          },
          nb::arg("packed"), nb::arg("x"), nb::arg("bias").none(), nb::arg("scale").none(),
          nb::arg("residual").none(), nb::arg("out"));
  nb::class_<Job>(m, "Job", "Something to run again and again.")
      .def("__call__", [](const Job& job) {
        const WithoutLock unlocked;
        job();
      });
  nb::class_<Run, Job>(m, "Run", "A run of a native kernel on certain arrays.")
      .def(nb::init<const Executable&, const Packed&, nb::handle, nb::handle, nb::handle,
                    nb::handle, nb::handle>(),
           nb::arg("executable"), nb::arg("packed"), nb::arg("x"), nb::arg("bias").none(),
           nb::arg("scale").none(), nb::arg("residual").none(), nb::arg("out"),
           nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>());
  nb::class_<CascadeJob, Job>(m, "Cascade", "Runs that follow one another, a few rows at a time.")
      .def(nb::init<const nb::list&, i64>(), nb::arg("runs"), nb::arg("rows"),
           nb::keep_alive<1, 2>());
  m.def("run_all", run_all, nb::arg("jobs"), "These, one after the other.");
  nb::class_<Samples>(m, "Samples", "Numbers scattered over an array, to tell whether it changed.")
      .def(nb::init<std::uintptr_t, nb::handle, std::size_t>(), nb::arg("address"),
           nb::arg("places"), nb::arg("itemsize"));
  m.def("are_same", are_same, nb::arg("samples"), "Whether all of these are as they were.");
  m.def("start_watch", start_watch, "Watch how much scratch memory kernels take.");
  m.def("end_watch", end_watch, "The bytes that all threads took since the watch began.");
  m.def("tap_boxes", tap_boxes, nb::arg("kernels"), nb::arg("rank"),
        "How many boxes of equal taps make up a kernel, at most over all; 0 where they are many.");
  m.def("empty", empty, nb::arg("shape"), nb::arg("dtype"),
        "A new array of unspecified contents, on memory that an earlier one gave back.");
  m.def("keep_memory", keep_memory, nb::arg("bytes"),
        "Keep at most so many bytes of results that are gone.");
  m.def("kept_memory", kept_memory, "Bytes kept of results that are gone.");
  add_calls(m);
}
