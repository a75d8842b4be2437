// Execution on Vulkan devices. Needs the headers of Vulkan and Vulkan-Hpp, and at run time a
// loader; links nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/policy.hpp>
#include <tenon/run/instance.hpp>
#include <tenon/tenon.hpp>
