// What tests of the Vulkan policies share: skipping without a device.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include "../../catch.hpp"
#include "driver.hpp"
#include "validated.hpp"
#include <string>

namespace tenon_test {

/// Skips the test case where a policy's device is not there: no driver, or not the layer that it
/// wants.
template <class Policy> void need_device() {
  const tenon::error& e = Policy::standard().fault();
  if (e.what == tenon::code::no_device || e.operand == tenon::name("VK_LAYER_KHRONOS_validation"))
    skip(describe(e));
  INFO(describe(e));
  REQUIRE(e.ok());
}

}  // namespace tenon_test
