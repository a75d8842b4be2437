// Write and plan graphs. What runs them: tenon/cpu.hpp, tenon/reference.hpp, tenon/vulkan.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/builder.hpp>
#include <tenon/language/operators.hpp>
#include <tenon/language/trace.hpp>
#include <tenon/plan/plan.hpp>
