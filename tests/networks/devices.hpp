// Networks built at run time on policies that run on a device: what `reference` gives, within 1e-4
// in the Euclidean norm.
// SPDX-License-Identifier: MIT
#pragma once
#include "../policy/vulkan/policies.hpp"
#include "network.hpp"

namespace tenon_test {

inline void check_distance(const results& found, const results& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t o = 0; o < wanted.size(); ++o) {
    CHECK(spread(wanted[o]) > 1e-2);
    CHECK(relative_distance(found[o], wanted[o]) <= 1e-4);
  }
}
/// A network on each of the policies; the buffers of the call end at forbidden pages.
template <class... Policies> void check_devices(const tn::result<tn::table>& built) {
  (need_device<Policies>(), ...);
  REQUIRE(built.ok());
  const contents c = scaled_contents(built->view());
  std::string problem;
  const results wanted = run_table<tn::reference>(built->view(), c, wall::behind, problem);
  REQUIRE(problem == "");
  (check_distance(run_dynamic<Policies>(built->view(), c), wanted), ...);
  CHECK((Policies::standard().live() + ...) == 0);
}

}  // namespace tenon_test
