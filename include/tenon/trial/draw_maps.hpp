// Generators of element-wise operators, and of maps with random programs.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/draw.hpp>
#include <tenon/trial/program.hpp>

namespace tenon::trial::draw {

/// Element-wise operators with one operand and no options.
template <class Op> int unary(maker& m) { return m.add<Op>({}, {m.any(type_for<Op>(m))}); }

/// Element-wise operators with two operands that broadcast.
template <class Op> int binary(maker& m) {
  const type t = type_for<Op>(m);
  const int a = m.any(t), b = m.any_beside(m.shape_of(a), t);
  return m.decide.one_in(2) ? m.add<Op>({}, {b, a}) : m.add<Op>({}, {a, b});
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
/// Numbers in any order: clamp wants the lower one first.
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

/// A map with a random program, mostly of one to three float32 operands. Operands broadcast, so
/// that the result may be larger than each of them: the last operand is dropped if it becomes too
/// large. Programs that need more than `max_registers` registers are not added.
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
    if (s.count() > m.limit.elements) {
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

}  // namespace tenon::trial::draw
