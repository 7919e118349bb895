// A NumPy array's memory while a call lasts. Raw buffers: several times quicker than a typed cast.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/desc.hpp"

namespace multiconv {

inline i64 item_size(DType t) {
  constexpr i64 sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16, 2};
  return sizes[static_cast<int>(t)];
}

class Buffer {
 public:
  Buffer(nanobind::handle array, int flags) {
    if (PyObject_GetBuffer(array.ptr(), &view_, flags) != 0) throw nanobind::python_error();
  }
  ~Buffer() { PyBuffer_Release(&view_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return view_.buf; }
  const Py_buffer& view() const { return view_; }

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

}  // namespace multiconv
