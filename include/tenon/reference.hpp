// Execution on the policy `reference`, and `evaluate` for constant expressions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/evaluate.hpp>
#include <tenon/policy/reference/policy.hpp>
#include <tenon/run/instance.hpp>
#include <tenon/tenon.hpp>
