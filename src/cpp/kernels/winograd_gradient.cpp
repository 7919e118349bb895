// Weight gradients of small square kernels by minimal filtering. Of F(3, 4) or F(5, 2), which round
// least of those that save most, the taps are outputs' gradients and the outputs those of the
// weights: products are summed over all tiles of all images, then transformed back once. After
// Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
//
// A dilated layer is several without dilation, whose samples lie apart. In volumes planes are
// transformed, and the taps of the first axis are pairs of planes.
//
// Data of which a few values make up most of the sum go to pixel_sum, as do those that are not
// finite or might overflow: products of whole tiles would drown what a tap does not share.
#include "kernels/channel_io.hpp"
#include "kernels/cook_toom.hpp"
#include "kernels/gradient_layer.hpp"
#include "kernels/pixel_block.hpp"

namespace multiconv::MC_TARGET {

extern const Kernel pixel_sum_kernel;

namespace {

inline constexpr i64 kTileBytes = 2 << 20;   // of tiles that are transformed at once
inline constexpr i64 kMostBytes = 60 << 20;  // of scratch
inline constexpr i64 kFewestPixels = 64;     // of an image
inline constexpr i64 kChannels = 32;         // input channels of a task
inline constexpr i64 kStrip = 32;            // tiles that are read together
inline constexpr i64 kShare = 8;  // a value that is this part of its channel's sum stands out
inline constexpr double kSerial = 1 << 17;

// Axes of the planes.
MC_INLINE int down_axis(const Desc& d) { return d.rank - 2; }
MC_INLINE int across_axis(const Desc& d) { return d.rank - 1; }

// Every so many samples of an axis, from the first one that a tap may read.
struct Phase {
  i64 first, pad, size;  // of the data
  i64 outputs;           // of the layer
};

MC_INLINE Phase phase_of(const Desc& d, int a, i64 number) {
  const i64 step = d.stride[a], start = number - d.pad_low[a];
  const i64 first = ((start % step) + step) % step;
  return {first, (first - start) / step, ceil_div(max_of(d.in_size[a] - first, 0), step),
          ceil_div(max_of(d.kernel[a] - number, 0), step)};
}

// Bands are rows of tiles. Those at the same place of all planes of a volume make a run, in which
// each of the gradients meets several of the data; else all are one run.
struct Cut {
  i64 taps, depth;   // of the first axis of volumes: taps, planes of gradients
  i64 phases[2];     // down and across
  i64 down, across;  // tiles of a plane
  i64 runs;
  i64 bands, more;      // of a run; those that data have beyond
  i64 together;         // bands that are transformed at once
  i64 inputs, outputs;  // channels, whole vectors and blocks
};

template <class T>
MC_INLINE Cut cut_for(const Desc& d, i64 products, i64 tile) {
  const int y = down_axis(d), x = across_axis(d);
  Cut cut{};
  cut.taps = d.rank > 2 ? d.out_size[0] : 1;
  cut.depth = d.rank > 2 ? d.kernel[0] : 1;
  cut.phases[0] = min_of(d.stride[y], d.kernel[y]);
  cut.phases[1] = min_of(d.stride[x], d.kernel[x]);
  cut.down = ceil_div(ceil_div(d.kernel[y], cut.phases[0]), tile);
  cut.across = ceil_div(ceil_div(d.kernel[x], cut.phases[1]), tile);
  const i64 images = d.in_channels * cut.phases[0] * cut.phases[1];
  cut.runs = cut.taps > 1 ? images * cut.down : 1;
  cut.bands = cut.taps > 1 ? cut.depth : images * cut.depth * cut.down;
  cut.more = cut.taps - 1;
  const i64 unit = max_of(kLanes<T>, kRows);
  cut.inputs = ceil_div(d.batch, unit) * unit;
  cut.outputs = ceil_div(d.out_channels, kLanes<T>) * kLanes<T>;
  const i64 band = products * cut.across * (cut.inputs + cut.outputs) * static_cast<i64>(sizeof(T));
  const i64 least = ceil_div(64, cut.across);  // tiles that are worth loading the sums for
  cut.together = min_of(max_of(kTileBytes / band, least), cut.bands);
  cut.together = ceil_div(cut.bands, ceil_div(cut.bands, cut.together));
  return cut;
}

// What a channel's magnitudes add up to, and the largest, by lanes.
template <class T>
struct Seen {
  Vec<T> largest, sum;

  void add(const Seen& more) {
    largest = largest > more.largest ? largest : more.largest;
    sum += more.sum;
  }
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
    return all * (input_step() + output_step() + cut_.taps * sum_step()) +
           2 * lanes * (data_bands() + 1) * vectors();
  }

  i64 own_elements() const { return 2 * products * length(kStrip) * lanes; }

  // False where another way has to do it; the output is not touched then.
  bool run(const RunArgs& args) {
    const auto bytes = static_cast<std::size_t>(shared_elements()) * sizeof(T);
    u_ = static_cast<T*>(thread_scratch(Slot::kernel, bytes));
    v_ = u_ + all * input_step();
    sums_ = v_ + all * output_step();
    seen_ = reinterpret_cast<Seen<T>*>(sums_ + all * cut_.taps * sum_step());
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
  i64 data_bands() const { return cut_.together + cut_.more; }

  // From one product to the next; products do not fall on each other in the cache.
  i64 input_step() const { return data_bands() * cut_.across * cut_.inputs + lanes; }
  i64 output_step() const { return cut_.together * cut_.across * cut_.outputs + lanes; }

  i64 sum_step() const { return cut_.inputs * cut_.outputs + lanes; }

  // Samples of a row of so many tiles.
  static i64 length(i64 tiles) { return tile * tiles + K - 1; }

  bool run_group(const RunArgs& args, const ConstView& grad, const T* x, const T* g, i64 group) {
    Seen<T>* total = seen_ + data_bands() * vectors();
    for (i64 v = 0; v < vectors(); ++v) total[v] = Seen<T>{};
    bool begin = true;
    for (i64 run = 0; run < cut_.runs; ++run)
      for (i64 first = 0; first < cut_.bands; first += cut_.together, begin = false) {
        const i64 count = min_of(cut_.together, cut_.bands - first);
        transform(args, grad, x, g, run, first, count);
        for (i64 i = 0; i < (count + cut_.more) * vectors(); ++i)
          total[i % vectors()].add(seen_[i]);
        const i64 parts = ceil_div(cut_.inputs, kChannels), each = cut_.taps * parts;
        args.pool.parallel_for(
            all * each,
            [&](i64 task, int) {
              const i64 c = task % parts * kChannels;
              multiply(task % each / parts, task / each, c, min_of(c + kChannels, cut_.inputs),
                       count * cut_.across, begin);
            },
            is_parallel());
      }
    for (i64 v = 0; v < vectors(); ++v)
      if (!is_plain_data(total[v])) return false;
    // Results that follow each other are written one after the other.
    const i64 outputs = cut_.outputs / lanes, inputs = input_vectors();
    const bool by_inputs = args.out.strides[0] == 1;
    args.pool.parallel_for((by_inputs ? inputs : d_.batch) * outputs,
                           [&](i64 task, int) {
                             if (by_inputs)
                               write(args.out, group, task % inputs * lanes, lanes,
                                     task / inputs * lanes);
                             else
                               write(args.out, group, task / outputs, 1, task % outputs * lanes);
                           },
                           is_parallel());
    return true;
  }

  bool is_parallel() const { return work_of(d_) > kSerial; }

  // Bands [first, first + count) of a run, and those that data have beyond.
  void transform(const RunArgs& args, const ConstView& grad, const T* x, const T* g, i64 run,
                 i64 first, i64 count) const {
    args.pool.parallel_for((count + cut_.more) * vectors(),
                           [&](i64 task, int) {
                             const i64 band = task / vectors(), v = task % vectors();
                             seen_[task] = Seen<T>{};
                             if (v < input_vectors())
                               seen_[task] = read_data(args.x, x, run, first + band, band, v);
                             else if (band < count)
                               seen_[task] =
                                   read_grad(grad, g, run, first + band, band, v - input_vectors());
                           },
                           is_parallel());
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

  // Samples of some planes of neighbouring channels: `left` zeros before those of a row.
  struct Source {
    Planes<const T> planes;
    const T* end;
    i64 top, left, height, width;
  };

  // `rows` rows of `length` vectors.
  static Seen<T> read(const Source& from, i64 rows, i64 length, T* to) {
    const Planes<const T>& p = from.planes;
    const i64 skip = max_of(-from.left, 0), begin = max_of(from.left, 0);
    Seen<T> seen = {};
    for (i64 r = 0; r < rows; ++r, to += length * lanes) {
      const i64 y = from.top + r;
      const bool inside = y >= 0 && y < from.height;
      const i64 count = inside ? max_of(min_of(from.width - skip, length - begin), 0) : 0;
      const i64 used = count > 0 ? begin : 0;
      fill(to, used * lanes, T(0));
      fill(to + (used + count) * lanes, (length - used - count) * lanes, T(0));
      if (count == 0) continue;
      T* row = to + used * lanes;
      read_run(Planes<const T>{p.first + y * p.strides[0] + skip * p.strides[1], p.count, p.channel,
                               p.strides},
               p.strides[1], count, from.end, row);
      for (i64 i = 0; i < count; ++i) {
        const Vec<T> v = load(row + i * lanes), size = v < Vec<T>{} ? -v : v;
        seen.add({size, size});
      }
    }
    return seen;
  }

  // Where a band of a run lies.
  struct Place {
    i64 image, plane, row;
    i64 phase[2];
    Phase down, across;
    i64 steps[2];
  };

  Place place(i64 run, i64 number, const i64* strides) const {
    const int y = down_axis(d_), x = across_axis(d_);
    const bool runs = cut_.taps > 1;
    const i64 row = (runs ? run : number) % cut_.down;
    const i64 plane = runs ? number : number / cut_.down % cut_.depth;
    const i64 image = runs ? run / cut_.down : number / cut_.down / cut_.depth;
    const i64 across = image % cut_.phases[1], down = image / cut_.phases[1] % cut_.phases[0];
    return {image / (cut_.phases[0] * cut_.phases[1]),
            plane,
            row * tile,
            {down, across},
            phase_of(d_, y, down),
            phase_of(d_, x, across),
            {strides[3 + y] * d_.stride[y], strides[3 + x] * d_.stride[x]}};
  }

  Seen<T> read_data(const ConstView& x, const T* from, i64 run, i64 number, i64 band, i64 v) const {
    const Place at = place(run, number, x.strides);
    const i64 *s = x.strides, c = v * lanes, z = d_.rank > 2 ? at.plane - d_.pad_low[0] : 0;
    const bool inside = d_.rank == 2 || (z >= 0 && z < d_.in_size[0]);
    from += c * s[0] + at.image * s[2] + (d_.rank > 2 && inside ? z * s[3] : 0) +
            at.down.first * s[3 + down_axis(d_)] + at.across.first * s[3 + across_axis(d_)];
    const Source source = {{from, min_of(lanes, d_.batch - c), s[0], at.steps},
                           x_end_,
                           at.row - at.down.pad,
                           at.across.pad,
                           inside ? at.down.size : 0,
                           at.across.size};
    return spread<Window, products, K - 1>(source, u_ + c, input_step(), cut_.inputs, band);
  }

  Seen<T> read_grad(const ConstView& g, const T* from, i64 run, i64 number, i64 band, i64 v) const {
    const Place at = place(run, number, g.strides);
    const i64 *s = g.strides, o = v * lanes;
    from += o * s[1] + at.image * s[2] + (d_.rank > 2 ? at.plane * s[3] : 0) +
            at.phase[0] * s[3 + down_axis(d_)] + at.phase[1] * s[3 + across_axis(d_)];
    const Source source = {{from, min_of(lanes, d_.out_channels - o), s[1], at.steps},
                           grad_end_,
                           at.row,
                           0,
                           at.down.outputs,
                           at.across.outputs};
    return spread<Taps, tile, 0>(source, v_ + o, output_step(), cut_.outputs, band);
  }

  // Transforms a row of tiles down its columns, then along each tile: [product][tile][channel].
  template <class Transform, i64 rows, i64 halo>
  Seen<T> spread(Source from, T* to, i64 product, i64 channels, i64 band) const {
    T* read_to = static_cast<T*>(
        thread_scratch(Slot::tile, static_cast<std::size_t>(own_elements()) * sizeof(T)));
    T* columns = read_to + products * length(kStrip) * lanes;
    to += band * cut_.across * channels;
    Seen<T> seen = {};
    for (i64 t = 0; t < cut_.across; t += kStrip, from.left -= kStrip * tile) {
      const i64 tiles = min_of(kStrip, cut_.across - t), n = tile * tiles + halo;
      seen.add(read(from, rows, n, read_to));
      pass<T, Transform>(read_to, n * lanes, columns, n * lanes, {1, 0, 0}, {n, lanes, lanes});
      pass<T, Transform>(columns, lanes, to + t * channels, product,
                         {products, n * lanes, products * product},
                         {tiles, tile * lanes, channels});
    }
    return seen;
  }

  // Input channels [c, end) of one product and tap. To the block of pixels, tiles are channels.
  void multiply(i64 tap, i64 product, i64 c, i64 end, i64 tiles, bool begin) const {
    const T* u = u_ + product * input_step() + tap * cut_.across * cut_.inputs;
    const T* v = v_ + product * output_step();
    T* sums = sums_ + (tap * all + product) * sum_step();
    const i64 blocks = cut_.outputs / lanes;
    i64 o = 0;
    for (i64 left = ceil_div(blocks, columns_of(kRows)); left > 0; --left) {
      const i64 vectors = ceil_div(blocks - o, left);
      const Pixels<T> values = {v + o * lanes, cut_.outputs, tiles};
      for (i64 i = c; i < end; i += kRows) {
        T* sum = sums + i * cut_.outputs + o * lanes;
        // Few numbers are added at a time, and so rounded less.
        const Outputs<T> to = {sum, cut_.outputs, zeros, begin ? nullptr : sum};
        pixel_block_of<Pixels<T>>(kRows, vectors)(values, u + i, cut_.inputs, to);
      }
      o += vectors;
    }
  }

  // The taps between at most `most` input channels and a vector of output channels.
  void write(const View& out, i64 group, i64 c, i64 most, i64 o) const {
    const i64 *s = out.strides, down = s[3 + down_axis(d_)], across = s[3 + across_axis(d_)];
    const i64 inputs = min_of(most, d_.batch - c), outputs = min_of(lanes, d_.out_channels - o);
    T* to = static_cast<T*>(out.data) + c * s[0] + group * s[1] + o * s[2];
    T taps[K * K * lanes * lanes];  // [tap][input][output], or [input][tap][output]
    const bool neighbours = s[0] == 1;
    for (i64 tap = 0; tap < cut_.taps; ++tap, to += s[3]) {
      for (i64 i = 0; i < inputs; ++i)
        if (neighbours)
          bring_back(tap, c + i, o, taps + i * lanes, lanes * lanes);
        else
          bring_back(tap, c + i, o, taps + i * K * K * lanes, lanes);
      const Planes<T> planes{to, outputs, s[2], nullptr};
      if (neighbours) {
        for (i64 k = 0; k < K * K; ++k)
          write_run(taps + k * lanes * lanes, inputs, moved(planes, k / K * down + k % K * across),
                    1);
        continue;
      }
      for (i64 i = 0; i < inputs; ++i) {
        const T* from = taps + i * K * K * lanes;
        if (down == K * across)
          write_run(from, K * K, moved(planes, i * s[0]), across);
        else
          for (i64 k = 0; k < K; ++k)
            write_run(from + k * K * lanes, K, moved(planes, i * s[0] + k * down), across);
      }
    }
  }

  static Planes<T> moved(Planes<T> planes, i64 by) {
    planes.first += by;
    return planes;
  }

  // The sums of an input channel and a vector of output channels, as taps that are `step` apart.
  void bring_back(i64 tap, i64 c, i64 o, T* to, i64 step) const {
    T half[K * products * lanes];
    const i64 product = sum_step();
    pass<T, Back>(sums_ + tap * all * product + c * cut_.outputs + o, products * product, half,
                  products * lanes, {1, 0, 0}, {products, product, lanes});
    pass<T, Back>(half, lanes, to, step, {K, products * lanes, K * step}, {1, 0, 0});
  }

  const Desc& d_;
  Cut cut_;
  T *u_, *v_, *sums_;
  Seen<T>* seen_;
  const T *x_end_, *grad_end_;
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  const bool three = d.out_size[down_axis(d)] == 3;
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
  if (d.rank != 2 && d.rank != 3) return "it takes planes and volumes";
  const i64 side = d.out_size[down_axis(d)];
  if (d.out_size[across_axis(d)] != side || (side != 3 && side != 5))
    return "planes of the results are not those of kernels of 3 x 3 or 5 x 5";
  for (int a = 0; a < d.rank; ++a) {
    if (d.dilation[a] != 1 || d.in_dilation[a] != 1) return "it takes no strides";
    if (d.rank == 3 && a == 0 && d.stride[a] != 1) return "it takes no dilation of the first axis";
    if (d.boundary[a] != Boundary::constant) return "it takes zeros outside";
  }
  if (d.cval[0] != 0) return "it takes zeros outside";
  if (d.flip || d.has_bias || d.activation != Activation::none)
    return "gradients have no flip, bias or activation";
  if (outputs_of(layer_of(d)) * d.in_channels < kFewestPixels) return "there are too few pixels";
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
