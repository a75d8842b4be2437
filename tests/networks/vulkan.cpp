// Networks on `vulkan` and `vulkan_staged`: what `reference` gives, within 1e-4 in the Euclidean
// norm; and trained readers of digits on real images.
// SPDX-License-Identifier: MIT
#include <tenon/load/safetensors.hpp>
#include "../../examples/digits/data.hpp"
#include "../../examples/networks/digits.hpp"
#include "../../examples/networks/encoder.hpp"
#include "../../examples/networks/lenet.hpp"
#include "../../examples/networks/mobilenetv2.hpp"
#include "../../examples/networks/resnet50.hpp"
#include "../../examples/networks/squeezenet11.hpp"
#include "devices.hpp"

namespace tn = tenon;
using namespace tenon_test;

namespace {

constexpr double most = 1e-4;

void check_both(const tn::result<tn::table>& built) {
  check_devices<tn::vulkan, tn::vulkan_staged>(built);
}

using logits = std::array<float, 10>;
std::size_t digit_of(const logits& l) {
  return static_cast<std::size_t>(std::ranges::max_element(l) - l.begin());
}

/// A trained reader of digits as a static graph on one policy, called image by image.
template <class Graph, class Policy>
std::vector<logits> read_digits(const fs::path& weights, const std::vector<image>& images,
                                float scale) {
  const auto file = tn::safetensors::open(weights.c_str());
  INFO(describe(file.error()));
  REQUIRE(file.ok());
  const tn::model<Graph, Policy> model(*file);
  INFO(describe(model.fault()));
  REQUIRE(model.fault().ok());
  tn::instance reader(model);
  std::vector<logits> all;
  for (const image& pixels : images) {
    image scaled = pixels;
    for (float& p : scaled) p *= scale;
    logits probabilities{};
    REQUIRE(
        reader(std::span(scaled), std::span(all.emplace_back()), std::span(probabilities)).ok());
  }
  return all;
}
/// The largest distance of a logit, relative to the largest logit of its image.
template <class A, class B> double apart(const A& found, const B& wanted) {
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    double largest = 0, off = 0;
    for (std::size_t k = 0; k < 10; ++k) {
      largest = std::max(largest, std::fabs(static_cast<double>(wanted[i][k])));
      off = std::max(
          off, std::fabs(static_cast<double>(found[i][k]) - static_cast<double>(wanted[i][k])));
    }
    worst = std::max(worst, off / largest);
  }
  return worst;
}

}  // namespace

TEMPLATE_TEST_CASE("LeNet reads ten of ten digits on Vulkan, its logits as expected", "",
                   tn::vulkan, tn::vulkan_staged) {
  need_device<TestType>();
  const fs::path folder = fs::path(TENON_SHARED_DATA) / "models" / "lenet";
  if (!fs::is_directory(folder)) skip("no " + folder.string());
  const auto read = read_digits<networks::lenet::graph, TestType>(folder / "lenet.safetensors",
                                                                  read_mnist(folder), 255);
  std::ifstream file(folder / "expected_logits.json");
  const auto expected =
      nlohmann::json::parse(file).get<std::map<std::string, std::array<double, 10>>>();
  REQUIRE(read.size() == 10);
  std::vector<std::array<double, 10>> wanted;
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(digit_of(read[i]) == i);
    wanted.push_back(expected.at(std::to_string(i)));
  }
  CHECK(apart(read, wanted) <= most);
}

TEST_CASE("the reader of digits sees on Vulkan what it sees on reference") {
  need_device<tn::vulkan>();
  using graph = networks::digits::graph;
  const fs::path folder = "examples/digits";
  dataset heldout = read_heldout(folder);
  const auto golden = read_golden(folder / "logits.json");
  const fs::path weights = folder / "digits.safetensors";
  const auto wanted = read_digits<graph, tn::reference>(weights, heldout.images, 1);
  const auto found = read_digits<graph, tn::vulkan>(weights, heldout.images, 1);
  REQUIRE(found.size() == heldout.labels.size());
  CHECK(apart(found, wanted) <= most);
  CHECK(apart(found, golden) <= most);
  std::size_t right = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    right += digit_of(found[i]) == static_cast<std::size_t>(heldout.labels[i]);
  CHECK(right * 100 >= found.size() * 97);
}

TEST_CASE("MobileNetV2 on Vulkan gives the results of the reference") {
  check_both(networks::mobilenetv2::build(96));
}
TEST_CASE("SqueezeNet on Vulkan gives the results of the reference") {
  check_both(networks::squeezenet11::build(96));
}
TEST_CASE("ResNet-50 on Vulkan gives the results of the reference") {
  check_both(networks::resnet50::build(64));
}
TEST_CASE("the encoder on Vulkan gives the results of the reference") {
  check_both(networks::encoder::build(1, 24));
}
