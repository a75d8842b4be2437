// Graphs as C++ text: options, shapes, scalar programs and numbers the way a program spells them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/operators.hpp>
#include <cstdio>
#include <string>
#include <type_traits>

namespace tenon::trial {

/// Converts to whatever a field of an aggregate is; never called.
struct any_field {
  template <class T> operator T() const;
};
/// Number of fields of an aggregate without bases (at most 12).
template <class T, class... Field> consteval int field_count() {
  if constexpr (sizeof...(Field) < 13 && requires { T{Field{}..., any_field{}}; })
    return field_count<T, Field..., any_field>();
  else
    return static_cast<int>(sizeof...(Field));
}
/// Calls `visit` with every field of an aggregate, in order. Options of operators are aggregates,
/// so that printing and spoiling them needs no code for each operator.
template <class T, class Visit> constexpr void each_field(T& o, Visit visit) {
  constexpr int n = field_count<std::remove_const_t<T>>();
  static_assert(n <= 12, "each_field: an aggregate has at most 12 fields here");
  const auto all = [&](auto&... field) { (visit(field), ...); };
  // clang-format off
  if constexpr (n == 1) { auto& [a] = o; all(a); }
  if constexpr (n == 2) { auto& [a, b] = o; all(a, b); }
  if constexpr (n == 3) { auto& [a, b, c] = o; all(a, b, c); }
  if constexpr (n == 4) { auto& [a, b, c, d] = o; all(a, b, c, d); }
  if constexpr (n == 5) { auto& [a, b, c, d, e] = o; all(a, b, c, d, e); }
  if constexpr (n == 6) { auto& [a, b, c, d, e, f] = o; all(a, b, c, d, e, f); }
  if constexpr (n == 7) { auto& [a, b, c, d, e, f, g] = o; all(a, b, c, d, e, f, g); }
  if constexpr (n == 8) { auto& [a, b, c, d, e, f, g, h] = o; all(a, b, c, d, e, f, g, h); }
  if constexpr (n == 9) { auto& [a, b, c, d, e, f, g, h, i] = o; all(a, b, c, d, e, f, g, h, i); }
  if constexpr (n == 10) { auto& [a, b, c, d, e, f, g, h, i, j] = o; all(a, b, c, d, e, f, g, h, i, j); }
  if constexpr (n == 11) { auto& [a, b, c, d, e, f, g, h, i, j, k] = o; all(a, b, c, d, e, f, g, h, i, j, k); }
  if constexpr (n == 12) { auto& [a, b, c, d, e, f, g, h, i, j, k, l] = o; all(a, b, c, d, e, f, g, h, i, j, k, l); }
  // clang-format on
}

/// What printf would print, up to 159 characters.
template <class... Arguments> std::string printed(const char* format, Arguments... arguments) {
  char text[160];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

/// A float as a literal that gives the same bits (but for the payload of a NaN).
inline std::string code_of(float x) {
  if (x != x) return "std::numeric_limits<float>::quiet_NaN()";
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (x == infinity) return "std::numeric_limits<float>::infinity()";
  if (x == -infinity) return "-std::numeric_limits<float>::infinity()";
  return printed("%af", static_cast<double>(x));
}
/// Integers keep all 64 bits; negative ones are spelled by the unsigned number of the same bits,
/// because the smallest one has no literal.
inline std::string code_of(const any_number& x) {
  if (!x.whole && static_cast<double>(static_cast<float>(x.value)) != x.value && !x.is_nan())
    return printed("%a", x.value);
  if (!x.whole) return code_of(static_cast<float>(x.value));
  if (x.value >= 0) return std::to_string(x.digits) + "u";
  return "static_cast<std::int64_t>(" + std::to_string(x.digits) + "u)";
}
inline std::string code_of(const activation_list& l) {
  constexpr const char* names[] = {"relu", "sigmoid", "tanh"};
  if (!l.given()) return "{}";
  std::string r = "tn::activation_list{";
  for (int i = 0; i < l.count && i < 3; ++i) {
    r += i > 0 ? ", tn::recurrent_activation::" : "tn::recurrent_activation::";
    r += names[static_cast<int>(l.item[i])];
  }
  return r + "}";
}
inline std::string code_of(const axis_list& l) {
  if (!l.given()) return "{}";
  std::string r = "tn::axis_list{";
  if (l.count == 0) return r + "std::initializer_list<tn::i64>{}}";
  for (int i = 0; i < l.count && i < max_rank; ++i) r += (i > 0 ? ", " : "") + std::to_string(l[i]);
  return r + "}";
}
inline std::string code_of(const shape& s) {
  std::string r = "tn::extents(";
  for (int i = 0; i < s.rank; ++i) r += (i > 0 ? ", " : "") + std::to_string(s[i]);
  return r + ")";
}
inline std::string code_of(const tensor& t) {
  return std::string("{tn::type::") + name_of(t.type) + ", " + code_of(t.shape) + "}";
}
/// The full name of a type, as both compilers spell it.
template <class T> std::string type_name() {
  const std::string whole = __PRETTY_FUNCTION__;
  const std::size_t begin = whole.find("T = ") + 4;
  return whole.substr(begin, whole.find_first_of(";]", begin) - begin);
}
/// Options of any operator, field by field.
template <class T> std::string code_of(const T& o) {
  if constexpr (std::is_same_v<T, bool>) {
    return o ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return type_name<T>() + "{" + std::to_string(static_cast<long long>(o)) + "}";
  } else if constexpr (std::is_floating_point_v<T>) {
    if (static_cast<T>(static_cast<float>(o)) == o || o != o) return code_of(static_cast<float>(o));
    return printed("%a", static_cast<double>(o));
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(o);
  } else if constexpr (std::is_aggregate_v<T>) {
    std::string r;
    each_field(o, [&](const auto& field) { r += (r.empty() ? "{" : ", ") + code_of(field); });
    return r.empty() ? "{}" : r + "}";
  } else {
    return "{/* not printed */}";
  }
}

/// The name of a function in C++: `tn::cast<std::int32_t>` for `cast<int32>`.
inline std::string function_name(const std::string& name) {
  const std::size_t at = name.find('<');
  if (at == std::string::npos) return name;
  const std::string type = name.substr(at + 1, name.size() - at - 2);
  return "tn::" + name.substr(0, at) + "<" +
         (type == "float"     ? type
          : type == "float16" ? "tn::float16"
                              : "std::" + type + "_t") +
         ">";
}
/// An instruction over named values. Of integers it is one with a sign.
inline std::string code_of(instruction x, const std::string& a, const std::string& b,
                           const std::string& c) {
  const instruction_facts& facts = facts_of(x.op());
  if (facts.is_unsigned) return "/* no text */";
  switch (facts.written) {
    case syntax::atom:
    case syntax::silent: return "/* no text */";
    case syntax::prefix: return facts.text + a;
    case syntax::shift: return a + facts.text + std::to_string(x.b());
    case syntax::call:
      return function_name(facts.text) + "(" + a + (facts.sources > 1 ? ", " + b : "") +
             (facts.sources > 2 ? ", " + c : "") + ")";
    default: return a + facts.text + b;
  }
}

/// A scalar program as a lambda over symbols. Literals are lifted from the first argument's tape.
inline std::string code_of(program_view p, int arity) {
  const auto slot = [](int i) { return "r" + std::to_string(i); };
  std::string r = "[](";
  for (int i = 0; i < arity; ++i) r += (i > 0 ? ", auto x" : "auto x") + std::to_string(i);
  r += ") {";
  for (int i = 0; i < p.size; ++i) {
    const instruction x = p.code[i];
    std::string value;
    if (x.op() == sop::arg) {
      value = "x" + std::to_string(x.a());  // of integers the instructions are those with a sign
      if (x.type() == type::uint32) value = "tn::cast<std::int32_t>(" + value + ")";
      if (x.type() == type::uint64) value = "tn::cast<std::int64_t>(" + value + ")";
    } else if (x.op() == sop::literal) {
      value = "tn::scalar{x0.where(), x0.where()->literal(" + code_of(x.real()) + ")}";
    } else if (x.op() == sop::literal_int) {
      value = "tn::scalar{x0.where(), x0.where()->literal_int(" +
              std::to_string(static_cast<std::int32_t>(x.bits())) + ")}";
    } else {
      value = code_of(x, slot(x.a()), slot(x.b()), slot(x.c()));
    }
    r += " auto " + slot(i) + " = " + value + ";";
  }
  return r + " return " + slot(p.size - 1) + "; }";
}

}  // namespace tenon::trial
