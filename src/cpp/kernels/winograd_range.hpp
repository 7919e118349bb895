// Values that no transform may see: NaN, infinities, and those so large that small ones beside them
// would drown in their rounding errors. Where a tile holds such, they are zero for the transform
// and are summed directly into the outputs whose windows hold them.
#pragma once

#include <limits>

#include "kernels/winograd_pack.hpp"
#include "kernels/winograd_unit.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Windows with nothing above this share of the largest value would drown in its error.
template <class T>
inline constexpr T kLeastShare = std::numeric_limits<T>::epsilon() * T(1024);

// Nothing that a sum of transformed numbers overflows from, with such weights.
template <class T>
T largest_input(const Packing<T>& p, const T* packed) {
  T top = T(0);
  for (i64 i = p.tops; i < p.all; ++i) top = packed[i] > top ? packed[i] : top;
  const T growth = sizeof(T) == 4 ? T(0x1p27) : T(0x1p48);
  const T most = std::numeric_limits<T>::max() / growth;
  const T sum = top * static_cast<T>(p.inputs * p.form.taps);
  return sum > T(1) ? most / sum : most;
}

// What a unit holds, as integers: the order is the same, and infinities and NaN come last.
template <class T>
struct Magnitudes {
  Bits<T> largest;
  Bits<T> least;  // of the largest in each position that is part of the array
};

template <class T>
MC_INLINE Vec<Bits<T>> magnitude(const T* p) {
  return __builtin_bit_cast(Vec<Bits<T>>, load(p)) & (std::numeric_limits<Bits<T>>::max() >> 1);
}

template <class T, bool smallest>
MC_INLINE Bits<T> across(Vec<Bits<T>> v) {
  Bits<T> each[kLanes<T>];
  store(each, v);
  for (int l = 1; l < kLanes<T>; ++l)
    if (smallest ? each[l] < each[0] : each[l] > each[0]) each[0] = each[l];
  return each[0];
}

// The largest of n positions.
template <class T>
Bits<T> largest_of(const T* box, i64 n) {
  Vec<Bits<T>> top[4] = {};
  i64 i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; ++k) {
      const auto v = magnitude(box + (i + k) * kLanes<T>);
      top[k] = top[k] > v ? top[k] : v;
    }
  for (; i < n; ++i) {
    const auto v = magnitude(box + i * kLanes<T>);
    top[0] = top[0] > v ? top[0] : v;
  }
  for (int k = 1; k < 4; ++k) top[0] = top[0] > top[k] ? top[0] : top[k];
  return across<T, false>(top[0]);
}

// The least of the largest in each of n positions.
template <class T>
Bits<T> least_of(const T* box, i64 n) {
  constexpr int lanes = kLanes<T>;
  Vec<Bits<T>> low = Vec<Bits<T>>{} + std::numeric_limits<Bits<T>>::max();
  for (i64 i = 0; i < n; i += lanes) {
    Vec<Bits<T>> v[lanes];
    for (int l = 0; l < lanes; ++l) v[l] = magnitude(box + min_of(i + l, n - 1) * lanes);
    transpose<Bits<T>>(v);
#pragma GCC unroll 16
    for (int l = 1; l < lanes; ++l) v[0] = v[0] > v[l] ? v[0] : v[l];
    low = low < v[0] ? low : v[0];
  }
  return across<T, true>(low);
}

// Calls f(position, count) for the runs of a box that are part of the array.
template <class F>
void each_run(const Desc& d, const Box& box, const Tables& t, F&& f) {
  const int last = d.rank - 1;
  i64 index[kMaxRank] = {};
  for (i64 row = 0;; row += box.extent[last]) {
    bool real = true;
    for (int a = 0; a < last; ++a) real = real && t.source[a][index[a]] >= 0;
    for (i64 r = 0; real && r < t.run_count; ++r)
      if (t.runs[r].source >= 0) f(row + t.runs[r].start, t.runs[r].count);
    int a = last - 1;
    while (a >= 0 && ++index[a] == box.extent[a]) index[a--] = 0;
    if (a < 0) break;
  }
}

// The tiles of a unit that differ in more than the output of an axis that is summed tap by tap:
// such outputs share a limit.
template <class T>
class Columns {
  static constexpr i64 lanes = kLanes<T>;

 public:
  Columns(const RunArgs& args, const KernelIo<T>& kernels, const Transforms<T>& transforms,
          const Unit& unit, i64 group)
      : d_(args.desc),
        kernels_(kernels),
        transforms_(transforms),
        form_(transforms.form),
        unit_(unit),
        group_(group),
        window_(args, unit.phase),
        shape_(d_, form_, unit.tiles) {
    for (int i = 0; i < kAxes; ++i) {
      const int a = i - (kAxes - d_.rank);
      whole_[i] = a >= 0 && form_.m[i] == 1 && d_.kernel[a] > 1;
      columns_[i] = whole_[i] ? 1 : unit.tiles[i];
      kernel_[i] = a < 0 ? 1 : d_.kernel[a];
    }
  }

  static i64 scratch(i64 positions, i64 tiles, const Transforms<T>& t) {
    return positions * (lanes + 1) + t.scratch(tiles);
  }

  // The largest value that each column may show its transform, infinite where it holds nothing
  // larger. Returns whether any does.
  bool settle(T limit, T* limits, T* scratch) {
    i64 tiles[kMaxRank];
    for (int a = 0; a < d_.rank; ++a) tiles[a] = shape_.sums[form_axis(d_, a)];
    window_.place(unit_.first, tiles);
    const i64 positions = window_.box().volume;
    Bits<T>* top = reinterpret_cast<Bits<T>*>(scratch);
    T* box = scratch + ceil_div(positions, lanes) * lanes;
    for (i64 c = 0; c < d_.in_channels; c += lanes) {
      window_.read(unit_.image, group_, c, box);
      for (i64 i = 0; i < positions; ++i) {
        const Bits<T> here = across<T, false>(magnitude(box + i * lanes));
        top[i] = c > 0 && top[i] > here ? top[i] : here;
      }
    }
    bool any = false;
    each_column([&](const i64* column) {
      *limits = limit_of(column, limit, top);
      any = any || *limits < std::numeric_limits<T>::infinity();
      ++limits;
    });
    return any;
  }

  // Transforms the columns that have a limit again, without what is above it.
  void forward(const T* limits, T* v, i64 step, i64 row, T* scratch) {
    const i64 tiles[kAxes] = {1, 1, 1};
    Shape one(d_, form_, tiles);
    for (int i = 0; i < kAxes; ++i) one.inputs[i] = 1;
    each_limited(limits, [&](const i64* column, T limit) {
      place(column);
      const i64 positions = window_.box().volume;
      T* box = scratch;
      const i64 planes = positions / plane(one);
      for (i64 c = 0; c < d_.in_channels; c += lanes) {
        window_.read(unit_.image, group_, c, box);
        for (i64 i = 0; i < positions * lanes; ++i)
          if (!(abs(box[i]) <= limit)) box[i] = T(0);
        for (i64 p = 0; p < planes; ++p)
          transforms_.forward(one, box + p * plane(one) * lanes,
                              v + (p * unit_.step + number(column)) * row + c, step, row,
                              scratch + positions * lanes);
      }
    });
  }

  // Adds what was left out to the sums of one vector of outputs.
  void add(const T* limits, i64 vector, const T* packed, T* sums, T* scratch) {
    each_limited(limits, [&](const i64* column, T limit) {
      place(column);
      const Box& box = window_.box();
      T *values = scratch, *taps = scratch + box.volume * lanes;
      i64 extent[kAxes], origin[kAxes], outputs[kAxes];
      for (int i = 0; i < kAxes; ++i) {
        outputs[i] = whole_[i] ? shape_.sums[i] : form_.m[i];
        extent[i] = outputs[i] + kernel_[i] - 1;
        origin[i] = whole_[i] ? 0 : column[i] * form_.m[i];
      }
      for (i64 c = 0; c < d_.in_channels; c += lanes) {
        window_.read(unit_.image, group_, c, values);
        for (i64 l = 0; l < min_of(lanes, d_.in_channels - c); ++l) {
          const T* w = nullptr;
          for (i64 i = 0; i < box.volume; ++i) {
            const T x = values[i * lanes + l];
            if (abs(x) <= limit) continue;
            if (w == nullptr) w = kernels_.taps(packed, group_, vector, c + l, taps);
            const i64 at[] = {i / (extent[1] * extent[2]), i / extent[2] % extent[1],
                              i % extent[2]};
            spread(x, w, at, origin, outputs, sums);
          }
        }
      }
    });
  }

 private:
  static T abs(T x) { return x < T(0) ? -x : x; }

  i64 plane(const Shape& one) const {
    i64 n = 1;
    for (int i = 0; i < kAxes; ++i)
      if (!whole_[i]) n *= one.box[i];
    return n;
  }

  i64 number(const i64* column) const {
    return (column[0] * columns_[1] + column[1]) * columns_[2] + column[2];
  }

  template <class F>
  void each_column(F&& f) const {
    i64 c[kAxes];
    for (c[0] = 0; c[0] < columns_[0]; ++c[0])
      for (c[1] = 0; c[1] < columns_[1]; ++c[1])
        for (c[2] = 0; c[2] < columns_[2]; ++c[2]) f(c);
  }

  template <class F>
  void each_limited(const T* limits, F&& f) const {
    each_column([&](const i64* column) {
      const T limit = limits[number(column)];
      if (limit < std::numeric_limits<T>::infinity()) f(column, limit);
    });
  }

  void place(const i64* column) {
    i64 first[kMaxRank], size[kMaxRank];
    for (int a = 0; a < d_.rank; ++a) {
      const int i = form_axis(d_, a);
      first[a] = unit_.first[a] + (whole_[i] ? 0 : column[i] * form_.m[i]);
      size[a] = whole_[i] ? shape_.sums[i] : form_.m[i];
    }
    window_.place(first, size);
  }

  // Calls f for the indices of a box of three axes that begins at `first`.
  template <class F>
  static void each_index(const i64* first, const i64* size, F&& f) {
    i64 i[kAxes];
    for (i[0] = first[0]; i[0] < first[0] + size[0]; ++i[0])
      for (i[1] = first[1]; i[1] < first[1] + size[1]; ++i[1])
        for (i[2] = first[2]; i[2] < first[2] + size[2]; ++i[2]) f(i);
  }

  T limit_of(const i64* column, T limit, const Bits<T>* top) const {
    i64 first[kAxes], outputs[kAxes], extent[kAxes];
    for (int i = 0; i < kAxes; ++i) {
      const int a = i - (kAxes - d_.rank);
      first[i] = whole_[i] ? 0 : column[i] * form_.m[i];
      outputs[i] = whole_[i] ? shape_.sums[i] : form_.m[i];
      extent[i] = outputs[i] + kernel_[i] - 1;
      if (a >= 0)
        outputs[i] = min_of(outputs[i], window_.desc().out_size[a] - unit_.first[a] - first[i]);
    }
    const auto largest = [&](const i64* from, const i64* size) {
      Bits<T> found = 0;
      each_index(from, size, [&](const i64* i) {
        const Bits<T> here = top[(i[0] * shape_.box[1] + i[1]) * shape_.box[2] + i[2]];
        found = here > found ? here : found;
      });
      return found;
    };
    T most = limit;
    each_index(first, outputs, [&](const i64* at) {
      const Bits<T> here = largest(at, kernel_);
      const T value = __builtin_bit_cast(T, here);
      if (here > 0 && value <= limit && value < most * kLeastShare<T>)
        most = value / kLeastShare<T>;
    });
    const T peak = __builtin_bit_cast(T, largest(first, extent));
    return peak <= most ? std::numeric_limits<T>::infinity() : most;
  }

  // Adds x, which lies at `at` of a column, to the outputs whose windows hold it.
  void spread(T x, const T* w, const i64* at, const i64* origin, const i64* outputs,
              T* sums) const {
    i64 first[kAxes], count[kAxes];
    for (int i = 0; i < kAxes; ++i) {
      first[i] = max_of(at[i] - kernel_[i] + 1, 0);
      count[i] = min_of(at[i] + 1, outputs[i]) - first[i];
    }
    each_index(first, count, [&](const i64* o) {
      i64 tap = 0, to = 0;
      for (int i = 0; i < kAxes; ++i) {
        tap = tap * kernel_[i] + at[i] - o[i];
        to = to * shape_.sums[i] + origin[i] + o[i];
      }
      T* sum = sums + to * lanes;
      store(sum, load(sum) + load(w + tap * lanes) * x);
    });
  }

  const Desc& d_;
  const KernelIo<T>& kernels_;
  const Transforms<T>& transforms_;
  const Form& form_;
  const Unit& unit_;
  i64 group_;
  Window<T> window_;
  Shape shape_;
  bool whole_[kAxes];  // a column is as long as the unit
  i64 columns_[kAxes], kernel_[kAxes];
};

}  // namespace
}  // namespace multiconv::MC_TARGET
