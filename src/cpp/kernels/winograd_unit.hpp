// Units of tiles on their way in, to [product][row][channel], and out, from [product][row][output].
#pragma once

#include "kernels/channel_io.hpp"
#include "kernels/winograd_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Outputs of one phase, with the box of the input that they read.
template <class T>
class Window {
 public:
  Window(const RunArgs& args, i64 phase) : phase_(phase_of(args.desc, phase)), args_(args) {
    out_ = every(args.out);
    if (args.desc.has_residual) residual_ = every(args.residual);
  }

  // Goes to outputs `first` on, so many along each axis.
  void place(const i64* first, const i64* size) {
    for (int a = 0; a < desc().rank; ++a) {
      first_[a] = first[a];
      box_.tile[a] = size[a];
    }
    measure(desc(), box_, 0);
    make_tables(desc(), box_, first_, thread_scratch(Slot::table, tables_bytes(desc(), box_)),
                tables_);
  }

  const Desc& desc() const { return phase_.desc; }
  const Box& box() const { return box_; }
  const Tables& tables() const { return tables_; }
  const i64* first() const { return first_; }

  void read(i64 image, i64 group, i64 channel, T* to) const {
    ChannelIo<T>(args()).read(box_, tables_, image, group, channel, to);
  }
  // Sums of the outputs, as far as there are so many.
  void write(i64 image, i64 group, i64 output, const i64* pitch, T* sums) const {
    i64 size[kMaxRank];
    for (int a = 0; a < desc().rank; ++a)
      size[a] = min_of(box_.tile[a], desc().out_size[a] - first_[a]);
    const RunArgs here = args();
    ChannelIo<T>(here).write(image, group, output, first_, size, pitch, sums);
  }

 private:
  RunArgs args() const {
    return {phase_.desc, args_.packed, args_.x,     args_.bias,
            out_,        args_.pool,   args_.scale, residual_};
  }

  // The outputs of the phase.
  template <class V>
  V every(V view) const {
    const Desc& d = args_.desc;
    const i64 integer = bytes_of_integer(d.out_type);
    const i64 bytes = integer > 0 ? integer : static_cast<i64>(sizeof(T));
    i64 at = 0;
    for (int a = 0; a < d.rank; ++a) {
      at += phase_.first[a] * view.strides[3 + a];
      view.strides[3 + a] *= d.dilation[a];
    }
    using Byte = std::conditional_t<std::is_same_v<V, View>, char, const char>;
    view.data = static_cast<Byte*>(view.data) + at * bytes;
    return view;
  }

  Phase phase_;
  const RunArgs& args_;
  View out_ = {};
  ConstView residual_ = {};
  i64 first_[kMaxRank];
  Box box_;
  Tables tables_;
};

// Sizes of a unit along its axes.
struct Shape {
  i64 inputs[kAxes];   // tiles, where an axis is summed tap by tap with the taps' halo
  i64 outputs[kAxes];  // tiles
  i64 box[kAxes];      // positions read
  i64 sums[kAxes];     // positions written

  Shape(const Desc& d, const Form& f, const i64* tiles) {
    for (int i = 0; i < kAxes; ++i) {
      const int a = i - (kAxes - d.rank);
      const i64 kernel = a < 0 ? 1 : d.kernel[a];
      outputs[i] = tiles[i];
      inputs[i] = tiles[i] + (f.m[i] == 1 ? kernel - 1 : 0);
      sums[i] = tiles[i] * f.m[i];
      box[i] = sums[i] + kernel - 1;
    }
  }
};

template <class T>
struct Transforms {
  static constexpr i64 lanes = kLanes<T>;
  const Form& form;
  Pass<T> in[kAxes], out[kAxes];

  explicit Transforms(const Form& f) : form(f) {
    for (int i = 0; i < kAxes; ++i) {
      in[i] = input_pass<T>(f.t[i]);
      out[i] = output_pass<T>(f.t[i], static_cast<int>(f.m[i]));
    }
  }

  // Elements that a strip of `tiles` tiles needs on its way.
  i64 scratch(i64 tiles) const { return 2 * form.products * tiles * lanes; }

  // A box to [product][tile], `step` and `row` elements apart.
  void forward(const Shape& s, const T* box, T* to, i64 step, i64 row, T* scratch) const {
    const i64 nx = s.inputs[2], width = s.box[2] * lanes;
    const i64 t0 = form.t[0], t1 = form.t[1], t2 = form.t[2], across = nx * lanes;
    T *lines = scratch, *planes = scratch + form.products * across;
    for (i64 z = 0; z < s.inputs[0]; ++z)
      for (i64 y = 0; y < s.inputs[1]; ++y, to += nx * row) {
        for (i64 i = 0; i < t0; ++i) {
          const T* from = box + ((z * form.m[0] + i) * s.box[1] + y * form.m[1]) * width;
          in[2](from, lanes, lines, lanes, {t1, width, t2 * across},
                {nx, form.m[2] * lanes, t2 * lanes});
          if (t0 == 1)
            in[1](lines, t2 * across, to, t2 * step, {t2, lanes, step}, {nx, t2 * lanes, row});
          else
            in[1](lines, t2 * across, planes + i * t1 * t2 * across, t2 * across,
                  {t2, lanes, across}, {nx, t2 * lanes, lanes});
        }
        if (t0 > 1)
          in[0](planes, t1 * t2 * across, to, t1 * t2 * step, {t1 * t2, across, step},
                {nx, lanes, row});
      }
  }

  // The way back, to the sums of a unit.
  void back(const Shape& s, const T* from, i64 step, i64 row, T* sums, T* scratch) const {
    const i64 nx = s.outputs[2], width = s.sums[2] * lanes;
    const i64 t0 = form.t[0], t1 = form.t[1], t2 = form.t[2], across = nx * lanes;
    T *lines = scratch, *planes = scratch + form.products * across;
    for (i64 z = 0; z < s.outputs[0]; ++z)
      for (i64 y = 0; y < s.outputs[1]; ++y, from += nx * row) {
        if (t0 > 1)
          out[0](from, t1 * t2 * step, planes, t1 * t2 * across, {t1 * t2, step, across},
                 {nx, row, lanes});
        for (i64 i = 0; i < form.m[0]; ++i) {
          if (t0 > 1)
            out[1](planes + i * t1 * t2 * across, t2 * across, lines, t2 * across,
                   {t2, across, lanes}, {nx, lanes, t2 * lanes});
          else
            out[1](from, t2 * step, lines, t2 * across, {t2, step, lanes}, {nx, row, t2 * lanes});
          T* to = sums + ((z * form.m[0] + i) * s.sums[1] + y * form.m[1]) * width;
          out[2](lines, lanes, to, lanes, {form.m[1], t2 * across, width},
                 {nx, t2 * lanes, form.m[2] * lanes});
        }
      }
  }
};

}  // namespace
}  // namespace multiconv::MC_TARGET
