// Leaves the generators of random graphs to trial_graphs.cpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial.hpp>

extern template tenon::list<tenon::trial::operator_entry> tenon::trial::operators<void>();
extern template tenon::trial::random_graph tenon::trial::make_graph<void>(
    tenon::trial::choices&, const tenon::trial::limits&, std::vector<int>*);
