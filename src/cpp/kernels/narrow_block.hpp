// Sums of short integers for a few rows and vectors at a time.
#pragma once

#include <numeric>
#include <utility>

#include "kernels/tile.hpp"
#include "simd/short.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kGroup = 4;                          // rows that share loads
inline constexpr int kWide = MC_REGISTERS >= 32 ? 2 : 1;  // vectors of a row in registers

// Rounded quotients by n, half to even, of sums of up to n bytes: sum + n / 2 times a number just
// above 2^(16 + shift) / n, divided by that power of two.
struct Division {
  Short n = 1, factor = 0, half = 0;
  int shift = 0;

  Division() = default;
  explicit Division(i64 count) {
    if (count > 257) return;  // whose sums do not fit 16 bits
    n = static_cast<Short>(count);
    half = static_cast<Short>(count / 2);
    if (count == 1) return;
    while ((i64(2) << (16 + shift)) / count < 65535) ++shift;
    factor = static_cast<Short>(ceil_div(i64(1) << (16 + shift), count));
  }

  // Whether the excess of the factor never reaches the next quotient.
  bool is_exact() const {
    if (n == 1) return false;
    const i64 whole = i64(1) << (16 + shift), most = i64(255) * n + half;
    return most < 65536 && (factor * i64(n) - whole) * most < whole;
  }

  MC_INLINE Shorts by(const Division& d, Shorts sums) {
    const Shorts raised = sums + d.half;
    Shorts q = high_product(raised, splat(d.factor)) >> d.shift;
    if (d.n % 2 == 0) {
      const Shorts tie = (Shorts)(q * d.n == raised);  // all bits, or the lowest
      q -= q & tie & 1;
    }
    return q;
  }
};

// A tap twice, as loading pairs into all lanes is cheaper than loading single ones.
using Tap = std::uint32_t;

template <class Number>
MC_INLINE Tap twice(Number n) {
  return static_cast<Short>(n) * Tap{0x10001};
}

// values * tap, which may wrap.
MC_INLINE Shorts product(Shorts values, Tap tap) {
  if constexpr (kLanes<Short> == 1)
    return static_cast<Shorts>(values * (tap & 65535));  // as numbers, short ones become signed
  else
    return values * (Shorts)splat(tap);
}

// What the rows of one filter are summed with.
struct Filter {
  enum class Kind { plane, product, box };  // any taps, an outer product, all ones
  struct Head {
    Division mean;
    Kind kind;
  };

  i64 down = 0, across = 0, step = 0;  // taps, and how far those of a row are apart
  Short bias = 0;

  Filter() = default;
  Filter(const void* packed, i64 number, i64 taps) {
    const char* at = static_cast<const char*>(packed) + number * bytes(taps);
    head_ = *reinterpret_cast<const Head*>(at);
    taps_ = reinterpret_cast<const Tap*>(at + kAlign);
  }

  static i64 bytes(i64 taps) {
    static_assert(sizeof(Head) <= kAlign);
    const i64 most = (taps + 1) * static_cast<i64>(sizeof(Tap));
    return static_cast<i64>(kAlign) * (1 + ceil_div(most, static_cast<i64>(kAlign)));
  }

  static std::size_t packed_bytes(i64 filters, i64 taps) {
    return static_cast<std::size_t>(filters * bytes(taps));
  }

  template <class Get>
  static void pack(void* packed, i64 number, i64 down, i64 across, Get&& tap, Division mean) {
    char* at = static_cast<char*>(packed) + number * bytes(down * across);
    Tap* to = reinterpret_cast<Tap*>(at + kAlign);
    bool ones = true;
    for (i64 t = 0; t < down * across; ++t) ones = ones && tap(t) == 1;
    const bool outer = !ones && factors(down, across, tap, to);
    *reinterpret_cast<Head*>(at) = {mean, ones ? Kind::box : outer ? Kind::product : Kind::plane};
    if (outer) return;
    for (i64 t = 0; t < down * across; ++t) to[t] = twice(tap(t));
  }

  // What is stored, from sums of R rows and V vectors.
  template <int R, int V>
  MC_INLINE void finish(const Filter& f, Shorts (&sums)[R][V]) {
    if (f.head_.mean.n == 1) return;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = Division::by(f.head_.mean, sums[r][v]);
  }

  // Three tap rows and more: kGroup rows of n outputs at once, n at least kWide vectors. Calls
  // put(column, sums).
  template <class S, class Put>
  void grouped(const S* const* rows, i64 n, Put&& put) const {
    switch (head_.kind) {
      case Kind::plane:
        return grouped_as<Kind::plane>(rows, n, put);
      case Kind::product:
        return grouped_as<Kind::product>(rows, n, put);
      case Kind::box:
        return grouped_as<Kind::box>(rows, n, put);
    }
  }

  // One row of n outputs, n at least a vector; its taps lie `apart` rows apart.
  template <class S, class Put>
  void single(const S* const* rows, i64 apart, i64 n, Put&& put) const {
    const bool outer = head_.kind == Kind::product;
    for (i64 q = 0;;) {
      Shorts sums[1][1] = {{splat(bias)}};
      for (i64 j = 0; j < down; ++j) {
        const S* row = rows[j * apart] + q;
        const Tap* taps = outer ? taps_ + down : taps_ + j * across;
        Shorts line = {};
        for (i64 k = 0; k < across; ++k) line += product(load_shorts(row + k * step), taps[k]);
        sums[0][0] += outer ? product(line, taps_[j]) : line;
      }
      finish(*this, sums);
      put(q, sums);
      if (q + kLanes<Short> == n) break;
      q = min_of(q + kLanes<Short>, n - kLanes<Short>);
    }
  }

 private:
  template <Kind kind, class S, class Put>
  void grouped_as(const S* const* rows, i64 n, Put&& put) const {
    if (down == 3 && across == 3)
      group<kind, 3, 3>(rows, n, put);
    else if (down == 3)
      group<kind, 3, 0>(rows, n, put);
    else
      group<kind, 0, 0>(rows, n, put);
  }

  // Whether the taps are an outer product of integers, which are written: those down, then those
  // across, which have no common factor.
  template <class Get>
  static bool factors(i64 down, i64 across, Get&& tap, Tap* to) {
    if (down == 1 || across == 1) return false;
    i64 filled = 0;  // a row with taps
    i64 common = 0;
    for (; filled < down; ++filled) {
      for (i64 k = 0; k < across; ++k) common = std::gcd(common, i64(tap(filled * across + k)));
      if (common != 0) break;
    }
    if (common == 0) return false;
    i64 place = 0;
    while (tap(filled * across + place) == 0) ++place;
    auto line = [&](i64 k) { return tap(filled * across + k) / common; };
    for (i64 j = 0; j < down; ++j) {
      const i64 height = tap(j * across + place) / line(place);
      for (i64 k = 0; k < across; ++k)
        if (height * line(k) != tap(j * across + k)) return false;
    }
    for (i64 j = 0; j < down; ++j) to[j] = twice(tap(j * across + place) / line(place));
    for (i64 k = 0; k < across; ++k) to[down + k] = twice(line(k));
    return true;
  }

  template <Kind kind>
  MC_INLINE Shorts times(Shorts values, const Tap* tap) {
    if constexpr (kind == Kind::box)
      return values;
    else
      return product(values, *tap);
  }

  template <int known, class F>
  MC_INLINE void each_tap(i64 count, F&& f) {
    if constexpr (known > 0) {
#pragma GCC unroll 8
      for (int k = 0; k < known; ++k) f(k);
    } else {
      for (i64 k = 0; k < count; ++k) f(k);
    }
  }

  // Adds input row `from` to the output rows Lo <= r < Hi, by tap row `j` for the first row.
  template <Kind kind, int Across, int Lo, int Hi, class S>
  MC_INLINE void add_row(const Filter& f, const S* from, i64 j, Shorts (&sums)[kGroup][kWide]) {
    const i64 across = Across ? Across : f.across;
    const Tap* taps = f.taps_ + j * (kind == Kind::product ? 1 : across);
    if constexpr (kind != Kind::plane) {
      Shorts line[kWide] = {};
      each_tap<Across>(across, [&](i64 k) {
#pragma GCC unroll 8
        for (int v = 0; v < kWide; ++v)
          line[v] +=
              times<kind>(load_shorts(from + k * f.step + v * kLanes<Short>), f.taps_ + f.down + k);
      });
#pragma GCC unroll 8
      for (int r = Lo; r < Hi; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < kWide; ++v) sums[r][v] += times<kind>(line[v], taps - r);
    } else {
      each_tap<Across>(across, [&](i64 k) {
        Shorts value[kWide];
#pragma GCC unroll 8
        for (int v = 0; v < kWide; ++v)
          value[v] = load_shorts(from + k * f.step + v * kLanes<Short>);
#pragma GCC unroll 8
        for (int r = Lo; r < Hi; ++r) {
          const Tap tap = taps[k - r * across];
#pragma GCC unroll 8
          for (int v = 0; v < kWide; ++v) sums[r][v] += product(value[v], tap);
        }
      });
    }
  }

  // All tap rows where there are few, so that every bound is known.
  template <Kind kind, int Down, int Across, class S, int... j>
  MC_INLINE void add_few(const Filter& f, const S* const* rows, i64 q,
                         Shorts (&sums)[kGroup][kWide], std::integer_sequence<int, j...>) {
    (add_row<kind, Across, (j < Down ? 0 : j - Down + 1), (j < kGroup ? j + 1 : kGroup)>(
         f, rows[j] + q, j, sums),
     ...);
  }

  template <Kind kind, int Across, class S>
  MC_INLINE void add_many(const Filter& f, const S* const* rows, i64 q,
                          Shorts (&sums)[kGroup][kWide]) {
    static_assert(kGroup == 4);
    const i64 n = f.down;
    add_row<kind, Across, 0, 1>(f, rows[0] + q, 0, sums);
    add_row<kind, Across, 0, 2>(f, rows[1] + q, 1, sums);
    add_row<kind, Across, 0, 3>(f, rows[2] + q, 2, sums);
    for (i64 j = 3; j < n; ++j) add_row<kind, Across, 0, 4>(f, rows[j] + q, j, sums);
    add_row<kind, Across, 1, 4>(f, rows[n] + q, n, sums);
    add_row<kind, Across, 2, 4>(f, rows[n + 1] + q, n + 1, sums);
    add_row<kind, Across, 3, 4>(f, rows[n + 2] + q, n + 2, sums);
  }

  // The last block is moved back to end with the row: it makes some outputs twice, the same.
  template <Kind kind, int Down, int Across, class S, class Put>
  void group(const S* const* rows, i64 n, Put&& put) const {
    constexpr i64 width = kWide * kLanes<Short>;
    for (i64 q = 0;;) {
      Shorts sums[kGroup][kWide];
#pragma GCC unroll 8
      for (int r = 0; r < kGroup; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < kWide; ++v) sums[r][v] = splat(bias);
      if constexpr (Down > 0)
        add_few<kind, Down, Across>(*this, rows, q, sums,
                                    std::make_integer_sequence<int, Down + kGroup - 1>{});
      else
        add_many<kind, Across>(*this, rows, q, sums);
      finish(*this, sums);
      put(q, sums);
      if (q + width == n) break;
      q = min_of(q + width, n - width);
    }
  }

  Head head_{};
  const Tap* taps_ = nullptr;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
