// Programs of element-wise nodes, joined: `relu(a + b)` becomes one program over a and b.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/recorder.hpp>
#include <tenon/graph/rewrite.hpp>
#include <tenon/plan/decision.hpp>

namespace tenon::plans {

/// A map node while chains are merged: a program in the merger's pool, and the nodes that its
/// arguments read.
struct merging {
  int program = -1;
  int in[max_operands]{};
  int operands = 0;

  /// The argument that reads node `id`, new if need be; -1 if there is no room.
  constexpr int slot_of(int id) {
    for (int i = 0; i < operands; ++i)
      if (in[i] == id) return i;
    if (operands == max_operands) return -1;
    in[operands] = id;
    return operands++;
  }
};

/// Joins the programs of element-wise nodes. Layers repeat, so each different joint is recorded
/// once and then looked up: recording is what constant expressions would pay most for.
class merger {
 public:
  constexpr explicit merger(table_view t) : from_(t) {}
  constexpr program_view program(int id) const {
    const range r = joined_.programs[id];
    return {joined_.code.data() + r.begin, r.size};
  }
  /// A map node's program with every operand once: `x * x` reads x through one argument.
  constexpr merging distinct_operands(const node& n) {
    merging m;
    joint j{n.detail, -1};
    for (int k = 0; k < n.operands; ++k) j.argument[k] = m.slot_of(n.in[k]);
    m.program = join(j, m.operands);
    return m;
  }
  /// Replaces operand `k` of `m` by the program that computes it. False, and `m` as it was, if the
  /// result would have too many operands, instructions or registers.
  constexpr bool inline_operand(merging& m, int k, const merging& producer) {
    merging r;
    joint j{m.program, producer.program, k};
    for (int i = 0; i < m.operands; ++i)
      if (i != k && (j.argument[i] = r.slot_of(m.in[i])) < 0) return false;
    for (int i = 0; i < producer.operands; ++i)
      if ((j.produced[i] = r.slot_of(producer.in[i])) < 0) return false;
    r.program = join(j, r.operands);
    if (r.program < 0) return false;
    m = r;
    return true;
  }

 private:
  /// Two programs that become one: `producer` computes the argument `hole` of `program`. Or, with
  /// `producer` -1, a program of the table alone. `argument` and `produced` say which arguments of
  /// the result their arguments become.
  struct joint {
    int program = -1, producer = -1, hole = -1;
    int argument[max_operands]{}, produced[max_operands]{};
    int result = -1;
    /// All of this but the programs in one word: positions have 3 bits.
    std::uint64_t key = 0;
  };
  table_view from_;
  table joined_;  ///< of which only the pool of programs is used: each joint is there once
  sequence<joint> joints_;

  /// The program of a joint over this many operands, recorded if it is new; -1: beyond a limit.
  constexpr int join(joint& j, int operands) {
    j.key = static_cast<std::uint64_t>(j.hole + 1);
    for (int i = 0; i < max_operands; ++i)
      j.key = j.key << 6 | static_cast<unsigned>(j.argument[i] << 3 | j.produced[i]);
    const joint* joints = joints_.data();
    for (int i = 0, n = joints_.size(); i < n; ++i)
      if (joints[i].key == j.key && joints[i].program == j.program &&
          joints[i].producer == j.producer)
        return joints[i].result;
    j.result = make(j, operands);
    return joints_[joints_.push(j)].result;
  }
  /// The element types of the result's arguments, as the programs read them.
  struct type_list {
    type of[max_operands]{};
  };
  constexpr type_list argument_types(const joint& j) const {
    type_list types;
    const auto read = [&](program_view p, const int* position) {
      for (int i = 0; i < p.size; ++i)
        if (p.code[i].op() == sop::arg && position[p.code[i].a()] >= 0)
          types.of[position[p.code[i].a()]] = p.code[i].type();
    };
    int argument[max_operands]{};
    for (int i = 0; i < max_operands; ++i) argument[i] = i == j.hole ? -1 : j.argument[i];
    if (j.producer >= 0) {
      read(program(j.program), argument);
      read(program(j.producer), j.produced);
    } else {
      const range r = from_.programs[j.program];
      read({from_.code.data + r.begin, r.size}, argument);
    }
    return types;
  }
  /// Records a joint; -1 if it exceeds a limit. Without a producer it is a program of the table, in
  /// which operands that are one node share an argument.
  constexpr int make(const joint& j, int operands) {
    tape t;
    int arguments[max_operands]{}, of_reader[max_operands]{}, of_producer[max_operands]{};
    const type_list types = argument_types(j);
    for (int i = 0; i < operands; ++i) arguments[i] = t.argument(i, types.of[i]);
    for (int i = 0; i < max_operands; ++i) {
      of_reader[i] = arguments[j.argument[i]];
      of_producer[i] = arguments[j.produced[i]];
    }
    if (j.producer < 0) {
      const range r = from_.programs[j.program];
      const int result = append(t, {from_.code.data + r.begin, r.size}, of_reader);
      return joined_.intern(finish(t, result).view());
    }
    of_reader[j.hole] = append(t, program(j.producer), of_producer);
    const int result = append(t, program(j.program), of_reader);
    if (t.fault != code::ok) return -1;
    const recorded r = finish(t, result);
    return allocate(r.view()).registers > max_registers ? -1 : joined_.intern(r.view());
  }
};

/// A merged program as policies run it: with fma, in registers. Where that takes too many registers
/// it stays without fma, for every policy alike: the bits of the result depend on it.
constexpr recorded finished(program_view p) {
  const allocated with_fma =
      allocate(form_fma(p).view());  // an fma keeps its factors alive for longer
  return with_fma.registers > max_registers ? allocate(p).program : with_fma.program;
}

}  // namespace tenon::plans
