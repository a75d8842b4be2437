// Conformance cases as static graphs: what static_cases.py writes is a table of these.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>
#include <tenon/run/instance.hpp>

namespace conformance {

/// A weight by the name that the graph gives it: "x" and its number among the case's operands.
struct constant {
  tenon::name label;
  tenon::const_view view;
};
struct constant_list {
  tenon::list<constant> all;
  tenon::const_view find(const tenon::name& wanted) const noexcept {
    for (const constant& c : all)
      if (c.label == wanted) return c.view;
    return {};
  }
};
/// A graph that the compiler made of a case: one column for each policy.
struct static_case {
  const char* file;
  const char* name;
  tenon::table_view (*table)();
  using caller = tenon::code (*)(const constant_list&, const tenon::const_view*,
                                 const tenon::mutable_view*);
  caller reference, cpu;
};

/// A result by its number, of operators with one handle and with a tuple of them.
template <int I, class Result> constexpr auto result_of(const Result& r) {
  if constexpr (requires { std::get<I>(r); }) {
    return std::get<I>(r);
  } else {
    static_assert(I == 0, "result_of: the operator has one result");
    return r;
  }
}

template <class Net, class Policy> tenon::code run_once(const constant_list& weights,
                                                        const tenon::const_view* in,
                                                        const tenon::mutable_view* out) {
  const tenon::model<Net, Policy> model{weights};
  if (!model.fault().ok()) return model.fault().what;
  tenon::instance caller{model};
  constexpr tenon::table_view t = Net::view();
  return caller
      .run({in, static_cast<std::size_t>(t.inputs.size)},
           {out, static_cast<std::size_t>(t.outputs.size)})
      .what;
}
template <class Net> constexpr static_case entry(const char* file, const char* name) {
  return {file, name, [] { return Net::view(); }, &run_once<Net, tenon::reference>,
          &run_once<Net, tenon::cpu>};
}

/// What one generated source has.
struct static_cases {
  const static_case* all;
  int size;
};

}  // namespace conformance
