// Arrays for results, on memory that earlier ones gave back.
#pragma once

#include "python/numpy.hpp"

namespace multiconv {

// To be called once, before empty_array(). Sets a Python error and returns false where it fails.
bool prepare_arrays();

// A new C-contiguous array of unspecified contents, or null with a Python error set. Takes over the
// caller's reference to `dtype`.
PyObject* empty_array(int ndim, const npy_intp* shape, PyArray_Descr* dtype);

}  // namespace multiconv
