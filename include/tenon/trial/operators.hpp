// The operators that random graphs are made of: one entry for each, which draws its operands and
// options. A new operator is a new entry.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/graph.hpp>
#include <tenon/trial/program.hpp>

namespace tenon::trial {

/// Adds one operator with random operands to a graph; -1 if it could not.
struct operator_entry {
  const char* name;
  int (*add)(maker& m);
};

namespace draw {

inline constexpr type all_types[] = {type::float32, type::int32,  type::uint8, type::float16,
                                     type::int64,   type::uint32, type::int8,  type::uint64};
/// float32, or float16 for once.
inline type real_type(maker& m) { return m.decide.one_in(6) ? type::float16 : type::float32; }
/// An element type that operand `k` of an element-wise operator may have; float32 is the simplest.
template <class Op> type type_for(maker& m, int k = 0) {
  std::vector<type> accepted;
  for (const type t : all_types)
    if (Op::accepts(k, t)) accepted.push_back(t);
  const int n = static_cast<int>(accepted.size());
  return accepted[static_cast<std::size_t>(m.decide.one_in(2) ? m.decide.below(n) : 0)];
}
/// Element-wise operators with one operand and no options.
template <class Op> int unary(maker& m) { return m.add<Op>({}, {m.any(type_for<Op>(m))}); }

/// Element-wise operators with two operands that broadcast.
template <class Op> int binary(maker& m) {
  const type t = type_for<Op>(m);
  const int a = m.any(t), b = m.any_beside(m.shape_of(a), t);
  return m.decide.one_in(2) ? m.add<Op>({}, {b, a}) : m.add<Op>({}, {a, b});
}
inline float small_number(maker& m) {
  constexpr float usual[] = {1.0f, 0.0f, -1.0f, 0.5f,   2.0f, -0.0f,
                             0.1f, 6.0f, -3.5f, 1e-30f, 1e30f};
  return m.decide.pick(usual);
}
/// `x + 2.0f` and `2.0f + x`.
template <class Op, bool NumberFirst> int number(maker& m, const char* spelled) {
  constexpr double whole[] = {1, 0, -1, 2, 7, -100, 16777217, 2147483647, -2147483648.0, 0.5};
  const type t = type_for<Op>(m);
  const double value = is_real(t) ? static_cast<double>(small_number(m)) : m.decide.pick(whole);
  return m.add<maps::with_number<Op, NumberFirst>>({value}, {m.any(t)},
                                                   std::string("tn::maps::with_number<tn::") +
                                                       spelled +
                                                       (NumberFirst ? "_t, true>" : "_t, false>"));
}
inline int clamp(maker& m) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float low = m.decide.one_in(3) ? -infinity : small_number(m),
              high = m.decide.one_in(3) ? infinity : small_number(m);
  return m.add<clamp_t>(low > high ? clamp_options{high, low} : clamp_options{low, high},
                        {m.any(type_for<clamp_t>(m))});
}

/// Element-wise operators whose options are one or two numbers.
template <class Op> int with_options(maker& m) {
  typename Op::options o;
  each_field(o, [&](float& number) {
    if (m.decide.one_in(2)) number = small_number(m);
  });
  return m.add<Op>(o, {m.any(real_type(m))});
}
inline int where(maker& m) {
  const int condition = m.any(type::uint8);
  const type t = type_for<where_t>(m, 1);
  const int a = m.any_beside(m.shape_of(condition), t);
  const shape &s = m.shape_of(condition), &u = m.shape_of(a);
  return m.add<where_t>({}, {condition, a, m.any_beside(u.rank > s.rank ? u : s, t)});
}
inline int cast(maker& m) {
  const type to = type_for<cast_t>(m);
  return m.add<cast_t>({to}, {m.any(type_for<cast_t>(m))});
}

inline int program(maker& m) {
  const int arity = m.decide.one_in(4) ? m.decide.in(1, max_operands) : m.decide.in(1, 3);
  const auto any_type = [&] {
    return m.decide.one_in(6) ? type_for<identity_t>(m) : type::float32;
  };
  std::vector<int> operands{m.any(any_type())};
  shape s = m.shape_of(operands[0]);
  while (static_cast<int>(operands.size()) < arity) {
    operands.push_back(m.any_beside(s, any_type()));
    shape t = m.shape_of(operands.back());
    if (t.rank > s.rank) std::swap(s, t);
    for (int i = 1; i <= t.rank; ++i)
      if (t[t.rank - i] > s[s.rank - i]) s.extent[s.rank - i] = t[t.rank - i];
    if (s.count() > m.most.elements) {
      operands.pop_back();
      break;
    }
  }
  std::vector<type> types;
  for (const int v : operands) types.push_back(m.at(v).type);
  const recorded p = programmer(m.decide, types).write();
  if (p.fault != code::ok || allocate(p.view()).registers > max_registers) return -1;
  return m.map(p, operands);
}

/// Axes of which each is taken by chance; all of them when not given.
inline axis_list some_axes(maker& m, int rank) {
  axis_list l;
  if (m.decide.one_in(6)) return l;
  l.count = 0;
  for (int i = rank - 1; i >= 0; --i)
    if (m.decide.one_in(2)) l.item[l.count++] = i;
  return l;
}
template <class Op> int reduce(maker& m) {
  const type t = m.decide.one_in(3) ? m.decide.pick(all_types) : type::float32;
  const int x = m.any(Op::accepts(t) ? t : type::float32);
  const axis_list axes = some_axes(m, m.shape_of(x).rank);
  return m.add<Op>({axes, m.decide.one_in(2)}, {x});
}
inline int softmax(maker& m) {
  const int x = m.any_of_rank(1, max_rank, real_type(m));
  const int rank = m.shape_of(x).rank;
  return m.add<softmax_t>({rank - 1 - m.decide.below(rank)}, {x});
}

template <class Op> int position(maker& m) {
  const int x = m.any_of_rank(1, max_rank, m.any_type());
  const int rank = m.shape_of(x).rank;
  const i64 axis = rank - 1 - m.decide.below(rank);
  const bool keep = m.decide.one_in(2);
  return m.add<Op>({axis, {keep, m.decide.one_in(3) ? type::int64 : type::int32}}, {x});
}
/// The operands behind the input of a normalization: of `s` each, `least` to `most` of them.
inline std::vector<int> affine(maker& m, int x, const shape& s, int least, int most) {
  std::vector<int> r{x};
  for (int n = m.decide.in(least, most); n > 0; --n) r.push_back(m.any_like({m.at(x).type, s}));
  return r;
}
inline int layerNormalization(maker& m) {
  const int x = m.any(real_type(m));
  layerNormalization_options o{some_axes(m, m.shape_of(x).rank)};
  o.scale = m.decide.one_in(2);
  const shape s = layerNormalization_t::affine(layerNormalization_t::axes_of(o, m.shape_of(x).rank),
                                               m.shape_of(x));
  return m.add<layerNormalization_t>(o, affine(m, x, s, 0, 2));
}
inline int batchNormalization(maker& m) {
  const int x = m.any_of_rank(1, max_rank, real_type(m));
  const int axis = m.decide.below(m.shape_of(x).rank);
  const batchNormalization_options o{axis, 1e-5f, m.decide.one_in(2)};
  return m.add<batchNormalization_t>(o, affine(m, x, extents(m.shape_of(x)[axis]), 2, 4));
}
inline int instanceNormalization(maker& m) {
  const int x = m.any_of_rank(4, 4, real_type(m));
  instanceNormalization_options o;
  if (m.decide.one_in(2)) o.layout = image_layout::nhwc;
  o.scale = m.decide.one_in(2);
  return m.add<instanceNormalization_t>(
      o, affine(m, x, extents(m.shape_of(x)[channel_axis(o.layout)]), 0, 2));
}
inline int attention(maker& m) {
  const int q = m.any_of_rank(3, 3, real_type(m));
  const shape s = m.shape_of(q);
  const i64 heads = s[2] % 2 == 0 && m.decide.one_in(2) ? 2
                    : m.decide.one_in(4)                ? s[2]
                                                        : 1,
            keys = m.extent(33), columns = heads * m.extent(8);
  if (!m.affords({s[0], s[1], keys, s[2] + columns})) return -1;
  const int k = m.any_like({m.at(q).type, extents(s[0], keys, s[2])}),
            v = m.any_like({m.at(q).type, extents(s[0], keys, columns)});
  if (m.decide.one_in(2)) return m.add<attention_t>({heads}, {q, k, v});
  return m.add<attention_t>(
      {heads}, {q, k, v, m.any_like({m.at(q).type, m.part_of(extents(s[0], heads, s[1], keys))})});
}

inline int cumulativeSum(maker& m) {
  const type t = m.any_type();
  const int x = m.any_of_rank(1, max_rank, t == type::int8 || t == type::uint8 ? type::float32 : t);
  const int rank = m.shape_of(x).rank;
  return m.add<cumulativeSum_t>(
      {rank - 1 - m.decide.below(rank), m.decide.one_in(2), m.decide.one_in(2)}, {x});
}
inline activation_list activations(maker& m, int count) {
  activation_list l;
  if (m.decide.one_in(2)) return l;
  l.count = count;
  for (int i = 0; i < count; ++i)
    l.item[i] = static_cast<recurrent_activation>(2 - m.decide.below(3));
  return l;
}
/// A cell where `states` is the number of its states, a net where it is 0.
template <class Op> int recurrent(maker& m, int gates, int states) {
  const bool cell = states > 0;
  const int x = m.any_of_rank(cell ? 2 : 3, cell ? 2 : 3, real_type(m));
  const shape s = m.shape_of(x);
  typename Op::options o;
  o.activations = activations(m, gates - 1);
  i64 nets = 1;
  if constexpr (requires { o.direction; }) {
    o.direction = static_cast<recurrent_direction>(m.decide.below(3));
    nets = o.direction == recurrent_direction::both ? 2 : 1;
  }
  const i64 hidden = m.extent(19), rows = s[s.rank - 2], inputs = s[s.rank - 1];
  if (!m.affords({nets, cell ? 1 : s[0], rows, gates * hidden, inputs + hidden})) return -1;
  std::vector<int> operands{x};
  const auto operand = [&](i64 a, i64 b) {
    const shape own = b == 0 ? extents(a) : extents(a, b);
    shape whole{own.rank + 1, {nets}};
    for (int i = 0; i < own.rank; ++i) whole.extent[i + 1] = own[i];
    operands.push_back(m.any_like({m.at(x).type, cell ? own : whole}));
  };
  const auto sometimes = [&](bool& there, i64 a, i64 b) {
    if ((there = m.decide.one_in(2))) operand(a, b);
  };
  operand(gates * hidden, inputs);
  operand(gates * hidden, hidden);
  for (int i = 0; i < states; ++i) operand(rows, hidden);
  sometimes(o.bias, gates * hidden, 0);
  sometimes(o.recurrentBias, gates * hidden, 0);
  if constexpr (requires { o.peepholeWeight; }) sometimes(o.peepholeWeight, 3 * hidden, 0);
  if constexpr (requires { o.initialHiddenState; }) sometimes(o.initialHiddenState, rows, hidden);
  if constexpr (requires { o.initialCellState; }) sometimes(o.initialCellState, rows, hidden);
  if constexpr (requires { o.resetAfter; }) o.resetAfter = m.decide.one_in(2);
  if constexpr (requires { o.returnSequence; }) o.returnSequence = m.decide.one_in(2);
  if (m.decide.one_in(2)) o.layout = static_cast<decltype(o.layout)>(1);
  return m.add<Op>(o, operands);
}
inline int gru(maker& m) { return recurrent<gru_t>(m, 3, 0); }
inline int gruCell(maker& m) { return recurrent<gruCell_t>(m, 3, 1); }
inline int lstm(maker& m) { return recurrent<lstm_t>(m, 4, 0); }
inline int lstmCell(maker& m) { return recurrent<lstmCell_t>(m, 4, 2); }

inline int matmul(maker& m) {
  const int a = m.any_of_rank(2, max_rank, real_type(m));
  const shape s = m.shape_of(a);
  shape t = s;
  const i64 columns = m.extent(67);
  t.extent[t.rank - 2] = s[s.rank - 1];
  t.extent[t.rank - 1] = columns;
  for (int i = 0; i + 2 < t.rank; ++i)
    if (m.decide.one_in(3)) t.extent[i] = 1;
  const int drop = t.rank > 2 && m.decide.one_in(3) ? m.decide.in(0, t.rank - 2) : 0;
  shape u{t.rank - drop, {}};
  for (int i = 0; i < u.rank; ++i) u.extent[i] = t[i + drop];
  if (!m.affords({s.count(), columns})) return -1;
  return m.add<matmul_t>({}, {a, m.any_like({m.at(a).type, u})});
}
inline int gemm(maker& m) {
  constexpr float factors[] = {1.0f, 1.0f, 0.5f, -2.0f, 0.0f};
  const int a = m.any_of_rank(2, 2, real_type(m));
  gemm_options o{m.decide.pick(factors), m.decide.pick(factors), m.decide.one_in(2),
                 m.decide.one_in(2)};
  const i64 rows = m.shape_of(a)[o.aTranspose], inner = m.shape_of(a)[!o.aTranspose],
            columns = m.extent(67);
  if (!m.affords({rows, inner, columns})) return -1;
  const int b =
      m.any_like({m.at(a).type, o.bTranspose ? extents(columns, inner) : extents(inner, columns)});
  if (!m.decide.one_in(2)) return m.add<gemm_t>(o, {a, b});
  return m.add<gemm_t>(o, {a, b, m.any_like({m.at(a).type, m.part_of(extents(rows, columns))})});
}

/// Padding, strides and dilations for which `taps` fit into an extent, mostly.
struct sliding {
  border padding{};
  pair taps{}, strides{}, dilations{};
};
inline sliding slide_over(maker& m, i64 height, i64 width) {
  const auto pad = [&] { return m.decide.one_in(3) ? m.decide.in(0, 3) : 0; };
  sliding s{{pad(), pad(), pad(), pad()}, {1, 1}, {1, 1}, {1, 1}};
  const auto one = [&](i64 room, i64& taps, i64& stride, i64& dilation) {
    taps = m.decide.in(1, room < 5 ? room : 5);
    stride = m.decide.one_in(3) ? m.decide.in(1, 4) : 1;
    const i64 most = taps > 1 ? (room - 1) / (taps - 1) : 3;
    dilation = m.decide.one_in(4) ? m.decide.in(1, most < 3 ? most : 3) : 1;
  };
  one(height + s.padding.begin(0) + s.padding.end(0), s.taps.height, s.strides.height,
      s.dilations.height);
  one(width + s.padding.begin(1) + s.padding.end(1), s.taps.width, s.strides.width,
      s.dilations.width);
  return s;
}
inline int conv2d(maker& m) {
  constexpr image_layout images[] = {image_layout::nchw, image_layout::nhwc};
  constexpr filter_layout filters[] = {filter_layout::oihw, filter_layout::hwio,
                                       filter_layout::ohwi, filter_layout::ihwo};
  conv2d_options o;
  o.inputLayout = m.decide.pick(images);
  o.filterLayout = m.decide.pick(filters);
  const int x = m.any_of_rank(4, 4, real_type(m));
  const shape s = m.shape_of(x);
  const i64 channels = s[channel_axis(o.inputLayout)];
  const sliding w =
      slide_over(m, s[spatial_axis(o.inputLayout, 0)], s[spatial_axis(o.inputLayout, 1)]);
  o.padding = w.padding;
  o.strides = w.strides;
  o.dilations = w.dilations;
  if (m.decide.one_in(2)) o.groups = m.decide.one_in(2) && channels % 2 == 0 ? 2 : channels;
  const i64 count = o.groups * m.extent(o.groups > 1 ? 4 : 40),
            of[] = {count, channels / o.groups, w.taps.height, w.taps.width};
  shape f{4, {}};
  for (int i = 0; i < 4; ++i) f.extent[conv2d_t::filter_axis(o.filterLayout, i)] = of[i];
  if (!m.affords({s.count(), count / o.groups, w.taps.height, w.taps.width})) return -1;
  const int filter = m.any_like({m.at(x).type, f});
  if (!m.decide.one_in(2)) return m.add<conv2d_t>(o, {x, filter});
  return m.add<conv2d_t>(o, {x, filter, m.any_like({m.at(x).type, extents(count)})});
}
inline int convTranspose2d(maker& m) {
  constexpr image_layout images[] = {image_layout::nchw, image_layout::nhwc};
  constexpr transposed_filter_layout filters[] = {transposed_filter_layout::iohw,
                                                  transposed_filter_layout::hwoi,
                                                  transposed_filter_layout::ohwi};
  convTranspose2d_options o;
  o.inputLayout = m.decide.pick(images);
  o.filterLayout = m.decide.pick(filters);
  const auto small = [&](i64 most) { return m.decide.one_in(2) ? m.decide.in(1, most) : 1; };
  const auto pad = [&] { return m.decide.one_in(3) ? m.decide.in(0, 3) : 0; };
  o.strides = {small(3), small(3)};
  o.dilations = {small(3), small(3)};
  o.padding = {pad(), pad(), pad(), pad()};
  if (m.decide.one_in(3))
    o.outputPadding = {m.decide.below(o.strides.height), m.decide.below(o.strides.width)};
  const int x = m.any_of_rank(4, 4);
  const shape s = m.shape_of(x);
  const i64 channels = s[channel_axis(o.inputLayout)];
  if (m.decide.one_in(2)) o.groups = m.decide.one_in(2) && channels % 2 == 0 ? 2 : channels;
  const i64 own = m.extent(o.groups > 1 ? 4 : 17), of[] = {own, channels, small(5), small(5)};
  shape f{4, {}};
  for (int i = 0; i < 4; ++i) f.extent[convTranspose2d_t::filter_axis(o.filterLayout, i)] = of[i];
  if (!m.affords({s.count(), own, of[2], of[3], 4})) return -1;
  const int filter = m.any_like({type::float32, f});
  if (!m.decide.one_in(2)) return m.add<convTranspose2d_t>(o, {x, filter});
  return m.add<convTranspose2d_t>(
      o, {x, filter, m.any_like({type::float32, extents(own * o.groups)})});
}
template <class Op> int pool2d(maker& m) {
  constexpr image_layout images[] = {image_layout::nchw, image_layout::nhwc};
  const int x = m.any_of_rank(4, 4, Op::how == combine::sum ? real_type(m) : m.any_type());
  const shape s = m.shape_of(x);
  pool2d_options o;
  o.layout = m.decide.pick(images);
  const sliding w = slide_over(m, s[spatial_axis(o.layout, 0)], s[spatial_axis(o.layout, 1)]);
  o.padding = w.padding;
  o.strides = w.strides;
  o.dilations = w.dilations;
  if (!m.decide.one_in(4)) o.windowDimensions = w.taps;
  if (m.decide.one_in(3)) o.outputShapeRounding = rounding::ceil;
  if (!m.affords({s.count(), w.taps.height, w.taps.width})) return -1;
  return m.add<Op>(o, {x});
}

inline int reshape(maker& m) {
  const int x = m.any(m.any_type());
  i64 left = m.shape_of(x).count();
  reshape_options o;
  o.newShape.count = left == 1 ? m.decide.in(0, 5) : m.decide.in(1, 5);
  for (int i = 0; i < o.newShape.count; ++i) o.newShape.item[i] = 1;
  for (i64 factor = 2; left > 1; ++factor)  // every prime factor goes to some axis
    for (; left % factor == 0; left /= factor)
      o.newShape.item[m.decide.below(o.newShape.count)] *= factor;
  return m.add<reshape_t>(o, {x});
}
inline int transpose(maker& m) {
  const int x = m.any(m.any_type());
  const int rank = m.shape_of(x).rank;
  transpose_options o;
  if (m.decide.one_in(4)) return m.add<transpose_t>(o, {x});
  o.permutation.count = rank;
  for (int i = 0; i < rank; ++i) o.permutation.item[i] = i;
  for (int i = rank - 1; i > 0; --i)
    std::swap(o.permutation.item[i], o.permutation.item[i - m.decide.below(i + 1)]);
  return m.add<transpose_t>(o, {x});
}

/// A list with one number for each axis of `x`.
template <class Number> axis_list each_axis(const shape& x, Number number) {
  axis_list l;
  l.count = x.rank;
  for (int i = 0; i < x.rank; ++i) l.item[i] = number(i);
  return l;
}
inline int slice(maker& m) {
  const int v = m.any(m.any_type());
  const shape x = m.shape_of(v);
  slice_options o;
  o.starts = each_axis(x, [&](int i) { return m.decide.one_in(2) ? m.decide.below(x[i]) : 0; });
  o.sizes = each_axis(x, [&](int i) {
    return x[i] - o.starts[i] - (m.decide.one_in(2) ? m.decide.below(x[i] - o.starts[i]) : 0);
  });
  if (m.decide.one_in(2)) o.strides = each_axis(x, [&](int) { return m.decide.in(1, 3); });
  return m.add<slice_t>(o, {v});
}
inline int split(maker& m) {
  const int v = m.any_of_rank(1, max_rank, m.any_type());
  const int axis = m.decide.below(m.shape_of(v).rank);
  const i64 extent = m.shape_of(v)[axis], begin = m.decide.below(extent);
  return m.add<split_t>({axis, begin, 1 + m.decide.below(extent - begin)}, {v});
}
inline int concat(maker& m) {
  const type t = m.any_type();
  std::vector<int> operands{m.any_of_rank(1, max_rank, t)};
  shape s = m.shape_of(operands[0]);
  const int axis = m.decide.below(s.rank);
  for (int n = m.decide.below(4); n > 0; --n) {
    if (!m.decide.one_in(2)) s.extent[axis] = m.extent(33);
    operands.push_back(m.any_like({t, s}));
  }
  return m.add<concat_t>({axis}, operands);
}
inline int expand(maker& m) {
  const int v = m.any(m.any_type());
  const shape x = m.shape_of(v);
  shape s{x.rank + (m.decide.one_in(3) && x.rank < 6 ? m.decide.in(0, 2) : 0), {}};
  for (int i = 0; i < s.rank; ++i) {
    const int own = i - (s.rank - x.rank);
    s.extent[i] = own >= 0 && x[own] != 1 ? x[own] : m.extent(17);
  }
  return m.add<expand_t>({each_axis(s, [&](int i) { return s[i]; })}, {v});
}
inline int tile(maker& m) {
  const int v = m.any(m.any_type());
  return m.add<tile_t>(
      {each_axis(m.shape_of(v), [&](int) { return m.decide.one_in(2) ? m.decide.in(1, 3) : 1; })},
      {v});
}
inline int reverse(maker& m) {
  const int v = m.any(m.any_type());
  return m.add<reverse_t>({some_axes(m, m.shape_of(v).rank)}, {v});
}
inline int pad(maker& m) {
  constexpr padding_mode modes[] = {padding_mode::constant, padding_mode::edge,
                                    padding_mode::reflection};
  const int v = m.any(m.any_type());
  const shape x = m.shape_of(v);
  pad_options o;
  o.mode = m.decide.pick(modes);
  const auto some = [&](int i) {
    return m.decide.one_in(2)
               ? m.decide.below(o.mode == padding_mode::reflection && x[i] < 4 ? x[i] : 4)
               : 0;
  };
  o.beginningPadding = each_axis(x, some);
  o.endingPadding = each_axis(x, some);
  if (m.decide.one_in(2))
    o.value = is_real(m.at(v).type) ? static_cast<double>(small_number(m)) : m.decide.below(100);
  return m.add<pad_t>(o, {v});
}
inline int triangular(maker& m) {
  const int v = m.any_of_rank(2, max_rank, m.any_type());
  return m.add<triangular_t>({m.decide.one_in(2), m.decide.one_in(2) ? m.decide.in(-9, 9) : 0},
                             {v});
}
inline int resample2d(maker& m) {
  constexpr float scales[] = {1.0f, 2.0f, 0.5f, 3.0f, 1.7f, 0.3f};
  resample2d_options o;
  if (m.decide.one_in(2)) o.mode = interpolation::linear;
  type t = o.mode == interpolation::linear ? type::float32 : m.any_type();
  if (!is_real(t) && size_bytes(t) > 1) t = is_signed(t) ? type::int8 : type::uint8;
  const int v = m.any_of_rank(4, 4, t);
  if (m.decide.one_in(2)) {
    const int first = m.decide.below(4);
    o.axes = {first, (first + m.decide.in(1, 3)) % 4};
  }
  if (m.decide.one_in(2))
    o.sizes = {m.extent(33), m.extent(33)};
  else
    o.scales = {m.decide.pick(scales), m.decide.pick(scales)};
  return m.add<resample2d_t>(o, {v});
}
/// A shape whose extents divide those of `s`.
inline shape blocks_of(maker& m, const shape& s) {
  shape r = s;
  for (int i = 0; i < s.rank; ++i) {
    const i64 parts = m.decide.in(1, 4);
    if (m.decide.one_in(2))
      r.extent[i] = 1;
    else if (s[i] % parts == 0)
      r.extent[i] = s[i] / parts;
  }
  return r;
}
inline type coded_type(maker& m) {
  constexpr type all[] = {type::int8,  type::uint8,  type::int8, type::uint8,
                          type::int32, type::uint32, type::int4, type::uint4};
  return m.decide.pick(all);
}
template <class Op> int linear_codes(maker& m) {
  constexpr bool back = std::is_same_v<Op, dequantizeLinear_t>;
  const type real = real_type(m), coded = coded_type(m);
  const int x = m.any(back ? coded : real);
  const shape by = blocks_of(m, m.shape_of(x));
  const int scale = m.any_like({real, by});
  return m.add<Op>({}, {x, scale, m.any_like({coded, by})});
}
inline type index_type(maker& m) {
  constexpr type usual[] = {type::int32, type::int64, type::uint32};
  return m.decide.pick(usual);
}
inline int gather(maker& m) {
  const int v = m.any_of_rank(1, 5, m.any_type());
  const int axis = m.decide.below(m.shape_of(v).rank);
  return m.add<gather_t>({axis}, {v, m.any_of_rank(0, 3, index_type(m))});
}
inline int gatherElements(maker& m) {
  const int v = m.any_of_rank(1, 5, m.any_type());
  shape s = m.shape_of(v);
  const int axis = m.decide.below(s.rank);
  s.extent[axis] = m.extent(17);
  return m.add<gatherElements_t>({axis}, {v, m.any_like({index_type(m), s})});
}
inline int gatherND(maker& m) {
  const int v = m.any_of_rank(1, 5, m.any_type());
  shape s = m.any_shape(0, 2);
  s.extent[s.rank++] = m.decide.in(1, m.shape_of(v).rank);
  return m.add<gatherND_t>({}, {v, m.any_like({index_type(m), s})});
}

inline int scatterElements(maker& m) {
  const type t = m.any_type();
  const int v = m.any_of_rank(1, 5, t);
  shape s = m.shape_of(v);
  const int axis = m.decide.below(s.rank);
  s.extent[axis] = m.extent(17);
  const int at = m.any_like({index_type(m), s});
  return m.add<scatterElements_t>({axis}, {v, at, m.any_like({t, s})});
}
inline int scatterND(maker& m) {
  const type t = m.any_type();
  const int v = m.any_of_rank(1, 5, t);
  const shape x = m.shape_of(v);
  shape s = m.any_shape(0, 2);
  s.extent[s.rank++] = m.decide.in(1, x.rank);
  const shape updates = gathers::slices("", x, s).value();
  if (!m.affords({updates.count()})) return -1;
  const int at = m.any_like({index_type(m), s});
  return m.add<scatterND_t>({}, {v, at, m.any_like({t, updates})});
}

}  // namespace draw

/// Every operator of the library.
inline constexpr operator_entry operators[] = {
    {"map", draw::program},
    {"add", draw::binary<add_t>},
    {"sub", draw::binary<sub_t>},
    {"mul", draw::binary<mul_t>},
    {"div", draw::binary<div_t>},
    {"add a number", [](maker& m) { return draw::number<add_t, false>(m, "add"); }},
    {"sub from a number", [](maker& m) { return draw::number<sub_t, true>(m, "sub"); }},
    {"mul by a number", [](maker& m) { return draw::number<mul_t, false>(m, "mul"); }},
    {"div a number", [](maker& m) { return draw::number<div_t, true>(m, "div"); }},
    {"relu", draw::unary<relu_t>},
    {"sigmoid", draw::unary<sigmoid_t>},
    {"tanh", draw::unary<tanh_t>},
    {"exp", draw::unary<exp_t>},
    {"identity", draw::unary<identity_t>},
    {"abs", draw::unary<abs_t>},
    {"neg", draw::unary<neg_t>},
    {"ceil", draw::unary<ceil_t>},
    {"floor", draw::unary<floor_t>},
    {"roundEven", draw::unary<roundEven_t>},
    {"sign", draw::unary<sign_t>},
    {"sqrt", draw::unary<sqrt_t>},
    {"reciprocal", draw::unary<reciprocal_t>},
    {"log", draw::unary<log_t>},
    {"sin", draw::unary<sin_t>},
    {"cos", draw::unary<cos_t>},
    {"tan", draw::unary<tan_t>},
    {"erf", draw::unary<erf_t>},
    {"softplus", draw::unary<softplus_t>},
    {"softsign", draw::unary<softsign_t>},
    {"hardSwish", draw::unary<hardSwish_t>},
    {"gelu", draw::unary<gelu_t>},
    {"logicalNot", draw::unary<logicalNot_t>},
    {"isNaN", draw::unary<isNaN_t>},
    {"isInfinite", draw::unary<isInfinite_t>},
    {"elu", draw::with_options<elu_t>},
    {"leakyRelu", draw::with_options<leakyRelu_t>},
    {"hardSigmoid", draw::with_options<hardSigmoid_t>},
    {"linear", draw::with_options<linear_t>},
    {"clamp", draw::clamp},
    {"max", draw::binary<max_t>},
    {"min", draw::binary<min_t>},
    {"pow", draw::binary<pow_t>},
    {"prelu", draw::binary<prelu_t>},
    {"equal", draw::binary<equal_t>},
    {"notEqual", draw::binary<notEqual_t>},
    {"greater", draw::binary<greater_t>},
    {"greaterOrEqual", draw::binary<greaterOrEqual_t>},
    {"lesser", draw::binary<lesser_t>},
    {"lesserOrEqual", draw::binary<lesserOrEqual_t>},
    {"logicalAnd", draw::binary<logicalAnd_t>},
    {"logicalOr", draw::binary<logicalOr_t>},
    {"logicalXor", draw::binary<logicalXor_t>},
    {"where", draw::where},
    {"cast", draw::cast},
    {"reduceSum", draw::reduce<reduceSum_t>},
    {"reduceProduct", draw::reduce<reduceProduct_t>},
    {"reduceMax", draw::reduce<reduceMax_t>},
    {"reduceMin", draw::reduce<reduceMin_t>},
    {"reduceMean", draw::reduce<reduceMean_t>},
    {"reduceL1", draw::reduce<reduceL1_t>},
    {"reduceL2", draw::reduce<reduceL2_t>},
    {"reduceSumSquare", draw::reduce<reduceSumSquare_t>},
    {"reduceLogSum", draw::reduce<reduceLogSum_t>},
    {"reduceLogSumExp", draw::reduce<reduceLogSumExp_t>},
    {"argMin", draw::position<argMin_t>},
    {"argMax", draw::position<argMax_t>},
    {"softmax", draw::softmax},
    {"layerNormalization", draw::layerNormalization},
    {"batchNormalization", draw::batchNormalization},
    {"instanceNormalization", draw::instanceNormalization},
    {"attention", draw::attention},
    {"cumulativeSum", draw::cumulativeSum},
    {"gru", draw::gru},
    {"gruCell", draw::gruCell},
    {"lstm", draw::lstm},
    {"lstmCell", draw::lstmCell},
    {"matmul", draw::matmul},
    {"gemm", draw::gemm},
    {"conv2d", draw::conv2d},
    {"convTranspose2d", draw::convTranspose2d},
    {"maxPool2d", draw::pool2d<maxPool2d_t>},
    {"averagePool2d", draw::pool2d<averagePool2d_t>},
    {"l2Pool2d", draw::pool2d<l2Pool2d_t>},
    {"reshape", draw::reshape},
    {"transpose", draw::transpose},
    {"slice", draw::slice},
    {"split", draw::split},
    {"concat", draw::concat},
    {"expand", draw::expand},
    {"tile", draw::tile},
    {"reverse", draw::reverse},
    {"pad", draw::pad},
    {"triangular", draw::triangular},
    {"resample2d", draw::resample2d},
    {"quantizeLinear", draw::linear_codes<quantizeLinear_t>},
    {"dequantizeLinear", draw::linear_codes<dequantizeLinear_t>},
    {"gather", draw::gather},
    {"gatherElements", draw::gatherElements},
    {"gatherND", draw::gatherND},
    {"scatterElements", draw::scatterElements},
    {"scatterND", draw::scatterND},
};
inline constexpr int operator_count = static_cast<int>(sizeof operators / sizeof operators[0]);

/// Makes a graph of the decisions. `counts`, if given, counts the operators by entry.
inline random_graph make_graph(choices& d, const limits& l, int* counts = nullptr) {
  maker m(d, l);
  m.choose_kind();
  m.any();
  for (int n = 0; n < l.operators && !m.refused(); ++n) {
    const int which = d.below(operator_count);
    const int made = operators[which].add(m);
    m.place(made);
    if (counts != nullptr) counts[which] += made >= 0;
    if (d.below(12) == 0) break;  // 0 is the simplest: no more
  }
  return m.finish();
}

}  // namespace tenon::trial
