// One wrong filter among the 52 convolutions of MobileNetV2: a short message with the model's own line.
// expect: conv2d: the filter's input channels must equal the input's channels divided by groups
// at most: 8000 bytes
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

constexpr auto named(const char* what, int i) {
  char text[8]{};
  for (int k = 0; k < 5; ++k) text[k] = what[k];
  text[5] = static_cast<char>('0' + i / 10);
  text[6] = static_cast<char>('0' + i % 10);
  return tn::fixed_string<8>(text);
}
/// Convolution number I of `filters` filters with K x K taps over `channels` channels each.
template <int I, int filters, int channels, int K, int stride = 1, int groups = 1>
constexpr auto conv(auto x) {
  constexpr int pad = K / 2;
  return tn::conv2d<tn::conv2d_options{
      .padding = {pad, pad, pad, pad}, .strides = {stride, stride}, .groups = groups}>(
      x, tn::weight<named("filte", I), float, filters, channels, K, K>,
      tn::weight<named("biass", I), float, filters>);
}
constexpr auto relu6(auto x) { return tn::clamp<tn::clamp_options{0.0f, 6.0f}>(x); }
template <int I, int wide, int stride> constexpr auto depthwise(auto x) {
  return relu6(conv<I, wide, 1, 3, stride, wide>(x));
}
/// An inverted residual whose first convolution has the number I.
template <int I, int in, int out, int stride> constexpr auto inverted(auto x) {
  constexpr int wide = 6 * in;
  auto y = conv<I + 2, out, wide, 1>(depthwise<I + 1, wide, stride>(relu6(conv<I, wide, in, 1>(x))));
  if constexpr (in == out && stride == 1)
    return y + x;
  else
    return y;
}

constexpr auto mobilenet = [](auto image) {
  auto a = depthwise<2, 32, 1>(relu6(conv<1, 32, 3, 3, 2>(image)));
  auto b = inverted<7, 24, 24, 1>(inverted<4, 16, 24, 2>(conv<3, 16, 32, 1>(a)));
  auto c = inverted<16, 32, 32, 1>(inverted<13, 32, 32, 1>(inverted<10, 24, 32, 2>(b)));
  auto d = inverted<25, 64, 64, 1>(inverted<22, 64, 64, 1>(inverted<19, 32, 64, 2>(c)));
  auto wide = depthwise<29, 384, 1>(relu6(conv<28, 384, 64, 1>(d)));
  auto e = conv<30, 64, 383, 1>(wide) + d;  // here
  auto f = inverted<37, 96, 96, 1>(inverted<34, 96, 96, 1>(inverted<31, 64, 96, 1>(e)));
  auto g = inverted<46, 160, 160, 1>(inverted<43, 160, 160, 1>(inverted<40, 96, 160, 2>(f)));
  auto h = relu6(conv<52, 1280, 320, 1>(inverted<49, 160, 320, 1>(g)));
  return tn::gemm<tn::gemm_options{.bTranspose = true}>(
      tn::reshape<1, 1280>(tn::averagePool2d(h)), tn::weight<"fc.weight", float, 1000, 1280>,
      tn::weight<"fc.bias", float, 1000>);
};
using net = tn::graph<mobilenet, tn::input<"image", float, 1, 3, 224, 224>>;
static_assert(net::view().nodes.size > 0);
