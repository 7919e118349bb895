// One task of a box kernel: it sums the lines along the last axis first. Along every other axis the
// sums of the axes behind it pass through a ring of as many as the window holds, in two parts as in
// window_sum.hpp, so that nothing but the input and the output goes through memory.
#pragma once

#include <type_traits>

#include "base/kernel.hpp"
#include "kernels/box_plan.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Complex numbers have two parts, side by side. What `adds` adds to sums of the type computed in.
template <class T, int parts, bool adds = false>
class BoxTask {
  static constexpr i64 lanes = kLanes<T>;

 public:
  BoxTask(const RunArgs& args, const BoxPlan<T, parts>& plan, i64 task)
      : args_(args), d_(args.desc), plan_(plan), last_(plan.last) {
    if (plan.first < last_) {
      next_in_ = plan.axes[last_ - 1].step * args.x.strides[2 + last_] * parts;
      next_out_ = args.out.strides[2 + last_] * parts;
    }
    const i64 all = task / plan.tasks;
    group_ = all % d_.groups;
    x_at_ = all / d_.groups * args.x.strides[0] + group_ * args.x.strides[1];
    out_at_ = start_of(args, all / d_.groups, group_, 0);
    task %= plan.tasks;
    for (int a = last_; a >= 0; --a) {
      const i64 number = plan.axes[a].phases * plan.axes[a].count;
      part_[a] = part_of(d_, a, plan.axes[a], task % number);
      task /= number;
      out_at_ += part_[a].first * step_of(args, 3 + a);
    }
    line_ =
        static_cast<T*>(thread_scratch(Slot::line, static_cast<std::size_t>(plan.line_bytes())));
    T* ring =
        static_cast<T*>(thread_scratch(Slot::tile, static_cast<std::size_t>(plan.ring_bytes())));
    length_[last_] = plan.padded(part_[last_].outputs * parts);
    for (int a = last_ - 1; a >= plan.first; --a) {
      ring_[a] = ring;
      ring += (d_.kernel[a] + 1) * length_[a + 1];
      length_[a] = part_[a].outputs * length_[a + 1];
    }
    for (int p = 0; p < parts; ++p) bias_[p] = initial<T, parts>(args, group_, p);
  }

  void run() {
    for (int a = 0; a <= last_; ++a)
      if (part_[a].outputs <= 0) return;
    i64 at = x_at_;
    bool outside = false;
    for (int a = 0; a < plan_.first; ++a) step_to(a, 0, at, outside);
    if (plan_.first == last_) {
      sum_line(at, outside, result());
      write(result(), nullptr, out_at_);
    } else {
      slide(plan_.first, at, outside, [&](i64 i, const T* end, const T* begin) {
        write_slab(plan_.first + 1, end, begin,
                   out_at_ + i * part_[plan_.first].step * step_of(args_, 3 + plan_.first));
      });
    }
  }

 private:
  T* result() const { return line_ + 3 * plan_.line; }

  // From an element of the input to where sample i of the task lies along axis a.
  void step_to(int a, i64 i, i64& at, bool& outside) const {
    const i64 position = part_[a].sample + i * plan_.axes[a].step;
    const i64 source = resolve_index(position, d_.in_size[a], d_.boundary[a]);
    outside |= source == kOutside;
    at += max_of(source, 0) * args_.x.strides[3 + a];
  }

  // The sums along axis a and those behind it.
  void sum_slab(int a, i64 at, bool outside, T* dst) {
    if (a == last_) return sum_line(at, outside, dst);
    const i64 length = length_[a + 1];
    slide(a, at, outside, [&](i64 i, const T* end, const T* begin) {
      T* to = dst + i * length;
      if (begin == nullptr)
        for (i64 e = 0; e < length; ++e) to[e] = end[e];
      else
        for (i64 e = 0; e < length; ++e) to[e] = end[e] + begin[e];
    });
  }

  // Calls sink(i, end, begin) for every output i along axis a: it is the sum of what its window has
  // of one block, up to the block's end, and, unless begin is null, of what it has of the next.
  template <class Sink>
  void slide(int a, i64 at, bool outside, const Sink& sink) {
    const i64 window = d_.kernel[a], windows = part_[a].windows, stride = plan_.axes[a].stride;
    const i64 length = length_[a + 1];
    T* ring = ring_[a];
    T* begin = ring + window * length;
    auto take = [&](i64 sample, i64 slot) {
      i64 from = at;
      bool beyond = outside;
      step_to(a, sample, from, beyond);
      sum_slab(a + 1, from, beyond, ring + slot * length);
    };
    auto give = [&](i64 i, i64 slot, const T* rest) {
      if (i % stride == 0) sink(i / stride, ring + slot * length, rest);
    };
    for (i64 i = 0; i < window; ++i) take(i, i);
    for (i64 first = 0;; first += window) {
      for (i64 i = window - 2; i >= 0; --i) {
        T* to = ring + i * length;
        for (i64 e = 0; e < length; ++e) to[e] += to[length + e];
      }
      give(first, 0, nullptr);
      // A slot is free for the next block's samples once its window is given.
      const i64 end = min_of(window, windows - first);
      for (i64 i = 1; i < end; ++i) {
        take(first + window + i - 1, i - 1);
        const T* next = ring + (i - 1) * length;
        if (i == 1)
          for (i64 e = 0; e < length; ++e) begin[e] = next[e];
        else
          for (i64 e = 0; e < length; ++e) begin[e] += next[e];
        give(first + i, i, begin);
      }
      if (first + window >= windows) break;
      take(first + 2 * window - 1, window - 1);
    }
  }

  // The sums along one line of the last axis.
  void sum_line(i64 at, bool outside, T* dst) {
    const Part& part = part_[last_];
    const i64 stride = plan_.axes[last_].stride;
    if (d_.kernel[last_] == 1) {
      read(at, outside, part.outputs, dst);
      return;
    }
    const i64 samples = part.windows + d_.kernel[last_] - 1;
    read(at, outside, samples, line_);
    fill(line_ + samples * parts, plan_.sums.slack, T(0));
    T *some = line_ + plan_.line, *more = some + plan_.line;
    if (stride == 1) {
      plan_.sums.run(line_, part.outputs * parts, some, more, dst);
      return;
    }
    plan_.sums.run(line_, part.windows * parts, some, more, more);
    for (i64 i = 0; i < part.outputs; ++i)
      for (int p = 0; p < parts; ++p) dst[i * parts + p] = more[i * stride * parts + p];
  }

  void read(i64 at, bool outside, i64 samples, T* line) const {
    as_stored<T>(d_.x_type, args_.x.data,
                 [&](auto* typed) { read_from(typed + at * parts, outside, samples, line); });
  }

  // One line of scaled samples: those inside in one go, the others one by one.
  template <class S>
  void read_from(const S* x, bool outside, i64 samples, T* line) const {
    const i64 step = plan_.axes[last_].step, size = d_.in_size[last_];
    const i64 start = part_[last_].sample, stride = args_.x.strides[3 + last_] * parts;
    const T scale = plan_.height.before;
    auto one = [&](i64 i) {
      const i64 source =
          outside ? kOutside : resolve_index(start + i * step, size, d_.boundary[last_]);
      for (int p = 0; p < parts; ++p)
        line[i * parts + p] =
            (source < 0 ? boundary_value<T>(d_, p) : static_cast<T>(x[source * stride + p])) *
            scale;
    };
    const i64 begin = min_of(start < 0 ? ceil_div(-start, step) : 0, samples);
    const i64 inside = start < size ? ceil_div(size - start, step) : 0;
    const i64 end = outside ? begin : max_of(min_of(inside, samples), begin);
    for (i64 i = 0; i < begin; ++i) one(i);
    const S* from = x + (start + begin * step) * stride;
    T* to = line + begin * parts;
    const i64 each = step * stride, n = end - begin;
    if (each == parts)
      scale_all(from, n * parts, scale, to);
    else
      for (i64 i = 0; i < n; ++i)
        for (int p = 0; p < parts; ++p)
          to[i * parts + p] = static_cast<T>(from[i * each + p]) * scale;
    for (i64 i = end; i < samples; ++i) one(i);
  }

  // Lines come from memory while the one before them is worked on.
  template <class S>
  void scale_all(const S* from, i64 n, T scale, T* to) const {
    i64 i = 0;
    for (; i + lanes <= n; i += lanes) {
      if (next_in_ != 0) __builtin_prefetch(from + i + next_in_);
      const Vec<T> samples = load_as<T>(from + i);
      store(to + i, is_float<T> ? samples * scale : samples);
    }
    for (; i < n; ++i) to[i] = static_cast<T>(from[i]) * scale;
  }

  // The lines of a slab of axes a and on.
  void write_slab(int a, const T* end, const T* begin, At at) const {
    if (a == last_) return write(end, begin, at);
    for (i64 i = 0; i < part_[a].outputs; ++i) {
      const i64 offset = i * length_[a + 1];
      write_slab(a + 1, end + offset, begin == nullptr ? nullptr : begin + offset,
                 at + i * part_[a].step * step_of(args_, 3 + a));
    }
  }

  void write(const T* end, const T* begin, At at) const {
    if constexpr (adds)
      add_to(end, begin, static_cast<T*>(args_.out.data) + at.out * parts);
    else
      as_stored<T>(d_.out_type, args_.out.data,
                   [&](auto* typed) { write_to(end, begin, typed + at.out * parts, at.residual); });
  }

  // One line of products, for an output that holds sums already.
  void add_to(const T* end, const T* begin, T* out) const {
    const i64 n = part_[last_].outputs;
    const i64 stride = part_[last_].step * args_.out.strides[3 + last_] * parts;
    T* line = line_;
    if (stride == parts)
      line = out;
    else
      fill(line, n * parts, T(0));
    if (begin == nullptr)
      finish<false>(end, begin, n, line);
    else
      finish<true>(end, begin, n, line);
    if (line == out) return;
    for (i64 i = 0; i < n; ++i)
      for (int p = 0; p < parts; ++p) out[i * stride + p] += line[i * parts + p];
  }

  // One line of finished sums. `at`: where its residual begins.
  template <class Out>
  void write_to(const T* end, const T* begin, Out* out, i64 at) const {
    const i64 n = part_[last_].outputs;
    const i64 stride = part_[last_].step * args_.out.strides[3 + last_] * parts;
    T* line = line_;
    if constexpr (std::is_same_v<Out, T>)
      if (stride == parts && is_plain(d_)) line = out;
    if (begin == nullptr)
      finish<false>(end, begin, n, line);
    else
      finish<true>(end, begin, n, line);
    if (line != line_) return;
    const i64 step = part_[last_].step * args_.residual.strides[3 + last_];
    if constexpr (parts == 1)
      finish_row(args_, group_, at, step, line, n);
    else
      finish_complex(args_, group_, at, step, line, line + 1, 2, n);
    for (int p = 0; p < parts; ++p) store_line(line + p, out + p, stride, n);
  }

  template <class Out>
  void store_line(const T* line, Out* out, i64 stride, i64 n) const {
    if constexpr (parts == 1)
      store_row(line, out, stride, n);
    else
      for (i64 i = 0; i < n; ++i) out[i * stride] = static_cast<Out>(line[i * parts]);
  }

  // The second of two sums is there or not.
  template <bool two>
  void finish(const T* end, const T* begin, i64 n, T* line) const {
    const T re = plan_.height.after[0], im = plan_.height.after[1];
    auto sum = [&](i64 i) { return two ? end[i] + begin[i] : end[i]; };
    i64 i = 0;
    if constexpr (parts == 1) {
      for (; i + lanes <= n; i += lanes) {
        if (next_out_ != 0) __builtin_prefetch(line + i + next_out_);
        Vec<T> all = load(end + i);
        if (two) all += load(begin + i);
        store(line + i, all * re + (adds ? load(line + i) : splat(bias_[0])));
      }
      for (; i < n; ++i) line[i] = sum(i) * re + (adds ? line[i] : bias_[0]);
    } else {
      for (; i < 2 * n; i += 2) {
        const T a = sum(i), b = sum(i + 1);
        line[i] = a * re - b * im + (adds ? line[i] : bias_[0]);
        line[i + 1] = a * im + b * re + (adds ? line[i + 1] : bias_[1]);
      }
    }
  }

  const RunArgs& args_;
  const Desc& d_;
  const BoxPlan<T, parts>& plan_;
  int last_;
  i64 next_in_ = 0, next_out_ = 0;  // distance of the next line in memory; 0 if there is none
  i64 group_, x_at_;
  At out_at_;
  Part part_[kMaxRank];
  T* line_;  // samples, two lines of partial sums, and of sums where there are no rings
  T* ring_[kMaxRank];
  i64 length_[kMaxRank];  // elements of a slab of this axis and those behind it
  T bias_[2] = {};        // what sums begin with
};

}  // namespace
}  // namespace multiconv::MC_TARGET
