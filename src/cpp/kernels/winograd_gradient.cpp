// Weight gradients of small square kernels by minimal filtering. Of F(3, 4) or F(5, 2), which round
// least of those that save most, the taps are outputs' gradients and the outputs those of the
// weights: products are summed over all tiles of
// all images, then transformed back once. After Lavin & Gray, "Fast Algorithms for Convolutional
// Neural Networks" (2016).
//
// Data of which a few values make up most of the sum go to pixel_sum, as do those that are not
// finite or might overflow: products of whole tiles would drown what a tap does not share.
#include "kernels/channel_io.hpp"
#include "kernels/cook_toom.hpp"
#include "kernels/pixel_block.hpp"

namespace multiconv::MC_TARGET {

extern const Kernel pixel_sum_kernel;

namespace {

inline constexpr i64 kTileBytes = 4 << 20;   // of tiles that are transformed at once
inline constexpr i64 kMostBytes = 60 << 20;  // of scratch
inline constexpr i64 kFewestPixels = 64;     // of an image
inline constexpr i64 kChannels = 32;         // input channels of a task
inline constexpr i64 kShare = 8;  // a value that is this part of its channel's sum stands out
inline constexpr double kSerial = 1 << 17;

struct Cut {
  i64 down, across, bands;  // tiles along the axes; rows of tiles of all images
  i64 together;             // rows of tiles that are transformed at once
  i64 inputs, outputs;      // channels, whole vectors and blocks
};

template <class T>
MC_INLINE Cut cut_for(const Desc& d, i64 products, i64 tile) {
  Cut cut{};
  cut.down = ceil_div(d.kernel[0], tile);
  cut.across = ceil_div(d.kernel[1], tile);
  cut.bands = d.in_channels * cut.down;
  const i64 unit = max_of(kLanes<T>, kRows);
  cut.inputs = ceil_div(d.batch, unit) * unit;
  cut.outputs = ceil_div(d.out_channels, kLanes<T>) * kLanes<T>;
  const i64 band = products * cut.across * (cut.inputs + cut.outputs) * static_cast<i64>(sizeof(T));
  const i64 least = ceil_div(64, cut.across);  // tiles that are worth loading the sums for
  cut.together = min_of(max_of(kTileBytes / band, least), cut.bands);
  return cut;
}

// What a channel's magnitudes add up to, and the largest, by lanes.
template <class T>
struct Seen {
  Vec<T> largest, sum;
};

template <class T, int K>
class Gradient {
  static constexpr i64 lanes = kLanes<T>, products = 6, all = products * products;
  static constexpr T zeros[kRows] = {};
  static constexpr i64 tile = products - K + 1;  // outputs of a tile, each way
  using Window = InputTransform<T, products>;
  using Taps = KernelTransform<T, products, tile>;
  using Back = OutputTransform<T, products, K>;

 public:
  explicit Gradient(const Desc& d) : d_(d), cut_(cut_for<T>(d, all, tile)) {}

  i64 shared_elements() const {
    const i64 tiles = cut_.together * cut_.across;
    return all * (tiles * (cut_.inputs + cut_.outputs) + cut_.inputs * cut_.outputs) +
           2 * lanes * (cut_.together + 1) * vectors();
  }

  i64 own_elements() const { return 2 * products * (tile * cut_.across + K - 1) * lanes; }

  // False where another way has to do it; the output is not touched then.
  bool run(const RunArgs& args) {
    const auto bytes = static_cast<std::size_t>(shared_elements()) * sizeof(T);
    const i64 tiles = cut_.together * cut_.across;
    u_ = static_cast<T*>(thread_scratch(Slot::kernel, bytes));
    v_ = u_ + all * tiles * cut_.inputs;
    sums_ = v_ + all * tiles * cut_.outputs;
    seen_ = reinterpret_cast<Seen<T>*>(sums_ + all * cut_.inputs * cut_.outputs);
    const ConstView& grad = *static_cast<const ConstView*>(args.packed);
    const i64 x_leading[] = {d_.batch, d_.groups, d_.in_channels};
    const i64 grad_leading[] = {d_.groups, d_.out_channels, d_.in_channels};
    const T* x = static_cast<const T*>(args.x.data);
    const T* g = static_cast<const T*>(grad.data);
    x_end_ = x + end_of(args.x.strides, x_leading, d_.in_size, d_.rank);
    grad_end_ = g + end_of(grad.strides, grad_leading, d_.kernel, d_.rank);
    if (cut_.inputs > ceil_div(d_.batch, lanes) * lanes) fill(u_, v_ - u_, T(0));
    for (i64 group = 0; group < d_.groups; ++group)
      if (!run_group(args, grad, x + group * args.x.strides[1], g + group * grad.strides[0], group))
        return false;
    return true;
  }

 private:
  i64 vectors() const { return input_vectors() + cut_.outputs / lanes; }
  i64 input_vectors() const { return ceil_div(d_.batch, lanes); }

  bool run_group(const RunArgs& args, const ConstView& grad, const T* x, const T* g, i64 group) {
    const i64 vectors = this->vectors();
    Seen<T>* total = seen_ + cut_.together * vectors;
    for (i64 v = 0; v < vectors; ++v) total[v] = Seen<T>{};
    for (i64 first = 0; first < cut_.bands; first += cut_.together) {
      const i64 count = min_of(cut_.together, cut_.bands - first);
      const bool parallel = work_of(d_) > kSerial;
      args.pool.parallel_for(
          count * vectors,
          [&](i64 task, int) {
            const i64 band = task / vectors, v = task % vectors;
            seen_[task] = v < input_vectors()
                              ? read_data(args.x, x, first + band, band, v)
                              : read_grad(grad, g, first + band, band, v - input_vectors());
          },
          parallel);
      for (i64 i = 0; i < count * vectors; ++i) {
        Seen<T>& t = total[i % vectors];
        t.largest = t.largest > seen_[i].largest ? t.largest : seen_[i].largest;
        t.sum += seen_[i].sum;
      }
      const i64 parts = ceil_div(cut_.inputs, kChannels);
      args.pool.parallel_for(
          all * parts,
          [&](i64 task, int) {
            const i64 c = task % parts * kChannels;
            multiply(task / parts, c, min_of(c + kChannels, cut_.inputs), count * cut_.across,
                     first == 0);
          },
          parallel);
    }
    for (i64 v = 0; v < vectors; ++v)
      if (!is_plain_data(total[v])) return false;
    const auto outputs = cut_.outputs / lanes;
    args.pool.parallel_for(
        d_.batch * outputs,
        [&](i64 task, int) { write(args.out, group, task / outputs, task % outputs * lanes); },
        work_of(d_) > kSerial);
    return true;
  }

  // Zeros alone, or magnitudes of which none stands out and no product overflows or vanishes.
  static bool is_plain_data(const Seen<T>& seen) {
    constexpr T most = sizeof(T) == 4 ? T(1e15) : T(1e145), least = 1 / most;
    T largest[lanes], sum[lanes];
    store(largest, seen.largest);
    store(sum, seen.sum);
    for (i64 l = 0; l < lanes; ++l) {
      if (sum[l] == 0) continue;
      if (!(largest[l] > least && largest[l] < most && kShare * largest[l] <= sum[l])) return false;
    }
    return true;
  }

  // `rows` rows of a plane from row `top` on, `left` zeros before their samples, as vectors.
  template <class Place>
  Seen<T> read(const Planes<const T>& planes, const T* end, const Place& at, i64 rows,
               T* to) const {
    const i64 length = at.length;
    for (i64 r = 0; r < rows; ++r, to += length * lanes) {
      const i64 y = at.top + r, skip = max_of(-at.left, 0), begin = max_of(at.left, 0);
      const i64 count =
          y < 0 || y >= at.height ? 0 : max_of(min_of(at.width - skip, length - begin), 0);
      const i64 used = count > 0 ? begin : 0;
      fill(to, used * lanes, T(0));
      fill(to + (used + count) * lanes, (length - used - count) * lanes, T(0));
      if (count == 0) continue;
      const Planes<const T> row = {planes.first + y * planes.strides[0] + skip * planes.strides[1],
                                   planes.count, planes.channel, planes.strides};
      read_run(row, planes.strides[1], count, end, to + used * lanes);
    }
    Seen<T> seen = {};
    to -= rows * length * lanes;
    for (i64 i = 0; i < rows * length; ++i) {
      const Vec<T> v = load(to + i * lanes), size = v < Vec<T>{} ? -v : v;
      seen.largest = seen.largest > size ? seen.largest : size;
      seen.sum += size;
    }
    return seen;
  }

  struct At {
    i64 top, left, height, width, length;
  };

  T* own() const {
    return static_cast<T*>(
        thread_scratch(Slot::tile, static_cast<std::size_t>(own_elements()) * sizeof(T)));
  }

  Seen<T> read_data(const ConstView& x, const T* from, i64 number, i64 band, i64 v) const {
    const i64* s = x.strides;
    const i64 image = number / cut_.down, c = v * lanes, length = tile * cut_.across + K - 1;
    const Planes<const T> planes = {from + c * s[0] + image * s[2], min_of(lanes, d_.batch - c),
                                    s[0], s + 3};
    const At at = {number % cut_.down * tile - d_.pad_low[0], d_.pad_low[1], d_.in_size[0],
                   d_.in_size[1], length};
    T* rows = own();
    const Seen<T> seen = read(planes, x_end_, at, products, rows);
    spread<Window>(rows, length, u_ + c, cut_.inputs, band);
    return seen;
  }

  Seen<T> read_grad(const ConstView& grad, const T* from, i64 number, i64 band, i64 v) const {
    const i64* s = grad.strides;
    const i64 image = number / cut_.down, o = v * lanes, length = tile * cut_.across;
    const Planes<const T> planes = {from + o * s[1] + image * s[2],
                                    min_of(lanes, d_.out_channels - o), s[1], s + 3};
    const At at = {number % cut_.down * tile, 0, d_.kernel[0], d_.kernel[1], length};
    T* rows = own();
    const Seen<T> seen = read(planes, grad_end_, at, tile, rows);
    spread<Taps>(rows, length, v_ + o, cut_.outputs, band);
    return seen;
  }

  // Transforms a row of tiles down its columns, then along each tile: [product][tile][channel].
  template <class Transform>
  void spread(const T* rows, i64 length, T* to, i64 channels, i64 band) const {
    T* columns = const_cast<T*>(rows) + products * length * lanes;
    pass<T, Transform>(rows, length * lanes, columns, length * lanes, {1, 0, 0},
                       {length, lanes, lanes});
    const i64 product = cut_.together * cut_.across * channels;
    pass<T, Transform>(columns, lanes, to + band * cut_.across * channels, product,
                       {products, length * lanes, products * product},
                       {cut_.across, tile * lanes, channels});
  }

  // Input channels [c, end) of one product. To the block of pixels, tiles are channels.
  void multiply(i64 product, i64 c, i64 end, i64 tiles, bool begin) const {
    const i64 room = cut_.together * cut_.across;
    const T* u = u_ + product * room * cut_.inputs;
    const T* v = v_ + product * room * cut_.outputs;
    T* sums = sums_ + product * cut_.inputs * cut_.outputs;
    const i64 blocks = cut_.outputs / lanes;
    for (; c < end; c += kRows) {
      i64 o = 0;
      for (i64 left = ceil_div(blocks, columns_of(kRows)); left > 0; --left) {
        const i64 vectors = ceil_div(blocks - o, left);
        const Pixels<T> values = {v + o * lanes, cut_.outputs, tiles};
        const Outputs<T> to = {sums + c * cut_.outputs + o * lanes, cut_.outputs,
                               begin ? zeros : nullptr};
        pixel_block_of<Pixels<T>>(kRows, vectors)(values, u + c, cut_.inputs, to);
        o += vectors;
      }
    }
  }

  // The taps between input channel c and a vector of output channels.
  void write(const View& out, i64 group, i64 c, i64 o) const {
    T half[K * products * lanes], taps[K * K * lanes];
    const i64 product = cut_.inputs * cut_.outputs;
    pass<T, Back>(sums_ + c * cut_.outputs + o, products * product, half, products * lanes,
                  {1, 0, 0}, {products, product, lanes});
    pass<T, Back>(half, lanes, taps, lanes, {K, products * lanes, K * lanes}, {1, 0, 0});
    const i64* s = out.strides;
    T* to = static_cast<T*>(out.data) + c * s[0] + group * s[1] + o * s[2];
    const i64 count = min_of(lanes, d_.out_channels - o);
    if (s[3] == K * s[4]) return write_run(taps, K * K, Planes<T>{to, count, s[2], nullptr}, s[4]);
    for (i64 i = 0; i < K; ++i)
      write_run(taps + i * K * lanes, K, Planes<T>{to + i * s[3], count, s[2], nullptr}, s[4]);
  }

  const Desc& d_;
  Cut cut_;
  T *u_, *v_, *sums_;
  Seen<T>* seen_;
  const T *x_end_, *grad_end_;
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  const bool three = d.out_size[0] == 3;
  if (d.compute == DType::f32) return three ? f(Gradient<float, 3>(d)) : f(Gradient<float, 5>(d));
  return three ? f(Gradient<double, 3>(d)) : f(Gradient<double, 5>(d));
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  const i64 size = d.compute == DType::f32 ? 4 : 8;
  return dispatch(d, [&](auto k) {
    return static_cast<std::size_t>((k.shared_elements() + threads * k.own_elements()) * size);
  });
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64)
    return "it computes in real floating point";
  if (d.x_type != d.compute || d.out_type != d.compute)
    return "it reads and writes the type it computes in";
  if (d.rank != 2 || d.out_size[0] != d.out_size[1] || (d.out_size[0] != 3 && d.out_size[0] != 5))
    return "results are not those of kernels of 3 x 3 or 5 x 5";
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1 || d.dilation[a] != 1 || d.in_dilation[a] != 1)
      return "it takes no strides and no dilation";
    if (d.boundary[a] != Boundary::constant) return "it takes zeros outside";
  }
  if (d.cval[0] != 0) return "it takes zeros outside";
  if (d.flip || d.has_bias || d.activation != Activation::none)
    return "gradients have no flip, bias or activation";
  if (d.kernel[0] * d.kernel[1] * d.in_channels < kFewestPixels) return "there are too few pixels";
  if (scratch_bytes(d, 1) > kMostBytes)
    return "sums of so many channels would take too much memory";
  return nullptr;
}

void run(const RunArgs& args) {
  if (!dispatch(args.desc, [&](auto k) { return k.run(args); })) pixel_sum_kernel.run(args);
}

std::size_t packed_bytes(const Desc& d) { return pixel_sum_kernel.packed_bytes(d); }

void pack(const Desc& d, const ConstView& w, void* packed) { pixel_sum_kernel.pack(d, w, packed); }

}  // namespace

extern const Kernel winograd_gradient_kernel;
const Kernel winograd_gradient_kernel = {"winograd_gradient", accepts, packed_bytes, pack,
                                         scratch_bytes,       run};

}  // namespace multiconv::MC_TARGET
