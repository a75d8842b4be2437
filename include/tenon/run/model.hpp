// A bound model: a plan with its weights. Const and shareable between threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/platform.hpp>
#include <tenon/base/view.hpp>
#include <tenon/load/weights.hpp>
#include <tenon/policy/policy.hpp>
#include <tenon/policy/steps.hpp>
#include <tenon/run/planned.hpp>
#include <new>
#include <tuple>

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
/// Memory inside of the object that has it, known when it is compiled.
template <i64 Bytes> struct memory_inside {
  memory_inside() = default;
  explicit memory_inside(i64) noexcept {}
  static void reserve(i64) noexcept {}
  std::byte* data() noexcept { return bytes; }
  alignas(arena_align) std::byte bytes[Bytes > 0 ? Bytes : 1];
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

/// The devices of a model's policies, by position: those given, in the order of the policies that
/// have one, or each policy's standard one.
template <class... Policies> class device_list {
  template <class P> static constexpr bool is_device = device_backend<P>;
  template <class P> struct context_of { using type = std::tuple<>; };
  template <device_backend P> struct context_of<P> {
    using type = std::tuple<typename P::context*>;
  };
  using wanted = decltype(std::tuple_cat(typename context_of<Policies>::type{}...));

 public:
  template <class... C> explicit device_list(C&... given) noexcept {
    static_assert(
        sizeof...(C) == 0 || std::same_as<std::tuple<C*...>, wanted>,
        "model: give one context for each policy that runs on a device, in the order of the "
        "policies, or none");
    void* all[] = {static_cast<void*>(&given)..., nullptr};
    int position = 0, next = 0;
    ((at_[position++] =
          is_device<Policies> ? (sizeof...(C) > 0 ? all[next++] : standard<Policies>()) : nullptr),
     ...);
  }
  template <class P> typename P::context& context(int position) const noexcept {
    return *static_cast<typename P::context*>(at_[position]);
  }

 private:
  template <class P> static void* standard() noexcept {
    if constexpr (device_backend<P>)
      return &P::standard();
    else
      return nullptr;
  }
  void* at_[sizeof...(Policies)]{};
};

/// The parts of all policies of a model, by position (a policy may stand there twice).
template <class Parts, class Positions, class... Policies> struct policy_set;
template <class Parts, std::size_t I, class P> struct positioned : Parts::template part<P> {};
template <class Parts, std::size_t I, device_backend P> struct positioned<Parts, I, P> : P::bound {
};
/// What an instance has of its own for each policy.
template <std::size_t I, class P> struct positioned_session {};
template <std::size_t I, device_backend P> struct positioned_session<I, P> : P::session {};

template <class Parts, std::size_t... I, class... Policies>
struct policy_set<Parts, std::index_sequence<I...>, Policies...>
    : positioned<Parts, I, Policies>... {
  struct sessions : positioned_session<I, Policies>... {};
  using devices = device_list<Policies...>;
  static constexpr bool has_devices = (device_backend<Policies> || ...);

  /// Whether a policy takes views of a device's memory, or those of the host alone.
  static bool takes(const sessions& own, int place, const void* space) noexcept {
    bool taken = false;
    const auto one = [&]<std::size_t N, class P>() {
      if constexpr (device_backend<P>)
        taken = taken || (place == static_cast<int>(N) &&
                          static_cast<const positioned_session<N, P>&>(own).space() == space);
    };
    (one.template operator()<I, Policies>(), ...);
    return taken;
  }

  /// Packed weights go to `weights_at`, bound forms to `forms_at`. Error: what a device refuses.
  error bind(const plan_view& p, const std::byte* const* address, std::byte* weights_at,
             std::byte* forms_at, const devices& all) noexcept {
    error bad;
    const auto one = [&]<std::size_t N, class P>() {
      if constexpr (device_backend<P>)
        bad = static_cast<positioned<Parts, N, P>&>(*this).bind(
            all.template context<P>(static_cast<int>(N)), p, static_cast<int>(N), address);
      else
        bind_host<N, P>(p, address, weights_at, forms_at, true);
    };
    ((bad.ok() ? one.template operator()<I, Policies>() : void()), ...);
    return bad;
  }
  /// The same for other extents of the graph that `bounds` is bound to, for the session of one
  /// instance.
  error bind(const plan_view& p, const std::byte* const* address, const policy_set& bounds,
             std::byte* weights_at, std::byte* forms_at) noexcept {
    error bad;
    const auto one = [&]<std::size_t N, class P>() {
      if constexpr (device_backend<P>)
        bad = static_cast<positioned<Parts, N, P>&>(*this).follow(bounds.template part<N, P>(), p,
                                                                  static_cast<int>(N));
      else
        bind_host<N, P>(p, address, weights_at, forms_at, false);
    };
    ((bad.ok() ? one.template operator()<I, Policies>() : void()), ...);
    return bad;
  }
  /// Lets sessions know what they run from now on.
  void renew(sessions& own) const noexcept {
    const auto one = [&]<std::size_t N, class P>() {
      if constexpr (device_backend<P>)
        static_cast<positioned_session<N, P>&>(own).renew(part<N, P>());
    };
    (one.template operator()<I, Policies>(), ...);
  }
  /// `host` has the host's arena.
  status start(sessions& own, const plan_view& p, const frame& host) const noexcept {
    status bad;
    const auto one = [&]<std::size_t N, class P>() {
      if constexpr (device_backend<P>)
        bad = static_cast<positioned_session<N, P>&>(own).start(part<N, P>(), p, N, host);
    };
    ((bad.ok() ? one.template operator()<I, Policies>() : void()), ...);
    return bad;
  }
  template <class Way>
  status run(const plan_view& p, const frame& f, sessions& own, const Way& way) const noexcept {
    const auto each = [&](const group_run& r) noexcept {
      status s;
      ((p.groups[r.begin].place == static_cast<int>(I)
            ? void(s = run_one<I, Policies>(p, r, f, own, way))
            : void()),
       ...);
      return s;
    };
    if constexpr (sizeof...(Policies) == 1)
      return p.groups.size > 0 ? each(group_run{0, p.groups.size, false}) : status{};
    else
      return scans::cut_into_runs(p, f, each);
  }
  /// What policies with `multiplication` made of the offer of integers to group `g`.
  multiplied multiplication(const plan_view& p, int g) const noexcept {
    multiplied how = multiplied::nothing;
    ((p.groups[g].place == static_cast<int>(I) ? void(how = how_of<I, Policies>(g)) : void()), ...);
    return how;
  }

 private:
  template <std::size_t N, class P> const positioned<Parts, N, P>& part() const noexcept {
    return *this;
  }
  template <std::size_t N, class P> multiplied how_of(int g) const noexcept {
    if constexpr (requires(const typename P::work& w) { P::multiplication(w); })
      return P::multiplication(part<N, P>().work(g));
    else
      return multiplied::nothing;
  }
  template <std::size_t N, class P, class Way>
  status run_one(const plan_view& p, const group_run& r, const frame& f, sessions& own,
                 const Way& way) const noexcept {
    if constexpr (device_backend<P>) {
      return static_cast<positioned_session<N, P>&>(own).run(p, r, f, way);
    } else if constexpr (!std::same_as<Way, waiting>) {
      return {code::place, -1, 0, p.groups[r.begin].place};
    } else {
      scans::run_groups(p, r, f, [&](int g, bool, bool) { P::run(part<N, P>().work(g), f); });
      return {};
    }
  }
  template <std::size_t N, class P>
  void bind_host(const plan_view& p, const std::byte* const* address, std::byte* weights_at,
                 std::byte* forms_at, bool packs) noexcept {
    positioned<Parts, N, P>& own = *this;
    const typename P::function* compiled = own.compile(p);
    for (int g = 0; g < p.groups.size; ++g)
      if (p.groups[g].place == static_cast<int>(N))
        P::bind({&p, g, address, weights_at ? weights_at + p.packed_offset[g] : nullptr,
                 forms_at ? forms_at + p.bound_offset[g] : nullptr, compiled, packs},
                own.work_data()[g]);
  }
};

/// A static graph on a list of policies, bound to weights.
///
/// Binding checks all weights and packs those whose policy wants them packed; the others are read
/// in place, so the weights' memory must outlive the model. Error: see `fault()`; nothing is
/// executed with an unbound model (code::unbound). A model does not move: instances refer to it.
/// Policies that run on a device take a context each, behind the weights; without one they share a
/// standard context.
template <class Graph, class... Policies> class model {
  static_assert(
      (policy<Policies> && ...),
      "model: a policy lacks a required member; see the concepts in tenon/policy/policy.hpp");
  static_assert((reaches_memory<Policies> && ...),
                "model: a policy with another memory than the caller's must be a device_backend, "
                "with a context, a bound part and a session; see tenon/policy/policy.hpp");

 public:
  using plan_type = plan<Graph, Policies...>;
  static constexpr bool is_static = true;
  /// Views of a call; states are not among them.
  static constexpr int inputs = plan_type::view().table.call_inputs(),
                       outputs = plan_type::view().table.call_outputs();
  using policies_type = policy_set<static_parts<plan_type>,
                                   std::make_index_sequence<sizeof...(Policies)>, Policies...>;

  using devices = typename policies_type::devices;
  using sessions = typename policies_type::sessions;

  template <weight_source Source, class... Context>
  explicit model(const Source& source, Context&... contexts) noexcept
      : packed_(plan_type::packed_bytes), bound_(plan_type::bound_bytes) {
    fault_ = binding_of::weights(plan_, source, address_.item);
    if (fault_.ok() && plan_type::packed_bytes > 0 && packed_.data() == nullptr)
      fault_ = {code::memory, "model", "packed weights", plan_type::packed_bytes, i64{0}};
    if (fault_.ok() && plan_type::bound_bytes > 0 && bound_.data() == nullptr)
      fault_ = {code::memory, "model", "bound groups", plan_type::bound_bytes, i64{0}};
    if (fault_.ok())
      fault_ =
          policies_.bind(plan_, address_.item, packed_.data(), bound_.data(), devices(contexts...));
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
  const policies_type& policies() const noexcept { return policies_; }
  status start(sessions& own, const frame& host) const noexcept {
    return policies_.start(own, plan_, host);
  }
  template <class Way> status run(const frame& f, sessions& own, const Way& way) const noexcept {
    return policies_.run(plan_, f, own, way);
  }
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
      (policy<Policies> && ...),
      "model: a policy lacks a required member; see the concepts in tenon/policy/policy.hpp");
  static_assert((reaches_memory<Policies> && ...),
                "model: a policy with another memory than the caller's must be a device_backend, "
                "with a context, a bound part and a session; see tenon/policy/policy.hpp");

 public:
  static constexpr bool is_static = false;
  using policies_type =
      policy_set<dynamic_parts, std::make_index_sequence<sizeof...(Policies)>, Policies...>;
  using devices = typename policies_type::devices;
  using sessions = typename policies_type::sessions;

  /// Error: see `fault()`: what planning and binding refuse; memory.
  template <weight_source Source, class... Context>
  model(const table& graph, const Source& source, Context&... contexts) noexcept
      : model(graph.view(), source, contexts...) {}
  template <weight_source Source, class... Context>
  model(const table_view& graph, const Source& source, Context&... contexts) noexcept {
    fault_ = platform::guarded([&] { return start(graph, source, devices(contexts...)); },
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
  const policies_type& policies() const noexcept { return policies_; }
  status start(sessions& own, const frame& host) const noexcept {
    return policies_.start(own, plan_, host);
  }
  template <class Way> status run(const frame& f, sessions& own, const Way& way) const noexcept {
    return policies_.run(plan_, f, own, way);
  }
  /// Whether group `g`, a contraction of dequantized numbers, multiplies integers, or why not.
  multiplied multiplication(int g) const noexcept { return policies_.multiplication(plan_, g); }

 private:
  template <class Source>
  error start(const table_view& graph, const Source& source, const devices& all) {
    result<owned_plan> made = plan_for<Policies...>(graph);
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
    return policies_.bind(plan_, address_.data(), packed_.data(), bound_.data(), all);
  }

  owned_plan owned_;
  plan_view plan_;
  error fault_{};
  sequence<const std::byte*> address_;
  policies_type policies_{};
  aligned_memory packed_, bound_;
};

}  // namespace tenon
