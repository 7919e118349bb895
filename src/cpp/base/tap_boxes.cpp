#include "base/tap_boxes.hpp"

#include <cstring>

namespace multiconv {
namespace {

class Cutter {
 public:
  Cutter(const void* taps, int rank, const i64* size, const i64* strides, std::size_t item,
         TapBox* boxes)
      : taps_(static_cast<const char*>(taps)),
        rank_(rank),
        size_(size),
        strides_(strides),
        item_(item),
        boxes_(boxes) {}

  // The first tap in memory's order that no box holds yet begins the next one.
  i64 run() {
    i64 at[kMaxRank] = {};
    const int last = rank_ - 1;
    while (at[0] < size_[0]) {
      const TapBox* holder = holder_of(at);
      if (holder == nullptr) {
        if (count_ == kMostTapBoxes) return count_ + 1;
        grow(at);
        holder = boxes_ + count_++;
      }
      at[last] = holder->begin[last] + holder->size[last];
      for (int a = last; a > 0 && at[a] == size_[a]; --a) {
        at[a] = 0;
        ++at[a - 1];
      }
    }
    return count_;
  }

 private:
  const TapBox* holder_of(const i64* at) const {
    for (const TapBox* b = boxes_; b < boxes_ + count_; ++b) {
      bool inside = true;
      for (int a = 0; a < rank_; ++a)
        inside = inside && at[a] >= b->begin[a] && at[a] < b->begin[a] + b->size[a];
      if (inside) return b;
    }
    return nullptr;
  }

  bool is_free(const TapBox& box) const {
    for (const TapBox* b = boxes_; b < boxes_ + count_; ++b) {
      bool meet = true;
      for (int a = 0; a < rank_; ++a)
        meet = meet && box.begin[a] < b->begin[a] + b->size[a] &&
               b->begin[a] < box.begin[a] + box.size[a];
      if (meet) return false;
    }
    return true;
  }

  // As far as it goes along the last axis, then along the one before it, and so on.
  void grow(const i64* at) {
    TapBox& box = boxes_[count_];
    const char* tap = taps_;
    for (int a = 0; a < rank_; ++a) {
      box.begin[a] = at[a];
      box.size[a] = 1;
      tap += at[a] * strides_[a];
    }
    for (int a = rank_ - 1; a >= 0; --a) {
      TapBox next = box;
      next.size[a] = 1;
      for (i64 i = at[a] + 1; i < size_[a]; ++i) {
        next.begin[a] = i;
        const char* from = tap + (i - at[a]) * strides_[a];
        if (!is_free(next) || !all_equal(from, next, 0, tap)) break;
        ++box.size[a];
      }
    }
  }

  bool all_equal(const char* from, const TapBox& box, int axis, const char* tap) const {
    if (axis == rank_) return std::memcmp(from, tap, item_) == 0;
    for (i64 i = 0; i < box.size[axis]; ++i)
      if (!all_equal(from + i * strides_[axis], box, axis + 1, tap)) return false;
    return true;
  }

  const char* taps_;
  int rank_;
  const i64 *size_, *strides_;
  std::size_t item_;
  TapBox* boxes_;
  i64 count_ = 0;
};

}  // namespace

i64 cut_into_boxes(const void* taps, int rank, const i64* size, const i64* strides,
                   std::size_t item, TapBox* boxes) {
  return Cutter(taps, rank, size, strides, item, boxes).run();
}

}  // namespace multiconv
