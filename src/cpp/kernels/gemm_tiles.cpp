// Layers of 8-bit integers and of bfloat16 by products of matrices in registers, where the CPU has
// those.
#include "base/cpu.hpp"
#include "kernels/gemm_by_tiles.hpp"
#include "kernels/gemm_words.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class Product>
struct Bytes : Quads, Product {
  using Sum = Word;
  static constexpr Word excess(DType) { return 0; }  // registers know signs
};

struct Halves : BrainFloats {
  using Sum = float;
  static constexpr int each = 2;
  template <class S>
  static constexpr bool takes = std::is_same_v<S, std::uint16_t>;
  static constexpr Word excess(DType) { return 0; }
  static Word number(std::uint16_t x) { return x; }
  static Word outside(const Desc& d) { return BrainFloat(static_cast<float>(d.cval[0])).bits; }
  static Word weight(Word w) { return w >> 16; }  // of a float that is a bfloat16
};

// Calls `f` with what words of the samples are.
template <class F>
auto with_kind(const Desc& d, F&& f) {
  if (d.x_type == DType::bf16) return f(Halves{});
  return d.x_type == DType::i8 ? f(Bytes<SignedBytes>{}) : f(Bytes<UnsignedBytes>{});
}

const char* accepts(const Desc& d) {
  if (MC_VECTOR_BYTES != 64 || !cpu_multiplies_matrices())
    return "the instruction set or the CPU has no products of matrices (AMX)";
  if (d.x_type == DType::bf16) {
    const bool fits = d.out_type == DType::bf16 || d.out_type == DType::f32;
    return d.compute == DType::f32 && fits ? nullptr : "bfloat16 is added up in float32 only";
  }
  if (d.x_type != DType::i8 && d.x_type != DType::u8)
    return "samples have to be int8, uint8 or bfloat16";
  return d.compute == DType::u32 ? check_types(d) : "it adds up 32-bit integers only";
}

// Of each group, [square of outputs][tap][word][output].
i64 square_words(const Desc& words) { return matrix_depth(words) * kSide; }
i64 squares_of(const Desc& d) { return ceil_div(d.out_channels, kSide); }

std::size_t packed_bytes(const Desc& d) {
  return with_kind(d, [&]<class Kind>(Kind) {
    return static_cast<std::size_t>(4 * d.groups * squares_of(d) * square_words(in_words<Kind>(d)));
  });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  with_kind(d, [&]<class Kind>(Kind) {
    const i64 all = square_words(in_words<Kind>(d));
    ThreadPool::instance().parallel_for(
        d.groups * squares_of(d),
        [&](i64 task, int) {
          const i64 g = task / squares_of(d), o = task % squares_of(d) * kSide;
          Word* to = static_cast<Word*>(packed) + task * all;
          fill(to, all, Word(0));
          for (i64 m = 0; m < min_of(kSide, d.out_channels - o); ++m)
            pack_output<Kind>(d, w, g, o + m, to + m, kSide);
        },
        d.groups * d.out_channels * d.in_channels * taps_of(d) > 1 << 14);
  });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return with_kind(d, [&]<class Kind>(Kind) {
    using Way = ByTiles<Wide<Kind>>;
    const Desc words = in_words<Kind>(d);
    i64 bytes = most_scratch<Way>(words, threads);
    if (is_pointwise(d)) bytes = max_of(bytes, most_scratch<Way>(in_line(words), threads));
    return static_cast<std::size_t>(threads) * static_cast<std::size_t>(bytes);
  });
}

void run(const RunArgs& args) {
  with_kind(args.desc, [&]<class Kind>(Kind) {
    const Wide<Kind> form(args.desc, args.desc.in_channels, nullptr);
    run_in_words<Kind>(
        args, [&](const RunArgs& given) { share<ByTiles<Wide<Kind>>>(given, Reads::copy, form); });
  });
}

}  // namespace

extern const Kernel gemm_tiles_kernel;
const Kernel gemm_tiles_kernel = {"gemm_tiles",  accepts, packed_bytes, pack,
                                  scratch_bytes, run,     true};

}  // namespace multiconv::MC_TARGET
