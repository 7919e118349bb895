// Calls that were made before: found by their arguments' identities, shapes and types, and run
// without a step in Python. For small work, where all else would take longer than the work itself.
#pragma once

#include <nanobind/nanobind.h>

namespace multiconv {

// call(function, x, w, *options) -> result, or None where the call is not known.
// keep_call(executable, out_shape, function, x, w, *options) remembers one.
// forget_calls() forgets all.
void add_calls(nanobind::module_& m);

}  // namespace multiconv
