// What every network must hold: one table however it is written, the results of the reference, and
// an arena in which nothing overlaps that lives at the same time.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/thread_pool.hpp>
#include "../../examples/networks/weights.hpp"
#include "../catch.hpp"
#include "../policy/cpu/testing.hpp"
#include "../support/same.hpp"

namespace tenon_test {

/// Normally distributed inputs, and weights scaled so that no layer drowns or swells its image.
inline contents scaled_contents(const tn::table_view& t) {
  networks::normal_numbers numbers(dice_of(61, 0).next());
  contents c;
  for (const int i : t.inputs)
    for (auto& x = c.inputs.emplace_back(static_cast<std::size_t>(t.nodes[i].out.shape.count()));
         float& v : x)
      v = numbers.next();
  for (const int i : t.weights) networks::append_random(c.weights.emplace_back(), t, i, numbers);
  return c;
}

/// |a - b| / |b| in Euclidean norms; infinite if a number is none.
inline double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double apart = 0, whole = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    apart += (x - y) * (x - y);
    whole += y * y;
  }
  const double r = std::sqrt(apart / whole);
  return std::isfinite(r) ? r : std::numeric_limits<double>::infinity();
}
/// The standard deviation of the elements: next to nothing where a network has collapsed.
inline double spread(const std::vector<float>& v) {
  double sum = 0, squares = 0;
  for (const float x : v) sum += static_cast<double>(x);
  const double mean = sum / static_cast<double>(v.size());
  for (const float x : v)
    squares += (static_cast<double>(x) - mean) * (static_cast<double>(x) - mean);
  return std::sqrt(squares / static_cast<double>(v.size()));
}

/// Bytes of the arena, and the groups from whose start to whose end they are in use.
struct arena_part {
  i64 begin = 0, end = 0;
  int first = 0, last = 0, node = -1;
};

/// The parts of a plan's arena that are in use. Lifetimes are worked out from the table alone: a
/// value lives from the group that computes it to the last group that reads it, through whatever
/// needs no kernel.
inline std::vector<arena_part> arena_parts_of(const tn::plan_view& p) {
  const tn::table_view t = p.table;
  std::vector<int> last(static_cast<std::size_t>(t.nodes.size), -1);
  const auto read = [&](auto&& self, int id, int group) -> void {
    int& own = last[static_cast<std::size_t>(id)];
    own = std::max(own, group);
    if (p.group_of[id] >= 0) return;
    for (int k = 0; k < t.nodes[id].operands; ++k) self(self, t.nodes[id].in[k], group);
  };
  for (int i = 0; i < t.nodes.size; ++i)
    for (int k = 0; p.group_of[i] >= 0 && k < t.nodes[i].operands; ++k)
      read(read, t.nodes[i].in[k], p.group_of[i]);
  for (const int o : t.outputs) read(read, o, p.groups.size);

  std::vector<arena_part> all;
  for (int i = 0; i < t.nodes.size; ++i) {
    const int group = p.group_of[i];
    if (group < 0 || (!p.locations[i].materialised && last[static_cast<std::size_t>(i)] == group))
      continue;
    const tn::plans::buffer& b = p.buffers[p.locations[i].holder];
    if (b.in != tn::plans::buffer::storage::arena) continue;
    i64 low = p.locations[i].offset, high = low;
    for (int a = 0; a < t.nodes[i].out.shape.rank; ++a) {
      const i64 reach = p.locations[i].step[a] * (t.nodes[i].out.shape[a] - 1);
      (reach < 0 ? low : high) += reach;
    }
    const i64 size = tn::size_bytes(t.nodes[i].out.type);
    all.push_back({b.offset + low * size, b.offset + (high + 1) * size, group,
                   std::max(group, last[static_cast<std::size_t>(i)]), i});
  }
  for (int g = 0; g < p.groups.size; ++g)
    if (p.needs[g].scratch > 0)
      all.push_back({p.scratch_offset[g], p.scratch_offset[g] + p.needs[g].scratch, g, g, -1});
  return all;
}
/// What is wrong in a plan's arena; "" if nothing is.
inline std::string overlap_in(const tn::plan_view& p) {
  const std::vector<arena_part> all = arena_parts_of(p);
  const auto at = [](const arena_part& l) {
    return l.node < 0 ? "the scratch memory of group " + std::to_string(l.first)
                      : "node " + std::to_string(l.node);
  };
  for (const arena_part& a : all) {
    if (a.begin < 0 || a.end > p.shared_bytes) return at(a) + " lies outside";
    for (const arena_part& b : all)
      if (&a < &b && a.first <= b.last && b.first <= a.last && a.begin < b.end && b.begin < a.end)
        return at(a) + " overlaps " + at(b);
  }
  return "";
}

/// A network's results on `cpu`, static and built at run time, on one and two threads, beside those
/// of `reference`. Returns the reference's.
template <class Graph> results check_results(const tn::table& built) {
  const contents c = scaled_contents(Graph::view());
  std::string problem;
  const results defined = run_table<tn::reference>(built.view(), c, wall::behind, problem);
  REQUIRE(problem == "");
  const results fast = run_static<tn::cpu, Graph>(c);
  REQUIRE(fast.size() == defined.size());
  tn::thread_pool pool(2);
  const results threaded = run_static<tn::cpu, Graph>(c, pool);
  const results late = run_dynamic<tn::cpu>(built.view(), c);
  for (std::size_t o = 0; o < defined.size(); ++o) {
    CHECK(spread(defined[o]) > 1e-2);
    CHECK(relative_distance(fast[o], defined[o]) <= 1e-5);
    if (has_fma) CHECK(difference(defined[o], fast[o]) == "");
    CHECK(difference(fast[o], threaded.at(o)) == "");
    CHECK(difference(fast[o], late.at(o)) == "");
  }
  return defined;
}

/// One network: its two tables, its plan, its results.
template <class Graph> void check_network(const tn::result<tn::table>& built) {
  REQUIRE(built.ok());
  CHECK(std::string(difference(Graph::view(), built->view())) == "");
  using plan = tn::plan<Graph, tn::cpu>;
  static_assert(plan::arena_bytes == plan::live_bytes);
  CHECK(overlap_in(plan::view()) == "");
  check_results<Graph>(*built);
}

}  // namespace tenon_test
