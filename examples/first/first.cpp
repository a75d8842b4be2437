// The second program to read: options, an operator of your own, a constant of the plan, cpu.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <cstdio>
#include <cstdlib>
#include <vector>
namespace tn = tenon;

inline constexpr auto classify = [](auto image) {
  auto a = tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      image, tn::weight<"filter", float, 4, 3, 3, 3>, tn::weight<"bias", float, 4>);
  auto gate = tn::map([](auto x) { return x / (1.0f + exp(-x)); })(a);  // an operator of your own
  return tn::softmax<1>(gate);
};
using net = tn::graph<classify, tn::input<"image", float, 1, 3, 16, 16>>;
static_assert(tn::plan<net, tn::cpu>::arena_bytes <= 16 * 1024);  // planned by the compiler

int main() {
  std::vector<float> filter(4 * 3 * 3 * 3), bias(4), image(3 * 16 * 16, 0.5f), result(4 * 16 * 16);
  for (float& w : filter) w = static_cast<float>(std::rand() % 200) / 100 - 1;
  const tn::weights weights{tn::named("filter", filter), tn::named("bias", bias)};
  const tn::model<net, tn::cpu> model{weights};  // checks, binds and packs the weights
  tn::instance infer{model};                     // the last allocation
  if (!infer(image, result)) return 1;           // the caller's memory, nothing copied
  std::printf("the first class of pixel (0, 0): %.3f\n", result[0]);
}
