// A policy that is not part of the library runs what it can; the library's own runs the rest. The
// planner decides which, and every model says so.
// SPDX-License-Identifier: MIT
#include <tenon/reference.hpp>
#include "careful.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
namespace tn = tenon;

inline constexpr auto small_net = [](auto image) {
  constexpr tn::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};
  auto a = tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      image, tn::weight<"conv.weight", float, 4, 2, 3, 3>, tn::weight<"conv.bias", float, 4>);
  auto b = tn::maxPool2d<half>(tn::map([](auto x) { return x / (1.0f + exp(-x)); })(a));
  auto c = tn::gemm(tn::reshape<1, 144>(b), tn::weight<"fc.weight", float, 144, 5>,
                    tn::weight<"fc.bias", float, 5>);
  return tn::outputs(c, tn::softmax<1>(c));
};
using net = tn::graph<small_net, tn::input<"image", float, 1, 2, 12, 12>>;

// Both policies work in the caller's memory: tensors cross between them, but nothing is copied.
using plan = tn::plan<net, careful, tn::reference>;
static_assert(plan::crossings > 0);
static_assert(plan::copies == 0 && plan::bytes_moved == 0);

void show_placement() {
  const tn::plan_view p = plan::view();
  std::puts("Where the planner put each step:");
  for (int g = 0; g < p.groups.size; ++g) {
    const tn::node& n = p.anchor_of(g);
    const bool runs = p.group_of[p.groups[g].anchor] == g;
    std::printf("  %2d  %-10s %-9s %s\n", g, n.op, name_of(n.kind),
                runs ? p.policies[p.groups[g].policy].name : "nowhere: a view");
  }
  std::printf("%d tensors cross between the policies, %d of them are copied; arena %lld bytes\n",
              plan::crossings, plan::copies, static_cast<long long>(plan::arena_bytes));
}

/// Numbers between -1 and 1, the same at every start.
void fill(std::span<float> data) {
  static std::uint32_t state = 1;
  for (float& x : data) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
    x = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
}

struct answer {
  std::array<float, 5> logits{}, probabilities{};
};
template <class... Policies>
bool infer(const auto& weights, std::span<const float> image, answer& a) {
  const tn::model<net, Policies...> model{weights};
  tn::instance instance{model};
  return instance(image, std::span(a.logits), std::span(a.probabilities))
      .ok();  // an unbound model says so here
}

int main() {
  std::array<float, 2 * 12 * 12> image;
  float filter[4][2][3][3], bias[4], matrix[144][5], offset[5];
  fill(image);
  fill({&filter[0][0][0][0], 72});
  fill(bias);
  fill({&matrix[0][0], 720});
  fill(offset);
  const tn::weights weights{tn::named("conv.weight", filter), tn::named("conv.bias", bias),
                            tn::named("fc.weight", matrix), tn::named("fc.bias", offset)};
  show_placement();

  answer ours, reference;
  if (!infer<careful, tn::reference>(weights, image, ours) ||
      !infer<tn::reference>(weights, image, reference))
    return 1;
  std::printf("careful summed %lld products and computed %lld elements of maps.\n",
              static_cast<long long>(careful::products_summed),
              static_cast<long long>(careful::elements_mapped));
  double difference = 0;
  std::puts("logits on careful, reference as fallback, and on reference alone:");
  for (std::size_t i = 0; i < ours.logits.size(); ++i) {
    std::printf("  %13.7f %13.7f\n", static_cast<double>(ours.logits[i]),
                static_cast<double>(reference.logits[i]));
    difference = std::max(difference, std::abs(static_cast<double>(ours.logits[i]) -
                                               static_cast<double>(reference.logits[i])));
  }
  const auto larger = [](float a, float b) { return std::abs(a) < std::abs(b); };
  const double largest =
      std::abs(static_cast<double>(*std::ranges::max_element(reference.logits, larger)));
  std::printf("largest difference, relative to the largest logit: %.1e\n", difference / largest);
  return difference <= 1e-5 * largest ? 0 : 1;
}
