// One caller of a model: arena and state. The last allocation; calls allocate nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/extents.hpp>
#include <tenon/run/views.hpp>
#include <cstring>

namespace tenon {

/// Where an instance's arena lies.
struct owned {};     ///< on the heap, allocated by the constructor
struct embedded {};  ///< inside the instance: static graphs, one thread
struct borrowed {};  ///< memory of the caller

/// An instance of a model: arena and states. Not shareable: one thread at a time; several instances
/// of one model may run at the same time.
///
/// `instance(inputs..., outputs...)` takes anything viewable, in the order of the graph, and
/// returns a status; on any error nothing is written. noexcept; on host policies it allocates,
/// locks and calls nothing of the system (an executor passed in is the caller's affair).
/// ```cpp
/// instance a{model};                     // arena on the heap
/// instance b{model, pool};               // the same, with an executor that outlives it
/// instance c{model, std::span{memory}};  // arena in memory of the caller, 64-byte aligned
/// instance<model_type, embedded> d{model};  // arena inside d
/// ```
template <class Model, class Memory = owned> class instance {
  static_assert(Model::is_static || !std::same_as<Memory, embedded>,
                "instance: nobody knows when it is compiled how much memory a graph that is built "
                "at run time needs; use owned or borrowed memory");

 public:
  explicit instance(const Model& m) noexcept : instance(m, executor_ref{}) {}
  template <executor E>
  requires std::same_as<Memory, owned> instance(const Model& m, E& threads)
  noexcept : instance(m, refer(threads)) {}
  /// `bytes_needed` bytes at least, 64-byte aligned. Error at the first call: memory, alignment.
  instance(const Model& m,
           std::span<std::byte> memory) noexcept requires std::same_as<Memory, borrowed>
      : model_(&m), base_(m), arena_(0) {
    const i64 bytes = bytes_needed(m);
    if (static_cast<i64>(memory.size()) < bytes)
      fault_ = {code::memory, -1, bytes, static_cast<i64>(memory.size())};
    else if (bytes > 0 && reinterpret_cast<std::uintptr_t>(memory.data()) % arena_align != 0)
      fault_ = {code::alignment, -1, arena_align,
                static_cast<i64>(reinterpret_cast<std::uintptr_t>(memory.data()) % arena_align)};
    else
      start(memory.data());
  }
  instance(const instance&) = delete;
  instance& operator=(const instance&) = delete;

  /// Bytes of an instance with one thread: arena and states.
  static i64 bytes_needed(const Model& m) noexcept {
    return m.plan_of().arena_bytes() + m.plan_of().state_bytes();
  }

  /// Inputs first, then outputs. Error: view_count, what `calling::check` refuses, unbound, memory.
  template <viewable... V> status operator()(V&&... views) noexcept {
    return call(waiting{}, static_cast<V&&>(views)...);
  }
  /// Calls the model in another way, such as recording into a command buffer. The sessions of all
  /// policies must offer it. Error: what `operator()` refuses; policy, when a policy runs on the
  /// host.
  template <class Way, viewable... V> status call(const Way& way, V&&... views) noexcept {
    if constexpr (Model::is_static)
      static_assert(sizeof...(V) == Model::inputs + Model::outputs,
                    "instance: a call takes one view per input and then one per output of the "
                    "graph; count them");
    if (!model_->fault().ok()) return unbound();
    const table_view& t = model_->plan_of().table;
    constexpr int given = static_cast<int>(sizeof...(V));
    if (given != t.call_inputs() + t.call_outputs())
      return {code::view_count, -1, t.call_inputs() + t.call_outputs(), given};
    const_view in[given + 1];
    mutable_view out[given + 1];
    status bad{};
    int at = 0;
    const auto take = [&]<class W>(W&& view) {
      const int o = at - t.call_inputs();
      if (o < 0)
        in[at] = view_of(view);
      else if constexpr (calling::writable<W>)
        out[o] = view_of(view);
      else
        bad = {code::null, at, 0, 0};  // a read-only view cannot be an output
      ++at;
    };
    if constexpr (Model::is_static) check_writable<V...>();
    (take(static_cast<V&&>(views)), ...);
    return bad.ok() ? run({in, static_cast<std::size_t>(t.call_inputs())},
                          {out, static_cast<std::size_t>(t.call_outputs())}, way)
                    : bad;
  }

  /// As `call`, with lists of views, for graphs whose number of views is known at run time only.
  template <class Way = waiting> status run(std::span<const const_view> in,
                                            std::span<const mutable_view> out,
                                            const Way& way = {}) noexcept {
    if (!model_->fault().ok()) return unbound();
    if (!fault_.ok()) return fault_;
    const table_view& t = model_->plan_of().table;
    const auto views = static_cast<int>(in.size() + out.size());
    if (static_cast<int>(in.size()) != t.call_inputs() ||
        static_cast<int>(out.size()) != t.call_outputs())
      return {code::view_count, -1, t.call_inputs() + t.call_outputs(), views};
    if constexpr (may_vary) {
      if (t.limits.size > 0) {
        if (const status s = varied_.follow(*model_, in); !s.ok()) return s;
        return run(varied_.view(), varied_, in, out, way);
      }
    }
    return run(model_->plan_of(), *model_, in, out, way);
  }

  /// All states become zero again.
  void reset() noexcept {
    if (state_ != nullptr)
      std::memset(state_, 0, static_cast<std::size_t>(model_->plan_of().state_bytes()));
  }

 private:
  static constexpr bool may_vary = [] {
    if constexpr (Model::is_static)
      return Model::plan_type::view().has_limits();
    else
      return true;
  }();

  /// `runner` has what was bound for the plan `p`.
  template <class Runner, class Way>
  status run(const plan_view& p, Runner& runner, std::span<const const_view> in,
             std::span<const mutable_view> out, const Way& way) noexcept {
    if (const status s = calling::check(
            p, model_->weight_addresses(), in.data(), out.data(),
            [&](int node, const void* owner) { return users_.take(sessions_, p, node, owner); });
        !s.ok())
      return s;
    if (!std::same_as<Way, waiting> && (p.copies_out.size > 0 || p.table.states > 0))
      return {code::policy, -1, 0, 0};
    const table_view& t = p.table;
    const std::byte** base = base_.data();
    users_.note(p, in, out);
    frame_.owner = users_.owner();
    for (int i = 0; i < t.call_inputs(); ++i)
      base[t.inputs[i]] = static_cast<const std::byte*>(in[static_cast<std::size_t>(i)].data);
    for (int i = t.call_inputs(); i < t.inputs.size; ++i)
      base[t.inputs[i]] = state_of(t, i, flipped_);
    const auto target = [&](int o) {
      return o < t.call_outputs() ? static_cast<std::byte*>(out[static_cast<std::size_t>(o)].data)
                                  : state_of(t, o - t.call_outputs() + t.call_inputs(), !flipped_);
    };
    for (int i = 0; i < p.buffers.size; ++i)
      if (p.buffers[i].in == plans::buffer::storage::output) base[i] = target(p.buffers[i].index);
    frame_.base = base;
    if (const status s = runner.run(frame_, sessions_, way); !s.ok()) return s;
    for (const plans::output_copy& c : p.copies_out)
      calling::copy_out(p, c, base, target(c.output));
    flipped_ = !flipped_;
    return {};
  }
  /// The copy of a state that is read (or, with the other `flipped`, written) in this call.
  std::byte* state_of(const table_view& t, int input, bool flipped) const noexcept {
    i64 at = 0;
    for (int i = t.call_inputs(); i < input; ++i)
      at += 2 * aligned(t.nodes[t.inputs[i]].out.bytes());
    return state_ + at + (flipped ? aligned(t.nodes[t.inputs[input]].out.bytes()) : 0);
  }
  /// `found` is the code of the model's fault.
  status unbound() const noexcept {
    return {code::unbound, -1, 0, static_cast<i64>(model_->fault().what)};
  }
  template <class... V> static constexpr void check_writable() {
    constexpr bool able[] = {calling::writable<V>...};
    constexpr bool all = [&] {
      for (int i = Model::inputs; i < Model::inputs + Model::outputs; ++i)
        if (!able[i]) return false;
      return true;
    }();
    static_assert(
        all, "instance: every output view must be writable; pass a span of non-const elements");
  }
  instance(const Model& m, executor_ref threads) noexcept
      : model_(&m),
        base_(m),
        arena_(m.plan_of().arena_bytes(threads.threads) + m.plan_of().state_bytes()) {
    frame_.threads = threads;
    const i64 bytes = m.plan_of().arena_bytes(threads.threads) + m.plan_of().state_bytes();
    if (bytes > 0 && arena_.data() == nullptr) {
      fault_ = {code::memory, -1, bytes, 0};
      return;
    }
    start(arena_.data());
  }
  void start(std::byte* arena) noexcept {
    const plan_view& p = model_->plan_of();
    if (!model_->fault().ok()) return;
    if (base_.data() == nullptr) {
      fault_ = {code::memory, -1, p.buffers.size * static_cast<i64>(sizeof(std::byte*)), 0};
      return;
    }
    frame_.arena = arena;
    frame_.thread_memory = arena + p.shared_bytes;
    frame_.thread_bytes = p.per_thread_bytes;
    if (p.state_bytes() > 0) state_ = arena + p.arena_bytes(frame_.threads.threads);
    reset();
    if constexpr (may_vary)
      if (p.has_limits() && !varied_.start(*model_)) fault_ = {code::memory, -1, 0, 0};
    calling::find_holders(p, model_->weight_addresses(), arena, base_.data());
    if (const status s = model_->start(sessions_, frame_); !s.ok()) fault_ = s;
    if (!users_.start(p)) fault_ = {code::memory, -1, 0, 0};
  }

  /// The address table: a member for static graphs, one allocation otherwise.
  struct static_table {
    explicit static_table(const Model&) noexcept {}
    const std::byte** data() noexcept { return item; }
    static constexpr int size = [] {
      if constexpr (Model::is_static)
        return Model::plan_type::sizes.table.nodes;
      else
        return 0;
    }();
    const std::byte* item[size > 0 ? size : 1]{};
  };
  struct heap_table {
    explicit heap_table(const Model& m) noexcept
        : memory(m.plan_of().buffers.size * static_cast<i64>(sizeof(std::byte*))) {}
    const std::byte** data() noexcept { return reinterpret_cast<const std::byte**>(memory.data()); }
    aligned_memory memory;
  };
  static constexpr i64 embedded_bytes = [] {
    if constexpr (Model::is_static)
      return Model::plan_type::arena_bytes + Model::plan_type::view().state_bytes();
    else
      return i64{0};
  }();
  /// What follows the extents of the calls: on the heap for owned instances and for graphs built at
  /// run time, else a member.
  static constexpr auto varied_kind() {
    if constexpr (!may_vary)
      return std::type_identity<calling::not_varied>{};
    else if constexpr (Model::is_static && !std::same_as<Memory, owned>)
      return std::type_identity<
          calling::varied<Model, calling::varied_inside<typename Model::plan_type>>>{};
    else
      return std::type_identity<calling::varied<Model, calling::varied_on_heap>>{};
  }

  const Model* model_;
  [[no_unique_address]] typename Model::sessions sessions_{};
  [[no_unique_address]] std::conditional_t<Model::policies_type::has_devices,
                                           calling::buffer_users<Model>, calling::host_alone>
      users_{};
  status fault_{};
  frame frame_{};
  std::byte* state_ = nullptr;
  bool flipped_ = false;  ///< which copy of the states is read
  std::conditional_t<Model::is_static, static_table, heap_table> base_;
  std::conditional_t<
      std::same_as<Memory, owned>, aligned_memory,
      std::conditional_t<std::same_as<Memory, embedded>, memory_inside<embedded_bytes>, no_memory>>
      arena_;
  [[no_unique_address]] typename decltype(varied_kind())::type varied_;
};
template <class Model> instance(const Model&) -> instance<Model, owned>;
template <class Model, executor E> instance(const Model&, E&) -> instance<Model, owned>;
template <class Model> instance(const Model&, std::span<std::byte>) -> instance<Model, borrowed>;

}  // namespace tenon
