// Scalar programs as text, in infix notation.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/program.hpp>
#include <tenon/plan/describe/notation.hpp>
#include <charconv>
#include <vector>

namespace tenon::notation {

/// The shortest decimal that gives this float back.
inline std::string literal(float x) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, x).ptr;
  return std::string(text, end);
}

/// Part of an expression: its text, and how strongly its outermost operator binds.
struct term {
  std::string text;
  syntax binds = syntax::or_;
};

/// The text of a part, in parentheses where it binds less than `least`.
inline std::string within(const term& part, syntax least) {
  return part.binds < least ? "(" + part.text + ")" : part.text;
}
/// An argument `x0`, or a literal.
inline term write_atom(instruction x) {
  if (x.op() == sop::arg) return {joined("x", x.a()), syntax::atom};
  const bool is_real = x.op() == sop::literal;
  const auto integer = static_cast<std::int32_t>(x.bits());
  const bool negative = is_real ? x.real() < 0 : integer < 0;
  return {is_real ? literal(x.real()) : std::to_string(integer),
          negative ? syntax::prefix : syntax::atom};
}
/// An instruction as the program's author would have written it: operators between their operands,
/// in parentheses only where precedence asks for them. `a`, `b`, `c`: the texts of its sources.
inline term write(instruction x, const term& a, const term& b, const term& c) {
  const instruction_facts& facts = facts_of(x.op());
  const syntax level = facts.written;
  switch (level) {
    case syntax::atom: return write_atom(x);
    case syntax::silent: return a;
    case syntax::prefix: return {facts.text + within(a, syntax::call), level};
    case syntax::shift: return {within(a, level) + joined(facts.text, x.b()), level};
    case syntax::call: {
      std::string text = std::string(facts.text) + "(" + a.text;
      if (facts.sources > 1) text += ", " + b.text;
      if (facts.sources > 2) text += ", " + c.text;
      return {text + ")", level};
    }
    default: break;
  }
  const auto tighter = static_cast<syntax>(static_cast<int>(level) + 1);  // a - (b - c)
  return {within(a, level) + facts.text + within(b, tighter), level};
}

/// A scalar program as text: `max(x0 + x1, 0)`. Argument i is called `arguments[i]`, else `xi`. A
/// result that is used more than once gets a name: `t1 = x0 * 2; max(t1, 0) / t1`.
inline std::string infix(program_view p, const std::vector<std::string>& arguments = {}) {
  const auto count = static_cast<std::size_t>(p.size);
  std::vector<int> uses(count), source(3 * count, -1), holds(256, -1);
  for (int i = 0; i < p.size; ++i) {  // registers are reused: back to single assignment
    const instruction x = p.code[i];
    const int from[] = {x.a(), x.b(), x.c()};
    for (int k = 0; k < sources_of(x.op()); ++k) {
      const int at = holds[static_cast<std::size_t>(from[k])];
      source[static_cast<std::size_t>(3 * i + k)] = at;
      ++uses[static_cast<std::size_t>(at)];
    }
    holds[static_cast<std::size_t>(x.dst())] = i;
  }
  std::vector<term> terms;
  std::string text;
  int named = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const instruction x = p.code[i];
    const auto of = [&](std::size_t k) {
      const int at = source[3 * i + k];
      return at < 0 ? term{} : terms[static_cast<std::size_t>(at)];
    };
    const auto operand = static_cast<std::size_t>(x.a());
    const bool leaf = x.op() == sop::arg || x.is_literal();
    term t = x.op() == sop::arg && operand < arguments.size()
                 ? term{arguments[operand], syntax::atom}
                 : write(x, of(0), of(1), of(2));
    if (!leaf && uses[i] > 1) {
      const std::string variable = joined("t", ++named);
      text += variable + " = " + t.text + "; ";
      t = {variable, syntax::atom};
    }
    terms.push_back(t);
  }
  return text + (terms.empty() ? "" : terms.back().text);
}

}  // namespace tenon::notation
