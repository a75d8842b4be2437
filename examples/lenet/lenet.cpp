// Reads handwritten digits with LeNet, its weights taken from a safetensors file where they lie.
// SPDX-License-Identifier: MIT
#include "../networks/lenet.hpp"
#include <tenon/base/describe.hpp>
#include <tenon/load/safetensors.hpp>
#include "../idx.hpp"
#include "../policies.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>
namespace tn = tenon;

using net = networks::lenet::graph;

enum exit_code { success = 0, bad_data = 1, bad_usage = 2, no_device = 3 };

struct options {
  const char* weights = nullptr;
  std::string_view policy = tn::cpu::name;
  bool json = false, help = false;
  std::vector<const char*> images;
};

std::string known_policies() {
  std::string text;
  for (const char* name : policies::names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

void print_help() {
  std::printf(
      "usage: lenet --weights F.safetensors [--policy NAME] [--json] IMAGE.idx...\n"
      "Reads handwritten digits. An image is an IDX file of one picture, 28 x 28 bytes.\n"
      "  --weights F    the trained network: conv1, conv2, fc1, fc2, each with .weight and .bias\n"
      "  --policy NAME  what computes: %s (default: %s)\n"
      "  --json         a JSON object per line: image, digit, logits, probabilities\n"
      "Prints a line `IMAGE digit probability` for each image, in the order given. An image\n"
      "that cannot be read is reported on stderr and the others are still read.\n"
      "Exit status: 0 all images read, 1 weights or an image were refused, 2 wrong usage, 3 the\n"
      "policy's device is not there.\n",
      known_policies().c_str(), options{}.policy.data());
}

/// Fills `o`. Error: what is wrong with the arguments, in words; empty if nothing is.
std::string parse(int argc, char** argv, options& o) {
  bool only_images = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool option = !only_images && word.starts_with("--");
    if (!option) {
      o.images.push_back(argv[i]);
    } else if (word == "--") {
      only_images = true;
    } else if (word == "--json") {
      o.json = true;
    } else if (word == "--help") {
      o.help = true;
    } else if (word == "--weights" || word == "--policy") {
      if (++i == argc) return std::string(word) + " needs a value";
      if (word == "--weights")
        o.weights = argv[i];
      else
        o.policy = argv[i];
    } else {
      return "unknown option " + std::string(word);
    }
  }
  const bool known = std::ranges::find(policies::names, o.policy) != std::end(policies::names);
  if (o.help) return {};
  if (!known) return "unknown policy '" + std::string(o.policy) + "'; known: " + known_policies();
  if (o.weights == nullptr) return "--weights is missing";
  if (o.images.empty()) return "no image given";
  return {};
}

struct answer {
  std::array<float, 10> logits{}, probabilities{};
  int digit() const { return static_cast<int>(std::ranges::max_element(logits) - logits.begin()); }
};

/// The value with nine significant digits: enough to give every float back.
double nine_digits(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return std::stod(text);
}

void print(const char* image, const answer& a, bool json) {
  const int digit = a.digit();
  if (!json) {
    std::printf("%s %d %.9f\n", image, digit,
                static_cast<double>(a.probabilities[static_cast<unsigned>(digit)]));
    return;
  }
  nlohmann::ordered_json line{
      {"image", image}, {"digit", digit}, {"logits", {}}, {"probabilities", {}}};
  for (const float x : a.logits) line["logits"].push_back(nine_digits(x));
  for (const float x : a.probabilities) line["probabilities"].push_back(nine_digits(x));
  // A file's name need not be UTF-8, JSON must be.
  std::puts(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void complain(const char* about, const std::string& text) {
  const bool named = text.starts_with(about);  // an error of opening it
  std::fprintf(stderr, "lenet: %s%s%s\n", named ? "" : about, named ? "" : ": ", text.c_str());
}

/// The pixels as the network wants them, 0 to 255. Error: those of idx_file; extent.
tn::result<std::array<float, 784>> load(const char* path) {
  const auto file = idx_file::open(path, 3);
  if (!file) return file.error();
  constexpr tn::shape wanted = tn::extents(1, 28, 28);
  if (file->extents() != wanted)
    return tn::error{tn::code::extent, "lenet", "image", wanted, file->extents()};
  std::array<float, 784> pixels;
  std::ranges::transform(file->bytes(), pixels.begin(),
                         [](unsigned char b) { return static_cast<float>(b); });
  return pixels;
}

template <class Policy> int read_images(const options& o, const tn::safetensors& weights) {
  if (const tn::error e = missing<Policy>(); !e.ok()) {
    complain(Policy::name, "not on this machine: " + describe(e));
    return no_device;
  }
  const tn::model<net, Policy> model{weights};
  if (!model.fault().ok()) {
    complain(o.weights, describe(model.fault()));
    return bad_data;
  }
  tn::instance infer{model};
  int code = success;
  for (const char* path : o.images) {
    const auto refuse = [&](const std::string& why) {
      complain(path, why);
      code = bad_data;
    };
    const auto image = load(path);
    answer a;
    if (!image)
      refuse(describe(image.error()));
    else if (const tn::status s =
                 infer(std::span(image.value()), std::span(a.logits), std::span(a.probabilities));
             !s.ok())
      refuse(describe(s));
    else if (!std::ranges::all_of(a.logits, [](float x) { return std::isfinite(x); }))
      refuse("the network's answer is not finite; are these the right weights?");
    else
      print(path, a, o.json);
  }
  return code;
}

int main(int argc, char** argv) {
  options o;
  if (const std::string wrong = parse(argc, argv, o); !wrong.empty()) {
    std::fprintf(stderr, "lenet: %s\nlenet --help says more\n", wrong.c_str());
    return bad_usage;
  }
  if (o.help) {
    print_help();
    return success;
  }
  const auto weights = tn::safetensors::open(o.weights);
  if (!weights) {
    complain(o.weights, describe(weights.error()));
    return bad_data;
  }
  int code = bad_usage;
  policies::each([&]<class Policy>() {
    if (o.policy == Policy::name) code = read_images<Policy>(o, *weights);
  });
  if (std::fflush(stdout) != 0) {
    complain("output", "cannot be written");
    return bad_data;
  }
  return code;
}
