// What the digits example prints about the reports of all policies.
// SPDX-License-Identifier: MIT
#pragma once
#include "data.hpp"
#include "terminal.hpp"
#include <chrono>
#include <cmath>
#include <cstdio>

struct answer {
  std::array<float, 10> logits{}, probabilities{};
  int digit() const { return static_cast<int>(std::ranges::max_element(logits) - logits.begin()); }
};
/// What one policy did.
struct report {
  const char* policy = "";
  std::string device{};  ///< where it runs, if not on the processor like the others
  int steps = 0, crossings = 0, copies = 0;
  tenon::i64 arena_bytes = 0, live_bytes = 0, packed_bytes = 0;
  std::vector<answer> heldout{}, mnist{};
  std::chrono::duration<double, std::micro> best{}, median{};
};

inline int right(const std::vector<answer>& answers, const std::vector<int>& labels) {
  int count = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) count += answers[i].digit() == labels[i];
  return count;
}

/// Largest |a - b| relative to the largest |b|.
template <class A, class B> double apart(const A& a, const B& b) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference =
        std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return difference / largest;
}

/// Text in a field of `width` columns, at least.
inline std::string field(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}
/// Prints a line without the spaces at its end.
inline void print_line(const std::string& line) {
  std::puts(line.substr(0, line.find_last_not_of(' ') + 1).c_str());
}

/// One picture, and the answers of all policies beside it.
inline void show_digit(std::size_t number, const dataset& set, const std::vector<report>& reports,
                       bool ascii) {
  constexpr int rows = 22;  // shown; the digits are about 20 high
  const int width = std::clamp(66 / static_cast<int>(reports.size()) - 12, 4, 24);
  const image& picture = set.images[number];
  const int top = terminal::first_row(picture, rows);
  std::string title = "\n  ";
  title.append(field(
      "held-out image " + std::to_string(number) + ", a " + std::to_string(set.labels[number]),
      terminal::side));
  for (const report& r : reports)
    title.append("   ").append(
        field(std::string(r.policy) + " reads " + std::to_string(r.heldout[number].digit()),
              static_cast<std::size_t>(width + 9)));
  print_line(title);
  for (std::size_t i = 0; i < rows / 2; ++i) {
    std::string line = "  " + terminal::two_rows(picture, top + 2 * static_cast<int>(i), ascii);
    for (const report& r : reports) {
      if (i > 9) break;
      const float probability = r.heldout[number].probabilities[i];
      line.append("   ").append(std::to_string(i));
      line.append(terminal::rated(probability, width, ascii));
    }
    if (line.find_first_not_of(' ') != std::string::npos) print_line(line);
  }
}

/// The first three, and the one of which the network is least sure.
inline void show_digits(const dataset& set, const std::vector<report>& reports, bool ascii) {
  const auto sureness = [](const answer& a) { return *std::ranges::max_element(a.probabilities); };
  const auto& answers = reports.front().heldout;
  const auto hardest =
      static_cast<std::size_t>(std::ranges::min_element(answers, {}, sureness) - answers.begin());
  for (std::size_t i = 0; i < 3 && i < answers.size(); ++i)
    if (i != hardest) show_digit(i, set, reports, ascii);
  show_digit(hardest, set, reports, ascii);
  std::puts("  ^ the image of which the network is least sure");
}

/// Of the host's memory: of a device's the plan does not say it.
inline std::string least_bytes(const report& r) {
  return r.device.empty() ? std::to_string(r.live_bytes) : "-";
}
inline void show_plan(const std::vector<report>& reports) {
  std::puts("\nThe plan: made by the compiler, one for each policy.");
  std::printf("  %-12s%9s%14s%14s%14s%12s%9s\n", "policy", "steps", "arena bytes", "lower bound",
              "packed bytes", "crossings", "copies");
  for (const report& r : reports)
    std::printf("  %-12s%9d%14lld%14s%14lld%12d%9d\n", r.policy, r.steps,
                static_cast<long long>(r.arena_bytes), least_bytes(r).c_str(),
                static_cast<long long>(r.packed_bytes), r.crossings, r.copies);
  std::puts(
      "  steps: what runs, each some fused operators. arena: all memory between the steps; the "
      "live\n"
      "  bound is the least there can be. packed: weights kept in the policy's own layout.\n"
      "  crossings: tensors that go from one policy to another; copies: those that had to be "
      "copied.");
}

inline void show_times(const std::vector<report>& reports) {
  std::puts(
      "\nThe time of one inference: one thread, no allocation, no copy of inputs or outputs. A "
      "device\n"
      "has threads of its own; it is told to start and waited for each time.");
  std::printf("  %-12s%12s%12s%15s\n", "policy", "best us", "median us", "images per s");
  for (const report& r : reports)
    std::printf("  %-12s%12.1f%12.1f%15.0f\n", r.policy, r.best.count(), r.median.count(),
                1e6 / r.median.count());
}

inline void show_agreement(const std::vector<report>& reports,
                           const std::vector<std::array<double, 10>>& golden) {
  const report& first = reports.front();
  std::printf(
      "\nAgreement: largest difference, relative to the largest number of its vector. Exact are\n"
      "the logits that train.py computed in double precision for the first %zu images.\n",
      golden.size());
  std::printf("  %-12s%17s%17s%21s%19s\n", "policy",
              "logits:", "logits:", "probabilities:", "digits:");
  const std::string as = std::string("as ") + first.policy;
  std::printf("  %-12s%17s%17s%21s%19s\n", "", "exact", as.c_str(), as.c_str(), as.c_str());
  for (const report& r : reports) {
    double exact = 0, logits = 0, probabilities = 0;
    int same = 0;
    for (std::size_t i = 0; i < golden.size() && i < r.heldout.size(); ++i)
      exact = std::max(exact, apart(r.heldout[i].logits, golden[i]));
    for (std::size_t i = 0; i < r.heldout.size(); ++i) {
      logits = std::max(logits, apart(r.heldout[i].logits, first.heldout[i].logits));
      probabilities = std::max(probabilities,
                               apart(r.heldout[i].probabilities, first.heldout[i].probabilities));
      same += r.heldout[i].digit() == first.heldout[i].digit();
    }
    const std::string of = std::to_string(same) + " of " + std::to_string(r.heldout.size());
    std::printf("  %-12s%17.1e%17.1e%21.1e%19s\n", r.policy, exact, logits, probabilities,
                of.c_str());
  }
}

inline void show_mnist(const fs::path& folder, const std::vector<report>& reports) {
  if (folder.empty()) return;
  std::puts("\nTen digits of MNIST, of which the network has never seen one:");
  for (const report& r : reports) {
    if (r.mnist.empty()) continue;
    std::printf("  mnist: %d of 10 right on %s, read as",
                right(r.mnist, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), r.policy);
    for (const answer& a : r.mnist) std::printf(" %d", a.digit());
    std::puts("");
  }
  if (reports.front().mnist.empty())
    std::printf("  mnist: skipped, there is no folder %s\n", folder.c_str());
}
