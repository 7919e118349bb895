// Direct summation of one block, for data that a transform would spoil.
#pragma once

#include "base/scratch.hpp"
#include "kernels/block_io.hpp"
#include "kernels/tap_sum.hpp"

namespace multiconv::MC_TARGET {

template <class N>
class BlockSum {
  using T = typename N::Real;
  static constexpr int scalars = N::scalars;
  static constexpr i64 at_once = kSums<scalars, T>;

 public:
  static i64 bytes(const Layout& l) {
    return (BlockIo<N>::line + scalars * plane_of(l)) * static_cast<i64>(sizeof(T));
  }

  // `taps` are those of the first output channel; it works in bytes() of `memory`.
  BlockSum(const BlockIo<N>& io, const Layout& l, const Taps<T>& taps, T* memory)
      : io_(io),
        d_(io.d),
        l_(l),
        taps_(taps),
        spare_(memory),
        cells_(spare_ + BlockIo<N>::line),
        plane_(plane_of(l)) {}

  void run(const Block& block) {
    gather(block);
    i64 steps[kMaxRank], out_steps[kMaxRank], residual_steps[kMaxRank];
    At start = block.out;
    output_steps(steps);
    for (int a = 0; a < d_.rank; ++a) {
      out_steps[a] = io_.out_step(a).out;
      residual_steps[a] = io_.out_step(a).residual;
      start += block.begin[a] * io_.out_step(a);
    }
    const i64 rows = box_volume(0, l_.last, block.count);
    Taps<T> taps = taps_;
    for (i64 channel = 0; channel < d_.out_channels; ++channel) {
      for (i64 row = 0; row < rows; ++row)
        sum_row(taps, channel, cells_ + box_offset(row, 0, l_.last, block.count, steps),
                block.count[l_.last],
                start + At{box_offset(row, 0, l_.last, block.count, out_steps),
                           box_offset(row, 0, l_.last, block.count, residual_steps)});
      taps.values += taps.count * scalars;
      start += io_.channel_step();
    }
  }

 private:
  static i64 plane_of(const Layout& l) { return l.points + at_once; }  // vectors may run over

  void output_steps(i64 (&steps)[kMaxRank]) const {
    for (int a = 0; a < d_.rank; ++a) steps[a] = d_.stride[a] * box_volume(a + 1, d_.rank, d_.tile);
  }

  void gather(const Block& block) {
    const i64 n = d_.tile[l_.last], rows = l_.points / n;
    for (i64 row = 0; row < rows; ++row) {
      i64 rest = row;
      Rows<1> place;
      place.set(0, Place::array, block.in);
      for (int a = l_.last - 1; a >= 0; --a) {
        io_.enter(block, a, rest % d_.tile[a], place, 0, place);
        rest /= d_.tile[a];
      }
      for (i64 c = 0; c < n; c += io_.chunk) {
        const i64 width = least(io_.chunk, n - c);
        const T* from = io_.read(block, place.place[0], place.offset[0], c, width, spare_);
        for (int p = 0; p < scalars; ++p) {
          T* to = cells_ + p * plane_ + row * n + c;
          for (i64 i = 0; i < width; ++i) to[i] = from[i * scalars + p];
        }
      }
    }
    for (int p = 0; p < scalars; ++p)
      for (i64 i = l_.points; i < plane_; ++i) cells_[p * plane_ + i] = T(0);
  }

  // Sums with stride 1 and keeps what the stride keeps.
  void sum_row(const Taps<T>& taps, i64 channel, const T* cells, i64 count, At out) {
    const i64 stride = d_.stride[l_.last];
    const i64 most_kept = least((at_once - 1) / stride + 1, io_.chunk);
    T sums[scalars][at_once];
    for (i64 first = 0; first < count; first += most_kept) {
      const i64 kept = least(count - first, most_kept);
      sum_taps<scalars>(cells + first * stride, plane_, taps, (kept - 1) * stride + 1, sums);
      for (i64 i = 0; i < kept; ++i)
        for (int p = 0; p < scalars; ++p)
          spare_[i * scalars + p] = sums[p][i * stride] + io_.bias(channel, p);
      const At at = out + first * io_.out_step(l_.last);
      io_.write(channel, spare_, kept, io_.output(at.out), at.residual);
    }
  }

  const BlockIo<N>& io_;
  const Desc& d_;
  const Layout& l_;
  Taps<T> taps_;
  T *spare_, *cells_;
  i64 plane_;
};

}  // namespace multiconv::MC_TARGET
