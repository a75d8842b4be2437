// A network between two shaders of a Vulkan program: it works in the program's own buffers, inside
// its own command buffer, and copies nothing.
//
// Each frame the program's first shader draws a picture, a network computes features of it, and the
// program's second shader reads those: one submission. The same frame with copies in between is
// timed beside it.
// SPDX-License-Identifier: MIT
// The program's choice for its own calls. tenon's calls name a dispatcher of their own.
#define VULKAN_HPP_DISPATCH_LOADER_DYNAMIC 1
#include <tenon/policy/vulkan/lease.hpp>
#include <tenon/reference.hpp>
#include <tenon/vulkan.hpp>
#include "../networks/weights.hpp"
#include "gpu.hpp"
#include "shaders.hpp"
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>
namespace tn = tenon;
using shaders::channels, shaders::colours, shaders::height, shaders::width, shaders::pixels;

VULKAN_HPP_DEFAULT_DISPATCH_LOADER_DYNAMIC_STORAGE

// ---- the network

inline constexpr auto features_of = [](auto picture) {
  auto a = tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      picture, tn::weight<"filter", float, channels, colours, 3, 3>);
  return tn::relu(a + tn::weight<"bias", float, channels, 1, 1>);
};
using net = tn::graph<features_of, tn::input<"picture", float, 1, colours, height, width>>;

using shared = tn::plan<net, tn::vulkan>;
using staged = tn::plan<net, tn::vulkan_staged>;
static_assert(shared::copies == 0 && shared::bytes_moved == 0);  // what this example is about
static_assert(staged::copies == 2);                              // the picture in, the features out
static_assert(shared::groups == 1);  // convolution, addition and relu are one kernel

// ---- the frame

/// The program's buffers and shaders.
struct scene {
  explicit scene(const gpu& g)
      : picture(g.make_buffer(colours * pixels * sizeof(float))),
        features(g.make_buffer(channels * pixels * sizeof(float))),
        heat(g.make_buffer(pixels * sizeof(float), true)),
        drawing(g.make_shader(tn::spirv::constant<shaders::draw>)),
        looking(g.make_shader(tn::spirv::constant<shaders::strongest>)) {}

  void draw(vk::CommandBuffer to, std::uint64_t frame) const {
    run(to, drawing, {picture.address, frame});
  }
  void look(vk::CommandBuffer to) const { run(to, looking, {features.address, heat.address}); }

  gpu_buffer picture, features, heat;
  gpu_shader drawing, looking;

 private:
  static void run(vk::CommandBuffer to, const gpu_shader& s,
                  const std::array<std::uint64_t, 2>& of) {
    to.bindPipeline(vk::PipelineBindPoint::eCompute, *s.pipeline);
    to.pushConstants(*s.layout, vk::ShaderStageFlagBits::eCompute, 0, sizeof of, of.data());
    to.dispatch((pixels + shaders::group - 1) / shaders::group, 1, 1);
  }
};

void need(const tn::error& e) {
  if (!e.ok()) throw std::runtime_error(describe(e));
}
void need(const tn::status& s) {
  if (!s.ok()) throw std::runtime_error(describe(s));
}
template <class T> T need(tn::result<T> r) {
  need(r.ok() ? tn::error{} : r.error());
  return std::move(*r);
}

/// The frame as it should be: all of it in one submission, in the buffers of the scene.
class without_copies {
 public:
  without_copies(const gpu& g, const scene& s, tn::vulkan_context& context,
                 const tn::model<net, tn::vulkan>& model)
      : gpu_(&g),
        scene_(&s),
        picture_(context, *s.picture.buffer),
        features_(context, *s.features.buffer),
        infer_(model) {}

  void operator()(std::uint64_t frame) {
    const auto picture = need(picture_.lend());  // tenon's alone, until the end of the frame
    const auto features = need(features_.lend());
    const vk::CommandBuffer commands = gpu_->begin();
    scene_->draw(commands, frame);
    need(infer_.call(tn::vulkan_commands{commands}, picture, features));  // and its barriers
    scene_->look(commands);
    gpu_->submit_and_wait();
  }
  /// Whether the network's operands are the scene's own buffers, at the addresses that the shaders
  /// use.
  bool uses_the_scene() {
    const auto picture = need(picture_.lend());
    const auto features = need(features_.lend());
    return same(picture, scene_->picture) && same(features, scene_->features);
  }

 private:
  template <class Lease> static bool same(const Lease& lent, const gpu_buffer& own) {
    return lent.memory()->buffer() == *own.buffer && lent.address() == own.address;
  }
  const gpu* gpu_;
  const scene* scene_;
  tn::vulkan_buffer<float, 1, colours, height, width> picture_;
  tn::vulkan_buffer<float, 1, channels, height, width> features_;
  tn::instance<tn::model<net, tn::vulkan>> infer_;
};

/// The same frame as programs do it whose library wants the numbers in memory of the host.
class with_copies {
 public:
  with_copies(const gpu& g, const scene& s, const tn::model<net, tn::vulkan_staged>& model)
      : gpu_(&g),
        scene_(&s),
        picture_(g.make_buffer(s.picture.bytes, true)),
        features_(g.make_buffer(s.features.bytes, true)),
        infer_(model) {}

  void operator()(std::uint64_t frame) {
    vk::CommandBuffer commands = gpu_->begin();
    scene_->draw(commands, frame);
    copy(commands, scene_->picture, picture_);
    gpu_->submit_and_wait();
    need(infer_(picture_.values(), features_.values()));
    commands = gpu_->begin();
    copy(commands, features_, scene_->features);
    scene_->look(commands);
    gpu_->submit_and_wait();
  }

 private:
  /// Between two dispatches, or before one; with the barriers that this needs.
  static void copy(vk::CommandBuffer to, const gpu_buffer& from, const gpu_buffer& into) {
    using stage = vk::PipelineStageFlagBits;
    const vk::MemoryBarrier all{vk::AccessFlagBits::eMemoryWrite,
                                vk::AccessFlagBits::eMemoryRead | vk::AccessFlagBits::eMemoryWrite};
    to.pipelineBarrier(stage::eAllCommands, stage::eTransfer, {}, all, {}, {});
    to.copyBuffer(*from.buffer, *into.buffer, vk::BufferCopy{0, 0, from.bytes});
    to.pipelineBarrier(stage::eTransfer, stage::eAllCommands | stage::eHost, {}, all, {}, {});
  }
  const gpu* gpu_;
  const scene* scene_;
  gpu_buffer picture_, features_;
  tn::instance<tn::model<net, tn::vulkan_staged>> infer_;
};

// ---- what is shown

using numbers = std::vector<float>;

/// The heat of a frame as the host computes it, with the policy that defines every result.
numbers expected(std::uint64_t frame, const networks::weights_in_order& weights) {
  numbers picture, features(channels * pixels), heat(pixels);
  for (unsigned colour = 0; colour < colours; ++colour)
    for (unsigned y = 0; y < height; ++y)
      for (unsigned x = 0; x < width; ++x)
        picture.push_back(shaders::ring(x, y, colour, static_cast<unsigned>(frame)));
  const tn::model<net, tn::reference> model{weights};
  tn::instance infer{model};
  need(infer(std::span(std::as_const(picture)), std::span(features)));
  for (std::size_t i = 0; i < heat.size(); ++i)
    for (std::size_t k = 0; k < channels; ++k)
      heat[i] = std::max(heat[i], features[k * pixels + i]);
  return heat;
}
/// The largest difference, relative to the largest number.
double apart(std::span<const float> found, const numbers& wanted) {
  float difference = 0, largest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const float own = std::abs(found[i] - wanted[i]);
    difference = own <= difference ? difference : own;  // a NaN counts
    largest = std::max(largest, std::abs(wanted[i]));
  }
  return static_cast<double>(difference / largest);
}

/// The shortest of many frames of both kinds, taken in turn, in milliseconds.
template <class A, class B> std::pair<double, double> race(A& one, B& other) {
  using clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::duration<double, std::milli>;
  const auto timed = [](auto& frame, std::uint64_t number, double& best) {
    const auto start = clock::now();
    frame(number);
    best = std::min(best, milliseconds(clock::now() - start).count());
  };
  std::pair<double, double> best{1e9, 1e9};
  const auto begin = clock::now();
  for (std::uint64_t i = 0; i < 5 || clock::now() - begin < std::chrono::seconds(1); ++i) {
    timed(one, i, best.first);
    timed(other, i, best.second);
  }
  return best;
}

/// Runs frame 7, and compares what the second shader made of it. False if it is wrong.
template <class Frame> bool check(const char* how, Frame& frame, const scene& s,
                                  const networks::weights_in_order& weights) {
  std::ranges::fill(s.heat.values(), -1.0f);
  frame(7);
  const double error = apart(s.heat.values(), expected(7, weights));
  std::printf("%-16s largest error against reference: %.1e\n", how, error);
  return error <= 1e-5;
}

int run() {
  const gpu own;
  const scene s(own);
  std::printf("%s; picture %d x %d, %d channels\n", own.name().c_str(), width, height, channels);

  const numbers values = networks::random_weights(net::view(), 1);
  const networks::weights_in_order weights{net::view(), values};
  tn::vulkan_context context{own.lend()};
  const tn::model<net, tn::vulkan> model{weights, context};
  const tn::model<net, tn::vulkan_staged> copying{weights, context};
  need(model.fault());
  need(copying.fault());
  without_copies shared_frame(own, s, context, model);
  with_copies staged_frame(own, s, copying);

  const int handles = context.live();
  bool right = check("without copies:", shared_frame, s, weights);
  const int made = context.live() - handles;
  right = shared_frame.uses_the_scene() && made == 0 && right;
  right = check("with copies:", staged_frame, s, weights) && right;

  std::printf("buffers of the network: %s; Vulkan objects that tenon made for them: %d\n",
              shared_frame.uses_the_scene() ? "the program's own" : "others", made);
  const auto [one, other] = race(shared_frame, staged_frame);
  std::printf("without copies: %.2f ms a frame, 1 submission, %d copies planned\n", one,
              shared::copies);
  std::printf("with copies:    %.2f ms a frame, 3 submissions, %d copies planned (%.1f MB)\n",
              other, staged::copies, static_cast<double>(staged::bytes_moved) / 1e6);
  std::printf("ratio: %.2f\n", other / one);
  return right ? 0 : 1;
}

int main() {
  try {
    return run();
  } catch (const no_vulkan& e) {
    std::printf("vulkan_app: no Vulkan here (%s): nothing to show\n", e.what());
    return 77;  // skipped, for those who run this as a test
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vulkan_app: %s\n", e.what());
    return 1;
  }
}
