// Makes a random graph through the run-time builder, one operator after the other, and remembers
// how, so that a smaller one can be made of the same decisions and a report can say it in C++.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/differential/random.hpp>
#include <tenon/run/differential/text.hpp>

namespace tenon::trial {

/// What bounds random graphs.
struct limits {
  int operators = 40;    ///< most operators of a graph; usually 10
  i64 elements = 8192;   ///< of a tensor
  i64 terms = 400'000;   ///< products and window taps of a whole graph
  int places = 1;        ///< `on` asks for policies below this
  bool spoiled = false;  ///< also wrong operands and options: for fuzzers
};

/// One call of the builder.
struct step {
  int node = -1;  ///< of the table
  std::vector<int> operands{};
  std::string code{};  ///< what stands behind `const auto v3 = `
};

/// A random graph.
struct random_graph {
  table net;
  error fault{};            ///< not ok: what the builder refused
  std::vector<step> steps;  ///< inputs and weights too
  choices::list decisions;  ///< that made it
};

/// What the generators of operators work with: draws operands and options, adds operators. Operands
/// are given by position.
class maker {
 public:
  maker(choices& d, const limits& l) : decide(d), most(l), terms_left_(l.terms) {}
  maker(const maker&) = delete;
  maker& operator=(const maker&) = delete;

  choices& decide;
  const limits& most;

  tensor at(int v) const { return b_.type_of_value(pool_[static_cast<std::size_t>(v)]); }
  shape shape_of(int v) const { return at(v).shape; }
  int size() const { return static_cast<int>(pool_.size()); }

  /// An extent: often 1 or a prime, seldom above 40.
  i64 extent(i64 room) {
    constexpr i64 usual[] = {2,  1,  3,  4,  5,  7,  8,  1,  6,  9,  11,
                             13, 16, 17, 19, 23, 31, 32, 33, 67, 130};
    const i64 e = decide.pick(usual);
    return e <= room ? e : 1;
  }
  shape any_shape(int least_rank = 0, int most_rank = 5) {
    shape s{decide.in(least_rank, most_rank), {}};
    i64 room = most.elements;
    for (int i = s.rank - 1; i >= 0; --i) room /= s.extent[i] = extent(room);
    return s;
  }
  /// A new input or weight.
  int leaf(const tensor& t) {
    const bool weight = decide.one_in(3);
    const name called = name("x") + leaves_++;
    const auto v = weight ? b_.weight(called, t) : b_.input(called, t);
    if (refused()) return 0;  // too large a shape: `finish` says it
    return push(v, {},
                std::string(weight ? "b.weight(\"" : "b.input(\"") + called.c_str() + "\", " +
                    code_of(t) + ")");
  }
  /// An element type for operators that take any; float32 above all.
  type any_type() {
    constexpr type usual[] = {type::float32, type::float32, type::float32,
                              type::int32,   type::uint8,   type::int64};
    return decide.pick(usual);
  }
  /// Any operand, a recent one above all; sometimes a new leaf.
  int any(type wanted = type::float32) {
    return find([&](const tensor& t) { return t.type == wanted; },
                [&] {
                  return tensor{wanted, any_shape()};
                });
  }
  int any_of_rank(int least, int most_rank = max_rank, type wanted = type::float32) {
    return find(
        [&](const tensor& t) {
          return t.type == wanted && t.shape.rank >= least && t.shape.rank <= most_rank;
        },
        [&] {
          return tensor{wanted, any_shape(least, most_rank < 5 ? most_rank : 5)};
        });
  }
  int any_like(const tensor& wanted) {
    return find([&](const tensor& t) { return t == wanted; }, [&] { return wanted; });
  }
  /// An operand that broadcasts together with `s`.
  int any_beside(const shape& s, type wanted = type::float32) {
    return find([&](const tensor& t) { return t.type == wanted && broadcasts(t.shape, s); },
                [&] {
                  return tensor{wanted, part_of(s)};
                });
  }
  /// A shape that broadcasts to `s`: fewer axes, extents of 1.
  shape part_of(const shape& s) {
    const int drop = decide.one_in(3) ? decide.in(0, s.rank) : 0;
    shape r{s.rank - drop, {}};
    for (int i = 0; i < r.rank; ++i) r.extent[i] = decide.one_in(4) ? 1 : s[i + drop];
    return r;
  }
  static bool broadcasts(const shape& a, const shape& b) {
    for (int i = 1; i <= a.rank && i <= b.rank; ++i) {
      const i64 p = a[a.rank - i], q = b[b.rank - i];
      if (p != q && p != 1 && q != 1) return false;
    }
    return true;
  }

  /// Takes the product of these numbers from the graph's budget of terms, if that is large enough.
  bool affords(std::initializer_list<i64> factors) {
    i64 terms = 1;
    for (const i64 f : factors) {
      if (f > terms_left_ / terms) return false;
      terms *= f > 0 ? f : 1;
    }
    terms_left_ -= terms;
    return true;
  }

  /// Adds an operator, unless it refuses these operands or makes too much: then nothing happens and
  /// the result is -1. `spelled`: how a program names the operator, where that is not NAME_t.
  template <class Op>
  int add(typename Op::options o, std::vector<int> operands, std::string spelled = {}) {
    if (most.spoiled) spoil(o, operands);
    std::vector<builder::value> values;
    tensor types[max_operands + 1]{};
    for (const int v : operands) {
      if (values.size() < max_operands) types[values.size()] = at(v);
      values.push_back(pool_[static_cast<std::size_t>(v)]);
    }
    if (values.empty() || values.size() > max_operands) return refuse<Op>(o, values);
    const result<tensor> out = Op::infer(o, {types, static_cast<int>(values.size())});
    if (!out.ok()) return refuse<Op>(o, values);
    if (too_large(out->shape)) return -1;
    if (spelled.empty()) spelled = std::string("tn::") + Op::name + "_t";
    const auto v = with_list(
        values, [&](std::initializer_list<builder::value> l) { return b_.add<Op>(o, l); });
    return push(v, operands,
                "b.add<" + spelled + ">(" + code_of(o) + ", {" + names_of(operands) + "})");
  }
  /// Adds a map with this program.
  int map(const recorded& p, const std::vector<int>& operands) {
    std::vector<builder::value> values;
    for (const int v : operands) values.push_back(pool_[static_cast<std::size_t>(v)]);
    const int arity = static_cast<int>(operands.size());
    const auto v = with_list(
        values, [&](std::initializer_list<builder::value> l) { return push_map(p, arity, l); });
    return push(v, operands,
                "b.map<" + std::to_string(arity) + ">(" + code_of(p.view(), arity) + ", {" +
                    names_of(operands) + "})");
  }
  /// Asks for a policy, sometimes.
  void place(int v) {
    if (v < 0 || !decide.one_in(most.places > 1 ? 3 : 12)) return;
    const int p = decide.below(most.places);
    b_.on(p, pool_[static_cast<std::size_t>(v)]);
    auto& code = steps_[static_cast<std::size_t>(v)].code;
    code = "b.on(" + std::to_string(p) + ", " + code + ")";
  }

  /// Ends the graph with outputs of any kind: inputs, views, values that others use, one twice.
  random_graph finish() {
    std::vector<builder::value> outputs{pool_.back()};
    while (outputs.size() < 4 && decide.one_in(3))
      outputs.push_back(pool_[static_cast<std::size_t>(newest(size()))]);
    auto net =
        with_list(outputs, [&](std::initializer_list<builder::value> l) { return b_.finish(l); });
    random_graph g;
    if (net.ok()) g.net = static_cast<table&&>(*net);
    g.fault = net.error();
    g.steps = std::move(steps_);
    g.decisions = decide.taken();
    return g;
  }
  bool refused() const { return !b_.fault().ok(); }

 private:
  /// A position below `n`; 0 means the newest.
  int newest(int n) {
    const int back = decide.one_in(3) ? decide.below(n) : decide.below(n < 4 ? n : 4);
    return n - 1 - back;
  }
  template <class Fits, class Make> int find(Fits fits, Make make) {
    std::vector<int> found;
    for (int v = 0; v < size(); ++v)
      if (fits(at(v))) found.push_back(v);
    if (found.empty() || decide.one_in(4)) return leaf(make());
    return found[static_cast<std::size_t>(newest(static_cast<int>(found.size())))];
  }
  bool too_large(const shape& s) const {
    i64 room = most.elements;
    for (int i = 0; i < s.rank; ++i) room /= s[i];
    return room < 1;
  }
  int push(builder::value v, const std::vector<int>& operands, std::string code) {
    if (v.of == nullptr) return -1;  // refused: `finish` says it
    step s{v.id, {}, std::move(code)};
    for (const int k : operands) s.operands.push_back(steps_[static_cast<std::size_t>(k)].node);
    steps_.push_back(std::move(s));
    pool_.push_back(v);
    return size() - 1;
  }
  std::string names_of(const std::vector<int>& operands) const {
    std::string r;
    for (const int v : operands)
      r += (r.empty() ? "v" : ", v") + std::to_string(steps_[static_cast<std::size_t>(v)].node);
    return r;
  }
  template <class F> static auto with_list(const std::vector<builder::value>& v, F f)
      -> decltype(f(std::initializer_list<builder::value>{})) {
    using list = std::initializer_list<builder::value>;
    switch (v.size()) {
      case 0: return f(list{});
      case 1: return f(list{v[0]});
      case 2: return f(list{v[0], v[1]});
      case 3: return f(list{v[0], v[1], v[2]});
      case 4: return f(list{v[0], v[1], v[2], v[3]});
      case 5: return f(list{v[0], v[1], v[2], v[3], v[4]});
      case 6: return f(list{v[0], v[1], v[2], v[3], v[4], v[5]});
      case 7: return f(list{v[0], v[1], v[2], v[3], v[4], v[5], v[6]});
      case 8: return f(list{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]});
      default: return f(list{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]});
    }
  }
  builder::value push_map(const recorded& p, int arity, std::initializer_list<builder::value> l) {
    const auto call = [&]<int Arity>() {
      return b_.map<Arity>(
          [&](auto... x) {
            const scalar all[] = {x...};
            int slots[Arity]{};
            for (int i = 0; i < Arity; ++i) slots[i] = all[i].slot();
            return scalar{all[0].where(), append(*all[0].where(), p.view(), slots)};
          },
          l);
    };
    switch (arity) {
      case 1: return call.template operator()<1>();
      case 2: return call.template operator()<2>();
      case 3: return call.template operator()<3>();
      case 4: return call.template operator()<4>();
      case 5: return call.template operator()<5>();
      case 6: return call.template operator()<6>();
      case 7: return call.template operator()<7>();
      default: return call.template operator()<8>();
    }
  }

  /// What `infer` refused the builder must refuse too; fuzzers end some graphs that way.
  template <class Op>
  int refuse(const typename Op::options& o, const std::vector<builder::value>& values) {
    if (most.spoiled && decide.one_in(16))
      with_list(values, [&](std::initializer_list<builder::value> l) { return b_.add<Op>(o, l); });
    return -1;
  }
  /// Sometimes changes an option or the operands into anything at all.
  template <class Options> void spoil(Options& o, std::vector<int>& operands) {
    if (decide.one_in(4)) spoil_field(o);
    if (decide.one_in(16) && operands.size() < 9) operands.push_back(decide.below(size()));
    if (decide.one_in(16)) operands.pop_back();
    for (int& v : operands)
      if (decide.one_in(16)) v = decide.below(size());
  }
  i64 any_number() {
    constexpr i64 usual[] = {0,
                             1,
                             -1,
                             2,
                             3,
                             7,
                             8,
                             9,
                             63,
                             64,
                             255,
                             4096,
                             1 << 24,
                             (1 << 24) + 1,
                             i64{1} << 31,
                             i64{1} << 32,
                             i64{1} << 40,
                             std::numeric_limits<i64>::max(),
                             std::numeric_limits<i64>::min()};
    return decide.pick(usual);
  }
  template <class T> void spoil_field(T& field) {
    if constexpr (std::is_same_v<T, bool>) {
      field = !field;
    } else if constexpr (std::is_same_v<T, axis_list>) {
      field.count = decide.in(-1, max_rank + 1);
      for (int i = 0; i < field.count && i < max_rank; ++i)
        field.item[i] = decide.one_in(4) ? any_number() : decide.below(9);
    } else if constexpr (std::is_floating_point_v<T>) {
      constexpr T usual[] = {0, -1, std::numeric_limits<T>::infinity(),
                             std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::max()};
      field = decide.pick(usual);
    } else if constexpr (std::is_integral_v<T>) {
      field = static_cast<T>(any_number());
    } else if constexpr (std::is_aggregate_v<T> && !std::is_array_v<T>) {
      each_field(field, [&](auto& part) {
        if (decide.one_in(2)) spoil_field(part);
      });
    }
  }

  builder b_;
  std::vector<builder::value> pool_;
  std::vector<step> steps_;
  i64 terms_left_;
  int leaves_ = 0;
};

}  // namespace tenon::trial
