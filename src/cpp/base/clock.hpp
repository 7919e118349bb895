// Time for measurements. Not inline, as instruction-set-specific code uses it.
#pragma once

namespace multiconv {

// Seconds since some fixed moment; never goes backwards.
double now();

}  // namespace multiconv
