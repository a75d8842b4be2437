// A bound model: a plan with its weights. Const and shareable between threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/platform.hpp>
#include <tenon/base/view.hpp>
#include <tenon/run/backend.hpp>
#include <tenon/run/scan.hpp>
#include <tenon/view/weights.hpp>
#include <new>

namespace tenon {

/// Stands for a graph that was built at run time: `model<dynamic, cpu>`.
struct dynamic {};

/// Memory that a model or an instance allocates once, aligned for SIMD; empty on failure.
class aligned_memory {
 public:
  aligned_memory() = default;
  explicit aligned_memory(i64 bytes) noexcept { reserve(bytes); }
  /// Once. `data()` stays null when there is no memory, or none was asked for.
  void reserve(i64 bytes) noexcept {
    if (bytes > 0)
      data_ = static_cast<std::byte*>(::operator new (static_cast<std::size_t>(bytes),
                                                      std::align_val_t{arena_align}, std::nothrow));
  }
  aligned_memory(const aligned_memory&) = delete;
  aligned_memory& operator=(const aligned_memory&) = delete;
  ~aligned_memory() {
    if (data_) ::operator delete (data_, std::align_val_t{arena_align});
  }
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
template <class Source>
error weights(const plan_view& p, const Source& source, const std::byte** address) noexcept {
  for (const int i : p.table.weights) {
    const node& n = p.table.nodes[i];
    const name& called = p.table.name_of(n);
    const result<const_view> found = look_up(source, called);
    if (!found.ok()) return found.error();
    const const_view& v = *found;
    if (const status s = fits(v, n.out, 0); !s.ok()) {
      if (s.what == code::element_type) return {s.what, "weight", called, n.out.type, v.type};
      if (s.what == code::size || s.what == code::rank || s.what == code::extent)
        return {s.what, "weight", called, n.out.shape, v.shape};
      return {s.what, "weight", called, s.expected, s.found};
    }
    address[i] = static_cast<const std::byte*>(v.data);
  }
  return {};
}

}  // namespace binding_of

/// What a model holds for one policy: its bound groups and compiled programs, by number.
///
/// For a static graph: members, and programs as constants where the policy offers it.
template <class Plan> struct static_parts {
  template <class P> struct part {
    pool<typename P::work, Plan::groups> works{};
    pool<typename P::function, Plan::sizes.table.programs> functions{};
    typename P::work* work_data() noexcept { return works.item; }
    const typename P::work& work(int g) const noexcept { return works.item[g]; }

    const typename P::function* compile(const plan_view&) noexcept {
      [&]<int... I>(std::integer_sequence<int, I...>) {
        ((functions.item[I] = compiled<I>()), ...);
      }
      (std::make_integer_sequence<int, Plan::sizes.table.programs>{});
      return functions.item;
    }
    template <int I> static constexpr auto constant_program() {
      constexpr range r = Plan::data.table.programs.item[I];
      program<r.size> p;
      for (int i = 0; i < r.size; ++i) p.code[i] = Plan::data.table.code.item[r.begin + i];
      return p;
    }
    template <int I> static constexpr typename P::function compiled() {
      constexpr range r = Plan::data.table.programs.item[I];
      if constexpr (requires { P::template constant<constant_program<I>()>(); })
        return P::template constant<constant_program<I>()>();
      else
        return P::interpreted({Plan::data.table.code.item + r.begin, r.size});
    }
  };
};
/// For a graph built at run time: on the heap, and programs that the policy finds or interprets.
struct dynamic_parts {
  template <class P> struct part {
    sequence<typename P::work> works{};
    sequence<typename P::function> functions{};
    typename P::work* work_data() noexcept { return works.data(); }
    const typename P::work& work(int g) const noexcept { return works[g]; }

    const typename P::function* compile(const plan_view& p) {
      works.resize(p.groups.size);
      functions.clear();
      for (const range& r : p.table.programs)
        functions.push(P::interpreted({p.table.code.data + r.begin, r.size}));
      return functions.data();
    }
  };
};

/// Runs groups in their order, those of a scan's body once for each of its steps: `each(group)`.
template <class Each>
void run_groups(const plan_view& p, const frame& f, const Each& each) noexcept {
  for (int g = 0; g < p.groups.size;) {
    const int loop = p.loop_of(g);
    if (loop < 0) {
      each(g++);
      continue;
    }
    const list<scanning> border = p.table.border_of(loop);
    int end = g;
    while (end < p.groups.size && p.loop_of(end) == loop) ++end;
    for (i64 step = 0; step < border[0].steps; ++step) {
      for (const scanning& s : border) scans::move(p, s, step, f);
      for (int i = g; i < end; ++i) each(i);
    }
    g = end;
  }
}

/// The parts of all policies of a model, by position (a policy may stand there twice).
template <class Parts, class Positions, class... Policies> struct policy_set;
template <class Parts, std::size_t I, class P> struct positioned : Parts::template part<P> {};
template <class Parts, std::size_t... I, class... Policies>
struct policy_set<Parts, std::index_sequence<I...>, Policies...>
    : positioned<Parts, I, Policies>... {
  /// `packs`: whether the weights are to be packed, or were already.
  void bind(const plan_view& p, const std::byte* const* address, std::byte* packed,
            std::byte* bound, bool packs = true) {
    (bind_one<Policies>(*static_cast<positioned<Parts, I, Policies>*>(this), static_cast<int>(I), p,
                        address, packed, bound, packs),
     ...);
  }
  void run(const plan_view& p, const frame& f) const noexcept {
    run_groups(p, f, [&](int g) {
      ((p.groups[g].place == static_cast<int>(I)
            ? Policies::run(static_cast<const positioned<Parts, I, Policies>*>(this)->work(g), f)
            : void()),
       ...);
    });
  }
  /// What policies with `multiplication` made of the offer of integers to group `g`.
  multiplied multiplication(const plan_view& p, int g) const noexcept {
    multiplied how = multiplied::nothing;
    ((p.groups[g].place == static_cast<int>(I)
          ? void(how = how_of<Policies>(
                     static_cast<const positioned<Parts, I, Policies>*>(this)->work(g)))
          : void()),
     ...);
    return how;
  }

 private:
  template <class P> static multiplied how_of(const typename P::work& w) noexcept {
    if constexpr (requires { P::multiplication(w); })
      return P::multiplication(w);
    else
      return multiplied::nothing;
  }
  template <class P, class Part>
  static void bind_one(Part& own, int place, const plan_view& p, const std::byte* const* address,
                       std::byte* packed, std::byte* bound, bool packs) {
    const typename P::function* functions = own.compile(p);
    for (int g = 0; g < p.groups.size; ++g)
      if (p.groups[g].place == place)
        P::bind({&p, g, address, packed ? packed + p.packed_offset[g] : nullptr,
                 bound ? bound + p.bound_offset[g] : nullptr, functions, packs},
                own.work_data()[g]);
  }
};

/// A static graph on a list of policies, bound to weights.
///
/// Binding checks all weights and packs those whose policy wants them packed; the others are read in
/// place, so the weights' memory must outlive the model. Error: see `fault()`; nothing is executed
/// with an unbound model (code::unbound). A model does not move: instances refer to it.
template <class Graph, class... Policies> class model {
  static_assert(
      (backend<Policies> && ...),
      "model: a policy lacks a required member; see the concepts in tenon/run/backend.hpp");
  static_assert(((Policies::memory == sharing::same) && ...),
                "model: this release runs policies that work in the caller's memory");

 public:
  using plan_type = plan<Graph, Policies...>;
  static constexpr bool is_static = true;
  /// Views of a call; states are not among them.
  static constexpr int inputs = plan_type::view().table.call_inputs(),
                       outputs = plan_type::view().table.call_outputs();
  using policies_type = policy_set<static_parts<plan_type>,
                                   std::make_index_sequence<sizeof...(Policies)>, Policies...>;

  template <weight_source Source> explicit model(const Source& source) noexcept
      : packed_(plan_type::packed_bytes), bound_(plan_type::bound_bytes) {
    fault_ = binding_of::weights(plan_, source, address_.item);
    if (fault_.ok() && plan_type::packed_bytes > 0 && packed_.data() == nullptr)
      fault_ = {code::memory, "model", "packed weights", plan_type::packed_bytes, i64{0}};
    if (fault_.ok() && plan_type::bound_bytes > 0 && bound_.data() == nullptr)
      fault_ = {code::memory, "model", "bound groups", plan_type::bound_bytes, i64{0}};
    if (fault_.ok()) policies_.bind(plan_, address_.item, packed_.data(), bound_.data());
  }
  /// A graph without weights.
  model() noexcept : model(weights<0>{}) {}
  model(const model&) = delete;
  model& operator=(const model&) = delete;

  /// Why binding failed; ok() if it did not.
  const error& fault() const noexcept { return fault_; }
  const plan_view& plan_of() const noexcept { return plan_; }
  const std::byte* const* weight_addresses() const noexcept { return address_.item; }
  std::byte* packed_weights() const noexcept { return packed_.data(); }
  void run(const frame& f) const noexcept { policies_.run(plan_, f); }
  /// Whether group `g`, a contraction of dequantized numbers, multiplies integers, or why not.
  multiplied multiplication(int g) const noexcept { return policies_.multiplication(plan_, g); }

 private:
  plan_view plan_ = plan_type::view();
  error fault_{};
  pool<const std::byte*, plan_type::sizes.table.nodes> address_{};
  policies_type policies_{};
  std::conditional_t<(plan_type::packed_bytes > 0), aligned_memory, no_memory> packed_;
  std::conditional_t<(plan_type::bound_bytes > 0), aligned_memory, no_memory> bound_;
};

/// A graph that was built at run time on a list of policies. It owns its plan.
template <class... Policies> class model<dynamic, Policies...> {
  static_assert(
      (backend<Policies> && ...),
      "model: a policy lacks a required member; see the concepts in tenon/run/backend.hpp");
  static_assert(((Policies::memory == sharing::same) && ...),
                "model: this release runs policies that work in the caller's memory");

 public:
  static constexpr bool is_static = false;
  using policies_type =
      policy_set<dynamic_parts, std::make_index_sequence<sizeof...(Policies)>, Policies...>;

  /// Error: see `fault()`: what planning and binding refuse; memory.
  template <weight_source Source> model(const table& graph, const Source& source) noexcept
      : model(graph.view(), source) {}
  template <weight_source Source> model(const table_view& graph, const Source& source) noexcept {
    fault_ = platform::guarded([&] { return start(graph, source); },
                               [] {
                                 return error{code::memory, "model", "plan", {}, {}};
                               });
  }
  model(const model&) = delete;
  model& operator=(const model&) = delete;

  const error& fault() const noexcept { return fault_; }
  const plan_view& plan_of() const noexcept { return plan_; }
  const std::byte* const* weight_addresses() const noexcept { return address_.data(); }
  std::byte* packed_weights() const noexcept { return packed_.data(); }
  void run(const frame& f) const noexcept { policies_.run(plan_, f); }
  /// Whether group `g`, a contraction of dequantized numbers, multiplies integers, or why not.
  multiplied multiplication(int g) const noexcept { return policies_.multiplication(plan_, g); }

 private:
  template <class Source> error start(const table_view& graph, const Source& source) {
    const policy_facts facts[] = {facts_of<Policies>()...};
    result<owned_plan> made = make_plan(graph, {facts, sizeof...(Policies)});
    if (!made.ok()) return made.error();
    owned_ = static_cast<owned_plan&&>(*made);
    if (graph.bounds.size > 0) owned_.source = copy_of(graph);
    plan_ = owned_.view();
    address_.resize(plan_.table.nodes.size);
    if (const error e = binding_of::weights(plan_, source, address_.data()); !e.ok()) return e;
    packed_.reserve(plan_.packed_bytes);
    if (plan_.packed_bytes > 0 && packed_.data() == nullptr)
      return {code::memory, "model", "packed weights", plan_.packed_bytes, i64{0}};
    bound_.reserve(plan_.bound_bytes);
    if (plan_.bound_bytes > 0 && bound_.data() == nullptr)
      return {code::memory, "model", "bound groups", plan_.bound_bytes, i64{0}};
    policies_.bind(plan_, address_.data(), packed_.data(), bound_.data());
    return {};
  }

  owned_plan owned_;
  plan_view plan_;
  error fault_{};
  sequence<const std::byte*> address_;
  policies_type policies_{};
  aligned_memory packed_, bound_;
};

}  // namespace tenon
