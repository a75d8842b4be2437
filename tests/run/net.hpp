// Runs a graph that a test built, with vectors.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/reference.hpp>
#include <tenon/run/instance.hpp>
#include "../support/same.hpp"
#include <cstdio>
#include <random>
#include <vector>

namespace tenon_test {

using floats_of = std::vector<float>;

/// A generator with a fresh seed, which is printed: a failure can be repeated by writing it here.
inline std::mt19937 fresh(const char* test) {
  const unsigned seed = std::random_device{}();
  std::printf("seed of %s: %u\n", test, seed);
  return std::mt19937(seed);
}
inline int below(std::mt19937& random, int n) {
  return std::uniform_int_distribution<int>(0, n - 1)(random);
}
inline floats_of noise(std::mt19937& random, tn::i64 count) {
  std::uniform_real_distribution<float> element(-2, 2);
  floats_of r(static_cast<std::size_t>(count));
  for (float& x : r) x = element(random);
  return r;
}

/// The outputs of a graph without weights on one policy. Throws what is wrong as a text.
template <class Policy = tn::reference>
std::vector<floats_of> run(const tn::result<tn::table>& built,
                           const std::vector<floats_of>& inputs) {
  if (!built.ok()) throw tn::text_of(built.error().what);
  const tn::model<tn::dynamic, Policy> model{*built, tn::weights<0>{}};
  if (!model.fault().ok()) throw tn::text_of(model.fault().what);
  tn::instance instance{model};
  const tn::table_view t = model.plan_of().table;
  std::vector<floats_of> outputs;
  std::vector<tn::const_view> in;
  std::vector<tn::mutable_view> out;
  for (int i = 0; i < t.inputs.size; ++i)
    in.push_back(tn::view_of(inputs[static_cast<std::size_t>(i)]));
  for (const int o : t.outputs)
    outputs.emplace_back(static_cast<std::size_t>(t.nodes[o].out.shape.count()), -7.0f);
  for (floats_of& o : outputs) out.push_back(tn::view_of(o));
  const tn::status done = instance.run(in, out);
  if (!done.ok()) throw tn::text_of(done.what);
  return outputs;
}

/// One operator on inputs.
template <class Op> floats_of apply(const typename Op::options& options,
                                    const std::vector<tn::shape>& shapes,
                                    const std::vector<floats_of>& inputs) {
  tn::builder b;
  tn::builder::value x[tn::max_operands];
  for (std::size_t i = 0; i < shapes.size(); ++i)
    x[i] = b.input(tn::name("x") + static_cast<int>(i), {tn::type::float32, shapes[i]});
  const auto y = shapes.size() == 1   ? b.add<Op>(options, {x[0]})
                 : shapes.size() == 2 ? b.add<Op>(options, {x[0], x[1]})
                                      : b.add<Op>(options, {x[0], x[1], x[2]});
  return run(b.finish({y}), inputs)[0];
}

}  // namespace tenon_test
