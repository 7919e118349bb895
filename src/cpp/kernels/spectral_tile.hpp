// Transforms of tiles, one channel in each lane.
#pragma once

#include "kernels/channel_io.hpp"
#include "kernels/spectral_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
class SpectralTile {
  static constexpr int lanes = kLanes<T>;

 public:
  using Cells = Complex<T>;

  static i64 tile_bytes(const SpectralPlan& p) {
    return p.elements * static_cast<i64>(sizeof(Cells));
  }
  // Two rows of points.
  static i64 line_bytes(const SpectralPlan& p) {
    return 4 * p.row * lanes * static_cast<i64>(sizeof(T));
  }

  SpectralTile(const Desc& d, const SpectralPlan& p, const void* packed, Cells* tile, T* line)
      : d_(d),
        p_(p),
        packed_(static_cast<const char*>(packed)),
        turn_(at<T>(p.turn)),
        tile_(tile),
        line_(line) {}

  Cells* tile() const { return tile_; }
  T* line() const { return line_; }                              // of points
  T* second_line() const { return line_ + 2 * p_.row * lanes; }  // of outputs

  // Where the row at these indices of the axes before the last begins.
  Cells* row(const i64* index) const {
    Cells* at = tile_;
    for (int a = 0; a < p_.last; ++a) at += index[a] * p_.pitch[a];
    return at;
  }

  // Transforms every axis. `read(a, i)` enters index i of axis a and, on the last but one, fills
  // line(); it returns false where everything there is zero.
  template <class Read>
  void forward(Read&& read) {
    if (p_.last > 0) {
      load(0, tile_, read);
    } else {
      read(0, 0);
      row_forward(tile_);
    }
  }

  // Undoes forward(), for the rows and the points that are outputs: `write(index, values)` gets
  // indices of outputs along the axes before the last, and count[last] vectors.
  template <class Write>
  void inverse(const i64* count, Write&& write) {
    i64 index[kMaxRank] = {};
    if (p_.last > 0) each_strip([&](i64 at, i64, i64 width) { columns<kInverse>(0, at, width); });
    unload(0, tile_, count, index, write);
  }

  // The columns of the first axis, some side by side: f(cell, frequency, width) for `outer` rows
  // that are pitch() cells and inner() frequencies apart.
  template <class F>
  void each_strip(F&& f) const {
    const i64 width = strip_width(outer());
    const i64 rows = p_.last > 1 ? p_.size[1] : 1;
    for (i64 row = 0; row < rows; ++row)
      for (i64 c = 0; c < p_.row; c += width)
        f((p_.last > 1 ? row * p_.pitch[1] : 0) + c, row * p_.row + c, min_of(width, p_.row - c));
  }
  i64 outer() const { return p_.last > 0 ? p_.size[0] : 1; }
  i64 pitch() const { return p_.last > 0 ? p_.pitch[0] : 0; }
  i64 inner() const { return p_.cells / outer(); }

  template <int work>
  void columns(int a, i64 at, i64 width) const {
    if (p_.size[a] > 1)
      transform<work, T>({p_.fft[a], this->template at<T>(p_.twiddles[a]), {p_.pitch[a], width}},
                         tile_ + at, tile_ + at);
  }

  void row_forward(Cells* row) const {
    const i64 n = p_.row;
    for (i64 i = 0; i < n; ++i) {
      const Cells folded = {load_vec(line_ + i * lanes), load_vec(line_ + (i + n) * lanes)};
      row[i] = times(folded, turn_[2 * i], turn_[2 * i + 1]);
    }
    transform<kForward, T>({p_.fft[p_.last], at<T>(p_.twiddles[p_.last]), {1, 1}}, row, row);
  }

 private:
  template <class V>
  const V* at(i64 begin) const {
    return reinterpret_cast<const V*>(packed_ + begin);
  }
  MC_INLINE Vec<T> load_vec(const T* p) { return multiconv::MC_TARGET::load(p); }

  i64 strip_width(i64 length) const {
    return max_of(1, kNearBytes / (length * static_cast<i64>(sizeof(Cells))));
  }

  template <class Read>
  bool load(int a, Cells* at, Read& read) {
    bool any = false;
    for (i64 i = 0; i < p_.size[a]; ++i) {
      Cells* part = at + i * p_.pitch[a];
      bool filled = read(a, i);
      if (filled && a + 1 < p_.last) filled = load(a + 1, part, read);
      if (filled && a + 1 == p_.last) row_forward(part);
      if (!filled) {
        const i64 n = a + 1 < p_.last ? p_.pitch[a] : p_.row;
        for (i64 k = 0; k < n; ++k) part[k] = Cells{};
      }
      any = any || filled;
    }
    if (a == 0) {
      each_strip([&](i64 begin, i64, i64 width) { columns<kForward>(0, begin, width); });
    } else if (any) {
      each_column(a, at, [&](i64 begin, i64 width) { columns<kForward>(a, begin, width); });
    }
    return any;
  }

  template <class F>
  void each_column(int a, const Cells* from, F&& f) const {
    const i64 width = strip_width(p_.size[a]), begin = from - tile_;
    for (i64 c = 0; c < p_.row; c += width) f(begin + c, min_of(width, p_.row - c));
  }

  template <class Write>
  void unload(int a, Cells* at, const i64* count, i64* index, Write& write) {
    if (a == p_.last) return unload_row(at, count[a], index, write);
    if (a > 0) each_column(a, at, [&](i64 begin, i64 w) { columns<kInverse>(a, begin, w); });
    for (i64 i = 0; i < count[a]; ++i) {
      index[a] = i;
      unload(a + 1, at + (i * d_.stride[a] + p_.span[a] - 1) * p_.pitch[a], count, index, write);
    }
  }

  template <class Write>
  void unload_row(Cells* row, i64 count, const i64* index, Write& write) {
    const int a = p_.last;
    transform<kInverse, T>({p_.fft[a], this->template at<T>(p_.twiddles[a]), {1, 1}}, row, row);
    T* to = second_line();
    for (i64 i = 0; i < count; ++i) {
      const i64 n = i * d_.stride[a] + p_.span[a] - 1;
      const i64 k = n < p_.row ? n : n - p_.row;
      const T re = turn_[2 * k], im = turn_[2 * k + 1];
      store(to + i * lanes,
            n < p_.row ? row[k].re * re + row[k].im * im : row[k].im * re - row[k].re * im);
    }
    write(index, to);
  }

  const Desc& d_;
  const SpectralPlan& p_;
  const char* packed_;
  const T* turn_;
  Cells* tile_;
  T* line_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
