// The policies `vulkan` and `vulkan_staged`, and those that multiply in 16 bits: kernels of our own
// on a Vulkan device.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/session.hpp>

namespace tenon {

/// What all of them have in common. Fuses; computes float32 as float32, but for the operands of
/// matrix products, which `Products` rounds. Error against `reference`: products and sums of
/// contractions may be rounded apart, divisions and square roots may be off by 2.5 units in the
/// last place, as Vulkan allows; rounded operands are off by half a unit of their 11 or 8 digits
/// each.
template <sharing Memory, spirv::precision Products = spirv::precision::float32>
struct vulkan_policy {
  static constexpr sharing memory = Memory;
  static constexpr bool fuses = true;
  static constexpr bool takes_halves = true;
  static constexpr int most_buffers = spirv::max_ports;
  static constexpr double rounding = Products == spirv::precision::float16    ? 0x1p-10
                                     : Products == spirv::precision::bfloat16 ? 0x1p-7
                                                                              : 0x1p-22;
  static constexpr bool flushes_subnormals = true;  ///< if the device does
  static constexpr bool supports(const table_view& t, const node& n) {
    return spirv::supports(t, n, spirv::target{});
  }
  static constexpr footprint measure(const plan_view&, int) { return {}; }

  using context = vulkan_context;
  struct bound : vulkan_bound {
    bound() noexcept : vulkan_bound(Products) {}
  };
  using session = vulkan_session;
  /// A device of our own, opened when it is first asked for and never closed.
  static context& standard() noexcept {
    static lasting_vulkan_context device;
    return device.value;
  }
};

/// A Vulkan device that uses the caller's memory where it lies: nothing is copied. A device that
/// cannot is an error of the model that names `vulkan_staged`.
struct vulkan : vulkan_policy<sharing::importable> {
  static constexpr const char* name = "vulkan";
};
/// A Vulkan device into whose memory everything is copied, and back.
struct vulkan_staged : vulkan_policy<sharing::separate> {
  static constexpr const char* name = "vulkan_staged";
};
/// `vulkan` with matrix products on a device's matrix units: operands rounded to float16 (beyond
/// 65,504: infinite), sums in float32. A device without such units is an error of the model.
struct vulkan_f16 : vulkan_policy<sharing::importable, spirv::precision::float16> {
  static constexpr const char* name = "vulkan_f16";
};
struct vulkan_f16_staged : vulkan_policy<sharing::separate, spirv::precision::float16> {
  static constexpr const char* name = "vulkan_f16_staged";
};
/// As `vulkan_f16`, with operands rounded to bfloat16: 8 digits, and all of float32's range.
struct vulkan_bf16 : vulkan_policy<sharing::importable, spirv::precision::bfloat16> {
  static constexpr const char* name = "vulkan_bf16";
};
struct vulkan_bf16_staged : vulkan_policy<sharing::separate, spirv::precision::bfloat16> {
  static constexpr const char* name = "vulkan_bf16_staged";
};
static_assert(device_backend<vulkan> && device_backend<vulkan_staged>);
static_assert(device_backend<vulkan_f16> && device_backend<vulkan_bf16>);

}  // namespace tenon
