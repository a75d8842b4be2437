// What a policy must have, and what binding gives it: the backend concepts.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/frame.hpp>

namespace tenon {

/// What binding gives a policy for one group: the plan, the weights' addresses by node number, the
/// memory that `measure` asked for (`packed` for weights, `bound` for everything that depends on
/// the extents), and the compiled form of every program in the table.
template <class Function> struct binding {
  const plan_view* plan = nullptr;
  int group = -1;
  const std::byte* const* weights = nullptr;
  std::byte* packed = nullptr;
  std::byte* bound = nullptr;
  const Function* functions = nullptr;  ///< by program number
  bool packs = true;                    ///< false: `packed` is written already; leave it

  /// The elements of a weight from `offset` on.
  template <class T> const T* weight(int node, i64 offset = 0) const noexcept {
    return reinterpret_cast<const T*>(weights[node]) + offset;
  }
};

/// True if a node reads and writes float32 alone: what a policy's `supports` begins with. Integers
/// that are offered to a contraction need not be read.
constexpr bool is_float32(const table_view& t, const node& n) {
  bool all = n.out.type == type::float32;
  const int read = offers_integers(n) ? 2 : n.operands;
  for (int k = 0; k < read; ++k) all = all && t.nodes[n.in[k]].out.type == type::float32;
  return all;
}

/// True if the element types of a node are those that its family has: contractions multiply in
/// float32, reductions and windows combine all types but float16 (operators cast it), the others
/// take all.
constexpr bool has_family_types(const table_view& t, const node& n) {
  if (n.kind == family::contract) return is_float32(t, n);
  return (n.kind != family::reduce && n.kind != family::window) ||
         t.nodes[n.in[0]].out.type != type::float16;
}

/// The parts of a policy. Required members are marked in examples/custom_policy. Optional:
/// `owns(table, region)`, true for composite operators that the policy runs as one step; their
/// groups have the kind `compose`, and all the nodes of the expansion as members;
/// `multiplies_integers`, true to be offered integers (see `offers_integers`), with
/// `multiplication(work)`, what binding made of the offer;
/// `takes_halves`, true if contractions read and make float16 where it lies;
/// `most_buffers`, of a group.
template <class P>
concept has_name = requires {
  { P::name } -> std::convertible_to<const char*>;
};
template <class P>
concept declares_memory = requires {
  { P::memory } -> std::convertible_to<sharing>;
};
template <class P>
concept declares_fusion = requires {
  { P::fuses } -> std::convertible_to<bool>;
};
template <class P>
concept declares_support = requires(const table_view& t, const node& n) {
  { P::supports(t, n) } -> std::same_as<bool>;
};
template <class P>
concept measures = requires(const plan_view& p) {
  { P::measure(p, 0) } -> std::same_as<footprint>;
};
template <class P>
concept compiles_programs = requires(program_view p) {
  typename P::function;
  { P::interpreted(p) }
  noexcept->std::same_as<typename P::function>;
};
template <class P>
concept binds_and_runs = requires(typename P::work& w, const binding<typename P::function>& b,
                                  const frame& f) {
  requires std::is_trivially_copyable_v<typename P::work>;
  { P::bind(b, w) }
  noexcept;
  { P::run(w, f) }
  noexcept;
};
template <class P>
concept plannable =
    has_name<P> && declares_memory<P> && declares_fusion<P> && declares_support<P> && measures<P>;
template <class P>
concept backend = plannable<P> && compiles_programs<P> && binds_and_runs<P>;

/// A range of groups: neighbours that one policy runs. `inside`: part of a scan's body that
/// is shared with other policies; run once per step. Otherwise any body in it is complete.
struct group_range {
  int begin = 0, end = 0;
  bool inside = false;
};

/// The ordinary way to run: now, and to the end.
struct waiting {};

/// A policy with a memory of its own. A model holds what is bound to a `context`, the device:
/// kernels and weights; an instance holds a `session`: the device's arena and what was recorded for
/// it. The addresses in the frame of `run` are the host's; the session finds the device's. A
/// session may take other ways to run than `waiting`: `instance::call` hands them on. Graphs with
/// limits: `follow` binds the plan of other extents with the weights of another bound part; `renew`
/// tells a session to run that. `standard()` is the context that is used where a model is given
/// none; `owner()` is the `device` of the views that a session takes beside those of the host, null
/// if there are none.
template <class P>
concept device_backend = plannable<P> &&
    requires(typename P::context& device, typename P::bound& bound, typename P::session& session,
             const plan_view& p, const std::byte* const* weights, const frame& f) {
  { P::standard() }
  noexcept->std::same_as<typename P::context&>;
  { bound.bind(device, p, 0, weights) }
  noexcept->std::same_as<error>;
  { bound.follow(static_cast<const typename P::bound&>(bound), p, 0) }
  noexcept->std::same_as<error>;
  { session.renew(bound) }
  noexcept->std::same_as<void>;
  { session.start(bound, p, 0, f) }
  noexcept->std::same_as<status>;
  { session.run(p, group_range{}, f, waiting{}) }
  noexcept->std::same_as<status>;
  { session.owner() }
  noexcept->std::same_as<const void*>;
};
template <class P>
concept policy = backend<P> || device_backend<P>;
/// A policy whose memory is not the host's has to be a device: its session brings the data there.
template <class P>
concept reaches_memory = device_backend<P> || !declares_memory<P> || P::memory == sharing::same;

}  // namespace tenon
