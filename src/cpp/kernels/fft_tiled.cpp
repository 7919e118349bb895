// Layers with large kernels: tiles of all channels are transformed, multiplied at each frequency by
// a complex matrix of kernels, and transformed back. One channel lies in each vector lane.
// After Mathieu, Henaff & LeCun, "Fast training of convolutional networks through FFTs" (2014), and
// Zlateski, Jia, Li & Durand, "The anatomy of efficient FFT and Winograd convolutions on modern
// CPUs", ICS'19.
#include "kernels/spectral_io.hpp"
#include "kernels/spectral_pack.hpp"
#include "kernels/spectral_product.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kChunkBytes = i64(32) << 20;   // spectra of tiles at a time
inline constexpr i64 kKernelBytes = i64(12) << 20;  // spectra of kernels at a time, where not kept
inline constexpr i64 kProductTasks = 64;

// What is worked on at a time, and where its spectra lie in shared scratch: values of a frequency
// are [tile][block of channels][real, imaginary][lane].
template <class T>
struct Chunk {
  i64 groups, tiles;                              // at most
  i64 out_blocks, channels;                       // that kernels' spectra are there for
  i64 in_step, out_step, step;                    // scalars from a frequency to the next
  i64 in, out, kernels, maxima, verdicts, bytes;  // where they begin, in bytes

  Chunk(const Desc& d, const SpectralPlan& p, i64 boxes) {
    constexpr i64 unit = 2 * kLanes<T>, size = static_cast<i64>(sizeof(T));
    out_blocks = p.kept ? p.out_blocks : min_of(p.out_blocks, kPanel);
    channels = d.in_channels;
    if (!p.kept) {
      const i64 blocks = kKernelBytes / (p.cells * out_blocks * unit * size * kLanes<T>);
      channels = min_of(channels, max_of(blocks, 1) * kLanes<T>);
    }
    const i64 all = d.batch * p.positions;
    const i64 each = p.cells * (p.in_blocks + out_blocks) * unit * size;
    tiles = max_of(min_of(all, kChunkBytes / each), 1);
    tiles = ceil_div(all, ceil_div(all, tiles));
    groups = p.kept ? max_of(min_of(d.groups, kChunkBytes / (each * tiles)), 1) : 1;
    // An odd number of cache lines, lest frequencies compete for the same sets.
    in_step = tiles * p.in_blocks * unit + kLanes<T>;
    out_step = tiles * out_blocks * unit + kLanes<T>;
    step = p.kept ? p.group_spectra / p.cells : channels * out_blocks * unit;
    in = 0;
    out = in + groups * p.cells * in_step * size;
    kernels = out + groups * p.cells * out_step * size;
    maxima = kernels + (p.kept ? 0 : p.cells * step * size);
    verdicts = maxima + groups * tiles * p.in_blocks * boxes * size;
    bytes = verdicts + groups * tiles * static_cast<i64>(sizeof(Verdict));
  }
};

// Spectra of a tile to where products read them, and back.
template <class T, class F>
MC_INLINE void each_cell(const SpectralTile<T>& tile, i64 step, F&& f) {
  tile.each_strip([&](i64 begin, i64 frequency, i64 width) {
    for (i64 i = 0; i < tile.outer(); ++i) {
      Complex<T>* cell = tile.tile() + begin + i * tile.pitch();
      const i64 at = (frequency + i * tile.inner()) * step;
      for (i64 c = 0; c < width; ++c) f(cell[c], at + c * step);
    }
  });
}

template <class T>
class Layer {
  static constexpr i64 lanes = kLanes<T>, unit = 2 * lanes;

 public:
  Layer(const RunArgs& args, const SpectralPlan& p, const SpectralIo<T>& io, const Chunk<T>& chunk)
      : d_(args.desc),
        p_(p),
        io_(io),
        chunk_(chunk),
        packed_(static_cast<const char*>(args.packed)),
        pool_(args.pool) {
    memory_ =
        static_cast<char*>(thread_scratch(Slot::spectrum, static_cast<std::size_t>(chunk.bytes)));
  }

  void run() {
    const i64 all = d_.batch * p_.positions;
    for (first_group_ = 0; first_group_ < d_.groups; first_group_ += groups_) {
      groups_ = min_of(chunk_.groups, d_.groups - first_group_);
      for (first_ = 0; first_ < all; first_ += tiles_) {
        tiles_ = min_of(chunk_.tiles, all - first_);
        transform();
        judge();
        for (i64 b = 0; b < p_.out_blocks; b += chunk_.out_blocks) {
          const i64 blocks = min_of(chunk_.out_blocks, p_.out_blocks - b);
          multiply(b, blocks);
          transform_back(b, blocks);
        }
        sum_spoilt();
      }
    }
  }

 private:
  T* in() const { return reinterpret_cast<T*>(memory_ + chunk_.in); }
  T* out() const { return reinterpret_cast<T*>(memory_ + chunk_.out); }
  T* maxima() const { return reinterpret_cast<T*>(memory_ + chunk_.maxima); }
  Verdict* verdicts() const { return reinterpret_cast<Verdict*>(memory_ + chunk_.verdicts); }
  TilePart part(i64 t) const { return locate_tile(d_, p_, first_ + t); }

  // f(group, tile, item), counted within the chunk, as tasks.
  template <class F>
  void each(i64 items, F&& f) const {
    pool_.parallel_for(groups_ * tiles_ * items, [&](i64 task, int) {
      f(task / items / tiles_, task / items % tiles_, task % items);
    });
  }

  void transform() const {
    each(p_.in_blocks, [&](i64 g, i64 t, i64 b) {
      auto tile = io_.make_tile();
      const T* found = io_.forward(tile, part(t), first_group_ + g, b * lanes,
                                   min_of(lanes, d_.in_channels - b * lanes));
      T* to = in() + g * p_.cells * chunk_.in_step + (t * p_.in_blocks + b) * unit;
      each_cell(tile, chunk_.in_step, [&](const Complex<T>& cell, i64 at) {
        store(to + at, cell.re);
        store(to + at + lanes, cell.im);
      });
      T* kept = maxima() + ((g * tiles_ + t) * p_.in_blocks + b) * io_.boxes();
      for (i64 i = 0; i < io_.boxes(); ++i) {
        kept[i] = found[i * lanes];
        for (i64 l = 1; l < lanes; ++l)
          kept[i] = Guard<T>::larger_magnitude(kept[i], found[i * lanes + l]);
      }
    });
  }

  void judge() const {
    const i64 boxes = io_.boxes();
    each(1, [&](i64 g, i64 t, i64) {
      T* kept = maxima() + (g * tiles_ + t) * p_.in_blocks * boxes;
      for (i64 i = boxes; i < p_.in_blocks * boxes; ++i)
        kept[i % boxes] = Guard<T>::larger_magnitude(kept[i % boxes], kept[i]);
      verdicts()[g * tiles_ + t] = io_.decide(part(t), first_group_ + g, kept, 1);
    });
  }

  // Products of all input channels with blocks of output channels from `block` on.
  void multiply(i64 block, i64 blocks) const {
    for (i64 c = 0; c < d_.in_channels; c += chunk_.channels) {
      const i64 channels = min_of(chunk_.channels, d_.in_channels - c);
      if (!p_.kept) make_spectra(block, blocks, c, channels);
      const T* kernels = p_.kept ? reinterpret_cast<const T*>(packed_ + p_.spectra) +
                                       first_group_ * p_.group_spectra
                                 : reinterpret_cast<const T*>(memory_ + chunk_.kernels);
      const i64 some = ceil_div(p_.cells, kProductTasks), parts = ceil_div(p_.cells, some);
      pool_.parallel_for(groups_ * parts, [&](i64 task, int) {
        const i64 g = task / parts, begin = task % parts * some;
        const T* h = kernels + g * p_.group_spectra;
        const T* x = in() + g * p_.cells * chunk_.in_step + c / lanes * unit;
        T* y = out() + g * p_.cells * chunk_.out_step;
        for (i64 f = begin; f < min_of(begin + some, p_.cells); ++f)
          multiply_frequency(h + f * chunk_.step, channels, blocks, x + f * chunk_.in_step,
                             p_.in_blocks * unit, y + f * chunk_.out_step, chunk_.out_blocks * unit,
                             tiles_, c > 0);
      });
    }
  }

  void make_spectra(i64 block, i64 blocks, i64 first, i64 channels) const {
    T* to = reinterpret_cast<T*>(memory_ + chunk_.kernels);
    const SpectralPack<T> pack(d_, p_, packed_);
    pool_.parallel_for(channels * blocks, [&](i64 task, int) {
      const i64 c = task / blocks, b = task % blocks;
      pack.spectra(first_group_, (block + b) * lanes, first + c,
                   to + spectrum_place<T>(channels, blocks, c, b), chunk_.step);
    });
  }

  void transform_back(i64 block, i64 blocks) const {
    each(blocks, [&](i64 g, i64 t, i64 b) {
      if (verdicts()[g * tiles_ + t] == Verdict::sum) return;
      auto tile = io_.make_tile();
      const T* from = out() + g * p_.cells * chunk_.out_step + (t * chunk_.out_blocks + b) * unit;
      each_cell(tile, chunk_.out_step, [&](Complex<T>& cell, i64 at) {
        cell = {load(from + at), load(from + at + lanes)};
      });
      const i64 channel = (block + b) * lanes;
      io_.inverse(tile, part(t), first_group_ + g, channel,
                  min_of(lanes, d_.out_channels - channel));
    });
  }

  void sum_spoilt() const {
    bool any = false;
    for (i64 i = 0; i < groups_ * tiles_; ++i) any = any || verdicts()[i] == Verdict::sum;
    if (!any) return;
    each(d_.out_channels, [&](i64 g, i64 t, i64 channel) {
      if (verdicts()[g * tiles_ + t] == Verdict::sum) io_.sum(part(t), first_group_ + g, channel);
    });
  }

  const Desc& d_;
  const SpectralPlan& p_;
  const SpectralIo<T>& io_;
  const Chunk<T>& chunk_;
  const char* packed_;
  ThreadPool& pool_;
  char* memory_;
  i64 first_group_ = 0, groups_ = 0, first_ = 0, tiles_ = 0;
};

// Groups of one channel: a tile of as many as lanes is done at a time.
template <class T>
void run_depthwise(const RunArgs& args, const SpectralPlan& p, const SpectralIo<T>& io) {
  constexpr i64 lanes = kLanes<T>;
  const Desc& d = args.desc;
  const auto* packed = static_cast<const char*>(args.packed);
  const i64 tiles = d.batch * p.positions;
  args.pool.parallel_for(tiles * p.in_blocks, [&](i64 task, int) {
    const i64 b = task / tiles, first = b * lanes, count = min_of(lanes, d.groups - first);
    const TilePart part = locate_tile(d, p, task % tiles);
    auto tile = io.make_tile();
    const T* maxima = io.forward(tile, part, first, 0, count);
    const T* h = reinterpret_cast<const T*>(packed + p.spectra) + b * p.group_spectra;
    each_cell(tile, 2 * lanes, [&](Complex<T>& cell, i64 at) {
      const Vec<T> re = load(h + at), im = load(h + at + lanes);
      cell = {cell.re * re - cell.im * im, cell.re * im + cell.im * re};
    });
    io.inverse(tile, part, first, 0, count);
    for (i64 l = 0; l < count; ++l)
      if (io.decide(part, first + l, maxima + l, lanes) == Verdict::sum) io.sum(part, first + l, 0);
  });
}

template <class T>
void run_layer(const RunArgs& args) {
  SpectralPlan p;
  make_spectral_plan<T>(args.desc, p);
  const SpectralIo<T> io(args, p);
  if (p.depthwise) return run_depthwise(args, p, io);
  const Chunk<T> chunk(args.desc, p, io.boxes());
  Layer<T>(args, p, io, chunk).run();
}

template <class T>
std::size_t scratch_of(const Desc& d, int threads) {
  SpectralPlan p;
  make_spectral_plan<T>(d, p);
  const i64 shared = p.depthwise ? 0 : Chunk<T>(d, p, Guard<T>(d, p).boxes()).bytes;
  return static_cast<std::size_t>(SpectralIo<T>::scratch_bytes(d, p) * threads + shared);
}

template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  return d.compute == DType::f32 ? f(float{}) : f(double{});
}

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it computes in real floats";
  if (d.x_type != d.compute || d.out_type != d.compute)
    return "it reads and writes the type it computes in";
  if (d.rank > kMaxSpectralRank) return "it takes up to three axes";
  for (int a = 0; a < d.rank; ++a)
    if (d.in_size[a] < 1 && d.boundary[a] != Boundary::constant)
      return "an empty axis has no values to continue it with";
  SpectralPlan p;
  return dispatch(d, [&](auto n) { return make_spectral_plan<decltype(n)>(d, p); });
}

std::size_t packed_bytes(const Desc& d) {
  return dispatch(d, [&](auto n) {
    SpectralPlan p;
    make_spectral_plan<decltype(n)>(d, p);
    return static_cast<std::size_t>(p.packed_bytes);
  });
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  dispatch(d, [&](auto n) { pack_kernels<decltype(n)>(d, w, static_cast<char*>(packed)); });
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  return dispatch(d, [&](auto n) { return scratch_of<decltype(n)>(d, threads); });
}

void run(const RunArgs& args) {
  dispatch(args.desc, [&](auto n) { run_layer<decltype(n)>(args); });
}

}  // namespace

extern const Kernel fft_tiled_kernel;
const Kernel fft_tiled_kernel = {"fft_tiled",   accepts, packed_bytes, pack,
                                 scratch_bytes, run,     true};

}  // namespace multiconv::MC_TARGET
