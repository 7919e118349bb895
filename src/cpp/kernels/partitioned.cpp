// Convolution of long signals by one long transform, partitioned into short ones: overlap-save with
// few blocks, or a single one.
#include "kernels/block_task.hpp"
#include "kernels/long_fft.hpp"
#include "kernels/long_signal.hpp"

namespace multiconv::MC_TARGET {
namespace {

// How the outputs are cut into blocks, and what a packed kernel holds.
struct Cut {
  LongFft fft;
  LongTables tables;
  i64 length;  // values of a block, two to a point where they are real
  i64 step, blocks;
  i64 table_bytes, taps, spectra;        // where the parts of the packed kernel begin
  i64 tap_bytes, spectrum_bytes, bytes;  // of a kernel's parts, and of all
};

// Before the taps of each kernel: the power of two that they were divided by.
struct KernelHead {
  std::int64_t exponent;
};

MC_INLINE bool is_complex(const Desc& d) {
  return d.compute == DType::c64 || d.compute == DType::c128;
}

// What a block of the outputs [begin, end) reads, and where they come out of the transform: output
// position p, counted without stride, is at point p + shift.
struct Reach {
  i64 first, samples, shift;
};

MC_INLINE Reach reach(const Desc& d, i64 begin, i64 end) {
  i64 first = begin * d.stride[0] - d.pad_low[0];
  i64 last = (end - 1) * d.stride[0] - d.pad_low[0] + d.kernel[0];
  if (d.boundary[0] == Boundary::constant && d.cval[0] == 0 && d.cval[1] == 0) {
    // No further than to the first window's end, whatever is padded.
    first = most(first, least(0, first + d.kernel[0] - 1));
    last = most(first, least(last, d.in_size[0]));
  }
  return {first, last - first, d.kernel[0] - 1 - d.pad_low[0] - first};
}

// The length that a single block would need: what leaves at its end must not come back to where
// outputs are.
MC_INLINE i64 whole_length(const Desc& d) {
  const Reach r = reach(d, 0, d.out_size[0]);
  const i64 last = (d.out_size[0] - 1) * d.stride[0] + r.shift;
  return most(most(last + 1, r.samples + d.kernel[0] - 1 - r.shift), d.kernel[0]);
}

MC_INLINE const char* make_cut(const Desc& d, Cut& c) {
  const i64 parts = is_complex(d) ? 1 : 2;
  c.length = d.tile[0];
  if (c.length % parts != 0 || !plan_long_fft(c.length / parts, c.fft))
    return "its length must be a product of 512, 2, 3, 5 and 7";
  if (c.length >= whole_length(d)) {
    c.step = d.out_size[0];
  } else {
    if (c.length < d.kernel[0]) return "the kernel is larger than the block";
    c.step = (c.length - d.kernel[0]) / d.stride[0] + 1;
  }
  c.blocks = (d.out_size[0] + c.step - 1) / c.step;
  c.tables = plan_tables(c.fft);

  const i64 real = d.compute == DType::f32 || d.compute == DType::c64 ? 4 : 8;
  const i64 kernels = d.groups * d.out_channels;
  constexpr i64 unit = static_cast<i64>(kAlign);
  c.tap_bytes = rounded_up(unit + d.kernel[0] * (3 - parts) * real, unit);
  c.taps = rounded_up(c.tables.scalars * real, unit);
  c.spectra = c.taps + kernels * c.tap_bytes;
  c.spectrum_bytes = real == 4 ? LongTransform<float>::spectrum_bytes(c.fft)
                               : LongTransform<double>::spectrum_bytes(c.fft);
  c.bytes = c.spectra + kernels * c.spectrum_bytes;
  return nullptr;
}

Cut cut_of(const Desc& d) {
  Cut c = {};
  make_cut(d, c);
  return c;
}

const char* accepts(const Desc& d) {
  if (!is_complex(d) && d.compute != DType::f32 && d.compute != DType::f64)
    return "it computes in floating point";
  if (d.x_type != d.compute || d.out_type != d.compute)
    return "it reads and writes the type it computes in";
  if (is_complex(d) && d.activation != Activation::none) return "activations are for real numbers";
  if (d.rank != 1) return "it takes one axis";
  if (d.in_channels != 1) return "it takes one input channel per group";
  if (d.dilation[0] != 1 || d.in_dilation[0] != 1) return "it takes no dilation";
  Cut c = {};
  return make_cut(d, c);
}

// Calls `f` for the numbers that are computed with.
template <class F>
MC_INLINE auto dispatch(const Desc& d, F&& f) {
  switch (d.compute) {
    case DType::f32:
      return f(Numbers<float, false>{});
    case DType::c64:
      return f(Numbers<float, true>{});
    case DType::c128:
      return f(Numbers<double, true>{});
    default:
      return f(Numbers<double, false>{});
  }
}

// Exponents whose power of two, and that of their negative, are normal numbers.
template <class T>
MC_INLINE int usable(int exponent) {
  constexpr int most = std::numeric_limits<T>::max_exponent - 2;
  return exponent < -most ? -most : exponent > most ? most : exponent;
}

// Of the power of two near a magnitude.
template <class T>
MC_INLINE int exponent_of(Magnitude<T> size) {
  int exponent;
  std::frexp(__builtin_bit_cast(T, size), &exponent);
  return usable<T>(exponent);
}

template <class T>
MC_INLINE T power(int exponent) {
  return std::ldexp(T(1), usable<T>(exponent));
}

// Convolves one block.
template <class N>
class LongBlock {
  using T = typename N::Real;
  using Cells = Complex<T>;
  using Size = Magnitude<T>;
  static constexpr int lanes = kLanes<T>, scalars = N::scalars;
  static constexpr i64 strip = kStripBytes / static_cast<i64>(sizeof(T));
  static constexpr i64 ahead = 8;  // rows of the matrix that are prefetched
  // Windows with nothing above this share of the largest value would drown in its error.
  static constexpr T least_share = std::numeric_limits<T>::epsilon() * T(1024);

 public:
  // Fills vectors with the samples below a limit.
  static auto reader(const Cut& c, const Signal<N>& signal, Size limit) {
    return [&c, &signal, limit](i64 n, i64 width, Cells* to) {
      T spare[2 * strip];
      const i64 next = n + ahead * c.fft.columns;
      signal.prefetch(next, width);
      if constexpr (!N::complex) signal.prefetch(next + c.fft.points, width);
      if constexpr (N::complex) {
        const T* x = signal.read(n, width, spare);
        for (i64 i = 0; i < width; i += lanes) to[i / lanes] = split(x + 2 * i);
      } else {
        const T* re = signal.read(n, width, spare);
        const T* im = signal.read(n + c.fft.points, width, spare + strip);
        for (i64 i = 0; i < width; i += lanes) to[i / lanes] = {load(re + i), load(im + i)};
      }
      if (limit == kAll) return;
      for (i64 v = 0; v < width / lanes; ++v) to[v] = below(to[v], limit);
    };
  }

  LongBlock(const RunArgs& args, const Cut& c, i64 kernel, i64 image, i64 block)
      : d_(args.desc), c_(c), args_(args), kernel_(kernel) {
    const i64 group = kernel / d_.out_channels, channel = kernel % d_.out_channels;
    begin_ = block * c.step;
    count_ = least(c.step, d_.out_size[0] - begin_);
    const Reach r = reach(d_, begin_, begin_ + count_);
    signal_ = {static_cast<const T*>(args.x.data) +
                   (image * args.x.strides[0] + group * args.x.strides[1]) * scalars,
               args.x.strides[3],
               d_.in_size[0],
               d_.boundary[0],
               {static_cast<T>(d_.cval[0]), static_cast<T>(d_.cval[1])},
               r.first,
               r.samples};
    first_ = begin_ * d_.stride[0] + r.shift;
    end_ = first_ + (count_ - 1) * d_.stride[0] + 1;
    out_ = static_cast<T*>(args.out.data) +
           (image * args.out.strides[0] + group * args.out.strides[1] +
            channel * args.out.strides[2] + begin_ * args.out.strides[3]) *
               scalars;
    const char* packed = static_cast<const char*>(args.packed);
    const char* taps = packed + c.taps + kernel * c.tap_bytes;
    tables_ = reinterpret_cast<const T*>(packed);
    exponent_ = static_cast<int>(reinterpret_cast<const KernelHead*>(taps)->exponent);
    taps_ = reinterpret_cast<const T*>(taps + kAlign);
    spectrum_ = reinterpret_cast<const Cells*>(packed + c.spectra + kernel * c.spectrum_bytes);
    for (int p = 0; p < scalars; ++p) bias_[p] = initial<T, scalars>(args, kernel, p);
    residual_ = start_of(args, image, group, channel).residual + begin_ * step_of(args, 3).residual;
  }

  void run() {
    Windows<N> windows(
        signal_, d_.kernel[0],
        thread_scratch(Slot::line, static_cast<std::size_t>(Windows<N>::bytes(signal_.samples))));
    windows.look(args_.pool);
    Size limit = windows.finite() ? kAll : kInfinite<T>;
    Size largest = windows.largest_below(kInfinite<T>);
    convolve(limit, largest, nullptr);
    // Windows whose values the largest would drown are done again without it. The limit falls each
    // time, so this ends.
    while (largest > 0) {
      limit = magnitude(least_share * __builtin_bit_cast(T, largest));
      windows.set_limit(limit);
      if (limit == 0 || !windows.any_small(first_, end_)) break;
      largest = windows.largest_below(limit);
      convolve(limit, largest, &windows);
    }
    if (!windows.finite()) {
      windows.set_limit(kInfinite<T>);
      sum_infinite(windows);
    }
  }

 private:
  static constexpr Size kAll = std::numeric_limits<Size>::max();

  // Interleaved complex numbers as one vector each of real and imaginary parts.
  MC_INLINE Cells split(const T* x) {
    if constexpr (lanes == 1) {
      return {x[0], x[1]};
    } else {
      constexpr std::make_integer_sequence<int, lanes> all{};
      const Vec<T> a = load(x), b = load(x + lanes);
      return {pick<[](int e) { return 2 * e; }>(a, b, all),
              pick<[](int e) { return 2 * e + 1; }>(a, b, all)};
    }
  }

  MC_INLINE void join(Cells x, T* to) {
    if constexpr (lanes == 1) {
      to[0] = x.re;
      to[1] = x.im;
    } else {
      constexpr std::make_integer_sequence<int, lanes> all{};
      constexpr auto low = [](int e) { return e / 2 + e % 2 * lanes; };
      constexpr auto high = [](int e) { return lanes / 2 + e / 2 + e % 2 * lanes; };
      store(to, pick<low>(x.re, x.im, all));
      store(to + lanes, pick<high>(x.re, x.im, all));
    }
  }

  // Zeros in place of the values from the limit on.
  MC_INLINE Cells below(Cells x, Size limit) {
    using Bits = Vec<Size>;
    const Bits re = __builtin_bit_cast(Bits, x.re), im = __builtin_bit_cast(Bits, x.im);
    const Bits a = re & kAll, b = im & kAll, zero = {}, top = zero + limit;
    Bits kept_re, kept_im;
    if constexpr (N::complex) {
      const Bits size = a > b ? a : b;
      kept_re = size < top ? re : zero;
      kept_im = size < top ? im : zero;
    } else {
      kept_re = a < top ? re : zero;
      kept_im = b < top ? im : zero;
    }
    return {__builtin_bit_cast(Vec<T>, kept_re), __builtin_bit_cast(Vec<T>, kept_im)};
  }

  // Of the samples below `limit`, of which `largest` is the largest; where `only` is given, for the
  // windows that it finds small.
  void convolve(Size limit, Size largest, const Windows<N>* only) {
    auto* spectrum = static_cast<Cells*>(
        thread_scratch(Slot::spectrum, static_cast<std::size_t>(c_.spectrum_bytes)));
    const LongTransform<T> transform(c_.fft, c_.tables, tables_, args_.pool);
    const int exponent = exponent_of<T>(largest);
    transform.columns_forward(power<T>(-exponent), spectrum, reader(c_, signal_, limit));
    transform.rows_convolve(spectrum, spectrum_);
    // Powers of two that may be too much for one factor.
    const int scale = exponent + exponent_, near = scale / 2;
    const T gain = power<T>(near), rest = power<T>(scale - near);
    transform.columns_back(spectrum, [&](i64 n, i64 width, Cells* x, const T* back) {
      const T re = back[0] * gain, im = back[1] * gain;
      if constexpr (N::complex) {
        put(n, width, only, [&](T* to) {
          for (i64 i = 0; i < width; i += lanes) {
            const Cells y = times(x[i / lanes], re, im);
            join({y.re * rest, y.im * rest}, to + 2 * i);
          }
        });
      } else {
        put(n, width, only, [&](T* to) {
          for (i64 i = 0; i < width; i += lanes) {
            const Cells& y = x[i / lanes];
            store(to + i, (y.re * re - y.im * im) * rest);
          }
        });
        put(n + c_.fft.points, width, only, [&](T* to) {
          for (i64 i = 0; i < width; i += lanes) {
            const Cells& y = x[i / lanes];
            store(to + i, (y.re * im + y.im * re) * rest);
          }
        });
      }
    });
  }

  // Has points [n, n + width) written to where they belong.
  template <class F>
  void put(i64 n, i64 width, const Windows<N>* only, F&& write) const {
    if (n + width <= first_ || n >= end_) return;
    const bool plain = only == nullptr && d_.stride[0] == 1 && args_.out.strides[3] == 1 &&
                       !d_.has_bias && is_plain(d_);
    if (plain)
      prefetch_line<1>(out_ + (n + ahead * c_.fft.columns - first_) * scalars, width * scalars);
    if (plain && n >= first_ && n + width <= end_) return write(out_ + (n - first_) * scalars);
    T spare[strip * scalars];
    write(spare);
    bool chosen[strip];
    if (only) only->find_small(n, width, chosen);
    finish(n, width, spare, only ? chosen : nullptr);
  }

  // Finishes and stores those of `width` sums that are outputs, and chosen.
  void finish(i64 n, i64 width, T* sums, const bool* chosen) const {
    const i64 stride = d_.stride[0], end = least(width, end_ - n);
    const i64 before = most(0, n - first_ + stride - 1) / stride;
    const i64 begin = first_ + before * stride - n;
    i64 count = 0;  // outputs move to the front
    for (i64 i = begin; i < end; i += stride, ++count)
      for (int p = 0; p < scalars; ++p)
        sums[count * scalars + p] = sums[i * scalars + p] + bias_[p];
    const At step = step_of(args_, 3);
    const i64 residual = residual_ + before * step.residual;
    if constexpr (N::complex)
      finish_complex(args_, kernel_, residual, step.residual, sums, sums + 1, 2, count);
    else
      finish_row(args_, kernel_, residual, step.residual, sums, count);
    for (i64 i = 0; i < count; ++i) {
      if (chosen && !chosen[begin + i * stride]) continue;
      T* to = out_ + (before + i) * step.out * scalars;
      for (int p = 0; p < scalars; ++p) to[p] = sums[i * scalars + p];
    }
  }

  // Outputs whose windows hold infinities or NaN are the sums of these alone.
  void sum_infinite(const Windows<N>& windows) const {
    constexpr i64 width = 1024;
    args_.pool.parallel_for((end_ - first_ + width - 1) / width, [&](i64 task, int) {
      const i64 n = first_ + task * width, count = least(width, end_ - n);
      T sums[width * scalars] = {};
      bool chosen[width] = {};
      i64 filled = 0;  // all outputs before are NaN already
      windows.each_infinite(n, n + count, [&](i64 at, const T* x) {
        const i64 begin = most(0, at - n), end = least(count, at - n + d_.kernel[0]);
        const bool nan = x[0] != x[0] || x[scalars - 1] != x[scalars - 1];
        for (i64 i = nan ? most(begin, filled) : begin; i < end; ++i) {
          add(sums + i * scalars, x, taps_ + (n + i - at) * scalars);
          chosen[i] = true;
        }
        if (nan && begin <= filled) filled = most(filled, end);
        return filled < count;
      });
      finish(n, count, sums, chosen);
    });
  }

  MC_INLINE void add(T* sum, const T* x, const T* tap) {
    if constexpr (N::complex) {
      sum[0] += x[0] * tap[0] - x[1] * tap[1];
      sum[1] += x[0] * tap[1] + x[1] * tap[0];
    } else {
      sum[0] += x[0] * tap[0];
    }
  }

  const Desc& d_;
  const Cut& c_;
  const RunArgs& args_;
  Signal<N> signal_;
  i64 begin_, count_;  // outputs
  i64 first_, end_;    // their points
  T* out_;
  const T *tables_, *taps_;
  const Cells* spectrum_;
  int exponent_;
  i64 kernel_;      // output channel, over all groups
  i64 residual_;    // where that of the first output lies
  T bias_[2] = {};  // what sums begin with
};

std::size_t packed_bytes(const Desc& d) { return static_cast<std::size_t>(cut_of(d).bytes); }

// The taps as they meet the samples of a signal: the first one meets the latest.
template <class N>
void copy_taps(const Desc& d, const typename N::Real* from, i64 stride, ThreadPool& pool,
               typename N::Real* to) {
  constexpr i64 at_once = 1 << 14;
  constexpr int scalars = N::scalars;
  const i64 count = d.kernel[0];
  pool.parallel_for((count + at_once - 1) / at_once,
                    [&](i64 task, int) {
                      const i64 end = least(count, (task + 1) * at_once);
                      for (i64 j = task * at_once; j < end; ++j)
                        for (int p = 0; p < scalars; ++p)
                          to[j * scalars + p] =
                              from[(d.flip ? j : count - 1 - j) * stride * scalars + p];
                    },
                    count > at_once);
}

void pack(const Desc& d, const ConstView& w, void* packed) {
  const Cut c = cut_of(d);
  ThreadPool& pool = ThreadPool::instance();
  dispatch(d, [&](auto n) {
    using N = decltype(n);
    using T = typename N::Real;
    char* memory = static_cast<char*>(packed);
    T* tables = reinterpret_cast<T*>(memory);
    make_tables(c.fft, c.tables, pool, tables);
    const LongTransform<T> transform(c.fft, c.tables, tables, pool);
    for (i64 kernel = 0; kernel < d.groups * d.out_channels; ++kernel) {
      char* head = memory + c.taps + kernel * c.tap_bytes;
      T* taps = reinterpret_cast<T*>(head + kAlign);
      const T* from = static_cast<const T*>(w.data) + (kernel / d.out_channels * w.strides[0] +
                                                       kernel % d.out_channels * w.strides[1]) *
                                                          N::scalars;
      copy_taps<N>(d, from, w.strides[3], pool, taps);
      const Signal<N> signal = {taps, 1, d.kernel[0], Boundary::constant, {}, 0, d.kernel[0]};
      Windows<N> windows(
          signal, 1,
          thread_scratch(Slot::line, static_cast<std::size_t>(Windows<N>::bytes(d.kernel[0]))));
      windows.look(pool);
      const auto largest = windows.largest_below(kInfinite<T>);
      const int exponent = exponent_of<T>(largest);
      reinterpret_cast<KernelHead*>(head)->exponent = exponent;
      auto* spectrum =
          reinterpret_cast<Complex<T>*>(memory + c.spectra + kernel * c.spectrum_bytes);
      transform.columns_forward(
          power<T>(-exponent), spectrum,
          LongBlock<N>::reader(c, signal, std::numeric_limits<Magnitude<T>>::max()));
      transform.rows_forward(spectrum);
    }
  });
}

// Short blocks are shared out whole, each on a thread of its own; the work on a long one is.
MC_INLINE bool short_blocks(const Desc& d, const Cut& c, int threads) {
  constexpr i64 near = 1 << 20;  // what stays in a cache of the thread's own
  return c.spectrum_bytes <= near && d.groups * d.out_channels * d.batch * c.blocks >= 4 * threads;
}

std::size_t scratch_bytes(const Desc& d, int threads) {
  const Cut c = cut_of(d);
  // The first block may begin before the data; the second is as long as blocks get.
  i64 samples = reach(d, 0, c.step).samples;
  if (c.blocks > 1)
    samples = most(samples, reach(d, c.step, least(2 * c.step, d.out_size[0])).samples);
  return dispatch(d, [&](auto n) {
    using N = decltype(n);
    using Long = LongTransform<typename N::Real>;
    const i64 block = c.spectrum_bytes + Windows<N>::bytes(samples);
    const i64 strips = Long::strip_bytes(c.fft);
    if (short_blocks(d, c, threads)) return static_cast<std::size_t>((block + strips) * threads);
    return static_cast<std::size_t>(block + strips * least(threads, Long::strips(c.fft)));
  });
}

void run(const RunArgs& args) {
  const Desc& d = args.desc;
  const Cut c = cut_of(d);
  const i64 kernels = d.groups * d.out_channels;
  dispatch(d, [&](auto n) {
    using N = decltype(n);
    args.pool.parallel_for(
        kernels * d.batch * c.blocks,
        [&](i64 task, int) {
          const i64 block = task % c.blocks, kernel = task / c.blocks % kernels;
          LongBlock<N>(args, c, kernel, task / c.blocks / kernels, block).run();
        },
        short_blocks(d, c, args.pool.num_threads()));
  });
}

}  // namespace

extern const Kernel partitioned_kernel;
const Kernel partitioned_kernel = {"partitioned", accepts, packed_bytes, pack,
                                   scratch_bytes, run,     true};

}  // namespace multiconv::MC_TARGET
