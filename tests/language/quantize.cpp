// quantizeLinear and dequantizeLinear against plain loops: blocks in any axis, all types.
// SPDX-License-Identifier: MIT
#include <tenon/load/packed.hpp>
#include <tenon/policy/reference/evaluate.hpp>
#include "../support/arrays.hpp"

using namespace tenon_test;
using namespace tenon;

namespace {

constexpr tensor of(type t, shape s) { return {t, s}; }
template <class Op> constexpr error fault(tensor x, tensor scale, tensor zero) {
  const tensor in[] = {x, scale, zero};
  return Op::infer({}, {in, 3}).error();
}
constexpr error refused(tensor x, tensor scale, tensor zero) {
  return fault<quantizeLinear_t>(x, scale, zero);
}
constexpr error back(tensor x, tensor scale, tensor zero) {
  return fault<dequantizeLinear_t>(x, scale, zero);
}
constexpr tensor signs(shape s) { return {type::int8, s}; }
constexpr tensor halves_of(shape s) { return {type::float16, s}; }

static_assert(refused(floats(4, 6), floats(2, 3), signs(extents(2, 3))).ok());
static_assert(refused(floats(), floats(), signs({})).ok());
static_assert(refused(floats(4, 6), floats(3), signs(extents(3))).is(code::rank, "quantizeLinear"));
static_assert(
    refused(floats(4, 6), floats(1, 3), signs(extents(3))).is(code::rank, "quantizeLinear"));
static_assert(
    refused(floats(4, 6), floats(1, 3), signs(extents(1, 1))).is(code::extent, "quantizeLinear"));
static_assert(refused(floats(4, 6), floats(1, 4), signs(extents(1, 4)))
                  .is(code::broadcast, "quantizeLinear"));
static_assert(refused(floats(1, 6), floats(2, 6), signs(extents(2, 6)))
                  .is(code::broadcast, "quantizeLinear"));
static_assert(refused(floats(4), halves_of(extents(1)), signs(extents(1)))
                  .is(code::element_type, "quantizeLinear"));
static_assert(refused(signs(extents(4)), floats(1), signs(extents(1)))
                  .is(code::element_type, "quantizeLinear"));
static_assert(refused(floats(4), floats(1), of(type::int64, extents(1)))
                  .is(code::element_type, "quantizeLinear"));
static_assert(back(signs(extents(4)), halves_of(extents(2)), signs(extents(2))).ok());
static_assert(back(signs(extents(4)), floats(1), of(type::uint8, extents(1)))
                  .is(code::element_type, "dequantizeLinear"));
static_assert(back(of(type::int64, extents(4)), floats(1), of(type::int64, extents(1)))
                  .is(code::element_type, "dequantizeLinear"));
static_assert(back(signs(extents(4)), signs(extents(1)), signs(extents(1)))
                  .is(code::element_type, "dequantizeLinear"));
static_assert(back(signs(extents(4, 4)), floats(4, 3), signs(extents(4, 3)))
                  .is(code::broadcast, "dequantizeLinear"));

// Elements of 4 bits, and who takes them.
static_assert(bytes_of(type::int4, 7) == 4 && bytes_of(type::uint4, 8) == 4 &&
              bytes_of(type::int4, 0) == 0);
static_assert(tensor{type::int4, extents(3, 5)}.bytes() == 8);
static_assert(back(of(type::int4, extents(4)), floats(2), of(type::int4, extents(2))).ok());
static_assert(back(of(type::uint4, extents(4)), floats(2), of(type::int4, extents(2)))
                  .is(code::element_type, "dequantizeLinear"));
static_assert(refused(floats(4), floats(2), of(type::uint4, extents(2))).ok());
template <class T, auto Model> constexpr error of_model = check<graph<Model, input<"x", T, 4, 3>>>;
template <class T> constexpr bool only_for_memory() {
  constexpr error all[] = {
      of_model<T, [](auto x) { return tn::transpose<1, 0>(x); }>,
      of_model<T, [](auto x) { return tn::concat<0>(x, x); }>,
      of_model<T,
               [](auto x) {
                 return tn::slice<slice_options{.starts = {0, 0}, .sizes = {1, 1}}>(x);
               }>,
      of_model<T, [](auto x) { return tn::expand<2, 4, 3>(x); }>,
      of_model<T, [](auto x) { return tn::triangular(x); }>,
      of_model<T, [](auto x) { return tn::identity(x); }>,
      of_model<T, [](auto x) { return tn::cast<float>(x); }>,
      of_model<T, [](auto x) { return x + x; }>,
      of_model<T, [](auto x) { return tn::map([](auto v) { return v; })(x); }>,
      of_model<T, [](auto x) { return tn::reduceMax<tn::reduce_options{.axes = {1}}>(x); }>,
      of_model<T, [](auto x) { return tn::gather<0>(x, tn::weight<"i", std::int32_t, 2>); }>,
      of_model<T, [](auto x) { return tn::matmul(x, x); }>,
      of_model<T, [](auto x) { return tn::softmax<1>(x); }>,
  };
  bool r = true;
  for (const error& e : all) r = r && e.what == code::element_type && e.found == fact(type_of<T>);
  return r && of_model<T, [](auto x) { return tn::reshape<12>(x); }>.ok();
}
static_assert(only_for_memory<int4>() && only_for_memory<uint4>());

/// The number of the element of `small` whose block a position of `whole` is in.
i64 block_number(const shape& small, const shape& whole, const i64* at) {
  i64 n = 0;
  for (int k = 0; k < small.rank; ++k) n = n * small[k] + at[k] / (whole[k] / small[k]);
  return n;
}
double least_of(type t) {
  return t == type::int4 ? -8 : t == type::int8 ? -128 : t == type::int32 ? -2147483648.0 : 0;
}
double most_of(type t) {
  return t == type::int4    ? 7
         : t == type::uint4 ? 15
         : t == type::int8  ? 127
         : t == type::uint8 ? 255
         : t == type::int32 ? 2147483647.0
                            : 4294967295.0;
}
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
  const double y = t != type::int32 && t != type::uint32
                       ? static_cast<double>(std::nearbyintf(q) + static_cast<float>(zero))
                       : static_cast<double>(std::nearbyintf(q)) + zero;
  return std::min(std::max(y, least_of(t)), most_of(t));
}
double number_by_hand(double x, double scale, double zero, type real) {
  const float y = (static_cast<float>(x) - static_cast<float>(zero)) * static_cast<float>(scale);
  return static_cast<double>(real == type::float16 ? static_cast<float>(float16(y)) : y);
}

constexpr type integers[] = {type::int8,   type::uint8, type::int32,
                             type::uint32, type::int4,  type::uint4};
struct drawn {
  shape whole{}, small{};
  type real = type::float32, stands = type::int8;
};
/// A shape, and one whose extents divide its.
drawn draw(dice& d, int most_rank = 5) {
  drawn r;
  r.small = random_shape(d, d.in(0, most_rank), 3);
  r.whole = r.small;
  for (int i = 0; i < r.whole.rank; ++i)
    r.whole.extent[i] *= d.in(0, 2) == 0 ? 1 : d.in(1, most_rank > 5 ? 2 : 4);
  r.real = d.in(0, 1) ? type::float32 : type::float16;
  r.stands = integers[d.in(0, 5)];
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
      if (t.real == type::float16)
        v = static_cast<double>(static_cast<float>(float16(static_cast<float>(v))));
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
    INFO(text_of(t.whole) << " by " << text_of(t.small) << ", " << name_of(t.real) << " to "
                          << name_of(t.stands));
    CHECK(difference(wanted, found) == "");
  }
}

TEST_CASE("dequantizeLinear multiplies after subtracting") {
  for (int round = 0; round < times(60); ++round) {
    dice d = dice_of(9011, round);
    const drawn t = draw(d);
    const array x = random_array({t.stands, t.whole}, d), scale = scales({t.real, t.small}, d),
                zero = random_array({t.stands, t.small}, d);
    const array found = operate<dequantizeLinear_t>({}, {x, scale, zero});
    array wanted = zeros({t.real, t.whole});
    each_position(t.whole, [&](const i64* at, i64 n) {
      const i64 k = block_number(t.small, t.whole, at);
      wanted[n] = number_by_hand(x[n], scale[k], zero[k], t.real);
    });
    INFO(text_of(t.whole) << " by " << text_of(t.small) << ", " << name_of(t.stands) << " to "
                          << name_of(t.real));
    CHECK(difference(wanted, found) == "");
  }
}

TEST_CASE("blocks in more axes than a node has room for") {
  for (int round = 0; round < times(20); ++round) {
    dice d = dice_of(9013, round);
    drawn t;
    t.small = random_shape(d, d.in(6, max_rank), 2);
    t.whole = t.small;
    for (int i = 0; i < t.whole.rank; ++i)
      t.whole.extent[i] *= 2 - (t.small[i] == 1 && d.in(0, 1) == 0);
    const array x = random_array(signs(t.whole), d), scale = scales(reals(t.small), d),
                zero = random_array(signs(t.small), d);
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

TEST_CASE("a static graph quantizes and dequantizes as the formulas say") {
  using net = tn::graph<there_and_back, tn::input<"x", float, 4, 5>>;
  dice d = dice_of(9029, 0);
  array x = random_array(floats(4, 5), d);
  for (double& v : x.at) v *= 30;
  const array scale = given(floats(2, 1), {0.5, 0.25}),
              zero = given(bytes(extents(2, 1)), {100, 7});
  const std::vector<array> found = run_static_both<net>({x}, {scale, zero});
  for (i64 i = 0; i < x.count(); ++i) {
    const i64 k = i / 10;
    const double q = quantized_by_hand(x[i], scale[k], zero[k], type::uint8);
    CHECK(found[0][i] == q);
    CHECK(found[1][i] == (q - zero[k]) * scale[k]);
  }
}

TEST_CASE("the builder refuses elements of 4 bits by name") {
  tn::builder b;
  const auto x = b.input("x", {type::int4, extents(4)});
  (void)b.add<tn::add_t>({}, {x, x});
  CHECK(b.fault().is(code::element_type, "add"));
  CHECK(b.fault().found == fact(type::int4));
  tn::builder c;
  (void)c.add<tn::cast_t>({type::uint4}, {c.input("x", floats(4))});
  CHECK(c.fault().is(code::element_type, "cast"));
  CHECK(c.fault().found == fact(type::uint4));
  tn::builder e;
  (void)e.map<1>([](tn::scalar v) { return v; }, {e.input("x", {type::uint4, extents(4)})});
  CHECK(e.fault().is(code::element_type, "map"));
}

TEST_CASE("graphs hand elements of 4 bits through") {
  // As input, weight, state and output; reshaped; of odd numbers.
  for (const type t : {type::int4, type::uint4})
    for (const i64 n : {1, 2, 7, 15, 16, 40003}) {
      dice d = dice_of(9037, static_cast<int>(n));
      tn::builder b;
      const tensor run{t, extents(n)}, one{t, extents(1)};
      const auto x = b.input("x", run), w = b.weight("w", run), s = b.state("s", run);
      const auto scale = b.weight("scale", floats(1)), zero = b.weight("zero", one);
      const auto row = b.add<tn::reshape_t>({.newShape = {1, n}}, {x});
      const auto wide = b.add<tn::dequantizeLinear_t>({}, {x, scale, zero});
      const auto again = b.add<tn::quantizeLinear_t>({}, {wide, scale, zero});
      const auto column = b.add<tn::reshape_t>({.newShape = {n, 1}}, {again});
      b.next(s, again);
      const tn::result<tn::table> net =
          b.finish({row, column, w, s, b.add<tn::dequantizeLinear_t>({}, {w, scale, zero})});
      REQUIRE(net.ok());
      const array given_x = random_array(run, d), given_w = random_array(run, d),
                  given_scale = given(floats(1), {0.25}), given_zero = random_array(one, d);
      const std::vector<array> found =
          run_both(net->view(), {given_x}, {given_w, given_scale, given_zero});
      CHECK(found[0].at == given_x.at);
      CHECK(found[1].at == given_x.at);
      CHECK(found[2].at == given_w.at);
      CHECK(found[3].at == zeros(run).at);
      for (i64 i = 0; i < n; ++i) REQUIRE(found[4][i] == (given_w[i] - given_zero[0]) * 0.25);

      const array_source source(net->view(), {given_w, given_scale, given_zero});
      const tn::model<tn::dynamic, tn::cpu> model(net->view(), source);
      tn::instance caller(model);
      arrays_call first({given_x}, outputs_of(net->view()));
      REQUIRE(caller.run(first.in, first.out).ok());
      REQUIRE(caller.run(first.in, first.out).ok());
      CHECK(first.take()[3].at == given_x.at);  // the state
    }
}

TEST_CASE("what a call writes of 4 bits ends in a half byte of zeros") {
  using net = tn::graph<[](auto x) {
    return tn::quantizeLinear(x, tn::weight<"scale", float, 1>, tn::weight<"zero", tn::uint4, 1>);
  },
                        tn::input<"x", float, 3>>;
  const float x[] = {1, 2, 14.6f}, scale[] = {1};
  const std::uint8_t zero[] = {0xf1};  // the upper half is nobody's
  std::uint8_t y[] = {0xff, 0xff};
  REQUIRE(tn::evaluate<net>({tn::given("x", x), tn::given("scale", scale), tn::given("zero", zero)},
                            y) == code::ok);
  CHECK(y[0] == 0x32);
  CHECK(y[1] == 0x0f);
  y[0] = y[1] = 0xff;
  struct {
    tn::const_view scale, zero;
    tn::const_view find(const tn::name& n) const noexcept {
      return n == tn::name("scale") ? scale : zero;
    }
  } const weights{tn::view_of(scale), tn::view_of(tn::packed<tn::uint4>(zero, 1))};
  const tn::model<net, tn::cpu> model{weights};
  tn::instance call{model};
  const auto result = tn::packed<tn::uint4>(y, 3);
  REQUIRE(call(x, result).ok());
  CHECK(y[0] == 0x32);
  CHECK(y[1] == 0x0f);
  CHECK(result[2] == 15);
  CHECK(call(x, tn::packed<tn::uint4>(y, 4)).what == code::size);
  CHECK(call(x, tn::packed<tn::int4>(y, 3)).what == code::element_type);
  CHECK(call(x, tn::packed<tn::uint4>(std::span(y, 1), 3)).what == code::size);
  result.set(1, 9);
  CHECK(y[0] == 0x92);
}
