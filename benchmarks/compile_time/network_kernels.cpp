// A network of examples/networks, planned, bound and called on the policy `cpu`: -DHEADER, -DGRAPH.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include HEADER

template <class Weights>
tenon::status infer(const Weights& weights, std::span<const float> in, std::span<float> out) {
  const tenon::model<GRAPH, tenon::cpu> model{weights};
  tenon::instance instance{model};
  return instance(in, out);
}
template tenon::status infer(const tenon::weights<256>&, std::span<const float>, std::span<float>);
