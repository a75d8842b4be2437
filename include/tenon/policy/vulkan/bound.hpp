// What a model holds for a Vulkan device: a kernel for every step of every group, and the weights.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/device.hpp>
#include <tenon/policy/vulkan/matrix.hpp>
#include <tenon/policy/vulkan/memory.hpp>
#include <tenon/policy/vulkan/recording.hpp>
#include <tenon/policy/vulkan/spirv/kernel.hpp>
#include <cstring>

namespace tenon {

/// One dispatch of a group, with its buffers by the plan's holders: addresses follow when a call is
/// recorded.
struct vulkan_step {
  struct port {
    int holder = -1;
    int element_bytes = 4;
    bool writes = false;
  };
  const vulkan_kernel* kernel = nullptr;
  int ports = 0;
  port port_at[spirv::max_ports]{};
  std::uint32_t groups[3]{1, 1, 1};
};

/// Whether the host's processor, which is the device of CPU drivers, reads 8 bytes at multiples
/// of 4.
#if defined(__x86_64__) || defined(__aarch64__)
inline constexpr bool reads_unaligned = true;
#else
inline constexpr bool reads_unaligned = false;
#endif

/// What kernels may use on a device.
inline spirv::target target_of(const vulkan_context& c,
                               spirv::precision products = spirv::precision::float32) noexcept {
  const vulkan_facts& f = c.facts();
  spirv::target t;
  t.by = c.addressing() == vulkan_addressing::address ? spirv::addressing::address
                                                      : spirv::addressing::descriptor;
  t.storage8 = f.has.storage_8 && f.has.int8;
  t.storage16 = f.has.storage_16 && f.has.int16;
  t.int64 = f.has.int64;
  t.float64 = f.has.float64;
  t.keeps_nan = f.signed_zero_inf_nan_32;
  t.keeps_denormals = f.denorm_preserve_32;
  t.cpu_driver = f.cpu;
  t.fuses = !f.cpu;
  t.subgroup = static_cast<int>(f.subgroup_size);
  t.shuffles = f.subgroup_compute && f.subgroup_shuffle;
  t.unaligned = f.cpu && reads_unaligned;
  if (f.cpu) t.iterations = 65535;  // measured: lavapipe ends such loops and reports nothing
  t.invocations = static_cast<int>(f.invocations);
  t.shared_bytes = static_cast<int>(f.shared_bytes);
  t.matrix = matrix_unit_of(f);
  t.matrix.products = products;
  return t;
}

/// The kernels and weights of one policy of a model.
class vulkan_bound {
 public:
  explicit vulkan_bound(spirv::precision products = spirv::precision::float32) noexcept
      : products_(products) {}
  /// Error: the context's fault; import_failed (the device cannot use host memory: take the policy
  /// `vulkan_staged`); feature, with what the device lacks, matrices of the policy's precision
  /// among it; capacity (a group with more than 16 buffers, or with longer loops than the driver
  /// runs); memory; what the driver refuses.
  template <class = void> error bind(vulkan_context& context, const plan_view& p, int policy,
                                     const std::byte* const* weights) noexcept;
  /// Kernels for other extents of the same graph; the weights are those of `limits`, which outlives
  /// this.
  template <class = void>
  error follow(const vulkan_bound& limits, const plan_view& p, int policy) noexcept;
  vulkan_context& context() const noexcept { return *context_; }
  /// The dispatches of a group, in their order.
  list<vulkan_step> steps_of(int group) const noexcept {
    const range r = of_group_[group];
    return {steps_.data() + r.begin, r.size};
  }
  device_address weight(int node) const noexcept { return weight_at_[node]; }

 private:
  /// The error of a node that the device cannot compute: the first feature that an operand's or the
  /// result's type needs, else that a tensor is too large for 32-bit offsets.
  static error lacks(const table_view& t, const node& n, const spirv::target& device) noexcept {
    const char* feature = "";
    const auto look = [&](type of) {
      if (!spirv::has_type(device, of))
        feature = size_bytes(of) == 1   ? "storageBuffer8BitAccess and shaderInt8"
                  : size_bytes(of) == 2 ? "storageBuffer16BitAccess and shaderInt16"
                                        : "shaderInt64";
    };
    look(n.out.type);
    for (int k = 0; k < n.operands; ++k) look(t.nodes[n.in[k]].out.type);
    return {code::feature, n.op, "device", feature[0] ? feature : "offsets below 2^31", "none"};
  }
  /// Emits and compiles the kernels of all groups of this policy. A cast that became an alias is in
  /// no group, but its operand is read in the cast's place: it has to be supported, too.
  error make_kernels(const plan_view& p, int policy) {
    const spirv::target device = target_of(*context_, products_);
    of_group_.resize(p.groups.size);
    for (int g = 0; g < p.groups.size; ++g) {
      if (p.groups[g].policy != policy) continue;
      for (const int i : p.members_of(p.groups[g])) {
        const node& n = p.table.nodes[i];
        if (!spirv::supports(p.table, n, device)) return lacks(p.table, n, device);
        for (int k = 0; k < n.operands; ++k)
          if (const node& from = p.table.nodes[n.in[k]];
              p.group_of[n.in[k]] < 0 && !spirv::supports(p.table, from, device))
            return lacks(p.table, from, device);
      }
      of_group_[g].begin = steps_.size();
      const sequence<spirv::kernel> kernels = spirv::kernels_of(p, g, device);
      if (kernels.empty())
        return {code::capacity, p.anchor_of(g).op, "kernel",
                "16 buffers, and loops that the driver runs", "more"};
      for (const spirv::kernel& k : kernels)
        if (const error e = add(k); !e.ok()) return e;
      of_group_[g].size = steps_.size() - of_group_[g].begin;
    }
    return {};
  }
  error add(const spirv::kernel& k) {
    // without the feature every subgroup has the size that the facts give (Vulkan 1.2)
    const bool asks = context_->facts().subgroup_size_chosen;
    const auto pipeline =
        context_->kernel({k.words.data(), static_cast<std::size_t>(k.words.size())}, k.ports.size(),
                         context_->addressing(), asks ? k.subgroup : 0);
    if (!pipeline) return pipeline.error();
    vulkan_step s;
    s.kernel = *pipeline;
    s.ports = k.ports.size();
    for (int i = 0; i < s.ports; ++i)
      s.port_at[i] = {k.ports[i].holder, static_cast<int>(size_bytes(k.ports[i].element)),
                      k.ports[i].writes};
    for (int i = 0; i < 3; ++i) s.groups[i] = k.groups[i];
    steps_.push(s);
    return {};
  }

  /// Weights stay where they are if the device works in the host's memory and may; else they are
  /// copied into its own.
  error take_weights(const plan_view& p, int policy, const std::byte* const* weights) {
    weight_at_.resize(p.table.nodes.size, device_address{});
    const bool stay =
        p.policies[policy].memory == sharing::importable && context_->facts().unified_memory;
    error bad;
    plans::each_upload(p, [&](int id, int to, i64 bytes) {
      if (to != policy || !bad.ok()) return;
      auto memory = stay ? vulkan_memory::import_host(*context_, weights[id], bytes)
                         : vulkan_memory::device(*context_, bytes);
      bad = memory ? error{} : memory.error();
      if (bad.ok() && !stay) bad = upload(weights[id], *memory);
      if (!bad.ok()) return;
      weight_at_[id] = device_address{memory->address()};
      memory_.push_back(std::move(*memory));
    });
    return bad;
  }
  /// Through staging memory where the host does not see the device's. Waits: binding may take its
  /// time.
  error upload(const std::byte* from, const vulkan_memory& to) {
    if (to.data() != nullptr) {
      std::memcpy(to.data(), from, static_cast<std::size_t>(to.bytes()));
      return {};
    }
    auto staging = vulkan_memory::host(*context_, to.bytes());
    if (!staging) return staging.error();
    std::memcpy(staging->data(), from, static_cast<std::size_t>(to.bytes()));
    vulkan_recording r(*context_);
    r.begin();
    r.copy(staging->address(), to.address(), to.bytes());
    if (const error e = r.end(); !e.ok()) return e;
    const status s = r.submit_and_wait();
    return {s.what, s.ok() ? "" : "vulkan", "upload", s.expected, s.found};
  }

  spirv::precision products_;
  vulkan_context* context_ = nullptr;
  sequence<vulkan_step> steps_;
  sequence<range> of_group_;
  sequence<device_address> weight_at_;
  std::vector<vulkan_memory> memory_;
};

// Not inline: see tenon/compiled_vulkan.hpp.
template <class> error vulkan_bound::bind(vulkan_context& context, const plan_view& p, int policy,
                                          const std::byte* const* weights) noexcept {
  context_ = &context;
  if (!context.ok()) return context.fault();
  if (p.policies[policy].memory == sharing::importable && !context.facts().host_import)
    return {code::import_failed, p.policies[policy].name, "host memory", "vulkan_staged",
            "no VK_EXT_external_memory_host"};
  if (products_ != spirv::precision::float32 &&
      !matrix_unit_of(context.facts()).of(products_).exists())
    return lacks_matrices(context.facts(), p.policies[policy], products_);
  return platform::guarded(
      [&] {
        if (const error e = make_kernels(p, policy); !e.ok()) return e;
        return take_weights(p, policy, weights);
      },
      [] {
        return error{code::memory, "vulkan", "model"};
      });
}
template <class>
error vulkan_bound::follow(const vulkan_bound& limits, const plan_view& p, int policy) noexcept {
  context_ = limits.context_;
  return platform::guarded(
      [&] {
        weight_at_ = limits.weight_at_;
        steps_.clear();
        of_group_.clear();
        return make_kernels(p, policy);
      },
      [] {
        return error{code::memory, "vulkan", "model"};
      });
}

}  // namespace tenon
