// The README's first program, complete: a small network, random weights, one call.
// SPDX-License-Identifier: MIT
// [readme]
#include <tenon/run/reference.hpp>
#include <cstdio>
#include <random>
#include <span>
#include <vector>
namespace tn = tenon;

inline constexpr auto classify = [](auto image) {
  auto a = tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      image, tn::weight<"filter", float, 4, 3, 3, 3>, tn::weight<"bias", float, 4>);
  auto gate = tn::map([](auto x) { return x / (1.0f + exp(-x)); })(a);  // an operator of your own
  return tn::softmax<1>(gate);
};
using net = tn::graph<classify, tn::input<"image", float, 1, 3, 16, 16>>;
static_assert(tn::plan<net, tn::reference>::arena_bytes <= 16 * 1024);  // planned by the compiler

int main() {
  float filter[4][3][3][3], bias[4] = {};
  std::mt19937 random;
  for (float& w : std::span(&filter[0][0][0][0], 108)) w = static_cast<float>(random() % 200) / 100 - 1;
  const std::vector<float> image(3 * 16 * 16, 0.5f);
  std::vector<float> result(4 * 16 * 16);

  const tn::weights weights{tn::named("filter", filter), tn::named("bias", bias)};
  const tn::model<net, tn::reference> model{weights};  // checks and binds the weights
  tn::instance infer{model};                     // the last allocation
  if (!infer(image, result)) return 1;           // the caller's memory, nothing copied
  for (std::size_t c = 0; c < 4; ++c) std::printf("class %zu of pixel (0, 0): %.3f\n", c, static_cast<double>(result[c * 256]));
}
// [/readme]
