// The table of WebNN's operators: name, operands, options.
// SPDX-License-Identifier: MIT
#include "operators.hpp"
#include <tenon/tenon.hpp>
#include <set>

namespace conformance {
namespace {

using value = builder::value;
using values = std::vector<value>;

/// A call as its operator reads it. Every argument must be read: one that nobody knows is a mistake
/// of this runner, not to be ignored.
class reading {
 public:
  reading(builder& to, const call& c, const named_values& known) : b(to), c_(c), known_(known) {
    for (const auto& [key, v] : c.arguments.items())
      if (key != "options") unread_.insert(key);
    for (const auto& [key, v] : options().items()) unread_.insert("options." + key);
    unread_.erase("options.label");  // a name for error messages
  }
  builder& b;

  /// An argument, or an option written as "options.name"; null when it is not there.
  const json* find(const std::string& path) {
    unread_.erase(path);
    const bool option = path.starts_with("options.");
    const json& all = option ? options() : c_.arguments;
    const auto found = all.find(option ? path.substr(8) : path);
    return found == all.end() ? nullptr : &*found;
  }
  const json& at(const std::string& path) {
    const json* found = find(path);
    if (found == nullptr) throw problem(c_.op + ": the argument " + path + " is missing");
    return *found;
  }
  bool has(const std::string& path) const {
    return std::find(c_.operands.begin(), c_.operands.end(), path) != c_.operands.end();
  }
  value named(const std::string& name) const {
    const auto found = known_.find(name);
    if (found == known_.end()) throw problem(c_.op + ": nothing is called '" + name + "'");
    return found->second;
  }
  value operand(const std::string& path) { return named(at(path).get<std::string>()); }
  /// Operands in order; those that are not there are left out.
  values operands(const std::vector<std::string>& paths) {
    values all;
    for (const std::string& path : paths)
      if (find(path) != nullptr) all.push_back(operand(path));
    return all;
  }

  /// All operands, in the order of the case.
  values operands() { return operands(c_.operands); }

  /// Options that are not there keep what they are.
  void get(const std::string& path, bool& x) {
    if (const json* j = find(path)) x = j->get<bool>();
  }
  void get(const std::string& path, float& x) {
    if (const json* j = find(path)) x = static_cast<float>(real_of(*j));
  }
  void get(const std::string& path, double& x) {
    if (const json* j = find(path)) x = real_of(*j);
  }
  void get(const std::string& path, tn::any_number& x) {
    const json* j = find(path);
    if (j == nullptr) return;
    if (j->is_number_unsigned())
      x = j->get<std::uint64_t>();
    else if (j->is_number_integer())
      x = j->get<std::int64_t>();
    else
      x = real_of(*j);
  }
  void get(const std::string& path, i64& x) {
    if (const json* j = find(path)) read_number(*j, x);
  }
  void get(const std::string& path, tn::type& x) {
    if (const json* j = find(path)) x = type_named(j->get<std::string>());
  }
  void get(const std::string& path, tn::axis_list& x) {
    const json* j = find(path);
    if (j == nullptr) return;
    x = tn::axis_list({});
    for (const json& one : *j) {
      if (x.count < tn::max_rank) read_number(one, x.item[x.count]);
      ++x.count;
    }
  }
  void get(const std::string& path, tn::pair& x) {
    if (const json* j = find(path)) x = {whole(*j, 0, 2), whole(*j, 1, 2)};
  }
  void get(const std::string& path, tn::scale_pair& x) {
    const json* j = find(path);
    if (j == nullptr) return;
    if (j->size() != 2) throw problem(c_.op + ": " + path + " is not two numbers");
    x = {static_cast<float>(real_of((*j)[0])), static_cast<float>(real_of((*j)[1]))};
  }
  void get(const std::string& path, tn::edge& x) {
    if (const json* j = find(path))
      x = {whole(*j, 0, 4), whole(*j, 1, 4), whole(*j, 2, 4), whole(*j, 3, 4)};
  }
  void get(const std::string& path, tn::activation_list& x) {
    using enum tn::recurrent_activation;
    const json* j = find(path);
    if (j == nullptr) return;
    x = tn::activation_list({});
    for (const json& one : *j) {
      if (x.count >= 3) throw problem(c_.op + ": too many activations");
      x.item[x.count++] = one == "relu" ? relu : one == "sigmoid" ? sigmoid : tanh;
    }
  }
  /// An enumeration, by WebNN's names of its values.
  template <class E>
  void get(const std::string& path, E& x, const std::vector<std::pair<const char*, E>>& names) {
    const json* j = find(path);
    if (j == nullptr) return;
    for (const auto& [name, e] : names)
      if (*j == name) {
        x = e;
        return;
      }
    throw problem(c_.op + ": " + path + " has an unknown value " + j->dump());
  }

  /// Adds an operator and checks that nothing was left unread.
  template <class Op> value add(const typename Op::options& o, const values& in) {
    if (!unread_.empty()) throw problem(c_.op + ": this runner does not know " + *unread_.begin());
    return b.add<Op>(o, tn::list<value>{in.data(), static_cast<int>(in.size())});
  }
  /// The same for one with several results.
  template <class Op> values add_all(const typename Op::options& o, const values& in) {
    if (!unread_.empty()) throw problem(c_.op + ": this runner does not know " + *unread_.begin());
    const auto all = b.add_all<Op>(o, tn::list<value>{in.data(), static_cast<int>(in.size())});
    return values(all.begin(), all.end());
  }

 private:
  static i64 whole(const json& j, std::size_t i, std::size_t n) {
    if (j.size() != n) throw problem("not " + std::to_string(n) + " numbers: " + j.dump());
    i64 x = 0;
    read_number(j[i], x);
    return x;
  }
  const json& options() const {
    static const json none = json::object();
    const auto found = c_.arguments.find("options");
    return found == c_.arguments.end() ? none : *found;
  }
  const call& c_;
  const named_values& known_;
  std::set<std::string> unread_;
};

const std::vector<std::pair<const char*, tn::image_layout>> image_layouts = {
    {"nchw", tn::image_layout::nchw}, {"nhwc", tn::image_layout::nhwc}};

/// An operator without options.
template <class Op> values plain(reading& r) { return {r.add<Op>({}, r.operands())}; }
/// One operand and the options alpha and, where there is one, beta.
template <class Op> values activation(reading& r) {
  typename Op::options o;
  r.get("options.alpha", o.alpha);
  if constexpr (requires { o.beta; }) r.get("options.beta", o.beta);
  return {r.add<Op>(o, {r.operand("input")})};
}
values clamp(reading& r) {
  tn::clamp_options o;
  r.get("options.minValue", o.minValue);
  r.get("options.maxValue", o.maxValue);
  return {r.add<tn::clamp_t>(o, {r.operand("input")})};
}
values cast(reading& r) {
  tn::cast_options o;
  r.get("dataType", o.type);
  return {r.add<tn::cast_t>(o, {r.operand("input")})};
}

template <class Op> values reduce(reading& r) {
  tn::reduce_options o;
  r.get("options.axes", o.axes);
  r.get("options.keepDimensions", o.keepDimensions);
  return {r.add<Op>(o, {r.operand("input")})};
}
template <class Op> values position(reading& r) {
  typename Op::options o;
  r.get("axis", o.axis);
  r.get("options.keepDimensions", o.more.keepDimensions);
  r.get("options.outputDataType", o.more.outputDataType);
  return {r.add<Op>(o, {r.operand("input")})};
}

values gemm(reading& r) {
  tn::gemm_options o;
  r.get("options.alpha", o.alpha);
  r.get("options.beta", o.beta);
  r.get("options.aTranspose", o.aTranspose);
  r.get("options.bTranspose", o.bTranspose);
  return {r.add<tn::gemm_t>(o, r.operands({"a", "b", "options.c"}))};
}
values conv2d(reading& r) {
  using enum tn::filter_layout;
  tn::conv2d_options o;
  r.get("options.padding", o.padding);
  r.get("options.strides", o.strides);
  r.get("options.dilations", o.dilations);
  r.get("options.groups", o.groups);
  r.get("options.inputLayout", o.inputLayout, image_layouts);
  r.get("options.filterLayout", o.filterLayout,
        {{"oihw", oihw}, {"hwio", hwio}, {"ohwi", ohwi}, {"ihwo", ihwo}});
  return {r.add<tn::conv2d_t>(o, r.operands({"input", "filter", "options.bias"}))};
}
values convTranspose2d(reading& r) {
  using enum tn::transposed_filter_layout;
  tn::convTranspose2d_options o;
  r.get("options.padding", o.padding);
  r.get("options.strides", o.strides);
  r.get("options.dilations", o.dilations);
  r.get("options.outputPadding", o.outputPadding);
  r.get("options.outputSizes", o.outputSizes);
  r.get("options.groups", o.groups);
  r.get("options.inputLayout", o.inputLayout, image_layouts);
  r.get("options.filterLayout", o.filterLayout, {{"iohw", iohw}, {"hwoi", hwoi}, {"ohwi", ohwi}});
  return {r.add<tn::convTranspose2d_t>(o, r.operands({"input", "filter", "options.bias"}))};
}
template <class Op> values pool2d(reading& r) {
  tn::pool2d_options o;
  r.get("options.windowDimensions", o.windowDimensions);
  r.get("options.padding", o.padding);
  r.get("options.strides", o.strides);
  r.get("options.dilations", o.dilations);
  r.get("options.layout", o.layout, image_layouts);
  r.get("options.outputShapeRounding", o.outputShapeRounding,
        {{"floor", tn::rounding::floor}, {"ceil", tn::rounding::ceil}});
  r.get("options.outputSizes", o.outputSizes);
  return {r.add<Op>(o, {r.operand("input")})};
}

/// One operand and one list of axes or extents.
template <class Op, auto List> values shaped(reading& r, const char* path) {
  typename Op::options o;
  r.get(path, o.*List);
  return {r.add<Op>(o, {r.operand("input")})};
}
values reshape(reading& r) {
  return shaped<tn::reshape_t, &tn::reshape_options::newShape>(r, "newShape");
}
values expand(reading& r) {
  return shaped<tn::expand_t, &tn::expand_options::newShape>(r, "newShape");
}
values tile(reading& r) {
  return shaped<tn::tile_t, &tn::tile_options::repetitions>(r, "repetitions");
}
values transpose(reading& r) {
  return shaped<tn::transpose_t, &tn::transpose_options::permutation>(r, "options.permutation");
}
values reverse(reading& r) {
  return shaped<tn::reverse_t, &tn::reverse_options::axes>(r, "options.axes");
}
values slice(reading& r) {
  tn::slice_options o;
  r.get("starts", o.starts);
  r.get("sizes", o.sizes);
  r.get("options.strides", o.strides);
  return {r.add<tn::slice_t>(o, {r.operand("input")})};
}
values pad(reading& r) {
  using enum tn::padding_mode;
  tn::pad_options o;
  r.get("beginningPadding", o.beginningPadding);
  r.get("endingPadding", o.endingPadding);
  r.get("options.mode", o.mode,
        {{"constant", constant}, {"edge", edge}, {"reflection", reflection}});
  r.get("options.value", o.value);
  return {r.add<tn::pad_t>(o, {r.operand("input")})};
}
values triangular(reading& r) {
  tn::triangular_options o;
  r.get("options.upper", o.upper);
  r.get("options.diagonal", o.diagonal);
  return {r.add<tn::triangular_t>(o, {r.operand("input")})};
}
values resample2d(reading& r) {
  using enum tn::interpolation;
  tn::resample2d_options o;
  r.get("options.mode", o.mode, {{"nearest-neighbor", nearest_neighbor}, {"linear", linear}});
  r.get("options.scales", o.scales);
  r.get("options.sizes", o.sizes);
  r.get("options.axes", o.axes);
  return {r.add<tn::resample2d_t>(o, {r.operand("input")})};
}
values concat(reading& r) {
  tn::concat_options o;
  r.get("axis", o.axis);
  values in;
  for (const json& name : r.at("inputs")) in.push_back(r.named(name.get<std::string>()));
  return {r.add<tn::concat_t>(o, in)};
}
values split(reading& r) {
  tn::split_options o;
  r.get("options.axis", o.axis);
  const value input = r.operand("input");
  const json& splits = r.at("splits");
  const tn::shape s = r.b.type_of_value(input).shape;
  const i64 whole = o.axis < s.rank ? s[static_cast<int>(o.axis)] : 0;
  std::vector<i64> sizes;
  if (splits.is_array())
    for (const json& one : splits) read_number(one, sizes.emplace_back());
  else
    sizes.assign(splits.get<std::size_t>(), whole / splits.get<i64>());
  values parts;
  for (const i64 size : sizes) {
    o.size = size;
    parts.push_back(r.add<tn::split_t>(o, {input}));
    o.begin += size;
  }
  if (o.begin != whole) throw problem("split: the parts do not add up to the axis' extent");
  return parts;
}
template <class Op> values gather(reading& r) {
  tn::gather_options o;
  r.get("options.axis", o.axis);
  return {r.add<Op>(o, r.operands({"input", "indices"}))};
}
values scatterElements(reading& r) {
  tn::gather_options o;
  r.get("options.axis", o.axis);
  return {r.add<tn::scatterElements_t>(o, r.operands({"input", "indices", "updates"}))};
}

values softmax(reading& r) {
  tn::softmax_options o;
  r.get("axis", o.axis);
  return {r.add<tn::softmax_t>(o, {r.operand("input")})};
}
values batchNormalization(reading& r) {
  tn::batchNormalization_options o;
  r.get("options.axis", o.axis);
  r.get("options.epsilon", o.epsilon);
  o.scale = r.has("options.scale");
  return {r.add<tn::batchNormalization_t>(
      o, r.operands({"input", "mean", "variance", "options.scale", "options.bias"}))};
}
values instanceNormalization(reading& r) {
  tn::instanceNormalization_options o;
  r.get("options.epsilon", o.epsilon);
  r.get("options.layout", o.layout, image_layouts);
  o.scale = r.has("options.scale");
  return {r.add<tn::instanceNormalization_t>(
      o, r.operands({"input", "options.scale", "options.bias"}))};
}
values layerNormalization(reading& r) {
  tn::layerNormalization_options o;
  r.get("options.axes", o.axes);
  r.get("options.epsilon", o.epsilon);
  o.scale = r.has("options.scale");
  return {
      r.add<tn::layerNormalization_t>(o, r.operands({"input", "options.scale", "options.bias"}))};
}

values cumulativeSum(reading& r) {
  tn::cumulativeSum_options o;
  r.get("axis", o.axis);
  r.get("options.exclusive", o.exclusive);
  r.get("options.reversed", o.reversed);
  return {r.add<tn::cumulativeSum_t>(o, {r.operand("input")})};
}
const std::vector<std::pair<const char*, tn::gru_layout>> gru_layouts = {
    {"zrn", tn::gru_layout::zrn}, {"rzn", tn::gru_layout::rzn}};
const std::vector<std::pair<const char*, tn::lstm_layout>> lstm_layouts = {
    {"iofg", tn::lstm_layout::iofg}, {"ifgo", tn::lstm_layout::ifgo}};
/// What cells and nets have in common.
template <class Options> void recurrent(reading& r, Options& o) {
  r.get("hiddenSize", o.hiddenSize);
  r.get("options.activations", o.activations);
  o.bias = r.has("options.bias");
  o.recurrentBias = r.has("options.recurrentBias");
  if constexpr (requires { o.peepholeWeight; }) o.peepholeWeight = r.has("options.peepholeWeight");
  if constexpr (requires { o.resetAfter; }) r.get("options.resetAfter", o.resetAfter);
}
template <class Options> void net(reading& r, Options& o) {
  using enum tn::recurrent_direction;
  recurrent(r, o);
  r.get("steps", o.steps);
  r.get("options.returnSequence", o.returnSequence);
  r.get("options.direction", o.direction,
        {{"forward", forward}, {"backward", backward}, {"both", both}});
  o.initialHiddenState = r.has("options.initialHiddenState");
  if constexpr (requires { o.initialCellState; })
    o.initialCellState = r.has("options.initialCellState");
}
values gruCell(reading& r) {
  tn::gruCell_options o;
  recurrent(r, o);
  r.get("options.layout", o.layout, gru_layouts);
  return {r.add<tn::gruCell_t>(o, r.operands({"input", "weight", "recurrentWeight", "hiddenState",
                                              "options.bias", "options.recurrentBias"}))};
}
values gru(reading& r) {
  tn::gru_options o;
  net(r, o);
  r.get("options.layout", o.layout, gru_layouts);
  return r.add_all<tn::gru_t>(
      o, r.operands({"input", "weight", "recurrentWeight", "options.bias", "options.recurrentBias",
                     "options.initialHiddenState"}));
}
values lstmCell(reading& r) {
  tn::lstmCell_options o;
  recurrent(r, o);
  r.get("options.layout", o.layout, lstm_layouts);
  return r.add_all<tn::lstmCell_t>(
      o, r.operands({"input", "weight", "recurrentWeight", "hiddenState", "cellState",
                     "options.bias", "options.recurrentBias", "options.peepholeWeight"}));
}
values lstm(reading& r) {
  tn::lstm_options o;
  net(r, o);
  r.get("options.layout", o.layout, lstm_layouts);
  return r.add_all<tn::lstm_t>(
      o, r.operands({"input", "weight", "recurrentWeight", "options.bias", "options.recurrentBias",
                     "options.peepholeWeight", "options.initialHiddenState",
                     "options.initialCellState"}));
}

using table_type = std::map<std::string, values (*)(reading&)>;
/// Operators of one form, and how each is read.
template <class... Op, class Reader>
void add_each(table_type& to, tn::operator_list<Op...>, Reader reader) {
  (to.emplace(Op::name, reader.template operator()<Op>()), ...);
}
const table_type operators = [] {
  table_type all = {
      // map
      {"cast", cast},
      {"clamp", clamp},
      // contract, window
      {"conv2d", conv2d},
      {"convTranspose2d", convTranspose2d},
      {"gemm", gemm},
      // move, gather
      {"concat", concat},
      {"expand", expand},
      {"gather", gather<tn::gather_t>},
      {"gatherElements", gather<tn::gatherElements_t>},
      {"pad", pad},
      {"reshape", reshape},
      {"reverse", reverse},
      {"scatterElements", scatterElements},
      {"slice", slice},
      {"split", split},
      {"tile", tile},
      {"transpose", transpose},
      {"triangular", triangular},
      // scan
      {"cumulativeSum", cumulativeSum},
      {"gru", gru},
      {"gruCell", gruCell},
      {"lstm", lstm},
      {"lstmCell", lstmCell},
      // compose
      {"batchNormalization", batchNormalization},
      {"instanceNormalization", instanceNormalization},
      {"layerNormalization", layerNormalization},
      {"resample2d", resample2d},
      {"softmax", softmax},
  };
  constexpr auto no_options = []<class Op>() { return plain<Op>; };
  add_each(all, tn::unary_operators{}, no_options);
  add_each(all, tn::binary_operators{}, no_options);
  add_each(all, tn::comparison_operators{}, no_options);
  add_each(all, tn::unary_logic_operators{}, no_options);
  add_each(all, tn::binary_logic_operators{}, no_options);
  using others = tn::operator_list<tn::dequantizeLinear_t, tn::gatherND_t, tn::matmul_t,
                                   tn::quantizeLinear_t, tn::scatterND_t, tn::where_t>;
  add_each(all, others{}, no_options);
  add_each(all, tn::activation_operators{}, []<class Op>() { return activation<Op>; });
  add_each(all, tn::reduce_operators{}, []<class Op>() { return reduce<Op>; });
  add_each(all, tn::arg_operators{}, []<class Op>() { return position<Op>; });
  add_each(all, tn::pool2d_operators{}, []<class Op>() { return pool2d<Op>; });
  return all;
}();

}  // namespace

void add(builder& b, const call& c, named_values& known) {
  const auto found = operators.find(c.op);
  if (found == operators.end()) throw problem("the library has no operator " + c.op);
  reading r(b, c, known);
  const values out = found->second(r);
  if (out.size() != c.outputs.size())
    throw problem(c.op + " has " + std::to_string(out.size()) + " outputs");
  for (std::size_t i = 0; i < out.size(); ++i) known[c.outputs[i]] = out[i];
}

}  // namespace conformance
