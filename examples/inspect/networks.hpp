// The networks that `inspect` knows.
// SPDX-License-Identifier: MIT
#pragma once
#include "../networks/digits.hpp"
#include "../networks/encoder.hpp"
#include "../networks/lenet.hpp"

namespace networks {
namespace tn = tenon;

/// Three layers and a softmax, for 8 rows at a time.
inline constexpr auto mlp_model = [](auto x) {
  auto a = tn::relu(
      tn::gemm(x, tn::weight<"fc1.weight", float, 64, 128>, tn::weight<"fc1.bias", float, 128>));
  auto b = tn::relu(
      tn::gemm(a, tn::weight<"fc2.weight", float, 128, 128>, tn::weight<"fc2.bias", float, 128>));
  return tn::softmax<1>(
      tn::gemm(b, tn::weight<"fc3.weight", float, 128, 10>, tn::weight<"fc3.bias", float, 10>));
};

/// Networks with their names: `each` visits one after the other.
struct lenet_example {
  static constexpr const char* name = "lenet";
  using graph = lenet::graph;
};
struct digits_example {
  static constexpr const char* name = "digits";
  using graph = digits::graph;
};
struct mlp {
  static constexpr const char* name = "mlp";
  using graph = tn::graph<mlp_model, tn::input<"rows", float, 8, 64>>;
};
/// One layer of examples/networks/encoder.hpp, on a sequence of 128: attention of 12 heads and a
/// feed-forward part, each with a residual sum and a normalization of its rows.
struct encoder_layer {
  static constexpr const char* name = "encoder";
  using graph = tn::graph<encoder::model<1>, tn::input<"x", float, 1, 128, encoder::hidden>>;
};
template <class Visit> void each(Visit&& visit) {
  visit.template operator()<lenet_example>();
  visit.template operator()<digits_example>();
  visit.template operator()<mlp>();
  visit.template operator()<encoder_layer>();
}

}  // namespace networks
