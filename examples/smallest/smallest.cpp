// The README's first program: a dense layer, relu and softmax. It needs no library and compiles in
// seconds; examples/first is the next one to read.
// SPDX-License-Identifier: MIT
// [readme]
#include <tenon/reference.hpp>
#include <cstdio>
namespace tn = tenon;

inline constexpr auto classify = [](auto x) {
  auto dense = tn::matmul(x, tn::weight<"w", float, 3, 2>) + tn::weight<"b", float, 2>;
  return tn::softmax<1>(tn::relu(dense));
};
using net = tn::graph<classify, tn::input<"x", float, 1, 3>>;

int main() {
  const float w[3][2] = {{0.5f, -1}, {1, 0.5f}, {-0.5f, 1}}, b[2] = {0, 0.5f};
  const tn::model<net, tn::reference> model{tn::weights{tn::named("w", w), tn::named("b", b)}};
  tn::instance infer{model};  // the last allocation
  const float x[1][3] = {{1, 2, 3}};
  float y[1][2];
  if (const tn::status s = infer(x, y); s.ok())
    std::printf("%.3f %.3f\n", y[0][0], y[0][1]);
  else
    std::puts(tn::text_of(s.what));
}
// [/readme]
