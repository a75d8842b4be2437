// A network of 8 bits whose scales are powers of two, for tests: two convolutions and a matrix
// product.
// SPDX-License-Identifier: MIT
#pragma once
#include "../../support/arrays.hpp"

namespace tenon_test {

namespace models {
using std::int8_t, std::uint8_t;
inline constexpr auto bytes_model = [](auto image) {
  constexpr tenon::conv2d_options same{.padding = {1, 1, 1, 1}}, half{.strides = {2, 2}};
  auto a = tenon::dequantizeLinear(image, tenon::weight<"a.s", float, 1, 1, 1, 1>,
                                   tenon::weight<"a.z", uint8_t, 1, 1, 1, 1>);
  auto v = tenon::dequantizeLinear(tenon::weight<"v", int8_t, 20, 5, 3, 3>,
                                   tenon::weight<"v.s", float, 20, 1, 1, 1>,
                                   tenon::weight<"v.z", int8_t, 20, 1, 1, 1>);
  auto b = tenon::relu(tenon::conv2d<same>(a, v, tenon::weight<"v.b", float, 20>));
  auto s = tenon::weight<"b.s", float, 1, 1, 1, 1>;
  auto z = tenon::weight<"b.z", int8_t, 1, 1, 1, 1>;
  auto c = tenon::dequantizeLinear(tenon::quantizeLinear(b, s, z), s, z);
  auto w = tenon::dequantizeLinear(tenon::weight<"w", uint8_t, 33, 20, 1, 1>,
                                   tenon::weight<"w.s", float, 1, 1, 1, 1>,
                                   tenon::weight<"w.z", uint8_t, 1, 1, 1, 1>);
  auto d = tenon::quantizeLinear(tenon::conv2d<half>(c, w), s, z);
  auto e = tenon::dequantizeLinear(tenon::reshape<11, 33 * 6>(d), tenon::weight<"e.s", float, 1, 1>,
                                   tenon::weight<"e.z", int8_t, 1, 1>);
  auto x = tenon::dequantizeLinear(tenon::weight<"x", int8_t, 33 * 6, 19>,
                                   tenon::weight<"x.s", float, 1, 19>,
                                   tenon::weight<"x.z", int8_t, 1, 19>);
  return tenon::outputs(tenon::gemm(e, x, tenon::weight<"x.b", float, 19>), tenon::relu(c));
};
}  // namespace models

using bytes_net =
    tenon::graph<models::bytes_model, tenon::input<"image", std::uint8_t, 1, 5, 11, 21>>;

/// The weights in the order of a table: scales are powers of two, or `scale` where that is not 0;
/// weights stand close enough to zero for 24 bits.
inline std::vector<array> byte_weights(const tn::table_view& t, dice& d, double scale = 0) {
  std::vector<array> all;
  for (const int i : t.weights) {
    const tn::tensor& is = t.nodes[i].out;
    const double middle = is.type == tn::type::uint8 ? 128 : 0;
    const bool scales = is.type == tn::type::float32 && is.shape.rank != 1;
    all.push_back(made(is, [&](tn::i64) {
      if (is.type != tn::type::float32) return middle + d.in(-60, 60);
      if (!scales) return static_cast<double>(d.real());
      return scale != 0 ? scale : std::ldexp(1.0, -d.in(2, 8));
    }));
  }
  return all;
}

}  // namespace tenon_test
