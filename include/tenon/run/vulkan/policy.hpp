// The policies `vulkan` and `vulkan_staged`: kernels of our own on a Vulkan device.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/vulkan/session.hpp>

namespace tenon {

/// What both policies have in common. Fuses; computes float32 as float32. Error against `reference`:
/// products and sums of contractions may be rounded apart, divisions and square roots may be off by
/// 2.5 units in the last place, as Vulkan allows.
template <sharing Memory> struct vulkan_policy {
  static constexpr sharing memory = Memory;
  static constexpr bool fuses = true;
  static constexpr double rounding = 0x1p-22;
  static constexpr bool supports(const table_view& t, const node& n) {
    return spirv::supports(t, n, spirv::target{});
  }
  static constexpr footprint measure(const plan_view&, int) { return {}; }

  using context = vulkan_context;
  using bound = vulkan_bound;
  using session = vulkan_session;
  /// A device of our own, opened when it is first asked for.
  static context& standard() noexcept {
    static context own;
    return own;
  }
};

/// A Vulkan device that uses the caller's memory where it lies: nothing is copied. A device that cannot
/// is an error of the model that names `vulkan_staged`.
struct vulkan : vulkan_policy<sharing::importable> {
  static constexpr const char* name = "vulkan";
};
/// A Vulkan device into whose memory everything is copied, and back.
struct vulkan_staged : vulkan_policy<sharing::separate> {
  static constexpr const char* name = "vulkan_staged";
};
static_assert(device_backend<vulkan> && device_backend<vulkan_staged>);

}  // namespace tenon
