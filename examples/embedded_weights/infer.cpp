// The inference of an application without heap, exceptions and run-time type information: model,
// instance and arena are static objects. tests/examples/no_heap.sh looks at the object file.
// SPDX-License-Identifier: MIT
#include "infer.hpp"
#include <tenon/reference.hpp>
namespace tn = tenon;

using bound = tn::model<lines::net, tn::reference>;
static_assert(bound::plan_type::packed_bytes == 0);        // the weights are used where they lie
static_assert(bound::plan_type::arena_bytes <= 2 * 1024);  // and this is all the memory there is

constexpr tn::weights weights{tn::named("filters", lines::filters)};
const bound model{weights};
tn::instance<bound, tn::embedded> instance{model};

tn::status infer(std::span<const float, lines::side * lines::side> image,
                 std::span<float, 4> probabilities) noexcept {
  return instance(image, probabilities);
}
