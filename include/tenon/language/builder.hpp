// The run-time front end: records the same table from data, with the shape rules of the
// compile-time front end, and returns errors as values.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/map.hpp>

namespace tenon {

/// Builds a graph at run time:
/// ```cpp
/// builder b;
/// builder::value x = b.input("x", {type::float32, extents(1, 4)});
/// builder::value y = b.add<relu_t>({}, {x});
/// result<table> net = b.finish({y});
/// ```
/// Error: the first one stays; later calls do nothing, and `finish` returns it.
/// Misuse: values of another builder, of a failed call, or from before the builder was moved or
/// copied are refused with code::output.
class builder {
 public:
  struct value {
    int id = -1;
    const builder* of = nullptr;
  };

  /// Adds an input. On the axes in `limited` the extent is a limit; see `upto`.
  /// Error: name_conflict, name_length, extent (below 1 or too many elements), axis.
  constexpr value input(const name& label, const tensor& t,
                        std::initializer_list<int> limited = {}) {
    std::uint32_t axes = 0;
    for (const int axis : limited) {
      if (axis < 0 || axis >= t.shape.rank) {
        recorder_.refuse({code::axis, "input", label, t.shape.rank, axis});
        return {};
      }
      axes |= 1u << axis;
    }
    if (!takes("input", label, t)) return {};
    return leaf(recorder_.input(label, t, axes));
  }
  /// Adds a weight. The same name again, with the same tensor, is the same weight.
  /// Error: name_conflict, name_length, extent.
  constexpr value weight(const name& label, const tensor& t) {
    if (!takes("weight", label, t)) return {};
    return leaf(recorder_.weight(label, t));
  }
  /// Adds a state, which the graph keeps between calls: zeros at first, then the value that `next`
  /// names. Error: name_conflict, name_length, extent.
  constexpr value state(const name& label, const tensor& t) {
    if (!takes("state", label, t)) return {};
    return leaf(recorder_.state(label, t));
  }
  /// Says what a state is in the next call.
  /// Error: output (no state, or a second next value), extent, element_type.
  constexpr void next(value state, value v) {
    if (!recorder_.fault.ok()) return;
    if (!is_of_this(state) || !is_of_this(v))
      recorder_.refuse({code::output, "next", "operand", recorder_.out.nodes.size(), v.id});
    else
      recorder_.next(state.id, v.id);
  }
  /// Adds an operator. Error: what `Op::infer` refuses.
  template <operator_like Op>
  constexpr value add(const typename Op::options& options, std::initializer_list<value> operands) {
    return add<Op>(options, list<value>{operands.begin(), static_cast<int>(operands.size())});
  }
  /// Adds an operator with a number of operands that is known at run time only; at most 64.
  template <operator_like Op>
  constexpr value add(const typename Op::options& options, list<value> operands) {
    constexpr int room = 64;
    int ids[room]{};
    tensor types[room]{};
    int count = 0;
    if (operands.size > room || operands.size == 0)
      recorder_.refuse(
          {code::operand_count, Op::name, "", operands.size == 0 ? 1 : room, operands.size});
    for (const value v : operands) {
      if (!recorder_.fault.ok()) return {};
      if (!is_of_this(v)) {
        recorder_.refuse({code::output, Op::name, "operand", recorder_.out.nodes.size(), v.id});
        return {};
      }
      ids[count] = v.id;
      types[count++] = recorder_.at(v.id);
    }
    if (!recorder_.fault.ok()) return {};
    const result<tensor> out = infer_of<Op>(options, {types, count});
    if (!out.ok()) {
      recorder_.refuse(out.error());
      return {};
    }
    if (const error e = check_result(Op::name, out->shape); !e.ok()) {
      recorder_.refuse(e);
      return {};
    }
    const int first = recorder_.out.nodes.size();
    const value added{Op::record(recorder_, options, {ids, count}, *out), this};
    note<Op>(options, first, {ids, count});
    return added;
  }
  /// Adds an operator with several results and returns all of them.
  /// Error: what `Op::infer` refuses.
  template <multiple_operator Op>
  constexpr sequence<value> add_all(const typename Op::options& options, list<value> operands) {
    const value first = add<Op>(options, operands);
    sequence<value> results;
    for (int k = 0; k < Op::results(options); ++k)
      results.push(first.of == nullptr ? value{} : value{first.id + k, this});
    return results;
  }
  template <multiple_operator Op>
  constexpr sequence<value> add_all(const typename Op::options& options,
                                    std::initializer_list<value> operands) {
    return add_all<Op>(options, {operands.begin(), static_cast<int>(operands.size())});
  }
  /// Adds an element-wise operator from a lambda over symbols. Unlike `tenon::map`, the lambda may
  /// have captures. Error: operand_count, program, broadcast.
  template <int Arity, class F>
  constexpr value map(const F& f, std::initializer_list<value> operands) {
    program_types types{};
    int n = 0;
    for (const value v : operands)
      if (n < Arity) types.operand[n++] = type_of_value(v).type;
    return add<data_map<Arity>>({record_program<Arity>(f, types)}, operands);
  }
  /// Asks for the policy at position `policy`, 0 to 7, for the operator that made `v`. Error:
  /// policy.
  constexpr value on(int policy, value v) {
    if (!is_of_this(v) || policy < 0 || policy > 7)
      recorder_.refuse({code::policy, "on", "policy", 7, policy});
    else
      recorder_.put(v.id, policy);
    return v;
  }
  /// Asks for a policy for all operators that a callable adds, but for those for which it asks
  /// itself. Returns what the callable returns.
  template <class F>
  requires std::invocable<const F&>
  constexpr auto on(int policy, const F& add_operators) {
    const int first = recorder_.out.nodes.size();
    const auto added = add_operators();
    if (policy < 0 || policy > 7)
      recorder_.refuse({code::policy, "on", "policy", 7, policy});
    else
      recorder_.put_from(first, policy);
    return added;
  }
  /// The tensor of a value.
  constexpr tensor type_of_value(value v) const {
    return is_of_this(v) ? recorder_.at(v.id) : tensor{};
  }
  constexpr const error& fault() const { return recorder_.fault; }

  /// The finished table; the builder is empty afterwards. Error: the first one of all calls;
  /// output.
  constexpr result<table> finish(std::initializer_list<value> outputs) {
    return finish(list<value>{outputs.begin(), static_cast<int>(outputs.size())});
  }
  /// The finished table, with a number of outputs that is known at run time only.
  constexpr result<table> finish(list<value> outputs) {
    if (!recorder_.fault.ok()) return recorder_.fault;
    if (outputs.size == 0) recorder_.refuse({code::output, "finish", "outputs", 1, 0});
    for (const value v : outputs) {
      if (!is_of_this(v))
        recorder_.refuse({code::output, "finish", "outputs", recorder_.out.nodes.size(), v.id});
      recorder_.out.outputs.push(v.id);
    }
    recorder_.seal();
    if (!recorder_.fault.ok()) return recorder_.fault;
    return static_cast<table&&>(recorder_.out);
  }

 private:
  /// The operator of `map`: its program is an option, since it is known at run time only.
  template <int Arity> struct data_map {
    static constexpr const char* name = "map";
    struct options {
      recorded program;
    };
    static constexpr result<tensor> infer(const options& o, list<tensor> in) {
      if (in.size != Arity) return error{code::operand_count, name, "", Arity, in.size};
      if (o.program.fault != code::ok)
        return error{o.program.fault, name, "program", max_program, o.program.size};
      const result<shape> s = maps::broadcast_shapes(name, in);
      if (!s.ok()) return s.error();
      return tensor{result_type(o.program.view()), *s};
    }
    static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
      return maps::push<Arity>(r, name, o.program, in, out);
    }
  };
  constexpr bool is_of_this(value v) const {
    return v.of == this && v.id >= 0 && v.id < recorder_.out.nodes.size();
  }
  /// Records an operator again for other extents, with the options that `note` put into the recipe
  /// as bytes.
  template <class Op> static error again(recorder& r, const recipe& c, list<int> ids) {
    typename Op::options o;
    __builtin_memcpy(&o, c.options, sizeof(o));
    return record_again<Op>(r, o, ids);
  }
  /// Remembers operator and options, which only graphs with limits need. Error: capacity, when the
  /// options are not plain data of at most `recipe::room` bytes.
  template <class Op> constexpr void note(const typename Op::options& o, int first, list<int> ids) {
    recipe* c = recorder_.note(first, ids, nullptr);
    if (c == nullptr || recorder_.is_elementwise(*c)) return;
    if constexpr (std::is_trivially_copyable_v<typename Op::options> &&
                  sizeof(typename Op::options) <= recipe::room) {
      c->again = &again<Op>;
      __builtin_memcpy(c->options, &o, sizeof(o));
    } else {
      recorder_.refuse({code::capacity, Op::name, "options", recipe::room,
                        static_cast<int>(sizeof(typename Op::options))});
    }
  }
  /// Whether a leaf may be added. This is no template on purpose: a template that is defined behind
  /// its use is instantiated by clang too late for a constant expression.
  constexpr bool takes(const char* op, const name& label, const tensor& t) {
    if (!recorder_.fault.ok()) return false;
    if (const error e = check_extents(op, label, t.shape); !e.ok()) recorder_.refuse(e);
    return recorder_.fault.ok();
  }
  constexpr value leaf(int id) const { return recorder_.fault.ok() ? value{id, this} : value{}; }
  recorder recorder_;
};

}  // namespace tenon
