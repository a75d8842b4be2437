// What tests of the Vulkan policies share: skipping without a device.
// SPDX-License-Identifier: MIT
#pragma once
#include "../catch.hpp"
#include "vulkan_driver.hpp"
#include "vulkan_validated.hpp"
#include <tenon/base/describe.hpp>
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

inline int number_from(const char* variable, int otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? std::atoi(given) : otherwise;
}

}  // namespace tenon_test
