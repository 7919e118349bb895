// The blocks of overlap-save in the caller's arrays: where they lie, how rows come and go.
#pragma once

#include <limits>

#include "base/kernel.hpp"
#include "kernels/blocks.hpp"
#include "kernels/epilogue.hpp"

namespace multiconv::MC_TARGET {

// What is computed with. A lane holds one block where values are complex, else one in each part.
template <class T, bool is_complex>
struct Numbers {
  using Real = T;
  static constexpr bool complex = is_complex;
  static constexpr int scalars = complex ? 2 : 1;  // numbers of a value
  static constexpr int parts = complex ? 1 : 2;    // blocks of a lane
  static constexpr int blocks = parts * kLanes<T>;
};

struct Block {
  i64 in, out;          // where its image begins, in elements
  i64 start[kMaxRank];  // input position of its first point
  i64 need[kMaxRank];   // points that count; full blocks read their whole tile
  i64 begin[kMaxRank];  // first output
  i64 count[kMaxRank];  // outputs
};

// In place of a row's offset: zeros, or the constant beyond the boundary.
inline constexpr i64 kNothing = std::numeric_limits<i64>::min();
inline constexpr i64 kConstant = kNothing + 1;

// `count` values of an axis of n that goes on beyond its ends as `mode` says, from position `from`.
template <int scalars, class T>
void copy_line(const T* line, i64 stride, i64 n, Boundary mode, const T* constant, i64 from,
               i64 count, T* to) {
  while (count > 0) {
    const i64 at = resolve_index(from, n, mode);
    const T* source = at == kOutside ? constant : line + at * stride * scalars;
    i64 run = count, move = 0;
    if (at == kOutside) {
      if (from < 0) run = -from;
    } else {
      // From here the axis is read upwards, downwards, or stands still.
      move = resolve_index(from + 1, n, mode) - at;
      if (move == 1)
        run = n - at;
      else if (move == -1)
        run = at + 1;
      else if (move != 0 || (n > 1 && mode != Boundary::edge))
        run = 1;
      else if (n > 1 && from < 0)
        run = -from;
    }
    run = least(run, count);
    const i64 advance = move * stride * scalars;
    if (advance == scalars) {
      __builtin_memcpy(to, source, static_cast<std::size_t>(run * scalars) * sizeof(T));
    } else {
      for (i64 i = 0; i < run; ++i)
        for (int p = 0; p < scalars; ++p) to[i * scalars + p] = source[i * advance + p];
    }
    to += run * scalars;
    from += run;
    count -= run;
  }
}

template <class N>
class BlockIo {
  using T = typename N::Real;
  static constexpr int scalars = N::scalars;

 public:
  static constexpr i64 chunk = 128;  // values of a row moved at once
  static constexpr i64 line = chunk * scalars;
  static constexpr i64 lines = 3;  // that this needs of its own

  BlockIo(const RunArgs& args, const Layout& l, i64 group, T* memory)
      : d(args.desc), l_(l), args_(args), group_(group), lines_(memory) {
    for (i64 i = 0; i < line; ++i) {
      lines_[i] = T(0);
      lines_[line + i] = static_cast<T>(d.cval[i % scalars]);
    }
  }

  T* zeros() const { return lines_; }
  T* constants() const { return lines_ + line; }
  T* waste() const { return lines_ + 2 * line; }

  i64 in_stride(int a) const { return args_.x.strides[3 + a]; }
  i64 out_stride(int a) const { return args_.out.strides[3 + a]; }
  i64 channel_stride() const { return args_.out.strides[2]; }
  const T* input(i64 offset) const {
    return static_cast<const T*>(args_.x.data) + offset * scalars;
  }
  T* output(i64 offset) const { return static_cast<T*>(args_.out.data) + offset * scalars; }

  Block locate(i64 index) const {
    const i64 image = index / l_.positions;
    Block block;
    block.in = image * args_.x.strides[0] + group_ * args_.x.strides[1];
    block.out = image * args_.out.strides[0] + group_ * args_.out.strides[1];
    for (int a = l_.last; a >= 0; --a) {
      block.begin[a] = index % l_.blocks[a] * l_.step[a];
      index /= l_.blocks[a];
      block.start[a] = block.begin[a] * d.stride[a] - d.pad_low[a];
      block.count[a] = least(l_.step[a], d.out_size[a] - block.begin[a]);
      block.need[a] = block.count[a] == l_.step[a]
                          ? d.tile[a]
                          : (block.count[a] - 1) * d.stride[a] + l_.span[a];
    }
    return block;
  }

  // No point of it is padding, and its rows are contiguous.
  bool inside(const Block& block) const {
    for (int a = 0; a < d.rank; ++a)
      if (block.need[a] != d.tile[a] || block.start[a] < 0 ||
          block.start[a] + d.tile[a] > d.in_size[a])
        return false;
    return in_stride(l_.last) == 1;
  }

  // From the offset that the axes before a give to the one that index i of axis a adds.
  i64 below(const Block& block, int a, i64 i, i64 offset) const {
    if (offset == kNothing || i >= block.need[a]) return kNothing;
    if (offset == kConstant) return kConstant;
    const i64 at = resolve_index(block.start[a] + i, d.in_size[a], d.boundary[a]);
    return at == kOutside ? kConstant : offset + at * in_stride(a);
  }

  // Points [c, c + width) of the row at `offset`: where they lie, or a copy in `spare`.
  const T* read(const Block& block, i64 offset, i64 c, i64 width, T* spare) const {
    const int a = l_.last;
    if (offset == kNothing || c >= block.need[a]) return zeros();
    if (offset == kConstant) return constants();
    const i64 needed = least(width, block.need[a] - c);
    const i64 at = block.start[a] + c, n = d.in_size[a];
    if (needed == width && in_stride(a) == 1 && at >= 0 && at + width <= n)
      return input(offset + at);
    copy_line<scalars>(input(offset), in_stride(a), n, d.boundary[a], constants(), at, needed,
                       spare);
    for (i64 i = needed * scalars; i < width * scalars; ++i) spare[i] = T(0);
    return spare;
  }

  // Scalar p of the bias.
  T bias(i64 channel, int p) const {
    if (!d.has_bias) return T(0);
    return static_cast<const T*>(args_.bias)[(group_ * d.out_channels + channel) * scalars + p];
  }

  // Finishes `count` values and brings them to `out`, where they may be already.
  void write(T* row, i64 count, T* out) const {
    if constexpr (!N::complex) activate_row(d.activation, row, count);
    if (row == out) return;
    for (i64 i = 0; i < count; ++i)
      for (int p = 0; p < scalars; ++p)
        out[i * out_stride(l_.last) * scalars + p] = row[i * scalars + p];
  }

  const Desc& d;

 private:
  const Layout& l_;
  const RunArgs& args_;
  i64 group_;
  T* lines_;
};

}  // namespace multiconv::MC_TARGET
