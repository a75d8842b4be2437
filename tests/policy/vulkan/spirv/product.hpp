// A product as a loop nest, for tests of what is chosen for it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/loop_nest.hpp>

namespace tenon_test {

/// rows x terms times terms x columns, dense.
constexpr tenon::spirv::loop_nest product(tenon::i64 rows, tenon::i64 columns, tenon::i64 terms) {
  tenon::spirv::loop_nest n;
  n.out = {2, {rows, columns}};
  n.terms = {1, {terms}};
  n.a.step[0] = terms, n.b.step[1] = 1;
  n.term_a[0] = 1, n.term_b[0] = columns;
  return n;
}

}  // namespace tenon_test
