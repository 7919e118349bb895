// Direct summation, one output channel at a time: stencils, depthwise layers, complex numbers and
// integers. Each output is summed tap by tap in one fixed order.
#include "kernels/stencil.hpp"

#include "base/kernel.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kVectors = 8;         // accumulators in flight
inline constexpr i64 kBudget = 64 * 1024;  // bytes of one channel's box: half an L2 share at most
inline constexpr i64 kWork = 1 << 17;      // multiply-adds that are worth a task of their own
inline constexpr i64 kInPlace = 1 << 14;   // outputs below which one set of boxes does it all

template <class T>
constexpr i64 kSlack = kVectors * kLanes<T>;

// A number type's real part, how many parts it has, and the line kernel.
template <class T, int parts>
struct Number {};

template <class T, int V>
MC_INLINE void line_block(const T* box, const i64* offset, const T* w, i64 n, T init, T* dst) {
  Vec<T> acc[V];
  for (int v = 0; v < V; ++v) acc[v] = splat(init);
  for (i64 k = 0; k < n; ++k) {
    const T* p = box + offset[k];
    const T wk = w[k];
    for (int v = 0; v < V; ++v) acc[v] += load(p + v * kLanes<T>) * wk;
  }
  for (int v = 0; v < V; ++v) store(dst + v * kLanes<T>, acc[v]);
}

// Complex numbers as planes of real and imaginary parts `plane` apart.
template <class T, int V>
MC_INLINE void line_block(const T* box, i64 plane, const i64* offset, const T* w, i64 n,
                          const T* init, T* dst, i64 dst_plane) {
  Vec<T> re[V], im[V];
  for (int v = 0; v < V; ++v) {
    re[v] = splat(init[0]);
    im[v] = splat(init[1]);
  }
  for (i64 k = 0; k < n; ++k) {
    const T* p = box + offset[k];
    const T wr = w[2 * k], wi = w[2 * k + 1];
    for (int v = 0; v < V; ++v) {
      const Vec<T> xr = load(p + v * kLanes<T>), xi = load(p + plane + v * kLanes<T>);
      re[v] += xr * wr;
      re[v] -= xi * wi;
      im[v] += xr * wi;
      im[v] += xi * wr;
    }
  }
  for (int v = 0; v < V; ++v) {
    store(dst + v * kLanes<T>, re[v]);
    store(dst + dst_plane + v * kLanes<T>, im[v]);
  }
}

template <class T>
struct Number<T, 1> {
  static void line(const T* box, i64, const i64* offset, const T* w, i64 n, const T* init, T* dst,
                   i64, i64 length) {
    i64 q = 0;
    for (; length - q > 4 * kLanes<T>; q += 8 * kLanes<T>)
      line_block<T, 8>(box + q, offset, w, n, *init, dst + q);
    for (; length - q > kLanes<T>; q += 4 * kLanes<T>)
      line_block<T, 4>(box + q, offset, w, n, *init, dst + q);
    if (q < length) line_block<T, 1>(box + q, offset, w, n, *init, dst + q);
  }
};

template <class T>
struct Number<T, 2> {
  static void line(const T* box, i64 plane, const i64* offset, const T* w, i64 n, const T* init,
                   T* dst, i64 dst_plane, i64 length) {
    i64 q = 0;
    for (; length - q > kLanes<T>; q += 4 * kLanes<T>)
      line_block<T, 4>(box + q, plane, offset, w, n, init, dst + q, dst_plane);
    if (q < length) line_block<T, 1>(box + q, plane, offset, w, n, init, dst + q, dst_plane);
  }
};

// Short blocks wait for their own sums: fewer than four vectors cost as much as four.
MC_INLINE i64 price(i64 vectors) {
  const i64 rest = vectors % kVectors;
  return vectors - rest + (rest == 0 ? 0 : rest <= 4 ? 4 : 8);
}

template <class T>
Box box_for(const Desc& d, int parts) {
  return choose_box(d, max_of(d.in_channels, 1) * parts, kBudget / static_cast<i64>(sizeof(T)),
                    tasks_worth(d, kWork), kLanes<T>, kSlack<T>, price);
}

template <class T, int parts>
struct Direct {
  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.groups * d.out_channels * d.in_channels * taps_of(d)) *
           parts * sizeof(T);
  }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d);
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 o = 0; o < d.out_channels; ++o)
        for (i64 c = 0; c < d.in_channels; ++c)
          for (i64 t = 0; t < taps; ++t) {
            const i64 at = parts * w_element(d, w.strides, g, o, c, t);
            for (int p = 0; p < parts; ++p) *to++ = from[at + p];
          }
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Box box = box_for<T>(d, parts);
    const std::size_t numbers = static_cast<std::size_t>(d.in_channels * box.volume +
                                                         box.lines * box.line_pad + kSlack<T>) *
                                parts * sizeof(T);
    return static_cast<std::size_t>(threads) * (numbers + tables_bytes(d, box)) +
           static_cast<std::size_t>(d.in_channels * taps_of(d)) * sizeof(i64);
  }

  static void run(const RunArgs& args) {
    if constexpr (parts == 1) {
      Interior in;
      if (stored_plainly(args.desc) && outputs_of(args.desc) >= kInPlace &&
          find_interior<T>(args.desc, args.x.strides, args.out.strides, in)) {
        run_in_place(args, in);
        return;
      }
    }
    run_boxes(args);
  }

  static bool stored_plainly(const Desc& d) {
    auto plain = [](DType t) {
      return t == DType::f32 || t == DType::f64 || bytes_of_integer(t) == sizeof(T);
    };
    return plain(d.x_type) && plain(d.out_type);
  }

  static bool is_parallel(const Desc& d) { return work_of(d) > kWork / 2; }

  // The interior in place, then the frame around it by boxes, two slabs an axis.
  static void run_in_place(const RunArgs& args, const Interior& in) {
    const Desc& d = args.desc;
    i64 outer = 1;
    for (int a = 0; a < d.rank - 2; ++a) outer *= d.kernel[a];
    i64* offsets = static_cast<i64*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(outer) * sizeof(i64)));
    stencil<T>(d, in, args, offsets, is_parallel(d));
    Desc slab = d;
    View out = args.out;
    for (int a = 0; a < d.rank; ++a) {
      const i64 end = in.first[a] + in.size[a];
      const i64 starts[] = {0, end}, sizes[] = {in.first[a], d.out_size[a] - end};
      for (int side = 0; side < 2; ++side) {
        if (sizes[side] == 0) continue;
        slab.out_size[a] = sizes[side];
        slab.pad_low[a] = d.pad_low[a] - starts[side];
        View at = out;
        at.data = static_cast<T*>(out.data) + starts[side] * out.strides[3 + a];
        run_boxes({slab, args.packed, args.x, args.bias, at, args.pool});
      }
      slab.out_size[a] = in.size[a];
      slab.pad_low[a] = d.pad_low[a] - in.first[a];
      out.data = static_cast<T*>(out.data) + in.first[a] * out.strides[3 + a];
    }
  }

  static void run_boxes(const RunArgs& args) {
    const Desc& d = args.desc;
    const Box box = box_for<T>(d, parts);
    const i64 taps = taps_of(d), terms = taps * d.in_channels;
    const i64 channel = parts * box.volume;  // samples of one channel's box, all parts
    i64* offset = static_cast<i64*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(terms) * sizeof(i64)));
    for (i64 c = 0; c < d.in_channels; ++c)
      for (i64 t = 0; t < taps; ++t) offset[c * taps + t] = c * channel + tap_offset(d, box, t);

    ConstView x = args.x;
    View out = args.out;
    for (int a = 0; a < d.rank + 3; ++a) {
      x.strides[a] *= parts;
      out.strides[a] *= parts;
    }
    const i64 tasks = d.batch * d.groups * box.tiles;
    args.pool.parallel_for(
        tasks,
        [&](i64 task, int) {
          const i64 g = task / box.tiles % d.groups, n = task / box.tiles / d.groups;
          i64 first[kMaxRank], size[kMaxRank];
          tile_origin(d, box, task % box.tiles, first, size);
          Tables tables;
          make_tables(d, box, first, thread_scratch(Slot::table, tables_bytes(d, box)), tables);
          T* boxes = static_cast<T*>(thread_scratch(
              Slot::tile,
              static_cast<std::size_t>(d.in_channels * channel + kSlack<T>) * sizeof(T)));
          const Stored<T> stored{d, box};
          for (i64 c = 0; c < d.in_channels; ++c)
            for (int p = 0; p < parts; ++p) {
              const i64 at = n * x.strides[0] + g * x.strides[1] + c * x.strides[2] + p;
              T* plane = boxes + c * channel + p * box.volume;
              stored.read(tables, x.data, at, x.strides + 3, boundary_value<T>(d, p), plane);
              fill(plane + box.volume - kSlack<T>, kSlack<T>, T(0));
            }
          const i64 plane = box.lines * box.line_pad + kSlack<T>;
          T* lines = static_cast<T*>(
              thread_scratch(Slot::line, static_cast<std::size_t>(parts * plane) * sizeof(T)));
          const T* w = static_cast<const T*>(args.packed) + g * d.out_channels * terms * parts;
          for (i64 o = 0; o < d.out_channels; ++o, w += terms * parts) {
            T init[2] = {T(0), T(0)};
            if (d.has_bias)
              for (int p = 0; p < parts; ++p)
                init[p] = static_cast<const T*>(args.bias)[(g * d.out_channels + o) * parts + p];
            for (i64 l = 0; l < box.lines; ++l)
              Number<T, parts>::line(boxes + line_start(d, box, l), box.volume, offset, w, terms,
                                     init, lines + l * box.line_pad, plane, box.line);
            for (int p = 0; p < parts; ++p) {
              i64 at = n * out.strides[0] + g * out.strides[1] + o * out.strides[2] + p;
              for (int a = 0; a < d.rank; ++a) at += first[a] * out.strides[3 + a];
              stored.write(size, lines + p * plane, out.data, at, out.strides + 3);
            }
          }
        },
        is_parallel(d));
  }
};

// Calls `f` with the implementation for the type that is computed in.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::u32:
      return f(Direct<std::uint32_t, 1>{});
    case DType::u64:
      return f(Direct<std::uint64_t, 1>{});
    case DType::f32:
      return f(Direct<float, 1>{});
    case DType::c64:
      return f(Direct<float, 2>{});
    case DType::c128:
      return f(Direct<double, 2>{});
    default:
      return f(Direct<double, 1>{});
  }
}

const char* accepts(const Desc& d) {
  if (d.activation != Activation::none && (d.compute == DType::c64 || d.compute == DType::c128))
    return "activations are for real numbers";
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

extern const Kernel direct_kernel;
const Kernel direct_kernel = {"direct", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
