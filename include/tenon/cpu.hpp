// Execution on the policy `cpu`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/policy.hpp>
#include <tenon/run/instance.hpp>
#include <tenon/tenon.hpp>
