// SPIR-V's numbers by their names in the specification, and the values that instructions pass on.
// Source: SPIR-V 1.5 and GLSL.std.450, unified1 headers.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

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
/// components, 1 for a scalar. No instruction has the number 0: id{} stands for no value.
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
}  // namespace tenon::spirv
