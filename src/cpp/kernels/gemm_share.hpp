// Shares the tasks of a layer among threads; windows of single samples become one line of pixels.
#pragma once

#include "kernels/gemm_cut.hpp"

namespace multiconv::MC_TARGET {
namespace {

// Whether each output reads the sample at its own place.
MC_INLINE bool is_pointwise(const Desc& d) {
  for (int a = 0; a < d.rank; ++a)
    if (d.kernel[a] != 1 || d.stride[a] != 1 || d.pad_low[a] != 0 || d.in_dilation[a] != 1 ||
        d.in_size[a] != d.out_size[a])
      return false;
  return true;
}

// All pixels as one line.
MC_INLINE Desc in_line(const Desc& d) {
  Desc line = d;
  line.rank = 1;
  line.in_size[0] = line.out_size[0] = outputs_of(d);
  line.kernel[0] = line.stride[0] = line.dilation[0] = line.in_dilation[0] = 1;
  line.pad_low[0] = 0;
  return line;
}

// Calls f(arguments, whether they are a line of pixels).
template <class F>
void as_line(const RunArgs& args, F&& f) {
  const Desc& d = args.desc;
  const i64 x_step = uniform_step(d, d.in_size, args.x.strides + 3);
  const i64 out_step = uniform_step(d, d.out_size, args.out.strides + 3);
  const i64 residual_step = uniform_step(d, d.out_size, args.residual.strides + 3);
  const bool lines = x_step != 0 && out_step != 0 && (!d.has_residual || residual_step != 0);
  if (!is_pointwise(d) || !lines) return f(args, false);
  const Desc line = in_line(d);
  RunArgs same = {line,     args.packed, args.x,     args.bias,
                  args.out, args.pool,   args.scale, args.residual};
  same.x.strides[3] = x_step;
  same.out.strides[3] = out_step;
  same.residual.strides[3] = residual_step;
  f(same, true);
}

template <class Way, class... Form>
void share(const RunArgs& args, Reads reads, const Form&... form) {
  const Desc& d = args.desc;
  const int threads = args.pool.num_threads();
  const Cut cut = Way::cut(d, tasks_for(d, threads), threads, reads);
  args.pool.parallel_for(
      Task::count(d, cut), [&](i64 number, int) { Way::run(Task(args, cut, number), form...); },
      work_of(d) > kWork / 4);
}

// Bytes of a thread, wherever windows are read.
template <class Way>
i64 most_scratch(const Desc& d, int threads) {
  const i64 tasks = tasks_for(d, threads);
  i64 most = 0;
  for (const Reads reads : {Reads::copy, Reads::input})
    most = max_of(most, Way::scratch_bytes(d, Way::cut(d, tasks, threads, reads)));
  return most;
}

}  // namespace
}  // namespace multiconv::MC_TARGET
