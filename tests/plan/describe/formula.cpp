// Nodes as formulas.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/formula.hpp>
#include "../../catch.hpp"
#include "../toy.hpp"

namespace tn = tenon;
namespace words = tenon::notation;
using namespace tenon_test;

namespace {

/// The text of a lambda's program, as written and with registers that are used again.
template <int Arity, class F> std::string text_of_program(const F& f) {
  const tn::recorded r = tn::record_program<Arity>(f);
  REQUIRE(r.fault == tn::code::ok);
  const std::string text = words::infix(r.view());
  CHECK(words::infix(tn::allocate(r.view()).program.view()) == text);
  return text;
}
template <auto Model, class... In> std::string details_of_anchor(int g = 0) {
  const tn::owned_plan p = planned<tn::graph<Model, In...>>(fusing).value();
  return words::details(p.table.view(), p.table.nodes[p.grouped.groups[g].anchor]);
}

}  // namespace

TEST_CASE("programs have the parentheses that they need and no others") {
  CHECK(text_of_program<2>([](auto x, auto y) { return max(x + y, 0.0f); }) == "max(x0 + x1, 0)");
  CHECK(text_of_program<3>([](auto x, auto y, auto z) { return x - y - z; }) == "x0 - x1 - x2");
  CHECK(text_of_program<3>([](auto x, auto y, auto z) { return x - (y - z); }) == "x0 - (x1 - x2)");
  CHECK(text_of_program<3>([](auto x, auto y, auto z) { return x / (y * z); }) == "x0 / (x1 * x2)");
  CHECK(text_of_program<3>([](auto x, auto y, auto z) { return (x + y) * z; }) == "(x0 + x1) * x2");
  CHECK(text_of_program<3>([](auto x, auto y, auto z) { return x * y + z; }) == "x0 * x1 + x2");
  CHECK(text_of_program<2>([](auto x, auto y) { return -(x + y) * -x; }) == "-(x0 + x1) * -x0");
  CHECK(text_of_program<2>([](auto x, auto y) { return -(-x) - -y; }) == "-(-x0) - -x1");
  CHECK(text_of_program<1>([](auto x) { return x * -2.5f; }) == "x0 * -2.5");
  CHECK(text_of_program<1>([](auto x) { return x * 0.1f; }) == "x0 * 0.1");
  CHECK(text_of_program<3>([](auto x, auto y, auto z) { return fma(x, y, z); }) ==
        "fma(x0, x1, x2)");
  CHECK(text_of_program<2>([](auto x, auto y) { return select((x < y) & !(x == y), x, 1.0f); }) ==
        "select(x0 < x1 & !(x0 == x1), x0, 1)");
  CHECK(text_of_program<1>([](auto x) {
          return tn::bitcast<float>((tn::bitcast<std::int32_t>(x) >> 3 & 255) | 1 << 4);
        }) == "bitcast<float>(bitcast<int32>(x0) >> 3 & 255 | 16)");
  CHECK(text_of_program<2>([](auto x, auto y) { return pow(sqrt(abs(x)), tanh(y)); }) ==
        "pow(sqrt(abs(x0)), tanh(x1))");
  CHECK(text_of_program<1>([](auto x) {
          return tn::cast<float>(tn::cast<std::uint8_t>(x <= 2.0f));
        }) == "cast<float>(cast<uint8>(cast<int32>(x0 <= 2)))");
  CHECK(text_of_program<1>([](auto) { return 3.0f; }) == "3");
  CHECK(text_of_program<1>([](auto x) { return x; }) == "x0");
}

TEST_CASE("programs over integers and masks read like those over floats") {
  const auto text = [](const auto& f) {
    tn::program_types types{};
    types.operand[0] = tn::type::int32;
    types.operand[1] = tn::type::uint8;
    const tn::recorded r = tn::record_program<2>(f, types);
    REQUIRE(r.fault == tn::code::ok);
    return words::infix(r.view());
  };
  CHECK(text([](auto x, auto y) { return (x + y) * (x - 3); }) == "(x0 + x1) * (x0 - 3)");
  CHECK(text([](auto x, auto y) { return (x < y) | (y == -1) | !(y <= x); }) ==
        "select(x0 < x1 | x1 == -1 | !(x1 <= x0), 1, 0)");
  CHECK(text([](auto x, auto) { return (x ^ x) << 2; }) == "(x0 ^ x0) << 2");
}

TEST_CASE("moves and gathers tell where elements come from") {
  constexpr auto gathered = [](auto x) { return tn::gather<1>(x, tn::argMax<0>(x)); };
  using rows = tn::input<"x", float, 6, 16>;
  CHECK(details_of_anchor<gathered, rows>(1) == "at computed positions below 16");
  constexpr auto part = [](auto x) {
    return tn::slice<tn::slice_options{.starts = {1, 2}, .sizes = {3, 7}, .strides = {1, 2}}>(x);
  };
  CHECK(details_of_anchor<part, rows>() == "from element 18 on, steps 16, 2");
  constexpr auto padded = [](auto x) {
    return tn::pad<tn::pad_options{
        .beginningPadding = {0, 1}, .endingPadding = {2, 3}, .value = -0.5}>(x);
  };
  CHECK(details_of_anchor<padded, rows>() == "before 0, 1; after 2, 3; value -0.5");
  constexpr auto lower = [](auto x) {
    return tn::triangular<tn::triangular_options{.upper = false, .diagonal = -2}>(x);
  };
  CHECK(details_of_anchor<lower, rows>() == "the rest 0; columns to row - 2");
  constexpr auto upper = [](auto x) {
    return tn::triangular<tn::triangular_options{.diagonal = 3}>(x);
  };
  CHECK(details_of_anchor<upper, rows>() == "the rest 0; columns from row + 3");
  constexpr auto sampled = [](auto x) {
    return tn::resample2d<tn::resample2d_options{.sizes = {3, 3}}>(x);
  };
  CHECK(details_of_anchor<sampled, tn::input<"x", float, 1, 2, 4, 4>>() == "the nearest element");
}

TEST_CASE("what is used twice gets a name, so that texts do not grow exponentially") {
  CHECK(text_of_program<1>([](auto x) {
          auto y = x * 2.0f;
          return max(y, 0.0f) / y;
        }) == "t1 = x0 * 2; max(t1, 0) / t1");
  const std::string doubled = text_of_program<1>([](auto x) {
    auto y = x;
    for (int i = 0; i < 40; ++i) y = y + y;
    return y;
  });
  CHECK(doubled.size() < 1000);
  CHECK(doubled.substr(0, 32) == "t1 = x0 + x0; t2 = t1 + t1; t3 =");
}

TEST_CASE("every instruction has a text of its own") {
  std::vector<std::string> seen;
  const words::term a{"a", tn::syntax::atom}, b{"b", tn::syntax::atom}, c{"c", tn::syntax::atom};
  for (int o = 3; o < tn::instructions::first_rare; ++o) {
    const auto op = static_cast<tn::sop>(o);
    if (tn::is_typed(op)) continue;  // they do nothing
    const bool integer =
        (op >= tn::sop::int_add && op <= tn::sop::int_xor) ||  // written like their partners
        (op >= tn::sop::int_less && op <= tn::sop::mask_to_int);
    const std::string text = words::write(tn::instruction::make(op, 0, 0, 1, 2), a, b, c).text;
    CHECK(text.find('a') != std::string::npos);
    CHECK((tn::sources_of(op) < 2 || text.find('b') != std::string::npos));
    if (!integer && op != tn::sop::mask_and && op != tn::sop::mask_or)
      CHECK(std::count(seen.begin(), seen.end(), text) == 0);
    seen.push_back(text);
  }
}

TEST_CASE("contractions and windows tell their geometry") {
  constexpr auto product = [](auto x) { return tn::matmul(x, tn::weight<"w", float, 16, 10>); };
  CHECK(details_of_anchor<product, tn::input<"x", float, 6, 16>>() ==
        "[6 x 10 x 16] rows x columns x terms");
  CHECK(details_of_anchor<product, tn::input<"x", float, 3, 6, 16>>() ==
        "[18 x 10 x 16] rows x columns x terms");
  constexpr auto batch = [](auto x, auto y) { return tn::matmul(x, y); };
  CHECK(details_of_anchor<batch, tn::input<"x", float, 3, 6, 16>,
                          tn::input<"y", float, 3, 16, 2>>() ==
        "[6 x 2 x 16] rows x columns x terms, 3 times");
  constexpr auto conv = [](auto x) {
    return tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
        x, tn::weight<"f", float, 8, 3, 3, 3>);
  };
  CHECK(details_of_anchor<conv, tn::input<"x", float, 1, 3, 9, 7>>() ==
        "8 filters of 3 channels, 3 x 3 taps, padding 1, 9 x 7 positions");
  constexpr auto odd = [](auto x) {
    return tn::conv2d<tn::conv2d_options{
        .padding = {1, 0, 2, 0}, .strides = {2, 1}, .dilations = {2, 2}, .groups = 3}>(
        x, tn::weight<"f", float, 6, 1, 3, 2>);
  };
  CHECK(details_of_anchor<odd, tn::input<"x", float, 2, 3, 9, 7>>() ==
        "2 filters of 1 channel, 3 x 2 taps, stride 2 x 1, dilation 2, padding 1, 0, 2, 0, 3 x 7 "
        "positions, 3 groups, 2 images");
  constexpr auto pool = [](auto x) {
    return tn::averagePool2d<tn::pool2d_options{.windowDimensions = {2, 3}, .strides = {2, 2}}>(x);
  };
  CHECK(details_of_anchor<pool, tn::input<"x", float, 1, 3, 9, 7>>() ==
        "average of 2 x 3 taps, stride 2");
}

TEST_CASE("names that could be mistaken are replaced by numbers") {
  tn::builder b;
  const tn::tensor t{tn::type::float32, tn::extents(2, 2)};
  const auto good = b.input("layer.0:x_1", t), spaced = b.input("a b", t), digit = b.input("5", t),
             minus = b.input("a-b", t);
  const auto net =
      b.finish({b.add<tn::matmul_t>({}, {good, spaced}), b.add<tn::matmul_t>({}, {digit, minus})});
  REQUIRE(net.ok());
  CHECK(words::symbol(net->view(), 0) == "layer.0:x_1");
  CHECK(words::symbol(net->view(), 1) == "%1");
  CHECK(words::symbol(net->view(), 2) == "%2");
  CHECK(words::symbol(net->view(), 3) == "%3");
  CHECK(words::symbol(net->view(), 4) == "%4");
}
