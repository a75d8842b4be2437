// Reads handwritten digits on every policy: what each sees, how it plans, how long it takes, and
// how well they agree. train.py made the network and the data.
// SPDX-License-Identifier: MIT
#include "../networks/digits.hpp"
#include <tenon/load/safetensors.hpp>
#include "../policies.hpp"
#include "show.hpp"
#include <string_view>
namespace tn = tenon;

using net = networks::digits::graph;

struct options {
  fs::path data, mnist;
  bool ascii = false, help = false;
};
struct usage_error : std::runtime_error {
  using runtime_error::runtime_error;
};

template <class Instance> answer infer(Instance& instance, const image& picture) {
  answer a;
  const tn::status s =
      instance(std::span(picture), std::span(a.logits), std::span(a.probabilities));
  if (!s.ok()) throw std::runtime_error(describe(s));
  return a;
}

template <class Instance>
void measure(Instance& instance, const std::vector<image>& images, report& r) {
  using clock = std::chrono::steady_clock;
  std::vector<clock::duration> each;
  const auto begin = clock::now();
  while (each.size() < 20 ||
         (each.size() < 5000 && clock::now() - begin < std::chrono::milliseconds(400))) {
    const image& picture = images[each.size() % images.size()];
    const auto start = clock::now();
    (void)infer(instance, picture);
    each.push_back(clock::now() - start);
  }
  std::ranges::sort(each);
  r.best = each.front();
  r.median = each[each.size() / 2];
}

/// The groups that run; those of reshapes that became views do not.
int steps_of(const tn::plan_view& p) {
  int steps = 0;
  for (int g = 0; g < p.groups.size; ++g) steps += p.group_of[p.groups[g].anchor] == g;
  return steps;
}

template <class Policy> report examine(const tn::safetensors& weights,
                                       const std::vector<image>& heldout,
                                       const std::vector<image>& mnist) {
  const tn::model<net, Policy> model{weights};
  if (!model.fault().ok()) throw std::runtime_error("weights: " + describe(model.fault()));
  tn::instance instance{model};
  using plan = tn::plan<net, Policy>;
  report r{.policy = Policy::name,
           .device = device_of<Policy>(),
           .steps = steps_of(model.plan_of()),
           .crossings = plan::crossings,
           .copies = plan::copies,
           .arena_bytes = plan::arena_bytes + plan::template device_bytes<0>,
           .live_bytes = plan::live_bytes,
           .packed_bytes = plan::packed_bytes};
  for (const image& picture : heldout) r.heldout.push_back(infer(instance, picture));
  for (const image& picture : mnist) r.mnist.push_back(infer(instance, picture));
  measure(instance, heldout, r);
  return r;
}

/// The folder with the weights and the data: where the sources were, else beside the executable.
fs::path default_data() {
  const fs::path source = TENON_DIGITS_DATA;
  if (fs::is_directory(source)) return source;
  std::error_code unknown;
  const fs::path beside =
      fs::read_symlink("/proc/self/exe", unknown).parent_path() / "../../examples/digits";
  return fs::is_directory(beside) ? beside.lexically_normal() : source;
}

options parse(int argc, char** argv) {
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--ascii")
      o.ascii = true;
    else if (word == "--help")
      o.help = true;
    else if (word != "--data" && word != "--mnist")
      throw usage_error("unknown argument " + std::string(word));
    else if (i + 1 == argc || *argv[i + 1] == 0)
      throw usage_error(std::string(word) + " needs a folder");
    else
      (word == "--data" ? o.data : o.mnist) = argv[++i];
  }
  if (o.data.empty()) o.data = default_data();
  return o;
}

void print_help() {
  std::puts(
      "usage: digits [--data DIR] [--mnist DIR] [--ascii]\n"
      "Reads the held-out handwritten digits of examples/digits on every policy.\n"
      "  --data DIR   digits.safetensors, heldout-images.idx, heldout-labels.idx, logits.json\n"
      "  --mnist DIR  also reads DIR/0.idx to DIR/9.idx; without a DIR there it says so\n"
      "  --ascii      pictures and bars without Unicode\n"
      "Exit status: 0 done, 1 a file is missing or corrupt, 2 wrong usage.");
}

void run(const options& o) {
  const fs::path path = o.data / "digits.safetensors";
  const auto weights = tn::safetensors::open(path.c_str());
  if (!weights) fail(path, describe(weights.error()));
  const dataset heldout = read_heldout(o.data);
  const auto golden = read_golden(o.data / "logits.json");
  const auto mnist = read_mnist(o.mnist);
  std::vector<report> reports;
  std::string where;
  policies::each([&]<class Policy>() {
    if (const tn::error e = missing<Policy>(); !e.ok())
      where += std::string(Policy::name) + ": not on this machine: " + describe(e) + "\n";
    else
      reports.push_back(examine<Policy>(*weights, heldout.images, mnist));
  });
  for (const report& r : reports)
    if (!r.device.empty()) where += std::string(r.policy) + ": on " + r.device + "\n";

  std::printf(
      "A small convolutional network reads handwritten digits. Left: what it is given. Right: how\n"
      "probable it finds each digit, on every policy (a policy is what computes).\n%s",
      where.c_str());
  show_digits(heldout, reports, o.ascii);
  show_plan(reports);
  show_times(reports);
  show_agreement(reports, golden);
  show_mnist(o.mnist, reports);
  std::puts("");
  for (const report& r : reports)
    std::printf("digits: %d of %zu held-out right on %s\n", right(r.heldout, heldout.labels),
                heldout.labels.size(), r.policy);
}

int main(int argc, char** argv) {
  try {
    const options o = parse(argc, argv);
    if (o.help)
      print_help();
    else
      run(o);
    return 0;
  } catch (const usage_error& e) {
    std::fprintf(stderr, "digits: %s\ndigits --help says more\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "digits: %s\n", e.what());
    return 1;
  }
}
