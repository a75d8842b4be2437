// Products of integers call nothing of the system, take no lock and touch no heap.
// SPDX-License-Identifier: MIT
#include "../../support/strict_child.hpp"
#include "dot_net.hpp"

using namespace tenon_test;

TEST_CASE("products of integers allocate, lock and call nothing") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  dice d = dice_of(55, 0);
  const tenon::table_view t = bytes_net::view();
  const array_source source(t, byte_weights(t, d));
  const tenon::model<bytes_net, tenon::cpu> model(source);
  arrays_call views({random_array(t.nodes[t.inputs[0]].out, d)}, outputs_of(t));
  tenon::instance caller(model);
  const ending e = in_strict_child([&](ledger& own) {
    for (int i = 0; i < 20; ++i) own.calls += caller.run(views.in, views.out).ok();
  });
  CHECK(e.clean());
  CHECK(e.left.calls == 20);
}
