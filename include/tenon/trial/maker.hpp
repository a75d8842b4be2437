// Makes a random graph through the run-time builder, one operator after the other, and remembers
// how, so that a smaller one can be made of the same decisions and a report can say it in C++.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/graph.hpp>
#include <tenon/trial/spoil.hpp>

namespace tenon::trial {

/// What the generators of operators work with: draws operands and options, adds operators. Operands
/// are given by position.
class maker {
 public:
  maker(choices& d, const limits& l) : decide(d), limit(l), terms_left_(l.terms) {}
  maker(const maker&) = delete;
  maker& operator=(const maker&) = delete;

  choices& decide;
  const limits& limit;

  tensor at(int v) const { return steps_[static_cast<std::size_t>(v)].out; }
  shape shape_of(int v) const { return at(v).shape; }
  int size() const { return static_cast<int>(pool_.size()); }

  /// Of 8 graphs 4 are plain, the simplest ones; 2 have extents that vary between calls, 1 has
  /// states, 1 has both.
  void choose_kind() {
    constexpr i64 usual[] = {7, 2, 3, 5, 8, 13, 16, 17, 33, 67};
    const int kind = decide.below(8);
    if (kind == 4 || kind == 5 || kind == 7)
      for (int n = decide.in(1, 2); n > 0; --n) varying_.push_back(decide.pick(usual));
    has_states_ = kind >= 6;
  }
  /// An extent: often 1 or a prime, seldom above 40; in graphs with limits often one of them.
  i64 extent(i64 room) {
    if (!varying_.empty() && decide.one_in(3)) {
      const i64 e =
          varying_[static_cast<std::size_t>(decide.below(static_cast<i64>(varying_.size())))];
      return e <= room ? e : 1;
    }
    constexpr i64 usual[] = {2,  1,  3,  4,  5,  7,  8,  1,  6,  9,  11,
                             13, 16, 17, 19, 23, 31, 32, 33, 67, 130};
    const i64 e = decide.pick(usual);
    return e <= room ? e : 1;
  }
  /// Extents are drawn from the last axis on; together they stay below the limit of elements.
  shape any_shape(int least_rank = 0, int most_rank = 5) {
    shape s{decide.in(least_rank, most_rank), {}};
    i64 room = limit.elements;
    for (int i = s.rank - 1; i >= 0; --i) room /= s.extent[i] = extent(room);
    return s;
  }
  /// A new input, weight or state. Extents that vary do so in all inputs, so that operands agree.
  int leaf(const tensor& t) {
    step s;
    s.out = t;
    for (int i = 0; i < t.shape.rank && i < max_rank && !varying_.empty(); ++i)
      if (varies(t.shape[i]) != decide.one_in(64)) s.limited |= 1u << i;
    const bool state = has_states_ && !ends_ && decide.one_in(s.limited == 0 ? 2 : 16);
    s.is = state                                ? step::leaf::state
           : s.limited == 0 && decide.one_in(3) ? step::leaf::weight
                                                : step::leaf::input;
    if (s.is == step::leaf::state) s.limited = 0;
    s.label = name("x") + leaves_++;
    s.code = code_of_leaf(s);
    auto axes = axes_in(s.limited);
    if (limit.spoiled && !axes.empty() && decide.one_in(32)) axes[0] = decide.in(-1, max_rank);
    const auto v = s.is == step::leaf::weight  ? b_.weight(s.label, t)
                   : s.is == step::leaf::state ? b_.state(s.label, t)
                                               : with_list(axes, [&](std::initializer_list<int> l) {
                                                   return b_.input(s.label, t, l);
                                                 });
    const std::uint32_t limited = s.limited;
    // A leaf that is refused (too large a shape, a wrong axis) is still kept, so that its shape can
    // be asked for; `finish` reports the error.
    const int value = refused() ? keep(v, std::move(s)) : push(v, {}, std::move(s));
    if (is_state(value)) states_.push_back(value);
    for (int p = 0; p < probes; ++p) {
      tensor& other = other_[p].back();
      for (const int axis : axes_in(limited)) other.shape.extent[axis] = probed(p, t.shape[axis]);
    }
    return value;
  }
  /// An element type for operators that take any; float32 above all.
  type any_type() {
    constexpr type usual[] = {type::float32, type::float32, type::float32, type::float32,
                              type::int32,   type::uint8,   type::int64,   type::float16,
                              type::uint32,  type::int8,    type::uint64};
    return decide.pick(usual);
  }
  /// Any operand, a recent one above all; sometimes a new leaf.
  int any(type element = type::float32) {
    return find([&](const tensor& t) { return t.type == element; },
                [&] {
                  return tensor{element, any_shape()};
                });
  }
  int any_of_rank(int least, int most_rank = max_rank, type element = type::float32) {
    return find(
        [&](const tensor& t) {
          return t.type == element && t.shape.rank >= least && t.shape.rank <= most_rank;
        },
        [&] {
          return tensor{element, any_shape(least, most_rank < 5 ? most_rank : 5)};
        });
  }
  int any_like(const tensor& like) {
    return find([&](const tensor& t) { return t == like; }, [&] { return like; });
  }
  /// An operand that broadcasts together with `s`.
  int any_beside(const shape& s, type element = type::float32) {
    return find([&](const tensor& t) { return t.type == element && broadcasts(t.shape, s); },
                [&] {
                  return tensor{element, part_of(s)};
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
    if (limit.spoiled) spoil(decide, o, operands, size());
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
    tensor others[probes]{};
    if (!bears(operands, *out, others, [&](list<tensor> in) { return Op::infer(o, in); }))
      return -1;
    if (spelled.empty()) spelled = std::string("tn::") + Op::name + "_t";
    step s;
    s.code = "b.add<" + spelled + ">(" + code_of(o) + ", {" + names_of(operands) + "})";
    s.again = [o](builder& b, const step::list& in) {
      return with_list(in,
                       [&](std::initializer_list<builder::value> l) { return b.add<Op>(o, l); });
    };
    const builder::value v = s.again(b_, values);
    return push(v, operands, std::move(s), others);
  }
  /// Adds a map with this program.
  int map(const recorded& p, const std::vector<int>& operands) {
    step::list values;
    tensor types[max_operands]{}, others[probes]{};
    const int arity = static_cast<int>(operands.size());
    for (const int v : operands) {
      types[values.size()] = at(v);
      values.push_back(pool_[static_cast<std::size_t>(v)]);
    }
    const auto infer = [&](list<tensor> in) -> result<tensor> {
      const result<shape> all = maps::broadcast_shapes("map", in);
      if (!all.ok()) return all.error();
      return tensor{result_type(p.view()), *all};
    };
    const result<tensor> out = infer({types, arity});
    if (out.ok() && !bears(operands, *out, others, infer)) return -1;
    step s;
    s.code = "b.map<" + std::to_string(arity) + ">(" + code_of(p.view(), arity) + ", {" +
             names_of(operands) + "})";
    s.again = [p, arity](builder& b, const step::list& in) {
      return with_list(
          in, [&](std::initializer_list<builder::value> l) { return add_map(b, p, arity, l); });
    };
    const builder::value v = s.again(b_, values);
    return push(v, operands, std::move(s), others);
  }
  /// Asks for a policy, sometimes.
  void put(int v) {
    if (v < 0 || !decide.one_in(limit.policies > 1 ? 3 : 12)) return;
    const int p = decide.below(limit.policies);
    b_.on(p, pool_[static_cast<std::size_t>(v)]);
    step& s = steps_[static_cast<std::size_t>(v)];
    s.policy = p;
    s.code = "b.on(" + std::to_string(p) + ", " + s.code + ")";
  }

  /// Ends the graph with outputs of any kind: inputs, views, values that others use, one twice.
  random_graph finish() {
    random_graph g;
    step::list outputs;
    const auto give = [&](int v) {
      outputs.push_back(pool_[static_cast<std::size_t>(v)]);
      g.outputs.push_back(node_of(v));
    };
    give(size() - 1);
    while (outputs.size() < 4 && decide.one_in(3)) give(newest(size()));
    ends_ = true;
    for (const int s : states_) {
      const int v = next_of(s);
      b_.next(pool_[static_cast<std::size_t>(s)], pool_[static_cast<std::size_t>(v)]);
      g.next.push_back({node_of(s), node_of(v)});
    }
    auto net =
        with_list(outputs, [&](std::initializer_list<builder::value> l) { return b_.finish(l); });
    if (net.ok()) g.net = static_cast<table&&>(*net);
    g.fault = net.error();
    g.steps = std::move(steps_);
    g.decisions = decide.taken();
    return g;
  }
  bool refused() const { return !b_.fault().ok(); }

 private:
  /// Operators are also inferred for two smaller sets of extents: about half of each limit, and 1
  /// everywhere. One that refuses them is added only one time in eight. Otherwise most calls with
  /// other extents would be refused, and test nothing.
  static constexpr int probes = 2;
  static constexpr i64 probed(int p, i64 limit) { return p == 0 ? (limit + 1) / 2 : 1; }
  bool varies(i64 extent) const {
    for (const i64 e : varying_)
      if (e == extent) return true;
    return false;
  }
  bool is_state(int v) const { return steps_[static_cast<std::size_t>(v)].is == step::leaf::state; }
  int node_of(int v) const { return steps_[static_cast<std::size_t>(v)].node; }
  /// Whether to add an operator that may refuse smaller extents; `others`: what it gives for them.
  template <class Infer> bool bears(const std::vector<int>& operands, const tensor& out,
                                    tensor (&others)[probes], Infer infer) {
    for (int p = 0; p < probes; ++p) {
      others[p] = out;
      tensor in[max_operands + 1]{};
      int n = 0;
      for (const int v : operands) in[n++] = other_[p][static_cast<std::size_t>(v)];
      if (varying_.empty()) continue;
      const result<tensor> other = infer(list<tensor>{in, n});
      if (other.ok())
        others[p] = *other;
      else if (!decide.one_in(8))
        return false;
    }
    return true;
  }
  /// What a state is in the next call: something new made of it, or any value of its type and
  /// shape.
  int next_of(int state) {
    if (limit.spoiled && decide.one_in(16)) return decide.below(size());
    const tensor t = at(state);
    if (t.type == type::float32 && decide.one_in(2)) {
      const int sum = add<add_t>({}, {state, any_beside(t.shape)});
      const int v = sum < 0 ? -1 : add<tanh_t>({}, {sum});
      if (v >= 0 && at(v) == t) return v;
    }
    return any_like(t);
  }
  /// A position below `n`; 0 means the newest.
  int newest(int n) {
    const int back = decide.one_in(3) ? decide.below(n) : decide.below(n < 4 ? n : 4);
    return n - 1 - back;
  }
  /// One of the values that fit, a recent one above all, so that graphs become deep; one time in
  /// four, or if none fits, a new leaf.
  template <class Fits, class Make> int find(Fits fits, Make make) {
    std::vector<int> candidates;
    for (int v = 0; v < size(); ++v)
      if (fits(at(v))) candidates.push_back(v);
    if (candidates.empty() || decide.one_in(4)) return leaf(make());
    return candidates[static_cast<std::size_t>(newest(static_cast<int>(candidates.size())))];
  }
  /// Divides instead of multiplying: the product of extents may overflow.
  bool too_large(const shape& s) const {
    i64 room = limit.elements;
    for (int i = 0; i < s.rank; ++i) room /= s[i];
    return room < 1;
  }
  /// Remembers a value that the builder has taken, with the operands of its step.
  int push(builder::value v, const std::vector<int>& operands, step s,
           const tensor* others = nullptr) {
    if (v.of == nullptr) return -1;  // refused: `finish` says it
    s.node = v.id;
    s.out = b_.type_of_value(v);
    for (const int k : operands) s.operands.push_back(node_of(k));
    return keep(v, std::move(s), others);
  }
  /// Remembers a value, or where it would stand.
  int keep(builder::value v, step s, const tensor* others = nullptr) {
    for (int p = 0; p < probes; ++p) {
      other_[p].push_back(others != nullptr ? others[p] : s.out);
      const shape& now = other_[p].back().shape;
      for (int i = 0; i < now.rank; ++i)
        if (now[i] != s.out.shape[i]) s.limited |= 1u << i;
    }
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

  /// What `infer` refused the builder must refuse too; fuzzers end some graphs that way.
  template <class Op>
  int refuse(const typename Op::options& o, const std::vector<builder::value>& values) {
    if (limit.spoiled && decide.one_in(16))
      with_list(values, [&](std::initializer_list<builder::value> l) { return b_.add<Op>(o, l); });
    return -1;
  }

  builder b_;
  std::vector<builder::value> pool_;
  std::vector<step> steps_;
  std::vector<tensor> other_[probes];  ///< the values' tensors with other extents
  std::vector<i64> varying_;           ///< limits
  std::vector<int> states_;
  bool has_states_ = false, ends_ = false;
  i64 terms_left_;
  int leaves_ = 0;
};

}  // namespace tenon::trial
