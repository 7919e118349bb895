// The blocks of overlap-save in the caller's arrays: where they lie, how rows come and go.
#pragma once

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
  i64 in;               // where its image begins, in elements
  At out;               // the same for the output and the residual
  i64 start[kMaxRank];  // input position of its first point
  i64 need[kMaxRank];   // points that count; full blocks read their whole tile
  i64 begin[kMaxRank];  // first output
  i64 count[kMaxRank];  // outputs
};

// Where a row of a block comes from or goes to.
enum class Place : char { array, constant, nothing };

// The current row of each block: `offset` elements into its array, the next one `advance` further.
template <int blocks>
struct Rows {
  i64 offset[blocks], advance[blocks];
  Place place[blocks];

  void set(int b, Place to, i64 at = 0, i64 step = 0) {
    place[b] = to;
    offset[b] = at;
    advance[b] = step;
  }
  void step() {
    for (int b = 0; b < blocks; ++b) offset[b] += advance[b];
  }
};

// Positions of an axis that read elements `at`, `at + move`, ..., or all of them the constant.
struct Run {
  i64 at, move, count;
};

// The run that begins at position `from` of an axis of n that goes on beyond its ends as `mode`
// says, cut to `most_count`.
MC_INLINE Run run_from(i64 from, i64 n, Boundary mode, i64 most_count) {
  Run run = {resolve_index(from, n, mode), 0, most_count};
  if (run.at == kOutside) {
    if (from < 0) run.count = -from;
  } else if (const i64 next = resolve_index(from + 1, n, mode); next == kOutside) {
    run.count = 1;
  } else {
    // From here the axis is read upwards, downwards, or stands still.
    run.move = next - run.at;
    if (run.move == 1)
      run.count = n - run.at;
    else if (run.move == -1)
      run.count = run.at + 1;
    else if (run.move != 0 || (n > 1 && mode != Boundary::edge))
      run.count = 1;
    else if (n > 1 && from < 0)
      run.count = -from;
  }
  run.count = least(run.count, most_count);
  return run;
}

// `count` values of an axis of n that goes on beyond its ends as `mode` says, from position `from`.
template <int scalars, class T>
void copy_line(const T* line, i64 stride, i64 n, Boundary mode, const T* constant, i64 from,
               i64 count, T* to) {
  while (count > 0) {
    const Run run = run_from(from, n, mode, count);
    const T* source = run.at == kOutside ? constant : line + run.at * stride * scalars;
    const i64 advance = run.move * stride * scalars;
    if (advance == scalars) {
      __builtin_memcpy(to, source, static_cast<std::size_t>(run.count * scalars) * sizeof(T));
    } else {
      for (i64 i = 0; i < run.count; ++i)
        for (int p = 0; p < scalars; ++p) to[i * scalars + p] = source[i * advance + p];
    }
    to += run.count * scalars;
    from += run.count;
    count -= run.count;
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
  const T* input(i64 offset) const {
    return static_cast<const T*>(args_.x.data) + offset * scalars;
  }
  T* output(i64 offset) const { return static_cast<T*>(args_.out.data) + offset * scalars; }

  Block locate(i64 index) const {
    const i64 image = index / l_.positions;
    Block block;
    block.in = image * args_.x.strides[0] + group_ * args_.x.strides[1];
    block.out = start_of(args_, image, group_, 0);
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

  // Whether no point of its rows is padding, and they are contiguous.
  bool plain_rows(const Block& block) const {
    const int a = l_.last;
    return in_stride(a) == 1 && block.need[a] == d.tile[a] && block.start[a] >= 0 &&
           block.start[a] + d.tile[a] <= d.in_size[a];
  }

  // Where block b goes on from `above`, which the axes before a give, at index i of axis a. Returns
  // the index up to which its rows then lie in steps.
  template <int count>
  i64 enter(const Block& block, int a, i64 i, const Rows<count>& above, int b,
            Rows<count>& rows) const {
    if (above.place[b] == Place::nothing || i >= block.need[a]) {
      rows.set(b, Place::nothing);
      return d.tile[a];
    }
    if (above.place[b] == Place::constant) {
      rows.set(b, Place::constant);
      return block.need[a];
    }
    const Run run = run_from(block.start[a] + i, d.in_size[a], d.boundary[a], block.need[a] - i);
    const i64 stride = in_stride(a);
    if (run.at == kOutside)
      rows.set(b, Place::constant);
    else
      rows.set(b, Place::array, above.offset[b] + run.at * stride, run.move * stride);
    return i + run.count;
  }

  // The points [begin, end) of an axis that are not zero as a matter of course.
  void filled(const Block& block, int a, i64* begin, i64* end) const {
    const bool zeros = d.boundary[a] == Boundary::constant && d.cval[0] == 0 && d.cval[1] == 0;
    *begin = zeros ? most(0, -block.start[a]) : 0;
    *end = zeros ? least(block.need[a], d.in_size[a] - block.start[a]) : block.need[a];
  }

  // Points [c, c + width) of the row at `offset`: where they lie, or a copy in `spare`.
  const T* read(const Block& block, Place place, i64 offset, i64 c, i64 width, T* spare) const {
    const int a = l_.last;
    if (place == Place::nothing || c >= block.need[a]) return zeros();
    if (place == Place::constant) return constants();
    const i64 needed = least(width, block.need[a] - c);
    const i64 at = block.start[a] + c, n = d.in_size[a];
    if (needed == width && in_stride(a) == 1 && at >= 0 && at + width <= n)
      return input(offset + at);
    copy_line<scalars>(input(offset), in_stride(a), n, d.boundary[a], constants(), at, needed,
                       spare);
    for (i64 i = needed * scalars; i < width * scalars; ++i) spare[i] = T(0);
    return spare;
  }

  // Scalar p of what the sums of a channel of the group begin with.
  T bias(i64 channel, int p) const { return initial<T, scalars>(args_, filter(channel), p); }

  // The distance of neighbouring outputs on a spatial axis, and where an image begins.
  At out_step(int a) const { return step_of(args_, 3 + a); }
  At channel_step() const { return step_of(args_, 2); }

  // Finishes `count` sums of a channel, whose residual begins at `residual`, and brings them to
  // `out`, where they may be already.
  void write(i64 channel, T* row, i64 count, T* out, i64 residual) const {
    const i64 step = out_step(l_.last).residual;
    if constexpr (N::complex)
      finish_complex(args_, filter(channel), residual, step, row, row + 1, 2, count);
    else
      finish_row(args_, filter(channel), residual, step, row, count);
    if (row == out) return;
    for (i64 i = 0; i < count; ++i)
      for (int p = 0; p < scalars; ++p)
        out[i * out_stride(l_.last) * scalars + p] = row[i * scalars + p];
  }

  const Desc& d;

 private:
  i64 filter(i64 channel) const { return group_ * d.out_channels + channel; }

  const Layout& l_;
  const RunArgs& args_;
  i64 group_;
  T* lines_;
};

}  // namespace multiconv::MC_TARGET
