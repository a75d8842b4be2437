// expect: differential: the first argument is a graph, or dynamic for random graphs
// Policies alone.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>
#include <tenon/trial.hpp>
namespace tn = tenon;

const auto report = tn::differential<tn::cpu, tn::reference>();  // here
