// Few outputs that sum over many places: weight gradients. Seen the other way round, the places of
// the long kernel are the pixels of a layer whose taps are the outputs:
//     out[c, o, tap] = sum over n, pixels of x[n, c, window(pixel)[tap]] * grad[n, o, pixel].
// A block of (channel, tap) rows times vectors of output channels stays in registers while the
// pixels of a tile stream by; where output channels are few, the lanes hold pixels instead. Tiles
// are dealt to a number of shares that the problem alone decides, and shares are added in order.
#include "kernels/channel_io.hpp"
#include "kernels/compute_type.hpp"
#include "kernels/gradient_layer.hpp"
#include "kernels/uniform_step.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr int kRows = MC_REGISTERS >= 32 ? 8 : 4;     // rows of a block
inline constexpr int kColumns = MC_REGISTERS >= 32 ? 3 : 2;  // vectors of a block
inline constexpr i64 kBlocks = 4;                            // vectors of a task, at the least
inline constexpr i64 kChannels = 256;                        // of a task
inline constexpr i64 kTileBytes = 256 * 1024;                // of the boxes of a task
inline constexpr i64 kSumBytes = 160 * 1024;                 // sums of a task
inline constexpr i64 kShareBytes = 16 << 20;                 // sums of all shares
inline constexpr i64 kTasks = 8;
inline constexpr i64 kWork = 1 << 18;

// Axes without taps that lie one behind the other on all sides are one axis.
MC_INLINE void join_axes(Desc& d, ConstView& x, ConstView& grad, View& out) {
  for (int a = d.rank - 1; a > 0; --a) {
    const i64 n = d.in_size[a];
    for (int b = a - 1; b <= a; ++b)
      if (d.out_size[b] != 1 || d.dilation[b] != 1 || d.pad_low[b] != 0 ||
          d.kernel[b] != d.in_size[b])
        return;
    if (x.strides[2 + a] != n * x.strides[3 + a] || grad.strides[2 + a] != n * grad.strides[3 + a])
      return;
    x.strides[2 + a] = x.strides[3 + a];
    grad.strides[2 + a] = grad.strides[3 + a];
    out.strides[2 + a] = out.strides[3 + a];
    d.in_size[a - 1] *= n;
    d.kernel[a - 1] *= n;
    --d.rank;
  }
}

struct Cut {
  Box box;
  i64 taps;
  bool across;   // lanes hold output channels, not pixels
  i64 channels;  // of a task
  i64 blocks;    // of a task: vectors of output channels, or output channels
  i64 parts[2];  // tasks of channels, of output channels
  i64 line_pad;  // from one line of the gradient to the next
  i64 jobs;      // tiles of all images
  i64 shares;
  i64 rows;  // (channel, tap) pairs of a task, padded
};

template <class T>
Cut cut_for(const Desc& d, const Desc& layer) {
  constexpr i64 lanes = kLanes<T>, size = static_cast<i64>(sizeof(T));
  Cut cut{};
  cut.taps = taps_of(layer);
  cut.across = 2 * d.out_channels >= lanes;
  const i64 unit = cut.across ? lanes : 1;
  const i64 blocks = ceil_div(d.out_channels, unit);
  // Each task copies its share of both sides: few large ones copy least.
  for (i64 most = cut.across ? kBlocks : 4 * lanes, least = 0;; most *= 2) {
    const i64 columns = ceil_div(blocks, ceil_div(blocks, most));
    const i64 room = max_of(kSumBytes / size / (cut.taps * columns * unit), 1);
    const i64 rows = ceil_div(d.batch, ceil_div(d.batch, min_of(room, kChannels)));
    const i64 parts[] = {ceil_div(d.batch, rows), ceil_div(blocks, columns)};
    const i64 copied = d.batch * parts[1] + d.out_channels * parts[0];
    if (least == 0 || copied < least) {
      least = copied;
      cut.blocks = columns;
      cut.channels = rows;
      cut.parts[0] = parts[0];
      cut.parts[1] = parts[1];
    }
    if (most >= blocks) break;
  }
  const i64 stored = ceil_div(cut.channels, lanes) * lanes;
  const i64 tasks = cut.parts[0] * cut.parts[1] * d.groups;
  const double worth = work_of(d) / static_cast<double>(4 * kWork) + 1.0;
  const i64 wanted = worth < kTasks ? static_cast<i64>(worth) : kTasks;
  cut.box = choose_box(layer, stored, max_of(kTileBytes / size, stored * 4),
                       ceil_div(wanted, tasks * max_of(d.in_channels, 1)), static_cast<int>(lanes),
                       lanes, [](i64 vectors) { return vectors; });
  // Lines of their own: between the rows of a longer line lie pixels that are none.
  cut.box.flat = 1;
  cut.box.line = cut.box.tile[d.rank - 1];
  cut.box.lines = 1;
  for (int a = 0; a < d.rank - 1; ++a) cut.box.lines *= cut.box.tile[a];
  cut.line_pad = cut.across ? cut.box.line * lanes : ceil_div(cut.box.line, lanes) * lanes;
  cut.jobs = d.in_channels * cut.box.tiles;
  cut.rows = ceil_div(cut.channels * cut.taps, kRows) * kRows;
  const i64 sums = cut.rows * cut.blocks * unit * size;
  const i64 most = max_of(kShareBytes / (sums * tasks), 1);
  cut.shares = max_of(min_of(min_of(ceil_div(wanted, tasks), most), cut.jobs), 1);
  return cut;
}

// Where the taps' pixels lie: of row m, pixel q of a line that begins at `start` is
// row[m][(start + q) * step].
template <class T>
struct Rows {
  const T** row;
  i64 step;
  i64* lines;
  i64 count;  // lines
  i64 width;
};

// kRows rows times V vectors of output channels, over the pixels of a tile.
template <class T, int V>
MC_INLINE void across(const Rows<T>& x, const T* const* row, const T* grad, i64 line_pad, i64 area,
                      T* sums, i64 block) {
  Vec<T> acc[kRows][V];
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < V; ++v) acc[m][v] = load(sums + v * block + m * kLanes<T>);
  const i64 step = x.step;
  for (i64 l = 0; l < x.count; ++l) {
    const T* g = grad + l * line_pad;
    const T* p[kRows];
    for (int m = 0; m < kRows; ++m) p[m] = row[m] + x.lines[l] * step;
    for (i64 at = 0, end = x.width * step; at < end; at += step, g += kLanes<T>) {
      Vec<T> gv[V];
      for (int v = 0; v < V; ++v) gv[v] = load(g + v * area);
      for (int m = 0; m < kRows; ++m) {
        const T xm = p[m][at];
        for (int v = 0; v < V; ++v) acc[m][v] += gv[v] * xm;
      }
    }
  }
  for (int m = 0; m < kRows; ++m)
    for (int v = 0; v < V; ++v) store(sums + v * block + m * kLanes<T>, acc[m][v]);
}

template <class T>
MC_INLINE T total(Vec<T> v) {
  if constexpr (kLanes<T> == 1) {
    return v;
  } else {
    T part[kLanes<T>];
    store(part, v);
    for (int half = kLanes<T> / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) part[i] += part[i + half];
    return part[0];
  }
}

// kRows rows times one output channel, whose pixels lie side by side, ended by zeros.
template <class T>
MC_INLINE void along(const Rows<T>& x, const T* const* row, const T* grad, i64 line_pad, T* sums) {
  constexpr i64 lanes = kLanes<T>;
  Vec<T> acc[kRows];
  for (int m = 0; m < kRows; ++m) acc[m] = Vec<T>{};
  const i64 whole = x.width / lanes * lanes, rest = x.width - whole;
  for (i64 l = 0; l < x.count; ++l) {
    const T* g = grad + l * line_pad;
    for (i64 q = 0; q < whole; q += lanes) {
      const Vec<T> gv = load(g + q);
      for (int m = 0; m < kRows; ++m) acc[m] += load(row[m] + x.lines[l] + q) * gv;
    }
    if (rest > 0) {
      const Vec<T> gv = load(g + whole);
      for (int m = 0; m < kRows; ++m)
        acc[m] += first_lanes<T>(load(row[m] + x.lines[l] + whole), rest) * gv;
    }
  }
  for (int m = 0; m < kRows; ++m) sums[m] += total<T>(acc[m]);
}

template <class T>
class PixelSum {
 public:
  static std::size_t packed_bytes(const Desc&) { return sizeof(ConstView); }

  // The kernel is the gradient at a layer's output, as large as the data: it is read where it lies.
  static void pack(const Desc& d, const ConstView& w, void* packed) {
    ConstView& kept = *static_cast<ConstView*>(packed);
    kept = w;
    if (!d.flip) return;
    i64 last = 0;
    for (int a = 0; a < d.rank; ++a) {
      last += (d.kernel[a] - 1) * w.strides[3 + a];
      kept.strides[3 + a] = -w.strides[3 + a];
    }
    kept.data = static_cast<const T*>(w.data) + last;
  }

  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Desc layer = layer_of(d);
    const Cut cut = cut_for<T>(d, layer);
    return shared_bytes(d, cut) + static_cast<std::size_t>(threads) *
                                      (tile_bytes(cut) + grad_bytes(cut) + table_bytes(layer, cut));
  }

  static void run(const RunArgs& args) {
    Desc d = args.desc;
    ConstView x = args.x, grad = *static_cast<const ConstView*>(args.packed);
    View out = args.out;
    join_axes(d, x, grad, out);
    const Desc layer = layer_of(d);
    const Cut cut = cut_for<T>(d, layer);
    T* sums = static_cast<T*>(thread_scratch(Slot::kernel, shared_bytes(d, cut)));
    const PixelSum job{d, layer, cut, x, grad, out, sums};
    const i64 tasks = cut.parts[0] * cut.parts[1] * d.groups;
    const bool parallel = work_of(d) > kWork / 4;
    args.pool.parallel_for(
        tasks * cut.shares, [&](i64 t, int) { job.add_up(t % tasks, t / tasks); }, parallel);
    if (cut.shares > 1) args.pool.parallel_for(tasks, [&](i64 t, int) { job.finish(t); }, parallel);
  }

 private:
  PixelSum(const Desc& d, const Desc& layer, const Cut& cut, const ConstView& x,
           const ConstView& grad, const View& out, T* sums)
      : d_(d), layer_(layer), cut_(cut), x_(x), grad_(grad), out_(out), sums_(sums) {
    const i64 x_leading[] = {d.batch, d.groups, d.in_channels};
    const i64 grad_leading[] = {d.groups, d.out_channels, d.in_channels};
    x_end_ = end_of(x.strides, x_leading, d.in_size, d.rank);
    grad_end_ = end_of(grad.strides, grad_leading, d.kernel, d.rank);
    unit_ = cut.across ? kLanes<T> : 1;
    tasks_ = cut.parts[0] * cut.parts[1] * d.groups;
    size_ = cut.rows * cut.blocks * unit_;
    lanes_are_channels_ = cut.across && x.strides[0] == 1 && d.batch > 1;
  }

  static std::size_t shared_bytes(const Desc& d, const Cut& cut) {
    const i64 unit = cut.across ? kLanes<T> : 1;
    const i64 tasks = cut.parts[0] * cut.parts[1] * d.groups;
    return static_cast<std::size_t>(cut.shares * tasks * cut.rows * cut.blocks * unit) * sizeof(T);
  }

  static std::size_t tile_bytes(const Cut& cut) {
    const i64 stored = ceil_div(cut.channels, kLanes<T>) * kLanes<T>;
    return static_cast<std::size_t>(stored * cut.box.volume) * sizeof(T);
  }

  static std::size_t grad_bytes(const Cut& cut) {
    return static_cast<std::size_t>(cut.box.lines * cut.line_pad * cut.blocks) * sizeof(T);
  }

  static std::size_t table_bytes(const Desc& layer, const Cut& cut) {
    return tables_bytes(layer, cut.box) + static_cast<std::size_t>(cut.box.lines) * sizeof(i64) +
           static_cast<std::size_t>(cut.rows) * sizeof(T*);
  }

  // The channels and output channels of a task.
  struct Place {
    i64 group, channel, channels, output, outputs;
  };

  Place place(i64 task) const {
    const i64 c = task / cut_.parts[1] % cut_.parts[0] * cut_.channels;
    const i64 o = task % cut_.parts[1] * cut_.blocks * unit_;
    return {task / (cut_.parts[0] * cut_.parts[1]), c, min_of(cut_.channels, d_.batch - c), o,
            min_of(cut_.blocks * unit_, d_.out_channels - o)};
  }

  // One share of the tiles, for one task's sums: [block of output channels][row][lane].
  void add_up(i64 task, i64 share) const {
    const Place at = place(task);
    T* sums = sums_ + (share * tasks_ + task) * size_;
    fill(sums, size_, T(0));
    char* table = static_cast<char*>(thread_scratch(Slot::table, table_bytes(layer_, cut_)));
    T* boxes = static_cast<T*>(thread_scratch(Slot::tile, tile_bytes(cut_)));
    T* grad = static_cast<T*>(thread_scratch(Slot::line, grad_bytes(cut_)));
    i64* lines = reinterpret_cast<i64*>(table + tables_bytes(layer_, cut_.box));
    Rows<T> rows{reinterpret_cast<const T**>(lines + cut_.box.lines), 1, lines, 0, 0};
    lay_rows(at, boxes, rows);
    const i64 end = cut_.jobs * (share + 1) / cut_.shares;
    for (i64 j = cut_.jobs * share / cut_.shares; j < end; ++j) {
      const i64 n = j / cut_.box.tiles;
      i64 first[kMaxRank], size[kMaxRank];
      tile_origin(layer_, cut_.box, j % cut_.box.tiles, first, size);
      Tables tables;
      make_tables(layer_, cut_.box, first, table, tables);
      read_data(at, n, tables, boxes);
      read_grad(at, n, first, size, grad, rows);
      multiply(rows, (at.channels * cut_.taps + kRows - 1) / kRows * kRows, at.outputs, grad, sums);
    }
    if (cut_.shares == 1) write(at, sums);
  }

  void lay_rows(const Place& at, const T* boxes, Rows<T>& rows) const {
    constexpr i64 lanes = kLanes<T>;
    const i64 taps = cut_.taps, count = at.channels * taps, volume = cut_.box.volume;
    rows.step = lanes_are_channels_ ? lanes : 1;
    for (i64 t = 0; t < taps; ++t) {
      const i64 offset = tap_offset(layer_, cut_.box, t);
      for (i64 c = 0; c < at.channels; ++c)
        rows.row[c * taps + t] = lanes_are_channels_
                                     ? boxes + (c / lanes * volume + offset) * lanes + c % lanes
                                     : boxes + c * volume + offset;
    }
    for (i64 r = count; r < cut_.rows; ++r) rows.row[r] = rows.row[count - 1];
  }

  void read_data(const Place& at, i64 n, const Tables& tables, T* boxes) const {
    const i64 *s = x_.strides, volume = cut_.box.volume;
    const T cval = boundary_value<T>(d_, 0);
    as_stored<T>(d_.x_type, x_.data, [&](auto* x) {
      using S = std::remove_pointer_t<decltype(x)>;
      S* from = x + at.channel * s[0] + at.group * s[1] + n * s[2];
      for (i64 c = 0; c < at.channels; c += lanes_are_channels_ ? kLanes<T> : 1)
        if (lanes_are_channels_)
          read_box(layer_, cut_.box, tables,
                   Planes<S>{from + c, min_of(kLanes<T>, at.channels - c), 1, s + 3}, x + x_end_,
                   cval, boxes + c * volume);
        else
          gather(layer_, cut_.box, tables, from + c * s[0], s + 3, cval, boxes + c * volume);
    });
  }

  // The tile's gradient, line by line: [block][pixel][lane of output channels], or [output
  // channel][pixel]; and where the lines begin in the boxes.
  void read_grad(const Place& at, i64 n, const i64* first, const i64* size, T* to,
                 Rows<T>& rows) const {
    const int last = d_.rank - 1;
    const i64* s = grad_.strides;
    const T* all = static_cast<const T*>(grad_.data);
    const T* from = all + at.group * s[0] + at.output * s[1] + n * s[2];
    for (int a = 0; a <= last; ++a) from += first[a] * s[3 + a];
    const i64 area = cut_.box.lines * cut_.line_pad;
    i64 index[kMaxRank] = {};
    rows.width = size[last];
    for (rows.count = 0;; ++rows.count) {
      const T* row = from;
      i64 start = 0;
      for (int a = 0; a < last; ++a) {
        row += index[a] * s[3 + a];
        start += index[a] * cut_.box.pitch[a];
      }
      rows.lines[rows.count] = start;
      for (i64 o = 0; o < at.outputs; o += unit_) {
        T* line = to + o / unit_ * area + rows.count * cut_.line_pad;
        if (cut_.across) {
          const Planes<const T> planes = {row + o * s[1], min_of(unit_, at.outputs - o), s[1],
                                          s + 3};
          read_run(planes, s[3 + last], rows.width, all + grad_end_, line);
        } else {
          copy_line(row + o * s[1], s[3 + last], rows.width, line);
        }
      }
      int a = last - 1;
      while (a >= 0 && ++index[a] == size[a]) index[a--] = 0;
      if (a < 0) break;
    }
    ++rows.count;
  }

  // Ended by zeros.
  void copy_line(const T* from, i64 step, i64 n, T* to) const {
    if (step == 1)
      for (i64 q = 0; q < n; ++q) to[q] = from[q];
    else
      for (i64 q = 0; q < n; ++q) to[q] = from[q * step];
    fill(to + n, cut_.line_pad - n, T(0));
  }

  void multiply(const Rows<T>& rows, i64 count, i64 outputs, const T* grad, T* sums) const {
    const i64 area = cut_.box.lines * cut_.line_pad, block = cut_.rows * unit_;
    const i64 blocks = ceil_div(outputs, unit_);
    for (i64 r = 0; r < count; r += kRows) {
      const T* const* row = rows.row + r;
      T* to = sums + r * unit_;
      if (!cut_.across) {
        for (i64 o = 0; o < outputs; ++o)
          along(rows, row, grad + o * area, cut_.line_pad, to + o * block);
        continue;
      }
      i64 o = 0;
      if constexpr (kColumns == 3)
        for (; blocks - o > 2 && blocks - o != 4; o += 3)  // four are two times two
          across<T, 3>(rows, row, grad + o * area, cut_.line_pad, area, to + o * block, block);
      for (; blocks - o > 1; o += 2)
        across<T, 2>(rows, row, grad + o * area, cut_.line_pad, area, to + o * block, block);
      if (o < blocks)
        across<T, 1>(rows, row, grad + o * area, cut_.line_pad, area, to + o * block, block);
    }
  }

  // Adds the shares of one task, first to last, and writes its outputs.
  void finish(i64 task) const {
    T* sums = sums_ + task * size_;
    for (i64 s = 1; s < cut_.shares; ++s) {
      const T* more = sums + s * tasks_ * size_;
      for (i64 i = 0; i < size_; ++i) sums[i] += more[i];
    }
    write(place(task), sums);
  }

  void write(const Place& at, const T* sums) const {
    const i64* s = out_.strides;
    const i64 step = uniform_step(d_, d_.out_size, s + 3);
    as_stored<T>(d_.out_type, out_.data, [&](auto* out) {
      using Out = std::remove_pointer_t<decltype(out)>;
      Out* to = out + at.channel * s[0] + at.group * s[1] + at.output * s[2];
      for (i64 o = 0; o < at.outputs; o += unit_) {
        const i64 lanes = min_of(unit_, at.outputs - o);
        const T* block = sums + o * cut_.rows;
        if (step != 0 && (s[0] == step * cut_.taps || cut_.taps == 1)) {
          const i64 apart = cut_.taps == 1 ? s[0] : step;
          write_rows(block, at.channels * cut_.taps, to + o * s[2], lanes, apart);
          continue;
        }
        for (i64 c = 0; c < at.channels; ++c, block += cut_.taps * unit_) {
          Out* here = to + o * s[2] + c * s[0];
          if (step != 0)
            write_rows(block, cut_.taps, here, lanes, step);
          else
            write_taps(block, here, lanes);
        }
      }
    });
  }

  // n rows of sums to outputs `step` apart, for some output channels.
  template <class Out>
  void write_rows(const T* sums, i64 n, Out* to, i64 lanes, i64 step) const {
    if (cut_.across)
      write_run(sums, n, Planes<Out>{to, lanes, out_.strides[2], nullptr}, step);
    else
      for (i64 i = 0; i < n; ++i) to[i * step] = narrowed<Out>(sums[i]);
  }

  template <class Out>
  void write_taps(const T* sums, Out* to, i64 lanes) const {
    i64 index[kMaxRank] = {};
    for (;; sums += unit_) {
      i64 at = 0;
      for (int a = 0; a < d_.rank; ++a) at += index[a] * out_.strides[3 + a];
      write_rows(sums, 1, to + at, lanes, 1);
      int a = d_.rank - 1;
      while (a >= 0 && ++index[a] == d_.out_size[a]) index[a--] = 0;
      if (a < 0) break;
    }
  }

  const Desc &d_, &layer_;
  const Cut& cut_;
  const ConstView &x_, &grad_;
  const View& out_;
  T* sums_;  // [share][task]
  i64 x_end_, grad_end_;
  i64 unit_;  // lanes of a block
  i64 tasks_, size_;
  bool lanes_are_channels_;
};

const char* accepts(const Desc& d) {
  if (d.compute == DType::c64 || d.compute == DType::c128)
    return "it multiplies real numbers and integers only";
  for (int a = 0; a < d.rank; ++a)
    if (d.in_dilation[a] > 1) return "it reads no zeros between samples";
  if (d.has_bias || d.activation != Activation::none) return "gradients have no bias or activation";
  return check_types(d);
}

}  // namespace

extern const Kernel pixel_sum_kernel;
const Kernel pixel_sum_kernel = OfRealNumbers<PixelSum>::kernel("pixel_sum", accepts, false);

}  // namespace multiconv::MC_TARGET
