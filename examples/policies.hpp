// The policies that the examples run on, the defining one first. One more is one more entry here.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu.hpp>
#include <tenon/run/reference.hpp>

/// A list of policies as a type.
template <class... Policies> struct policy_list {
  static constexpr int size = sizeof...(Policies);
  static constexpr const char* names[] = {Policies::name...};
  /// Calls `visit.operator()<Policy>()` for one after the other.
  template <class Visit> static void each(Visit&& visit) {
    (visit.template operator()<Policies>(), ...);
  }
};
using policies = policy_list<tenon::reference, tenon::cpu>;
