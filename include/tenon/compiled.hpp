// Execution on `cpu` and `reference`, whose kernels and planning are compiled in one source of the
// program, the one that includes tenon/compile.hpp; the others are compiled in half the time.
// Misuse: sources with other flags for the processor, which would then share kernels.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>

namespace tenon {

extern template cpu::function cpu::interpreted<void>(program_view) noexcept;
extern template void cpu::bind<void>(const binding<cpu::function>&, cpu::work&) noexcept;
extern template void reference::run<void>(const reference::work&, const frame&) noexcept;
extern template result<owned_plan> planned<void>(const table_view&, list<policy_facts>);
extern template result<owned_plan> plan_for<cpu>(const table_view&);
extern template result<owned_plan> plan_for<reference>(const table_view&);

namespace simd {

extern template void run_rare<operations>(program_view, const stream*, void*, i64) noexcept;

}  // namespace simd

namespace calling {

extern template bool varied<model<dynamic, cpu>, varied_on_heap>::start(
    const model<dynamic, cpu>&) noexcept;
extern template status varied<model<dynamic, cpu>, varied_on_heap>::adapt(
    const model<dynamic, cpu>&);
extern template bool varied<model<dynamic, reference>, varied_on_heap>::start(
    const model<dynamic, reference>&) noexcept;
extern template status varied<model<dynamic, reference>, varied_on_heap>::adapt(
    const model<dynamic, reference>&);

}  // namespace calling
}  // namespace tenon
