#include "python/calls.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <unordered_map>
#include <vector>

#include "base/scratch.hpp"
#include "python/arrays.hpp"
#include "python/executable.hpp"
#include "python/lock.hpp"

namespace nb = nanobind;

namespace multiconv {
namespace {

constexpr std::size_t kMost = 4096;  // calls kept
constexpr std::size_t kLargestPack = 1 << 14;
constexpr i64 kShort = 1 << 14;  // multiply-adds that are over before another thread could run
constexpr int kMaxOptions = 16;

// An array that kernels can take as it is.
bool is_plain(PyObject* object) {
  if (!PyArray_CheckExact(object)) return false;
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  constexpr int wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
  return (PyArray_FLAGS(array) & wanted) == wanted && PyArray_ISNOTSWAPPED(array) &&
         PyArray_NDIM(array) <= kMaxDims;
}

// What must be the same for a call to be the same. Options are compared by identity: only
// immutable objects are kept, and the entry holds them, so that no other can take their place.
struct Key {
  int count = 0;
  PyObject* objects[kMaxOptions + 1];
  int ndim[2];
  int type[2];
  npy_intp shape[2][kMaxDims];

  // Null arrays or too many options: false.
  bool read(PyObject* const* args, Py_ssize_t n) {
    if (n < 3 || n > kMaxOptions + 2 || !is_plain(args[1]) || !is_plain(args[2])) return false;
    objects[count++] = args[0];
    for (Py_ssize_t i = 3; i < n; ++i) objects[count++] = args[i];
    for (int i = 0; i < 2; ++i) {
      auto* array = reinterpret_cast<PyArrayObject*>(args[1 + i]);
      ndim[i] = PyArray_NDIM(array);
      type[i] = PyArray_TYPE(array);
      std::copy_n(PyArray_DIMS(array), ndim[i], shape[i]);
    }
    return true;
  }

  std::size_t hash() const {
    std::size_t h = 0;
    auto add = [&](std::size_t value) { h = (h ^ value) * 0x9E3779B97F4A7C15u; };
    for (int i = 0; i < count; ++i) add(reinterpret_cast<std::uintptr_t>(objects[i]) >> 4);
    for (int i = 0; i < 2; ++i) {
      add(static_cast<std::size_t>(ndim[i] * 64 + type[i]));
      for (int a = 0; a < ndim[i]; ++a) add(static_cast<std::size_t>(shape[i][a]));
    }
    return h ^ (h >> 32);
  }

  bool operator==(const Key& other) const {
    if (count != other.count || !std::equal(objects, objects + count, other.objects)) return false;
    for (int i = 0; i < 2; ++i)
      if (ndim[i] != other.ndim[i] || type[i] != other.type[i] ||
          !std::equal(shape[i], shape[i] + ndim[i], other.shape[i]))
        return false;
    return true;
  }
};

struct Call {
  Key key;
  std::vector<nb::object> held;
  const Executable* executable;
  std::size_t packed_bytes;
  i64 work;
  int out_ndim;
  int out_type;
  npy_intp out_shape[kMaxDims];
  i64 x_strides[kMaxDims], w_strides[kMaxDims], out_strides[kMaxDims];
};

std::unordered_map<std::size_t, std::unique_ptr<Call>>& calls() {
  static auto& found = *new std::unordered_map<std::size_t, std::unique_ptr<Call>>;
  return found;
}

void contiguous(const i64* shape, int ndim, i64* strides) {
  i64 step = 1;
  for (int a = ndim - 1; a >= 0; --a) {
    strides[a] = step;
    step *= shape[a];
  }
}

PyObject* run(const Call& c, PyArrayObject* x, PyArrayObject* w) {
  PyObject* out = empty_array(c.out_ndim, c.out_shape, PyArray_DescrFromType(c.out_type));
  if (!out) return nullptr;
  try {
    const Desc& d = c.executable->desc();
    const Kernel& kernel = c.executable->kernel();
    ConstView x_view{PyArray_DATA(x), {}}, w_view{PyArray_DATA(w), {}};
    View out_view{PyArray_DATA(reinterpret_cast<PyArrayObject*>(out)), {}};
    std::copy_n(c.x_strides, kMaxDims, x_view.strides);
    std::copy_n(c.w_strides, kMaxDims, w_view.strides);
    std::copy_n(c.out_strides, kMaxDims, out_view.strides);
    void* packed = thread_scratch(Slot::kernel, c.packed_bytes);
    kernel.pack(d, w_view, packed);
    const RunArgs args{d, packed, x_view, nullptr, out_view, ThreadPool::instance()};
    if (c.work <= kShort) {
      kernel.run(args);
    } else {
      const WithoutLock unlocked;
      kernel.run(args);
    }
  } catch (const std::bad_alloc&) {
    Py_DECREF(out);
    return PyErr_NoMemory();
  }
  return out;
}

PyObject* call(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Key key;
  if (!key.read(args, n)) Py_RETURN_NONE;
  const auto found = calls().find(key.hash());
  if (found == calls().end() || !(found->second->key == key)) Py_RETURN_NONE;
  return run(*found->second, reinterpret_cast<PyArrayObject*>(args[1]),
             reinterpret_cast<PyArrayObject*>(args[2]));
}

bool is_immutable(PyObject* object) {
  return object == Py_None || PyUnicode_CheckExact(object) || PyLong_CheckExact(object) ||
         PyBool_Check(object) || PyFloat_CheckExact(object) || PyFunction_Check(object);
}

void keep(const nb::object& executable, const nb::args& rest) {
  auto made = std::make_unique<Call>();
  Call& c = *made;
  std::vector<PyObject*> args;
  for (nb::handle h : rest) args.push_back(h.ptr());
  const nb::tuple out_shape = nb::cast<nb::tuple>(rest[0]);
  if (!c.key.read(args.data() + 1, static_cast<Py_ssize_t>(args.size()) - 1)) return;
  if (!std::all_of(c.key.objects, c.key.objects + c.key.count, is_immutable)) return;
  c.executable = nb::cast<const Executable*>(executable);
  const Desc& d = c.executable->desc();
  c.packed_bytes = c.executable->kernel().packed_bytes(d);
  if (c.packed_bytes > kLargestPack) return;
  constexpr int types[] = {NPY_INT8,    NPY_UINT8,   NPY_INT16,     NPY_UINT16,
                           NPY_INT32,   NPY_UINT32,  NPY_INT64,     NPY_UINT64,
                           NPY_FLOAT32, NPY_FLOAT64, NPY_COMPLEX64, NPY_COMPLEX128};
  c.out_type = types[static_cast<int>(d.out_type)];
  c.out_ndim = static_cast<int>(out_shape.size());
  for (int a = 0; a < c.out_ndim; ++a) c.out_shape[a] = nb::cast<npy_intp>(out_shape[a]);
  c.work = d.batch * d.groups * d.out_channels * d.in_channels;
  for (int a = 0; a < d.rank; ++a) c.work *= d.out_size[a] * d.kernel[a];
  contiguous(c.executable->x_shape(), d.rank + 3, c.x_strides);
  contiguous(c.executable->w_shape(), d.rank + 3, c.w_strides);
  contiguous(c.executable->out_shape(), d.rank + 3, c.out_strides);
  c.held.push_back(executable);
  for (int i = 0; i < c.key.count; ++i) c.held.push_back(nb::borrow(c.key.objects[i]));
  if (calls().size() >= kMost) calls().clear();
  calls()[c.key.hash()] = std::move(made);
}

PyMethodDef methods[] = {{"call", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call)),
                          METH_FASTCALL, "Run a call that was kept; None where there is none."},
                         {nullptr, nullptr, 0, nullptr}};

}  // namespace

void add_calls(nb::module_& m) {
  if (PyModule_AddFunctions(m.ptr(), methods) != 0) throw nb::python_error();
  m.def("keep_call", keep, nb::arg("executable"), nb::arg("rest"),
        "Remember a call: the shape of its result, the function, x, w and the options.");
  m.def("forget_calls", [] { calls().clear(); }, "Forget all calls that were kept.");
}

}  // namespace multiconv
