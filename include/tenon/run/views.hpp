// The views of a call: what they may be, in whose memory they lie, and what is copied into them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/model.hpp>
#include <cstring>
#include <span>

namespace tenon::calling {

inline bool overlap(const void* a, i64 n, const void* b, i64 m) noexcept {
  const auto x = reinterpret_cast<std::uintptr_t>(a), y = reinterpret_cast<std::uintptr_t>(b);
  return x < y + static_cast<std::uintptr_t>(m) && y < x + static_cast<std::uintptr_t>(n);
}

/// Checks all views before anything is written; `takes(node, owner)` says whether what uses a
/// node's buffer reaches a device's memory. Error: what `fits` refuses; aliasing, `operand` being
/// the output that overlaps.
template <class Takes> status check(const plan_view& p, const std::byte* const* weights,
                                    const const_view* in, const mutable_view* out,
                                    const Takes& takes) noexcept {
  const table_view& t = p.table;
  const int inputs = t.call_inputs();
  const auto reached = [&](int node, const void* owner) {
    return owner != nullptr && takes(node, owner) ? owner : nullptr;
  };
  for (int i = 0; i < inputs; ++i)
    if (const status s =
            fits(in[i], t.nodes[t.inputs[i]].out, i, reached(t.inputs[i], in[i].owner));
        !s.ok())
      return s;
  for (int o = 0; o < t.call_outputs(); ++o) {
    const tensor& output = t.nodes[t.outputs[o]].out;
    const int at = inputs + o;
    if (const status s = fits(out[o], output, at, reached(t.outputs[o], out[o].owner)); !s.ok())
      return s;
    const auto hits = [&](const void* data, const void* owner, const tensor& other) {
      return owner == out[o].owner && overlap(out[o].data, output.bytes(), data, other.bytes());
    };
    for (int i = 0; i < inputs; ++i)
      if (hits(in[i].data, in[i].owner, t.nodes[t.inputs[i]].out))
        return {code::aliasing, at, 0, i};
    for (int k = 0; k < o; ++k)
      if (hits(out[k].data, out[k].owner, t.nodes[t.outputs[k]].out))
        return {code::aliasing, at, 0, inputs + k};
    for (const int w : t.weights)
      if (hits(weights[w], nullptr, t.nodes[w].out)) return {code::aliasing, at, 0, -1};
  }
  return {};
}

/// Addresses of everything that does not change between calls.
inline void find_holders(const plan_view& p, const std::byte* const* weights, std::byte* arena,
                         const std::byte** base) noexcept {
  for (int i = 0; i < p.buffers.size; ++i) {
    if (p.buffers[i].in == plans::buffer::storage::arena && p.buffers[i].home < 0)
      base[i] = arena + p.buffers[i].offset;
    if (p.buffers[i].in == plans::buffer::storage::weight) base[i] = weights[i];
  }
}

/// Copies an output that another output, an input or a view already holds.
inline void copy_out(const plan_view& p, const plans::output_copy& c, const std::byte* const* base,
                     void* out) noexcept {
  const plans::location& v = p.locations[c.node];
  const tensor& t = p.table.nodes[c.node].out;
  const shape& s = t.shape;
  const auto bytes = static_cast<std::size_t>(size_bytes(t.type));
  if (plans::is_contiguous(v, s)) {  // always so for elements of 4 bits: their moves are reshapes
    const std::byte* from = base[v.holder] + v.offset * static_cast<i64>(bytes);
    __builtin_memcpy(out, from, static_cast<std::size_t>(t.bytes()));
    return;
  }
  const auto at_element = [&](auto* start, i64 i) { return start + i * static_cast<i64>(bytes); };
  std::byte* to = static_cast<std::byte*>(out);
  i64 at[max_rank]{};
  for (i64 i = 0, n = s.count(); i < n; ++i) {
    i64 offset = 0;
    for (int k = 0; k < s.rank; ++k) offset += at[k] * v.step[k];
    __builtin_memcpy(at_element(to, i), at_element(base[v.holder], v.offset + offset), bytes);
    for (int k = s.rank - 1; k >= 0 && ++at[k] == s[k]; --k) at[k] = 0;
  }
}

/// Which policies use the buffers of a call, and in whose memory these lie: for models with
/// devices.
template <class Model> class buffer_users {
 public:
  /// Allocates. False when there is no memory.
  bool start(const plan_view& p) noexcept {
    return platform::guarded(
        [&] {
          policies_.resize(p.buffers.size);
          owner_.resize(p.buffers.size, nullptr);
          plans::each_use(p, [&](int holder, int policy, int, int, bool) {
            policies_[holder] |= policy < 0 ? host : 1u << policy;
          });
          for (const plans::output_copy& c : p.copies_out) {
            policies_[p.locations[c.node].holder] |= host;
            policies_[c.node] |= host;
          }
          return true;
        },
        [] { return false; });
  }
  /// Whether everything that uses a node's buffer takes it in the memory of `owner`.
  bool take(const typename Model::sessions& sessions, const plan_view& p, int node,
            const void* owner) const noexcept {
    const int holder = p.locations[node].holder;
    const std::uint32_t users = policies_[holder] | policies_[node];
    if ((users & host) != 0) return false;
    for (int i = 0; i < p.policies.size; ++i)
      if ((users >> i & 1u) != 0 && !Model::policies_type::takes(sessions, i, owner)) return false;
    return true;
  }
  void note(const plan_view& p, std::span<const const_view> in,
            std::span<const mutable_view> out) noexcept {
    for (std::size_t i = 0; i < in.size(); ++i)
      owner_[p.table.inputs[static_cast<int>(i)]] = in[i].owner;
    for (int i = 0; i < p.buffers.size; ++i)
      if (const plans::buffer& b = p.buffers[i]; b.in == plans::buffer::storage::output)
        owner_[i] = b.index < p.table.call_outputs() ? out[static_cast<std::size_t>(b.index)].owner
                                                     : nullptr;
  }
  const void* const* owner() const noexcept { return owner_.data(); }

 private:
  static constexpr std::uint32_t host = 1u << 31;
  sequence<std::uint32_t> policies_;  ///< by holder: bit i, policy i
  sequence<const void*> owner_;
};
/// Without devices there is nothing to know.
struct host_alone {
  static bool start(const plan_view&) noexcept { return true; }
  template <class Sessions>
  static bool take(const Sessions&, const plan_view&, int, const void*) noexcept {
    return false;
  }
  static void note(const plan_view&, std::span<const const_view>,
                   std::span<const mutable_view>) noexcept {}
  static const void* const* owner() noexcept { return nullptr; }
};

template <class V> constexpr bool writable =
    std::same_as<decltype(view_of(std::declval<V>())), mutable_view>;

}  // namespace tenon::calling
