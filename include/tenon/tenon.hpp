// Write and plan graphs. What runs them: tenon/run/cpu.hpp, tenon/run/reference.hpp, tenon/run/vulkan.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/operators.hpp>
#include <tenon/graph/builder.hpp>
#include <tenon/graph/trace.hpp>
#include <tenon/plan/plan.hpp>
