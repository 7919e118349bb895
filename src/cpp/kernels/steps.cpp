// Kernels of few boxes of equal taps: each box at a constant number of additions per sample.
//
// The boxes do not overlap, so every output is a sum of its own window's products and nothing
// cancels that would not cancel in direct summation. A task sums all boxes for one tile of the
// output. Boxes of zeros count where data are not finite alone.
#include <cmath>
#include <cstring>

#include "base/tap_boxes.hpp"
#include "kernels/box_task.hpp"
#include "kernels/finite.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kWork = 1 << 15;  // outputs that are worth waking another thread

template <class T, int parts>
struct Step {
  TapBox box;  // where taps are read from low indices on
  T tap[parts];

  bool empty() const { return tap[0] == T(0) && tap[parts - 1] == T(0); }
};

// The boxes of one group's kernel.
template <class T, int parts>
struct StepList {
  i64 count;
  Step<T, parts> steps[kMostTapBoxes];
};

template <class T, int parts>
class Tiles {
  static constexpr i64 lanes = kLanes<T>;

 public:
  explicit Tiles(const Desc& d) : d_(d) {
    i64 slab = 0, ring = 0;
    for (int a = d.rank - 1; a >= 0; --a) {
      tile_[a] = d.tile[a] > 0 ? min_of(d.tile[a], d.out_size[a]) : d.out_size[a];
      count_[a] = ceil_div(d.out_size[a], tile_[a]);
      tiles *= count_[a];
      sums *= tile_[a];
      if (a == d.rank - 1) {
        slab = padded(tile_[a] * parts);
        line_ = 4 * padded(((tile_[a] - 1) * d.stride[a] + d.kernel[a]) * parts +
                           WindowSum<T, parts>::slack);
      } else {
        ring += (d.kernel[a] + 1) * slab;
        slab *= tile_[a];
      }
    }
    ring_ = ring;
    sums = padded(sums * parts);
  }

  i64 line_bytes() const { return line_ * size; }
  i64 ring_bytes() const { return ring_ * size; }
  i64 sums_bytes() const { return sums * size; }

  // The problem of one tile.
  Desc tile(i64 number, i64* first) const {
    Desc part = d_;
    part.batch = part.groups = 1;
    part.has_bias = part.has_scale = part.has_residual = false;
    part.activation = Activation::none;
    for (int a = d_.rank - 1; a >= 0; --a) {
      first[a] = number % count_[a] * tile_[a];
      number /= count_[a];
      part.out_size[a] = min_of(tile_[a], d_.out_size[a] - first[a]);
      part.pad_low[a] -= first[a] * d_.stride[a];
      part.tile[a] = 0;
    }
    return part;
  }

  i64 tiles = 1, sums = 1;

 private:
  static constexpr i64 size = sizeof(T);
  static i64 padded(i64 n) { return ceil_div(n, lanes) * lanes; }

  const Desc& d_;
  i64 tile_[kMaxRank], count_[kMaxRank];
  i64 line_ = 0, ring_ = 0;
};

// Whether all samples that a tile reads are finite.
template <class T, int parts>
bool reads_finite(const Desc& d, const ConstView& x) {
  if (!is_float<T>) return true;
  i64 low[kMaxRank], high[kMaxRank];
  for (int a = 0; a < d.rank; ++a) {
    low[a] = -d.pad_low[a];
    high[a] = low[a] + (d.out_size[a] - 1) * d.stride[a] + (d.kernel[a] - 1) * d.dilation[a] + 1;
    if (low[a] >= 0 && high[a] <= d.in_size[a]) continue;
    if (!std::isfinite(d.cval[0]) || !std::isfinite(d.cval[1])) return false;
    low[a] = d.boundary[a] == Boundary::constant ? max_of(low[a], 0) : 0;
    high[a] = d.boundary[a] == Boundary::constant ? min_of(high[a], d.in_size[a]) : d.in_size[a];
    if (low[a] >= high[a]) return true;
  }
  if (d.x_type != d.compute) return true;
  const int last = d.rank - 1;
  const i64 n = (high[last] - low[last]) * parts, step = x.strides[3 + last];
  i64 at[kMaxRank];
  for (int a = 0; a < d.rank; ++a) at[a] = low[a];
  for (;;) {
    i64 offset = 0;
    for (int a = 0; a < d.rank; ++a) offset += at[a] * x.strides[3 + a];
    const T* row = static_cast<const T*>(x.data) + offset * parts;
    if (step == 1) {
      if (!all_finite(row, n)) return false;
    } else {
      for (i64 i = 0; i < n; ++i)
        if (!std::isfinite(row[i / parts * step * parts + i % parts])) return false;
    }
    int a = last - 1;
    while (a >= 0 && ++at[a] == high[a]) {
      at[a] = low[a];
      --a;
    }
    if (a < 0) return true;
  }
}

template <class T, int parts>
class StepTask {
  using List = StepList<T, parts>;

 public:
  StepTask(const RunArgs& args, const Tiles<T, parts>& tiles, i64 task)
      : args_(args),
        d_(args.desc),
        group_(task / tiles.tiles % args.desc.groups),
        part_(tiles.tile(task % tiles.tiles, first_)) {
    const i64 item = task / tiles.tiles / d_.groups;
    x_ = args.x;
    x_at_ = item * args.x.strides[0] + group_ * args.x.strides[1];
    out_at_ = start_of(args, item, group_, 0);
    for (int a = 0; a < d_.rank; ++a) out_at_ += first_[a] * step_of(args, 3 + a);
    as_stored<T>(d_.x_type, x_.data, [&](auto* typed) { x_.data = typed + x_at_ * parts; });
    // All at once: what a box takes is less.
    thread_scratch(Slot::line, static_cast<std::size_t>(tiles.line_bytes()));
    thread_scratch(Slot::tile, static_cast<std::size_t>(tiles.ring_bytes()));
    sums_ = static_cast<T*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(tiles.sums_bytes())));
  }

  void run() {
    const List& list = static_cast<const List*>(args_.packed)[group_];
    const i64 n = outputs_of(part_);
    for (int p = 0; p < parts; ++p) {
      const T begin = initial<T, parts>(args_, group_, p);
      for (i64 i = 0; i < n; ++i) sums_[i * parts + p] = begin;
    }
    bool finite = true;
    for (i64 s = 0; s < list.count && finite; ++s)
      if (list.steps[s].empty()) {
        finite = reads_finite<T, parts>(part_, x_);
        break;
      }
    for (i64 s = 0; s < list.count; ++s)
      if (!finite || !list.steps[s].empty()) add(list.steps[s]);
    write();
  }

 private:
  void add(const Step<T, parts>& step) {
    Desc d = part_;
    View sums{sums_, {}};
    i64 slab = 1;
    for (int a = d.rank - 1; a >= 0; --a) {
      d.kernel[a] = step.box.size[a];
      d.pad_low[a] -= step.box.begin[a] * d.dilation[a];
      sums.strides[3 + a] = slab;
      slab *= d.out_size[a];
    }
    BoxPlan<T, parts> plan(d);
    plan.height = height_of<T, parts>(step.tap);
    const RunArgs one{d, nullptr, x_, nullptr, sums, args_.pool};
    for (i64 task = 0; task < plan.tasks; ++task) BoxTask<T, parts, true>(one, plan, task).run();
  }

  void write() const {
    const int last = d_.rank - 1;
    const i64 n = part_.out_size[last];
    const At step = step_of(args_, 3 + last);
    const i64 rows = outputs_of(part_) / n;
    for (i64 r = 0; r < rows; ++r) {
      At at = out_at_;
      i64 rest = r;
      for (int a = last - 1; a >= 0; --a) {
        at += rest % part_.out_size[a] * step_of(args_, 3 + a);
        rest /= part_.out_size[a];
      }
      T* row = sums_ + r * n * parts;
      if constexpr (parts == 1)
        finish_row(args_, group_, at.residual, step.residual, row, n);
      else
        finish_complex(args_, group_, at.residual, step.residual, row, row + 1, 2, n);
      as_stored<T>(d_.out_type, args_.out.data, [&](auto* typed) {
        auto* out = typed + at.out * parts;
        if constexpr (parts == 1)
          store_row(row, out, step.out, n);
        else
          for (i64 i = 0; i < n; ++i)
            for (int p = 0; p < parts; ++p) out[i * step.out * parts + p] = row[i * parts + p];
      });
    }
  }

  const RunArgs& args_;
  const Desc& d_;
  i64 group_;
  i64 first_[kMaxRank];
  Desc part_;
  ConstView x_;
  i64 x_at_;
  At out_at_;
  T* sums_;
};

template <class T, int parts>
struct Steps {
  using List = StepList<T, parts>;

  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.groups) * sizeof(List);
  }

  // A kernel of more boxes than fit is never given: the traits tell.
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    constexpr std::size_t item = sizeof(T) * parts;
    i64 strides[kMaxRank];
    for (int a = 0; a < d.rank; ++a) strides[a] = w.strides[3 + a] * static_cast<i64>(item);
    for (i64 g = 0; g < d.groups; ++g) {
      const T* taps = static_cast<const T*>(w.data) + g * w.strides[0] * parts;
      TapBox boxes[kMostTapBoxes];
      List& list = static_cast<List*>(packed)[g];
      list.count =
          min_of(cut_into_boxes(taps, d.rank, d.kernel, strides, item, boxes), kMostTapBoxes);
      for (i64 s = 0; s < list.count; ++s) {
        Step<T, parts>& step = list.steps[s];
        step.box = boxes[s];
        i64 at = 0;
        for (int a = 0; a < d.rank; ++a) {
          at += boxes[s].begin[a] * w.strides[3 + a];
          if (d.flip) step.box.begin[a] = d.kernel[a] - boxes[s].begin[a] - boxes[s].size[a];
        }
        std::memcpy(step.tap, taps + at * parts, item);
      }
    }
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Tiles<T, parts> tiles(d);
    const i64 busy = min_of(threads, d.batch * d.groups * tiles.tiles);
    const i64 one = tiles.line_bytes() + tiles.ring_bytes() + tiles.sums_bytes();
    return static_cast<std::size_t>(busy * one);
  }

  static void run(const RunArgs& args) {
    const Desc& d = args.desc;
    const Tiles<T, parts> tiles(d);
    const i64 channels = d.batch * d.groups;
    args.pool.parallel_for(
        channels * tiles.tiles, [&](i64 task, int) { StepTask<T, parts>(args, tiles, task).run(); },
        channels * outputs_of(d) > kWork);
  }
};

// Calls `f` with the implementation for the type that is computed in.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(Steps<std::uint32_t, 1>{});
    case DType::u64:
      return f(Steps<std::uint64_t, 1>{});
    case DType::f32:
      return f(Steps<float, 1>{});
    case DType::c64:
      return f(Steps<float, 2>{});
    case DType::c128:
      return f(Steps<double, 2>{});
    default:
      return f(Steps<double, 1>{});
  }
}

const char* accepts(const Desc& d) {
  if (d.in_channels != 1) return "it takes one input channel per group";
  if (d.out_channels != 1) return "it makes one output of each channel";
  if (d.activation != Activation::none && (d.compute == DType::c64 || d.compute == DType::c128))
    return "activations are for real numbers";
  for (int a = 0; a < d.rank; ++a) {
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    if (d.kernel[a] > 1 && d.stride[a] > 1 && d.dilation[a] > 1)
      return "it takes no stride and dilation along one axis";
    if (d.stride[a] > d.kernel[a] && d.kernel[a] > 1)
      return "windows that do not meet have no sums in common";
  }
  return check_types(d);
}

std::size_t packed_bytes(const Desc& d) {
  return dispatch(d, [&](auto k) { return k.packed_bytes(d); });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  dispatch(d, [&](auto k) { k.pack(d, w, packed); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto k) { return k.scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto k) { k.run(args); });
}

}  // namespace

extern const Kernel steps_kernel;
const Kernel steps_kernel = {"steps",
                             accepts,
                             packed_bytes,
                             pack,
                             scratch_bytes,
                             run,
                             /*scales_and_adds=*/true};

}  // namespace multiconv::MC_TARGET
