// Direct summation, one output channel at a time: stencils, depthwise layers, complex numbers and
// integers. Each output is summed tap by tap in one fixed order.
#include <type_traits>

#include "kernels/box_sum.hpp"
#include "kernels/stencil.hpp"
#include "kernels/stencil_complex.hpp"
#include "kernels/sweep_task.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T, int parts>
struct Direct {
  using Sum = BoxSum<T, parts>;

  // Whether rows are swept; else blocks are summed in place, or boxes.
  static bool sweeps(const Desc& d) {
    if constexpr (parts == 1 && is_float<T>) return is_swept<T>(d);
    return false;
  }

  // The place of a tap in the order of summation.
  static auto place_in(const Desc& d) {
    return [&d, taps = taps_of(d), swept = sweeps(d)](i64 c, i64 t) {
      if constexpr (parts == 1 && is_float<T>)
        if (swept) return sweep_place(d, c, t);
      return c * taps + t;
    };
  }

  static std::size_t packed_bytes(const Desc& d) {
    return static_cast<std::size_t>(d.groups * d.out_channels * d.in_channels * taps_of(d)) *
           parts * sizeof(T);
  }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    const T* from = static_cast<const T*>(w.data);
    T* to = static_cast<T*>(packed);
    const i64 taps = taps_of(d);
    const auto place = place_in(d);
    for (i64 g = 0; g < d.groups; ++g)
      for (i64 o = 0; o < d.out_channels; ++o, to += d.in_channels * taps * parts)
        for (i64 c = 0; c < d.in_channels; ++c)
          for (i64 t = 0; t < taps; ++t) {
            const i64 at = parts * w_element(d, w.strides, g, o, c, t);
            for (int p = 0; p < parts; ++p) to[place(c, t) * parts + p] = from[at + p];
          }
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    std::size_t swept = 0;
    if constexpr (parts == 1 && is_float<T>)
      if (sweeps(d)) swept = static_cast<std::size_t>(threads) * sweep_bytes<T>(plan_sweep<T>(d));
    const std::size_t summed = stencil_bytes(d, threads);
    return swept > summed ? swept : summed;
  }

  static std::size_t stencil_bytes(const Desc& d, int threads) {
    const bool direct = stored_as<T>(d.out_type) && is_plain(d);
    const i64 columns = direct ? 0 : min_of(d.out_size[d.rank - 1], 32 * kStencilColumns);
    return Sum::scratch_bytes(d, threads) +
           static_cast<std::size_t>(threads * kStencilRows * columns) * sizeof(T) +
           static_cast<std::size_t>(d.in_channels * taps_of(d)) * sizeof(i64);
  }

  // Wide integers, whose products take longer than any loads, go by way of boxes, as do small ones
  // in double precision.
  template <class S>
  static constexpr bool reads_in_place = sizeof(T) == 4 || (is_float<T> && sizeof(S) == sizeof(T));

  static bool lie_in_rows(const RunArgs& args) {
    const int last = 2 + args.desc.rank;
    return args.x.strides[last] == 1 && args.out.strides[last] == 1;
  }

  static void run(const RunArgs& args) {
    if constexpr (parts == 1 && is_float<T>)
      if (sweeps(args.desc) && lie_in_rows(args)) {
        sweep<T>(args, is_parallel(args.desc));
        return;
      }
    if constexpr (parts == 1) {
      Interior in;
      const bool reads = sizeof(T) == 4 || (is_float<T> && stored_as<T>(args.desc.x_type));
      if (reads && !sweeps(args.desc) &&
          find_interior<T>(args.desc, args.x.strides, args.out.strides, in)) {
        run_in_place(args, in);
        return;
      }
    }
    if constexpr (parts == 2 && kLanes<T> > 1) {
      const Desc& d = args.desc;
      Interior in;
      if (d.x_type == d.compute && d.out_type == d.compute &&
          find_interior<T>(d, args.x.strides, args.out.strides, in)) {
        stencil_complex<T>(args, in, offsets_for(d.in_channels * taps_of(d)), is_parallel(d));
        each_slab<Pair<T>>(args, in, run_boxes);
        return;
      }
    }
    run_boxes(args);
  }

  static i64* offsets_for(i64 taps) {
    return static_cast<i64*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(taps) * sizeof(i64)));
  }

  static void run_in_place(const RunArgs& args, const Interior& in) {
    const Desc& d = args.desc;
    i64 outer = 1;
    for (int a = 0; a < d.rank - 2; ++a) outer *= d.kernel[a];
    i64* offsets = offsets_for(outer);
    as_stored<T>(d.x_type, args.x.data, [&](auto* x) {
      using S = std::remove_cvref_t<decltype(*x)>;
      if constexpr (reads_in_place<S>) stencil<T, S>(args, in, offsets, is_parallel(d));
    });
    as_stored<T>(d.out_type, args.out.data, [&](auto* out) {
      each_slab<std::remove_cvref_t<decltype(*out)>>(args, in, run_boxes);
    });
  }

  static void run_boxes(const RunArgs& args) {
    const Desc& d = args.desc;
    const Box box = Sum::box_for(d);
    const i64 taps = taps_of(d), terms = taps * d.in_channels;
    i64* offset = offsets_for(terms);
    const auto place = place_in(d);
    for (i64 c = 0; c < d.in_channels; ++c)
      for (i64 t = 0; t < taps; ++t) offset[place(c, t)] = Sum::offset_of(d, box, c, t);
    bool neighbours = parts == 1;
    for (i64 i = 0; i < terms && neighbours; ++i) neighbours = offset[i] == i;
    const T* w = static_cast<const T*>(args.packed);
    Sum::run(args, box, [&](const T*) {
      return [&](i64 g, i64 o) {
        return TapList<T>{terms, offset, w + (g * d.out_channels + o) * terms * parts, neighbours};
      };
    });
  }
};

const char* accepts(const Desc& d) {
  if (d.activation != Activation::none && (d.compute == DType::c64 || d.compute == DType::c128))
    return "activations are for real numbers";
  return check_types(d);
}

std::size_t packed_bytes(const Desc& d) {
  return by_compute_type<Direct>(d, [&](auto k) { return k.packed_bytes(d); });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  by_compute_type<Direct>(d, [&](auto k) { k.pack(d, w, packed); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return by_compute_type<Direct>(d, [&](auto k) { return k.scratch_bytes(d, threads); });
}

void run(const RunArgs& args) {
  by_compute_type<Direct>(args.desc, [&](auto k) { k.run(args); });
}

}  // namespace

extern const Kernel direct_kernel;
const Kernel direct_kernel = {"direct", accepts, packed_bytes, pack, scratch_bytes, run, true};

}  // namespace multiconv::MC_TARGET
