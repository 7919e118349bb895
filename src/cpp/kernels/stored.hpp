// The types that data are stored in: read into the type that is computed in, and written back.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/boundary.hpp"
#include "base/desc.hpp"
#include "simd/brain_float.hpp"

namespace multiconv::MC_TARGET {

template <class T>
inline constexpr bool is_float = T(0.5) != T(0);
template <>
inline constexpr bool is_float<BrainFloat> = true;

// Adding and taking away this rounds a float to a whole number, half to even.
template <class T>
inline constexpr T kRounder = sizeof(T) == 4 ? T(12582912.0) : T(6755399441055744.0);

// A sum as it is stored: integers are cut to the width, floats become whole numbers within the
// bounds of the type, and NaN 0.
template <class Out, class T>
MC_INLINE Out narrowed(T x) {
  if constexpr (is_float<T> && !is_float<Out>) {
    constexpr bool is_signed = Out(-1) < Out(0);
    constexpr T high = T((1 << (8 * sizeof(Out) - is_signed)) - 1), low = is_signed ? -high - 1 : 0;
    x = x == x ? x : T(0);
    x = x > low ? x : low;
    x = x < high ? x : high;
    return static_cast<Out>(static_cast<std::int32_t>((x + kRounder<T>)-kRounder<T>));
  } else {
    return static_cast<Out>(x);
  }
}

// Calls `f` with the data as an array of the type that they are stored in.
template <class T, class F>
MC_INLINE auto as_stored(DType type, const void* data, F&& f) {
  if constexpr (is_float<T> || sizeof(T) == 4) {
    switch (type) {
      case DType::i8:
        return f(static_cast<const std::int8_t*>(data));
      case DType::u8:
        return f(static_cast<const std::uint8_t*>(data));
      case DType::i16:
        return f(static_cast<const std::int16_t*>(data));
      case DType::u16:
        return f(static_cast<const std::uint16_t*>(data));
      default:
        break;
    }
  }
  return f(static_cast<const T*>(data));
}

// The same for results. What only cuts bits off need not tell signs.
template <class T, class F>
MC_INLINE auto as_stored(DType type, void* data, F&& f) {
  if constexpr (is_float<T> || sizeof(T) == 4) {
    switch (type) {
      case DType::i8:
        if constexpr (is_float<T>) return f(static_cast<std::int8_t*>(data));
        [[fallthrough]];
      case DType::u8:
        return f(static_cast<std::uint8_t*>(data));
      case DType::i16:
        if constexpr (is_float<T>) return f(static_cast<std::int16_t*>(data));
        [[fallthrough]];
      case DType::u16:
        return f(static_cast<std::uint16_t*>(data));
      default:
        break;
    }
  }
  return f(static_cast<T*>(data));
}

// The same where floats may be stored as bfloat16, too: few kernels read and write that.
template <class T, class Data, class F>
MC_INLINE auto as_stored_or_brain(DType type, Data* data, F&& f) {
  if constexpr (std::is_same_v<T, float>)
    if (type == DType::bf16) {
      if constexpr (std::is_const_v<Data>)
        return f(static_cast<const BrainFloat*>(data));
      else
        return f(static_cast<BrainFloat*>(data));
    }
  return as_stored<T>(type, data, f);
}

MC_INLINE int bytes_of_integer(DType t) {
  switch (t) {
    case DType::i8:
    case DType::u8:
      return 1;
    case DType::i16:
    case DType::u16:
      return 2;
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::i64:
    case DType::u64:
      return 8;
    default:
      return 0;
  }
}

// Whether numbers of a stored type are those that are computed with.
template <class T>
MC_INLINE bool stored_as(DType t) {
  return t == DType::f32 || t == DType::f64 || bytes_of_integer(t) == sizeof(T);
}

// Whether as_stored() knows the type.
MC_INLINE bool can_store(DType t, DType compute) {
  const int bytes = bytes_of_integer(t);
  switch (compute) {
    case DType::u32:
      return bytes > 0 && bytes <= 4;
    case DType::u64:
      return bytes == 8;
    case DType::f32:
    case DType::f64:
      return t == compute || bytes == 1 || bytes == 2;
    default:
      return t == compute;
  }
}

// Null where what is stored fits what is computed in.
MC_INLINE const char* check_types(const Desc& d) {
  return can_store(d.x_type, d.compute) && can_store(d.out_type, d.compute)
             ? nullptr
             : "what is stored does not fit the type it computes in";
}

}  // namespace multiconv::MC_TARGET
