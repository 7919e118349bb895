// Layers of 8-bit integers, four channels at once, where the CPU multiplies and adds those.
#include "base/cpu.hpp"
#include "kernels/gemm_words.hpp"

namespace multiconv::MC_TARGET {
namespace {

using Layers = GemmWords<Quads>;

const char* accepts(const Desc& d) {
  if (MC_VECTOR_BYTES != 64 || !cpu_multiplies_bytes())
    return "the instruction set or the CPU has no products of four bytes (AVX512-VNNI)";
  if (d.compute != DType::u32) return "it adds up 32-bit integers only";
  if (d.x_type != DType::i8 && d.x_type != DType::u8) return "samples have to be int8 or uint8";
  return check_types(d);
}

}  // namespace

extern const Kernel gemm_quads_kernel;
const Kernel gemm_quads_kernel = {
    "gemm_quads", accepts, Layers::packed_bytes, Layers::pack, Layers::scratch_bytes,
    Layers::run,  true};

}  // namespace multiconv::MC_TARGET
