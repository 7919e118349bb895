// One task of overlap-save: as many blocks as the lanes hold, read, convolved, written.
#pragma once

#include "base/kernel.hpp"
#include "kernels/block_sum.hpp"
#include "kernels/blocks.hpp"
#include "kernels/epilogue.hpp"
#include "kernels/lanes.hpp"
#include "kernels/ranges.hpp"

namespace multiconv::MC_TARGET {

struct Block {
  i64 in, out;          // where its image begins, in elements
  i64 start[kMaxRank];  // input position of its first point
  i64 need[kMaxRank];   // points that count; full blocks read their whole tile
  i64 begin[kMaxRank];  // first output
  i64 count[kMaxRank];  // outputs
};

// A lane holds one block where values are complex, else one in each of its parts.
template <class T, bool is_complex>
class BlockTask {
  static constexpr int lanes = kLanes<T>;
  static constexpr int parts = is_complex ? 1 : 2;    // blocks of a lane
  static constexpr int scalars = is_complex ? 2 : 1;  // numbers of a value
  static constexpr i64 chunk = 128;                   // values of a row moved at once
  static constexpr i64 line = chunk * scalars;

  using Mask = std::uint64_t;  // a bit per block
  using Cells = Complex<T>;

  // Lanes with nothing above it are scaled up, away from subnormal numbers.
  static constexpr T tiny = sizeof(T) == 4 ? T(0x1p-60) : T(0x1p-500);
  // Windows with nothing above this share of the largest value would drown in its error.
  static constexpr T least_share = std::numeric_limits<T>::epsilon() * T(1024);

  // In place of a row's offset: zeros, or the constant beyond the boundary.
  static constexpr i64 nothing = std::numeric_limits<i64>::min();
  static constexpr i64 constant = nothing + 1;

 public:
  static constexpr int blocks = lanes * parts;

  static i64 tile_bytes(const Layout& l) { return l.elements * static_cast<i64>(sizeof(Cells)); }
  static i64 line_bytes(const Desc& d, const Layout& l) {
    return lines_end + Ranges<T, parts>::bytes(d, l);
  }
  static i64 sum_bytes(const Layout& l) {
    return (line + scalars * sum_plane(l)) * static_cast<i64>(sizeof(T));
  }

  BlockTask(const RunArgs& args, const Layout& l)
      : args_(args),
        d_(args.desc),
        l_(l),
        packed_(static_cast<const char*>(args.packed)),
        tile_(static_cast<Cells*>(scratch(Slot::tile, tile_bytes(l)))),
        result_(d_.out_channels == 1 ? tile_
                                     : static_cast<Cells*>(scratch(Slot::spectrum, tile_bytes(l)))),
        lines_(static_cast<T*>(scratch(Slot::line, line_bytes(d_, l)))),
        ranges_(d_, l, reinterpret_cast<char*>(lines_) + lines_end) {
    for (i64 i = 0; i < line; ++i) {
      zero_line()[i] = T(0);
      constant_line()[i] = static_cast<T>(d_.cval[i % scalars]);
    }
  }

  void run(i64 task) {
    const i64 all = d_.batch * l_.positions;
    const i64 tasks = (all + blocks - 1) / blocks;
    group_ = task / tasks;
    const i64 first = task % tasks * blocks;
    const int count = static_cast<int>(least(blocks, all - first));
    for (int b = 0; b < count; ++b) locate(block_[b], first + b);
    for (Mask left = (Mask(1) << count) - 1; left != 0;) {
      const Mask now = settle(left);
      if (now != 0) convolve(now);
      left &= ~now;
    }
  }

 private:
  // Of the line scratch: a line per block, then three of its own, then the ranges.
  static constexpr i64 lines_end =
      rounded_up((blocks + 3) * line * static_cast<i64>(sizeof(T)), static_cast<i64>(kAlign));
  T* zero_line() const { return lines_ + blocks * line; }
  T* constant_line() const { return zero_line() + line; }
  T* unused_line() const { return constant_line() + line; }

  static void* scratch(Slot slot, i64 bytes) {
    return thread_scratch(slot, static_cast<std::size_t>(bytes));
  }

  template <class V>
  const V* packed(i64 at) const {
    return reinterpret_cast<const V*>(packed_ + at);
  }

  i64 in_stride(int a) const { return args_.x.strides[3 + a]; }
  i64 out_stride(int a) const { return args_.out.strides[3 + a]; }

  void locate(Block& block, i64 index) const {
    const i64 image = index / l_.positions;
    block.in = image * args_.x.strides[0] + group_ * args_.x.strides[1];
    block.out = image * args_.out.strides[0] + group_ * args_.out.strides[1];
    for (int a = l_.last; a >= 0; --a) {
      block.begin[a] = index % l_.blocks[a] * l_.step[a];
      index /= l_.blocks[a];
      block.start[a] = block.begin[a] * d_.stride[a] - d_.pad_low[a];
      block.count[a] = least(l_.step[a], d_.out_size[a] - block.begin[a]);
      block.need[a] = block.count[a] == l_.step[a]
                          ? d_.tile[a]
                          : (block.count[a] - 1) * d_.stride[a] + l_.span[a];
    }
  }

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
    Mask now = left;
    for (int b = 0; b < blocks; ++b) {
      const Magnitudes<T>& m = found[b / parts][b % parts];
      const Mask bit = Mask(1) << b;
      if (!(left & bit) || (m.largest <= limit && !drowns(m, m))) continue;
      sum_block(b);
      left &= ~bit;
    }
    now = left;
    T gain[lanes];
    for (int lane = 0; lane < lanes; ++lane) {
      const auto& m = found[lane];
      const Mask first = Mask(1) << (lane * parts), last = Mask(1) << (lane * parts + parts - 1);
      if (parts == 2 && (now & first) && (now & last) && (drowns(m[0], m[1]) || drowns(m[1], m[0])))
        now &= ~last;
      T largest = now & first ? m[0].largest : T(0);
      if (now & last && m[parts - 1].largest > largest) largest = m[parts - 1].largest;
      gain[lane] = largest > 0 && largest < tiny ? 1 / tiny : T(1);
      if (gain[lane] != 1) scaled_ = true;
    }
    gain_ = multiconv::MC_TARGET::load(gain);
    if (now != 0 && (scaled_ || now != loaded_)) load(now);
    return now;
  }

  void load(Mask which) {
    loaded_ = which;
    edges_ = 0;
    for (int b = 0; b < blocks; ++b) {
      const Block& block = block_[b];
      const bool present = which >> b & 1;
      bool inside = present && in_stride(l_.last) == 1;
      for (int a = 0; a < d_.rank && inside; ++a)
        inside = block.need[a] == d_.tile[a] && block.start[a] >= 0 &&
                 block.start[a] + d_.tile[a] <= d_.in_size[a];
      offset_[0][b] = present ? block.in : nothing;
      base_[b] = inside ? block.in : 0;
      for (int a = 0; a < d_.rank && inside; ++a) base_[b] += block.start[a] * in_stride(a);
      if (!inside) edge_[edges_++] = b;
    }
    ranges_.reset();
    load_axis(0, tile_, 0);
  }

  // Rows are transformed as they come, then each axis above as soon as its lines are complete.
  __attribute__((noinline)) void load_axis(int a, Cells* at, i64 shift) {
    if (a == l_.last) return load_row(at, shift);
    for (i64 i = 0; i < d_.tile[a]; ++i) {
      for (int e = 0; e < edges_; ++e) {
        const int b = edge_[e];
        const i64 offset = offset_[a][b];
        offset_[a + 1][b] = offset == nothing ? nothing : row_offset(block_[b], a, i, offset);
      }
      load_axis(a + 1, at + i * l_.pitch[a], shift + i * in_stride(a));
    }
    if (a > l_.first) transform_axis<kForward>(d_, l_, a, packed<T>(l_.twiddles[a]), at, at);
  }

  i64 row_offset(const Block& block, int a, i64 i, i64 offset) const {
    if (i >= block.need[a]) return nothing;
    if (offset == constant) return constant;
    const i64 at = resolve_index(block.start[a] + i, d_.in_size[a], d_.boundary[a]);
    return at == kOutside ? constant : offset + at * in_stride(a);
  }

  void load_row(Cells* row, i64 shift) {
    const T* from[blocks];
    T* to = reinterpret_cast<T*>(row);
    const i64 n = d_.tile[l_.last];
    for (i64 c = 0; c < n; c += chunk, to += 2 * lanes * chunk) {
      const i64 width = least(chunk, n - c);
      for (int b = 0; b < blocks; ++b) from[b] = input(base_[b] + shift + c);
      for (int e = 0; e < edges_; ++e) {
        const int b = edge_[e];
        from[b] = read_row(block_[b], offset_[l_.last][b], c, width, lines_ + b * line);
      }
      if constexpr (is_complex) {
        rows_to_lanes(from, 1, 2 * width, to, lanes);
      } else {
        rows_to_lanes(from, 2, width, to, 2 * lanes);
        rows_to_lanes(from + 1, 2, width, to + lanes, 2 * lanes);
      }
    }
    if (scaled_)
      for (i64 i = 0; i < n; ++i) row[i] = {row[i].re * gain_, row[i].im * gain_};
    ranges_.add_row(row);
    if (l_.last > l_.first)
      transform_axis<kForward>(d_, l_, l_.last, packed<T>(l_.twiddles[l_.last]), row, row);
  }

  // Points [c, c + width) of a row: where they lie, or a copy in `spare`.
  const T* read_row(const Block& block, i64 offset, i64 c, i64 width, T* spare) const {
    const int a = l_.last;
    const i64 needed = least(width, block.need[a] - c);
    if (offset == nothing || needed <= 0) return zero_line();
    if (offset == constant) return constant_line();
    const T* x = input(offset);
    const i64 at = block.start[a] + c, n = d_.in_size[a];
    if (needed == width && in_stride(a) == 1 && at >= 0 && at + width <= n) return x + at * scalars;
    copy_line<scalars>(x, in_stride(a), n, d_.boundary[a], constant_line(), at, needed, spare);
    for (i64 i = needed * scalars; i < width * scalars; ++i) spare[i] = T(0);
    return spare;
  }

  void convolve(Mask which) {
    for (int a = 0; a < d_.rank; ++a) {
      most_[a] = 0;
      for (int b = 0; b < blocks; ++b)
        if (which >> b & 1) most_[a] = most(most_[a], block_[b].count[a]);
    }
    const int a = l_.first;
    const T* twiddles = packed<T>(l_.twiddles[a]);
    const T* spectrum = packed<T>(l_.spectra) + group_ * d_.out_channels * 2 * l_.elements;
    if (tile_ != result_) transform_axis<kForward>(d_, l_, a, twiddles, tile_, tile_);
    for (channel_ = 0; channel_ < d_.out_channels; ++channel_, spectrum += 2 * l_.elements) {
      if (tile_ == result_)
        transform_axis<kConvolve>(d_, l_, a, twiddles, tile_, tile_, spectrum);
      else
        transform_axis<kMultiply | kInverse>(d_, l_, a, twiddles, tile_, result_, spectrum);
      prepare_store(which);
      store_axis(0, result_, 0);
    }
  }

  void prepare_store(Mask which) {
    edges_ = 0;
    for (int b = 0; b < blocks; ++b) {
      const Block& block = block_[b];
      const bool present = which >> b & 1;
      bool whole = present && out_stride(l_.last) == 1;
      for (int a = 0; a < d_.rank && whole; ++a) whole = block.count[a] == most_[a];
      const i64 image = block.out + channel_ * args_.out.strides[2];
      offset_[0][b] = present ? image : nothing;
      base_[b] = whole ? image : 0;
      for (int a = 0; a < d_.rank && whole; ++a) base_[b] += block.begin[a] * out_stride(a);
      if (!whole) edge_[edges_++] = b;
    }
  }

  // Undoes load_axis from the outside in, for the lines that hold outputs only.
  __attribute__((noinline)) void store_axis(int a, Cells* at, i64 shift) {
    if (a > l_.first) transform_axis<kInverse>(d_, l_, a, packed<T>(l_.twiddles[a]), at, at);
    if (a == l_.last) return store_row(at, shift);
    for (i64 i = 0; i < most_[a]; ++i) {
      for (int e = 0; e < edges_; ++e) {
        const int b = edge_[e];
        const i64 offset = offset_[a][b];
        offset_[a + 1][b] = offset == nothing || i >= block_[b].count[a]
                                ? nothing
                                : offset + (block_[b].begin[a] + i) * out_stride(a);
      }
      store_axis(a + 1, at + i * d_.stride[a] * l_.pitch[a], shift + i * out_stride(a));
    }
  }

  void store_row(Cells* row, i64 shift) {
    const int a = l_.last;
    const i64 n = most_[a];
    if (d_.stride[a] > 1 || d_.has_bias || scaled_) {
      const Vec<T> loss = 1 / gain_;
      const T re = bias(0), im = bias(scalars - 1);
      for (i64 i = 0; i < n; ++i) {
        const Cells sum = row[i * d_.stride[a]];
        row[i] = {sum.re * loss + re, sum.im * loss + im};
      }
    }
    const T* from = reinterpret_cast<const T*>(row);
    for (i64 c = 0; c < n; c += chunk, from += 2 * lanes * chunk) {
      const i64 width = least(chunk, n - c);
      T *to[blocks], *out[blocks];
      i64 count[blocks];
      for (int b = 0; b < blocks; ++b) {
        to[b] = out[b] = output(base_[b] + shift + c);
        count[b] = width;
      }
      for (int e = 0; e < edges_; ++e) {
        const int b = edge_[e];
        const i64 offset = offset_[a][b];
        count[b] = offset == nothing ? 0 : least(width, block_[b].count[a] - c);
        to[b] = unused_line();
        if (count[b] <= 0) continue;
        out[b] = output(offset + (block_[b].begin[a] + c) * out_stride(a));
        to[b] = lines_ + b * line;
      }
      if constexpr (is_complex) {
        lanes_to_rows(from, lanes, 2 * width, to, 1);
      } else {
        lanes_to_rows(from, 2 * lanes, width, to, 2);
        lanes_to_rows(from + lanes, 2 * lanes, width, to + 1, 2);
      }
      if (edges_ > 0 || d_.activation != Activation::none)
        for (int b = 0; b < blocks; ++b)
          if (count[b] > 0) deliver(to[b], count[b], out[b]);
    }
  }

  const T* input(i64 offset) const {
    return static_cast<const T*>(args_.x.data) + offset * scalars;
  }
  T* output(i64 offset) const { return static_cast<T*>(args_.out.data) + offset * scalars; }

  // Scalar p of the bias, which counts twice where a lane holds two blocks.
  T bias(int p) const {
    if (!d_.has_bias) return T(0);
    return static_cast<const T*>(args_.bias)[(group_ * d_.out_channels + channel_) * scalars + p];
  }

  void deliver(T* row, i64 count, T* out) const {
    if constexpr (!is_complex) activate_row(d_.activation, row, count);
    if (row == out) return;
    for (i64 i = 0; i < count; ++i)
      for (int p = 0; p < scalars; ++p)
        out[i * out_stride(l_.last) * scalars + p] = row[i * scalars + p];
  }

  static i64 sum_plane(const Layout& l) { return l.points + kSums<T>; }  // vectors may run over

  void sum_block(int b) {
    const Block& block = block_[b];
    T* spare = static_cast<T*>(scratch(Slot::table, sum_bytes(l_)));
    T* cells = spare + line;
    gather_block(block, spare, cells);
    i64 steps[kMaxRank], rows = 1;
    for (int a = l_.last; a >= 0; --a) {
      steps[a] = d_.stride[a] * box_volume(a + 1, d_.rank, d_.tile);
      if (a < l_.last) rows *= block.count[a];
    }
    i64 start = block.out;
    for (int a = 0; a < d_.rank; ++a) start += block.begin[a] * out_stride(a);
    Taps<T> taps = {l_.taps, packed<i64>(l_.tap_offsets),
                    packed<T>(l_.tap_values) + group_ * d_.out_channels * l_.taps * scalars};
    for (channel_ = 0; channel_ < d_.out_channels; ++channel_, taps.values += l_.taps * scalars)
      for (i64 row = 0; row < rows; ++row) {
        const i64 at = box_offset(row, 0, l_.last, block.count, steps);
        const i64 out = start + channel_ * args_.out.strides[2] +
                        box_offset(row, 0, l_.last, block.count, args_.out.strides + 3);
        sum_row(taps, cells + at, block.count[l_.last], spare, out);
      }
  }

  void gather_block(const Block& block, T* spare, T* cells) const {
    const i64 n = d_.tile[l_.last], rows = l_.points / n;
    for (i64 row = 0; row < rows; ++row) {
      i64 rest = row, offset = block.in;
      for (int a = l_.last - 1; a >= 0; --a) {
        if (offset != nothing) offset = row_offset(block, a, rest % d_.tile[a], offset);
        rest /= d_.tile[a];
      }
      for (i64 c = 0; c < n; c += chunk) {
        const i64 width = least(chunk, n - c);
        const T* from = read_row(block, offset, c, width, spare);
        for (int p = 0; p < scalars; ++p) {
          T* to = cells + p * sum_plane(l_) + row * n + c;
          for (i64 i = 0; i < width; ++i) to[i] = from[i * scalars + p];
        }
      }
    }
    for (int p = 0; p < scalars; ++p)
      for (i64 i = l_.points; i < sum_plane(l_); ++i) cells[p * sum_plane(l_) + i] = T(0);
  }

  // Sums with stride 1 and keeps what the stride keeps.
  void sum_row(const Taps<T>& taps, const T* cells, i64 count, T* spare, i64 out) const {
    const i64 stride = d_.stride[l_.last];
    T sums[scalars][kSums<T>];
    for (i64 first = 0; first < count;) {
      const i64 begin = first * stride;
      sum_taps<scalars>(cells + begin, sum_plane(l_), taps, sums);
      const i64 kept = least(count - first, least((kSums<T> - 1) / stride + 1, chunk));
      for (i64 i = 0; i < kept; ++i)
        for (int p = 0; p < scalars; ++p) spare[i * scalars + p] = sums[p][i * stride] + bias(p);
      deliver(spare, kept, output(out + first * out_stride(l_.last)));
      first += kept;
    }
  }

  const RunArgs& args_;
  const Desc& d_;
  const Layout& l_;
  const char* packed_;
  Cells *tile_, *result_;  // the same where there is one output channel
  T* lines_;
  Ranges<T, parts> ranges_;
  i64 group_ = 0, channel_ = 0;
  Block block_[blocks];
  // Blocks inside the arrays move in step: their rows begin at base_ plus a common shift. The others
  // are listed in edge_; offset_ is where the row of each begins, as far as the axes above fix it.
  i64 base_[blocks], offset_[kMaxRank + 1][blocks];
  int edge_[blocks], edges_ = 0;
  i64 most_[kMaxRank];            // outputs along each axis of the largest block
  Mask loaded_ = 0;
  bool scaled_ = false;
  Vec<T> gain_ = {};
};

}  // namespace multiconv::MC_TARGET
