// The networks of `tools/bench models`, each written twice: as an expression, and for the run-time
// builder. Their weights are named in the order of first use, which is that of the peers' files.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>
#include <string>

namespace nets {
namespace tn = tenon;

constexpr tn::tensor floats(auto... extents) {
  return {tn::type::float32, tn::extents(extents...)};
}
inline constexpr tn::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};
inline constexpr tn::gemm_options rows{.bTranspose = true};  // weights are stored [out, in]

/// LeNet-5 with ReLU and maximum pooling.
struct lenet5 {
  static constexpr auto write = [](auto image) {
    constexpr tn::conv2d_options same{.padding = {2, 2, 2, 2}};
    auto a = tn::relu(tn::conv2d<same>(image, tn::weight<"conv1.weight", float, 6, 1, 5, 5>,
                                       tn::weight<"conv1.bias", float, 6>));
    auto b =
        tn::relu(tn::conv2d(tn::maxPool2d<half>(a), tn::weight<"conv2.weight", float, 16, 6, 5, 5>,
                            tn::weight<"conv2.bias", float, 16>));
    auto c = tn::relu(tn::gemm<rows>(tn::reshape<1, 400>(tn::maxPool2d<half>(b)),
                                     tn::weight<"fc1.weight", float, 120, 400>,
                                     tn::weight<"fc1.bias", float, 120>));
    auto d = tn::relu(tn::gemm<rows>(c, tn::weight<"fc2.weight", float, 84, 120>,
                                     tn::weight<"fc2.bias", float, 84>));
    return tn::gemm<rows>(d, tn::weight<"fc3.weight", float, 10, 84>,
                          tn::weight<"fc3.bias", float, 10>);
  };
  using graph = tn::graph<write, tn::input<"in", float, 1, 1, 28, 28>>;

  static tn::result<tn::table> build() {
    tn::builder b;
    const auto dense = [&](tn::builder::value x, const std::string& name, int out, int in) {
      return b.add<tn::gemm_t>(rows, {x, b.weight((name + ".weight").c_str(), floats(out, in)),
                                      b.weight((name + ".bias").c_str(), floats(out))});
    };
    const auto stage = [&](tn::builder::value x, const std::string& name, int pad, int out,
                           int in) {
      const auto c =
          b.add<tn::conv2d_t>({.padding = {pad, pad, pad, pad}},
                              {x, b.weight((name + ".weight").c_str(), floats(out, in, 5, 5)),
                               b.weight((name + ".bias").c_str(), floats(out))});
      return b.add<tn::maxPool2d_t>(half, {b.add<tn::relu_t>({}, {c})});
    };
    const auto image = b.input("in", floats(1, 1, 28, 28));
    const auto pixels = stage(stage(image, "conv1", 2, 6, 1), "conv2", 0, 16, 6);
    const auto flat = b.add<tn::reshape_t>({.newShape = {1, 400}}, {pixels});
    const auto x = b.add<tn::relu_t>({}, {dense(flat, "fc1", 120, 400)});
    const auto y = b.add<tn::relu_t>({}, {dense(x, "fc2", 84, 120)});
    return b.finish({dense(y, "fc3", 10, 84)});
  }
};

/// One convolution of 100 channels, 3 x 3, with bias and ReLU.
struct conv100 {
  static constexpr tn::conv2d_options same{.padding = {1, 1, 1, 1}};
  static constexpr auto write = [](auto image) {
    return tn::relu(tn::conv2d<same>(image, tn::weight<"weight", float, 100, 100, 3, 3>,
                                     tn::weight<"bias", float, 100>));
  };
  using graph = tn::graph<write, tn::input<"in", float, 1, 100, 100, 100>>;

  static tn::result<tn::table> build() {
    tn::builder b;
    const auto image = b.input("in", floats(1, 100, 100, 100));
    const auto c = b.add<tn::conv2d_t>(
        same, {image, b.weight("weight", floats(100, 100, 3, 3)), b.weight("bias", floats(100))});
    return b.finish({b.add<tn::relu_t>({}, {c})});
  }
};

/// The product of a square matrix and a constant one.
template <int N> struct gemm {
  static constexpr auto write = [](auto a) { return tn::matmul(a, tn::weight<"b", float, N, N>); };
  using graph = tn::graph<write, tn::input<"a", float, N, N>>;

  static tn::result<tn::table> build() {
    tn::builder b;
    const auto a = b.input("a", floats(N, N));
    return b.finish({b.add<tn::matmul_t>({}, {a, b.weight("b", floats(N, N))})});
  }
};

/// An element-wise chain over a million floats; inputs in the order of the peer's model.
struct chain1m {
  static constexpr int n = 1 << 20;
  static constexpr auto write = [](auto a, auto x, auto b, auto c, auto d) {
    return tn::relu(a * x + b) * c + tn::tanh(d);
  };
  using graph =
      tn::graph<write, tn::input<"a", float, n>, tn::input<"x", float, n>, tn::input<"b", float, n>,
                tn::input<"c", float, n>, tn::input<"d", float, n>>;

  static tn::result<tn::table> build() {
    tn::builder g;
    const auto a = g.input("a", floats(n)), x = g.input("x", floats(n)),
               b = g.input("b", floats(n)), c = g.input("c", floats(n)),
               d = g.input("d", floats(n));
    const auto line = g.add<tn::add_t>({}, {g.add<tn::mul_t>({}, {a, x}), b});
    const auto scaled = g.add<tn::mul_t>({}, {g.add<tn::relu_t>({}, {line}), c});
    return g.finish({g.add<tn::add_t>({}, {scaled, g.add<tn::tanh_t>({}, {d})})});
  }
};

}  // namespace nets
