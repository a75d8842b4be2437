// quantizeLinear and dequantizeLinear against plain loops: blocks in any axis, all types.
// SPDX-License-Identifier: MIT
#include "../run/arrays.hpp"

using namespace tenon_test;
using namespace tenon;

namespace {

constexpr tensor of(type t, shape s) { return {t, s}; }
template <class Op> constexpr error fault(tensor x, tensor scale, tensor zero) {
  const tensor in[] = {x, scale, zero};
  return Op::infer({}, {in, 3}).error();
}
constexpr error refused(tensor x, tensor scale, tensor zero) { return fault<quantizeLinear_t>(x, scale, zero); }
constexpr error back(tensor x, tensor scale, tensor zero) { return fault<dequantizeLinear_t>(x, scale, zero); }
constexpr tensor signs(shape s) { return {type::int8, s}; }
constexpr tensor halves_of(shape s) { return {type::float16, s}; }

static_assert(refused(floats(4, 6), floats(2, 3), signs(extents(2, 3))).ok());
static_assert(refused(floats(), floats(), signs({})).ok());
static_assert(refused(floats(4, 6), floats(3), signs(extents(3))).is(code::rank, "quantizeLinear"));
static_assert(refused(floats(4, 6), floats(1, 3), signs(extents(3))).is(code::rank, "quantizeLinear"));
static_assert(refused(floats(4, 6), floats(1, 3), signs(extents(1, 1))).is(code::extent, "quantizeLinear"));
static_assert(refused(floats(4, 6), floats(1, 4), signs(extents(1, 4))).is(code::broadcast, "quantizeLinear"));
static_assert(refused(floats(1, 6), floats(2, 6), signs(extents(2, 6))).is(code::broadcast, "quantizeLinear"));
static_assert(refused(floats(4), halves_of(extents(1)), signs(extents(1))).is(code::element_type, "quantizeLinear"));
static_assert(refused(signs(extents(4)), floats(1), signs(extents(1))).is(code::element_type, "quantizeLinear"));
static_assert(refused(floats(4), floats(1), of(type::int64, extents(1))).is(code::element_type, "quantizeLinear"));
static_assert(back(signs(extents(4)), halves_of(extents(2)), signs(extents(2))).ok());
static_assert(back(signs(extents(4)), floats(1), of(type::uint8, extents(1))).is(code::element_type, "dequantizeLinear"));
static_assert(back(of(type::int64, extents(4)), floats(1), of(type::int64, extents(1))).is(code::element_type, "dequantizeLinear"));
static_assert(back(signs(extents(4)), signs(extents(1)), signs(extents(1))).is(code::element_type, "dequantizeLinear"));
static_assert(back(signs(extents(4, 4)), floats(4, 3), signs(extents(4, 3))).is(code::broadcast, "dequantizeLinear"));

/// The number of the element of `small` whose block a position of `whole` is in.
i64 block_number(const shape& small, const shape& whole, const i64* at) {
  i64 n = 0;
  for (int k = 0; k < small.rank; ++k) n = n * small[k] + at[k] / (whole[k] / small[k]);
  return n;
}
double least_of(type t) { return t == type::int8 ? -128 : t == type::int32 ? -2147483648.0 : 0; }
double most_of(type t) { return t == type::int8 ? 127 : t == type::uint8 ? 255 : t == type::int32 ? 2147483647.0 : 4294967295.0; }
/// A positive number of the type, not far from 1.
array scales(const tensor& t, dice& d) {
  return made(t, [&](i64) {
    const float x = std::ldexp(1.0f + static_cast<float>(d.in(0, 1023)) / 1024.0f, d.in(-6, 3));
    return static_cast<double>(t.type == type::float16 ? static_cast<float>(float16(x)) : x);
  });
}
double quantized_by_hand(double x, double scale, double zero, type t) {
  const float q = static_cast<float>(x) / static_cast<float>(scale);
  if (q != q) return least_of(t);
  // Below 2^52 the sum is exact; the order of both roundings is that of the definition.
  const double y = t == type::int8 || t == type::uint8 ? static_cast<double>(std::nearbyintf(q) + static_cast<float>(zero))
                                                       : static_cast<double>(std::nearbyintf(q)) + zero;
  return std::min(std::max(y, least_of(t)), most_of(t));
}
double number_by_hand(double x, double scale, double zero, type real) {
  const float y = (static_cast<float>(x) - static_cast<float>(zero)) * static_cast<float>(scale);
  return static_cast<double>(real == type::float16 ? static_cast<float>(float16(y)) : y);
}

constexpr type integers[] = {type::int8, type::uint8, type::int32, type::uint32};
struct drawn {
  shape whole{}, small{};
  type real = type::float32, stands = type::int8;
};
/// A shape, and one whose extents divide its.
drawn draw(dice& d, int most_rank = 5) {
  drawn r;
  r.small = random_shape(d, d.in(0, most_rank), 3);
  r.whole = r.small;
  for (int i = 0; i < r.whole.rank; ++i) r.whole.extent[i] *= d.in(0, 2) == 0 ? 1 : d.in(1, most_rank > 5 ? 2 : 4);
  r.real = d.in(0, 1) ? type::float32 : type::float16;
  r.stands = integers[d.in(0, 3)];
  return r;
}

}  // namespace

TEST_CASE("quantizeLinear rounds to even and stays inside of its type") {
  for (int round = 0; round < times(60); ++round) {
    dice d = dice_of(9001, round);
    const drawn t = draw(d);
    array x = random_array({t.real, t.whole}, d);
    for (double& v : x.at) {
      v = static_cast<double>(static_cast<float>(v * (d.in(0, 3) == 0 ? 1e3 : 40)));
      if (t.real == type::float16) v = static_cast<double>(static_cast<float>(float16(static_cast<float>(v))));
      const int special = d.in(0, 40);
      if (special < 3) v = special == 0 ? not_a_number : special == 1 ? infinite : -infinite;
    }
    const array scale = scales({t.real, t.small}, d), zero = random_array({t.stands, t.small}, d);
    const array found = operate<quantizeLinear_t>({}, {x, scale, zero});
    array wanted = zeros({t.stands, t.whole});
    each_position(t.whole, [&](const i64* at, i64 n) {
      const i64 k = block_number(t.small, t.whole, at);
      wanted[n] = quantized_by_hand(x[n], scale[k], zero[k], t.stands);
    });
    INFO(text_of(t.whole) << " by " << text_of(t.small) << ", " << name_of(t.real) << " to " << name_of(t.stands));
    CHECK(difference(wanted, found) == "");
  }
}

TEST_CASE("dequantizeLinear multiplies after subtracting") {
  for (int round = 0; round < times(60); ++round) {
    dice d = dice_of(9011, round);
    const drawn t = draw(d);
    const array x = random_array({t.stands, t.whole}, d), scale = scales({t.real, t.small}, d), zero = random_array({t.stands, t.small}, d);
    const array found = operate<dequantizeLinear_t>({}, {x, scale, zero});
    array wanted = zeros({t.real, t.whole});
    each_position(t.whole, [&](const i64* at, i64 n) {
      const i64 k = block_number(t.small, t.whole, at);
      wanted[n] = number_by_hand(x[n], scale[k], zero[k], t.real);
    });
    INFO(text_of(t.whole) << " by " << text_of(t.small) << ", " << name_of(t.stands) << " to " << name_of(t.real));
    CHECK(difference(wanted, found) == "");
  }
}

TEST_CASE("blocks in more axes than a node has room for") {
  for (int round = 0; round < times(20); ++round) {
    dice d = dice_of(9013, round);
    drawn t;
    t.small = random_shape(d, d.in(6, max_rank), 2);
    t.whole = t.small;
    for (int i = 0; i < t.whole.rank; ++i) t.whole.extent[i] *= 2 - (t.small[i] == 1 && d.in(0, 1) == 0);
    const array x = random_array(signs(t.whole), d), scale = scales(reals(t.small), d), zero = random_array(signs(t.small), d);
    const array found = operate<dequantizeLinear_t>({}, {x, scale, zero});
    each_position(t.whole, [&](const i64* at, i64 n) {
      const i64 k = block_number(t.small, t.whole, at);
      REQUIRE(found[n] == number_by_hand(x[n], scale[k], zero[k], type::float32));
    });
  }
}

namespace {
inline constexpr auto there_and_back = [](auto x) {
  const auto scale = tn::weight<"scale", float, 2, 1>;
  const auto zero = tn::weight<"zero", std::uint8_t, 2, 1>;
  const auto q = tn::quantizeLinear(x, scale, zero);
  return tn::outputs(q, tn::dequantizeLinear(q, scale, zero));
};
}  // namespace

TEST_CASE("quantizing there and back in a static graph") {
  using net = tn::graph<there_and_back, tn::input<"x", float, 4, 5>>;
  dice d = dice_of(9029, 0);
  array x = random_array(floats(4, 5), d);
  for (double& v : x.at) v *= 30;
  const array scale = given(floats(2, 1), {0.5, 0.25}), zero = given(bytes(extents(2, 1)), {100, 7});
  const std::vector<array> found = run_static_both<net>({x}, {scale, zero});
  for (i64 i = 0; i < x.count(); ++i) {
    const i64 k = i / 10;
    const double q = quantized_by_hand(x[i], scale[k], zero[k], type::uint8);
    CHECK(found[0][i] == q);
    CHECK(found[1][i] == (q - zero[k]) * scale[k]);
  }
}
