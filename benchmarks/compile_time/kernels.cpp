// LeNet-5, planned, bound and called on the policy `cpu`: what a user's program compiles.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include "../../examples/networks/lenet5.hpp"
namespace tn = tenon;

template <class Weights> tn::status infer(const Weights& weights, std::span<const float, 784> image,
                                          std::span<float, 10> result) {
  const tn::model<networks::lenet5::graph, tn::cpu> model{weights};
  tn::instance instance{model};
  return instance(image, result);
}
template tn::status infer(const tn::weights<10>&, std::span<const float, 784>,
                          std::span<float, 10>);
