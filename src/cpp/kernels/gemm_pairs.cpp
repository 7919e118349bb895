// Layers of 8- and 16-bit integers, two channels at once.
#include "kernels/gemm_words.hpp"

namespace multiconv::MC_TARGET {
namespace {

using Layers = GemmWords<Pairs>;

const char* accepts(const Desc& d) {
  if (d.compute != DType::u32) return "it adds up 32-bit integers only";
  if (bytes_of_integer(d.x_type) > 2 || d.x_type == DType::u16)
    return "samples have to be int8, uint8 or int16";
  return check_types(d);
}

}  // namespace

extern const Kernel gemm_pairs_kernel;
const Kernel gemm_pairs_kernel = {
    "gemm_pairs", accepts, Layers::packed_bytes, Layers::pack, Layers::scratch_bytes,
    Layers::run,  true};

}  // namespace multiconv::MC_TARGET
