// The policies that the examples run on, the defining one first. One more is one more entry here.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>
#if __has_include(<vulkan/vulkan.hpp>)
#include <tenon/vulkan.hpp>
#endif

/// A list of policies as a type.
template <class... Policies> struct policy_list {
  static constexpr int size = sizeof...(Policies);
  static constexpr const char* names[] = {Policies::name...};
  /// Calls `visit.operator()<Policy>()` for one after the other.
  template <class Visit> static void each(Visit&& visit) {
    (visit.template operator()<Policies>(), ...);
  }
};
#if __has_include(<vulkan/vulkan.hpp>)
using policies = policy_list<tenon::reference, tenon::cpu, tenon::vulkan>;
#else
using policies = policy_list<tenon::reference, tenon::cpu>;
#endif

/// Why a policy cannot run on this machine, such as a device that is not there; ok if it can.
template <class Policy> tenon::error missing() {
  if constexpr (tenon::device_backend<Policy>)
    return Policy::standard().fault();
  else
    return {};
}
/// The device of a policy that has one of its own; else nothing.
template <class Policy> const char* device_of() {
  if constexpr (tenon::device_backend<Policy>)
    return Policy::standard().facts().device.c_str();
  else
    return "";
}
