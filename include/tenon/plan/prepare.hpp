// The first pass, table to table, the same for every policy: keeps quantized numbers in integers
// where it can, drops dead nodes, merges chains of element-wise nodes into one program each, forms
// fma. What it leaves defines the results.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/recorder.hpp>
#include <tenon/graph/rewrite.hpp>
#include <tenon/plan/decision.hpp>
#include <tenon/plan/quantized.hpp>

namespace tenon::plans {

/// True for what comes out of a scan: such nodes of one scan stand side by side.
constexpr bool leaves_scan(table_view t, int id) {
  return id < t.nodes.size && t.nodes.data[id].kind == family::scan &&
         !t.scanning_of(t.nodes.data[id]).enters();
}
/// A scan of which anything is used needs the next values of all its states. `last` is the last
/// node that comes out of it; all that read them were counted.
constexpr void keep_states(table_view t, int last, int* uses) {
  int first = last;
  bool used = false;
  for (; leaves_scan(t, first); --first) used = used || uses[first] > 0;
  for (int i = first + 1; used && i <= last; ++i) uses[i] += t.nodes.data[i].operands == 2;
}

/// How many nodes (and outputs) use each node; dead nodes have none.
constexpr sequence<int> count_uses(table_view t) {
  sequence<int> counted(t.nodes.size);
  int* uses = counted.data();
  for (const int o : t.outputs) ++uses[o];
  for (int i = t.nodes.size - 1; i >= 0; --i) {
    const node& n = t.nodes.data[i];
    if (leaves_scan(t, i) && !leaves_scan(t, i + 1)) keep_states(t, i, uses);
    if (uses[i] == 0) continue;
    for (int k = 0; k < n.operands; ++k) {
      bool again = false;
      for (int j = 0; j < k; ++j) again |= n.in[j] == n.in[k];
      if (!again) ++uses[n.in[k]];
    }
  }
  return counted;
}

/// A map node while chains are merged: a program of the merger over numbered operands.
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

/// Joins programs. Layers repeat, so each different joint is made once and then looked up.
class merger {
 public:
  constexpr explicit merger(table_view t) : from_(t) {}
  constexpr program_view program(int id) const {
    const range r = made_.programs[id];
    return {made_.code.data() + r.begin, r.size};
  }
  /// A map node's program with every operand once: `x * x` reads x through one argument.
  constexpr merging distinct_operands(const node& n) {
    merging m;
    joint j{n.detail, -1};
    for (int k = 0; k < n.operands; ++k) j.argument[k] = m.slot_of(n.in[k]);
    m.program = join(j, m.operands);
    return m;
  }
  /// Replaces operand `k` of `m` by what computes it. False if the limits do not allow it.
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
  /// A program of the table (`producer` -1), or one of ours whose argument `hole` another one of
  /// ours computes; and which arguments of the result theirs become.
  struct joint {
    int program = -1, producer = -1, hole = -1;
    int argument[max_operands]{}, produced[max_operands]{};
    int result = -1;
    /// All of this but the programs in one word: positions have 3 bits.
    std::uint64_t key = 0;
  };
  table_view from_;
  table made_;  ///< its pool of programs
  sequence<joint> joints_;

  constexpr int join(joint& j, int operands) {
    j.key = static_cast<std::uint64_t>(j.hole + 1);
    for (int i = 0; i < max_operands; ++i)
      j.key = j.key << 6 | static_cast<unsigned>(j.argument[i] << 3 | j.produced[i]);
    const joint* known = joints_.data();
    for (int i = 0, n = joints_.size(); i < n; ++i)
      if (known[i].key == j.key && known[i].program == j.program && known[i].producer == j.producer)
        return known[i].result;
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
  constexpr int make(const joint& j, int operands) {
    tape t;
    int arguments[max_operands]{}, own[max_operands]{}, theirs[max_operands]{};
    const type_list types = argument_types(j);
    for (int i = 0; i < operands; ++i) arguments[i] = t.argument(i, types.of[i]);
    for (int i = 0; i < max_operands; ++i) {
      own[i] = arguments[j.argument[i]];
      theirs[i] = arguments[j.produced[i]];
    }
    if (j.producer < 0) {
      const range r = from_.programs[j.program];
      const int holder = append(t, {from_.code.data + r.begin, r.size}, own);
      return made_.intern(finish(t, holder).view());
    }
    own[j.hole] = append(t, program(j.producer), theirs);
    const int holder = append(t, program(j.program), own);
    if (t.fault != code::ok) return -1;
    const recorded r = finish(t, holder);
    return allocate(r.view()).registers > max_registers ? -1 : made_.intern(r.view());
  }
};

/// A merged program as policies run it: with fma, in registers.
constexpr recorded finished(program_view p) {
  const allocated done = allocate(form_fma(p).view());  // an fma keeps its factors alive for longer
  return done.registers > max_registers ? allocate(p).program : done.program;
}

/// For every node the outermost region that its policy runs as one step, or -1. Such a region has
/// all its nodes on one policy, and one of them, the last, is read from outside.
constexpr sequence<int> whole_regions(table_view t, list<policy_facts> policies) {
  sequence<int> whole(t.nodes.size, -1);
  bool any = false;
  for (const policy_facts& p : policies) any = any || p.owns != nullptr;
  if (!any) return whole;
  const auto inside = [&](int id, int region) {
    int r = t.nodes[id].region;
    while (r >= 0 && r != region) r = t.regions[r].parent;
    return r == region;
  };
  for (int r = 0; r < t.regions.size; ++r) {
    int first = -1, last = -1;
    bool one_place = true, closed = true;
    for (int i = 0; i < t.nodes.size; ++i) {
      if (is_leaf(t.nodes[i].kind) || !inside(i, r)) continue;
      if (first < 0) first = i;
      one_place = one_place && t.nodes[i].policy == t.nodes[first].policy &&
                  t.nodes[i].loop == t.nodes[first].loop && t.nodes[i].kind != family::scan;
      last = i;
    }
    if (first < 0 || whole[first] >= 0 || !one_place) continue;
    const int policy = t.nodes[first].policy < 0 ? 0 : t.nodes[first].policy;
    if (policy >= policies.size || policies[policy].owns == nullptr ||
        !policies[policy].owns(t, t.regions[r]))
      continue;
    const auto hidden = [&](int id) {
      return id != last && !is_leaf(t.nodes[id].kind) && inside(id, r);
    };
    for (int i = 0; i < t.nodes.size; ++i)
      for (int k = 0; k < t.nodes[i].operands && !inside(i, r); ++k)
        closed = closed && !hidden(t.nodes[i].in[k]);
    for (const int o : t.outputs) closed = closed && !hidden(o);
    for (int i = first; closed && i <= last; ++i)
      if (!is_leaf(t.nodes[i].kind) && inside(i, r)) whole[i] = r;
  }
  return whole;
}

/// `renumbered`: the table was rewritten, and its nodes say where they come from.
constexpr table merge_and_clean(table_view t, list<policy_facts> policies, bool renumbered) {
  sequence<int> counted = count_uses(t);
  int* uses = counted.data();
  merger programs(t);
  sequence<merging> maps;  // of the map nodes only
  sequence<int> map_at(t.nodes.size, -1), to(t.nodes.size, -1);
  sequence<bool> absorbed(t.nodes.size);
  const sequence<int> whole = whole_regions(t, policies);
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes.data[i];
    if (n.kind != family::map || uses[i] == 0) continue;
    merging m = programs.distinct_operands(n);
    for (int k = 0; k < m.operands;) {
      const int from = m.in[k];
      const node& f = t.nodes.data[from];
      const bool joins = f.kind == family::map && uses[from] == 1 && f.policy == n.policy &&
                         f.loop == n.loop && f.out.shape == n.out.shape && whole[i] < 0 &&
                         whole[from] < 0;
      const merging own = m;
      if (joins && programs.inline_operand(m, k, maps[map_at[from]])) {
        absorbed[from] = true;
        const merging& producer = maps[map_at[from]];
        for (int j = 0; j < producer.operands; ++j)  // an operand that both used has one user less
          for (int q = 0; q < own.operands; ++q)
            uses[producer.in[j]] -= own.in[q] == producer.in[j];
        k = 0;
      } else {
        ++k;
      }
    }
    map_at[i] = maps.push(m);
  }
  sequence<int> finished_at;  // by the merger's number: the program in the result
  table r;
  for (int i = 0; i < t.nodes.size; ++i) {
    node n = t.nodes[i];
    if (!renumbered) n.origin = i;
    n.whole = whole[i];
    if (absorbed[i] || (uses[i] == 0 && n.kind != family::input)) continue;
    switch (n.kind) {
      case family::input:
      case family::weight:
        if (n.kind == family::weight) r.weights.push(r.nodes.size());
        n.detail = r.names.push(t.names[n.detail]);
        break;
      case family::map: {
        const merging& m = maps[map_at[i]];
        n.operands = m.operands;
        for (int k = 0; k < m.operands; ++k) n.in[k] = m.in[k];
        if (m.program >= finished_at.size()) finished_at.resize(m.program + 1, -1);
        int& done = finished_at[m.program];
        if (done < 0) done = r.intern(finished(programs.program(m.program)).view());
        n.detail = done;
        break;
      }
      default:
        detail_pool(
            n.kind, [&](auto& pool, const auto& rows) { n.detail = pool.push(rows[n.detail]); }, r,
            t);
    }
    if (n.kind == family::scan) r.scans[n.detail].node = r.nodes.size();
    for (int k = 0; k < n.operands; ++k) n.in[k] = to[n.in[k]];
    to[i] = r.nodes.push(n);
  }
  for (const region& x : t.regions) r.regions.push(x);
  for (const int i : t.inputs) r.inputs.push(to[i]);
  for (const int o : t.outputs) r.outputs.push(to[o]);
  for (const varying& v : t.limits) r.limits.push(v);
  r.states = t.states;
  return r;
}

/// Merges and cleans a table, after keeping integers where it quantizes and offering those that it
/// dequantizes to contractions. Inputs and weights keep their
/// order; a dead weight disappears, a dead input stays (the call still passes it). Regions that one
/// of the policies owns stay as they are.
constexpr table prepare(table_view t, list<policy_facts> policies = {}) {
  if (!quantizes(t) && !dequantizes(t)) return merge_and_clean(t, policies, false);
  table own = copy_of(t);
  bool renumbered = false;
  if (quantizes(t)) {
    const sequence<int> uses = count_uses(t), whole = whole_regions(t, policies);
    table kept = integer_keeper(t, uses, whole).rewrite();
    renumbered = supported(kept.view(), policies);
    if (renumbered) own = static_cast<table&&>(kept);
  }
  offer_integers(own, policies);
  return merge_and_clean(own.view(), policies, renumbered);
}

}  // namespace tenon::plans
