#include "python/arrays.hpp"

#include <algorithm>
#include <cstring>

#include "base/recycler.hpp"

namespace multiconv {
namespace {

// NumPy tells neither every caller the size nor us the old one: it stands before the data.
constexpr std::size_t kHeader = 64;

std::size_t& size_of(void* data) {
  return *reinterpret_cast<std::size_t*>(static_cast<char*>(data) - kHeader);
}

void* allocate(void*, std::size_t bytes) {
  if (bytes > SIZE_MAX - kHeader) return nullptr;
  char* block = static_cast<char*>(take_memory(bytes + kHeader));
  if (!block) return nullptr;
  size_of(block + kHeader) = bytes;
  return block + kHeader;
}

void* allocate_zeros(void* context, std::size_t count, std::size_t item) {
  std::size_t bytes;
  if (__builtin_mul_overflow(count, item, &bytes)) return nullptr;
  void* data = allocate(context, bytes);
  return data ? std::memset(data, 0, bytes) : nullptr;
}

void release(void*, void* data, std::size_t) {
  if (data) give_memory(static_cast<char*>(data) - kHeader, size_of(data) + kHeader);
}

void* reallocate(void* context, void* data, std::size_t bytes) {
  void* fresh = allocate(context, bytes);
  if (!fresh || !data) return fresh;
  std::memcpy(fresh, data, std::min(bytes, size_of(data)));
  release(context, data, 0);
  return fresh;
}

PyDataMem_Handler handler = {
    "multiconv", 1, {nullptr, allocate, allocate_zeros, reallocate, release}};
PyObject* capsule = nullptr;

}  // namespace

bool prepare_arrays() {
  capsule = PyCapsule_New(&handler, "mem_handler", nullptr);
  return capsule != nullptr;
}

PyObject* empty_array(int ndim, const npy_intp* shape, PyArray_Descr* dtype) {
  npy_intp bytes = PyDataType_ELSIZE(dtype);
  for (int a = 0; a < ndim; ++a)
    if (__builtin_mul_overflow(bytes, shape[a], &bytes)) bytes = 0;  // refused by NumPy below
  const bool recycled = bytes >= static_cast<npy_intp>(kRecycled) && !PyDataType_REFCHK(dtype);
  PyObject* before = recycled ? PyDataMem_SetHandler(capsule) : nullptr;
  if (recycled && !before) {
    Py_DECREF(dtype);
    return nullptr;
  }
  PyObject* array = PyArray_Empty(ndim, shape, dtype, 0);
  if (before) {
    PyObject* ours = PyDataMem_SetHandler(before);
    Py_XDECREF(ours);
    Py_DECREF(before);
    if (!ours) Py_CLEAR(array);
  }
  return array;
}

}  // namespace multiconv
