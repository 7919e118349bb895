// One task of overlap-save: as many blocks as the lanes hold, read, convolved, written.
#pragma once

#include "kernels/block_least.hpp"
#include "kernels/block_sum.hpp"
#include "kernels/lanes.hpp"
#include "kernels/ranges.hpp"

namespace multiconv::MC_TARGET {

template <class N>
class BlockTask {
  using T = typename N::Real;
  using Cells = Complex<T>;
  using Mask = std::uint64_t;  // a bit per block
  using Io = BlockIo<N>;
  static constexpr int lanes = kLanes<T>, parts = N::parts, scalars = N::scalars;
  static constexpr int blocks = N::blocks;
  static constexpr i64 cache_line = 64 / sizeof(T);

  // Lanes with nothing above it are scaled up, away from subnormal numbers.
  static constexpr T tiny = sizeof(T) == 4 ? T(0x1p-60) : T(0x1p-500);
  // Windows with nothing above this share of the largest value would drown in its error.
  static constexpr T least_share = std::numeric_limits<T>::epsilon() * T(1024);

 public:
  static i64 tile_bytes(const Layout& l) {
    return most(l.elements * static_cast<i64>(sizeof(Cells)), BlockSum<N>::bytes(l));
  }
  static i64 line_bytes(const Desc& d, const Layout& l) {
    return lines_bytes + Ranges<T, parts>::bytes(d, l);
  }

  BlockTask(const RunArgs& args, const Layout& l, i64 group)
      : d_(args.desc),
        l_(l),
        packed_(static_cast<const char*>(args.packed)),
        group_(group),
        tile_(static_cast<Cells*>(scratch(Slot::tile, tile_bytes(l)))),
        result_(d_.out_channels == 1 ? tile_
                                     : static_cast<Cells*>(scratch(Slot::spectrum, tile_bytes(l)))),
        lines_(static_cast<T*>(scratch(Slot::line, line_bytes(d_, l)))),
        io_(args, l, group, lines_ + blocks * Io::line),
        ranges_(d_, l, reinterpret_cast<char*>(lines_) + lines_bytes) {}

  // Blocks [first, first + count) of the group.
  void run(i64 first, int count) {
    for (int b = 0; b < count; ++b) block_[b] = io_.locate(first + b);
    for (Mask left = (Mask(1) << count) - 1; left != 0;) {
      const Mask now = settle(left);
      if (now != 0) convolve(now);
      left &= ~now;
    }
  }

 private:
  static constexpr i64 lines_bytes = rounded_up(
      (blocks + Io::lines) * Io::line * static_cast<i64>(sizeof(T)), static_cast<i64>(kAlign));

  static void* scratch(Slot slot, i64 bytes) {
    return thread_scratch(slot, static_cast<std::size_t>(bytes));
  }
  template <class V>
  const V* packed(i64 at) const {
    return reinterpret_cast<const V*>(packed_ + at);
  }
  const T* twiddles(int a) const { return packed<T>(l_.twiddles[a]); }
  T* line_of(int b) const { return lines_ + b * Io::line; }

  // Loads the blocks of `left` that can be transformed together, and returns them. Blocks that no
  // transform would do justice are summed directly and leave `left`; one that would only spoil its
  // lane's other block waits for another round.
  Mask settle(Mask& left) {
    scaled_ = false;
    load(left);
    Magnitudes<T> found[lanes][parts];
    ranges_.read(found);
    const auto drowns = [](const Magnitudes<T>& small, const Magnitudes<T>& large) {
      return small.smallest < least_share * large.largest;
    };
    const double limit = packed<Limits>(0)->largest;
    const Mask loaded = left;
    for (int b = 0; b < blocks; ++b) {
      Magnitudes<T>& m = found[b / parts][b % parts];
      const Magnitudes<T>& other = found[b / parts][parts - 1 - b % parts];
      const Mask bit = Mask(1) << b;
      const T top = other.largest > m.largest && other.largest <= limit ? other.largest : m.largest;
      if (left & bit && m.largest <= limit && m.least < least_share * top)
        m.smallest = least_window(block_[b], m, least_share * top);
      if (!(left & bit) || (m.largest <= limit && !drowns(m, m))) continue;
      summation().run(block_[b]);
      left &= ~bit;
    }
    Mask now = left;
    T gain[lanes];
    for (int lane = 0; lane < lanes; ++lane) {
      const auto& m = found[lane];
      const Mask first = Mask(1) << (lane * parts), last = Mask(1) << (lane * parts + parts - 1);
      if (parts == 2 && now & first && now & last && (drowns(m[0], m[1]) || drowns(m[1], m[0])))
        now &= ~last;
      T largest = now & first ? m[0].largest : T(0);
      if (now & last && m[parts - 1].largest > largest) largest = m[parts - 1].largest;
      gain[lane] = largest > 0 && largest < tiny ? 1 / tiny : T(1);
      if (gain[lane] != 1) scaled_ = true;
    }
    gain_ = multiconv::MC_TARGET::load(gain);
    if (now != 0 && (scaled_ || now != loaded)) load(now);
    return now;
  }

  // What the windows of a block hold at least, zeros apart; exactly where it may be under `limit`.
  // Windows that share half of themselves with the array hold one of the boxes, where only boxes
  // beyond the array are empty.
  T least_window(const Block& block, const Magnitudes<T>& m, T limit) const {
    if (m.empty == 0 && !ranges_.dilated()) return m.smallest;
    BlockLeast<N> windows(io_, l_, static_cast<T*>(scratch(Slot::table, BlockLeast<N>::bytes(l_))));
    i64 begin[kMaxRank], end[kMaxRank];
    for (int a = 0; a < d_.rank; ++a) io_.filled(block, a, &begin[a], &end[a]);
    if (!ranges_.dilated() && m.empty == ranges_.empty_boxes(begin, end)) {
      const T ends = windows.of_ends(block, begin, end);
      const T found = ends < m.smallest ? ends : m.smallest;
      if (found >= limit) return found;
    }
    return windows.of(block);
  }

  BlockSum<N> summation() const {
    const T* values = packed<T>(l_.tap_values) + group_ * d_.out_channels * l_.taps * scalars;
    return BlockSum<N>(io_, l_, {l_.taps, packed<i64>(l_.tap_offsets), values},
                       reinterpret_cast<T*>(tile_));
  }

  void load(Mask which) {
    for (int b = 0; b < blocks; ++b) {
      const bool present = which >> b & 1;
      rows_[0].set(b, present ? Place::array : Place::nothing, present ? block_[b].in : 0);
      start_[b] = 0;
      apart_[b] = !present || !io_.plain_rows(block_[b]);
      if (!apart_[b]) start_[b] = block_[b].start[l_.last];
    }
    ranges_.reset();
    load_axis(0, tile_);
  }

  // Rows are transformed as they come, then each axis above as soon as its lines are complete.
  __attribute__((noinline)) void load_axis(int a, Cells* at) {
    if (a == l_.last) return load_row(at);
    i64 change = 0;
    for (i64 i = 0; i < d_.tile[a]; ++i) {
      if (i == change) {
        change = d_.tile[a];
        for (int b = 0; b < blocks; ++b)
          change = least(change, io_.enter(block_[b], a, i, rows_[a], b, rows_[a + 1]));
      } else {
        rows_[a + 1].step();
      }
      load_axis(a + 1, at + i * l_.pitch[a]);
    }
    if (a > l_.first) transform_axis<kForward>(d_, l_, a, twiddles(a), at, at);
  }

  void load_row(Cells* row) {
    const Rows<blocks>& rows = rows_[l_.last];
    const T* from[blocks];
    T* to = reinterpret_cast<T*>(row);
    const i64 n = d_.tile[l_.last];
    // What is read next: the row below, or else the rest of this one.
    const i64 ahead = scalars * (l_.last > l_.first ? io_.in_stride(l_.last - 1) : Io::chunk);
    for (i64 c = 0; c < n; c += Io::chunk, to += 2 * lanes * Io::chunk) {
      const i64 width = least(Io::chunk, n - c);
      for (int b = 0; b < blocks; ++b) from[b] = io_.input(rows.offset[b] + start_[b] + c);
      const T* next[blocks];
      for (int b = 0; b < blocks; ++b) next[b] = from[b] + ahead;
      for (int b = 0; b < blocks; ++b)
        if (apart_[b] || rows.place[b] != Place::array)
          from[b] = io_.read(block_[b], rows.place[b], rows.offset[b], c, width, line_of(b));
      const auto see = [&](int part) {
        return [this, part, c, &next](const Vec<T>(&values)[lanes], i64 end) {
          ranges_.add(values, part, c + (end - 1) / scalars);
          // A few lines at a time, or they would wait for each other.
          if (end % cache_line < lanes)
            for (int b = part; b < blocks; b += parts) __builtin_prefetch(next[b] + end - lanes);
        };
      };
      if constexpr (N::complex) {
        rows_to_lanes(from, 1, 2 * width, to, lanes, see(0));
      } else {
        rows_to_lanes(from, 2, width, to, 2 * lanes, see(0));
        rows_to_lanes(from + 1, 2, width, to + lanes, 2 * lanes, see(1));
      }
    }
    if (scaled_)
      for (i64 i = 0; i < n; ++i) row[i] = {row[i].re * gain_, row[i].im * gain_};
    ranges_.end_row();
    if (l_.last > l_.first) transform_axis<kForward>(d_, l_, l_.last, twiddles(l_.last), row, row);
  }

  void convolve(Mask which) {
    for (int a = 0; a < d_.rank; ++a) {
      most_[a] = 0;
      for (int b = 0; b < blocks; ++b)
        if (which >> b & 1) most_[a] = most(most_[a], block_[b].count[a]);
    }
    const int a = l_.first;
    const T* spectrum = packed<T>(l_.spectra) + group_ * d_.out_channels * 2 * l_.elements;
    if (tile_ != result_) transform_axis<kForward>(d_, l_, a, twiddles(a), tile_, tile_);
    for (i64 channel = 0; channel < d_.out_channels; ++channel, spectrum += 2 * l_.elements) {
      if (tile_ == result_)
        transform_axis<kConvolve>(d_, l_, a, twiddles(a), tile_, tile_, spectrum);
      else
        transform_axis<kMultiply | kInverse>(d_, l_, a, twiddles(a), tile_, result_, spectrum);
      store_channel(which, channel);
    }
  }

  void store_channel(Mask which, i64 channel) {
    for (int b = 0; b < blocks; ++b) {
      const Block& block = block_[b];
      const bool present = which >> b & 1;
      const At begin = block.out + channel * io_.channel_step();
      rows_[0].set(b, present ? Place::array : Place::nothing, present ? begin.out : 0);
      if (d_.has_residual) residual_[0][b] = begin.residual;
      start_[b] = present ? block.begin[l_.last] * io_.out_stride(l_.last) : 0;
      apart_[b] =
          !present || io_.out_stride(l_.last) != 1 || block.count[l_.last] != most_[l_.last];
    }
    channel_ = channel;
    // Two blocks of a lane share the bias.
    bias_ = {splat(io_.bias(channel, 0)), splat(io_.bias(channel, scalars - 1))};
    store_axis(0, result_);
  }

  // Undoes load_axis from the outside in, for the lines that hold outputs only.
  __attribute__((noinline)) void store_axis(int a, Cells* at) {
    if (a > l_.first) transform_axis<kInverse>(d_, l_, a, twiddles(a), at, at);
    if (a == l_.last) return store_row(at);
    i64 change = 0;
    for (i64 i = 0; i < most_[a]; ++i) {
      if (i == change) {
        change = most_[a];
        for (int b = 0; b < blocks; ++b) {
          const i64 count = block_[b].count[a], stride = io_.out_stride(a);
          if (rows_[a].place[b] == Place::nothing || i >= count) {
            rows_[a + 1].set(b, Place::nothing);
          } else {
            const i64 at = rows_[a].offset[b] + (block_[b].begin[a] + i) * stride;
            rows_[a + 1].set(b, Place::array, at, stride);
            change = least(change, count);
          }
        }
      } else {
        rows_[a + 1].step();
      }
      if (d_.has_residual)
        for (int b = 0; b < blocks; ++b)
          residual_[a + 1][b] =
              residual_[a][b] + (block_[b].begin[a] + i) * io_.out_step(a).residual;
      store_axis(a + 1, at + i * d_.stride[a] * l_.pitch[a]);
    }
  }

  void store_row(Cells* row) {
    const int a = l_.last;
    const i64 n = most_[a];
    if (d_.stride[a] > 1 || d_.has_bias || scaled_) {
      const Vec<T> loss = 1 / gain_;
      for (i64 i = 0; i < n; ++i) {
        const Cells sum = row[i * d_.stride[a]];
        row[i] = {sum.re * loss + bias_.re, sum.im * loss + bias_.im};
      }
    }
    const Rows<blocks>& rows = rows_[a];
    const T* from = reinterpret_cast<const T*>(row);
    for (i64 c = 0; c < n; c += Io::chunk, from += 2 * lanes * Io::chunk) {
      const i64 width = least(Io::chunk, n - c);
      T *to[blocks], *out[blocks];
      i64 count[blocks];
      for (int b = 0; b < blocks; ++b) {
        to[b] = out[b] = io_.output(rows.offset[b] + start_[b] + c * io_.out_stride(a));
        count[b] = width;
      }
      for (int b = 0; b < blocks; ++b) {
        const bool present = rows.place[b] == Place::array;
        if (present && !apart_[b]) continue;
        count[b] = present ? least(width, block_[b].count[a] - c) : 0;
        to[b] = count[b] > 0 ? line_of(b) : io_.waste();
      }
      if constexpr (N::complex) {
        lanes_to_rows(from, lanes, 2 * width, to, 1);
      } else {
        lanes_to_rows(from, 2 * lanes, width, to, 2);
        lanes_to_rows(from + lanes, 2 * lanes, width, to + 1, 2);
      }
      for (int b = 0; b < blocks; ++b) {
        if (count[b] <= 0 || (to[b] == out[b] && is_plain(d_))) continue;
        const i64 residual =
            d_.has_residual ? residual_[a][b] + (block_[b].begin[a] + c) * io_.out_step(a).residual
                            : 0;
        io_.write(channel_, to[b], count[b], out[b], residual);
      }
    }
  }

  const Desc& d_;
  const Layout& l_;
  const char* packed_;
  i64 group_;
  Cells *tile_, *result_;  // the same where there is one output channel
  T* lines_;               // one per block, then those of io_, then ranges_
  Io io_;
  Ranges<T, parts> ranges_;
  Block block_[blocks];
  Rows<blocks> rows_[kMaxRank + 1];  // of the arrays, as the axes before each number place them
  i64 start_[blocks];                // where the points of a row begin in it
  bool apart_[blocks];               // whose rows pass through a line of their own
  i64 most_[kMaxRank];               // outputs along each axis of the largest block
  i64 channel_ = 0;                  // that is stored
  i64 residual_[kMaxRank + 1][blocks] = {};  // where rows' residuals lie
  bool scaled_ = false;
  Vec<T> gain_ = {};
  Cells bias_ = {};
};

}  // namespace multiconv::MC_TARGET
