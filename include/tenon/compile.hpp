// Compiles here what tenon/compiled.hpp only declares: for one source of a program.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/compiled.hpp>

namespace tenon {

template cpu::function cpu::interpreted<void>(program_view) noexcept;
template void cpu::bind<void>(const binding<cpu::function>&, cpu::work&) noexcept;
template void reference::run<void>(const reference::work&, const frame&) noexcept;
template result<owned_plan> planned<void>(const table_view&, list<policy_facts>);
template result<owned_plan> plan_for<cpu>(const table_view&);
template result<owned_plan> plan_for<reference>(const table_view&);

namespace simd {

template void run_rare<operations>(program_view, const stream*, void*, i64) noexcept;

}  // namespace simd

namespace calling {

template bool varied<model<dynamic, cpu>, varied_on_heap>::start(
    const model<dynamic, cpu>&) noexcept;
template status varied<model<dynamic, cpu>, varied_on_heap>::adapt(const model<dynamic, cpu>&);
template bool varied<model<dynamic, reference>, varied_on_heap>::start(
    const model<dynamic, reference>&) noexcept;
template status varied<model<dynamic, reference>, varied_on_heap>::adapt(
    const model<dynamic, reference>&);

}  // namespace calling
}  // namespace tenon
