// Transposed convolutions, of the contract family: computed as plain convolutions, without
// multiplying by inserted zeros.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/convolution.hpp>

namespace tenon {

/// The order of a filter's axes: input channels (i), output channels of a group (o), height, width.
enum class transposed_filter_layout : std::uint8_t { iohw, hwoi, ohwi };

/// WebNN convTranspose2d options. Output sizes, when both are given, replace the output padding.
struct convTranspose2d_options {
  edge padding{};
  pair strides{1, 1};
  pair dilations{1, 1};
  pair outputPadding{0, 0};
  pair outputSizes{0, 0};
  i64 groups = 1;
  image_layout inputLayout = image_layout::nchw;
  transposed_filter_layout filterLayout = transposed_filter_layout::iohw;
  constexpr bool operator==(const convTranspose2d_options&) const = default;
};
/// Every element of the input adds the filter, multiplied by the element, to the output; the next
/// element does so `strides` further on.
///
/// All output positions with the same remainder modulo the stride form one plain convolution, with
/// every `stride`-th tap in reverse order. One convolution per remainder is recorded; their results
/// are joined and then interleaved by a move. So no product with an inserted zero is computed.
struct convTranspose2d_t {
  static constexpr const char* name = "convTranspose2d";
  using options = convTranspose2d_options;
  static constexpr i64 max_stride = 64;  ///< its square is the number of convolutions

  /// Filter axis of output channels (0), input channels (1), height (2), width (3).
  static constexpr int filter_axis(transposed_filter_layout l, int what) {
    constexpr int axes[3][4] = {{1, 0, 2, 3}, {2, 3, 0, 1}, {0, 3, 1, 2}};
    return axes[static_cast<int>(l)][what];
  }
  static constexpr result<tensor> infer(const convTranspose2d_options& o, list<tensor> in) {
    if (const error e = contracts::accept(name, contracts::images, in, 2, 3); !e.ok()) return e;
    const shape &x = in[0].shape, &w = in[1].shape;
    if (x.rank != 4) return error{code::rank, name, "input", 4, x.rank};
    if (w.rank != 4) return error{code::rank, name, "filter", 4, w.rank};
    if (const error e = check_window(name, o.strides, o.dilations, o.padding); !e.ok()) return e;
    const i64 channels = x[channel_axis(o.inputLayout)],
              per_group = w[filter_axis(o.filterLayout, 0)],
              of_filter = w[filter_axis(o.filterLayout, 1)];
    if (o.groups < 1 || channels % o.groups != 0)
      return error{code::groups, name, "groups", channels, o.groups};
    if (of_filter != channels)
      return error{code::input_channels, name, "filter", channels, of_filter};
    if (per_group > (i64{1} << 40) / o.groups)
      return error{code::capacity, name, "groups", (i64{1} << 40) / per_group, o.groups};
    shape s = x;
    s.extent[channel_axis(o.inputLayout)] = per_group * o.groups;
    for (int i = 0; i < 2; ++i) {
      const int axis = spatial_axis(o.inputLayout, i);
      const result<i64> size = size_of(o, x[axis], w[filter_axis(o.filterLayout, 2 + i)], i);
      if (!size.ok()) return size.error();
      s.extent[axis] = *size;
    }
    if (in.size == 3 && (in[2].shape.rank != 1 || in[2].shape[0] != per_group * o.groups))
      return error{code::bias, name, "bias", extents(per_group * o.groups), in[2].shape};
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const convTranspose2d_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<convTranspose2d_t>(r, o, in, out);
    r.open(name);
    const shape x = r.at(in[0]).shape, w = r.at(in[1]).shape;
    const int bias = in.size == 3 ? contracts::beside_image(r, name, in[2], o.inputLayout) : -1;
    slices along[2];
    for (int i = 0; i < 2; ++i)
      along[i] = {w[filter_axis(o.filterLayout, 2 + i)], o.strides[i], o.dilations[i],
                  o.padding.begin(i), out.shape[spatial_axis(o.inputLayout, i)]};
    tensor part = out, row = out, whole = out;
    for (int i = 0; i < 2; ++i)
      part.shape.extent[spatial_axis(o.inputLayout, i)] = along[i].positions();
    row.shape = whole.shape = part.shape;
    row.shape.extent[0] = x[0] * o.strides.width;
    whole.shape.extent[0] = row.shape[0] * o.strides.height;
    int rows[max_stride]{}, parts[max_stride]{};
    for (i64 v = 0; v < o.strides.height; ++v) {
      for (i64 h = 0; h < o.strides.width; ++h)
        parts[h] = slice(r, o, in, bias, along[0].at(v), along[1].at(h), part);
      const list<int> all{parts, static_cast<int>(o.strides.width)};
      rows[v] = all.size == 1 ? parts[0] : r.join(name, 0, all, row);
    }
    const list<int> all{rows, static_cast<int>(o.strides.height)};
    int y = all.size == 1 ? rows[0] : r.join(name, 0, all, whole);
    y = crop(r, o, along, shuffle(r, o, y, part), out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "convTranspose2d: input and filter must have 4 axes; reshape() them");
    static_assert(E.what != code::groups,
                  "convTranspose2d: groups must divide the input channels; check inputLayout");
    if constexpr (E.what == code::input_channels)
      static_assert(E.found.number == E.expected.number,
                    "convTranspose2d: the filter's input channels must equal the input's; check "
                    "filterLayout");
    static_assert(E.what != code::window,
                  "convTranspose2d: the padding must leave something of the output; shrink it");
    static_assert(E.what != code::bias,
                  "convTranspose2d: the bias must have one axis with one element per output "
                  "channel; reshape() it");
    static_assert(E.what != code::stride,
                  "convTranspose2d: strides and dilations must be at least 1");
    static_assert(E.what != code::padding, "convTranspose2d: padding must not be negative");
    static_assert(E.what != code::option,
                  "convTranspose2d: outputPadding must be below the strides, and outputSizes above "
                  "the computed sizes by less than the strides; leave them out");
  }

 private:
  /// The output's extent along height (0) or width (1). Error: capacity, option, window.
  static constexpr result<i64> size_of(const options& o, i64 extent, i64 taps, int i) {
    if (extent > max_taps) return error{code::capacity, name, "input", max_taps, extent};
    if (taps > max_taps) return error{code::capacity, name, "filter", max_taps, taps};
    if (o.strides[i] > max_stride)
      return error{code::capacity, name, "strides", max_stride, o.strides[i]};
    const i64 size = (extent - 1) * o.strides[i] + (taps - 1) * o.dilations[i] + 1 -
                     o.padding.begin(i) - o.padding.end(i),
              given_size = o.outputSizes[i], padding = o.outputPadding[i];
    const bool sized = !(o.outputSizes == pair{0, 0});
    if (sized && (given_size < size || given_size >= size + o.strides[i] || given_size < 1))
      return error{code::option, name, "outputSizes", size, given_size};
    if (sized) return given_size;
    if (padding < 0 || padding >= o.strides[i])
      return error{code::option, name, "outputPadding", o.strides[i] - 1, padding};
    if (size + padding < 1) return error{code::window, name, "padding", 1, size + padding};
    return size + padding;
  }

  /// The taps of one remainder along one axis, as a plain convolution: tap `last`, then every
  /// `step`-th before it, `taps` in all. `begin` is the padding before the image, in elements.
  struct taps_of_rest {
    i64 last = 0, step = 1, taps = 1, dilation = 1, begin = 0;
  };
  /// The remainders along one axis. Output position o = stride * m + rest takes tap t of input
  /// position i where stride * i + dilation * t = o + begin.
  struct slices {
    i64 taps = 1, stride = 1, dilation = 1, begin = 0, extent = 1;

    /// All taps of a remainder; `begin` may be negative, and `taps` 0.
    constexpr taps_of_rest taps_of(i64 rest) const {
      taps_of_rest f;
      i64 first = 0;
      while (first < stride && first * dilation % stride != (rest + begin) % stride) ++first;
      f.step = 1;
      while (f.step * dilation % stride != 0) ++f.step;
      f.taps = first < stride && first < taps ? (taps - 1 - first) / f.step + 1 : 0;
      if (f.taps == 0) return f;
      f.last = first + (f.taps - 1) * f.step;
      f.dilation = f.step * dilation / stride;
      f.begin = (f.taps - 1) * f.dilation - (rest + begin - first * dilation) / stride;
      return f;
    }
    /// How many more positions are computed before the first one of the output. They make up for a
    /// negative padding, which a convolution does not have; `crop` drops them.
    constexpr i64 before() const {
      i64 positions_before = 0;
      for (i64 rest = 0; rest < stride; ++rest) {
        const taps_of_rest f = taps_of(rest);
        if (f.taps > 0 && -f.begin > positions_before) positions_before = -f.begin;
      }
      return positions_before;
    }
    constexpr i64 positions() const { return before() + (extent + stride - 1) / stride; }
    /// The convolution of a remainder. One without taps gets a tap that never reaches the image, so
    /// that its sums are 0.
    constexpr taps_of_rest at(i64 rest) const {
      taps_of_rest f = taps_of(rest);
      if (f.taps == 0) return {0, 1, 1, 1, positions()};
      f.begin += before();
      return f;
    }
  };
  /// Records the convolution of one pair of remainders, `v` along the height and `h` along the
  /// width, and its bias. The filter is turned around and thinned out by a move.
  static constexpr int slice(recorder& r, const options& o, list<int> in, int bias,
                             const taps_of_rest& v, const taps_of_rest& h, const tensor& part) {
    contracts::correlation k{r.at(in[0]).shape, r.at(in[1]).shape, part.shape, o.inputLayout};
    for (int i = 0; i < 4; ++i) k.axis[i] = filter_axis(o.filterLayout, i);
    k.groups = o.groups;
    k.along_channels = true;
    movement turned{};
    turned.step = dense(k.filter);
    const taps_of_rest* both[] = {&v, &h};
    for (int i = 0; i < 2; ++i) {
      i64& step = turned.step.step[k.axis[2 + i]];
      turned.offset += both[i]->last * step;
      step *= both[i]->taps == 1 ? 0 : -both[i]->step;
      k.filter.extent[k.axis[2 + i]] = both[i]->taps;
      k.dilation[i] = both[i]->dilation;
      k.begin[i] = both[i]->begin;
    }
    const int filter = r.move(name, turned, in[1], {part.type, k.filter});
    const int y = r.contract(name, contracts::correlate(k), in[0], filter, part);
    if (bias < 0) return y;
    return r.map(name, constant_program<2>([](auto a, auto b) { return a + b; }), {y, bias}, part);
  }
  /// Interleaves the images of all remainders, which stand one behind the other, to one image.
  static constexpr int shuffle(recorder& r, const options& o, int all, const tensor& part) {
    if (o.strides == pair{1, 1}) return all;
    const strides step = dense(part.shape);
    const i64 next = part.shape[0] * step[0];
    shape apart{}, image = part.shape;
    movement m{};
    const auto add = [&](i64 extent, i64 distance) {
      m.step.step[apart.rank] = extent == 1 ? 0 : distance;
      apart.extent[apart.rank++] = extent;
    };
    for (int i = 0; i < 4; ++i) {
      const bool v = i == spatial_axis(o.inputLayout, 0), h = i == spatial_axis(o.inputLayout, 1);
      add(part.shape[i], step[i]);
      if (v) add(o.strides.height, next * o.strides.width);
      if (h) add(o.strides.width, next);
      image.extent[i] *= v ? o.strides.height : h ? o.strides.width : 1;
    }
    return r.reshape(name, r.move(name, m, all, {part.type, apart}), image);
  }
  /// Drops the positions before and behind the output.
  static constexpr int crop(recorder& r, const options& o, const slices (&along)[2], int y,
                            const tensor& out) {
    const shape s = r.at(y).shape;
    if (s == out.shape) return y;
    movement m{};
    m.step = dense(s);
    for (int i = 0; i < 2; ++i)
      m.offset += along[i].before() * along[i].stride * m.step[spatial_axis(o.inputLayout, i)];
    for (int i = 0; i < 4; ++i)
      if (out.shape[i] == 1) m.step.step[i] = 0;
    return r.move(name, m, y, out);
  }
};

/// 2-D transposed convolution: `convTranspose2d<options>(input, filter)` or `(input, filter,
/// bias)`.
/// Shape: [n, i, h, w] * [i, o / groups, kh, kw] (+ [o]) -> [n, o, h', w'], in the layouts of the
/// options; h' = (h - 1) * stride + (kh - 1) * dilation + 1 - padding on both sides +
/// outputPadding.
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, rank, stride, padding, capacity, groups, input_channels,
/// option, window, bias.
/// Cost: a product for each tap that meets an element, and one pass over the output where a stride
/// is not 1.
/// Source: WebNN convTranspose2d.
template <convTranspose2d_options O = convTranspose2d_options{}, operand_like... H>
constexpr auto convTranspose2d(H... h) {
  return apply<convTranspose2d_t, O>(h...);
}

}  // namespace tenon
