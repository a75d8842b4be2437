// The vocabulary of the node table: the families, the details of a node of each family, and the
// node itself.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <tenon/graph/program.hpp>
#include <limits>

namespace tenon {

/// The few families that policies implement; operators are combinations of them.
enum class family : std::uint8_t {
  input,     ///< given at every call
  weight,    ///< given once, when the model is bound
  map,       ///< a scalar program over broadcast operands
  reduce,    ///< one value from many along axes
  contract,  ///< a sum of products over (windowed) axes
  window,    ///< a reduction over a window that slides along axes
  move,      ///< elements of the operand at positions that are known at planning
  gather,    ///< reads or writes at positions that a tensor of indices names
  scan,      ///< what enters and leaves a body that runs once for each position along an axis
  compose,   ///< of groups only: a composite operator that its policy runs as one step
};

constexpr const char* name_of(family f) {
  constexpr const char* names[] = {"input",  "weight", "map",    "reduce", "contract",
                                   "window", "move",   "gather", "scan",   "compose"};
  return names[static_cast<int>(f)];
}
constexpr bool is_leaf(family f) { return f == family::input || f == family::weight; }

/// How reductions and windows combine two values. max and min propagate NaN. The last two, which
/// only reductions have, keep two values, an extreme and its position, and give the position: that
/// of the first NaN if there is one, else that of the first extreme.
enum class combine : std::uint8_t { sum, max, min, product, first_max, first_min };
constexpr bool gives_position(combine how) { return how >= combine::first_max; }

/// The neutral value of a combination. A partial result of no element holds it, so that combining
/// the partial results does not change the result.
constexpr float neutral(combine how) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return how == combine::sum                                ? 0.0f
         : how == combine::product                          ? 1.0f
         : how == combine::max || how == combine::first_max ? -infinity
                                                            : infinity;
}

/// A window along one axis: output position o and tap t read input position
/// `o * stride + t * dilation - begin`; positions outside [0, extent) are padding.
struct sweep {
  int out_axis = -1;  ///< loop axis of the output position
  int tap_axis = -1;  ///< loop axis of the tap (contract only)
  i64 taps = 1;
  i64 stride = 1, dilation = 1, begin = 0;
  i64 extent = 0;  ///< input extent
  i64 step = 0;    ///< input stride in elements
  constexpr bool operator==(const sweep&) const = default;
};

/// True if every one of the positions has a tap inside of the image. With dilation it may say false
/// where that is true.
constexpr bool always_inside(const sweep& s, i64 positions) {
  const i64 reach = s.dilation == 1 ? s.taps - 1 : 0;  // with gaps, taps could jump over the image
  return s.begin <= reach && (positions - 1) * s.stride - s.begin < s.extent;
}

/// A contraction: `out[...] = sum over the reduced axes of a[...] * b[...]`, as a loop nest. The
/// sum starts from zero and takes one fma per term, with the reduced axes in the order of `axis`,
/// the last one innermost. This order defines the result's bits on every policy.
struct contraction {
  static constexpr int max_axes = 12;
  struct loop {
    i64 extent = 1;
    i64 a = 0, b = 0, out = 0;  ///< strides in elements (a: 0 for swept axes)
    bool reduced = false;
    constexpr bool operator==(const loop&) const = default;
  };
  int axes = 0;
  loop axis[max_axes]{};
  int sweeps = 0;
  sweep swept[2]{};  ///< of operand a; padding contributes products with zero
  constexpr bool operator==(const contraction&) const = default;
};

/// Pooling: combines the elements of a window that lie inside the image; `average` divides by their
/// number. A window that lies wholly in the padding gives 0.
struct windowing {
  combine how = combine::max;
  bool average = false;
  sweep swept[2]{};  ///< out_axis is the tensor axis
  constexpr bool operator==(const windowing&) const = default;
};

/// A reduction over the axes in `axes` (bit i: axis i of the operand). The elements along the
/// reduced axes are dealt in row-major order to 16 partial results. These are combined as a binary
/// tree: i with i + 8, then i + 4, i + 2, i + 1. This order defines the result's bits on every
/// policy.
struct reduction {
  combine how = combine::sum;
  std::uint32_t axes = 0;
  bool keep = false;     ///< reduced axes stay with extent 1
  bool average = false;  ///< the combined value is divided by the number of elements
  constexpr bool reduces(int axis) const { return (axes >> axis & 1u) != 0; }
  constexpr bool operator==(const reduction&) const = default;
};
/// Partial results of a reduction: element k goes to number k % 16.
inline constexpr int partial_results = 16;

/// What positions outside of a padded tensor show: a value, the nearest element, or the mirror
/// image.
enum class padding_mode : std::uint8_t { constant, edge, reflection };

/// What a position between two elements gives: the nearest element (of two equally near ones, the
/// lower), the lower one, the upper one, or the distance to the lower one, from 0 to 1.
enum class sampling : std::uint8_t { nearest, lower, upper, fraction };

/// Where the elements of a move node come from.
struct movement {
  enum class form : std::uint8_t {
    affine,   ///< element (i0, i1, ...) is operand element `offset + sum i_k * step[k]`
    reshape,  ///< same elements in the same order: never needs a kernel
    join,     ///< the operands lie one behind the other along `axis`
    pad,      ///< `begin` elements of `mode` stand before the operand, the rest behind it
    band,     ///< `low` <= column - row <= `high` in the last two axes; the others are 0
    sample,   ///< see `sampled_at`, along every axis; a fraction: one number for each position of
              ///< `axis`
    unpack,   ///< elements of 4 bits in whole bytes
    pack,     ///< the low 4 bits of bytes; a last half byte is 0
  };
  form is = form::affine;
  i64 offset = 0;
  strides step{};
  int axis = 0;
  padding_mode mode = padding_mode::constant;
  any_number value{};
  i64 begin[max_rank]{};
  i64 low = 0, high = 0;
  sampling how = sampling::nearest;
  constexpr bool reshapes() const { return is == form::reshape; }
  constexpr bool operator==(const movement&) const = default;
};

/// The operand's position that a padded tensor shows at position `at`, which is counted from the
/// operand's first element; -1 if it shows the padding's value.
constexpr i64 shown(padding_mode mode, i64 at, i64 extent) {
  if (at >= 0 && at < extent) return at;
  if (mode == padding_mode::constant) return -1;
  if (mode == padding_mode::edge) return at < 0 ? 0 : extent - 1;
  return at < 0 ? -at : 2 * (extent - 1) - at;
}
/// `to` positions are spread evenly over `from` elements. The centre of position `at` is at
/// `over / under`, counted in elements from the centre of the first one; the fraction is exact.
struct sampled {
  i64 over = 0, under = 1;
  constexpr sampled(i64 at, i64 from, i64 to) : over((2 * at + 1) * from - to), under(2 * to) {}
};
/// The number of the element that such a position shows. Positions before the middle of the first
/// element show the first one.
constexpr i64 sampled_at(sampling how, i64 at, i64 from, i64 to) {
  if (from == to) return at;
  const sampled s(at, from, to);
  if (how == sampling::nearest) return (s.over + to - 1) / s.under;  // ceil(over / under - 1 / 2)
  if (s.over < 0) return 0;
  const i64 lower = s.over / s.under;
  return how == sampling::upper && s.over % s.under != 0 && lower + 1 < from ? lower + 1 : lower;
}
/// The distance of the position to its lower element, from 0 to 1; 0 where lower and upper element
/// are the same.
constexpr float fraction_at(i64 at, i64 from, i64 to) {
  const sampled s(at, from, to);
  if (s.over < 0 || s.over / s.under + 1 >= from) return 0;
  return static_cast<float>(static_cast<double>(s.over % s.under) / static_cast<double>(s.under));
}
/// The columns of row `row` that a band keeps: from `begin` to before `end`.
struct band_columns {
  i64 begin = 0, end = 0;
  constexpr band_columns(const movement& m, i64 row, i64 columns) {
    const auto inside = [&](i64 at) { return at < 0 ? 0 : at > columns ? columns : at; };
    begin = inside(row + m.low);
    end = inside(row + m.high + 1);
    if (end < begin) end = begin;
  }
};

/// The position that an index names on an axis: a negative index counts from the end; then the
/// position is clamped to the axis.
constexpr i64 position_of(i64 index, i64 extent) {
  if (index < 0) return index < -extent ? 0 : index + extent;
  return index < extent ? index : extent - 1;
}

/// Reads or writes at positions that a tensor of indices names.
///
/// Reading: output element (i0, i1, ...) has `coordinates` indices. The first one is element
/// `sum i_k * index_step[k]` of the indices; each further one stands `coordinate_step` elements
/// behind the one before. `position_of` makes coordinate c of index c. The output element is data
/// element `sum i_k * step[k] + sum of coordinate c * coordinate_stride[c]`.
///
/// Writing: the output is a copy of the data. Then element (i0, i1, ...) of the third operand, the
/// updates, replaces the element from which a read would take its element (i0, i1, ...). This is
/// done in row-major order, so that of several updates for one element the last one wins.
struct gathering {
  int coordinates = 1;
  strides step{}, index_step{};
  i64 coordinate_step = 0;
  i64 extent[max_rank]{}, coordinate_stride[max_rank]{};
  bool writes = false;
  constexpr bool operator==(const gathering&) const = default;
};

/// A scan runs its body once for each of `steps` positions along the first axis of sequences, from
/// the first to the last or backward. The body are the nodes whose `loop` is the scan's number;
/// they may read every node before it. Nodes of this family are the scan's border. In the body,
/// slices and states stand before the nodes that read them. Directly behind the body, and no longer
/// part of it, stand the nodes for what comes out of it.
struct scanning {
  enum class part : std::uint8_t {
    slice,  ///< in the body: the operand at this step's position of its first axis
    state,  ///< in the body: the operand in the first step, later the next value of the step before
    all,    ///< behind it: the operand's values in all steps, by position along the first axis
    last,   ///< behind it: the operand's value in the last step
  };        // `all` and `last` may have a state as second operand: the first is its next value
  part is = part::slice;
  bool backward = false;
  int loop = -1;
  int node = -1;  ///< the node whose part this is
  i64 steps = 1;
  constexpr bool enters() const { return is == part::slice || is == part::state; }
  constexpr i64 position(i64 step) const { return backward ? steps - 1 - step : step; }
  constexpr bool operator==(const scanning&) const = default;
};

/// One row of the table. `detail` indexes the pool of the node's family (programs for map, names
/// for leaves).
struct node {
  family kind = family::input;
  std::int8_t policy = -1;   ///< policy asked for, -1: none
  std::int16_t region = -1;  ///< the composite operator this node was expanded from
  std::int16_t loop = -1;    ///< the scan to whose body this node belongs
  int operands = 0;
  int in[max_operands]{};
  int detail = -1;
  tensor out{};
  const char* op = "";          ///< name of the operator, for people
  int origin = -1;              ///< the node of the unprepared table that this one computes
  int whole = -1;               ///< the region that its policy runs as one step
  bool keeps_integers = false;  ///< holds quantized values; see plan/integer_keeper.hpp

  constexpr const shape& extents() const { return out.shape; }
};

/// True for a contraction of dequantized numbers. Its third operand is the integers from which the
/// first was dequantized; a policy may multiply those instead.
constexpr bool offers_integers(const node& n) {
  return n.kind == family::contract && n.operands == 3;
}

/// A composite operator: the nodes that it was expanded to name it, and it names the composite that
/// contains it.
struct region {
  const char* op = "";
  int parent = -1;
};

/// Consecutive elements of a pool.
struct range {
  int begin = 0, size = 0;
};

/// An input some of whose axes (bit i: axis i) have limits instead of extents.
struct varying {
  int input = -1;  ///< position among the inputs
  std::uint32_t axes = 0;
};

}  // namespace tenon
