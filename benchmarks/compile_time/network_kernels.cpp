// A network of networks.hpp, planned, bound and called on the policy `cpu`: -DNETWORK=name.
// SPDX-License-Identifier: MIT
#include <tenon/run/cpu.hpp>
#include "networks.hpp"

template <class Weights>
tenon::status infer(const Weights& weights, std::span<const float> in, std::span<float> out) {
  const tenon::model<networks::NETWORK::graph, tenon::cpu> model{weights};
  tenon::instance instance{model};
  return instance(in, out);
}
template tenon::status infer(const tenon::weights<256>&, std::span<const float>, std::span<float>);
