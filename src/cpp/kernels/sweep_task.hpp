// Stencils by sweeps. A task lists where the rows of the input lie that it reads, the boundary
// resolved, so that only columns at both ends of a row need copies.
#pragma once

#include "base/kernel.hpp"
#include "kernels/sweep_plan.hpp"
#include "kernels/sweep_rows.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kNearBytes = 3 << 18;  // of results that the second-level cache holds
inline constexpr i64 kFarBytes = 12 << 20;  // of results that no cache holds

// Memory of a task.
template <class T>
struct SweepScratch {
  const T **rows, **copied;  // where rows begin: of the input, of the copies
  T *taps, *blank, *copies;
  i64* planes;   // where the rows of the planes begin that an output sees
  i64* outside;  // what copies read beyond the ends of a row
  std::size_t bytes = 0;

  SweepScratch(const SweepPlan& s, char* memory) {
    const i64 rows_of_all = s.stacks * s.layers * s.span;
    take(memory, rows, rows_of_all);
    take(memory, copied, rows_of_all);
    take(memory, taps, s.stacks * s.tap_planes * s.tap_rows * s.taps);
    take(memory, blank, s.width + s.reach);
    take(memory, copies, rows_of_all * s.pitch);
    take(memory, planes, s.stacks * s.tap_planes);
    take(memory, outside, s.pitch);
  }

 private:
  template <class U>
  void take(char* memory, U*& to, i64 count) {
    to = reinterpret_cast<U*>(memory + bytes);
    bytes += (static_cast<std::size_t>(count) * sizeof(U) + kAlign - 1) / kAlign * kAlign;
  }
};

template <class T>
MC_INLINE std::size_t sweep_bytes(const SweepPlan& s) {
  return SweepScratch<T>(s, nullptr).bytes;
}

template <class T>
class SweepTask {
 public:
  // Of image number `image`: batch, group and output channel.
  SweepTask(const SweepPlan& s, const RunArgs& args, i64 image)
      : s_(s),
        d_(args.desc),
        args_(args),
        own_(s, static_cast<char*>(thread_scratch(Slot::tile, sweep_bytes<T>(s)))) {
    const i64 channel = image % d_.out_channels, group = image / d_.out_channels % d_.groups;
    const i64 batch = image / d_.out_channels / d_.groups;
    const i64 *xs = args.x.strides, *os = args.out.strides;
    x_ = static_cast<const T*>(args.x.data) + batch * xs[0] + group * xs[1];
    out_ = static_cast<T*>(args.out.data) + batch * os[0] + group * os[1] + channel * os[2];
    const i64 kernel = group * d_.out_channels + channel;
    lay_taps(static_cast<const T*>(args.packed) + kernel * d_.in_channels * taps_of(d_));
    c_.groups = s.stacks * s.tap_planes;
    c_.planes = own_.planes;
    c_.taps = s.taps;
    c_.step = d_.dilation[d_.rank - 1];
    c_.out_row = os[1 + d_.rank] * s.phases;
    c_.bias = d_.has_bias ? static_cast<const T*>(args.bias)[kernel] : T(0);
    const i64 bytes = outputs_of(d_) * static_cast<i64>(sizeof(T));
    far_ = bytes > kNearBytes;
    c_.streams = bytes > kFarBytes && is_aligned();
  }

  void run(i64 number) {
    const i64 block = number % s_.blocks, band = number / s_.blocks % s_.bands;
    number /= s_.blocks * s_.bands;
    const i64 phase = number % s_.phases, strip = number / s_.phases % s_.strips;
    space_ = number / s_.phases / s_.strips;

    const i64 rows = ceil_div(d_.out_size[d_.rank - 2] - phase, s_.phases);
    const i64 first = band * s_.rows, count = min_of(s_.rows, rows - first);
    if (count <= 0) return;
    top_ = phase + first * s_.phases;
    c_.span = count + s_.tap_rows - 1;
    const i64 planes = d_.rank > 2 ? d_.out_size[d_.rank - 3] : 1;
    plane_ = planes * block / s_.blocks;
    depth_ = planes * (block + 1) / s_.blocks - plane_;
    left_ = column_of(strip);
    width_ = column_of(strip + 1) - left_;
    find_all_rows();
    sweep_pairs();
    if (c_.streams) end_stream();
  }

 private:
  // From the order of summation to the one of the sweep.
  void lay_taps(const T* packed) {
    const i64 n = s_.tap_rows, terms = s_.stacks * s_.tap_planes * s_.taps;
    for (i64 i = 0; i < terms; ++i)
      for (i64 row = 0; row < n; ++row) own_.taps[i * n + row] = packed[row * terms + i];
    c_.w = own_.taps;
  }

  bool is_aligned() const {
    const i64* strides = args_.out.strides;
    bool aligned = reinterpret_cast<std::uintptr_t>(out_) % sizeof(Vec<T>) == 0;
    for (int a = 0; a < d_.rank - 1; ++a) aligned &= strides[3 + a] % kLanes<T> == 0;
    return aligned && d_.out_size[d_.rank - 1] % kLanes<T> == 0;
  }

  // The first column of a strip, where vectors can be aligned.
  i64 column_of(i64 strip) const {
    const i64 columns = d_.out_size[d_.rank - 1];
    return strip == s_.strips ? columns : columns * strip / s_.strips / kLanes<T> * kLanes<T>;
  }

  // The plane of the input that a task sees as layer `layer` of a stack, or null.
  const T* plane_of(i64 stack, i64 layer) const {
    i64 offset = 0, space = space_;
    for (int a = d_.rank - 3; a >= 0; --a) {
      i64 output = plane_, tap = layer;
      if (a < d_.rank - 3) {
        output = space % d_.out_size[a];
        tap = stack % d_.kernel[a];
        space /= d_.out_size[a];
        stack /= d_.kernel[a];
      }
      const i64 at = resolve_index(output + tap * d_.dilation[a] - d_.pad_low[a], d_.in_size[a],
                                   d_.boundary[a]);
      if (at == kOutside) return nullptr;
      offset += at * args_.x.strides[3 + a];
    }
    return x_ + offset + stack * args_.x.strides[2];  // what is left of the stack is the channel
  }

  T* output() const {
    const i64* strides = args_.out.strides + 3;
    i64 offset = left_ + top_ * strides[d_.rank - 2], space = space_;
    if (d_.rank > 2) offset += plane_ * strides[d_.rank - 3];
    for (int a = d_.rank - 4; a >= 0; --a) {
      offset += space % d_.out_size[a] * strides[a];
      space /= d_.out_size[a];
    }
    return out_ + offset;
  }

  void find_all_rows() {
    fill(own_.blank, width_ + s_.reach, boundary_value<T>(d_, 0));
    outside_ = own_.blank - (left_ - d_.pad_low[d_.rank - 1]);
    const i64 first = top_ - d_.pad_low[d_.rank - 2], layers = depth_ + s_.tap_planes - 1;
    for (i64 stack = 0; stack < s_.stacks; ++stack)
      for (i64 layer = 0; layer < layers; ++layer) {
        const i64 begin = (stack * s_.layers + layer) * c_.span;
        if (layer < s_.tap_planes) own_.planes[stack * s_.tap_planes + layer] = begin;
        find_rows(d_, plane_of(stack, layer), args_.x.strides[1 + d_.rank], first, c_.span,
                  outside_, own_.rows + begin);
      }
  }

  // Columns in pairs; those at the ends, which need copies, come first.
  void sweep_pairs() {
    const i64 count = ceil_div(width_, s_.half);
    auto place = [&](i64 i) { return min_of(i * s_.half, width_ - s_.half); };
    auto reach = [&](i64 i) { return Reach(d_, left_ + place(i), s_.half); };
    i64 begin = 0, end = count;
    while (begin < end && !reach(begin).is_inside()) ++begin;
    while (begin < end && !reach(end - 1).is_inside()) --end;
    const i64 ends = begin + count - end;
    auto in_order = [&](i64 i) {
      i = min_of(i, count - 1);
      return i < begin ? i : i < ends ? i - begin + end : i - ends + begin;
    };
    T* out = output();
    for (i64 i = 0; i < count; i += 2) {
      const i64 pair[] = {in_order(i), in_order(i + 1)};
      for (int half = 0; half < 2; ++half) {
        c_.out[half] = out + place(pair[half]);
        c_.at[half] = i < ends ? half * s_.pitch / 2 : reach(pair[half]).first;
      }
      if (i < ends) copy_columns({reach(pair[0]), reach(pair[1])});
      const bool more = i + 2 >= ends && i + 2 < count;
      c_.next_at = more ? reach(in_order(i + 2)).first : 0;
      c_.next_out = more ? out + place(in_order(i + 2)) : nullptr;
      sweep_planes(i < ends ? own_.copied : own_.rows, more && far_ ? own_.rows : nullptr);
    }
  }

  void copy_columns(const Reach (&reach)[2]) {
    const i64 middle = s_.pitch / 2;
    const T blank = boundary_value<T>(d_, 0);
    for (int half = 0; half < 2; ++half)
      list_outside(d_, reach[half], own_.outside + half * middle);
    const i64 layers = depth_ + s_.tap_planes - 1;
    for (i64 stack = 0; stack < s_.stacks; ++stack)
      for (i64 j = stack * s_.layers * c_.span, end = j + layers * c_.span; j < end; ++j) {
        T* to = own_.copies + j * s_.pitch;
        own_.copied[j] = to;
        if (own_.rows[j] == outside_) {
          fill(to, s_.pitch, blank);
        } else {
          copy_reach(reach[0], own_.rows[j], own_.outside, blank, to);
          copy_reach(reach[1], own_.rows[j], own_.outside + middle, blank, to + middle);
        }
      }
  }

  void sweep_planes(const T* const* rows, const T* const* next) {
    const i64 step = d_.rank > 2 ? args_.out.strides[d_.rank] : 0;
    const i64 newest = (s_.stacks - 1) * s_.layers + s_.tap_planes - 1;
    Columns<T> c = c_;
    for (i64 p = 0; p < depth_; ++p) {
      c.rows = rows + p * c.span;
      c.next = next ? next + (newest + p) * c.span : nullptr;
      c.next_out = c_.next_out + p * step;
      for (int half = 0; half < 2; ++half) c.out[half] = c_.out[half] + p * step;
      sweep_of(s_.tap_rows, c);
    }
  }

  const SweepPlan& s_;
  const Desc& d_;
  const RunArgs& args_;
  SweepScratch<T> own_;
  const T* x_;
  T* out_;
  const T* outside_;                                // a row beyond the boundary
  i64 space_, plane_, depth_, top_, left_, width_;  // of the outputs
  bool far_;
  Columns<T> c_{};
};

template <class T>
void sweep(const RunArgs& args, bool parallel) {
  const Desc& d = args.desc;
  const SweepPlan s = plan_sweep<T>(d);
  const i64 tasks = s.spaces * s.strips * s.phases * s.bands * s.blocks;
  args.pool.parallel_for(
      d.batch * d.groups * d.out_channels * tasks,
      [&](i64 task, int) { SweepTask<T>(s, args, task / tasks).run(task % tasks); }, parallel);
}

}  // namespace
}  // namespace multiconv::MC_TARGET
