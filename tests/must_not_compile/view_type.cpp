// expect: view: the element type is not one of tenon's
// A view of elements that tenon does not know.
// SPDX-License-Identifier: MIT
#include <tenon/base/view.hpp>
namespace tn = tenon;

auto view_of_doubles(double* data) {
  return tn::flat_view_of(data, 4);  // here
}
