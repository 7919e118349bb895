// Any problem, box by box: each tile's box is gathered, then its lines are summed tap by tap.
#pragma once

#include "base/kernel.hpp"
#include "kernels/lines.hpp"
#include "kernels/tile.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kBudget = 64 * 1024;  // bytes of one channel's box: half an L2 share at most
inline constexpr i64 kWork = 1 << 17;      // multiply-adds that are worth a task of their own

MC_INLINE bool is_parallel(const Desc& d) { return work_of(d) > kWork / 2; }

// A tile's place, and its box of every input channel: parts of numbers, which lie apart.
template <class T>
struct BoxTask {
  i64 n, g, first[kMaxRank], size[kMaxRank];
  T* boxes;
};

// Calls `f` with the task of every tile.
template <class T, int parts, class F>
void each_box(const RunArgs& args, const Box& box, bool parallel, F&& f) {
  const Desc& d = args.desc;
  const i64 channel = parts * box.volume;  // samples of one channel's box, all parts
  ConstView x = args.x;
  for (int a = 0; a < d.rank + 3; ++a) x.strides[a] *= parts;
  args.pool.parallel_for(
      d.batch * d.groups * box.tiles,
      [&](i64 number, int) {
        BoxTask<T> task;
        task.g = number / box.tiles % d.groups;
        task.n = number / box.tiles / d.groups;
        tile_origin(d, box, number % box.tiles, task.first, task.size);
        Tables tables;
        make_tables(d, box, task.first, thread_scratch(Slot::table, tables_bytes(d, box)), tables);
        task.boxes = static_cast<T*>(thread_scratch(
            Slot::tile, static_cast<std::size_t>(d.in_channels * channel + kSlack<T>) * sizeof(T)));
        const Stored<T> stored{d, box};
        for (i64 c = 0; c < d.in_channels; ++c)
          for (int p = 0; p < parts; ++p) {
            const i64 at = task.n * x.strides[0] + task.g * x.strides[1] + c * x.strides[2] + p;
            T* plane = task.boxes + c * channel + p * box.volume;
            stored.read(tables, x.data, at, x.strides + 3, boundary_value<T>(d, p), plane);
            fill(plane + box.volume - kSlack<T>, kSlack<T>, T(0));
          }
        f(task);
      },
      parallel);
}

template <class T, int parts>
struct BoxSum {
  static Box box_for(const Desc& d) {
    return choose_box(d, max_of(d.in_channels, 1) * parts, kBudget / static_cast<i64>(sizeof(T)),
                      tasks_worth(d, kWork), kLanes<T>, kSlack<T>, price);
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Box box = box_for(d);
    const std::size_t numbers = static_cast<std::size_t>(d.in_channels * box.volume +
                                                         box.lines * box.line_pad + kSlack<T>) *
                                parts * sizeof(T);
    return static_cast<std::size_t>(threads) * (numbers + tables_bytes(d, box));
  }

  // Where tap `tap` of an input channel lies in a task's boxes.
  static i64 offset_of(const Desc& d, const Box& box, i64 channel, i64 tap) {
    return channel * parts * box.volume + tap_offset(d, box, tap);
  }

  // lists_of(boxes) is asked once a task; what it returns gives the TapList of (group, output
  // channel).
  template <class ListsOf>
  static void run(const RunArgs& args, const Box& box, ListsOf&& lists_of) {
    const Desc& d = args.desc;
    each_box<T, parts>(args, box, is_parallel(d), [&](const BoxTask<T>& task) {
      const auto lists = lists_of(task.boxes);
      const Stored<T> stored{d, box};
      const i64 plane = box.lines * box.line_pad + kSlack<T>;
      T* lines = static_cast<T*>(
          thread_scratch(Slot::line, static_cast<std::size_t>(parts * plane) * sizeof(T)));
      for (i64 o = 0; o < d.out_channels; ++o) {
        const TapList<T> taps = lists(task.g, o);
        const i64 filter = task.g * d.out_channels + o;
        T init[parts];
        for (int p = 0; p < parts; ++p) init[p] = initial<T, parts>(args, filter, p);
        for (i64 l = 0; l < box.lines; ++l)
          Number<T, parts>::line(task.boxes + line_start(d, box, l), box.volume, taps, init,
                                 lines + l * box.line_pad, plane, box.line);
        const At at = place_of(args, task.n, task.g, o, task.first);
        if constexpr (parts == 1)
          stored.write(args, filter, task.size, lines, at);
        else
          stored.write_complex(args, filter, task.size, lines, plane, at);
      }
    });
  }
};

// Calls `f` with the kernel for the type that is computed in.
template <template <class, int> class K, class F>
MC_INLINE auto by_compute_type(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(K<std::uint32_t, 1>{});
    case DType::u64:
      return f(K<std::uint64_t, 1>{});
    case DType::f32:
      return f(K<float, 1>{});
    case DType::c64:
      return f(K<float, 2>{});
    case DType::c128:
      return f(K<double, 2>{});
    default:
      return f(K<double, 1>{});
  }
}

}  // namespace
}  // namespace multiconv::MC_TARGET
