// The Vulkan policies with descriptors under the validation layer.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/vulkan.hpp>
#include <string>

namespace tenon_test {

/// `vulkan` with descriptors instead of addresses, as the validation layer understands them; the
/// layer compares every access of the device with the barriers.
template <tenon::sharing Memory> struct validated_policy : tenon::vulkan_policy<Memory> {
  static std::string& said() {
    static std::string& text = *new std::string;  // the layer may speak until the process ends
    return text;
  }
  static tenon::vulkan_context& standard() noexcept {
    static tenon::lasting_vulkan_context own([] {
      tenon::vulkan_options o;
      o.addressing = tenon::vulkan_addressing::descriptor;
      o.validation = true;
      o.on_message = [](const char* text, void* user) {
        std::string& all = *static_cast<std::string*>(user);
        if (all.size() < 4000) all += std::string(text) + "\n";
      };
      o.user = &said();
      return o;
    }());
    return own.value;
  }
};
struct vulkan_validated : validated_policy<tenon::sharing::importable> {
  static constexpr const char* name = "validated";
};
struct vulkan_validated_staged : validated_policy<tenon::sharing::separate> {
  static constexpr const char* name = "validated_staged";
};

/// Descriptors and copies, without the layer: what drivers can that have neither addresses nor
/// imports.
struct vulkan_descriptors : tenon::vulkan_policy<tenon::sharing::separate> {
  static constexpr const char* name = "descriptors";
  static tenon::vulkan_context& standard() noexcept {
    static tenon::lasting_vulkan_context own([] {
      tenon::vulkan_options o;
      o.addressing = tenon::vulkan_addressing::descriptor;
      return o;
    }());
    return own.value;
  }
};

}  // namespace tenon_test
