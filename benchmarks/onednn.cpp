// oneDNN as a peer.
// SPDX-License-Identifier: MIT
#include "onednn.hpp"
#include <dnnl.hpp>
#include <memory>
#include <omp.h>
#include <unordered_map>
#include <utility>

namespace onednn {
namespace {
using dnnl::memory;
using tag = memory::format_tag;

memory::desc floats(memory::dims extents, tag layout) {
  return {std::move(extents), memory::data_type::f32, layout};
}

/// oneDNN 3 makes a primitive's description in one step, oneDNN 2 in two.
template <class Primitive, class... Arguments> auto describe(const dnnl::engine& engine,
                                                             const dnnl::primitive_attr& attributes,
                                                             const Arguments&... arguments) {
  using description = typename Primitive::primitive_desc;
  if constexpr (requires { typename Primitive::desc; })
    return description(typename Primitive::desc(arguments...), attributes, engine);
  else
    return description(engine, arguments..., attributes);
}

/// The function that follows; oneDNN 2 wants a scale in front.
template <class Operations> Operations relu() {
  Operations o;
  constexpr auto kind = dnnl::algorithm::eltwise_relu;
  if constexpr (requires { o.append_eltwise(kind, 0.0f, 0.0f); })
    o.append_eltwise(kind, 0.0f, 0.0f);
  else
    o.append_eltwise(1.0f, kind, 0.0f, 0.0f);
  return o;
}

/// A primitive with its arrays. Weights are packed once, images at every call.
struct operation {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  numbers input, weights, bias, result;
  std::vector<std::pair<dnnl::primitive, std::unordered_map<int, memory>>> steps;
  int threads = 1;

  memory wrap(const memory::desc& d, numbers& data) { return memory(d, engine, data.data()); }
  /// `from` in the layout `wanted`, rewritten by a step of the call.
  memory before(memory from, const memory::desc& wanted) {
    if (from.get_desc() == wanted) return from;
    memory to(wanted, engine);
    steps.push_back({dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}});
    return to;
  }
  /// The same, once and for all.
  memory now(memory from, const memory::desc& wanted) {
    if (from.get_desc() == wanted) return from;
    memory to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }
  memory behind(memory to, const memory::desc& made) {
    return to.get_desc() == made ? to : memory(made, engine);
  }
  void call() {
    for (auto& [primitive, arguments] : steps) primitive.execute(stream, arguments);
    stream.wait();
  }
};

contender enter(std::shared_ptr<operation> o) {
  const auto run = [o](double seconds) {
    omp_set_num_threads(o->threads);
    return time_calls(seconds, [&] { o->call(); });
  };
  return {"oneDNN", run, [o] { return o->result; }};
}
}  // namespace

std::optional<contender> gemm(int n, const numbers& a, const numbers& b, int threads) {
  omp_set_num_threads(threads);
  auto o = std::make_shared<operation>();
  o->threads = threads;
  o->input = a;
  o->weights = b;
  o->result.resize(a.size());
  const memory::desc plain = floats({n, n}, tag::ab), any = floats({n, n}, tag::any);
  const auto chosen = describe<dnnl::matmul>(o->engine, {}, plain, any, plain);
  const memory packed = o->now(o->wrap(plain, o->weights), chosen.weights_desc());
  o->steps.push_back({dnnl::matmul(chosen),
                      {{DNNL_ARG_SRC, o->wrap(plain, o->input)},
                       {DNNL_ARG_WEIGHTS, packed},
                       {DNNL_ARG_DST, o->wrap(plain, o->result)}}});
  return enter(o);
}

std::optional<contender> conv(int channels, int extent, const numbers& image,
                              const numbers& weights_and_bias, int threads) {
  omp_set_num_threads(threads);
  auto o = std::make_shared<operation>();
  o->threads = threads;
  o->input = image;
  const auto split = weights_and_bias.end() - channels;
  o->weights.assign(weights_and_bias.begin(), split);
  o->bias.assign(split, weights_and_bias.end());
  o->result.resize(image.size());
  const memory::dims images{1, channels, extent, extent}, filters{channels, channels, 3, 3};
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(relu<dnnl::post_ops>());
  const memory::dims ones{1, 1};
  const memory::desc any = floats(images, tag::any);
  const auto chosen = describe<dnnl::convolution_forward>(
      o->engine, attributes, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto,
      any, floats(filters, tag::any), floats({channels}, tag::x), any, ones, ones, ones);
  const memory packed =
      o->now(o->wrap(floats(filters, tag::oihw), o->weights), chosen.weights_desc());
  const memory bias = o->wrap(floats({channels}, tag::x), o->bias);
  const memory result = o->wrap(floats(images, tag::nchw), o->result);
  const memory source = o->before(o->wrap(floats(images, tag::nchw), o->input), chosen.src_desc());
  const memory made = o->behind(result, chosen.dst_desc());
  o->steps.push_back({dnnl::convolution_forward(chosen),
                      {{DNNL_ARG_SRC, source},
                       {DNNL_ARG_WEIGHTS, packed},
                       {DNNL_ARG_BIAS, bias},
                       {DNNL_ARG_DST, made}}});
  if (made != result)
    o->steps.push_back(
        {dnnl::reorder(made, result), {{DNNL_ARG_FROM, made}, {DNNL_ARG_TO, result}}});
  return enter(o);
}

}  // namespace onednn
