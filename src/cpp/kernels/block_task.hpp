// One task of overlap-save: as many blocks as the lanes hold, read, convolved, written.
#pragma once

#include "base/kernel.hpp"
#include "kernels/block_pack.hpp"
#include "kernels/block_sum.hpp"
#include "kernels/epilogue.hpp"
#include "kernels/lanes.hpp"
#include "kernels/ranges.hpp"

namespace multiconv::MC_TARGET {

using Mask = std::uint32_t;  // a bit per block

struct Block {
  i64 in, out;            // where its image begins, in elements
  i64 start[kMaxRank];    // input position of its first point
  i64 need[kMaxRank];     // inputs that its outputs need; a full block reads its whole tile
  i64 begin[kMaxRank];    // first output
  i64 count[kMaxRank];    // outputs
};

MC_INLINE Block locate(const RunArgs& args, const Layout& l, i64 group, i64 index) {
  const Desc& d = args.desc;
  const i64 image = index / l.positions;
  Block b;
  b.in = image * args.x.strides[0] + group * args.x.strides[1];
  b.out = image * args.out.strides[0] + group * args.out.strides[1];
  for (int a = l.last; a >= 0; --a) {
    b.begin[a] = index % l.blocks[a] * l.step[a];
    index /= l.blocks[a];
    b.start[a] = b.begin[a] * d.stride[a] - d.pad_low[a];
    b.count[a] = least(l.step[a], d.out_size[a] - b.begin[a]);
    b.need[a] = b.count[a] == l.step[a] ? d.tile[a] : (b.count[a] - 1) * d.stride[a] + l.span[a];
  }
  return b;
}

// A lane holds one block where T is complex, and one in each of its parts where it is real.
template <class T, bool is_complex>
class BlockTask {
  static constexpr int lanes = kLanes<T>;
  static constexpr int parts = is_complex ? 1 : 2;    // blocks of a lane
  static constexpr int scalars = is_complex ? 2 : 1;  // numbers of a value
  static constexpr i64 chunk = 128;                   // values of a row moved at once

  // Below, a lane is scaled up, away from subnormal numbers.
  static constexpr T kTiny = sizeof(T) == 4 ? T(0x1p-60) : T(0x1p-500);
  // A window with nothing above this share of the largest value would drown in its error.
  static constexpr T kRange = std::numeric_limits<T>::epsilon() * T(1024);

  // In place of a row's offset: zeros, and the constant beyond the boundary.
  static constexpr i64 kNothing = std::numeric_limits<i64>::min();
  static constexpr i64 kConstant = kNothing + 1;

 public:
  static constexpr int blocks = lanes * parts;

  static i64 tile_bytes(const Layout& l) {
    return l.elements * static_cast<i64>(sizeof(Complex<T>));
  }
  static i64 line_bytes(const Desc& d, const Layout& l) {
    return rounded_up(Ranges<T, parts>::bytes(d, l), static_cast<i64>(kAlign)) +
           (blocks + 3) * kRow * static_cast<i64>(sizeof(T));
  }
  static i64 sum_bytes(const Layout& l) {
    return (kRow + scalars * plane(l)) * static_cast<i64>(sizeof(T));
  }

  BlockTask(const RunArgs& args, const Layout& l)
      : args_(args),
        d_(args.desc),
        l_(l),
        packed_(static_cast<const char*>(args.packed)),
        tile_(static_cast<Complex<T>*>(scratch(Slot::tile, tile_bytes(l)))),
        result_(d_.out_channels == 1
                    ? tile_
                    : static_cast<Complex<T>*>(scratch(Slot::spectrum, tile_bytes(l)))),
        lines_(static_cast<T*>(scratch(Slot::line, line_bytes(d_, l)))),
        ranges_(d_, l, lines_ + (blocks + 3) * kRow) {
    T* zeros = zero_row();
    T* constants = constant_row();
    for (i64 i = 0; i < kRow; ++i) {
      zeros[i] = T(0);
      constants[i] = static_cast<T>(d_.cval[i % scalars]);
    }
  }

  void run(i64 task) {
    const i64 all = d_.batch * l_.positions;
    const i64 tasks = (all + blocks - 1) / blocks;
    group_ = task / tasks;
    const i64 first = task % tasks * blocks;
    const int count = static_cast<int>(least(blocks, all - first));
    for (int b = 0; b < count; ++b) block_[b] = locate(args_, l_, group_, first + b);
    // Blocks that would spoil a lane's other block take a round of their own.
    for (Mask left = count == 32 ? ~Mask(0) : (Mask(1) << count) - 1; left != 0;) {
      const Mask now = settle(left);
      if (now) convolve(now);
      left &= ~now;
    }
  }

 private:
  static constexpr i64 kRow = chunk * scalars;

  static void* scratch(Slot slot, i64 bytes) {
    return thread_scratch(slot, static_cast<std::size_t>(bytes));
  }
  static i64 plane(const Layout& l) { return l.points + kSums<T>; }

  T* zero_row() const { return lines_ + blocks * kRow; }
  T* constant_row() const { return zero_row() + kRow; }
  T* unused_row() const { return constant_row() + kRow; }

  const T* twiddles(int a) const {
    return reinterpret_cast<const T*>(packed_ + l_.twiddles[a]);
  }

  // Loads what can be transformed together of the blocks `left`, and returns it. Blocks that no
  // transform can do justice are summed directly and leave `left`.
  Mask settle(Mask& left) {
    scaled_ = false;
    load_tile(left);
    Magnitudes<T> found[lanes][parts];
    ranges_.read(found);
    const double limit = reinterpret_cast<const Limits*>(packed_)->largest;
    const auto wide = [](const Magnitudes<T>& a, const Magnitudes<T>& b) {
      return a.smallest < kRange * b.largest;
    };
    Mask direct = 0, later = 0;
    bool reload = false;
    for (int lane = 0; lane < lanes; ++lane) {
      const auto& m = found[lane];
      Mask spoilt = 0, both = 0;
      for (int p = 0; p < parts; ++p) {
        const Mask bit = left & Mask(1) << (lane * parts + p);
        both |= bit;
        if (!(m[p].largest <= limit) || wide(m[p], m[p])) spoilt |= bit;
      }
      const T* _ = nullptr;
      (void)_;
      direct |= spoilt;
      if (parts == 2 && !spoilt && (wide(m[0], m[1]) || wide(m[1], m[0])))
        later |= left & Mask(1) << (lane * parts + 1);
      reload |= both & ~(direct | later) & both && (both & (direct | later));
    }
    return left & ~direct & ~later && reload;
  }
};

}  // namespace multiconv::MC_TARGET
