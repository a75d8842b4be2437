// Networks of RTNeural's test suite, as Keras wrote them, against the results of Keras.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace tenon_test;
using json = nlohmann::json;

namespace {

const std::string folder = std::string(TENON_SHARED_DATA) + "/models/rtneural/";

std::vector<double> column(const std::string& path) {
  std::ifstream file(path);
  std::vector<double> r;
  for (double x; file >> x;) r.push_back(x);
  return r;
}
/// Nested lists as a tensor.
array array_of(const json& lists) {
  array r;
  r.is = reals({});
  const json* inner = &lists;
  while (inner->is_array()) {
    r.is.shape.extent[r.is.shape.rank++] = static_cast<tn::i64>(inner->size());
    inner = &(*inner)[0];
  }
  const auto flatten = [&](const auto& self, const json& x) -> void {
    if (x.is_array())
      for (const json& y : x) self(self, y);
    else
      r.at.push_back(static_cast<double>(x.get<float>()));
  };
  flatten(flatten, lists);
  return r;
}

/// A Keras model becomes a graph, layer by layer. Images are [1, time, features, channels],
/// sequences [1, 1, time, channels], single steps [time, channels].
class network {
 public:
  explicit network(const std::string& name) { std::ifstream(folder + name + ".json") >> model_; }
  tn::result<tn::table> build(const tn::shape& input) {
    y_ = b_.input("x", reals(input));
    int n = 0;
    for (const json& l : model_["layers"]) add(l, n++);
    return b_.finish({y_});
  }
  tn::const_view find(const tn::name& wanted) const noexcept {
    for (const auto& [label, w] : weights_)
      if (label == wanted)
        return {w.data.data(), tn::type::float32, w.shape, tn::dense(w.shape), true};
    return {};
  }

 private:
  struct stored {
    tn::shape shape;
    std::vector<float> data;
  };
  json model_;
  tn::builder b_;
  tn::builder::value y_;
  std::vector<std::pair<tn::name, stored>> weights_;

  tn::builder::value weight(const array& w, const tn::shape& s) {
    const tn::name label = tn::name("w") + static_cast<int>(weights_.size());
    weights_.push_back({label, {s, {}}});
    for (const double x : w.at) weights_.back().second.data.push_back(static_cast<float>(x));
    REQUIRE(s.count() == static_cast<tn::i64>(w.at.size()));
    return b_.weight(label, reals(s));
  }
  tn::builder::value weight(const array& w) { return weight(w, w.is.shape); }

  void add(const json& l, int number) {
    const std::string type = l["type"];
    std::vector<array> w;
    for (const json& x : l["weights"]) w.push_back(array_of(x));
    INFO("layer " << number << ", " << type);
    if (type == "dense" || type == "time-distributed-dense") {
      y_ = b_.add<tn::matmul_t>({}, {y_, weight(w[0])});
      if (w.size() > 1) y_ = b_.add<tn::add_t>({}, {y_, weight(w[1])});
    } else if (type == "gru") {
      return add_gru(w);  // its activations are WebNN's defaults
    } else if (type == "conv1d") {
      add_conv1d(l, w);
    } else if (type == "conv2d") {
      add_conv2d(l, w);
    } else if (type == "batchnorm" || type == "batchnorm2d") {
      add_normalization(l, w);
    } else if (type == "prelu") {
      const tn::i64 slopes = static_cast<tn::i64>(w[0].at.size());
      y_ = b_.add<tn::prelu_t>({}, {y_, weight(w[0], tn::extents(slopes))});
    } else {
      REQUIRE(type == "activation");
    }
    activate(l["activation"]);
  }
  /// A sequence [time, 1, channels]. Keras has weights the other way round, and its gates are z, r,
  /// n.
  void add_gru(const std::vector<array>& w) {
    const tn::i64 gates = w[0].is.shape[1];
    const auto turned = [&](const array& a) {
      const tn::i64 rows = a.is.shape[0], columns = a.is.shape[1];
      return weight(made(reals(tn::extents(1, columns, rows)),
                         [&](tn::i64 i) { return a[i % rows * columns + i / rows]; }));
    };
    const auto part = [&](tn::i64 row) {
      return weight(
          made(reals(tn::extents(1, gates)), [&](tn::i64 i) { return w[2][row * gates + i]; }));
    };
    const tn::gru_options o{.bias = true, .recurrentBias = true, .returnSequence = true};
    const tn::i64 steps = b_.type_of_value(y_).shape[0];
    y_ = b_.add_all<tn::gru_t>(o, {y_, turned(w[0]), turned(w[1]), part(0), part(1)})[1];
    y_ = b_.add<tn::reshape_t>({.newShape = {steps, 1, gates / 3}}, {y_});
  }
  /// Causal: the padding stands before the sequence.
  void add_conv1d(const json& l, const std::vector<array>& w) {
    const tn::shape k = w[0].is.shape;  // [taps, input channels / groups, output channels]
    const tn::i64 dilation = l["dilation"][0];
    const tn::conv2d_options o{.padding = {0, 0, (k[0] - 1) * dilation, 0},
                               .dilations = {1, dilation},
                               .groups = l["groups"],
                               .inputLayout = tn::image_layout::nhwc,
                               .filterLayout = tn::filter_layout::hwio};
    y_ =
        b_.add<tn::conv2d_t>(o, {y_, weight(w[0], tn::extents(1, k[0], k[1], k[2])), weight(w[1])});
  }
  /// Strides are along the features, dilations along the time. "same" pads both as Keras does.
  void add_conv2d(const json& l, const std::vector<array>& w) {
    const tn::i64 stride = l["strides"], dilation = l["dilation"], taps_t = l["kernel_size_time"],
                  taps_f = l["kernel_size_feature"];
    tn::conv2d_options o{.strides = {1, stride},
                         .dilations = {dilation, 1},
                         .inputLayout = tn::image_layout::nhwc,
                         .filterLayout = tn::filter_layout::hwio};
    if (l["padding"] == "same") {
      const tn::i64 features = l["num_features_in"], out = (features + stride - 1) / stride;
      const tn::i64 time = (taps_t - 1) * dilation,
                    beside = std::max<tn::i64>(0, (out - 1) * stride + taps_f - features);
      o.padding = {time / 2, time - time / 2, beside / 2, beside - beside / 2};
    }
    y_ = b_.add<tn::conv2d_t>(o, {y_, weight(w[0]), weight(w[1])});
  }
  /// Keras' order: scale, bias, mean, variance; without scale and bias the last two.
  void add_normalization(const json& l, const std::vector<array>& w) {
    const int rank = b_.type_of_value(y_).shape.rank;
    const tn::batchNormalization_options o{.axis = rank - 1, .epsilon = l["epsilon"]};
    if (w.size() == 2)
      y_ = b_.add<tn::batchNormalization_t>(o, {y_, weight(w[0]), weight(w[1])});
    else
      y_ = b_.add<tn::batchNormalization_t>(
          o, {y_, weight(w[2]), weight(w[3]), weight(w[0]), weight(w[1])});
  }
  void activate(const std::string& how) {
    const int rank = b_.type_of_value(y_).shape.rank;
    if (how == "tanh") y_ = b_.add<tn::tanh_t>({}, {y_});
    if (how == "relu") y_ = b_.add<tn::relu_t>({}, {y_});
    if (how == "elu") y_ = b_.add<tn::elu_t>({}, {y_});
    if (how == "sigmoid") y_ = b_.add<tn::sigmoid_t>({}, {y_});
    if (how == "softmax") y_ = b_.add<tn::softmax_t>({rank - 1}, {y_});
    REQUIRE((how.empty() || how == "tanh" || how == "relu" || how == "elu" || how == "sigmoid" ||
             how == "softmax"));
  }
};

void check_network(const std::string& name, const tn::shape& input) {
  if (!std::ifstream(folder + name + ".json")) tenon_test::skip("no " + folder + name + ".json");
  const std::vector<double> given_x = column(folder + name + "_x_python.csv"),
                            y = column(folder + name + "_y_python.csv");
  network net(name);
  const tn::result<tn::table> built = net.build(input);
  INFO(name << ": " << tn::text_of(built.error().what) << " " << built.error().op.c_str());
  REQUIRE(built.ok());
  const array x = given(reals(input), given_x);
  REQUIRE(x.count() == static_cast<tn::i64>(given_x.size()));
  const tn::model<tn::dynamic, tn::reference> defining(built->view(), net);
  const std::vector<array> wanted = call(defining, {x});
  const tn::model<tn::dynamic, tn::cpu> fast(built->view(), net);
  check_same(wanted, call(fast, {x}), "cpu");
  REQUIRE(wanted[0].at.size() == y.size());
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    most = std::max(most, std::abs(wanted[0].at[i] - y[i]));
    largest = std::max(largest, std::abs(y[i]));
  }
  std::printf("%s: largest difference %.2g of values up to %.2g\n", name.c_str(), most, largest);
  CHECK(most < 1e-5);
}

}  // namespace

TEST_CASE("dense layers with four activations give RTNeural's results") {
  check_network("dense", tn::extents(100, 1));
}
TEST_CASE("causal convolutions, normalization and prelu give RTNeural's results") {
  check_network("conv", tn::extents(1, 1, 100, 1));
}
TEST_CASE("convolutions over time and features give RTNeural's results") {
  check_network("conv2d", tn::extents(1, 50, 23, 1));
}
TEST_CASE("recurrent nets along a sequence give RTNeural's results") {
  check_network("gru", tn::extents(100, 1, 1));
  check_network("gru_1d", tn::extents(100, 1, 1));
}
