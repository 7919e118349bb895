// Weight gradients as a matrix product that lands where its result lies: rows are output channels,
// whose gradients are read in place, and lanes are pairs of an input channel and a tap, which are
// neighbours in the weights of layers whose channels come first:
//     out[o, (c, tap)] = sum over n, pixels of grad[n, o, pixel] * x[n, c, window(pixel)[tap]].
// Windows of a tile of pixels, turned into panels of vectors, stay in the caches while rows stream
// by. Tiles are dealt to a number of shares that the problem alone decides, and shares are added in
// order.
#include "kernels/panel_cut.hpp"
#include "kernels/uniform_step.hpp"

namespace multiconv::MC_TARGET {
namespace {

inline constexpr i64 kChunk = 128;          // rows that meet one panel after the other
inline constexpr double kSerial = 1 << 16;  // products

template <class T>
class PanelSum {
  static constexpr i64 lanes = kLanes<T>;

 public:
  static std::size_t scratch_bytes(const Desc& d, int threads) {
    const Desc layer = layer_of(d);
    const Cut cut = cut_for<T>(d, layer);
    return shared_bytes(d, cut) +
           static_cast<std::size_t>(threads) * (own_bytes(cut) + table_bytes(layer, cut));
  }

  static void run(const RunArgs& args) {
    const Desc layer = layer_of(args.desc);
    const Cut cut = cut_for<T>(args.desc, layer);
    const std::size_t bytes = shared_bytes(args.desc, cut);
    T* sums = bytes > 0 ? static_cast<T*>(thread_scratch(Slot::kernel, bytes)) : nullptr;
    const PanelSum job{args, layer, cut, sums};
    const bool parallel = work_of(args.desc) > kSerial;
    const i64 groups = args.desc.groups;
    args.pool.parallel_for(
        cut.shares * groups * cut.parts, [&](i64 t, int) { job.add_up(t); }, parallel);
    if (cut.shares == 1) return;
    args.pool.parallel_for(
        groups * args.desc.out_channels, [&](i64 r, int) { job.finish(r); }, parallel);
  }

 private:
  PanelSum(const RunArgs& args, const Desc& layer, const Cut& cut, T* sums)
      : d_(args.desc),
        layer_(layer),
        cut_(cut),
        x_(args.x),
        grad_(*static_cast<const ConstView*>(args.packed)),
        out_(args.out),
        sums_(sums) {
    const int last = d_.rank - 1;
    in_place_ = cut.taps == 1 && x_.strides[3 + last] == 1;
    i64 step = 1;
    for (int a = last; a >= 0; --a) {
      if (d_.pad_low[a] != 0 || layer.stride[a] != 1 || d_.kernel[a] > d_.in_size[a])
        in_place_ = false;
      if (d_.kernel[a] > 1 && grad_.strides[3 + a] != step) staged_ = true;
      step *= d_.kernel[a];
    }
    neighbours_ = (cut.taps == 1 || uniform_step(d_, d_.out_size, out_.strides + 3) == 1) &&
                  (d_.batch == 1 || out_.strides[0] == cut.taps);
  }

  static std::size_t shared_bytes(const Desc& d, const Cut& cut) {
    const i64 sums = cut.shares * d.groups * d.out_channels * cut.padded;
    return cut.shares == 1 ? 0 : static_cast<std::size_t>(sums) * sizeof(T);
  }

  // A set of panels, its channels' boxes, and a block's rows of gradients.
  static i64 set_room(const Cut& cut) { return min_of(cut.set * kVectors, cut.vectors) * cut.area; }
  static i64 box_room(const Cut& cut) { return cut.channels * cut.box.volume; }
  static std::size_t own_bytes(const Cut& cut) {
    const i64 numbers = set_room(cut) + box_room(cut) + kRows * cut.images * cut.pixels;
    return static_cast<std::size_t>(numbers) * sizeof(T);
  }

  static std::size_t table_bytes(const Desc& layer, const Cut& cut) {
    return tables_bytes(layer, cut.box) +
           static_cast<std::size_t>(cut.pixels + cut.taps) * sizeof(i64);
  }

  struct Tile {
    i64 group, share;
    bool begin;  // of the share
    i64 image, images, pixels;
    i64 first[kMaxRank], size[kMaxRank];
    Tables tables;
    i64* tap;   // where taps begin in a box
    i64* line;  // where lines begin, after the first sample of a row
    i64 lines, width;
    T* memory;
  };

  // One share of the tiles, for one part of a group's panels.
  void add_up(i64 task) const {
    char* table = static_cast<char*>(thread_scratch(Slot::table, table_bytes(layer_, cut_)));
    Tile t{};
    t.memory = static_cast<T*>(thread_scratch(Slot::tile, own_bytes(cut_)));
    t.group = task / cut_.parts % d_.groups;
    t.share = task / (cut_.parts * d_.groups);
    t.tap = reinterpret_cast<i64*>(table + tables_bytes(layer_, cut_.box));
    t.line = t.tap + cut_.taps;
    for (i64 k = 0; k < cut_.taps; ++k) t.tap[k] = tap_offset(layer_, cut_.box, k);
    const i64 part = task % cut_.parts, past = cut_.panels * (part + 1) / cut_.parts;
    const i64 first = cut_.jobs * t.share / cut_.shares;
    for (i64 j = first; j < cut_.jobs * (t.share + 1) / cut_.shares; ++j) {
      t.begin = j == first;
      lay(j, table, t);
      for (i64 p = cut_.panels * part / cut_.parts; p < past; p += cut_.set) {
        const i64 q = min_of(p + cut_.set, past);
        fill_set(t, first_vector(p), first_vector(q));
        for (i64 o = 0; o < d_.out_channels; o += kChunk)
          for (i64 i = p; i < q; ++i)
            multiply(t, i, o, t.memory + (first_vector(i) - first_vector(p)) * cut_.area);
      }
    }
  }

  i64 first_vector(i64 panel) const { return cut_.vectors * panel / cut_.panels; }

  void lay(i64 job, char* table, Tile& t) const {
    t.image = job / cut_.box.tiles * cut_.images;
    t.images = min_of(cut_.images, d_.in_channels - t.image);
    tile_origin(layer_, cut_.box, job % cut_.box.tiles, t.first, t.size);
    make_tables(layer_, cut_.box, t.first, table, t.tables);
    const i64* pitch = in_place_ ? x_.strides + 3 : cut_.box.pitch;
    int a = d_.rank - 1;  // lines that follow each other are one
    for (t.width = t.size[a]; a > 0 && (t.size[a - 1] == 1 || pitch[a - 1] == t.width); --a)
      t.width *= t.size[a - 1];
    t.lines = 1;
    for (int b = 0; b < a; ++b) t.lines *= t.size[b];
    t.pixels = t.lines * t.width;
    for (i64 l = 0; l < t.lines; ++l) {
      t.line[l] = 0;
      for (i64 b = a - 1, rest = l; b >= 0; rest /= t.size[b--])
        t.line[l] += rest % t.size[b] * pitch[b];
    }
  }

  // Vectors [v, past) of the tile's pixels; lanes beyond the last repeat it.
  void fill_set(const Tile& t, i64 v, i64 past) const {
    const i64 lane = v * lanes, end = min_of(past * lanes, cut_.width);
    const i64 channel = lane / cut_.taps, channels = (end - 1) / cut_.taps + 1 - channel;
    T* boxes = t.memory + set_room(cut_);
    const T* x = static_cast<const T*>(x_.data) + channel * x_.strides[0] + t.group * x_.strides[1];
    for (int a = 0; in_place_ && a < d_.rank; ++a) x += t.first[a] * x_.strides[3 + a];
    const i64 apart = in_place_ ? x_.strides[0] : cut_.box.volume;
    for (i64 i = 0; i < t.images; ++i) {
      const T* image = x + (t.image + i) * x_.strides[2];
      for (i64 c = 0; !in_place_ && c < channels; ++c)
        gather(layer_, cut_.box, t.tables, image + c * x_.strides[0], x_.strides + 3,
               boundary_value<T>(d_, 0), boxes + c * apart);
      const T* from = in_place_ ? image : boxes;
      T* to = t.memory + i * t.pixels * lanes;
      for (i64 tap = lane % cut_.taps, left = end - lane, u = v; u < past; ++u, to += cut_.area) {
        const T* row[lanes];
        for (i64 l = 0; l < lanes; ++l) {
          row[l] = from + (in_place_ ? 0 : t.tap[tap]);
          if (--left <= 0 || ++tap < cut_.taps) continue;
          tap = 0;
          from += apart;
        }
        for (i64 l = 0; l < t.lines; ++l)
          turn<T>(row, t.line[l], t.width, in_place_ ? 0 : lanes, to + l * t.width * lanes);
      }
    }
  }

  // kChunk output channels from o on times one panel.
  void multiply(const Tile& t, i64 number, i64 o, const T* panel) const {
    const i64 vectors = first_vector(number + 1) - first_vector(number);
    const i64 lane = first_vector(number) * lanes, past = min_of(o + kChunk, d_.out_channels);
    i64 place[kVectors * lanes];
    Sums<T> to{nullptr, cut_.padded, 0, vectors * lanes, nullptr, t.begin};
    T* sums = sums_ + (t.share * d_.groups + t.group) * d_.out_channels * cut_.padded + lane;
    if (cut_.shares == 1) {
      sums = static_cast<T*>(out_.data) + t.group * out_.strides[1];
      to.row = out_.strides[2];
      to.lanes = min_of(vectors * lanes, cut_.width - lane);
      if (neighbours_) sums += lane;
      if (!neighbours_) to.place = place;
      for (i64 l = 0; !neighbours_ && l < to.lanes; ++l) place[l] = place_of_lane(lane + l);
    }
    const i64* s = grad_.strides;
    const T* grad = static_cast<const T*>(grad_.data) + t.group * s[0] + t.image * s[2];
    for (int a = 0; a < d_.rank; ++a) grad += t.first[a] * s[3 + a];
    Rows<T> rows{{}, staged_ ? t.pixels : s[2], t.images, t.pixels, staged_ ? 0 : kRows * s[1]};
    for (; o < past; o += kRows) {
      to.first = sums + o * to.row;
      to.rows = min_of(kRows, past - o);
      for (int m = 0; m < kRows; ++m) {
        rows.row[m] = grad + min_of(o + m, past - 1) * s[1];
        if (staged_) rows.row[m] = stage(t, rows.row[m], m);
      }
      block_of(vectors, rows, panel, cut_.area, to);
    }
  }

  // A row's gradients as neighbours.
  const T* stage(const Tile& t, const T* from, int m) const {
    T* const row = t.memory + set_room(cut_) + box_room(cut_) + m * cut_.images * cut_.pixels;
    const i64 width = t.size[d_.rank - 1], lines = t.pixels / width;
    const i64 step = grad_.strides[2 + d_.rank];
    T* to = row;
    for (i64 i = 0; i < t.images; ++i)
      for (i64 line = 0; line < lines; ++line, to += width) {
        i64 at = i * grad_.strides[2];
        for (i64 a = d_.rank - 2, rest = line; a >= 0; rest /= t.size[a--])
          at += rest % t.size[a] * grad_.strides[3 + a];
        if (step == 1)
          __builtin_memcpy(to, from + at, static_cast<std::size_t>(width) * sizeof(T));
        else
          for (i64 q = 0; q < width; ++q) to[q] = from[at + q * step];
      }
    return row;
  }

  i64 place_of_lane(i64 lane) const {
    i64 at = lane / cut_.taps * out_.strides[0];
    for (i64 a = d_.rank - 1, tap = lane % cut_.taps; a >= 0; tap /= d_.out_size[a--])
      at += tap % d_.out_size[a] * out_.strides[3 + a];
    return at;
  }

  // Adds the shares of one output channel, first to last, and writes its sums.
  void finish(i64 row) const {
    const i64 all = d_.groups * d_.out_channels * cut_.padded;
    T* out = static_cast<T*>(out_.data) + row / d_.out_channels * out_.strides[1] +
             row % d_.out_channels * out_.strides[2];
    for (i64 l = 0; l < cut_.padded; l += lanes) {
      const T* from = sums_ + row * cut_.padded + l;
      Vec<T> sum = load(from);
      for (i64 s = 1; s < cut_.shares; ++s) sum += load(from + s * all);
      if (neighbours_ && l + lanes <= cut_.width) {
        store(out + l, sum);
        continue;
      }
      T part[lanes];
      store(part, sum);
      for (i64 i = 0; i < min_of(lanes, cut_.width - l); ++i) out[place_of_lane(l + i)] = part[i];
    }
  }

  const Desc &d_, &layer_;
  const Cut& cut_;
  const ConstView &x_, &grad_;
  const View& out_;
  T* sums_;              // [share][group][output channel][lane], where there are shares
  bool in_place_;        // windows are samples that lie in rows: panels are turned from there
  bool staged_ = false;  // gradients of a tile are no neighbours
  bool neighbours_;      // lanes are, in the result
};

const char* accepts(const Desc& d) {
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it sums real floats only";
  if (d.x_type != d.compute || d.out_type != d.compute) return "what is stored is not computed in";
  for (int a = 0; a < d.rank; ++a)
    if (d.in_dilation[a] > 1) return "it reads no zeros between samples";
  if (d.flip || d.has_bias || d.activation != Activation::none)
    return "gradients have no bias or activation, and are not flipped";
  return nullptr;
}

std::size_t packed_bytes(const Desc&) { return sizeof(ConstView); }

// The kernel is the gradient at a layer's output, as large as the data: it is read where it lies.
void pack(const Desc&, const ConstView& w, void* packed) { *static_cast<ConstView*>(packed) = w; }

std::size_t scratch_bytes(const Desc& d, int threads) {
  return d.compute == DType::f32 ? PanelSum<float>::scratch_bytes(d, threads)
                                 : PanelSum<double>::scratch_bytes(d, threads);
}

void run(const RunArgs& args) {
  args.desc.compute == DType::f32 ? PanelSum<float>::run(args) : PanelSum<double>::run(args);
}

}  // namespace

extern const Kernel panel_sum_kernel;
const Kernel panel_sum_kernel = {"panel_sum", accepts, packed_bytes, pack, scratch_bytes, run};

}  // namespace multiconv::MC_TARGET
