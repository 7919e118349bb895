// Slopes down and to the right as a length and a direction, whole vectors at a time.
#pragma once

#include "simd/root.hpp"

namespace multiconv::MC_TARGET {

template <class T>
MC_INLINE Vec<T> length_of(Vec<T> down, Vec<T> right) {
  return root<T>(down * down + right * right);
}

// t times this polynomial in t^2 is the arc tangent in degrees for |t| <= tan(22.5 degrees), off
// by 6e-10 (float) and 1.2e-18 (double) of itself: minimax fits by Remez' exchange.
template <class T>
inline constexpr double kArc[6] = {57.295779478515186487, -19.098578441782538537,
                                   11.458134290907857749, -8.158966588878010077,
                                   6.058157817318566034,  -3.4576804517152446882};
template <>
inline constexpr double kArc<double>[12] = {
    57.295779513082320808, -19.098593171027323288, 11.459155902583654254, -8.1851113554037718241,
    6.366197518305632716,  -5.2087003119155605921, 4.407219369197445057,  -3.8176122994940300778,
    3.3501688761097770168, -2.8855703705886798909, 2.1768884449292739677, -1.0219087896965845598};

// Degrees from the right, counter-clockwise with rows running downwards; 0 where both are 0, and
// within 3 units in the last place of 180 of the true angle.
template <class T>
MC_INLINE Vec<T> direction_of(Vec<T> down, Vec<T> right) {
  const Vec<T> up = T(0) - down;
  const Vec<T> height = up < T(0) ? -up : up, width = right < T(0) ? -right : right;
  const Vec<T> less = height > width ? width : height, more = height > width ? height : width;
  const Vec<T> far = more * T(0.41421356237309504880);
  const Vec<T> over = less > far ? less - more : less;
  const Vec<T> under = less > far ? less + more : more;
  const Vec<T> t = over / (under == T(0) ? splat(T(1)) : under), z = t * t;
  constexpr int terms = sizeof(kArc<T>) / sizeof(double);
  Vec<T> sum = splat(static_cast<T>(kArc<T>[terms - 1]));
#pragma GCC unroll 12
  for (int i = terms - 2; i >= 0; --i) sum = sum * z + static_cast<T>(kArc<T>[i]);
  Vec<T> angle = t * sum;
  angle = less > far ? angle + T(45) : angle;
  angle = height > width ? T(90) - angle : angle;
  angle = right < T(0) ? T(180) - angle : angle;
  return up < T(0) ? -angle : angle;
}

}  // namespace multiconv::MC_TARGET
