// Operators of your own, used as the built-in ones are: lambdas, an element-wise operator with
// options, and a composite. Each is checked against a plain loop, on every policy.
// SPDX-License-Identifier: MIT
#include "../policies.hpp"
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>
namespace tn = tenon;

// 1. The shortest way: a captureless lambda. It is called once, with symbols, and writes its
//    program down; that program runs on every policy and fuses with its neighbours.
inline constexpr auto swish = tn::map([](auto x) { return x / (1.0f + exp(-x)); });
inline constexpr auto gated = tn::map([](auto value, auto gate) { return value * sigmoid(gate); });

// 2. An element-wise operator with a name and options: a struct with a `meaning`.
struct hardSigmoid_options {
  float alpha = 0.2f, beta = 0.5f;
  constexpr bool operator==(const hardSigmoid_options&) const = default;
};
struct hardSigmoid_t : tn::map_operator<hardSigmoid_t, 1, hardSigmoid_options> {
  static constexpr const char* name = "hardSigmoid";
  static constexpr auto meaning(const hardSigmoid_options& o, tn::scalar x) {
    return max(min(o.alpha * x + o.beta, 1.0f), 0.0f);
  }
};
template <hardSigmoid_options O = hardSigmoid_options{}, tn::operand_like X>
constexpr auto hardSigmoid(X x) {
  return tn::apply<hardSigmoid_t, O>(x);
}

// 3. A composite: `infer` says which operands fit and what comes out, `record` says it in terms of
//    the families (here map and reduce). No policy has to know it.
struct rmsNormalization_options {
  float epsilon = 1e-5f;
  constexpr bool operator==(const rmsNormalization_options&) const = default;
};
/// x / sqrt(mean(x^2) + epsilon) * scale along the last axis.
struct rmsNormalization_t {
  static constexpr const char* name = "rmsNormalization";
  using options = rmsNormalization_options;

  static constexpr tn::result<tn::tensor> infer(const options& o, tn::list<tn::tensor> in) {
    if (in.size != 2) return tn::error{tn::code::operand_count, name, "", 2, in.size};
    const tn::shape &x = in[0].shape, &scale = in[1].shape;
    if (x.rank < 1) return tn::error{tn::code::rank, name, "input", 1, x.rank};
    if (scale != tn::extents(x[x.rank - 1]))
      return tn::error{tn::code::extent, name, "scale", tn::extents(x[x.rank - 1]), scale};
    if (!(o.epsilon > 0)) return tn::error{tn::code::option, name, "epsilon", "above zero", "not"};
    return in[0];
  }
  static constexpr int record(tn::recorder& r, const options& o, tn::list<int> in,
                              const tn::tensor& out) {
    const int last = out.shape.rank - 1;
    const float columns = static_cast<float>(out.shape[last]);
    tn::tensor row = out;  // one value for each row
    row.shape.extent[last] = 1;
    r.open(name);  // the nodes that follow keep this name
    const int squares =
        r.map(name, tn::record_program<1>([](auto x) { return x * x; }), {in[0]}, out);
    const int sum = r.reduce(name, {tn::combine::sum, 1u << last, true}, squares, row);
    const auto normal = [&](auto x, auto s, auto scale) {
      return x / sqrt(s / columns + o.epsilon) * scale;
    };
    const int y = r.map(name, tn::record_program<3>(normal), {in[0], sum, in[1]}, out);
    r.close();
    return y;
  }
  /// What the compiler says, in your words.
  template <tn::error E> static consteval void explain() {
    static_assert(
        E.what != tn::code::extent,
        "rmsNormalization: scale must have one element for each of the last axis; reshape() it");
    static_assert(E.what != tn::code::option,
                  "rmsNormalization: epsilon must be above zero; leave it out");
  }
};
template <rmsNormalization_options O = rmsNormalization_options{}, tn::operand_like X,
          tn::operand_like S>
constexpr auto rmsNormalization(X x, S scale) {
  return tn::apply<rmsNormalization_t, O>(x, scale);
}

// All of them in one static graph.
inline constexpr int height = 3, width = 40;
inline constexpr auto layer = [](auto x) {
  auto normal = rmsNormalization(x, tn::weight<"scale", float, width>);
  auto hard = hardSigmoid<hardSigmoid_options{.alpha = 0.25f}>(normal);
  return tn::outputs(swish(normal), gated(normal, hard));
};
using net = tn::graph<layer, tn::input<"x", float, height, width>>;

// A mistake is found by `infer`, before anything runs.
inline constexpr auto mistaken = [](auto x) {
  return rmsNormalization(x, tn::weight<"scale", float, width + 1>);
};
using wrong = tn::graph<mistaken, tn::input<"x", float, height, width>>;
static_assert(tn::check<wrong>.is(tn::code::extent, "rmsNormalization"));

/// The same from data, at run time, with the same structs.
tn::result<tn::table> build() {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(height, width)});
  const auto scale = b.weight("scale", {tn::type::float32, tn::extents(width)});
  const auto normal = b.add<rmsNormalization_t>({}, {x, scale});
  const auto hard = b.add<hardSigmoid_t>({.alpha = 0.25f}, {normal});
  const float one = 1.0f;  // lambdas of the builder may capture
  const auto swished = b.map<1>([&](auto v) { return v / (one + exp(-v)); }, {normal});
  const auto gate = b.map<2>([](auto v, auto g) { return v * sigmoid(g); }, {normal, hard});
  return b.finish({swished, gate});
}

using matrix = std::vector<float>;
struct outputs {
  matrix swished = matrix(height * width), gated = matrix(height * width);
};

/// What the layer means, in plain loops and double precision.
outputs expected(const matrix& x, const matrix& scale) {
  outputs y;
  for (std::size_t row = 0; row < height; ++row) {
    double sum = 0;
    for (std::size_t c = 0; c < width; ++c) sum += std::pow(x[row * width + c], 2);
    for (std::size_t c = 0; c < width; ++c) {
      const std::size_t i = row * width + c;
      const double normal = x[i] / std::sqrt(sum / width + 1e-5f) * scale[c];
      const double hard = std::fmax(std::fmin(0.25 * normal + 0.5, 1.0), 0.0);
      y.swished[i] = static_cast<float>(normal / (1 + std::exp(-normal)));
      y.gated[i] = static_cast<float>(normal / (1 + std::exp(-hard)));
    }
  }
  return y;
}

double largest_difference(const matrix& a, const matrix& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::fmax(most, std::abs(a[i] - b[i]));
  return most;
}

/// Runs a bound model and prints how far it is from the loops. False if it is too far.
template <class Model> bool check(const char* kind, const char* policy, const Model& model,
                                  const matrix& x, const outputs& wanted) {
  if (!model.fault().ok())
    return std::printf("%s on %s: %s\n", kind, policy, text_of(model.fault().what)), false;
  tn::instance infer{model};
  outputs y;
  if (const tn::status s = infer(x, y.swished, y.gated); !s.ok())
    return std::printf("%s on %s: %s\n", kind, policy, text_of(s.what)), false;
  const double far = std::fmax(largest_difference(y.swished, wanted.swished),
                               largest_difference(y.gated, wanted.gated));
  int steps = 0;
  for (int g = 0; g < model.plan_of().groups.size; ++g)
    steps += model.plan_of().group_of[model.plan_of().groups[g].anchor] == g;
  std::printf("  %-8s %-10s %2d steps, largest difference to the plain loops %.1e\n", kind, policy,
              steps, far);
  return far < 2e-6;
}

int main() {
  matrix x, scale;
  for (int i = 0; i < height * width; ++i) x.push_back(static_cast<float>(i * 37 % 101 - 50) / 16);
  for (int i = 0; i < width; ++i) scale.push_back(0.5f + static_cast<float>(i) / width);
  const outputs wanted = expected(x, scale);
  const tn::weights weights{tn::named("scale", scale)};
  const auto table = build();
  if (!table) return std::printf("builder: %s\n", text_of(table.error().what)), 1;

  std::puts(
      "Four operators that tenon does not have: swish and gated (lambdas), hardSigmoid (options)\n"
      "and rmsNormalization (composite), as a static graph and as one built at run time:");
  bool good = true;
  policies::each([&]<class Policy>() {
    if (const tn::error e = missing<Policy>(); !e.ok())
      return void(std::printf("  %s: not on this machine: %s\n", Policy::name, text_of(e.what)));
    good &= check("static", Policy::name, tn::model<net, Policy>{weights}, x, wanted);
    good &=
        check("built", Policy::name, tn::model<tn::dynamic, Policy>{*table, weights}, x, wanted);
  });
  constexpr tn::error e = tn::check<wrong>;
  std::printf("A scale of the wrong size does not compile: in `%s` the `%s` of `%s` is wrong.\n",
              e.op.c_str(), text_of(e.what), e.operand.c_str());
  return good ? 0 : 1;
}
