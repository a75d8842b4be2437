// What a model holds for its policies: one part for each, on the host or on a device.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/policy.hpp>
#include <tenon/policy/steps.hpp>
#include <tenon/run/memory.hpp>
#include <tuple>

namespace tenon {

/// What a model of a static graph keeps its plan's results in: members, and programs as constants
/// where the policy offers it.
template <class Plan> struct static_storage {
  class addresses {
   public:
    static void resize(int) noexcept {}
    const std::byte** data() noexcept { return nodes_.item; }
    const std::byte* const* data() const noexcept { return nodes_.item; }

   private:
    pool<const std::byte*, Plan::sizes.table.nodes> nodes_{};
  };
  using packed_memory = std::conditional_t<(Plan::packed_bytes > 0), aligned_memory, no_memory>;
  using bound_memory = std::conditional_t<(Plan::bound_bytes > 0), aligned_memory, no_memory>;

  /// For a policy on the host: its bound groups and compiled programs, by number.
  template <class P> class host_part {
   public:
    typename P::work* work_data() noexcept { return works_.item; }
    const typename P::work& work(int g) const noexcept { return works_.item[g]; }

    const typename P::function* compile(const plan_view&) noexcept {
      [&]<int... I>(std::integer_sequence<int, I...>) {
        ((functions_.item[I] = compiled<I>()), ...);
      }
      (std::make_integer_sequence<int, Plan::sizes.table.programs>{});
      return functions_.item;
    }

   private:
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

    pool<typename P::work, Plan::groups> works_{};
    pool<typename P::function, Plan::sizes.table.programs> functions_{};
  };
};
/// For a graph built at run time: on the heap, and programs that the policy finds or interprets.
struct dynamic_storage {
  using addresses = sequence<const std::byte*>;
  using packed_memory = aligned_memory;
  using bound_memory = aligned_memory;

  template <class P> class host_part {
   public:
    typename P::work* work_data() noexcept { return works_.data(); }
    const typename P::work& work(int g) const noexcept { return works_[g]; }

    const typename P::function* compile(const plan_view& p) {
      works_.resize(p.groups.size);
      functions_.clear();
      for (const range& r : p.table.programs)
        functions_.push(P::interpreted({p.table.code.data + r.begin, r.size}));
      return functions_.data();
    }

   private:
    sequence<typename P::work> works_{};
    sequence<typename P::function> functions_{};
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
  using contexts = decltype(std::tuple_cat(typename context_of<Policies>::type{}...));

 public:
  template <class... C> explicit device_list(C&... given) noexcept {
    static_assert(
        sizeof...(C) == 0 || std::same_as<std::tuple<C*...>, contexts>,
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

/// What all parts are bound with: the weights' addresses by node number, and the memory for packed
/// weights and for what depends on the extents; null where a plan wants none.
struct binding_memory {
  const std::byte* const* weights = nullptr;
  std::byte* packed = nullptr;
  std::byte* bound = nullptr;
};

/// What a model holds for the policy at a position; a policy may stand at several. Policies of the
/// host and of devices differ in nothing but this struct, for the host, and its specialisation
/// below.
template <class Storage, std::size_t Position, class P> struct policy_part
    : Storage::template host_part<P> {
  static constexpr int position = static_cast<int>(Position);
  struct session {};  ///< what an instance has of its own: nothing

  template <class Devices>
  error bind(const Devices&, const plan_view& p, const binding_memory& at) noexcept {
    bind_groups(p, at, true);
    return {};
  }
  /// For other extents of the graph that `limits` is bound to: packed weights stay as they are.
  error follow(const policy_part&, const plan_view& p, const binding_memory& at) noexcept {
    bind_groups(p, at, false);
    return {};
  }
  static bool takes(const session&, const void*) noexcept { return false; }
  static void renew(session&) noexcept {}
  static status start(session&, const plan_view&, const frame&) noexcept { return {}; }
  template <class Way> status run(session&, const plan_view& p, const group_range& r,
                                  const frame& f, const Way&) const noexcept {
    if constexpr (!std::same_as<Way, waiting>) return {code::policy, -1, 0, position};
    scans::run_groups(p, r, f, [&](int g, bool, bool) { P::run(this->work(g), f); });
    return {};
  }
  multiplied multiplication(int g) const noexcept {
    if constexpr (requires(const typename P::work& w) { P::multiplication(w); })
      return P::multiplication(this->work(g));
    else
      return multiplied::nothing;
  }

 private:
  void bind_groups(const plan_view& p, const binding_memory& at, bool packs) noexcept {
    const typename P::function* functions = this->compile(p);
    for (int g = 0; g < p.groups.size; ++g)
      if (p.groups[g].policy == position)
        P::bind({&p, g, at.weights, at.packed ? at.packed + p.packed_offset[g] : nullptr,
                 at.bound ? at.bound + p.bound_offset[g] : nullptr, functions, packs},
                this->work_data()[g]);
  }
};
template <class Storage, std::size_t Position, device_backend P>
struct policy_part<Storage, Position, P> : P::bound {
  static constexpr int position = static_cast<int>(Position);
  struct session : P::session {};

  template <class Devices>
  error bind(const Devices& devices, const plan_view& p, const binding_memory& at) noexcept {
    return P::bound::bind(devices.template context<P>(position), p, position, at.weights);
  }
  error follow(const policy_part& limits, const plan_view& p, const binding_memory&) noexcept {
    return P::bound::follow(limits, p, position);
  }
  static bool takes(const session& s, const void* owner) noexcept { return s.owner() == owner; }
  void renew(session& s) const noexcept { s.renew(*this); }
  status start(session& s, const plan_view& p, const frame& host) const noexcept {
    return s.start(*this, p, position, host);
  }
  template <class Way> status run(session& s, const plan_view& p, const group_range& r,
                                  const frame& f, const Way& way) const noexcept {
    return s.run(p, r, f, way);
  }
  static multiplied multiplication(int) noexcept { return multiplied::nothing; }
};

/// The parts of all policies of a model.
template <class Storage, class Positions, class... Policies> class policy_set;
template <class Storage, std::size_t... I, class... Policies>
class policy_set<Storage, std::index_sequence<I...>, Policies...>
    : policy_part<Storage, I, Policies>... {
 public:
  struct sessions : policy_part<Storage, I, Policies>::session... {};
  using devices = device_list<Policies...>;
  static constexpr bool has_devices = (device_backend<Policies> || ...);

  /// Whether a policy takes views of a device's memory, or those of the host alone.
  static bool takes(const sessions& all, int index, const void* owner) noexcept {
    const auto takes_it = [&]<class Part>(const Part*) {
      return Part::position == index && Part::takes(all, owner);
    };
    return (takes_it(static_cast<const policy_part<Storage, I, Policies>*>(nullptr)) || ...);
  }
  /// At the end of a model's binding: every part takes its weights and makes its kernels.
  /// Error: what a device refuses.
  error bind(const plan_view& p, const binding_memory& at, const devices& all) noexcept {
    return each_part(*this, [&](auto& part) { return part.bind(all, p, at); });
  }
  /// Binds the kernels of one instance anew for other extents. `limits` is the model's set, whose
  /// packed weights are used again.
  error follow(const policy_set& limits, const plan_view& p, const binding_memory& at) noexcept {
    return each_part(*this, [&](auto& part) { return part.follow(limits, p, at); });
  }
  /// Lets sessions know what they run from now on.
  void renew(sessions& all) const noexcept {
    each_part(*this, [&](const auto& part) { part.renew(all); });
  }
  /// At the making of an instance: sessions get their memory. `host` knows the host's arena.
  status start(sessions& all, const plan_view& p, const frame& host) const noexcept {
    return each_part(*this, [&](const auto& part) { return part.start(all, p, host); });
  }
  /// At a call: the ranges of groups of one policy after the other, each by its part. The first
  /// error ends it.
  template <class Way>
  status run(const plan_view& p, const frame& f, sessions& all, const Way& way) const noexcept {
    const auto run_range = [&](const group_range& r) noexcept {
      return each_part(*this, [&](const auto& part) {
        return part.position == p.groups[r.begin].policy ? part.run(all, p, r, f, way) : status{};
      });
    };
    if constexpr (sizeof...(Policies) == 1)
      return p.groups.size > 0 ? run_range({0, p.groups.size, false}) : status{};
    else
      return scans::cut_into_ranges(p, f, run_range);
  }
  /// What policies with `multiplication` made of the offer of integers to group `g`.
  multiplied multiplication(const plan_view& p, int g) const noexcept {
    multiplied answer = multiplied::nothing;
    each_part(*this, [&](const auto& part) {
      if (part.position == p.groups[g].policy) answer = part.multiplication(g);
    });
    return answer;
  }

 private:
  /// Calls `f(part)` for each policy; where f returns something, until that is an error.
  template <class Self, class F> static auto each_part(Self& self, const F& f) noexcept {
    using result_type = std::common_type_t<decltype(f(part_of<I, Policies>(self)))...>;
    if constexpr (std::is_void_v<result_type>) {
      (f(part_of<I, Policies>(self)), ...);
    } else {
      result_type result{};
      static_cast<void>(((result = f(part_of<I, Policies>(self))).ok() && ...));
      return result;
    }
  }
  template <std::size_t N, class P, class Self> static auto& part_of(Self& self) noexcept {
    using part_type = policy_part<Storage, N, P>;
    return static_cast<std::conditional_t<std::is_const_v<Self>, const part_type, part_type>&>(
        self);
  }
};

}  // namespace tenon
