// What tests of the Vulkan policies share: skipping without a device, and the policy on a context with
// descriptors under the validation layer.
// SPDX-License-Identifier: MIT
#pragma once
#include "../catch.hpp"
#include <tenon/base/describe.hpp>
#include <tenon/run/vulkan.hpp>
#include <cstdlib>
#include <string>

namespace tenon_test {

/// Skips the test case where a policy's device is not there: no driver, or not the layer that it wants.
template <class Policy> void need_device() {
  const tenon::error& e = Policy::standard().fault();
  if (e.what == tenon::code::no_device || e.operand == tenon::name("VK_LAYER_KHRONOS_validation")) skip(describe(e));
  INFO(describe(e));
  REQUIRE(e.ok());
}

/// `vulkan` with descriptors instead of addresses, as the validation layer understands them; the layer
/// compares every access of the device with the barriers.
template <tenon::sharing Memory> struct validated_policy : tenon::vulkan_policy<Memory> {
  static std::string& said() {
    static std::string text;
    return text;
  }
  static tenon::vulkan_context& standard() noexcept {
    static tenon::vulkan_context own = [] {
      tenon::vulkan_options o;
      o.addressing = tenon::vulkan_addressing::descriptor;
      o.validation = true;
      o.on_message = [](const char* text, void* user) {
        std::string& all = *static_cast<std::string*>(user);
        if (all.size() < 4000) all += std::string(text) + "\n";
      };
      o.user = &said();
      return tenon::vulkan_context(o);
    }();
    return own;
  }
};
struct validated : validated_policy<tenon::sharing::importable> {
  static constexpr const char* name = "validated";
};
struct validated_staged : validated_policy<tenon::sharing::separate> {
  static constexpr const char* name = "validated_staged";
};

inline int number_from(const char* variable, int otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? std::atoi(given) : otherwise;
}

}  // namespace tenon_test
