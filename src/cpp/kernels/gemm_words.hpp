// Layers of narrow integers: gemm with several channels in each number.
#pragma once

#include "kernels/gemm_by_channels.hpp"
#include "kernels/gemm_share.hpp"
#include "kernels/words.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class Kind>
class Wide : public Kind {
 public:
  using Number = Word;
  static constexpr bool kInPlace = false;

  // Of a layer with so many input channels a group; `less` is what each sum has to begin with.
  Wide(const Desc& d, i64 channels, const Word* less)
      : channels_(channels), excess_(Kind::excess(d.x_type)), less_(less) {}

  Word outside(const Desc& d) const { return repeated<Kind>(Kind::outside(d) ^ excess_); }
  Word hole(const Desc&) const { return repeated<Kind>(excess_); }
  Word start(i64 channel) const { return excess_ != 0 ? less_[channel] : 0; }

  template <class F>
  void gather(const RunArgs& args, i64 c, i64 inputs, F&& f) const {
    const Desc& d = args.desc;
    const i64 step = args.x.strides[2] / Kind::each, first = c * Kind::each;
    i64 strides[kMaxDims];
    for (int a = 0; a < d.rank + 3; ++a) strides[a] = args.x.strides[a];
    strides[2] = step;
    const i64 leading[] = {d.batch, d.groups, channels_};
    as_samples<Kind>(d.x_type, args.x.data, [&](auto* x) {
      using S = std::remove_const_t<std::remove_pointer_t<decltype(x)>>;
      const S* end = x + end_of(strides, leading, d.in_size, d.rank);
      const i64 channels = min_of(inputs * Kind::each, channels_ - first);
      f(x, GatherWords<Kind, S>(channels, step, end, excess_));
    });
  }

 private:
  i64 channels_;
  Word excess_;
  const Word* less_;
};

// A layer whose channels are words.
template <class Kind>
Desc in_words(const Desc& d) {
  Desc words = d;
  words.in_channels = ceil_div(d.in_channels, Kind::each);
  return words;
}

// The layer in words, run in one way.
template <class Kind, class F>
void run_in_words(const RunArgs& args, F&& f) {
  const Desc words = in_words<Kind>(args.desc);
  RunArgs same = {words,    args.packed, args.x,     args.bias,
                  args.out, args.pool,   args.scale, args.residual};
  same.x.strides[2] *= Kind::each;
  as_line(same, [&](const RunArgs& given, bool) { f(given); });
}

// Writes an output's weights, [tap][word], `pitch` words apart; gives the sum of all.
template <class Kind>
Word pack_output(const Desc& d, const ConstView& w, i64 g, i64 o, Word* to, i64 pitch) {
  Word all = 0;
  for (i64 tap = 0; tap < taps_of(d); ++tap) {
    const Word* from = static_cast<const Word*>(w.data) + w_element(d, w.strides, g, o, 0, tap);
    for (i64 c = 0; c < d.in_channels; c += Kind::each, to += pitch) {
      Word word = 0;
      for (int j = 0; j < Kind::each && c + j < d.in_channels; ++j) {
        const Word number = from[(c + j) * w.strides[2]];
        all += number;
        word |= Kind::weight(number) << (j * 32 / Kind::each);
      }
      *to = word;
    }
  }
  return all;
}

template <class Kind>
class GemmWords {
  using Form = Wide<Kind>;
  using Way = ByChannels<Form>;

 public:
  static std::size_t packed_bytes(const Desc& d) {
    return panels_bytes<Word>(in_words<Kind>(d)) + sizeof(Word) * sums(d);
  }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const Desc words = in_words<Kind>(d);
    const i64 panels = ceil_div(d.out_channels, kPanel<Word>);
    Word* to = static_cast<Word*>(packed);
    Word* less = to + panels_bytes<Word>(words) / sizeof(Word);
    ThreadPool::instance().parallel_for(
        d.groups * panels,
        [&](i64 task, int) {
          const i64 g = task / panels, o = task % panels * kPanel<Word>;
          pack_panel(d, w, g, o, to, less + g * d.out_channels);
        },
        work_of_weights(d) > 1 << 14);
    fill(less - kPanel<Word>, kPanel<Word>, Word(0));
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Desc words = in_words<Kind>(d);
    i64 bytes = most_scratch<Way>(words, threads);
    if (is_pointwise(d)) bytes = max_of(bytes, most_scratch<Way>(in_line(words), threads));
    return static_cast<std::size_t>(threads) * static_cast<std::size_t>(bytes);
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const Word* packed = static_cast<const Word*>(args.packed);
    const Form form(d, d.in_channels,
                    packed + panels_bytes<Word>(in_words<Kind>(d)) / sizeof(Word));
    run_in_words<Kind>(args, [&](const RunArgs& given) { share<Way>(given, Reads::copy, form); });
  }

 private:
  static std::size_t sums(const Desc& d) {
    return static_cast<std::size_t>(d.groups * d.out_channels);
  }
  static i64 work_of_weights(const Desc& d) {
    return d.groups * d.out_channels * d.in_channels * taps_of(d);
  }

  // [tap][word][output], as panels of other numbers are.
  static void pack_panel(const Desc& d, const ConstView& w, i64 g, i64 o, Word* to, Word* less) {
    const i64 width = min_of(kPanel<Word>, d.out_channels - o);
    to += (g * d.out_channels + o) * ceil_div(d.in_channels, Kind::each) * taps_of(d);
    for (i64 m = 0; m < width; ++m)
      less[o + m] =
          Word(0) - Kind::excess(d.x_type) * pack_output<Kind>(d, w, g, o + m, to + m, width);
  }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
