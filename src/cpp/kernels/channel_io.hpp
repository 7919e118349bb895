// The way of channels into the lanes of vectors and back: [position][lane], lane l is channel l of
// a block. Boxes of the input come with boundary, crop and phases resolved (see tile.hpp); lanes
// without a channel are zero. Fast where channels or pixels are neighbours in memory.
#pragma once

#include "base/kernel.hpp"
#include "kernels/lanes.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kAhead = 2;        // rows that are fetched before they are needed
inline constexpr i64 kLongestSkip = 4;  // pixels so far apart still come as squares of neighbours

// A block of channels of one image, from some pixel on.
template <class S>
struct Planes {
  S* first;
  i64 count;           // channels, at most kLanes
  i64 channel;         // elements from one to the next
  const i64* strides;  // elements from one pixel to the next along each axis
};

// The first `count` lanes, and zeros.
template <class T>
MC_INLINE Vec<T> first_lanes(Vec<T> v, i64 count) {
  if constexpr (kLanes<T> > 1) {
    T number[kLanes<T>];
    for (int l = 0; l < kLanes<T>; ++l) number[l] = static_cast<T>(l);
    return load(number) < splat(static_cast<T>(count)) ? v : Vec<T>{};
  } else {
    return v;
  }
}

// Pixels [at, at + kLanes) of the channels, which are rows of neighbours, as one vector a pixel.
template <class T, class S>
MC_INLINE void read_square(const Planes<S>& from, i64 at, Vec<T>* v) {
  constexpr int lanes = kLanes<T>;
  const S* row = from.first + at;
  if (from.count == lanes) {
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) v[l] = load_as<T>(row + l * from.channel);
  } else {
    for (int l = 0; l < lanes; ++l)
      v[l] = l < from.count ? load_as<T>(row + l * from.channel) : Vec<T>{};
  }
  transpose<T>(*reinterpret_cast<Vec<T>(*)[lanes]>(v));
}

template <class T, class S>
MC_INLINE void read_one(const Planes<S>& from, i64 at, T* to) {
  for (int l = 0; l < kLanes<T>; ++l)
    to[l] = l < from.count ? static_cast<T>(from.first[at + l * from.channel]) : T(0);
}

// `count` pixels, `step` apart. Vectors may be read up to `end`, where the array ends.
template <class T, class S>
void read_run(const Planes<S>& from, i64 step, i64 count, S* end, T* to, i64 ahead = 0) {
  constexpr int lanes = kLanes<T>;
  const i64 reach = end - (from.first + max_of((from.count - 1) * from.channel, 0));
  i64 i = 0;
  if (from.channel == 1 && from.count == lanes) {
    for (; i < count; ++i) store(to + i * lanes, load_as<T>(from.first + i * step));
  } else if (from.channel == 1) {
    for (; i < count && from.first + i * step + lanes <= end; ++i)
      store(to + i * lanes, first_lanes<T>(load_as<T>(from.first + i * step), from.count));
  } else if (step >= 1 && step <= kLongestSkip) {
    const i64 span = (count - 1) * step + 1;
    for (i64 k = 0; k < span; k += lanes) {
      i64 at = k;
      if (at + lanes > reach) at = span - lanes;  // the last square overlaps its neighbour
      if (at < 0 || at % step != 0) break;
      Vec<T> v[lanes];
      read_square<T>(from, at, v);
      if (ahead != 0)
        for (int l = 0; l < from.count; ++l)
          __builtin_prefetch(from.first + l * from.channel + at + ahead);
      if (step == 1 && at + lanes <= span) {
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l) store(to + (at + l) * lanes, v[l]);
      } else {
        for (i64 l = (step - at % step) % step; l < lanes && at + l < span; l += step)
          store(to + (at + l) / step * lanes, v[l]);
      }
      i = min_of(ceil_div(at + lanes, step), count);
    }
  }
  for (; i < count; ++i) read_one(from, i * step, to + i * lanes);
}

// A whole box.
template <class T, class S>
void read_box(const Desc& d, const Box& box, const Tables& t, const Planes<S>& from, S* end, T cval,
              T* to) {
  constexpr int lanes = kLanes<T>;
  const int last = d.rank - 1;
  const Vec<T> outside = first_lanes<T>(splat(cval), from.count);
  i64 index[kMaxRank] = {};
  for (;; to += box.extent[last] * lanes) {
    i64 offset = 0, kind = 0;
    for (int a = 0; a < last; ++a) {
      const i64 s = t.source[a][index[a]];
      if (s >= 0)
        offset += s * from.strides[a];
      else if (kind != kOutside)
        kind = s;
    }
    for (i64 r = 0; r < t.run_count; ++r) {
      const Run& run = t.runs[r];
      T* row = to + run.start * lanes;
      if (kind < 0 || run.source < 0) {
        const bool constant = kind == kOutside || run.source == kOutside;
        for (i64 i = 0; i < run.count; ++i) store(row + i * lanes, constant ? outside : Vec<T>{});
      } else {
        const i64 pixel = from.strides[last];
        const Planes<S> here = {from.first + offset + run.source * pixel, from.count, from.channel,
                                from.strides};
        read_run(here, run.step * pixel, run.count, end, row,
                 last > 0 ? kAhead * from.strides[last - 1] : 0);
      }
    }
    int a = last - 1;
    while (a >= 0 && ++index[a] == box.extent[a]) index[a--] = 0;
    if (a < 0) break;
  }
}

// Sums that are stored as they are, or halved.
template <class T, class Out>
MC_INLINE void store_sums(Out* to, Vec<T> sums) {
  if constexpr (std::is_same_v<Out, T>)
    store(to, sums);
  else
    store_halved<T>(to, sums);
}

// n neighbouring positions to pixels `step` apart.
template <class T, class Out>
void write_run(const T* sums, i64 n, const Planes<Out>& to, i64 step, i64 ahead = 0) {
  constexpr int lanes = kLanes<T>;
  if constexpr (std::is_same_v<Out, T> || std::is_same_v<Out, BrainFloat>) {
    if (to.channel == 1 && to.count == lanes) {
      for (i64 i = 0; i < n; ++i) store_sums<T>(to.first + i * step, load(sums + i * lanes));
      return;
    }
    if (step == 1) {
      for (i64 k = 0; k < n; k += lanes) {
        const i64 at = k + lanes <= n || n < lanes ? k : n - lanes;
        Vec<T> v[lanes];
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l)
          v[l] = at + l < n ? load(sums + (at + l) * lanes) : Vec<T>{};
        transpose<T>(v);
        if (ahead != 0)
          for (int l = 0; l < to.count; ++l)
            __builtin_prefetch(to.first + l * to.channel + at + ahead, 1);
        if (to.count == lanes && n >= lanes) {
#pragma GCC unroll 16
          for (int l = 0; l < lanes; ++l) store_sums<T>(to.first + l * to.channel + at, v[l]);
        } else {
          const auto bytes = static_cast<std::size_t>(min_of(n, lanes)) * sizeof(Out);
          for (int l = 0; l < to.count; ++l) {
            Out row[lanes];
            store_sums<T>(row, v[l]);
            __builtin_memcpy(to.first + l * to.channel + at, row, bytes);
          }
        }
      }
      return;
    }
  }
  for (int l = 0; l < to.count; ++l)
    for (i64 i = 0; i < n; ++i)
      to.first[l * to.channel + i * step] = narrowed<Out>(sums[i * lanes + l]);
}

// Sums of a block of output channels, begun with zeros, on the way through the epilogue.
struct Block {
  const RunArgs& args;
  i64 channel;   // the first, over all groups
  i64 count;     // at most kLanes
  i64 residual;  // where the first position's lies
};

// Finishes the sums of size[0] * size[1] * ... positions, pitch[a] apart along axis a, and brings
// them to their pixels.
template <class T, class Out>
void write_box(const Block& block, const i64* size, const i64* pitch, T* sums,
               const Planes<Out>& to) {
  const Desc& d = block.args.desc;
  const i64* kept = block.args.residual.strides + 3;
  int last = d.rank - 1;
  i64 width = size[last];
  for (; last > 0; --last) {  // rows that follow each other on all sides are one
    const i64 n = size[last];
    if (n * pitch[last] != pitch[last - 1] || n * to.strides[last] != to.strides[last - 1]) break;
    if (d.has_residual && n * kept[last] != kept[last - 1]) break;
    width *= size[last - 1];
  }
  const i64 pixel = to.strides[d.rank - 1], neighbour = kept[d.rank - 1];
  i64 index[kMaxRank] = {};
  for (;;) {
    i64 from = 0, offset = 0, residual = block.residual;
    for (int a = 0; a < last; ++a) {
      from += index[a] * pitch[a];
      offset += index[a] * to.strides[a];
      if (d.has_residual) residual += index[a] * kept[a];
    }
    T* row = sums + from * kLanes<T>;
    if (d.has_bias || !is_plain(d))
      finish_lanes(block.args, block.channel, block.count, residual, neighbour, row, width);
    const Planes<Out> here = {to.first + offset, to.count, to.channel, to.strides};
    write_run(row, width, here, pixel, last > 0 ? kAhead * to.strides[last - 1] : 0);
    int a = last - 1;
    while (a >= 0 && ++index[a] == size[a]) index[a--] = 0;
    if (a < 0) break;
  }
}

// One past the element of an array that lies highest in memory, counted from its first.
MC_INLINE i64 end_of(const i64* strides, const i64* leading, const i64* size, int rank) {
  i64 end = 1;
  for (int i = 0; i < 3; ++i) end += max_of((leading[i] - 1) * strides[i], 0);
  for (int a = 0; a < rank; ++a) end += max_of((size[a] - 1) * strides[3 + a], 0);
  return end;
}

// Blocks of kLanes channels of a run's arrays.
template <class T>
class ChannelIo {
 public:
  explicit ChannelIo(const RunArgs& args) : d_(args.desc), args_(args) {
    const i64 leading[] = {d_.batch, d_.groups, d_.in_channels};
    end_ = end_of(args.x.strides, leading, d_.in_size, d_.rank);
  }

  // The box of input channels [c, c + kLanes) of group g, image n.
  void read(const Box& box, const Tables& t, i64 n, i64 g, i64 c, T* to) const {
    const i64* s = args_.x.strides;
    as_stored<T>(d_.x_type, args_.x.data, [&](auto* x) {
      using S = std::remove_pointer_t<decltype(x)>;
      const Planes<S> from = {x + n * s[0] + g * s[1] + c * s[2],
                              min_of(kLanes<T>, d_.in_channels - c), s[2], s + 3};
      read_box(d_, box, t, from, x + end_, boundary_value<T>(d_, 0), to);
    });
  }

  // Sums of output channels [o, o + kLanes), without bias, of outputs first[] on; size[] and
  // pitch[] as for write_box(). Sums are changed.
  void write(i64 n, i64 g, i64 o, const i64* first, const i64* size, const i64* pitch,
             T* sums) const {
    const i64* s = args_.out.strides;
    const i64 count = min_of(kLanes<T>, d_.out_channels - o);
    At at = start_of(args_, n, g, o);
    for (int a = 0; a < d_.rank; ++a) at += first[a] * step_of(args_, 3 + a);
    const Block block = {args_, g * d_.out_channels + o, count, at.residual};
    as_stored_or_brain<T>(d_.out_type, args_.out.data, [&](auto* out) {
      using Out = std::remove_pointer_t<decltype(out)>;
      write_box(block, size, pitch, sums, Planes<Out>{out + at.out, count, s[2], s + 3});
    });
  }

 private:
  const Desc& d_;
  const RunArgs& args_;
  i64 end_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
