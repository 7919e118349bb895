// The epilogue, compiled once for all kernels of a target.
#include "kernels/epilogue.hpp"

namespace multiconv::MC_TARGET {

MC_FINISH();

}  // namespace multiconv::MC_TARGET
