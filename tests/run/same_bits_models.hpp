// Models of all families whose results must not depend on how they are run, and their hashes.
// SPDX-License-Identifier: MIT
#pragma once
#include "../policy/cpu/testing.hpp"
#include "lenet.hpp"

namespace tenon_test {

namespace models {
inline constexpr auto pixels_model = [](auto image) {  // convolutions: plain, strided, grouped,
                                                       // depthwise, in both layouts
  constexpr tenon::conv2d_options same{.padding = {1, 1, 1, 1}};
  constexpr tenon::conv2d_options down{.padding = {1, 0, 2, 1}, .strides = {2, 2}};
  constexpr tenon::conv2d_options deep{.padding = {1, 1, 1, 1}, .dilations = {2, 1}, .groups = 12};
  constexpr tenon::conv2d_options channels_last{.inputLayout = tenon::image_layout::nhwc,
                                                .filterLayout = tenon::filter_layout::ohwi};
  auto a = tenon::relu(tenon::conv2d<same>(image, tenon::weight<"a.w", float, 12, 3, 3, 3>,
                                           tenon::weight<"a.b", float, 12>));
  auto b = tenon::clamp<tenon::clamp_options{0.0f, 6.0f}>(
      tenon::conv2d<deep>(a, tenon::weight<"b.w", float, 12, 1, 3, 3>,
                          tenon::weight<"b.b", float, 12>) +
      0.25f);
  auto c = tenon::conv2d<down>(b, tenon::weight<"c.w", float, 20, 12, 3, 3>);
  auto d = tenon::map([](auto x) { return x / (1.0f + exp(-x)); })(c);
  auto e = tenon::conv2d<channels_last>(tenon::transpose<0, 2, 3, 1>(d),
                                        tenon::weight<"e.w", float, 19, 1, 1, 20>,
                                        tenon::weight<"e.b", float, 19>);
  constexpr tenon::pool2d_options three{.windowDimensions = {3, 3},
                                        .padding = {1, 1, 1, 1},
                                        .strides = {2, 1},
                                        .layout = tenon::image_layout::nhwc};
  return tenon::outputs(tenon::averagePool2d<three>(e), tenon::maxPool2d<three>(e),
                        tenon::reduceSum(d));
};
inline constexpr auto functions_model = [](auto x, auto y) {  // every elementary function
  auto a = tenon::map(
      [](auto u, auto v) { return exp(u) + log(abs(v) + 0.1f) * tanh(u) - erf(v); })(x, y);
  auto b = tenon::map(
      [](auto u, auto v) { return sin(u) * cos(v) + tan(u * 0.3f) + pow(abs(u) + 0.5f, v); })(a, y);
  auto c = tenon::map([](auto u, auto v) {
    return select(u < v, u * v + sigmoid(u), u / (sqrt(abs(v)) + 1.0f)) - floor(u) * round_even(v);
  })(b, x);
  auto d = tenon::map(
      [](auto u, auto v) {  // a product with two uses is no fma: compilers like to make one
        auto p = u * v;
        return (p + v) / (p - u);
      })(x, y);
  return tenon::outputs(a, b, c, d);
};
inline constexpr auto attention_model = [](auto q, auto k, auto v) {
  auto scores = tenon::matmul(q, tenon::transpose<0, 2, 1>(k)) * 0.2f;
  auto weights = tenon::softmax<2>(scores);
  return tenon::outputs(tenon::matmul(weights, v),
                        tenon::reduceMax<tenon::reduce_options{.axes = {1}}>(weights),
                        tenon::softmax<1>(scores));
};
inline constexpr auto perceptron_model = [](auto x) {
  constexpr tenon::reduce_options rows{.axes = {1}, .keepDimensions = true};
  auto h = tenon::tanh(tenon::matmul(x, tenon::weight<"w1", float, 61, 133>) +
                       tenon::weight<"b1", float, 133>);
  auto centred = h - tenon::reduceSum<rows>(h) * (1.0f / 133);
  auto spread = tenon::reduceSum<rows>(centred * centred);
  auto y = tenon::map([](auto c, auto s) { return c / sqrt(s + 1e-5f); })(centred, spread);
  return tenon::sigmoid(
      tenon::gemm<tenon::gemm_options{.alpha = 0.5f, .beta = 2.0f, .bTranspose = true}>(
          y, tenon::weight<"w2", float, 7, 133>, tenon::weight<"b2", float, 411, 1>));
};
inline constexpr auto places_model =
    [](auto image) {  // what computes places: transposed convolutions, samples, bands, writes
      constexpr tenon::convTranspose2d_options twice{.padding = {1, 1, 1, 1}, .strides = {2, 2}};
      constexpr tenon::convTranspose2d_options grouped{
          .strides = {3, 1}, .dilations = {2, 1}, .groups = 2};
      constexpr tenon::resample2d_options larger{.mode = tenon::interpolation::linear,
                                                 .scales = {1.7f, 2}},
          nearest{.sizes = {41, 23}};
      auto a = tenon::relu(tenon::convTranspose2d<twice>(
          image, tenon::weight<"a.w", float, 6, 13, 4, 4>, tenon::weight<"a.b", float, 13>));
      auto b = tenon::convTranspose2d<grouped>(image, tenon::weight<"b.w", float, 6, 5, 2, 3>);
      auto c =
          tenon::l2Pool2d<tenon::pool2d_options{.windowDimensions = {3, 2}, .strides = {2, 3}}>(
              tenon::resample2d<larger>(image));
      auto d = tenon::triangular<tenon::triangular_options{.diagonal = 3}>(
          tenon::resample2d<nearest>(image));
      auto rows = tenon::reshape<12, 143>(image);
      auto at = tenon::reshape<11, 13, 1>(tenon::cast<std::int32_t>(
          tenon::reshape<11, 13>(
              tenon::slice<tenon::slice_options{.starts = {0, 0}, .sizes = {1, 143}}>(rows)) *
          9.0f));
      auto e = tenon::scatterND(
          rows, at,
          tenon::reshape<11, 13, 143>(
              tenon::expand<143, 143>(tenon::reshape<1, 143>(
                  tenon::reduceLogSumExp<tenon::reduce_options{.axes = {0}}>(rows))) *
              0.5f));
      auto f = tenon::scatterElements<1>(rows, tenon::cast<std::int32_t>(rows * 100.0f),
                                         tenon::tanh(rows));
      return tenon::outputs(a, b, c, d, e, f);
    };
inline constexpr auto recurrent_model =
    [](auto x, auto h) {  // scans: in both directions, of all states, over states alone
      constexpr tenon::gru_options both{
          .bias = true, .returnSequence = true, .direction = tenon::recurrent_direction::both};
      constexpr tenon::lstm_options back{.bias = true,
                                         .peepholeWeight = true,
                                         .initialHiddenState = true,
                                         .direction = tenon::recurrent_direction::backward};
      constexpr tenon::gru_options before{.recurrentBias = true, .resetAfter = false};
      auto [last, all] = tenon::gru<both>(x, tenon::weight<"g.w", float, 2, 57, 23>,
                                          tenon::weight<"g.r", float, 2, 57, 19>,
                                          tenon::weight<"g.b", float, 2, 57>);
      auto [hidden, cell] = tenon::lstm<back>(
          tenon::reshape<13, 192, 19>(tenon::tanh(all)), tenon::weight<"l.w", float, 1, 44, 19>,
          tenon::weight<"l.r", float, 1, 44, 11>, tenon::weight<"l.b", float, 1, 44>,
          tenon::weight<"l.p", float, 1, 33>, h);
      auto again = tenon::gru<before>(x * 0.5f, tenon::weight<"b.w", float, 1, 210, 23>,
                                      tenon::weight<"b.r", float, 1, 210, 70>,
                                      tenon::weight<"b.b", float, 1, 210>);
      constexpr tenon::cumulativeSum_options along{.axis = 1, .exclusive = true};
      return tenon::outputs(last, tenon::concat<0>(hidden, cell), all,
                            tenon::cumulativeSum<along>(again), tenon::cumulativeSum(again));
    };
}  // namespace models

using pixels = tenon::graph<models::pixels_model, tenon::input<"image", float, 2, 3, 29, 35>>;
using functions = tenon::graph<models::functions_model, tenon::input<"x", float, 3, 1, 2111>,
                               tenon::input<"y", float, 5, 1>>;
using attention =
    tenon::graph<models::attention_model, tenon::input<"q", float, 3, 70, 19>,
                 tenon::input<"k", float, 3, 65, 19>, tenon::input<"v", float, 3, 65, 23>>;
using places = tenon::graph<models::places_model, tenon::input<"image", float, 2, 6, 11, 13>>;
using recurrent = tenon::graph<models::recurrent_model, tenon::input<"x", float, 13, 96, 23>,
                               tenon::input<"h", float, 1, 192, 11>>;
using perceptron = tenon::graph<models::perceptron_model, tenon::input<"x", float, 411, 61>>;

/// Calls `visit.operator()<Graph>(name)` for every model.
template <class Visit> void each_model(Visit&& visit) {
  visit.template operator()<lenet>("lenet");
  visit.template operator()<pixels>("pixels");
  visit.template operator()<functions>("functions");
  visit.template operator()<attention>("attention");
  visit.template operator()<perceptron>("perceptron");
  visit.template operator()<places>("places");
  visit.template operator()<recurrent>("recurrent");
}

/// FNV-1a over all elements; every NaN counts alike.
inline std::uint64_t hash_of(const results& all) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const auto& one : all)
    for (const float x : one) {
      std::uint32_t word = x == x ? std::bit_cast<std::uint32_t>(x) : 0x7fc00000u;
      for (int i = 0; i < 4; ++i, word >>= 8) h = (h ^ (word & 255)) * 0x100000001b3ull;
    }
  return h;
}
/// The hash of a model over fixed data.
template <class Policy, class Graph> std::uint64_t hash_of_model() {
  dice d{20240229};
  return hash_of(run_static<Policy, Graph>(random_contents(Graph::view(), d)));
}

}  // namespace tenon_test
