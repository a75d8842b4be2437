// Writes SPIR-V modules: the same code in constant expressions and at run time, no Vulkan header
// and no shader compiler. A module is one compute kernel with the entry point "main".
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace tenon::spirv {

using word = std::uint32_t;

/// Opcodes by their names in the specification ("Op" is left out).
enum class op : word {
  Extension = 10,
  ExtInstImport = 11,
  ExtInst = 12,
  MemoryModel = 14,
  EntryPoint = 15,
  ExecutionMode = 16,
  Capability = 17,
  TypeVoid = 19,
  TypeBool = 20,
  TypeInt = 21,
  TypeFloat = 22,
  TypeVector = 23,
  TypeArray = 28,
  TypeRuntimeArray = 29,
  TypeStruct = 30,
  TypePointer = 32,
  TypeFunction = 33,
  ConstantTrue = 41,
  ConstantFalse = 42,
  Constant = 43,
  ConstantComposite = 44,
  Function = 54,
  FunctionParameter = 55,
  FunctionEnd = 56,
  FunctionCall = 57,
  Variable = 59,
  Load = 61,
  Store = 62,
  AccessChain = 65,
  Decorate = 71,
  MemberDecorate = 72,
  CompositeConstruct = 80,
  CompositeExtract = 81,
  ConvertFToU = 109,
  ConvertFToS = 110,
  ConvertSToF = 111,
  ConvertUToF = 112,
  UConvert = 113,
  SConvert = 114,
  FConvert = 115,
  ConvertPtrToU = 117,
  ConvertUToPtr = 120,
  Bitcast = 124,
  FNegate = 127,
  IAdd = 128,
  FAdd = 129,
  ISub = 130,
  FSub = 131,
  IMul = 132,
  FMul = 133,
  UDiv = 134,
  SDiv = 135,
  FDiv = 136,
  UMod = 137,
  LogicalOr = 166,
  LogicalAnd = 167,
  LogicalNot = 168,
  Select = 169,
  IEqual = 170,
  INotEqual = 171,
  SGreaterThanEqual = 175,
  ULessThan = 176,
  SLessThan = 177,
  SLessThanEqual = 179,
  FOrdEqual = 180,
  FUnordNotEqual = 183,
  FOrdLessThan = 184,
  FOrdGreaterThan = 186,
  FOrdLessThanEqual = 188,
  FOrdGreaterThanEqual = 190,
  ShiftRightLogical = 194,
  ShiftRightArithmetic = 195,
  ShiftLeftLogical = 196,
  BitwiseOr = 197,
  BitwiseXor = 198,
  BitwiseAnd = 199,
  ControlBarrier = 224,
  Phi = 245,
  LoopMerge = 246,
  SelectionMerge = 247,
  Label = 248,
  Branch = 249,
  BranchConditional = 250,
  Return = 253,
  ReturnValue = 254,
  GroupNonUniformShuffle = 345,
  TypeCooperativeMatrix = 4456,
  CooperativeMatrixLoad = 4457,
  CooperativeMatrixStore = 4458,
  CooperativeMatrixMulAdd = 4459,
};
/// Instructions of GLSL.std.450.
enum class glsl : word { RoundEven = 2, FAbs = 4, Floor = 8, Sqrt = 31, Fma = 50 };

enum class capability : word {
  Shader = 1,
  Float16 = 9,
  Float64 = 10,
  Int64 = 11,
  Int16 = 22,
  Int8 = 39,
  GroupNonUniform = 61,
  GroupNonUniformShuffle = 65,
  StorageBuffer16BitAccess = 4433,
  StorageBuffer8BitAccess = 4448,
  DenormPreserve = 4464,
  SignedZeroInfNanPreserve = 4466,
  RoundingModeRTE = 4467,
  BFloat16Type = 5116,
  BFloat16CooperativeMatrix = 5118,
  VulkanMemoryModel = 5345,
  PhysicalStorageBufferAddresses = 5347,
  CooperativeMatrix = 6022,
};
/// Extensions that are not part of SPIR-V 1.5.
enum class extension : word { cooperative_matrix, bfloat16 };
enum class execution_mode : word {
  LocalSize = 17,
  DenormPreserve = 4459,
  SignedZeroInfNanPreserve = 4461,
  RoundingModeRTE = 4462,
};
enum class decoration : word {
  Block = 2,
  ArrayStride = 6,
  BuiltIn = 11,
  Aliased = 20,
  Binding = 33,
  DescriptorSet = 34,
  Offset = 35,
  NoContraction = 42,
};
enum class storage : word {
  Input = 1,
  Workgroup = 4,
  Function = 7,
  PushConstant = 9,
  StorageBuffer = 12,
  PhysicalStorageBuffer = 5349,
};
enum class builtin : word {
  NumWorkgroups = 24,
  WorkgroupId = 26,
  LocalInvocationId = 27,
  GlobalInvocationId = 28,
  SubgroupId = 40,
};
/// What a cooperative matrix is in a product, and how its elements follow each other in memory.
enum class matrix_use : word { a, b, accumulator };
enum class matrix_layout : word { by_rows, by_columns };

/// The scalars of a module. Integers are declared without a sign: instructions say how they read
/// one.
enum class kind : std::uint8_t {
  none,
  boolean,
  int8,
  int16,
  int32,
  int64,
  float16,
  float32,
  float64
};
constexpr bool is_float(kind k) { return k >= kind::float16; }
constexpr int bytes_of(kind k) {
  constexpr int bytes[] = {0, 0, 1, 2, 4, 8, 2, 4, 8};
  return bytes[static_cast<int>(k)];
}

/// A value: the number of the instruction that made it, and its type; `width` is the number of
/// components, 1 for a scalar.
struct id {
  word number = 0;
  kind is = kind::none;
  int width = 1;
};
/// A variable of the invocation, or of its workgroup; `elements` > 0: an array.
struct variable {
  word number = 0;
  kind is = kind::none;
  int width = 1;
  storage in = storage::Function;
  int elements = 0;
};
/// A pointer to a scalar or vector in memory; `align` in bytes, for physical pointers.
struct pointer {
  word number = 0;
  kind is = kind::none;
  int width = 1;
  int align = 0;
};
/// A function with up to two operands and a result of one type.
struct function {
  word number = 0;
};

/// A module while it is written. Types and constants are declared when they are first asked for,
/// once.
/// ```cpp
/// assembler m;
/// id total = m.add(a, b);
/// m.loop(10, [&](id i) {
///   m.when(m.less(i, n), [&] { m.add(total, i); });
/// });
/// sequence<word> words = m.finish(64, 1, 1);
/// ```
/// Of a call's arguments just one may write instructions: compilers differ in which one goes first.
class assembler {
 public:
  /// Memory operands: an alignment follows; other invocations may access this, too.
  static constexpr word aligned = 2, non_private = 0x20;

  constexpr assembler() {
    for (int& h : head_) h = -1;
    require(capability::Shader);
    block_ = fresh();
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
  /// A type or constant; equal ones are one. Until the module is finished it has a number of its
  /// own kind, because compilers differ in which operand of a call they make first.
  constexpr word once(op o, std::initializer_list<word> operands) {
    key k{o};
    for (const word w : operands) k.operand[k.size++] = w;
    if (const word number = find(k)) return number;
    return remember(k);
  }

  // ---- types
  constexpr word type_id(kind k, int width = 1) {
    word& known = types_[static_cast<int>(k)][width];
    if (known == 0) known = width > 1 ? declare_vector(k, width) : declare_scalar(k);
    return known;
  }
  constexpr word array_type(word element, word count) {
    return once(op::TypeArray, {element, integer(count).number});
  }
  constexpr word pointer_type(storage s, word to) {
    return once(op::TypePointer, {static_cast<word>(s), to});
  }
  constexpr word pointer_type(storage s, kind k, int width = 1) {
    return pointer_type(s, type_id(k, width));
  }
  /// A matrix that the invocations of a subgroup hold together.
  constexpr word matrix_type(word component, word rows, word columns, matrix_use use) {
    const word held_by = integer(subgroup_).number, high = integer(rows).number,
               wide = integer(columns).number, used = integer(static_cast<word>(use)).number;
    return once(op::TypeCooperativeMatrix, {component, held_by, high, wide, used});
  }
  /// A block that is nothing but elements of a type.
  std::int64_t rounds_ = 0, nest_ = 1;  ///< of all loops so far; of those that are open
  constexpr word block_of(kind k, int width = 1) {
    const int known = known_.size();
    const word elements = once(op::TypeRuntimeArray, {type_id(k, width)}),
               block = once(op::TypeStruct, {elements});
    if (known_.size() == known) return block;
    decorate(elements, decoration::ArrayStride, static_cast<word>(bytes_of(k) * width));
    decorate(block, decoration::Block);
    decorate_member(block, 0, decoration::Offset, 0);
    return block;
  }
  /// A struct of its own.
  constexpr word struct_of(const sequence<word>& members) {
    key k{op::TypeStruct};
    k.operand[0] = static_cast<word>(members_.size());
    k.size = members.size();
    append(members_, members);
    return named | static_cast<word>(known_.push({k, 0, -1}));
  }

  // ---- constants
  constexpr id integer(std::int64_t v) {
    return constant(kind::int32, static_cast<std::uint32_t>(v));
  }
  constexpr id real(float v) { return constant(kind::float32, std::bit_cast<word>(v)); }
  constexpr id constant(kind k, std::uint64_t bits) {
    if (k == kind::boolean) return truth(bits != 0);
    if (bytes_of(k) < 8) bits &= (std::uint64_t{1} << bytes_of(k) * 8) - 1;
    const word t = type_id(k), low = static_cast<word>(bits), high = static_cast<word>(bits >> 32);
    return {bytes_of(k) == 8 ? once(op::Constant, {t, low, high}) : once(op::Constant, {t, low}), k,
            1};
  }
  constexpr id truth(bool yes) {
    const op o = yes ? op::ConstantTrue : op::ConstantFalse;
    return {once(o, {type_id(kind::boolean)}), kind::boolean, 1};
  }
  /// A constant of the same type and width as `like`, all components alike.
  constexpr id constant_like(id like, std::uint64_t bits) {
    const word one = constant(like.is, bits).number, t = type_id(like.is, like.width);
    if (like.width == 1) return {one, like.is, 1};
    if (like.width == 2) return {once(op::ConstantComposite, {t, one, one}), like.is, 2};
    return {once(op::ConstantComposite, {t, one, one, one, one}), like.is, 4};
  }
  constexpr id integer_like(id like, std::uint64_t v) { return constant_like(like, v); }
  constexpr id real_like(id like, float v) { return constant_like(like, std::bit_cast<word>(v)); }

  // ---- instructions
  /// An instruction with a result.
  constexpr id emit(op o, kind k, int width, std::initializer_list<word> operands) {
    const word t = type_id(k, width);
    return {emit_typed(o, t, operands), k, width};
  }
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

  constexpr id unary(op o, id a) { return emit(o, a.is, a.width, {a.number}); }
  constexpr id binary(op o, id a, id b) { return emit(o, a.is, a.width, {a.number, b.number}); }
  constexpr id compare(op o, id a, id b) {
    return emit(o, kind::boolean, a.width, {a.number, b.number});
  }
  constexpr id convert(op o, id a, kind to) { return emit(o, to, a.width, {a.number}); }
  constexpr id select(id condition, id a, id b) {
    return emit(op::Select, a.is, a.width, {condition.number, a.number, b.number});
  }
  constexpr id call(glsl f, id a) {
    return emit(op::ExtInst, a.is, a.width, {glsl_, static_cast<word>(f), a.number});
  }
  constexpr id fma(id a, id b, id c) {
    return emit(op::ExtInst, a.is, a.width,
                {glsl_, static_cast<word>(glsl::Fma), a.number, b.number, c.number});
  }
  /// Sums and products that drivers must round one by one.
  constexpr id exact(id r) {
    decorate(r.number, decoration::NoContraction);
    return r;
  }
  constexpr id add(id a, id b) {
    return is_float(a.is) ? exact(binary(op::FAdd, a, b)) : binary(op::IAdd, a, b);
  }
  constexpr id sub(id a, id b) {
    return is_float(a.is) ? exact(binary(op::FSub, a, b)) : binary(op::ISub, a, b);
  }
  constexpr id mul(id a, id b) {
    return is_float(a.is) ? exact(binary(op::FMul, a, b)) : binary(op::IMul, a, b);
  }
  /// Of integers: without a sign.
  constexpr id div(id a, id b) { return binary(is_float(a.is) ? op::FDiv : op::UDiv, a, b); }
  constexpr id mod(id a, id b) { return binary(op::UMod, a, b); }
  /// Of integers: with a sign.
  constexpr id less(id a, id b) {
    return compare(is_float(a.is) ? op::FOrdLessThan : op::SLessThan, a, b);
  }
  constexpr id below(id a, id b) { return compare(op::ULessThan, a, b); }
  constexpr id equal(id a, id b) {
    return compare(is_float(a.is) ? op::FOrdEqual : op::IEqual, a, b);
  }
  constexpr id both(id a, id b) { return binary(op::LogicalAnd, a, b); }
  constexpr id either(id a, id b) { return binary(op::LogicalOr, a, b); }
  constexpr id negated(id a) { return unary(op::LogicalNot, a); }
  constexpr id bits_as(id a, kind k) { return a.is == k ? a : convert(op::Bitcast, a, k); }

  /// Arithmetic with numbers that the emitter knows: what changes nothing is not written.
  constexpr id plus(id a, std::int64_t n) { return n == 0 ? a : add(a, integer(n)); }
  constexpr id times(id a, std::int64_t n) { return n == 1 ? a : mul(a, integer(n)); }
  constexpr id over(id a, std::int64_t n) { return n == 1 ? a : div(a, integer(n)); }
  constexpr id modulo(id a, std::int64_t n) { return n == 1 ? integer(0) : mod(a, integer(n)); }

  // ---- vectors
  constexpr id splat(id a, int width) {
    if (width == 1) return a;
    if (width == 2) return emit(op::CompositeConstruct, a.is, 2, {a.number, a.number});
    return emit(op::CompositeConstruct, a.is, 4, {a.number, a.number, a.number, a.number});
  }
  constexpr id vector(id a, id b) {
    return emit(op::CompositeConstruct, a.is, 2, {a.number, b.number});
  }
  constexpr id vector(id a, id b, id c, id d) {
    return emit(op::CompositeConstruct, a.is, 4, {a.number, b.number, c.number, d.number});
  }
  constexpr id component(id a, int at) {
    if (a.width == 1) return a;
    return emit(op::CompositeExtract, a.is, 1, {a.number, static_cast<word>(at)});
  }

  // ---- variables
  /// A variable of a type that is none of `kind`'s.
  constexpr word local_of(word type) {
    const word number = fresh(), p = pointer_type(storage::Function, type);
    put(locals_, op::Variable, {p, number, static_cast<word>(storage::Function)});
    return number;
  }
  constexpr variable local(kind k, int width = 1) {
    const word number = fresh(), p = pointer_type(storage::Function, k, width);
    put(locals_, op::Variable, {p, number, static_cast<word>(storage::Function)});
    return {number, k, width, storage::Function, 0};
  }
  constexpr variable local(id first) {
    const variable v = local(first.is, first.width);
    set(v, first);
    return v;
  }
  /// An array of the workgroup.
  constexpr variable shared(kind k, int elements, int width = 1) {
    const word p = pointer_type(storage::Workgroup,
                                array_type(type_id(k, width), static_cast<word>(elements))),
               number = fresh();
    put(globals_, op::Variable, {p, number, static_cast<word>(storage::Workgroup)});
    interface_.push(number);
    return {number, k, width, storage::Workgroup, elements};
  }
  constexpr variable local_array(kind k, int elements, int width = 1) {
    const word number = fresh(),
               p = pointer_type(storage::Function,
                                array_type(type_id(k, width), static_cast<word>(elements)));
    put(locals_, op::Variable, {p, number, static_cast<word>(storage::Function)});
    return {number, k, width, storage::Function, elements};
  }
  constexpr id get(const variable& v) { return emit(op::Load, v.is, v.width, {v.number}); }
  constexpr void set(const variable& v, id x) { emit(op::Store, {v.number, x.number}); }
  constexpr id get(const variable& v, id at) { return load_from(v, element_of(v, at), v.width); }
  constexpr void set(const variable& v, id at, id x) { store_to(v, element_of(v, at), x); }
  /// Components of an array of vectors, counted through all of it.
  constexpr id get_component(const variable& v, id at) {
    return load_from(v, component_of(v, at), 1);
  }
  constexpr void set_component(const variable& v, id at, id x) {
    store_to(v, component_of(v, at), x);
  }
  /// A pointer to an element of an array.
  constexpr word element_of(const variable& v, id at) {
    return emit_typed(op::AccessChain, pointer_type(v.in, v.is, v.width), {v.number, at.number});
  }
  /// A component of a built-in variable; of those that are scalars the only one.
  constexpr id input(builtin b, int component = 0) {
    const bool vector = b <= builtin::GlobalInvocationId;
    word& v = inputs_[static_cast<int>(b)];
    if (v == 0) v = declare_input(b, vector ? 3 : 1);
    if (!vector) return emit(op::Load, kind::int32, 1, {v});
    const word p = emit_typed(op::AccessChain, pointer_type(storage::Input, kind::int32),
                              {v, integer(component).number});
    return emit(op::Load, kind::int32, 1, {p});
  }

  // ---- memory
  constexpr id load(const pointer& p) {
    if (p.align == 0) return emit(op::Load, p.is, p.width, {p.number});
    return emit(op::Load, p.is, p.width, {p.number, aligned, static_cast<word>(p.align)});
  }
  constexpr void store(const pointer& p, id x) {
    if (p.align == 0) return emit(op::Store, {p.number, x.number});
    emit(op::Store, {p.number, x.number, aligned, static_cast<word>(p.align)});
  }
  /// What invocation `lane` of the subgroup has.
  constexpr id of_lane(id x, id lane) {
    require(capability::GroupNonUniform);
    require(capability::GroupNonUniformShuffle);
    return emit(op::GroupNonUniformShuffle, x.is, x.width,
                {integer(subgroup_).number, x.number, lane.number});
  }
  constexpr id of_lane(id x, std::int64_t lane) { return of_lane(x, integer(lane)); }
  /// All invocations of the workgroup see what all of them wrote into its arrays.
  constexpr void barrier() {
    constexpr word workgroup = 2, acquire_release_of_workgroup_memory = 0x108,
                   make_available_and_visible = 0x6000;
    const word semantics =
        acquire_release_of_workgroup_memory |
        (has(capability::VulkanMemoryModel) ? make_available_and_visible : word{0});
    emit(op::ControlBarrier,
         {integer(workgroup).number, integer(workgroup).number, integer(semantics).number});
  }

  // ---- control
  /// Runs `body(i)` for i = begin, begin + step, ... below `end` (integers with a sign).
  /// `rounds` of a loop are the most there may be.
  template <class F> constexpr void loop(id begin, id end, id step, std::int64_t rounds, F&& body) {
    rounds_ += nest_ * rounds;
    nest_ *= rounds;
    const word head = fresh(), test = fresh(), inside = fresh(), again = fresh(), behind = fresh();
    const id next{fresh(), begin.is, 1};
    const word before = block_;
    branch(head);
    open(head);
    const id i = emit(op::Phi, begin.is, 1, {begin.number, before, next.number, again});
    emit(op::LoopMerge, {behind, again, 0});
    branch(test);
    open(test);
    emit(op::BranchConditional, {less(i, end).number, inside, behind});
    open(inside);
    body(i);
    nest_ /= rounds;
    branch(again);
    open(again);
    start(code_, op::IAdd, 4);
    for (const word w : {type_id(begin.is), next.number, i.number, step.number}) code_.push(w);
    branch(head);
    open(behind);
  }
  template <class F> constexpr void loop(std::int64_t n, F&& body) {
    if (n == 1) return body(integer(0));
    if (n > 1) loop(integer(0), integer(n), integer(1), n, body);
  }
  /// Most rounds of all loops together that an invocation makes.
  constexpr std::int64_t rounds() const { return rounds_; }
  template <class F> constexpr void when(id condition, F&& body) {
    const word inside = fresh(), behind = fresh();
    emit(op::SelectionMerge, {behind, 0});
    emit(op::BranchConditional, {condition.number, inside, behind});
    open(inside);
    body();
    branch(behind);
    open(behind);
  }
  template <class F, class G> constexpr void when(id condition, F&& body, G&& otherwise) {
    const word inside = fresh(), other = fresh(), behind = fresh();
    emit(op::SelectionMerge, {behind, 0});
    emit(op::BranchConditional, {condition.number, inside, other});
    open(inside);
    body();
    branch(behind);
    open(other);
    otherwise();
    branch(behind);
    open(behind);
  }
  /// Instructions that stand before all others, whatever is written at the moment.
  template <class F> constexpr auto at_entry(F&& write) {
    code_.swap(entry_);
    auto r = write();
    code_.swap(entry_);
    return r;
  }
  /// A function of one or two values of one type: `body(operands)` gives the result. It has no
  /// variables and no control flow.
  template <class F> constexpr function define(kind k, int width, int operands, F&& body) {
    const word t = type_id(k, width);
    const word signature =
        operands == 1 ? once(op::TypeFunction, {t, t}) : once(op::TypeFunction, {t, t, t});
    sequence<word> own;
    code_.swap(own);
    const function f{fresh()};
    emit(op::Function, {t, f.number, 0, signature});
    id arguments[2]{emit(op::FunctionParameter, k, width, {})};
    if (operands == 2) arguments[1] = emit(op::FunctionParameter, k, width, {});
    emit(op::Label, {fresh()});
    const id r = body(arguments);
    emit(op::ReturnValue, {r.number});
    emit(op::FunctionEnd, {});
    append(functions_, code_);
    code_.swap(own);
    return f;
  }
  constexpr id call(function f, id a) {
    return emit(op::FunctionCall, a.is, a.width, {f.number, a.number});
  }
  constexpr id call(function f, id a, id b) {
    return emit(op::FunctionCall, a.is, a.width, {f.number, a.number, b.number});
  }

  /// A global variable whose number was taken before.
  constexpr void declare_variable(word pointer_to, word number, storage s) {
    put(globals_, op::Variable, {pointer_to, number, static_cast<word>(s)});
    interface_.push(number);
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

 private:
  /// A growing run of words that can be put aside.
  class run : public sequence<word> {
   public:
    constexpr void swap(sequence<word>& other) {
      sequence<word> mine = static_cast<sequence<word>&&>(*this);
      static_cast<sequence<word>&>(*this) = static_cast<sequence<word>&&>(other);
      other = static_cast<sequence<word>&&>(mine);
    }
  };
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
  static constexpr word named = 0x80000000u;  ///< + position in `known_`
  static constexpr int buckets = 64;
  static constexpr const char* extension_names[] = {"SPV_KHR_cooperative_matrix",
                                                    "SPV_KHR_bfloat16"};
  static constexpr word subgroup_ = 3;  ///< the scope

  sequence<word> capabilities_, modes_, decorations_, declared_, globals_, locals_, functions_,
      interface_, members_;
  run code_, entry_;
  sequence<entry> known_;
  int head_[buckets];
  word types_[9][5]{};
  word inputs_[64]{};
  bool extensions_[2]{};
  word next_ = 4;
  static constexpr word main_ = 1, glsl_ = 2, first_ = 4;
  word block_ = 0;

  static constexpr void start(sequence<word>& to, op o, word operands) {
    to.push((operands + 1) << 16 | static_cast<word>(o));
  }
  static constexpr void put(sequence<word>& to, op o, std::initializer_list<word> operands) {
    start(to, o, static_cast<word>(operands.size()));
    for (const word w : operands) to.push(w);
  }
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
  static constexpr void append(sequence<word>& to, const sequence<word>& from) {
    to.reserve(to.size() + from.size());
    for (const word w : from) to.push(w);
  }

  static constexpr int bucket(const key& k) {
    word mixed = static_cast<word>(k.what);
    for (int i = 0; i < k.size; ++i) mixed = mixed * 31 + k.operand[i];
    return static_cast<int>((mixed ^ mixed >> 13 ^ mixed >> 23) % buckets);
  }
  constexpr word find(const key& k) const {
    for (int i = head_[bucket(k)]; i >= 0; i = known_[i].next)
      if (known_[i].is == k) return named | static_cast<word>(i);
    return 0;
  }
  constexpr word remember(const key& k) {
    int& head = head_[bucket(k)];
    head = known_.push({k, 0, head});
    return named | static_cast<word>(head);
  }
  /// Types and constants get their numbers in the order in which a finished run names them. No
  /// other word has its highest bit set.
  constexpr void resolve(sequence<word>& words) {
    for (word& w : words)
      if (w >= named) w = number_of(static_cast<int>(w - named));
  }
  constexpr word number_of(int at) {
    entry& e = known_[at];
    if (e.number != 0) return e.number;
    for (int i = 0; i < e.is.size; ++i)
      if (names(e.is, i)) number_of(static_cast<int>(part(e.is, i) - named));
    e.number = fresh();
    const bool is_type = e.is.what < op::ConstantTrue || e.is.what == op::TypeCooperativeMatrix;
    start(declared_, e.is.what, static_cast<word>(e.is.size) + 1);
    if (is_type) declared_.push(e.number);
    for (int i = 0; i < e.is.size; ++i) {
      const word w = part(e.is, i);
      declared_.push(names(e.is, i) ? known_[static_cast<int>(w - named)].number : w);
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

  constexpr word declare_scalar(kind k) {
    const word bits = static_cast<word>(bytes_of(k)) * 8;
    if (k == kind::boolean) return once(op::TypeBool, {});
    if (k == kind::float16) require(capability::Float16);
    if (k == kind::float64) require(capability::Float64);
    if (k == kind::int64) require(capability::Int64);
    return is_float(k) ? once(op::TypeFloat, {bits}) : once(op::TypeInt, {bits, 0});
  }
  constexpr word declare_vector(kind k, int width) {
    return once(op::TypeVector, {type_id(k), static_cast<word>(width)});
  }
  constexpr word declare_input(builtin b, int width) {
    const word p = pointer_type(storage::Input, kind::int32, width), number = fresh();
    put(globals_, op::Variable, {p, number, static_cast<word>(storage::Input)});
    decorate(number, decoration::BuiltIn, static_cast<word>(b));
    interface_.push(number);
    return number;
  }
  constexpr word component_of(const variable& v, id at) {
    const id element = over(at, v.width), own = modulo(at, v.width);
    return emit_typed(op::AccessChain, pointer_type(v.in, v.is),
                      {v.number, element.number, own.number});
  }
  /// In Vulkan's memory model others see only what says that it is for them.
  constexpr bool is_marked(const variable& v) const {
    return v.in == storage::Workgroup && has(capability::VulkanMemoryModel);
  }
  constexpr id load_from(const variable& v, word p, int width) {
    if (is_marked(v)) return emit(op::Load, v.is, width, {p, non_private});
    return emit(op::Load, v.is, width, {p});
  }
  constexpr void store_to(const variable& v, word p, id x) {
    if (is_marked(v)) return emit(op::Store, {p, x.number, non_private});
    emit(op::Store, {p, x.number});
  }
  constexpr void branch(word to) { emit(op::Branch, {to}); }
  constexpr void open(word label) {
    emit(op::Label, {label});
    block_ = label;
  }

  constexpr bool has(capability c) const {
    for (const word w : capabilities_)
      if (w == static_cast<word>(c)) return true;
    return false;
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
