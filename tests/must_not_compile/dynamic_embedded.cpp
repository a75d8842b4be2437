// expect: instance: nobody knows when it is compiled how much memory a graph that is built at run time needs
// An arena inside the instance of a graph that is built at run time.
// SPDX-License-Identifier: MIT
#include <tenon/reference.hpp>
namespace tn = tenon;

using bound = tn::model<tn::dynamic, tn::reference>;
void make(const bound& m) {
  tn::instance<bound, tn::embedded> own{m};  // here
}
