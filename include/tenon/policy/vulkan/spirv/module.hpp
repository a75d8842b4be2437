// The sections of a SPIR-V module: what it declares, its types and constants by what they are made
// of, its instructions, and how all of it becomes one sequence of words.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <tenon/policy/vulkan/spirv/grammar.hpp>
#include <initializer_list>
#include <utility>

namespace tenon::spirv {

/// A module of one kernel, "main", as words in sections. It knows nothing of what instructions
/// mean.
class module_sections {
 public:
  constexpr module_sections() {
    for (int& h : head_) h = -1;
    require(capability::Shader);
  }
  constexpr word fresh() { return next_++; }

  // ---- what a module declares
  /// Capabilities are declared in the order of their numbers: types require some, whenever they are
  /// first asked for.
  constexpr void require(capability c) {
    if (has(c)) return;
    int at = capabilities_.push(static_cast<word>(c));
    for (; at > 0 && capabilities_[at] < capabilities_[at - 1]; --at)
      std::swap(capabilities_[at], capabilities_[at - 1]);
  }
  constexpr void require(extension e) { extensions_[static_cast<int>(e)] = true; }
  /// An execution mode with one literal, e.g. the width of the floats that it is for.
  constexpr void mode(execution_mode m, word literal) {
    put(modes_, op::ExecutionMode, {main_, static_cast<word>(m), literal});
  }
  constexpr void decorate(word target, decoration d) {
    put(decorations_, op::Decorate, {target, static_cast<word>(d)});
  }
  constexpr void decorate(word target, decoration d, word literal) {
    put(decorations_, op::Decorate, {target, static_cast<word>(d), literal});
  }
  constexpr void decorate_member(word target, word member, decoration d, word literal) {
    put(decorations_, op::MemberDecorate, {target, member, static_cast<word>(d), literal});
  }
  /// A type or constant; SPIR-V wants equal ones declared once. It gets its final number when the
  /// module is finished: compilers differ in which argument of a call they evaluate first, and the
  /// words should not.
  constexpr word once(op o, std::initializer_list<word> operands) {
    key k{o};
    for (const word w : operands) k.operand[k.size++] = w;
    if (const word number = find(k)) return number;
    return remember(k);
  }
  /// A new struct, even where another one has the same members: each has decorations of its own.
  constexpr word struct_of(const sequence<word>& members) {
    key k{op::TypeStruct};
    k.operand[0] = static_cast<word>(members_.size());
    k.size = members.size();
    append(members_, members);
    return named | static_cast<word>(entries_.push({k, 0, -1}));
  }
  /// A global variable whose number was taken before.
  constexpr void declare_variable(word pointer_to, word number, storage s) {
    put(globals_, op::Variable, {pointer_to, number, static_cast<word>(s)});
    interface_.push(number);
  }

  // ---- instructions
  constexpr word emit_typed(op o, word result_type, std::initializer_list<word> operands) {
    const word number = fresh();
    start(code_, o, static_cast<word>(operands.size()) + 2);
    code_.push(result_type);
    code_.push(number);
    for (const word w : operands) code_.push(w);
    return number;
  }
  /// An instruction without one.
  constexpr void emit(op o, std::initializer_list<word> operands) { put(code_, o, operands); }
  /// Inserts instructions at the start of the function, also while something else is being written.
  template <class F> constexpr auto at_entry(F&& write) {
    code_.swap(entry_);
    auto r = write();
    code_.swap(entry_);
    return r;
  }

  /// The module, with workgroups of this size. Nothing may be added behind it.
  constexpr sequence<word> finish(word x, word y, word z) {
    const word nothing = once(op::TypeVoid, {}), signature = once(op::TypeFunction, {nothing});
    sequence<word> begin;
    put(begin, op::Function, {nothing, main_, 0, signature});
    put(begin, op::Label, {first_});
    sequence<word>* all[] = {&globals_, &begin,      &locals_,     &entry_,
                             &code_,    &functions_, &decorations_};
    for (sequence<word>* part : all) resolve(*part);
    sequence<word> out;
    out.reserve(128 + modes_.size() + decorations_.size() + declared_.size() + globals_.size() +
                locals_.size() + entry_.size() + code_.size() + functions_.size());
    header(out, x, y, z);
    for (const sequence<word>* part : {&decorations_, &declared_, &globals_, &begin, &locals_})
      append(out, *part);
    append(out, entry_);
    append(out, code_);
    put(out, op::Return, {});
    put(out, op::FunctionEnd, {});
    append(out, functions_);
    return out;
  }

 protected:
  static constexpr word main_ = 1, glsl_ = 2, first_ = 4;  ///< numbers: kernel, GLSL, its label
  /// Words that can be put aside while others are written in their place.
  class section : public sequence<word> {
   public:
    constexpr void swap(sequence<word>& other) {
      sequence<word> mine = static_cast<sequence<word>&&>(*this);
      static_cast<sequence<word>&>(*this) = static_cast<sequence<word>&&>(other);
      other = static_cast<sequence<word>&&>(mine);
    }
  };

  sequence<word> globals_, locals_, functions_;
  sequence<word> interface_;  ///< what the entry point has to name: all that is not a local
  section code_, entry_;

  static constexpr void start(sequence<word>& to, op o, word operands) {
    to.push((operands + 1) << 16 | static_cast<word>(o));
  }
  static constexpr void put(sequence<word>& to, op o, std::initializer_list<word> operands) {
    start(to, o, static_cast<word>(operands.size()));
    for (const word w : operands) to.push(w);
  }
  static constexpr void append(sequence<word>& to, const sequence<word>& from) {
    to.reserve(to.size() + from.size());
    for (const word w : from) to.push(w);
  }
  constexpr bool has(capability c) const {
    for (const word w : capabilities_)
      if (w == static_cast<word>(c)) return true;
    return false;
  }
  /// Types and constants so far: whether `once` met a new one.
  constexpr int entry_count() const { return entries_.size(); }

 private:
  /// A type or constant by what it is made of: literals, and the numbers of others.
  struct key {
    op what{};
    int size = 0;
    word operand[5]{};
    constexpr bool operator==(const key&) const = default;
  };
  struct entry {
    key is{};
    word number = 0;  ///< in the finished module
    int next = -1;
  };
  static constexpr word named = 0x80000000u;  ///< + position in `entries_`
  static constexpr int buckets = 64;
  static constexpr const char* extension_names[] = {"SPV_KHR_cooperative_matrix",
                                                    "SPV_KHR_bfloat16"};

  sequence<word> capabilities_, modes_, decorations_;
  sequence<word> declared_;  ///< types and constants, in the order of their numbers
  sequence<word> members_;   ///< of all `struct_of`, one behind the other
  sequence<entry> entries_;  ///< types and constants by key; `head_` begins a list for each bucket
  int head_[buckets];
  bool extensions_[2]{};
  word next_ = 4;

  /// An instruction with nothing but a name: its letters, four in a word, and a zero behind them.
  static constexpr void put_name(sequence<word>& to, op o, const char* name) {
    int letters = 0;
    while (name[letters] != 0) ++letters;
    start(to, o, static_cast<word>(letters / 4 + 1));
    for (int i = 0; i <= letters; i += 4) {
      word four = 0;
      for (int k = 0; k < 4 && i + k < letters; ++k)
        four |= static_cast<word>(static_cast<unsigned char>(name[i + k])) << 8 * k;
      to.push(four);
    }
  }
  static constexpr int bucket(const key& k) {
    word mixed = static_cast<word>(k.what);
    for (int i = 0; i < k.size; ++i) mixed = mixed * 31 + k.operand[i];
    return static_cast<int>((mixed ^ mixed >> 13 ^ mixed >> 23) % buckets);
  }
  constexpr word find(const key& k) const {
    for (int i = head_[bucket(k)]; i >= 0; i = entries_[i].next)
      if (entries_[i].is == k) return named | static_cast<word>(i);
    return 0;
  }
  constexpr word remember(const key& k) {
    int& head = head_[bucket(k)];
    head = entries_.push({k, 0, head});
    return named | static_cast<word>(head);
  }
  /// Types and constants get their numbers in the order in which the finished words name them. No
  /// other word has its highest bit set.
  constexpr void resolve(sequence<word>& words) {
    for (word& w : words)
      if (w >= named) w = number_of(static_cast<int>(w - named));
  }
  constexpr word number_of(int at) {
    entry& e = entries_[at];
    if (e.number != 0) return e.number;
    for (int i = 0; i < e.is.size; ++i)
      if (names(e.is, i)) number_of(static_cast<int>(part(e.is, i) - named));
    e.number = fresh();
    const bool is_type = e.is.what < op::ConstantTrue || e.is.what == op::TypeCooperativeMatrix;
    start(declared_, e.is.what, static_cast<word>(e.is.size) + 1);
    if (is_type) declared_.push(e.number);
    for (int i = 0; i < e.is.size; ++i) {
      const word w = part(e.is, i);
      declared_.push(names(e.is, i) ? entries_[static_cast<int>(w - named)].number : w);
      if (i == 0 && !is_type) declared_.push(e.number);
    }
    return e.number;
  }
  /// The operands of a type or constant; those of `struct_of` are in `members_`.
  constexpr word part(const key& k, int i) const {
    const bool apart = k.what == op::TypeStruct && k.operand[0] < named;
    return apart ? members_[static_cast<int>(k.operand[0]) + i] : k.operand[i];
  }
  /// True if an operand is another type or constant: digits of a number may look like one.
  constexpr bool names(const key& k, int i) const {
    return part(k, i) >= named && !(k.what == op::Constant && i > 0);
  }
  constexpr void header(sequence<word>& out, word x, word y, word z) {
    constexpr word magic = 0x07230203, version = 0x00010500, logical = 0, physical64 = 5348,
                   glsl450 = 1, vulkan_model = 3, gl_compute = 5, m_a_i_n = 0x6e69616d;
    for (const word w : {magic, version, word{0}, next_, word{0}}) out.push(w);
    for (const word w : capabilities_) put(out, op::Capability, {w});
    for (int e = 0; e < 2; ++e)
      if (extensions_[e]) put_name(out, op::Extension, extension_names[e]);
    put(out, op::ExtInstImport, {glsl_, 0x4c534c47, 0x6474732e, 0x3035342e, 0});  // GLSL.std.450
    const bool addresses = has(capability::PhysicalStorageBufferAddresses);
    const bool vulkan = has(capability::VulkanMemoryModel);
    put(out, op::MemoryModel, {addresses ? physical64 : logical, vulkan ? vulkan_model : glsl450});
    start(out, op::EntryPoint, static_cast<word>(interface_.size()) + 4);
    for (const word w : {gl_compute, main_, m_a_i_n, word{0}}) out.push(w);
    append(out, interface_);
    put(out, op::ExecutionMode, {main_, static_cast<word>(execution_mode::LocalSize), x, y, z});
    append(out, modes_);
  }
};

}  // namespace tenon::spirv
