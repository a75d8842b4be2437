// The same for tests of Vulkan, whose kernels tests/vulkan_kernels.cpp compiles.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/compiled_vulkan.hpp>
#include "shared.hpp"
