// A view for a type of your own: the example of docs/views.md.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"

// [own type]
#include <tenon/base/view.hpp>

namespace camera {
struct frame {  // somebody's image: rows of floats, one after the other
  float* pixels;
  int height, width;
};
}  // namespace camera

template <> struct tenon::view_traits<camera::frame> {
  static mutable_view make(camera::frame& f) noexcept { return shaped(f.pixels, f); }
  static const_view make(const camera::frame& f) noexcept {
    return shaped<const float>(f.pixels, f);
  }

 private:
  template <class E>  // required: data, type, shape, strides in elements, shaped
  static view_for<std::is_const_v<E>> shaped(E* data, const camera::frame& f) noexcept {
    const shape s = extents(1, f.height, f.width);
    return {data, type::float32, s, dense(s), true};
  }
};

static_assert(tenon::viewable<camera::frame>);
// [own type]

TEST_CASE("a user's own type is a view like any other") {
  float memory[6] = {};
  camera::frame frame{memory, 2, 3};
  const tenon::tensor image{tenon::type::float32, tenon::extents(1, 2, 3)};
  CHECK(tenon::view_of(frame).data == &memory[0]);
  CHECK(tenon::fits(tenon::view_of(frame), image, 0).ok());
  const camera::frame& fixed = frame;
  CHECK(std::same_as<decltype(tenon::view_of(fixed)), tenon::const_view>);
  CHECK(std::same_as<decltype(tenon::view_of(frame)), tenon::mutable_view>);
}
