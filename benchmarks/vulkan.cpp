// What the policy `vulkan` costs: from nothing to the first result, of a submission, for each
// kernel; and networks beside the policy `cpu` in the same run:
//   vulkan [--device NAME] [--json FILE] [--seconds S] [--only ROW]
// docs/benchmarks.md says what is compared and how.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/lease.hpp>
#include "../examples/networks/conv100.hpp"
#include "../examples/networks/encoder.hpp"
#include "../examples/networks/lenet5.hpp"
#include "../examples/networks/mobilenetv2.hpp"
#include "device.hpp"
#include "report.hpp"
#include <filesystem>
#include <optional>

using rows = std::vector<row>;

task make_task(const char* name, const tn::table& net) {
  task t{name, name, "", net.view(), operations_of(net.view())};
  const std::vector<float> scaled = networks::random_weights(t.table, 7);
  t.weights.assign(scaled.begin(), scaled.end());
  for (const int id : t.table.inputs)
    t.inputs.push_back(random_numbers(static_cast<std::size_t>(t.table.nodes[id].out.shape.count()),
                                      static_cast<std::uint32_t>(id) + 1, 1));
  t.output_size = static_cast<std::size_t>(t.table.nodes[t.table.outputs[0]].out.shape.count());
  return t;
}
tn::result<tn::table> product(int n, tn::type of = tn::type::float32) {
  const tn::tensor square{of, tn::extents(n, n)};
  tn::builder b;
  const auto a = b.input("a", square);
  return b.finish({b.add<tn::matmul_t>({}, {a, b.weight("b", square)})});
}

void add(rows& to, const row& r) {
  to.push_back(r);
  print(r);
}
/// A cost of the driver or of ours, without a peer; in milliseconds.
void add(rows& to, const char* name, timing t) {
  add(to, row{name, "vulkan", "f32", 1, t, "", {}, 0, 0, 0});
}

/// Drivers keep compiled kernels in files: the first run with an empty folder is cold. CPU drivers
/// of Mesa are told how many threads they may have when a device is opened.
void set(const char* variable, const std::string& value) { ::setenv(variable, value.c_str(), 1); }
void set_threads(int n) { set("LP_NUM_THREADS", std::to_string(n)); }

/// From opening the device to the first result of LeNet-5; then again with whatever the driver has
/// kept.
void first_result(const device_options& o, rows& to) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("tenon-cache-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  for (const char* variable :
       {"MESA_SHADER_CACHE_DIR", "MESA_GLSL_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH"})
    set(variable, folder.string());
  const auto net = networks::lenet5::build();
  if (!net.ok()) fail("lenet5 cannot be built");
  const task t = make_task("lenet5", *net);
  const auto once = [&] {
    const auto start = std::chrono::steady_clock::now();
    tn::vulkan_context c(o.context());
    need(c);
    device_caller<tn::vulkan>(t, c).call();
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double, std::milli>(now - start).count();
  };
  const double cold = once();
  add(to, "first cold", {cold, cold});
  std::vector<double> warm;
  for (int i = 0; i < 5; ++i) warm.push_back(once());
  add(to, "first warm", {*std::ranges::min_element(warm), median(warm)});
  fs::remove_all(folder);
}

/// A kernel of 64 elements on two buffers, and recordings of many of them.
struct small_kernel {
  tn::vulkan_context& context;
  const tn::vulkan_kernel* kernel = nullptr;
  tn::vulkan_memory one, two;
  std::uint32_t groups = 1;

  explicit small_kernel(tn::vulkan_context& c) : context(c) {
    tn::builder b;
    const auto x = b.input("x", {tn::type::float32, tn::extents(64)});
    const auto net = b.finish({b.add<tn::abs_t>({}, {x})});
    const tn::policy_facts facts[] = {tn::facts_of<tn::vulkan>()};
    const auto plan = tn::make_plan(net->view(), {facts, 1});
    const auto emitted = tn::spirv::emit(plan->view(), 0, tn::target_of(c));
    const tn::spirv::kernel& k = emitted[0];
    const auto made = c.kernel({k.words.data(), static_cast<std::size_t>(k.words.size())}, 2);
    auto first = tn::vulkan_memory::device(c, 256), second = tn::vulkan_memory::device(c, 256);
    if (!made || !first || !second) fail("the device refuses a small kernel");
    kernel = *made;
    groups = k.groups[0];
    one = std::move(*first), two = std::move(*second);
  }
  /// As instances record: checked, a barrier where one is needed, which is everywhere here.
  void record(tn::vulkan_recording& r, int kernels) const {
    bool good = r.begin().ok();
    for (int i = 0; i < kernels; ++i) {
      const tn::vulkan_memory &from = i % 2 ? two : one, &to = i % 2 ? one : two;
      const tn::vulkan_port ports[] = {{from.address(), 256, 4, false},
                                       {to.address(), 256, 4, true}};
      r.barrier_for(ports);
      good = r.dispatch(*kernel, ports, groups).ok() && good;
    }
    if (!r.end().ok() || !good) fail("a recording was refused");
  }
};
void costs(const device_options& o, tn::vulkan_context& c, rows& to) {
  constexpr int many = 1000;
  const small_kernel small(c);
  tn::vulkan_recording empty(c, true), full(c, true);
  small.record(empty, 0);
  small.record(full, many);
  const auto submit = [](tn::vulkan_recording& r) {
    return [&r](double seconds) {
      return time_calls(seconds, [&] {
        if (!r.submit_and_wait().ok()) fail("a submission was refused");
      });
    };
  };
  const auto nothing = [] { return numbers(); };
  const std::vector<timing> t =
      race({{"empty", submit(empty), nothing},
            {"full", submit(full), nothing},
            {"record",
             [&](double seconds) { return time_calls(seconds, [&] { small.record(full, many); }); },
             nothing}},
           o.seconds);
  add(to, "submit, wait", t[0]);
  add(to, "kernel", {(t[1].min - t[0].min) / many, (t[1].median - t[0].median) / many});
  add(to, "record", {t[2].min / many, t[2].median / many});
}

/// One network on a device with `threads` threads beside `cpu` with as many.
void compare(const device_options& o, const char* name, const tn::result<tn::table>& net,
             tn::vulkan_context& c, int threads, rows& to) {
  if (!o.only.empty() && o.only != name) return;
  if (!net.ok()) fail(std::string(name) + " cannot be built");
  const task t = make_task(name, *net);
  const std::vector<contender> both{
      enter_device<tn::vulkan>(t, c),
      enter<tn::model<tn::dynamic, tn::cpu>>("cpu", t, threads, *net)};
  const std::vector<timing> times = race(both, o.seconds);
  row r{name, both[0].name, "f32", threads, times[0], both[1].name, times[1], 0, 0, t.operations};
  r.apart = difference(both[0].output(), both[1].output());
  add(to, r);
}

/// A large product of matrices of `T` in the device's own memory.
inline constexpr int large = 4096;
template <class Policy, class T> struct product_caller {
  using model_type = tn::model<tn::dynamic, Policy>;
  using buffer = tn::vulkan_buffer<T, large, large>;
  std::vector<T> weight;
  model_type model;
  tn::instance<model_type> instance;
  buffer a, c;
  typename buffer::lease in, out;

  product_caller(const task& t, tn::vulkan_context& context)
      : weight(t.weights.begin(), t.weights.end()),
        model(t.table, tn::weights{tn::named("b", std::span(weight), tn::extents(large, large))},
              context),
        instance(model),
        a(context, {.host = true}),
        c(context, {.host = true}) {
    if (!model.fault().ok()) return;
    auto lent_a = a.lend(), lent_c = c.lend();
    if (!lent_a || !lent_c) fail("buffers cannot be lent");
    in = std::move(*lent_a), out = std::move(*lent_c);
    std::ranges::transform(t.inputs[0], in.host().begin(), [](float x) { return T(x); });
  }
  void call() {
    if (const tn::status s = instance(in, out); !s.ok()) fail(describe(s));
  }
};
/// False, and why, where the device has no matrices of this precision.
template <class Policy, class T = float> bool add_product(const device_options& o, const task& t,
                                                          const char* digits, tn::vulkan_context& c,
                                                          rows& to) {
  product_caller<Policy, T> own(t, c);
  if (const tn::error e = own.model.fault(); e.what == tn::code::feature) {
    std::printf("%-12s %-20s skipped: %s\n", t.name.c_str(), Policy::name, describe(e).c_str());
    return false;
  } else if (!e.ok()) {
    fail(t.name + ": " + describe(e));
  }
  const timing best = time_calls(o.seconds, [&] { own.call(); });
  add(to, row{t.name, Policy::name, digits, 1, best, "", {}, 0, 0, t.operations});
  return true;
}
/// On matrix units, of float32 and of float16 in memory, and as float32 beside them.
void products(const device_options& o, tn::vulkan_context& c, rows& to) {
  if (!o.only.empty() && o.only != "matmul4096") return;
  const auto net = product(large), halves = product(large, tn::type::float16);
  if (!net.ok() || !halves.ok()) fail("matmul4096 cannot be built");
  const task t = make_task("matmul4096", *net);
  const bool half = add_product<tn::vulkan_f16>(o, t, "f16", c, to),
             brain = add_product<tn::vulkan_bf16>(o, t, "bf16", c, to);
  if (half) add_product<tn::vulkan, tn::float16>(o, make_task("float16", *halves), "f16", c, to);
  if (half || brain) add_product<tn::vulkan>(o, t, "f32", c, to);
}

int main(int argc, char** argv) {
  const device_options o(argc, argv);
  if (!o.understood) {
    std::fputs("usage: vulkan [--device NAME] [--json FILE] [--seconds S] [--only ROW]\n", stderr);
    return 2;
  }
  rows all;
  print_heading();
  if (o.only.empty()) first_result(o, all);
  for (const int threads : {1, 2}) {
    set_threads(threads);
    tn::vulkan_context c(o.context());
    need(c);
    if (threads == 1 && o.only.empty()) costs(o, c, all);
    compare(o, "conv100", networks::conv100::build(1), c, threads, all);
    compare(o, "mobilenetv2", networks::mobilenetv2::build(), c, threads, all);
    compare(o, "encoder1", networks::encoder::build(1), c, threads, all);
    compare(o, "gemm512", product(512), c, threads, all);
    compare(o, "gemm1024", product(1024), c, threads, all);
    if (threads == 1) products(o, c, all);
    if (threads == 1) std::printf("device: %s\n", c.facts().device.c_str());
  }
  if (!o.json.empty() && !write_json(o.json, "vulkan", all)) fail(o.json + " cannot be written");
  return std::ranges::all_of(all, [](const row& r) { return r.peer.empty() || r.comparable(); })
             ? 0
             : 1;
}
