// A bound model: a plan with its weights. Const and shareable between threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/platform.hpp>
#include <tenon/base/view.hpp>
#include <tenon/load/weights.hpp>
#include <tenon/run/parts.hpp>
#include <tenon/run/planned.hpp>

namespace tenon {

/// Stands for a graph that was built at run time: `model<dynamic, cpu>`.
struct dynamic {};

namespace binding_of {

/// Finds and checks every weight of a plan. Error: missing, and what `fits` refuses.
template <class Source>
error weights(const plan_view& p, const Source& source, const std::byte** address) noexcept {
  for (const int i : p.table.weights) {
    const node& n = p.table.nodes[i];
    const name& label = p.table.name_of(n);
    const result<const_view> weight = look_up(source, label);
    if (!weight.ok()) return weight.error();
    const const_view& v = *weight;
    if (const status s = fits(v, n.out, 0); !s.ok()) {
      if (s.what == code::element_type) return {s.what, "weight", label, n.out.type, v.type};
      if (s.what == code::size || s.what == code::rank || s.what == code::extent)
        return {s.what, "weight", label, n.out.shape, v.shape};
      return {s.what, "weight", label, s.expected, s.found};
    }
    address[i] = static_cast<const std::byte*>(v.data);
  }
  return {};
}

}  // namespace binding_of

/// A plan, and what its policies bound for it: what all models have.
template <class Storage, class... Policies> class bound_plan {
  static_assert(
      (policy<Policies> && ...),
      "model: a policy lacks a required member; see the concepts in tenon/policy/policy.hpp");
  static_assert((reaches_memory<Policies> && ...),
                "model: a policy with another memory than the caller's must be a device_backend, "
                "with a context, a bound part and a session; see tenon/policy/policy.hpp");

 public:
  using policies_type =
      policy_set<Storage, std::make_index_sequence<sizeof...(Policies)>, Policies...>;
  using devices = typename policies_type::devices;
  using sessions = typename policies_type::sessions;

  bound_plan(const bound_plan&) = delete;
  bound_plan& operator=(const bound_plan&) = delete;

  /// Why binding failed; ok() if it did not.
  const error& fault() const noexcept { return fault_; }
  const plan_view& plan_of() const noexcept { return plan_; }
  const std::byte* const* weight_addresses() const noexcept { return address_.data(); }
  std::byte* packed_weights() const noexcept { return packed_.data(); }
  const policies_type& policies() const noexcept { return policies_; }
  status start(sessions& all, const frame& host) const noexcept {
    return policies_.start(all, plan_, host);
  }
  template <class Way> status run(const frame& f, sessions& all, const Way& way) const noexcept {
    return policies_.run(plan_, f, all, way);
  }
  /// Whether group `g`, a contraction of dequantized numbers, multiplies integers, or why not.
  multiplied multiplication(int g) const noexcept { return policies_.multiplication(plan_, g); }

 protected:
  bound_plan() = default;
  ~bound_plan() = default;

  /// Once. Error: what `binding_of::weights` and devices refuse; memory.
  template <class Source>
  error bind(const plan_view& planned, const Source& source, const devices& all) {
    plan_ = planned;
    const plan_view& p = plan_;  // steps keep its address
    address_.resize(p.table.nodes.size);
    if (const error e = binding_of::weights(p, source, address_.data()); !e.ok()) return e;
    packed_.reserve(p.packed_bytes);
    if (p.packed_bytes > 0 && packed_.data() == nullptr)
      return {code::memory, "model", "packed weights", p.packed_bytes, i64{0}};
    bound_.reserve(p.bound_bytes);
    if (p.bound_bytes > 0 && bound_.data() == nullptr)
      return {code::memory, "model", "bound groups", p.bound_bytes, i64{0}};
    return policies_.bind(p, {address_.data(), packed_.data(), bound_.data()}, all);
  }

  plan_view plan_{};
  error fault_{};

 private:
  typename Storage::addresses address_{};
  policies_type policies_{};
  typename Storage::packed_memory packed_{};
  typename Storage::bound_memory bound_{};
};

/// A static graph on a list of policies, bound to weights.
///
/// Binding checks all weights and packs those whose policy wants them packed; the others are read
/// in place, so the weights' memory must outlive the model. Error: see `fault()`; nothing is
/// executed with an unbound model (code::unbound). A model does not move: instances refer to it.
/// Policies that run on a device take a context each, behind the weights; without one they share a
/// standard context.
template <class Graph, class... Policies> class model
    : public bound_plan<static_storage<plan<Graph, Policies...>>, Policies...> {
 public:
  using plan_type = plan<Graph, Policies...>;
  static constexpr bool is_static = true;
  /// Views of a call; states are not among them.
  static constexpr int inputs = plan_type::view().table.call_inputs(),
                       outputs = plan_type::view().table.call_outputs();

  template <weight_source Source, class... Context>
  explicit model(const Source& source, Context&... contexts) noexcept {
    this->fault_ = this->bind(plan_type::view(), source, typename model::devices(contexts...));
  }
  /// A graph without weights.
  model() noexcept : model(weights<0>{}) {}
};

/// A graph that was built at run time on a list of policies. It owns its plan.
template <class... Policies> class model<dynamic, Policies...>
    : public bound_plan<dynamic_storage, Policies...> {
 public:
  static constexpr bool is_static = false;

  /// Error: see `fault()`: what planning and binding refuse; memory.
  template <weight_source Source, class... Context>
  model(const table& graph, const Source& source, Context&... contexts) noexcept
      : model(graph.view(), source, contexts...) {}
  template <weight_source Source, class... Context>
  model(const table_view& graph, const Source& source, Context&... contexts) noexcept {
    const typename model::devices all(contexts...);
    this->fault_ = platform::guarded([&] { return make(graph, source, all); },
                                     [] {
                                       return error{code::memory, "model", "plan", {}, {}};
                                     });
  }

 private:
  template <class Source>
  error make(const table_view& graph, const Source& source, const typename model::devices& all) {
    result<owned_plan> planned = plan_for<Policies...>(graph);
    if (!planned.ok()) return planned.error();
    owned_ = static_cast<owned_plan&&>(*planned);
    if (graph.limits.size > 0) owned_.source = copy_of(graph);
    return this->bind(owned_.view(), source, all);
  }

  owned_plan owned_;
};

}  // namespace tenon
