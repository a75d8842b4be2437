// The generators of random graphs that all tests share.
// SPDX-License-Identifier: MIT
#include <tenon/trial/operators.hpp>

template tenon::list<tenon::trial::operator_entry> tenon::trial::operators<void>();
template tenon::trial::random_graph tenon::trial::make_graph<void>(tenon::trial::choices&,
                                                                   const tenon::trial::limits&,
                                                                   std::vector<int>*);
