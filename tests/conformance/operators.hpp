// WebNN's operators and options, written with the library's run-time builder.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/builder.hpp>
#include "cases.hpp"

namespace conformance {

using tn::builder;
/// What the operands' names stand for in a graph.
using named_values = std::map<std::string, builder::value>;

/// Adds the call's operator and enters its outputs.
/// Error: throws `problem` for an operator, an option or a value that this runner does not know;
/// what the library refuses is the builder's fault.
void add(builder& b, const call& c, named_values& values);

}  // namespace conformance
