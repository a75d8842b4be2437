// What stays in integers between dequantizeLinear and quantizeLinear, and that it changes no bit.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/describe.hpp>
#include "../support/arrays.hpp"

using namespace tenon_test;
using namespace tenon;

namespace {

/// The scale and the zero point that the numbers come with, and those that they leave with: the
/// same nodes, or others with the same contents, of which a plan cannot know that.
struct parameters {
  builder::value scale, zero;
};
struct twins {
  builder b;
  type coded;
  bool same;
  std::vector<array> weights;
  int made = 0;

  parameters enter(const shape& s, const array& scale, const array& zero) {
    return {weight({type::float32, s}, scale), weight({coded, s}, zero)};
  }
  /// The same values in the shape `s`.
  parameters leave(parameters p, const shape& s, const array& scale, const array& zero) {
    if (!same) return enter(s, scale, zero);
    axis_list to;
    to.count = s.rank;
    for (int i = 0; i < s.rank; ++i) to.item[i] = s[i];
    if (b.type_of_value(p.scale).shape == s) return p;
    return {b.add<reshape_t>({to}, {p.scale}), b.add<reshape_t>({to}, {p.zero})};
  }

 private:
  builder::value weight(const tensor& t, array a) {
    a.is = t;
    weights.push_back(std::move(a));
    return b.weight(name("w") + made++, t);
  }
};
shape ones(int rank) {
  shape s{rank, {}};
  for (int i = 0; i < rank; ++i) s.extent[i] = 1;
  return s;
}
/// Adds a random operator that only moves or orders numbers.
builder::value carry(builder& b, builder::value v, dice& d) {
  const shape s = b.type_of_value(v).shape;
  const auto axis = [&] { return s.rank > 0 ? d.in(0, s.rank - 1) : 0; };
  switch (d.in(0, 13)) {
    case 0: return b.add<relu_t>({}, {v});
    case 1: {
      const float low = d.real() * 3, high = low + std::abs(d.real()) * 9;
      return b.add<clamp_t>({low, d.in(0, 2) == 0 ? std::numeric_limits<float>::infinity() : high},
                            {v});
    }
    case 2: return b.add<transpose_t>({}, {v});
    case 3: {
      axis_list flat;
      flat.count = 1;
      flat.item[0] = s.count();
      return b.add<reshape_t>({flat}, {v});
    }
    case 4: {
      if (s.rank == 0) break;
      slice_options o;
      o.starts.count = o.sizes.count = s.rank;
      for (int i = 0; i < s.rank; ++i) {
        o.starts.item[i] = d.in(0, static_cast<int>(s[i]) - 1);
        o.sizes.item[i] = d.in(1, static_cast<int>(s[i] - o.starts[i]));
      }
      return b.add<slice_t>(o, {v});
    }
    case 5: return s.rank == 0 || s.count() > 2000 ? v : b.add<concat_t>({axis()}, {v, v});
    case 6: return b.add<reverse_t>({}, {v});
    case 7:
    case 8: {
      if (s.rank != 4) break;
      const bool last = d.in(0, 1) == 0;
      pool2d_options o{.windowDimensions = {d.in(1, static_cast<int>(s[last ? 1 : 2])),
                                            d.in(1, static_cast<int>(s[last ? 2 : 3]))}};
      if (last) o.layout = image_layout::nhwc;
      o.strides = {d.in(1, 2), d.in(1, 2)};
      if (d.in(0, 1) == 0)
        o.padding = {o.windowDimensions.height - 1, 0, 0, o.windowDimensions.width - 1};
      if (d.in(0, 1) == 0) o.outputShapeRounding = rounding::ceil;
      return b.add<maxPool2d_t>(o, {v});
    }
    case 9: {
      if (s.rank == 0) break;
      reduce_options o;
      o.axes.count = 1;
      o.axes.item[0] = axis();
      o.keepDimensions = d.in(0, 1) == 0;
      return d.in(0, 1) ? b.add<reduceMax_t>(o, {v}) : b.add<reduceMin_t>(o, {v});
    }
    case 10:
      return d.in(0, 1) ? b.add<max_t>({}, {v, b.add<reverse_t>({}, {v})})
                        : b.add<min_t>({}, {v, v});
    case 11: {
      pad_options o;
      o.mode = d.in(0, 1) ? padding_mode::edge : padding_mode::reflection;
      o.beginningPadding.count = o.endingPadding.count = s.rank;
      for (int i = 0; i < s.rank; ++i)
        o.beginningPadding.item[i] = o.endingPadding.item[i] =
            d.in(0, s[i] > 1 && s.count() < 2000);
      return b.add<pad_t>(o, {v});
    }
    case 12:
      return s.rank == 0
                 ? v
                 : b.add<gather_t>({axis()}, {v, b.input(name("indices") + d.in(0, 1 << 30),
                                                         {type::int32, extents(d.in(1, 4))})});
    default:
      return s.rank != 4 || s.count() > 2000 ? v
                                             : b.add<resample2d_t>({.scales = {1.7f, 1.3f}}, {v});
  }
  return v;
}
constexpr int integer_nodes(table_view t) {
  int n = 0;
  for (const node& x : t.nodes) n += x.keeps_integers;
  return n;
}
bool has_floats(table_view t) {
  for (const node& x : t.nodes)
    if (!is_leaf(x.kind) && x.out.type == type::float32) return true;
  return false;
}
double any_scale(dice& d) {
  const float usual[] = {0.1f, 1.0f, 0x1p-149f, 0x1p-140f, 0x1.fffffep-126f, 0x1p119f, 3e-5f};
  return static_cast<double>(d.in(0, 1) ? usual[d.in(0, 6)]
                                        : std::ldexp(1.0f + std::abs(d.real()), d.in(-20, 20)));
}

}  // namespace

TEST_CASE("integers that are only moved and ordered have the bits of dequantizing and quantizing") {
  int with_nodes = 0;
  for (int round = 0; round < times(300); ++round) {
    const type coded = round % 2 ? type::int8 : type::uint8;
    std::vector<array> found[2];
    for (const bool same : {true, false}) {
      dice d = dice_of(9103, round);
      const shape s = random_shape(d, d.in(0, 3) ? 4 : d.in(0, 3), 7);
      const array scale = given({type::float32, ones(s.rank)}, {any_scale(d)}),
                  zero = random_array({coded, ones(s.rank)}, d);
      twins g{{}, coded, same, {}};
      const auto x = g.b.input("x", {coded, s});
      const parameters in = g.enter(ones(s.rank), scale, zero);
      auto v = g.b.add<dequantizeLinear_t>({}, {x, in.scale, in.zero});
      const array codes =
          made({coded, s}, [&, all = random_array({coded, s}, d)](i64 i) { return all[i]; });
      for (int n = d.in(0, 5); n > 0; --n) v = carry(g.b, v, d);
      const shape last = g.b.type_of_value(v).shape;
      const parameters out = g.leave(in, ones(last.rank), scale, zero);
      const result<table> net =
          g.b.finish({g.b.add<quantizeLinear_t>({}, {v, out.scale, out.zero})});
      INFO(text_of(net.error().what) << " " << net.error().op.c_str());
      REQUIRE(net.ok());
      std::vector<array> inputs{codes};
      for (int i = 1; i < net->view().inputs.size; ++i)
        inputs.push_back(random_array(net->view().nodes[net->view().inputs[i]].out, d));
      found[!same] = run_both(net->view(), inputs, g.weights);
      const table prepared = plans::prepare(net->view());
      CHECK((same || integer_nodes(prepared.view()) == 0));
      with_nodes += integer_nodes(prepared.view()) > 0;
    }
    INFO("round " << round);
    check_same(found[1], found[0], "in integers", 0);
  }
  CHECK(with_nodes > times(300) / 4);
}

TEST_CASE("every integer comes back from every scale") {
  for (int round = 0; round < times(40); ++round) {
    std::vector<array> found[2];
    for (const bool same : {true, false}) {
      dice d = dice_of(9109, round);
      const array scale = given({type::float32, extents(1)}, {any_scale(d)}),
                  zero = given(bytes(extents(1)), {static_cast<double>(d.in(0, 255))});
      twins g{{}, type::uint8, same, {}};
      const auto x = g.b.input("x", bytes(extents(256)));
      const parameters in = g.enter(extents(1), scale, zero),
                       out = g.leave(in, extents(1), scale, zero);
      const auto v = g.b.add<dequantizeLinear_t>({}, {x, in.scale, in.zero});
      const result<table> net =
          g.b.finish({g.b.add<quantizeLinear_t>({}, {v, out.scale, out.zero})});
      REQUIRE(net.ok());
      CHECK(has_floats(plans::prepare(net->view()).view()) == false);
      found[!same] = run_both(
          net->view(), {made(bytes(extents(256)), [](i64 i) { return static_cast<double>(i); })},
          g.weights);
      for (i64 i = 0; i < 256; ++i) REQUIRE(found[!same][0][i] == static_cast<double>(i));
    }
  }
}

namespace {

template <auto Carry, class X = tn::input<"x", std::int8_t, 1, 2, 6, 6>> constexpr int kept = [] {
  constexpr auto model = [](auto x) {
    const auto s = tn::weight<"s", float, 1, 1, 1, 1>;
    const auto z = tn::weight<"z", std::int8_t, 1, 1, 1, 1>;
    return tn::quantizeLinear(Carry(tn::dequantizeLinear(x, s, z)), s, z);
  };
  return integer_nodes(
      plans::prepare(tn::basic_graph<std::remove_cvref_t<decltype(model)>, X>::view()).view());
}();
static_assert(kept<[](auto x) { return tn::relu(x); }> == 1);
static_assert(
    kept<[](auto x) {
      return tn::maxPool2d<tn::pool2d_options{.windowDimensions = {3, 3}, .padding = {1, 1, 1, 1}}>(
          tn::relu(x));
    }> == 2);
// A window of nothing but padding gives the number 0.
static_assert(
    kept<[](auto x) {
      return tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}, .padding = {2, 0, 0, 0}}>(
          x);
    }> == 0);
static_assert(kept<[](auto x) {
                return tn::averagePool2d<tn::pool2d_options{.windowDimensions = {2, 2}}>(x);
              }> == 0);
static_assert(kept<[](auto x) {
                return tn::pad<tn::pad_options{.beginningPadding = {0, 0, 1, 1},
                                               .endingPadding = {0, 0, 1, 1}}>(x);
              }> == 0);
static_assert(kept<[](auto x) { return tn::triangular(x); }> == 0);
static_assert(kept<[](auto x) { return x + x; }> == 0);
static_assert(kept<[](auto x) { return tn::neg(x); }> == 0);
static_assert(kept<[](auto x) { return tn::relu(x + x); }> == 0);

// A scale for each channel: what leaves channels in their places.
inline constexpr auto by_channel = [](auto x, auto carry) {
  const auto s = tn::weight<"s", float, 1, 2, 1, 1>;
  const auto z = tn::weight<"z", std::uint8_t, 1, 2, 1, 1>;
  return tn::quantizeLinear(carry(tn::dequantizeLinear(x, s, z)), s, z);
};
inline constexpr auto clamped = [](auto x) {
  return by_channel(x, [](auto v) { return tn::clamp<tn::clamp_options{-1.5f, 6}>(v); });
};
inline constexpr auto turned = [](auto x) {
  return by_channel(x, [](auto v) { return tn::reverse<1>(v); });
};
using channels = tn::input<"x", std::uint8_t, 1, 2, 3, 3>;
static_assert(integer_nodes(plans::prepare(tn::graph<clamped, channels>::view()).view()) == 1);
static_assert(integer_nodes(plans::prepare(tn::graph<turned, channels>::view()).view()) == 0);

// A number that somebody else needs stays a number.
inline constexpr auto shared = [](auto x) {
  const auto s = tn::weight<"s", float, 1, 1, 1, 1>;
  const auto z = tn::weight<"z", std::int8_t, 1, 1, 1, 1>;
  const auto v = tn::relu(tn::dequantizeLinear(x, s, z));
  return tn::outputs(tn::quantizeLinear(v, s, z), v);
};
static_assert(
    integer_nodes(plans::prepare(tn::graph<shared, tn::input<"x", std::int8_t, 1, 2, 6, 6>>::view())
                      .view()) == 0);

}  // namespace

TEST_CASE("a scale for each channel keeps what leaves channels in their places in integers") {
  dice d = dice_of(9127, 0);
  const array x = random_array({type::uint8, extents(1, 2, 3, 3)}, d);
  const array scale = given(floats(1, 2, 1, 1), {0.125, 3}),
              zero = given(bytes(extents(1, 2, 1, 1)), {100, 7});
  const array found = run_static_both<tn::graph<clamped, channels>>({x}, {scale, zero})[0];
  for (i64 i = 0; i < 18; ++i) {
    const double v = std::min(std::max((x[i] - zero[i / 9]) * scale[i / 9], -1.5), 6.0);
    CHECK(found[i] == std::nearbyint(v / scale[i / 9]) + zero[i / 9]);
  }
}

TEST_CASE("a description says what is kept in integers") {
  const std::string text = tn::describe(tn::plan<tn::graph<clamped, channels>, tn::cpu>::view());
  CHECK(text.find("in uint8, which stands for numbers") != std::string::npos);
  const std::string without = tn::describe(tn::plan<tn::graph<turned, channels>, tn::cpu>::view());
  CHECK(without.find("which stands for numbers") == std::string::npos);
}
