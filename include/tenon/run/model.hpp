// A bound model: a plan with its weights. Const and shareable between threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <tenon/run/backend.hpp>
#include <tenon/view/weights.hpp>
#include <new>

namespace tenon {

/// Stands for a graph that was built at run time: `model<dynamic, cpu>`.
struct dynamic {};

/// Memory that a model or an instance allocates once, aligned for SIMD; empty on failure.
class aligned_memory {
 public:
  aligned_memory() = default;
  explicit aligned_memory(i64 bytes) noexcept
      : data_(bytes <= 0 ? nullptr
                         : static_cast<std::byte*>(::operator new(static_cast<std::size_t>(bytes), std::align_val_t{arena_align}, std::nothrow))) {}
  aligned_memory(const aligned_memory&) = delete;
  aligned_memory& operator=(const aligned_memory&) = delete;
  ~aligned_memory() { if (data_) ::operator delete(data_, std::align_val_t{arena_align}); }
  std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_ = nullptr;
};
struct no_memory {
  explicit no_memory(i64) noexcept {}
  static std::byte* data() noexcept { return nullptr; }
};

namespace binding_of {

/// Finds and checks every weight of a plan. Error: missing, and what `fits` refuses.
template <class Source> error weights(const plan_view& p, const Source& source, const std::byte** address) noexcept {
  for (const int i : p.table.weights) {
    const node& n = p.table.nodes[i];
    const name& called = p.table.name_of(n);
    const result<const_view> found = look_up(source, called);
    if (!found.ok()) return found.error();
    const const_view& v = *found;
    if (const status s = fits(v, n.out, 0); !s.ok()) {
      if (s.what == code::element_type) return {s.what, "weight", called, n.out.type, v.type};
      if (s.what == code::size || s.what == code::rank || s.what == code::extent) return {s.what, "weight", called, n.out.shape, v.shape};
      return {s.what, "weight", called, s.expected, s.found};
    }
    address[i] = static_cast<const std::byte*>(v.data);
  }
  return {};
}

/// The works of one policy, by group; groups of other policies stay empty.
template <class P, class Function>
void groups(const plan_view& p, int place, const std::byte* const* address, std::byte* packed,
            const Function* functions, typename P::work* works) noexcept {
  for (int g = 0; g < p.groups.size; ++g) {
    if (p.groups[g].place != place) continue;
    P::bind({&p, g, address, packed ? packed + p.packed_offset[g] : nullptr, functions}, works[g]);
  }
}

}  // namespace binding_of

namespace passes {
/// The compiled programs of a static graph for one policy: constants where the policy offers it.
template <class P, class Plan> struct functions_of {
  static constexpr int count = Plan::sizes.table.programs;
  template <int I> static constexpr auto constant_program() {
    constexpr range r = Plan::data.table.programs.item[I];
    program<r.size> p;
    for (int i = 0; i < r.size; ++i) p.code[i] = Plan::data.table.code.item[r.begin + i];
    return p;
  }
  template <int I> static constexpr typename P::function one() {
    if constexpr (requires { P::template constant<constant_program<I>()>(); })
      return P::template constant<constant_program<I>()>();
    else
      return P::interpreted({Plan::data.table.code.item + Plan::data.table.programs.item[I].begin,
                             Plan::data.table.programs.item[I].size});
  }
  static void fill(typename P::function* out) noexcept {
    [&]<int... I>(std::integer_sequence<int, I...>) { ((out[I] = one<I>()), ...); }
    (std::make_integer_sequence<int, count>{});
  }
};
}  // namespace passes

/// A static graph on a list of policies, bound to weights.
///
/// Binding checks all weights and packs those whose policy wants them packed; the others are read in
/// place, so the weights' memory must outlive the model. Error: see `fault()`; nothing is executed
/// with an unbound model (code::unbound). A model does not move: instances refer to it.
template <class Graph, class... Policies> class model {
  static_assert((backend<Policies> && ...), "model: a policy lacks a required member; see the concepts in tenon/run/backend.hpp");
  static_assert(((Policies::memory == sharing::same) && ...), "model: this release runs policies that work in the caller's memory");

 public:
  using plan_type = plan<Graph, Policies...>;
  static constexpr bool is_static = true;
  static constexpr int inputs = plan_type::sizes.table.inputs, outputs = plan_type::sizes.table.outputs;

  template <weight_source Source> explicit model(const Source& source) noexcept : packed_(plan_type::packed_bytes) {
    fault_ = binding_of::weights(plan_, source, address_.item);
    if (!fault_.ok()) return;
    if (plan_type::packed_bytes > 0 && packed_.data() == nullptr) {
      fault_ = {code::memory, "model", "packed weights", plan_type::packed_bytes, i64{0}};
      return;
    }
    bind_all(std::make_index_sequence<sizeof...(Policies)>{});
  }
  /// A graph without weights.
  model() noexcept : model(weights<0>{}) {}
  model(const model&) = delete;
  model& operator=(const model&) = delete;

  /// Why binding failed; ok() if it did not.
  const error& fault() const noexcept { return fault_; }
  const plan_view& plan_of() const noexcept { return plan_; }
  const std::byte* const* weight_addresses() const noexcept { return address_.item; }

  void run(const frame& f) const noexcept {
    for (int g = 0; g < plan_.groups.size; ++g)
      run_group(g, f, std::make_index_sequence<sizeof...(Policies)>{});
  }

 private:
  static constexpr int groups = plan_type::groups;
  template <class P> struct part {
    pool<typename P::work, groups> works{};
    pool<typename P::function, plan_type::sizes.table.programs> functions{};
  };
  template <std::size_t I, class P> struct indexed : part<P> {};
  template <class I> struct parts;
  template <std::size_t... I> struct parts<std::index_sequence<I...>> : indexed<I, Policies>... {};
  template <std::size_t I, class P> static indexed<I, P>& at(indexed<I, P>& x) { return x; }
  template <std::size_t I, class P> static const indexed<I, P>& at(const indexed<I, P>& x) { return x; }

  template <std::size_t... I> void bind_all(std::index_sequence<I...>) noexcept { (bind_one<I, Policies>(), ...); }
  template <std::size_t I, class P> void bind_one() noexcept {
    part<P>& own = at<I, P>(parts_);
    passes::functions_of<P, plan_type>::fill(own.functions.item);
    binding_of::groups<P>(plan_, static_cast<int>(I), address_.item, packed_.data(), own.functions.item, own.works.item);
  }
  template <std::size_t... I> void run_group(int g, const frame& f, std::index_sequence<I...>) const noexcept {
    const group& own = plan_.groups[g];
    ((own.place == static_cast<int>(I) ? Policies::run(at<I, Policies>(parts_).works.item[g], f) : void()), ...);
  }

  plan_view plan_ = plan_type::view();
  error fault_{};
  pool<const std::byte*, plan_type::sizes.table.nodes> address_{};
  parts<std::make_index_sequence<sizeof...(Policies)>> parts_{};
  std::conditional_t<(plan_type::packed_bytes > 0), aligned_memory, no_memory> packed_;
};

/// A graph that was built at run time on a list of policies. It owns its plan.
template <class... Policies> class model<dynamic, Policies...> {
  static_assert((backend<Policies> && ...), "model: a policy lacks a required member; see the concepts in tenon/run/backend.hpp");
  static_assert(((Policies::memory == sharing::same) && ...), "model: this release runs policies that work in the caller's memory");

 public:
  static constexpr bool is_static = false;

  /// Error: see `fault()`: what planning and binding refuse.
  template <weight_source Source> model(const table& graph, const Source& source) noexcept : model(graph.view(), source) {}
  template <weight_source Source> model(const table_view& graph, const Source& source) noexcept
      : made_(make(graph)), plan_(made_->view()), packed_(plan_.packed_bytes) {
    fault_ = made_.error();
    if (!fault_.ok()) return;
    address_.resize(plan_.table.nodes.size);
    fault_ = binding_of::weights(plan_, source, address_.data());
    if (fault_.ok() && plan_.packed_bytes > 0 && packed_.data() == nullptr)
      fault_ = {code::memory, "model", "packed weights", plan_.packed_bytes, i64{0}};
    if (fault_.ok()) bind_all(std::make_index_sequence<sizeof...(Policies)>{});
  }
  model(const model&) = delete;
  model& operator=(const model&) = delete;

  const error& fault() const noexcept { return fault_; }
  const plan_view& plan_of() const noexcept { return plan_; }
  const std::byte* const* weight_addresses() const noexcept { return address_.data(); }

  void run(const frame& f) const noexcept {
    for (int g = 0; g < plan_.groups.size; ++g)
      run_group(g, f, std::make_index_sequence<sizeof...(Policies)>{});
  }

 private:
  static result<owned_plan> make(const table_view& t) noexcept {
    const policy_facts facts[] = {facts_of<Policies>()...};
    return make_plan(t, {facts, sizeof...(Policies)});
  }
  template <class P> struct part {
    sequence<typename P::work> works;
    sequence<typename P::function> functions;
  };
  template <std::size_t I, class P> struct indexed : part<P> {};
  template <class I> struct parts;
  template <std::size_t... I> struct parts<std::index_sequence<I...>> : indexed<I, Policies>... {};
  template <std::size_t I, class P> static indexed<I, P>& at(indexed<I, P>& x) { return x; }
  template <std::size_t I, class P> static const indexed<I, P>& at(const indexed<I, P>& x) { return x; }

  template <std::size_t... I> void bind_all(std::index_sequence<I...>) noexcept { (bind_one<I, Policies>(), ...); }
  template <std::size_t I, class P> void bind_one() noexcept {
    part<P>& own = at<I, P>(parts_);
    own.works.resize(plan_.groups.size);
    for (const range& r : plan_.table.programs) own.functions.push(P::interpreted({plan_.table.code.data + r.begin, r.size}));
    binding_of::groups<P>(plan_, static_cast<int>(I), address_.data(), packed_.data(), own.functions.data(), own.works.data());
  }
  template <std::size_t... I> void run_group(int g, const frame& f, std::index_sequence<I...>) const noexcept {
    const group& own = plan_.groups[g];
    ((own.place == static_cast<int>(I) ? Policies::run(at<I, Policies>(parts_).works[g], f) : void()), ...);
  }

  result<owned_plan> made_;
  plan_view plan_;
  error fault_{};
  sequence<const std::byte*> address_;
  parts<std::make_index_sequence<sizeof...(Policies)>> parts_{};
  aligned_memory packed_;
};

}  // namespace tenon
