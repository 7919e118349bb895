// Words of 32 bits that hold the same sample of neighbouring channels, so that one instruction
// multiplies and adds all of them. Sums are exact modulo 2^32.
#pragma once

#include "base/kernel.hpp"
#include "kernels/gemm_gather.hpp"

namespace multiconv::MC_TARGET {
namespace {

using Word = std::uint32_t;
using Words = Vec<Word>;

// Two 16-bit numbers a word.
struct Pairs {
  static constexpr int each = 2;  // channels of a word
  template <class S>
  static constexpr bool takes = sizeof(S) == 1 || (sizeof(S) == 2 && S(-1) < S(0));

  MC_INLINE Words add(Words sum, Words w, Word x) {
#if MC_VECTOR_BYTES == 64
    return sum + reinterpret_cast<Words>(_mm512_madd_epi16(reinterpret_cast<__m512i>(w),
                                                           _mm512_set1_epi32(static_cast<int>(x))));
#elif MC_VECTOR_BYTES == 32
    return sum + reinterpret_cast<Words>(_mm256_madd_epi16(reinterpret_cast<__m256i>(w),
                                                           _mm256_set1_epi32(static_cast<int>(x))));
#else
    const Word low = static_cast<Word>(static_cast<std::int16_t>(x));
    const Word high = static_cast<Word>(static_cast<std::int16_t>(x >> 16));
    return sum + sign(w << 16) * low + sign(w) * high;
#endif
  }

  // A sample that stands for nothing and has to be taken off the sums.
  static constexpr Word excess(DType) { return 0; }

  template <class S>
  MC_INLINE Word number(S x) {
    return static_cast<Word>(static_cast<std::int16_t>(x)) & 0xFFFF;
  }
  // The number that stands for positions outside the input.
  static Word outside(const Desc& d) { return number(static_cast<std::int32_t>(d.cval_bits)); }
  // A weight of the type that is computed in.
  static Word weight(Word w) { return number(static_cast<std::int32_t>(w)); }

 private:
  // The upper halves, with their signs.
  MC_INLINE Words sign(Words w) { return (w >> 16) | ((Words{} - (w >> 31)) << 16); }
};

// Four 8-bit numbers a word: those of samples have no sign, those of weights have one.
struct Quads {
  static constexpr int each = 4;
  template <class S>
  static constexpr bool takes = sizeof(S) == 1;

  // The assembler knows the instruction whatever the compiler was told to use.
  MC_INLINE Words add(Words sum, Words w, Word x) {
#if MC_VECTOR_BYTES == 64
    const Words samples = splat(x);
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(samples), "v"(w));
    return sum;
#else
    for (int i = 0; i < 32; i += 8)
      sum += (x >> i & 0xFF) * ((w >> i & 0xFF) - ((w >> i & 0x80) << 1));
    return sum;
#endif
  }

  static constexpr Word excess(DType x) { return x == DType::i8 ? 0x80 : 0; }

  template <class S>
  MC_INLINE Word number(S x) {
    return static_cast<std::uint8_t>(x);
  }
  static Word outside(const Desc& d) { return number(static_cast<std::int32_t>(d.cval_bits)); }
  static Word weight(Word w) { return number(static_cast<std::int32_t>(w)); }
};

// The same number for every channel of a word.
template <class Form>
MC_INLINE Word repeated(Word number) {
  Word word = 0;
  for (int i = 0; i < Form::each; ++i) word |= number << (i * 32 / Form::each);
  return word;
}

// Calls `f` with the samples as an array of the type that they are stored in.
template <class Form, class F>
MC_INLINE void as_samples(DType type, const void* data, F&& f) {
  if constexpr (Form::template takes<std::int8_t>)
    if (type == DType::i8) return f(static_cast<const std::int8_t*>(data));
  if constexpr (Form::template takes<std::int16_t>)
    if (type == DType::i16) return f(static_cast<const std::int16_t*>(data));
  if constexpr (Form::template takes<std::uint16_t>)
    return f(static_cast<const std::uint16_t*>(data));
  else
    return f(static_cast<const std::uint8_t*>(data));
}

// Brings samples into words, [position][word]; see Gather.
template <class Form, class S>
class GatherWords {
  static constexpr int each = Form::each, bits = 32 / each, lanes = kLanes<Word>;

 public:
  // Vectors may be read up to `end`, where the array ends. `excess` is added to every number.
  GatherWords(i64 channels, i64 channel_stride, const S* end, Word excess)
      : channels_(channels),
        words_(ceil_div(channels, each)),
        stride_(channel_stride),
        end_(end),
        excess_(repeated<Form>(excess)) {}

  void run(const S* from, i64 step, i64 count, Word* to) const {
    if (stride_ == 1) return neighbours(from, step, count, to);
    const i64 rest = words_ % lanes, whole = words_ - rest;
    for (i64 q = 0; q < whole; q += lanes) square(from, q, lanes, step, count, to + q);
    if (rest > 0) square(from, whole, rest, step, count, to + whole);
  }

 private:
  void neighbours(const S* from, i64 step, i64 count, Word* to) const {
    const i64 whole = channels_ / each;
    if (channels_ % each == 0 && step == channels_) return line(from, count * whole, to);
    for (i64 i = 0; i < count; ++i, from += step, to += words_) {
      line(from, whole, to);
      if (whole < words_) to[whole] = part(from + whole * each, channels_ % each, 1);
    }
  }

  // Words whose numbers lie in order.
  void line(const S* from, i64 words, Word* to) const {
    if constexpr (sizeof(S) * each == 4) {
      for (i64 i = 0; i < words; ++i) {
        Word word;
        __builtin_memcpy(&word, from + i * each, 4);
        to[i] = word ^ excess_;
      }
    } else {
      for (i64 i = 0; i < words; ++i)
        to[i] = Form::number(from[i * each]) | Form::number(from[i * each + 1]) << bits;
    }
  }

  // The first numbers of a word, and nothing.
  Word part(const S* from, i64 used, i64 stride) const {
    Word word = 0;
    for (i64 j = 0; j < used; ++j) word |= Form::number(from[j * stride]) << (j * bits);
    return word ^ excess_;
  }

  // Words [q, q + used) of channels that are rows come as squares that are turned around.
  void square(const S* from, i64 q, i64 used, i64 step, i64 count, Word* to) const {
    const i64 most = channels_ - q * each;  // channels of these words
    from += q * each * stride_;
    i64 i = 0;
    if (step >= 1 && step <= kFarthest) {
      const i64 reach = end_ - (from + max_of((min_of(used * each, most) - 1) * stride_, 0));
      const i64 apart = (lanes - 1) / step + 1;
      for (; i < count && i * step + lanes <= reach; i += apart)
        turn(from + i * step, used, most, step, min_of(apart, count - i), to + i * words_);
    }
    for (; i < count; ++i)
      for (i64 l = 0; l < used; ++l)
        to[i * words_ + l] =
            part(from + i * step + l * each * stride_, min_of(each, most - l * each), stride_);
  }

  void turn(const S* from, i64 used, i64 most, i64 step, i64 count, Word* to) const {
    Words v[lanes];
    if (used == lanes && most >= lanes * each) {
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) v[l] = word(from + l * each * stride_, each);
    } else {
      for (int l = 0; l < lanes; ++l)
        v[l] = word(from + l * each * stride_, l < used ? min_of(most - l * each, each) : 0);
    }
    transpose<Word>(v);
    if (used == lanes && step == 1 && count == lanes) {
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(to + l * words_, v[l]);
    } else if (used == lanes) {
      for (i64 l = 0; l < count; ++l) store(to + l * words_, v[l * step]);
    } else {
      for (i64 l = 0; l < count; ++l)
        __builtin_memcpy(to + l * words_, &v[l * step], static_cast<std::size_t>(used) * 4);
    }
  }

  // Neighbouring words of so many rows.
  inline Words word(const S* row, i64 channels) const {
    Words all = {};
#pragma GCC unroll 4
    for (int j = 0; j < each; ++j)
      if (j < channels) all |= numbers(row + j * stride_) << (j * bits);
    return all ^ excess_;
  }

  static Words numbers(const S* from) {
    if constexpr (lanes == 1)
      return Form::number(*from);
    else if constexpr (bits == 8)
      return load_as<Word>(reinterpret_cast<const std::uint8_t*>(from));
    else
      return load_as<Word>(from) & 0xFFFF;
  }

  i64 channels_, words_, stride_;
  const S* end_;
  Word excess_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
