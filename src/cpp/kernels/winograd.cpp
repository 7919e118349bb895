// Minimal filtering of layers: tiles of the input and kernels are transformed along each axis,
// multiplied product by product as matrices over channels, and transformed back.
// After Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2016); small channel
// counts fused through the cache after Gelashvili, Shavit & Zlateski, "L3 Fusion: Fast Transformed
// Convolutions on CPUs" (2019).
#include "kernels/winograd_product.hpp"
#include "kernels/winograd_range.hpp"

namespace multiconv::MC_TARGET {
namespace {

template <class T>
class Layer {
  static constexpr i64 lanes = kLanes<T>;

  struct Placed {
    Unit unit;
    i64 input, output;  // first rows
    bool limited;
  };

  // Units that are transformed before any is multiplied.
  struct Block {
    i64 group, count, inputs, outputs, step;
    Placed* units;
    Magnitudes<T>* seen;  // [unit][vector of inputs]
    T* limits;            // [unit][column]
    T* v;                 // [product][row][input]
  };

 public:
  explicit Layer(const Desc& d)
      : d_(d),
        cut_(cut_for<T>(d)),
        kernels_(d),
        transforms_(cut_.form),
        vectors_(ceil_div(d.in_channels, lanes)) {}

  static i64 elements(std::size_t bytes) {
    return ceil_div(static_cast<i64>(bytes), kAlign) * kAlign / static_cast<i64>(sizeof(T));
  }

  i64 block_step(i64 rows) const { return rows * vectors_ * lanes + kPad; }
  i64 seen_elements() const {
    return elements(static_cast<std::size_t>(cut_.together * vectors_) * sizeof(Magnitudes<T>));
  }
  i64 unit_elements() const {
    return elements(static_cast<std::size_t>(cut_.together) * sizeof(Placed));
  }
  i64 limit_elements() const { return ceil_div(cut_.together * cut_.outputs, lanes) * lanes; }
  i64 block_elements() const {
    return cut_.form.products * block_step(cut_.together * cut_.inputs) + seen_elements() +
           unit_elements() + limit_elements();
  }
  i64 strip() const { return transforms_.scratch(longest_strip()); }
  i64 box_elements() const {
    const i64 columns = Columns<T>::scratch(cut_.positions, 1, transforms_);
    return max_of(cut_.positions * lanes + strip(), columns + kernels_.scratch()) + lanes;
  }
  i64 sums() const { return cut_.outputs * outputs_of_tile() * lanes; }
  i64 write_elements() const { return sums() + strip(); }
  i64 product_elements() const { return cut_.form.products * product_step(kOutputs<T>); }
  i64 product_step(i64 width) const { return cut_.apart * cut_.outputs * width + kPad; }

  std::size_t scratch_bytes(int threads) const {
    const i64 own = box_elements() + write_elements() + product_elements();
    const i64 blocks = cut_.is_private ? threads : 1;
    return static_cast<std::size_t>(threads * own + blocks * block_elements()) * sizeof(T);
  }

  void run(const RunArgs& args) const {
    const T* packed = static_cast<const T*>(args.packed);
    const T limit = largest_input(kernels_.packing(), packed);
    const i64 blocks = ceil_div(cut_.all, cut_.together);
    const bool parallel = work_of(d_) > kSerial;
    if (cut_.is_private) {
      args.pool.parallel_for(
          blocks * d_.groups,
          [&](i64 task, int) {
            const Block b = place(task / blocks, task % blocks);
            for (i64 i = 0; i < b.count; ++i) {
              forward(args, b, i, 0, vectors_);
              settle(args, b, i, limit);
            }
            for (i64 o = 0; o < kernels_.packing().blocks; ++o) back(args, b, 0, b.count, o);
          },
          parallel);
      return;
    }
    for (i64 task = 0; task < blocks * d_.groups; ++task) {
      const Block b = place(task / blocks, task % blocks);
      const i64 each = max_of(b.count * vectors_ / 32, 1), parts = ceil_div(vectors_, each);
      args.pool.parallel_for(
          b.count * parts,
          [&](i64 t, int) {
            const i64 c = t % parts * each;
            forward(args, b, t / parts, c, min_of(c + each, vectors_));
          },
          parallel);
      args.pool.parallel_for(
          b.count, [&](i64 i, int) { settle(args, b, i, limit); }, suspicious(b, limit));
      const i64 apart = ceil_div(b.count, cut_.apart);
      args.pool.parallel_for(
          apart * kernels_.packing().blocks,
          [&](i64 t, int) {
            const i64 i = t % apart * cut_.apart;
            back(args, b, i, min_of(i + cut_.apart, b.count), t / apart);
          },
          parallel);
    }
  }

 private:
  static constexpr i64 kPad = 64 / sizeof(T);  // lest products fall on each other in the cache
  static constexpr double kSerial = 1 << 17;

  static T* scratch(Slot slot, i64 elements) {
    return static_cast<T*>(thread_scratch(slot, static_cast<std::size_t>(elements) * sizeof(T)));
  }

  i64 longest_strip() const { return cut_.tiles[kAxes - 1]; }
  i64 outputs_of_tile() const { return cut_.form.m[0] * cut_.form.m[1] * cut_.form.m[2]; }
  i64 row() const { return vectors_ * lanes; }

  Block place(i64 group, i64 number) const {
    Block b = {};
    b.group = group;
    T* memory = scratch(Slot::spectrum, block_elements());
    b.units = reinterpret_cast<Placed*>(memory);
    b.seen = reinterpret_cast<Magnitudes<T>*>(memory += unit_elements());
    b.limits = memory += seen_elements();
    b.v = memory += limit_elements();
    const i64 first = number * cut_.together;
    for (i64 i = first; i < min_of(first + cut_.together, cut_.all); ++i) {
      const Unit u = unit_at(d_, cut_, i);
      if (u.outputs == 0) continue;
      b.units[b.count++] = {u, b.inputs, b.outputs, false};
      b.inputs += u.inputs;
      b.outputs += u.outputs;
    }
    b.step = block_step(b.inputs);
    return b;
  }

  void forward(const RunArgs& args, const Block& b, i64 i, i64 from, i64 to) const {
    const Placed& placed = b.units[i];
    const Shape shape(d_, cut_.form, placed.unit.tiles);
    i64 size[kMaxRank];
    for (int a = 0; a < d_.rank; ++a) size[a] = shape.sums[form_axis(d_, a)];
    T* box = scratch(Slot::tile, box_elements());
    Window<T> window(args, placed.unit.phase);
    window.place(placed.unit.first, size);
    const i64 positions = window.box().volume;
    for (i64 c = from; c < to; ++c) {
      window.read(placed.unit.image, b.group, c * lanes, box);
      Magnitudes<T>& seen = b.seen[i * vectors_ + c];
      seen = {largest_of(box, positions), 0};
      if (c == 0) seen.least = least_in(window, box);
      transforms_.forward(shape, box, b.v + placed.input * row() + c * lanes, b.step, row(),
                          box + positions * lanes);
    }
  }

  Bits<T> least_in(const Window<T>& window, const T* box) const {
    if (d_.cval[0] != 0) return least_of(box, window.box().volume);
    Bits<T> least = std::numeric_limits<Bits<T>>::max();
    each_run(window.desc(), window.box(), window.tables(), [&](i64 at, i64 count) {
      const Bits<T> here = least_of(box + at * lanes, count);
      least = here < least ? here : least;
    });
    return least;
  }

  // Whether a unit must be looked at more closely.
  bool suspicious(const Block& b, i64 i, T limit) const {
    const Magnitudes<T>* seen = b.seen + i * vectors_;
    Bits<T> largest = 0;
    for (i64 c = 0; c < vectors_; ++c)
      largest = seen[c].largest > largest ? seen[c].largest : largest;
    const T most = __builtin_bit_cast(T, largest);
    return !(most <= limit && __builtin_bit_cast(T, seen[0].least) >= most * kLeastShare<T>);
  }
  bool suspicious(const Block& b, T limit) const {
    for (i64 i = 0; i < b.count; ++i)
      if (suspicious(b, i, limit)) return true;
    return false;
  }

  void settle(const RunArgs& args, const Block& b, i64 i, T limit) const {
    if (!suspicious(b, i, limit)) return;
    Placed& placed = b.units[i];
    T *limits = b.limits + i * cut_.outputs, *memory = scratch(Slot::tile, box_elements());
    Columns<T> columns(args, kernels_, transforms_, placed.unit, b.group);
    placed.limited = columns.settle(limit, limits, memory);
    if (placed.limited) columns.forward(limits, b.v + placed.input * row(), b.step, row(), memory);
  }

  // Multiplies units [from, to) by one block of outputs and brings the sums back.
  void back(const RunArgs& args, const Block& b, i64 from, i64 to, i64 block) const {
    const Packing<T>& packing = kernels_.packing();
    const T* packed = static_cast<const T*>(args.packed);
    const T* u = packed + b.group * packing.group + packing.block(block);
    const i64 width = packing.width(block), step = product_step(width);
    T* products = scratch(Slot::line, write_elements() + product_elements()) + write_elements();
    const i64 first = b.units[from].output;
    const Placed& last = b.units[to - 1];
    for (i64 p = 0; p < cut_.form.products; ++p, u += packing.step(block)) {
      T* to_product = products + p * step;
      const T* v = b.v + p * b.step;
      if (cut_.form.taps == 1) {
        multiply(v + b.units[from].input * row(), row(), 0, 1, d_.in_channels,
                 last.output + last.unit.outputs - first, u, width, to_product, width);
        continue;
      }
      for (i64 i = from; i < to; ++i) {
        const Placed& placed = b.units[i];
        multiply(v + placed.input * row(), row(), placed.unit.step * row(), cut_.form.taps,
                 d_.in_channels, placed.unit.outputs, u, width,
                 to_product + (placed.output - first) * width, width);
      }
    }
    for (i64 i = from; i < to; ++i)
      for (i64 o = 0; o < width; o += lanes)
        write(args, b, i, block * kOutputs<T> + o,
              products + (b.units[i].output - first) * width + o, step, width);
  }

  void write(const RunArgs& args, const Block& b, i64 i, i64 output, const T* products, i64 step,
             i64 width) const {
    const Placed& placed = b.units[i];
    const Shape shape(d_, cut_.form, placed.unit.tiles);
    T* memory = scratch(Slot::line, write_elements() + product_elements());
    transforms_.back(shape, products, step, width, memory, memory + sums());
    if (placed.limited)
      Columns<T>(args, kernels_, transforms_, placed.unit, b.group)
          .add(b.limits + i * cut_.outputs, output / lanes, static_cast<const T*>(args.packed),
               memory, scratch(Slot::tile, box_elements()));
    i64 size[kMaxRank], pitch[kMaxRank];
    i64 step_out = 1;
    for (int a = d_.rank - 1; a >= 0; --a) {
      size[a] = shape.sums[form_axis(d_, a)];
      pitch[a] = step_out;
      step_out *= size[a];
    }
    Window<T> window(args, placed.unit.phase);
    window.place(placed.unit.first, size);
    window.write(placed.unit.image, b.group, output, pitch, memory);
  }

  const Desc& d_;
  Cut cut_;
  KernelIo<T> kernels_;
  Transforms<T> transforms_;
  i64 vectors_;  // of input channels
};

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  return d.compute == DType::f32 ? f(float{}) : f(double{});
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it computes in real numbers";
  if (d.rank > kAxes) return "it takes up to three spatial axes";
  for (int a = 0; a < d.rank; ++a) {
    if (d.stride[a] != 1) return "it takes no stride";
    if (d.in_dilation[a] != 1) return "it takes no input dilation";
    if (d.in_size[a] < 1 && d.boundary[a] != Boundary::constant)
      return "an empty axis has no values to continue it with";
    // Tiles may read what is cropped; a large value there would drown the windows beside it.
    const i64 end = d.out_size[a] + (d.kernel[a] - 1) * d.dilation[a] - d.pad_low[a];
    if (d.pad_low[a] < 0 || end < d.in_size[a]) return "it takes no crops";
  }
  if (const char* reason = check_form(d)) return reason;
  return check_types(d);
}

std::size_t packed_bytes(const Desc& d) {
  return dispatch(
      d, [&](auto t) { return static_cast<std::size_t>(Packing<decltype(t)>(d).all) * sizeof t; });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  dispatch(d, [&](auto t) {
    using T = decltype(t);
    const KernelIo<T> io(d);
    const Packing<T>& p = io.packing();
    const i64 vectors = p.outputs / kLanes<T>;
    ThreadPool::instance().parallel_for(
        d.groups * vectors * p.chunks,
        [&](i64 task, int) {
          T* memory = static_cast<T*>(
              thread_scratch(Slot::tile, static_cast<std::size_t>(io.scratch()) * sizeof(T)));
          io.pack(w, task / p.chunks / vectors, task / p.chunks % vectors,
                  task % p.chunks * Packing<T>::chunk, static_cast<T*>(packed), memory);
        },
        p.all > (1 << 14));
  });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto t) { return Layer<decltype(t)>(d).scratch_bytes(threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto t) { Layer<decltype(t)>(args.desc).run(args); });
}

}  // namespace

extern const Kernel winograd_kernel;
const Kernel winograd_kernel = {"winograd", accepts, packed_bytes, pack, scratch_bytes, run, true};

}  // namespace multiconv::MC_TARGET
