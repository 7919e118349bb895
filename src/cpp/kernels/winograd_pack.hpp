// Kernels transformed for minimal filtering, and taps taken back from them.
#pragma once

#include "kernels/channel_io.hpp"
#include "kernels/winograd_plan.hpp"
#include "simd/hints.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// [group][block of outputs][product][tap][input][outputs of the block]: weights, a cache line more
// for each product, lest they fall on each other in the cache. Then [group][input][word][output]:
// which taps are zero and which negative, two bits a tap, as a transform does not keep that. Last,
// the largest magnitude of what each task packed.
template <class T>
struct Packing {
  static constexpr int lanes = kLanes<T>;
  static constexpr i64 chunk = 64;  // inputs that are packed together
  Form form;
  i64 inputs, outputs, blocks, taps, words, chunks;
  i64 group, marks, group_marks, tops, all;  // elements, and where parts begin

  explicit Packing(const Desc& d)
      : form(form_of(d)),
        inputs(d.in_channels),
        outputs(ceil_div(d.out_channels, lanes) * lanes),
        blocks(ceil_div(outputs, kOutputs<T>)),
        taps(taps_of(d)),
        words(ceil_div(2 * taps, 8 * static_cast<i64>(sizeof(T)))),
        chunks(ceil_div(inputs, chunk)) {
    group = block(blocks - 1) + form.products * step(blocks - 1);
    marks = d.groups * group;
    group_marks = inputs * words * outputs;
    tops = marks + d.groups * group_marks;
    all = tops + d.groups * chunks * (outputs / lanes);
  }

  i64 width(i64 b) const { return min_of(kOutputs<T>, outputs - b * kOutputs<T>); }
  i64 step(i64 b) const { return form.taps * inputs * width(b) + 64 / static_cast<i64>(sizeof(T)); }
  i64 block(i64 b) const { return b * form.products * step(0); }
  i64 top(i64 g, i64 vector, i64 c) const {
    return tops + (g * (outputs / lanes) + vector) * chunks + c / chunk;
  }
};

// A kernel's numbers along its axes: products where an axis is transformed, else taps.
struct Extents {
  i64 taps[kAxes], values[kAxes];

  Extents(const Desc& d, const Form& f) {
    for (int i = 0; i < kAxes; ++i) {
      const int a = i - (kAxes - d.rank);
      taps[i] = a < 0 ? 1 : d.kernel[a];
      values[i] = f.r[i] > 1 ? f.t[i] : taps[i];
    }
  }
  i64 all() const { return values[0] * values[1] * values[2]; }

  // Calls f(number of the value, product, tap of the axis that is summed tap by tap).
  template <class F>
  void each(const Form& form, F&& f) const {
    i64 number = 0;
    for (i64 i = 0; i < values[0]; ++i)
      for (i64 j = 0; j < values[1]; ++j)
        for (i64 k = 0; k < values[2]; ++k) {
          i64 product = 0, tap = 0;
          const i64 index[] = {i, j, k};
          for (int a = 0; a < kAxes; ++a) {
            if (form.r[a] > 1)
              product = product * form.t[a] + index[a];
            else
              tap += index[a];
          }
          f(number++, product, tap);
        }
  }
};

template <class T>
class KernelIo {
  static constexpr int lanes = kLanes<T>;
  using Word = Bits<T>;
  using Words = Vec<Word>;

 public:
  explicit KernelIo(const Desc& d) : d_(d), packing_(d), extents_(d, packing_.form) {}

  const Packing<T>& packing() const { return packing_; }

  // Elements that pack() and taps() need.
  i64 scratch() const {
    return Packing<T>::chunk * 2 * max_of(packing_.taps, extents_.all()) * lanes;
  }

  // Inputs [c, c + chunk) to outputs of one vector.
  void pack(const ConstView& w, i64 g, i64 vector, i64 c, T* packed, T* scratch) const {
    const i64 count = min_of(Packing<T>::chunk, packing_.inputs - c);
    T *taps = scratch, *other = scratch + this->scratch() / 2;
    read(w, g, vector * lanes, c, count, taps);
    mark(taps, count, marks(packed, g, c) + vector * lanes);
    const T* values = transform(count, taps, other);
    Vec<T> top = {};
    const bool far = packing_.all * static_cast<i64>(sizeof(T)) > kFar;
    T* to = weights(packed, g, vector, c);
    const i64 step = packing_.step(vector / kVectors), width = packing_.width(vector / kVectors);
    extents_.each(packing_.form, [&](i64 number, i64 product, i64 tap) {
      T* row = to + product * step + tap * packing_.inputs * width;
      for (i64 i = 0; i < count; ++i) {
        const Vec<T> v = load(values + (i * extents_.all() + number) * lanes);
        const Vec<T> size = v < Vec<T>{} ? -v : v;
        top = top > size ? top : size;
        if (far)
          stream(row + i * width, v);
        else
          store(row + i * width, v);
      }
    });
    if (far) end_stream();
    T each[lanes], most = T(0);
    store(each, top);
    for (int l = 0; l < lanes; ++l) most = each[l] > most ? each[l] : most;
    packed[packing_.top(g, vector, c)] = most;
  }

  // The taps of input c, [tap][lane], as far as rounding left them; zeros and signs are exact.
  const T* taps(const T* packed, i64 g, i64 vector, i64 c, T* scratch) const {
    T *values = scratch, *other = scratch + this->scratch() / 2;
    const T* from = weights(packed, g, vector, c);
    const i64 step = packing_.step(vector / kVectors), width = packing_.width(vector / kVectors);
    extents_.each(packing_.form, [&](i64 number, i64 product, i64 tap) {
      store(values + number * lanes, load(from + product * step + tap * packing_.inputs * width));
    });
    i64 size[kAxes] = {extents_.values[0], extents_.values[1], extents_.values[2]};
    for (int a = 0; a < kAxes; ++a) {
      if (packing_.form.r[a] == 1) continue;
      const int r = static_cast<int>(packing_.form.r[a]);
      along(tap_pass<T>(packing_.form.t[a], r), a, 1, size, r, values, other);
      std::swap(values, other);
    }
    restore(marks(packed, g, c) + vector * lanes, values);
    return values;
  }

 private:
  template <class P>
  P* weights(P* packed, i64 g, i64 vector, i64 c) const {
    const i64 b = vector / kVectors;
    return packed + g * packing_.group + packing_.block(b) + c * packing_.width(b) +
           vector % kVectors * lanes;
  }
  template <class P>
  auto marks(P* packed, i64 g, i64 c) const {
    using W = std::conditional_t<std::is_const_v<P>, const Word, Word>;
    return reinterpret_cast<W*>(packed + packing_.marks + g * packing_.group_marks) +
           c * packing_.words * packing_.outputs;
  }

  // [input][tap][lane], taps in the order in which they meet the data.
  void read(const ConstView& w, i64 g, i64 o, i64 c, i64 count, T* to) const {
    const i64* s = w.strides;
    const i64 leading[] = {d_.groups, d_.out_channels, d_.in_channels}, taps = packing_.taps;
    const T* first = static_cast<const T*>(w.data);
    const T* end = first + end_of(s, leading, d_.kernel, d_.rank);
    const i64 outputs = min_of(lanes, d_.out_channels - o);
    Planes<const T> from = {first + g * s[0] + o * s[1] + c * s[2], outputs, s[1], s + 3};
    bool dense = !d_.flip;
    for (i64 a = d_.rank - 1, step = 1; a >= 0; step *= d_.kernel[a--])
      dense = dense && (d_.kernel[a] == 1 || s[3 + a] == step);
    if (dense && s[2] == taps) return read_run<T>(from, 1, count * taps, end, to);
    if (s[2] == 1) return read_neighbours(s, from, count, end, to);
    for (i64 i = 0; i < count; ++i, from.first += s[2]) {
      if (dense) {
        read_run<T>(from, 1, taps, end, to + i * taps * lanes);
      } else {
        for (i64 k = 0; k < taps; ++k) {
          Planes<const T> tap = from;
          tap.first += w_element(d_, s, 0, 0, 0, k);
          read_run<T>(tap, 1, 1, end, to + (i * taps + k) * lanes);
        }
      }
    }
  }

  // Of inputs that are neighbours in memory.
  void read_neighbours(const i64* strides, const Planes<const T>& from, i64 count, const T* end,
                       T* to) const {
    T row[Packing<T>::chunk * lanes];
    for (i64 k = 0; k < packing_.taps; ++k) {
      Planes<const T> tap = from;
      tap.first += w_element(d_, strides, 0, 0, 0, k);
      read_run<T>(tap, 1, count, end, row);
      for (i64 i = 0; i < count; ++i)
        store(to + (i * packing_.taps + k) * lanes, load(row + i * lanes));
    }
  }

  // Transforms the taps of `count` inputs; the result lies in one of the two.
  const T* transform(i64 count, T* values, T* other) const {
    i64 size[kAxes] = {extents_.taps[0], extents_.taps[1], extents_.taps[2]};
    for (int a = kAxes - 1; a >= 0; --a) {
      if (packing_.form.r[a] == 1) continue;
      const int t = packing_.form.t[a];
      along(kernel_pass<T>(t, static_cast<int>(size[a])), a, count, size, t, values, other);
      std::swap(values, other);
    }
    return values;
  }

  // A pass along axis a of `count` arrays, which changes the axis to n.
  static void along(Pass<T> f, int a, i64 count, i64* size, i64 n, const T* in, T* out) {
    i64 after = lanes, before = count;
    for (int i = 0; i < a; ++i) before *= size[i];
    for (int i = a + 1; i < kAxes; ++i) after *= size[i];
    f(in, after, out, after, {before, size[a] * after, n * after}, {after / lanes, lanes, lanes});
    size[a] = n;
  }

  void mark(const T* taps, i64 count, Word* to) const {
    constexpr int bits = 8 * sizeof(T);
    for (i64 i = 0; i < count; ++i)
      for (i64 word = 0; word < packing_.words; ++word, to += packing_.outputs) {
        Words w = {};
        const i64 first = word * bits / 2, last = min_of(first + bits / 2, packing_.taps);
        for (i64 k = first; k < last; ++k) {
          const auto v = __builtin_bit_cast(Words, load(taps + (i * packing_.taps + k) * lanes));
          const auto at = static_cast<int>(2 * (k - first));
          w |= (v >> (bits - 1)) << (at + 1);
          w |= (v << 1) == 0 ? Words{} + (Word(1) << at) : Words{};
        }
        store(to, w);
      }
  }

  void restore(const Word* marks, T* taps) const {
    constexpr int bits = 8 * sizeof(T);
    constexpr Word sign = Word(1) << (bits - 1);
    const Words least = Words{} + (Word(1) << (sizeof(T) == 4 ? 23 : 52));
    for (i64 k = 0; k < packing_.taps; ++k) {
      const Words w =
          load(marks + 2 * k / bits * packing_.outputs) >> static_cast<int>(2 * k % bits);
      Words v = __builtin_bit_cast(Words, load(taps + k * lanes)) & ~sign;
      v = v > least ? v : least;
      v |= w << (bits - 2) & sign;
      v = (w & 1) != 0 ? Words{} : v;
      store(taps + k * lanes, __builtin_bit_cast(Vec<T>, v));
    }
  }

  const Desc& d_;
  Packing<T> packing_;
  Extents extents_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
