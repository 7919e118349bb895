// What the windows of a block hold at least, where the tile's boxes do not tell (see ranges.hpp).
#pragma once

#include <limits>

#include "base/scratch.hpp"
#include "kernels/block_io.hpp"

namespace multiconv::MC_TARGET {

template <class N>
class BlockLeast {
  using T = typename N::Real;
  static constexpr int scalars = N::scalars;

 public:
  static i64 bytes(const Layout& l) {
    return (BlockIo<N>::line + l.points) * static_cast<i64>(sizeof(T));
  }

  // It works in bytes() of `memory`.
  BlockLeast(const BlockIo<N>& io, const Layout& l, T* memory)
      : io_(io), d_(io.d), l_(l), spare_(memory), cells_(memory + BlockIo<N>::line) {}

  // The least of the windows' largest magnitudes, zeros apart; infinite where all are zero.
  T of(const Block& block) {
    Block exact = block;
    for (int a = 0; a < d_.rank; ++a)
      exact.need[a] = size_[a] = (block.count[a] - 1) * d_.stride[a] + l_.span[a];
    points_ = box_volume(0, d_.rank, size_);
    gather(exact);
    for (int a = 0; a < d_.rank; ++a) spread(a);
    return least_at_outputs(exact);
  }

  // The same of the windows alone that share less than half of themselves with the array along
  // some axis, whose points [begin, end) are the array's.
  T of_ends(const Block& block, const i64* begin, const i64* end) {
    T found = std::numeric_limits<T>::infinity();
    for (int a = 0; a < d_.rank; ++a) {
      const i64 half = (l_.span[a] + 1) / 2, stride = d_.stride[a], count = block.count[a];
      const i64 low = least((begin[a] + half - l_.span[a] + stride - 1) / stride, count);
      const i64 high = end[a] < half ? 0 : (end[a] - half) / stride + 1;  // the first of them
      if (low > 0) found = least_of(found, of(part(block, a, 0, low)));
      if (high < count) found = least_of(found, of(part(block, a, high, count)));
    }
    return found;
  }

 private:
  MC_INLINE T larger(T a, T b) { return a > b ? a : b; }
  MC_INLINE T least_of(T a, T b) { return a < b ? a : b; }

  // Outputs [first, end) of an axis.
  Block part(Block block, int a, i64 first, i64 end) const {
    block.start[a] += first * d_.stride[a];
    block.begin[a] += first;
    block.count[a] = end - first;
    return block;
  }

  void gather(const Block& block) {
    const i64 n = size_[l_.last], rows = points_ / n;
    T* to = cells_;
    for (i64 row = 0; row < rows; ++row) {
      i64 rest = row;
      Rows<1> place;
      place.set(0, Place::array, block.in);
      for (int a = l_.last - 1; a >= 0; --a) {
        io_.enter(block, a, rest % size_[a], place, 0, place);
        rest /= size_[a];
      }
      for (i64 c = 0; c < n; c += io_.chunk) {
        const i64 width = least(io_.chunk, n - c);
        const T* from = io_.read(block, place.place[0], place.offset[0], c, width, spare_);
        for (i64 i = 0; i < width; ++i) {
          T largest = 0;
          for (int p = 0; p < scalars; ++p)
            largest = larger(largest, __builtin_fabs(from[i * scalars + p]));
          *to++ = largest;
        }
      }
    }
  }

  // Every cell takes the largest value of the taps along an axis that begin there, as many taps at
  // once as were taken before.
  void spread(int axis) {
    const i64 step = box_volume(axis + 1, d_.rank, size_), line = size_[axis] * step;
    for (i64 taken = 1; taken < d_.kernel[axis];) {
      const i64 more = least(taken, d_.kernel[axis] - taken);
      const i64 shift = more * d_.dilation[axis] * step;
      for (T* at = cells_; at < cells_ + points_; at += line)
        for (i64 i = 0; i < line - shift; ++i) at[i] = larger(at[i], at[i + shift]);
      taken += more;
    }
  }

  T least_at_outputs(const Block& block) {
    i64 steps[kMaxRank];
    for (int a = 0; a < d_.rank; ++a) steps[a] = d_.stride[a] * box_volume(a + 1, d_.rank, size_);
    const i64 rows = box_volume(0, l_.last, block.count);
    T found = std::numeric_limits<T>::infinity();
    for (i64 row = 0; row < rows; ++row) {
      const T* from = cells_ + box_offset(row, 0, l_.last, block.count, steps);
      for (i64 i = 0; i < block.count[l_.last]; ++i) {
        const T window = from[i * d_.stride[l_.last]];
        found = least_of(found, window > 0 ? window : std::numeric_limits<T>::infinity());
      }
    }
    return found;
  }

  const BlockIo<N>& io_;
  const Desc& d_;
  const Layout& l_;
  T *spare_, *cells_;
  i64 size_[kMaxRank], points_ = 0;  // of the box that is looked at
};

}  // namespace multiconv::MC_TARGET
