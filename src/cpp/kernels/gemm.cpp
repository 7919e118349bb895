// Layers as a product of matrices that are never made: windows of pixels times output channels.
#include "base/kernel.hpp"
#include "kernels/compute_type.hpp"
#include "kernels/gemm_by_channels.hpp"
#include "kernels/gemm_by_pixels.hpp"
#include "kernels/gemm_share.hpp"
#include "kernels/gemm_singles.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
struct Gemm {
  using Channels = ByChannels<Singles<T>>;

  static std::size_t packed_bytes(const Desc& d) { return panels_bytes<T>(d); }

  static void pack(const Desc& d, const ConstView& w, void* packed) {
    pack_panels(d, w, static_cast<T*>(packed));
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    i64 bytes = most_scratch<Channels>(d, threads);
    if (is_pointwise(d)) {
      const Desc line = in_line(d);
      bytes = max_of(bytes, most_scratch<Channels>(line, threads));
      bytes = max_of(bytes, most_scratch<ByPixels<T>>(line, threads));
    }
    return static_cast<std::size_t>(threads) * static_cast<std::size_t>(bytes);
  }

  static void run(const RunArgs& args) {
    as_line(args, [](const RunArgs& given, bool line) {
      const Reads reads = Channels::in_place(given) ? Reads::input : Reads::copy;
      if (line && reads == Reads::copy && ByPixels<T>::fits(given.desc))
        share<ByPixels<T>>(given, reads);
      else
        share<Channels>(given, reads, Singles<T>{});
    });
  }
};

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
  return check_types(d);
}

}  // namespace

extern const Kernel gemm_kernel;
const Kernel gemm_kernel = OfRealNumbers<Gemm>::kernel("gemm", accepts, true);

}  // namespace multiconv::MC_TARGET
