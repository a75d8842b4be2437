// The kernels of moves: copies between layouts, padding, bands, sampling, and elements of 4 bits.
// An invocation writes one element of the result, or four where a copy is long; of elements
// of 4 bits a byte, which holds two. Nothing is shared.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/writer.hpp>

namespace tenon::spirv {

/// Copies the elements of a space from one layout into another.
class copy_writer {
 public:
  constexpr copy_writer(const plan_view& p, const target& t) : m_(p, t) {}
  constexpr bool fits() const { return m_.fits(); }
  /// Between two nodes, with these strides over `s`; the result begins `at` elements further.
  constexpr kernel write(int from, const strides& in, i64 skip, int to, const strides& out, i64 at,
                         const shape& s) {
    access x = m_.access_of(from, in), y = m_.access_of(to, out, true);
    x.offset += skip;
    y.offset += at;
    return write(x, y, space_of(s));
  }

 private:
  writer m_;

  constexpr kernel write(access& x, access& y, space s) {
    access* all[] = {&x, &y};
    merge(s, 0, s.dims, {all, 2});
    if (size_bytes(x.element) == 4 && in_fours(m_.device, s)) return write_in_fours(x, y, s);
    return m_.each(s.count(), [&](id flat) {
      id position[max_axes]{};
      m_.unravel(s, flat, position);
      const id bits = m_.load_bits(x, m_.index_of(x, s, position));
      m_.store_bits(y, m_.index_of(y, s, position), bits);
    });
  }
  constexpr kernel write_in_fours(const access& x, const access& y, const space& s) {
    const int last = s.dims - 1;
    space rows = s;
    rows.dims = last;
    return m_.each_four(rows.count(), s.extent[last], [&](id row, id column, int width, i64 apart) {
      id position[max_axes]{};
      m_.unravel(rows, row, position);
      position[last] = column;
      const id from = m_.index_of(x, s, position), to = m_.index_of(y, s, position);
      if (width == 1) return m_.store_bits(y, to, m_.load_bits(x, from));
      m_.write4(y, to, y.step[last] * apart, m_.read4(x, from, x.step[last] * apart));
    });
  }
};

/// True if the positions of a sampling can be computed in 32 bits with a sign; see `sampled`.
constexpr bool fits_sampling(i64 from, i64 to) { return 2 * from * to < i64{1} << 31; }

/// A move that computes for each element of its result where that comes from. The formulas are
/// those of graph/node.hpp (`shown`, `sampled_at`, `fraction_at`), in instructions.
class move_writer {
 public:
  constexpr move_writer(const plan_view& p, int node, const target& t)
      : m_(p, t),
        n_(m_.at(node)),
        move_(p.table.movement_of(n_)),
        in_(m_.at(n_.in[0]).out.shape),
        s_(space_of(n_.out.shape)),
        from_(m_.access_of(n_.in[0], m_.value_of(n_.in[0]).step)),
        to_(m_.result_access(node)) {}
  constexpr bool fits() const { return m_.fits(); }
  constexpr kernel write() {
    switch (move_.is) {
      case movement::form::pad: return each(&move_writer::pad);
      case movement::form::band: return each(&move_writer::band);
      case movement::form::unpack: return each(&move_writer::unpack);
      case movement::form::pack: return pack();
      default:
        return each(move_.how == sampling::fraction ? &move_writer::fraction
                                                    : &move_writer::sample);
    }
  }

 private:
  writer m_;
  const node& n_;
  const movement& move_;
  const shape& in_;
  space s_;
  access from_, to_;

  /// One invocation for each element of the result.
  constexpr kernel each(void (move_writer::*one)(id flat, const id* position)) {
    return m_.each(s_.count(), [&](id flat) {
      id position[max_axes]{};
      m_.unravel(s_, flat, position);
      (this->*one)(flat, position);
    });
  }
  constexpr id number(i64 n) { return m_.integer(n); }
  /// Copies bits: a conversion might make NaN quiet.
  constexpr void copy(const id* from, const id* to) {
    const id bits = m_.load_bits(from_, m_.index_of(from_, s_, from));
    m_.store_bits(to_, m_.index_of(to_, s_, to), bits);
  }
  /// Writes the filling, rounded or wrapped as the result's type wants it.
  constexpr void fill(const any_number& value, const id* to) {
    const kind k = is_real(to_.element)                           ? kind::float32
                   : slot_kind_of(to_.element) == slot_kind::wide ? kind::int64
                                                                  : kind::int32;
    const std::uint64_t bits = is_real(to_.element) ? std::bit_cast<word>(value.to_float())
                                                    : integer_of(to_.element, value);
    m_.write(to_, m_.index_of(to_, s_, to), m_.constant(k, bits));
  }

  /// The operand's position that a position of the padded tensor shows; see `shown`. Reflections
  /// stay inside: they add fewer elements than the axis has.
  constexpr id inside(id at, i64 extent) {
    const id last = number(extent - 1), before = m_.less(at, number(0)), behind = m_.less(last, at);
    if (move_.mode == padding_mode::edge)
      return m_.select(before, number(0), m_.select(behind, last, at));
    const id above = m_.sub(number(2 * (extent - 1)), at), below = m_.sub(number(0), at);
    return m_.select(before, below, m_.select(behind, above, at));
  }
  /// Axes without padding need no comparison. A position below zero is a large number without a
  /// sign, so that one comparison finds both ends.
  constexpr void pad(id, const id* position) {
    id from[max_axes]{}, in_operand{};
    for (int k = 0; k < s_.dims; ++k) {
      from[k] = position[k];
      if (move_.begin[k] == 0 && in_[k] == s_.extent[k]) continue;
      from[k] = m_.plus(position[k], -move_.begin[k]);
      if (move_.mode != padding_mode::constant) {
        from[k] = inside(from[k], in_[k]);
        continue;
      }
      const id in_axis = m_.below(from[k], number(in_[k]));
      in_operand = m_.hold(in_operand, in_axis);
    }
    if (in_operand.number == 0) return copy(from, position);
    m_.when(
        in_operand, [&] { copy(from, position); }, [&] { fill(move_.value, position); });
  }
  /// The distance from the diagonal decides. Limits of the band may exceed 32 bits, distances do
  /// not: limits are clamped.
  constexpr void band(id, const id* position) {
    constexpr i64 limit = i64{1} << 30;
    const auto near = [](i64 n) { return n < -limit ? -limit : n > limit ? limit : n; };
    const id distance = m_.sub(position[s_.dims - 1], position[s_.dims - 2]);
    const id from = m_.compare(op::SGreaterThanEqual, distance, number(near(move_.low))),
             to = m_.compare(op::SLessThanEqual, distance, number(near(move_.high)));
    const id shown = m_.both(from, to);
    m_.when(
        shown, [&] { copy(position, position); }, [&] { fill(any_number(0), position); });
  }

  /// The position in the operand, counted from the middle of its first element, times `2 * to`:
  /// (2 at + 1) from - to. Integers keep it exact; where 32 bits are too few it is computed in 64.
  constexpr id over(id at, i64 from, i64 to) {
    const id odd = m_.plus(m_.times(at, 2), 1);
    if (fits_sampling(from, to)) return m_.plus(m_.times(odd, from), -to);
    const id product = m_.mul(m_.convert(op::UConvert, odd, kind::int64), wide(from));
    return m_.sub(product, wide(to));
  }
  constexpr id wide(i64 n) { return m_.constant(kind::int64, static_cast<std::uint64_t>(n)); }
  constexpr id like(id x, i64 n) { return m_.constant(x.is, static_cast<std::uint64_t>(n)); }
  constexpr id narrow(id x) {
    return x.is == kind::int64 ? m_.convert(op::UConvert, x, kind::int32) : x;
  }
  /// The element that a position shows: the nearest one, the one below, or the one above. Positions
  /// before the middle of the first element show that one.
  constexpr id sampled(id at, i64 from, i64 to) {
    if (from == to) return at;
    const id o = over(at, from, to), under = like(o, 2 * to);
    if (move_.how == sampling::nearest) return narrow(m_.div(m_.add(o, like(o, to - 1)), under));
    const id before = m_.less(o, like(o, 0)), lower = narrow(m_.div(o, under));
    if (move_.how == sampling::lower) return m_.select(before, number(0), lower);
    const id between = m_.compare(op::INotEqual, m_.mod(o, under), like(o, 0)),
             last = m_.less(lower, number(from - 1));
    const id next = m_.plus(lower, 1), upper = m_.select(m_.both(between, last), next, lower);
    return m_.select(before, number(0), upper);
  }
  constexpr void sample(id, const id* position) {
    id from[max_axes]{};
    for (int k = 0; k < s_.dims; ++k) from[k] = sampled(position[k], in_[k], s_.extent[k]);
    copy(from, position);
  }
  /// How far a position is from its lower to its upper element; 0 where they are one.
  constexpr void fraction(id flat, const id* position) {
    const i64 from = in_[move_.axis], to = s_.extent[0];
    const id o = over(flat, from, to), under = like(o, 2 * to), lower = narrow(m_.div(o, under));
    const id before = m_.less(o, like(o, 0)),
             behind = m_.compare(op::SGreaterThanEqual, lower, number(from - 1)),
             none = m_.either(before, behind);
    const id rest = m_.convert(op::ConvertUToF, m_.mod(o, under), kind::float32),
             part = m_.div(rest, m_.real(static_cast<float>(2 * to)));
    const id index = m_.index_of(to_, s_, position);
    m_.write(to_, index, m_.select(none, m_.real(0), part));
  }

  /// The low half of a byte is the first of its two elements. (x ^ 8) - 8 extends the sign of 4
  /// bits.
  constexpr void unpack(id flat, const id* position) {
    const id half_flat = m_.over(flat, 2);
    const id byte = m_.read(from_, m_.sum(m_.begin_of(from_), half_flat)),
             shift = m_.times(m_.modulo(flat, 2), 4);
    id half = m_.binary(op::BitwiseAnd, m_.binary(op::ShiftRightLogical, byte, shift), number(15));
    if (to_.element == type::int8) half = m_.plus(m_.binary(op::BitwiseXor, half, number(8)), -8);
    m_.write(to_, m_.index_of(to_, s_, position), half);
  }
  /// One invocation for a byte: the second element of the last one may be missing.
  constexpr kernel pack() {
    const i64 n = s_.count();
    return m_.each(blocks_of(n, 2), [&](id byte) {
      const id first = m_.times(byte, 2), begin = m_.begin_of(from_);
      const auto half = [&](id at) {
        return m_.binary(op::BitwiseAnd, m_.read(from_, m_.sum(begin, at)), number(15));
      };
      const variable both = m_.local(half(first));
      const auto add = [&] {
        const id high = m_.shifted_left(half(m_.plus(first, 1)), 4);
        m_.set(both, m_.binary(op::BitwiseOr, m_.get(both), high));
      };
      if (n % 2 == 0)
        add();
      else
        m_.when(m_.below(byte, number(n / 2)), add);
      const id index = m_.sum(m_.begin_of(to_), byte);
      m_.write(to_, index, m_.get(both));
    });
  }
};

/// The dispatches of a move. A join has one for each operand that its own group did not write into
/// the join's buffer already. 4-bit elements are copied by the byte.
constexpr sequence<kernel> emit_move(const plan_view& p, int id, const target& t) {
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const plans::location& location = p.locations[id];
  sequence<kernel> all;
  bool fit = true;
  const auto copy = [&](int from, const strides& in, i64 skip, const strides& out, i64 at,
                        const shape& s) {
    copy_writer w(p, t);
    all.push({});
    all.back() = w.write(from, in, skip, id, out, at, s);
    fit = fit && w.fits();
  };
  const plans::location& from = p.locations[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  if (m.is == movement::form::join) {
    for (int k = 0; k < n.operands; ++k) {
      const plans::location& v = p.locations[n.in[k]];
      const i64 at = plans::join_offset(p.table, n, k);
      if (v.holder == location.holder && v.offset == location.offset + at &&
          p.group_of[n.in[k]] >= 0)
        continue;
      copy(n.in[k], v.step, 0, dense(n.out.shape), at, p.table.nodes[n.in[k]].out.shape);
    }
  } else if (m.reshapes() && is_four_bit(n.out.type)) {
    copy(n.in[0], {{1}}, 0, {{1}}, 0, extents(n.out.bytes()));
  } else if (m.reshapes()) {
    copy(n.in[0], from.step, 0, dense(s), 0, s);
  } else if (m.is == movement::form::affine) {
    strides step{};
    for (int i = 0; i < n.out.shape.rank; ++i) step.step[i] = plans::restride(m.step[i], s, from);
    copy(n.in[0], step, plans::restride(m.offset, s, from), location.step, 0, n.out.shape);
  } else {
    move_writer w(p, id, t);
    all.push({});
    all.back() = w.write();
    fit = w.fits();
  }
  if (!fit) all.clear();
  return all;
}

}  // namespace tenon::spirv
