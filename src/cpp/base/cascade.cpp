#include "base/cascade.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/scratch.hpp"

namespace multiconv {
namespace {

constexpr int kRowAxis = 3;  // of the canonical view

i64 item_bytes(const Desc& d) { return d.compute == DType::f64 ? 8 : 4; }

std::size_t aligned(i64 bytes) {
  const std::size_t whole = (static_cast<std::size_t>(bytes) + kAlign - 1) / kAlign * kAlign;
  return whole + kAlign;  // vectors may be read past the end
}

// Elements from one channel to the next, counted over all groups; 0 where they lie unevenly.
i64 channel_step(i64 groups, i64 channels, const i64* strides) {
  if (channels == 1) return strides[1];
  return groups == 1 || strides[1] == channels * strides[2] ? strides[2] : 0;
}

// Rows of the input under one window.
i64 window(const Desc& d) { return (d.kernel[0] - 1) * d.dilation[0] + 1; }

const char* refusal(const Desc& d) {
  if (d.rank < 1) return "there are no rows";
  if (d.compute != DType::f32 && d.compute != DType::f64) return "it takes real numbers";
  if (d.x_type != d.compute || d.out_type != d.compute) return "it converts no numbers";
  if (d.boundary[0] != Boundary::constant) return "rows beyond the border have to be constant";
  if (d.in_dilation[0] != 1) return "it takes no input dilation";
  const i64 last = (d.out_size[0] - 1) * d.stride[0] - d.pad_low[0];
  if (d.pad_low[0] >= window(d) || last >= d.in_size[0]) return "a window lies beyond the border";
  return nullptr;
}

}  // namespace

struct Cascade::Between {
  char* data;
  i64 first, end;  // rows
};

Cascade::Cascade(std::vector<Stage> stages, i64 rows) : stages_(std::move(stages)), rows_(rows) {
  if (stages_.empty() || rows < 1) throw std::invalid_argument("stages, rows: at least 1");
  for (std::size_t s = 0; s < stages_.size(); ++s) check(s);
  row_bytes_.resize(stages_.size());
  room_.resize(stages_.size());
  i64 needed = rows;
  for (std::size_t s = stages_.size() - 1; s > 0; --s) {
    const Desc& d = stages_[s].args.desc;
    const View& from = stages_[s - 1].args.out;
    needed = std::min((needed - 1) * d.stride[0] + window(d), d.in_size[0]);
    room_[s - 1] = needed;
    row_bytes_[s - 1] = from.strides[kRowAxis] * item_bytes(d);
    thread_bytes_ += aligned(needed * row_bytes_[s - 1]);
  }
}

void Cascade::check(std::size_t stage) const {
  const RunArgs& args = stages_[stage].args;
  const Desc& d = args.desc;
  if (const char* reason = refusal(d))
    throw std::invalid_argument(std::string("stages: ") + reason);
  if (stage == 0) return;
  const RunArgs& before = stages_[stage - 1].args;
  const Desc& b = before.desc;
  const i64 step = channel_step(d.groups, d.in_channels, args.x.strides);
  bool follows = args.x.data == before.out.data && d.rank == b.rank && d.batch == b.batch &&
                 d.compute == b.compute && d.groups * d.in_channels == b.groups * b.out_channels &&
                 step != 0 && step == channel_step(b.groups, b.out_channels, before.out.strides);
  for (int a = 0; a < d.rank; ++a)
    follows = follows && d.in_size[a] == b.out_size[a] &&
              args.x.strides[kRowAxis + a] == before.out.strides[kRowAxis + a];
  // Rows that are whole pieces of memory, one after the other.
  for (int a = 1; a < d.rank; ++a)
    follows =
        follows && before.out.strides[kRowAxis] >= b.out_size[a] * before.out.strides[kRowAxis + a];
  follows = follows && (!d.has_residual || args.residual.data != before.out.data);
  if (!follows) throw std::invalid_argument("stages: one does not read what the other writes");
}

Cascade::Range Cascade::input_rows(std::size_t stage, Range outputs) const {
  const Desc& d = stages_[stage].args.desc;
  const i64 begin = outputs.begin * d.stride[0] - d.pad_low[0];
  const i64 end = (outputs.end - 1) * d.stride[0] - d.pad_low[0] + window(d);
  return {std::max<i64>(begin, 0), std::min(end, d.in_size[0])};
}

void Cascade::run() const {
  const RunArgs& last = stages_.back().args;
  const i64 height = last.desc.out_size[0], rows = last.desc.batch * height;
  const i64 shares = std::min<i64>(last.pool.num_threads(), rows);
  last.pool.parallel_for(shares, [&](i64 share, int) {
    const i64 end = rows * (share + 1) / shares;
    for (i64 row = rows * share / shares; row < end;) {
      const i64 image = row / height, first = row % height;
      const i64 count = std::min(height - first, end - row);
      run_rows(image, {first, first + count});
      row += count;
    }
  });
}

// Neighbouring rows of an image, in bands of nearly equal size.
void Cascade::run_rows(i64 image, Range rows) const {
  char* memory = static_cast<char*>(thread_scratch(Slot::rows, thread_bytes_));
  std::vector<Between> between(stages_.size());
  for (std::size_t s = 0; s + 1 < stages_.size(); ++s) {
    between[s] = {memory, 0, 0};
    memory += aligned(room_[s] * row_bytes_[s]);
  }
  for (i64 bands = (rows.end - rows.begin + rows_ - 1) / rows_; bands > 0; --bands) {
    const i64 end = rows.begin + (rows.end - rows.begin + bands - 1) / bands;
    run_band(image, {rows.begin, end}, between);
    rows.begin = end;
  }
}

void Cascade::run_band(i64 image, Range rows, std::vector<Between>& between) const {
  std::vector<Range> missing(stages_.size());
  missing.back() = rows;
  for (std::size_t s = stages_.size() - 1; s > 0; --s) {
    Between& kept = between[s - 1];
    missing[s - 1] = {kept.end, kept.end};
    if (missing[s].begin == missing[s].end) continue;
    const Range needed = input_rows(s, missing[s]);
    if (kept.end <= needed.begin) {
      kept.first = kept.end = needed.begin;
    } else if (needed.end - kept.first > room_[s - 1]) {
      const i64 bytes = row_bytes_[s - 1];
      std::memmove(kept.data, kept.data + (needed.begin - kept.first) * bytes,
                   static_cast<std::size_t>((kept.end - needed.begin) * bytes));
      kept.first = needed.begin;
    }
    missing[s - 1] = {kept.end, std::max(kept.end, needed.end)};
    kept.end = missing[s - 1].end;
  }
  for (std::size_t s = 0; s < stages_.size(); ++s)
    if (missing[s].begin != missing[s].end) run_stage(s, image, missing[s], between);
}

void Cascade::run_stage(std::size_t stage, i64 image, Range rows,
                        std::vector<Between>& between) const {
  const RunArgs& args = stages_[stage].args;
  const i64 item = item_bytes(args.desc);
  const Range input = input_rows(stage, rows);
  Desc d = args.desc;
  d.batch = 1;
  d.out_size[0] = rows.end - rows.begin;
  d.in_size[0] = input.end - input.begin;
  d.pad_low[0] += input.begin - rows.begin * d.stride[0];
  RunArgs part{d, args.packed, args.x, args.bias, args.out, args.pool, args.scale, args.residual};
  const auto moved = [&](const void* data, const i64* strides, i64 row) {
    return static_cast<const char*>(data) + (image * strides[0] + row * strides[kRowAxis]) * item;
  };
  if (stage == 0)
    part.x.data = moved(args.x.data, args.x.strides, input.begin);
  else
    part.x.data =
        between[stage - 1].data + (input.begin - between[stage - 1].first) * row_bytes_[stage - 1];
  if (stage + 1 == stages_.size())
    part.out.data = const_cast<char*>(moved(args.out.data, args.out.strides, rows.begin));
  else
    part.out.data = between[stage].data + (rows.begin - between[stage].first) * row_bytes_[stage];
  if (d.has_residual)
    part.residual.data = moved(args.residual.data, args.residual.strides, rows.begin);
  stages_[stage].kernel.run(part);
}

}  // namespace multiconv
