// Generators of contractions and windows: matrix products, convolutions, pooling.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/draw.hpp>

namespace tenon::trial::draw {

/// Products of matrices, or of batches of them. Batch axes of the right operand are 1, or missing,
/// one time in three: they broadcast.
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
/// Both factors, both transposes, and half of the time a third operand, which broadcasts to the
/// result.
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

/// A window that slides: edges of up to 3 elements, up to 5 taps, strides up to 4 and dilations up
/// to 3, so that the taps fit into the padded extent.
struct sliding {
  edge padding{};
  pair taps{}, strides{}, dilations{};
};
inline sliding slide_over(maker& m, i64 height, i64 width) {
  const auto pad = [&] { return m.decide.one_in(3) ? m.decide.in(0, 3) : 0; };
  sliding s{{pad(), pad(), pad(), pad()}, {1, 1}, {1, 1}, {1, 1}};
  const auto one = [&](i64 room, i64& taps, i64& stride, i64& dilation) {
    taps = m.decide.in(1, room < 5 ? room : 5);
    stride = m.decide.one_in(3) ? m.decide.in(1, 4) : 1;
    const i64 max_dilation = taps > 1 ? (room - 1) / (taps - 1) : 3;
    dilation = m.decide.one_in(4) ? m.decide.in(1, max_dilation < 3 ? max_dilation : 3) : 1;
  };
  one(height + s.padding.begin(0) + s.padding.end(0), s.taps.height, s.strides.height,
      s.dilations.height);
  one(width + s.padding.begin(1) + s.padding.end(1), s.taps.width, s.strides.width,
      s.dilations.width);
  return s;
}
/// All layouts of images and filters. Half of the convolutions have groups: two, or one for each
/// channel (depthwise). The budget counts outputs as if the image kept its size.
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
/// A transposed convolution: output padding stays below the strides, as WebNN wants it. The factor
/// 4 in the budget stands for outputs that are larger than the image.
inline int convTranspose2d(maker& m) {
  constexpr image_layout images[] = {image_layout::nchw, image_layout::nhwc};
  constexpr transposed_filter_layout filters[] = {transposed_filter_layout::iohw,
                                                  transposed_filter_layout::hwoi,
                                                  transposed_filter_layout::ohwi};
  convTranspose2d_options o;
  o.inputLayout = m.decide.pick(images);
  o.filterLayout = m.decide.pick(filters);
  const auto small = [&](i64 limit) { return m.decide.one_in(2) ? m.decide.in(1, limit) : 1; };
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
  const i64 group_channels = m.extent(o.groups > 1 ? 4 : 17),
            of[] = {group_channels, channels, small(5), small(5)};
  shape f{4, {}};
  for (int i = 0; i < 4; ++i) f.extent[convTranspose2d_t::filter_axis(o.filterLayout, i)] = of[i];
  if (!m.affords({s.count(), group_channels, of[2], of[3], 4})) return -1;
  const int filter = m.any_like({type::float32, f});
  if (!m.decide.one_in(2)) return m.add<convTranspose2d_t>(o, {x, filter});
  return m.add<convTranspose2d_t>(
      o, {x, filter, m.any_like({type::float32, extents(group_channels * o.groups)})});
}
/// Pooling; without window dimensions the window is the whole image. Averages and L2 norms are of
/// reals, maxima of any type.
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

}  // namespace tenon::trial::draw
