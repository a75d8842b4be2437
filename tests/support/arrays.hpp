// Arrays of every element type as doubles, and tables that run with them on reference and on cpu.
// SPDX-License-Identifier: MIT
#pragma once
#include "../catch.hpp"
#include "../policy/cpu/testing.hpp"
#include "same.hpp"
#include <cmath>
#include <functional>

namespace tenon_test {

inline constexpr double infinite = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A tensor and its elements. A double holds every element but 64-bit integers from 2^53 on.
struct array {
  tn::tensor is{};
  std::vector<double> at{};
  tn::i64 count() const { return is.shape.count(); }
  double operator[](tn::i64 i) const { return at[static_cast<std::size_t>(i)]; }
  double& operator[](tn::i64 i) { return at[static_cast<std::size_t>(i)]; }
};
constexpr tn::tensor ints(tn::shape s) { return {tn::type::int32, s}; }
constexpr tn::tensor longs(tn::shape s) { return {tn::type::int64, s}; }
constexpr tn::tensor bytes(tn::shape s) { return {tn::type::uint8, s}; }
constexpr tn::tensor reals(tn::shape s) { return {tn::type::float32, s}; }

/// Calls `f` with an element of the type.
template <class F> void with_type(tn::type t, F&& f) {
  switch (t) {
    case tn::type::float16: return f(tn::float16{});
    case tn::type::int32: return f(std::int32_t{});
    case tn::type::uint32: return f(std::uint32_t{});
    case tn::type::int64: return f(std::int64_t{});
    case tn::type::uint64: return f(std::uint64_t{});
    case tn::type::int8: return f(std::int8_t{});
    case tn::type::uint8: return f(std::uint8_t{});
    case tn::type::int4: return f(std::int8_t{});  // one by one: see `half_bytes`
    case tn::type::uint4: return f(std::uint8_t{});
    default: return f(float{});
  }
}
inline array zeros(const tn::tensor& t) {
  return {t, std::vector<double>(static_cast<std::size_t>(t.shape.count()))};
}
/// Every element computed from its number.
template <class F> array made(const tn::tensor& t, F&& f) {
  array r = zeros(t);
  for (tn::i64 i = 0; i < r.count(); ++i) r[i] = f(i);
  return r;
}
inline array given(const tn::tensor& t, std::vector<double> elements) {
  return {t, std::move(elements)};
}
/// Random elements: float32 in [-2, 2), integers that fill their type but for int64 (40 bits).
inline array random_array(const tn::tensor& t, dice& d) {
  return made(t, [&](tn::i64) -> double {
    switch (t.type) {
      case tn::type::int32: return static_cast<std::int32_t>(d.next());
      case tn::type::uint8: return static_cast<std::uint8_t>(d.next());
      case tn::type::int8: return static_cast<std::int8_t>(d.next());
      case tn::type::uint32: return static_cast<std::uint32_t>(d.next());
      case tn::type::int4: return d.in(-8, 7);
      case tn::type::uint4: return d.in(0, 15);
      case tn::type::int64: return static_cast<double>(static_cast<std::int64_t>(d.next()) >> 24);
      case tn::type::uint64: return static_cast<double>(d.next() >> 24);
      case tn::type::float16: return static_cast<double>(tn::float16(2.0f * d.real()));
      default: return static_cast<double>(2 * d.real());
    }
  });
}

/// Two elements in each byte, the first one in its low half.
inline std::vector<std::byte> half_bytes(const array& a) {
  std::vector<std::byte> r(static_cast<std::size_t>(a.is.bytes()));
  for (std::size_t i = 0; i < a.at.size(); ++i)
    r[i / 2] |= std::byte((static_cast<int>(a.at[i]) & 15) << i % 2 * 4);
  return r;
}
inline std::vector<std::byte> memory_of(const array& a) {
  if (is_four_bit(a.is.type)) return half_bytes(a);
  std::vector<std::byte> r(static_cast<std::size_t>(a.is.bytes()));
  with_type(a.is.type, [&](auto element) {
    for (std::size_t i = 0; i < a.at.size(); ++i) {
      if constexpr (std::is_same_v<decltype(element), tn::float16>)
        element = tn::float16(static_cast<float>(a.at[i]));
      else
        element = static_cast<decltype(element)>(a.at[i]);
      std::memcpy(r.data() + i * sizeof element, &element, sizeof element);
    }
  });
  return r;
}
inline array array_of(const tn::tensor& t, const std::vector<std::byte>& memory) {
  array r = zeros(t);
  for (std::size_t i = 0; is_four_bit(t.type) && i < r.at.size(); ++i) {
    const int half = std::to_integer<int>(memory[i / 2] >> i % 2 * 4) & 15;
    r.at[i] = t.type == tn::type::int4 ? (half ^ 8) - 8 : half;
  }
  if (is_four_bit(t.type)) return r;
  with_type(t.type, [&](auto element) {
    for (std::size_t i = 0; i < r.at.size(); ++i) {
      std::memcpy(&element, memory.data() + i * sizeof element, sizeof element);
      r.at[i] = static_cast<double>(element);
    }
  });
  return r;
}

/// Empty, or the first difference; two NaN are the same, two zeros of different sign are not.
inline std::string difference(const array& wanted, const array& found, double allowed = 0) {
  if (!(wanted.is == found.is)) return "the tensors differ";
  for (tn::i64 i = 0; i < wanted.count(); ++i) {
    const double a = wanted[i], b = found[i];
    const bool equal = (a == b && std::signbit(a) == std::signbit(b)) || (a != a && b != b);
    if (!equal && !(std::abs(a - b) <= allowed * std::max(1.0, std::abs(a))))
      return "element " + std::to_string(i) + ": wanted " + std::to_string(a) + ", found " +
             std::to_string(b);
  }
  return "";
}
/// What two policies may differ by on this target.
inline constexpr double of_policies = has_fma ? 0 : 1e-4;

/// Arrays by name, for weights.
struct array_source {
  tn::table_view t;
  std::vector<std::vector<std::byte>> memory;
  array_source(const tn::table_view& table, const std::vector<array>& weights) : t(table) {
    for (const array& w : weights) memory.push_back(memory_of(w));
  }
  tn::const_view find(const tn::name& wanted) const noexcept {
    for (int i = 0; i < t.weights.size; ++i) {
      const tn::node& n = t.nodes[t.weights[i]];
      if (t.name_of(n) == wanted)
        return {memory[static_cast<std::size_t>(i)].data(), n.out.type, n.out.shape,
                tn::dense(n.out.shape), true};
    }
    return {};
  }
};

/// A call with shaped views. Outputs hold `filler` before it.
struct arrays_call {
  std::vector<std::vector<std::byte>> inputs, outputs;
  std::vector<tn::const_view> in;
  std::vector<tn::mutable_view> out;
  std::vector<tn::tensor> results;
  static constexpr std::byte filler{0xcd};
  arrays_call(const std::vector<array>& given, std::vector<tn::tensor> wanted)
      : results(std::move(wanted)) {
    for (const array& a : given) {
      inputs.push_back(memory_of(a));
      in.push_back({inputs.back().data(), a.is.type, a.is.shape, tn::dense(a.is.shape), true});
    }
    for (const tn::tensor& t : results) {
      outputs.emplace_back(static_cast<std::size_t>(t.bytes()), filler);
      out.push_back({outputs.back().data(), t.type, t.shape, tn::dense(t.shape), true});
    }
  }
  std::vector<array> take() const {
    std::vector<array> r;
    for (std::size_t i = 0; i < results.size(); ++i) r.push_back(array_of(results[i], outputs[i]));
    return r;
  }
  bool untouched() const {
    for (const auto& o : outputs)
      for (const std::byte b : o)
        if (b != filler) return false;
    return true;
  }
};
inline std::vector<tn::tensor> outputs_of(const tn::table_view& t) {
  std::vector<tn::tensor> r;
  for (int o = 0; o < t.call_outputs(); ++o) r.push_back(t.nodes[t.outputs[o]].out);
  return r;
}

/// What a bound model computes; fails the test if it does not run.
template <class Model> std::vector<array> call(const Model& m, const std::vector<array>& inputs) {
  REQUIRE(m.fault().ok());
  arrays_call c(inputs, outputs_of(m.plan_of().table));
  tn::instance caller(m);
  REQUIRE(caller.run(c.in, c.out).what == tn::code::ok);
  return c.take();
}
inline void check_same(const std::vector<array>& wanted, const std::vector<array>& found,
                       const char* how, double allowed = of_policies) {
  REQUIRE(wanted.size() == found.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO(how << ", output " << i);
    CHECK(difference(wanted[i], found[i], allowed) == "");
  }
}

/// Runs a table as one that was built at run time, on reference and on cpu, which must agree.
inline std::vector<array> run_both(const tn::table_view& t, const std::vector<array>& inputs,
                                   const std::vector<array>& weights = {}) {
  const array_source source(t, weights);
  const tn::model<tn::dynamic, tn::reference> defining(t, source);
  const std::vector<array> wanted = call(defining, inputs);
  const tn::model<tn::dynamic, tn::cpu> fast(t, source);
  check_same(wanted, call(fast, inputs), "cpu");
  return wanted;
}
/// The same for a static graph, which must also agree with its table built at run time.
template <class Graph> std::vector<array> run_static_both(const std::vector<array>& inputs,
                                                          const std::vector<array>& weights = {}) {
  const std::vector<array> wanted = run_both(Graph::view(), inputs, weights);
  const array_source source(Graph::view(), weights);
  const tn::model<Graph, tn::reference> defining(source);
  check_same(wanted, call(defining, inputs), "static graph, reference", 0);
  const tn::model<Graph, tn::cpu> fast(source);
  check_same(wanted, call(fast, inputs), "static graph, cpu");
  return wanted;
}
/// One operator through the builder, on both policies.
template <class Op> array operate(const typename Op::options& o, const std::vector<array>& inputs) {
  tn::builder b;
  REQUIRE(inputs.size() <= 5);
  tn::builder::value x[5];
  for (std::size_t i = 0; i < inputs.size(); ++i)
    x[i] = b.input(tn::name("x") + static_cast<int>(i), inputs[i].is);
  const auto y = inputs.size() == 1   ? b.add<Op>(o, {x[0]})
                 : inputs.size() == 2 ? b.add<Op>(o, {x[0], x[1]})
                 : inputs.size() == 3 ? b.add<Op>(o, {x[0], x[1], x[2]})
                 : inputs.size() == 4 ? b.add<Op>(o, {x[0], x[1], x[2], x[3]})
                                      : b.add<Op>(o, {x[0], x[1], x[2], x[3], x[4]});
  const tn::result<tn::table> built = b.finish({y});
  INFO(Op::name << ": " << tn::text_of(built.error().what));
  REQUIRE(built.ok());
  return run_both(built->view(), inputs)[0];
}

/// All positions of a shape, in row-major order: `f(position, number)`.
template <class F> void each_position(const tn::shape& s, F&& f) {
  tn::i64 at[tn::max_rank]{};
  for (tn::i64 i = 0, n = s.count(); i < n; ++i) {
    f(static_cast<const tn::i64*>(at), i);
    for (int k = s.rank - 1; k >= 0 && ++at[k] == s[k]; --k) at[k] = 0;
  }
}
/// The number of the element at a position.
inline tn::i64 number_of(const tn::shape& s, const tn::i64* at) {
  tn::i64 n = 0;
  for (int k = 0; k < s.rank; ++k) n = n * s[k] + at[k];
  return n;
}
/// The number of the element that stands for a position of a larger shape (broadcasting).
inline tn::i64 broadcast_number(const tn::shape& s, const tn::shape& whole, const tn::i64* at) {
  tn::i64 n = 0;
  for (int k = 0; k < s.rank; ++k) n = n * s[k] + (s[k] == 1 ? 0 : at[whole.rank - s.rank + k]);
  return n;
}
/// A shape of `rank` axes.
inline tn::shape random_shape(dice& d, int rank, int most) {
  tn::shape s{rank, {}};
  for (int i = 0; i < rank; ++i) s.extent[i] = d.in(1, most);
  return s;
}

}  // namespace tenon_test
