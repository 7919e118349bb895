// Tiles between the caller's arrays and their spectra; the choice between transform and direct sum.
#pragma once

#include "kernels/spectral_sum.hpp"
#include "kernels/spectral_tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
class SpectralIo {
  static constexpr i64 lanes = kLanes<T>;

 public:
  using Tile = SpectralTile<T>;
  using Cells = Complex<T>;

  // Bytes that one thread takes.
  static i64 scratch_bytes(const Desc& d, const SpectralPlan& p) {
    return tile_bytes(p) + Tile::line_bytes(p) + Guard<T>(d, p).bytes() +
           SpectralSum<T>::table_bytes(d, p);
  }

  SpectralIo(const RunArgs& args, const SpectralPlan& p)
      : args_(args),
        finish_(args),
        d_(args.desc),
        p_(p),
        packed_(static_cast<const char*>(args.packed)),
        points_(points_of(d_, p)),
        box_(box_of(points_, 0)),
        guard_(d_, p) {
    if (p.depthwise) finish_.residual.strides[2] = finish_.residual.strides[1];
    const i64 sizes[] = {d_.batch, d_.groups, d_.in_channels};
    end_ = static_cast<const T*>(args.x.data) + end_of(args.x.strides, sizes, d_.in_size, d_.rank);
    limit_ = reinterpret_cast<const SpectralLimits*>(packed_)->largest;
  }

  i64 boxes() const { return guard_.boxes(); }

  // In memory of the calling thread.
  Tile make_tile() const {
    auto* tile = static_cast<Cells*>(scratch(Slot::tile, tile_bytes(p_)));
    return {d_, p_, packed_, tile, line()};
  }

  // Reads and transforms a tile of `count` channels from `channel` of `group` on, or groups where
  // depthwise. Returns the maxima of the boxes, one vector each.
  T* forward(Tile& tile, const TilePart& part, i64 group, i64 channel, i64 count) const {
    const i64* s = args_.x.strides;
    const Planes<const T> from = {
        static_cast<const T*>(args_.x.data) + part.image * s[0] + group * s[1] + channel * s[2],
        count, s[p_.depthwise ? 1 : 2], s + 3};
    T* maxima = line() + Tile::line_bytes(p_) / static_cast<i64>(sizeof(T));
    fill(maxima, guard_.boxes() * lanes, T(0));
    Tables t;
    make_tile_tables(points_, box_, part, scratch(Slot::table, SpectralSum<T>::table_bytes(d_, p_)),
                     t);
    const Vec<T> outside = first_lanes<T>(splat(boundary_value<T>(d_, 0)), from.count);
    const bool blank = boundary_value<T>(d_, 0) == T(0);
    i64 offset[kMaxRank + 1] = {}, kind[kMaxRank + 1] = {}, index[kMaxRank] = {};
    const int last = p_.last;
    const i64 pixel = from.strides[last];
    const auto read_row = [&] {
      for (i64 r = 0; r < t.run_count; ++r) {
        const Run& run = t.runs[r];
        T* to = tile.line() + run.start * lanes;
        if (kind[last] == kOutside || run.source < 0) {
          const bool constant = kind[last] == kOutside || run.source == kOutside;
          for (i64 i = 0; i < run.count; ++i) store(to + i * lanes, constant ? outside : Vec<T>{});
        } else {
          const Planes<const T> here = {from.first + offset[last] + run.source * pixel, from.count,
                                        from.channel, from.strides};
          read_run(here, run.step * pixel, run.count, end_, to);
        }
      }
      guard_.add(index, tile.line(), maxima);
      return true;
    };
    tile.forward([&](int a, i64 i) {
      if (last == 0) return read_row();
      index[a] = i;
      const i64 at = t.source[a][i];
      offset[a + 1] = offset[a] + (at >= 0 ? at * from.strides[a] : 0);
      kind[a + 1] = at >= 0 || kind[a] == kOutside ? kind[a] : at;
      if (kind[a + 1] == kHole || (kind[a + 1] == kOutside && blank)) return false;
      return a + 1 < last || read_row();
    });
    return maxima;
  }

  // Transforms back and writes `count` output channels from `channel` of `group` on; where
  // depthwise, one of so many groups.
  void inverse(Tile& tile, const TilePart& part, i64 group, i64 channel, i64 count) const {
    const At begin = place_of(args_, part.image, group, channel, part.first);
    const int last = p_.last;
    const i64 width = part.count[last], apart = args_.out.strides[p_.depthwise ? 1 : 2];
    const At pixel = step_of(args_, 3 + last);
    tile.inverse(part.count, [&](const i64* index, T* values) {
      At at = begin;
      for (int a = 0; a < last; ++a) at += index[a] * step_of(args_, 3 + a);
      if (d_.has_bias || !is_plain(d_))
        finish_lanes(finish_, group * d_.out_channels + channel, count, at.residual, pixel.residual,
                     values, width);
      write_run(
          values, width,
          Planes<T>{static_cast<T*>(args_.out.data) + at.out, count, apart, args_.out.strides + 3},
          pixel.out);
    });
  }

  // What to do with a tile of a group, by its boxes' maxima, `step` apart.
  Verdict decide(const TilePart& part, i64 group, const T* maxima, i64 step) const {
    T largest = 0;
    const Verdict verdict = guard_.judge(part, maxima, step, limit_, &largest);
    if (verdict != Verdict::look) return verdict;
    const T window = SpectralSum<T>(args_, p_, part).least_window(group);
    return window < Guard<T>::least_share * largest ? Verdict::sum : Verdict::transform;
  }

  // One output channel by direct summation.
  void sum(const TilePart& part, i64 group, i64 channel) const {
    const T* plain = reinterpret_cast<const T*>(packed_ + p_.plain);
    SpectralSum<T>(args_, p_, part)
        .run(group, channel, plain + group * d_.out_channels * d_.in_channels * p_.taps);
  }

 private:
  static i64 tile_bytes(const SpectralPlan& p) {
    return max_of(Tile::tile_bytes(p), SpectralSum<T>::plane_bytes(p));
  }
  static void* scratch(Slot slot, i64 bytes) {
    return thread_scratch(slot, static_cast<std::size_t>(bytes));
  }
  // Rows of points, then the boxes' maxima.
  T* line() const {
    return static_cast<T*>(scratch(Slot::line, Tile::line_bytes(p_) + guard_.bytes()));
  }

  const RunArgs& args_;
  RunArgs finish_;  // as channels in the lanes see it
  const Desc& d_;
  const SpectralPlan& p_;
  const char* packed_;
  Desc points_;
  Box box_;
  Guard<T> guard_;
  const T* end_;
  double limit_;
};

}  // namespace
}  // namespace multiconv::MC_TARGET
