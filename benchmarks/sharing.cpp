// Memory that a Vulkan device uses where it lies, beside memory that is copied there and back:
//   sharing [--device NAME] [--json FILE] [--seconds S]
// docs/benchmarks.md says what is compared and how.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/lease.hpp>
#include "device.hpp"
#include "report.hpp"

/// relu(2 x + 1) over a row: next to nothing to compute.
template <tn::i64 N> task make_task(const tn::table& net) {
  task t{"ew" + std::to_string(N >> 18) + "MiB", "", "", net.view(), 3.0 * N};
  t.inputs.push_back(random_numbers(N, 1, 1));
  t.output_size = N;
  return t;
}
template <tn::i64 N> tn::result<tn::table> build() {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(N)});
  return b.finish({b.map<1>([](auto v) { return select(v > -0.5f, 2.0f * v + 1.0f, 0.0f); }, {x})});
}

/// A caller whose input and result lie in the device's own buffers, lent to the graph.
template <tn::i64 N> struct lent_caller {
  using buffer = tn::vulkan_buffer<float, N>;
  using model_type = tn::model<tn::dynamic, tn::vulkan>;
  model_type model;
  tn::instance<model_type> instance;
  buffer x, y;
  typename buffer::lease in, out;

  lent_caller(const task& t, tn::vulkan_context& c)
      : model(t.table, tn::weights<0>{}, c),
        instance(model),
        x(c, {.host = true}),
        y(c, {.host = true}) {
    auto lent_x = x.lend(), lent_y = y.lend();
    if (!model.fault().ok() || !lent_x || !lent_y) fail("buffers cannot be lent");
    in = std::move(*lent_x), out = std::move(*lent_y);
    std::ranges::copy(t.inputs[0], in.host().begin());
  }
  void call() {
    if (const tn::status s = instance(in, out); !s.ok()) fail(describe(s));
  }
  numbers output() const { return {out.host().begin(), out.host().end()}; }
};
template <tn::i64 N> contender enter_lent(const task& t, tn::vulkan_context& c) {
  const auto own = std::make_shared<lent_caller<N>>(t, c);
  return {"vulkan (lease)",
          [own](double seconds) { return time_calls(seconds, [&] { own->call(); }); },
          [own] { return own->output(); }};
}

/// `mebibytes` of input and as many of results.
template <tn::i64 Mebibytes>
void compare(const device_options& o, tn::vulkan_context& c, std::vector<row>& rows) {
  constexpr tn::i64 n = Mebibytes << 18;
  const auto net = build<n>();
  if (!net.ok()) fail("the graph cannot be built");
  const task t = make_task<n>(*net);
  const std::vector<contender> all{enter_device<tn::vulkan>(t, c), enter_lent<n>(t, c),
                                   enter_device<tn::vulkan_staged>(t, c)};
  const std::vector<timing> times = race(all, o.seconds);
  for (std::size_t i = 0; i < 2; ++i) {
    row r{t.name, all[i].name, "f32", 1, times[i], all[2].name, times[2], 0, 0, t.operations};
    r.apart = difference(all[i].output(), all[2].output());
    const double gb = 8e-6 * static_cast<double>(n);  // read and written once, in MB: GB/s by ms
    std::printf("%-10s %-16s %10.4f %7.1f  %-14s %10.4f %7.1f %7.2f\n", r.name.c_str(),
                r.policy.c_str(), r.ours.min, gb / r.ours.min, r.peer.c_str(), r.theirs.min,
                gb / r.theirs.min, r.ratio());
    rows.push_back(r);
  }
}

int main(int argc, char** argv) {
  const device_options o(argc, argv);
  if (!o.understood) {
    std::fputs("usage: sharing [--device NAME] [--json FILE] [--seconds S]\n", stderr);
    return 2;
  }
  tn::vulkan_context c(o.context());
  need(c);
  std::printf("device: %s\n%-10s %-16s %10s %7s  %-14s %10s %7s %7s\n", c.facts().device.c_str(),
              "name", "policy", "ms (best)", "GB/s", "peer", "ms (best)", "GB/s", "ratio");
  std::vector<row> rows;
  compare<1>(o, c, rows);
  compare<16>(o, c, rows);
  compare<64>(o, c, rows);
  if (!o.json.empty() && !write_json(o.json, "sharing", rows)) fail(o.json + " cannot be written");
  return std::ranges::all_of(rows, [](const row& r) { return r.comparable(); }) ? 0 : 1;
}
