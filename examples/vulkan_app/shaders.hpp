// The application's own shaders: one draws a picture, one looks at what the network made of it.
// They are SPIR-V that the compiler writes, so that nobody needs a shader compiler; yours may come
// from anywhere.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/constant.hpp>

namespace shaders {

namespace spirv = tenon::spirv;

constexpr int width = 320, height = 240, colours = 3, channels = 16;
constexpr int pixels = width * height;
constexpr int group = 64;  // invocations that start together

/// A shader while it is written. Its parameters are push constants of eight bytes each, in the
/// order in which they are asked for: addresses of buffers, and numbers.
class shader : public spirv::assembler {
 public:
  constexpr shader() : push_(fresh()) {
    require(spirv::capability::PhysicalStorageBufferAddresses);
  }
  /// A buffer of float32, for `at`.
  constexpr spirv::word buffer() {
    return parameter(pointer_type(memory, block_of(spirv::kind::float32)));
  }
  constexpr spirv::id number() {
    return {parameter(type_id(spirv::kind::int32)), spirv::kind::int32, 1};
  }
  constexpr spirv::pointer at(spirv::word buffer, spirv::id element) {
    const spirv::word p =
        emit_typed(spirv::op::AccessChain, pointer_type(memory, spirv::kind::float32),
                   {buffer, integer(0).number, element.number});
    return {p, spirv::kind::float32, 1, 4};
  }
  /// `body(i)` in the invocations 0 <= i < pixels.
  template <class Body> constexpr tenon::sequence<spirv::word> each_pixel(const Body& body) {
    const spirv::id i = input(spirv::builtin::GlobalInvocationId);
    when(below(i, integer(pixels)), [&] { body(i); });
    const spirv::word block = struct_of(parameters_);
    decorate(block, spirv::decoration::Block);
    for (int k = 0; k < parameters_.size(); ++k)
      decorate_member(block, static_cast<spirv::word>(k), spirv::decoration::Offset,
                      static_cast<spirv::word>(8 * k));
    declare_variable(pointer_type(spirv::storage::PushConstant, block), push_,
                     spirv::storage::PushConstant);
    return finish(group, 1, 1);
  }

 private:
  static constexpr auto memory = spirv::storage::PhysicalStorageBuffer;
  constexpr spirv::word parameter(spirv::word type) {
    const spirv::id at = integer(parameters_.push(type));
    const spirv::word p =
        emit_typed(spirv::op::AccessChain, pointer_type(spirv::storage::PushConstant, type),
                   {push_, at.number});
    return emit_typed(spirv::op::Load, type, {p});
  }
  spirv::word push_;
  tenon::sequence<spirv::word> parameters_;
};

/// Rings that grow with the frame: a plane of the picture for each colour. The same for the host.
constexpr float ring(unsigned x, unsigned y, unsigned colour, unsigned frame) {
  const unsigned dx = x - width / 2, dy = y - height / 2;  // modulo 2^32, as the device computes
  return static_cast<float>(((dx * dx + dy * dy) / (8 * (colour + 1)) + frame * 4) % 256) / 256;
}
constexpr tenon::sequence<spirv::word> draw() {
  shader s;
  const spirv::word picture = s.buffer();
  const spirv::id frame = s.number();
  return s.each_pixel([&](spirv::id i) {
    const spirv::id dx = s.plus(s.modulo(i, width), -width / 2),
                    dy = s.plus(s.over(i, width), -height / 2);
    const spirv::id across = s.mul(dx, dx), down = s.mul(dy, dy);
    const spirv::id far = s.add(across, down), moved = s.times(frame, 4);
    for (int colour = 0; colour < colours; ++colour) {
      const spirv::id shade = s.modulo(s.add(s.over(far, 8 * (colour + 1)), moved), 256);
      const spirv::id value =
          s.mul(s.convert(spirv::op::ConvertUToF, shade, spirv::kind::float32), s.real(1.0f / 256));
      s.store(s.at(picture, s.plus(i, colour * pixels)), value);
    }
  });
}

/// heat[i] = the strongest of the channels of pixel i.
constexpr tenon::sequence<spirv::word> strongest() {
  shader s;
  const spirv::word features = s.buffer(), heat = s.buffer();
  return s.each_pixel([&](spirv::id i) {
    const spirv::variable most = s.local(s.load(s.at(features, i)));
    s.loop(channels, [&](spirv::id channel) {
      const spirv::id own = s.load(s.at(features, s.add(i, s.times(channel, pixels))));
      const spirv::id known = s.get(most);
      s.set(most, s.select(s.less(known, own), own, known));
    });
    s.store(s.at(heat, i), s.get(most));
  });
}

}  // namespace shaders
