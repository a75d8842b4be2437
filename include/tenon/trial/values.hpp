// Random contents of inputs and weights, memory with a wall of known bytes around it, and what a
// call needs: views, weights by name, outputs.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <tenon/graph/table.hpp>
#include <tenon/trial/random.hpp>
#include <cstring>
#include <limits>
#include <string_view>

namespace tenon::trial {

/// The elements of a tensor, or of all leaves of a table by node number (others are empty).
using elements = std::vector<std::byte>;
using contents = std::vector<elements>;

/// What kind of numbers inputs and weights get.
enum class mood : std::uint8_t {
  calm,         ///< between -1 and 1
  wide,         ///< any magnitude that does not overflow at once, with a few zeros of both signs
  special,      ///< also infinities, NaN, subnormals and the largest numbers
  not_numbers,  ///< only NaN: what the call before left behind
};

/// A float of a mood. Wide ones get one of several magnitudes, so that sums lose digits, and
/// products of a few do not overflow. Special ones are one in twelve: more would make all results
/// NaN.
inline float any_float(generator& r, mood m) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float specials[] = {
      0.0f,   -0.0f,   infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
      1e-45f, -1e-40f, 3e38f,    -3e38f,    1.0f};
  if (m == mood::not_numbers) return std::numeric_limits<float>::quiet_NaN();
  if (m == mood::special && r.one_in(12)) return specials[r.below(10)];
  const float x = r.real();
  if (m == mood::calm) return x;
  if (r.one_in(16)) return r.one_in(2) ? 0.0f : -0.0f;
  const float scale[] = {1.0f, 1.0f, 10.0f, 1e4f, 1e-3f, 1e-20f};
  return x * scale[r.below(6)];
}
/// Integers are small, from -8 to 7 or 0 to 15, so that indices and shifts mean something and ties
/// are frequent; special ones are also the least and the greatest of their type.
template <class T> T any_element(generator& r, mood m) {
  if constexpr (std::is_floating_point_v<T>)
    return any_float(r, m);
  else if constexpr (std::is_same_v<T, float16>)
    return float16(any_float(r, m));
  else if (m == mood::special && r.one_in(4))
    return r.one_in(2) ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  else
    return static_cast<T>(r.next() % 16 - (std::is_signed_v<T> ? 8 : 0));
}
/// Element `i` of a type of 4 bits.
inline int half_byte(type t, const std::byte* from, i64 i) {
  const int half = std::to_integer<int>(from[i / 2]) >> i % 2 * 4 & 15;
  return t == type::int4 ? (half ^ 8) - 8 : half;
}
/// Calls `f.operator()<T>()` with the C++ type of an element type; of 4 bits, of the bytes.
template <class F> auto with_element(type t, F f) {
  switch (t) {
    case type::float32: return f.template operator()<float>();
    case type::int32: return f.template operator()<std::int32_t>();
    case type::uint32: return f.template operator()<std::uint32_t>();
    case type::int64: return f.template operator()<std::int64_t>();
    case type::uint64: return f.template operator()<std::uint64_t>();
    case type::int8: return f.template operator()<std::int8_t>();
    case type::int4:
    case type::uint4:
    case type::uint8: return f.template operator()<std::uint8_t>();
    default: return f.template operator()<float16>();
  }
}
inline elements any_elements(const tensor& t, std::uint64_t seed, mood m) {
  elements r(static_cast<std::size_t>(t.bytes()));
  generator random{seed};
  if (is_four_bit(t.type)) {
    for (std::byte& b : r) b = std::byte(random.next() & 255);
    return r;
  }
  with_element(t.type, [&]<class T>() {
    for (std::size_t i = 0; i < r.size(); i += sizeof(T)) {
      const T x = any_element<T>(random, m);
      std::memcpy(r.data() + i, &x, sizeof x);
    }
  });
  return r;
}
/// Contents of all leaves. Those of a leaf depend on its name, type and the seed only, so that a
/// smaller graph has the same. If inputs are to be NaN, weights still are numbers.
inline contents any_contents(const table_view& t, std::uint64_t seed, mood m) {
  contents c(static_cast<std::size_t>(t.nodes.size));
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    if (!is_leaf(n.kind)) continue;
    std::uint64_t hash = seed;
    for (const char* s = t.name_of(n).c_str(); *s != 0; ++s)
      hash = seed_of(hash, static_cast<unsigned char>(*s));
    const bool spared = m == mood::not_numbers && n.kind == family::weight;
    c[static_cast<std::size_t>(i)] = any_elements(n.out, hash, spared ? mood::calm : m);
  }
  return c;
}

/// Memory whose surroundings are watched. It begins at a random multiple of its element: a kernel
/// that expects the alignment of vectors fails.
class walled {
 public:
  explicit walled(const tensor& t, std::uint64_t seed)
      : bytes_(static_cast<std::size_t>(t.bytes())),
        before_(wall + seed % 16 * static_cast<std::size_t>(size_bytes(t.type))),
        memory_(before_ + bytes_ + wall, std::byte{pattern}) {}
  std::byte* data() { return memory_.data() + before_; }
  elements copy() const {
    const auto from = memory_.begin() + static_cast<std::ptrdiff_t>(before_);
    return {from, from + static_cast<std::ptrdiff_t>(bytes_)};
  }
  /// True if nothing was written around the elements.
  bool intact() const {
    for (std::size_t i = 0; i < memory_.size(); ++i)
      if ((i < before_ || i >= before_ + bytes_) && memory_[i] != std::byte{pattern}) return false;
    return true;
  }
  bool untouched() const {
    for (const std::byte b : memory_)
      if (b != std::byte{pattern}) return false;
    return true;
  }
  void fill(const elements& from) {
    if (!from.empty()) std::memcpy(data(), from.data(), from.size());
  }

 private:
  static constexpr std::size_t wall = 128;
  static constexpr unsigned char pattern = 0xa5;
  std::size_t bytes_, before_;
  std::vector<std::byte> memory_;
};

/// The weights of a table by name.
class weight_set {
 public:
  weight_set(const table_view& t, const contents& c, std::uint64_t seed) : t_(t) {
    for (const int w : t.weights) {
      memory_.emplace_back(t.nodes[w].out, seed_of(seed, static_cast<std::uint64_t>(w)));
      memory_.back().fill(c[static_cast<std::size_t>(w)]);
      data_.push_back(memory_.back().data());
    }
  }
  const_view find(const name& label) const noexcept {
    for (int i = 0; i < t_.weights.size; ++i) {
      const node& n = t_.nodes[t_.weights[i]];
      if (t_.name_of(n) == label)
        return {data_[static_cast<std::size_t>(i)], n.out.type, n.out.shape, dense(n.out.shape),
                true};
    }
    return {};
  }

 private:
  table_view t_;
  std::vector<walled> memory_;
  std::vector<const std::byte*> data_;
};

/// The views of one call.
class call_views {
 public:
  call_views(const table_view& t, const contents& c, std::uint64_t seed) {
    for (int k = 0; k < t.call_inputs(); ++k) {
      const int i = t.inputs[k];
      inputs_.emplace_back(t.nodes[i].out, seed = seed_of(seed, 1));
      inputs_.back().fill(c[static_cast<std::size_t>(i)]);
      const tensor& n = t.nodes[i].out;
      in.push_back({inputs_.back().data(), n.type, n.shape, dense(n.shape), true});
    }
    for (int k = 0; k < t.call_outputs(); ++k) {
      const tensor& n = t.nodes[t.outputs[k]].out;
      outputs_.emplace_back(n, seed = seed_of(seed, 2));
      out.push_back({outputs_.back().data(), n.type, n.shape, dense(n.shape), true});
    }
  }
  std::vector<const_view> in;
  std::vector<mutable_view> out;

  contents results() const {
    contents r;
    for (const walled& w : outputs_) r.push_back(w.copy());
    return r;
  }
  /// True if nothing was written at all.
  bool untouched() const {
    for (const walled& w : outputs_)
      if (!w.untouched()) return false;
    return intact();
  }
  bool intact() const {
    for (const walled& w : outputs_)
      if (!w.intact()) return false;
    for (const walled& w : inputs_)
      if (!w.intact()) return false;
    return true;
  }

 private:
  std::vector<walled> inputs_, outputs_;
};

}  // namespace tenon::trial
