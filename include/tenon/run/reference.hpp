// Execution on the policy `reference`, and `evaluate` for constant expressions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/instance.hpp>
#include <tenon/run/reference/evaluate.hpp>
#include <tenon/run/reference/policy.hpp>
#include <tenon/tenon.hpp>
