// Layers that follow one another, computed together for a few rows at a time (depth first): what
// lies between two of them is in the cache of the thread that reads it, and never a whole image.
//
// A thread takes neighbouring rows of the last layer's results, band by band from above, and before
// each band the rows that it needs of the layers before. Rows that two bands need are kept; those
// that two threads need are computed by both.
#pragma once

#include <cstddef>
#include <vector>

#include "base/kernel.hpp"

namespace multiconv {

struct Stage {
  const Kernel& kernel;
  const RunArgs& args;
};

class Cascade {
 public:
  // Stages, and what their arguments refer to, outlive it; each reads what the one before it
  // writes, which is never written. The first spatial axis is that of rows; `rows` of the last
  // stage's are a band. Throws std::invalid_argument where stages do not follow one another, or
  // kernels cannot be run for some of the rows.
  Cascade(std::vector<Stage> stages, i64 rows);

  void run() const;

 private:
  struct Between;  // rows of a stage's results that are in memory
  struct Range {
    i64 begin, end;
  };

  void check(std::size_t stage) const;
  Range input_rows(std::size_t stage, Range outputs) const;
  void run_rows(i64 image, Range rows) const;
  void run_band(i64 image, Range rows, std::vector<Between>& between) const;
  void run_stage(std::size_t stage, i64 image, Range rows, std::vector<Between>& between) const;

  std::vector<Stage> stages_;
  i64 rows_;
  std::vector<i64> row_bytes_, room_;  // of each stage's results; how many rows fit
  std::size_t thread_bytes_ = 0;       // beyond kernels' scratch
};

}  // namespace multiconv
