// expect: extents: a tensor has at most 8 axes
// Nine axes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

constexpr auto shape = tn::extents(1, 2, 3, 4, 5, 6, 7, 8, 9);  // here
