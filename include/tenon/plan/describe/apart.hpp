// Why a value leaves the group that makes it: the reasons, and their words.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace tenon {

/// Why a value did not stay inside the group that makes it, for one of its readers.
enum class apart : std::uint8_t {
  none,          ///< it stays inside: the reader is in its group
  output,        ///< it is an output of the graph
  policies,      ///< the reader runs on another policy
  whole,         ///< a policy runs the composite operator of one of them as one step
  no_fusion,     ///< the policy runs every node as a group of its own
  anchor,        ///< both are contractions, and a group has one
  reader_alone,  ///< the reader's family starts a group of its own
  moved,         ///< the reader sees it through a move, and moves join no group
  maker_alone,   ///< it comes from a family that nothing joins
  reduced,       ///< a reduction reads a contraction, which takes element-wise epilogues only
  epilogue,      ///< the contraction has its epilogue already
  several_uses,  ///< the contraction's sums have several readers
  types,         ///< an epilogue takes float32 alone, that of some policies float16 too
  positions,     ///< the reader wants positions, which row groups do not keep
  full,          ///< the row group has as many stages as a group may have
  space,         ///< the reader has another shape than the group iterates over
  axes,          ///< the reader reduces axes that are not the last ones
  rows,          ///< the reader reduces rows of another length than the group's
  uneven,        ///< an operand that is broadcast does not move evenly along a row
  cycle,         ///< another operand of the reader depends on the group from outside
  other_group,   ///< the reader joined the group of another of its operands
  scan,          ///< a scan's body begins or ends between them
  buffers,       ///< the group would need more buffers than its policy has for one
  integers,      ///< a contraction may multiply the integers instead: the reader may be left out
};

/// The reason in words that continue "it is not fused into its reader, because ...".
constexpr const char* text_of(apart why) {
  constexpr const char* texts[] = {
      "it is fused",
      "it is an output of the graph",
      "the reader runs on another policy",
      "a policy runs a composite operator as one step, which nothing joins",
      "the policy fuses nothing",
      "the reader is a second contraction; a group has one",
      "a reader of this family starts a group of its own",
      "the reader sees it through a move; moves join no group",
      "nothing joins a group of this family",
      "a contraction takes element-wise epilogues, no reductions",
      "the contraction has its epilogue already",
      "the contraction's sums have several readers",
      "an epilogue does not take its types",
      "the reader finds positions; row groups keep values",
      "the group is full",
      "the reader has another iteration space",
      "the reader does not reduce whole rows: its axes are not the last ones",
      "the reader reduces rows of another length",
      "an operand that is broadcast does not move evenly along a row",
      "it would make a cycle: another operand of the reader depends on this group",
      "the reader joined the group of another operand",
      "a scan's body, which runs step by step, begins or ends between them",
      "the group would need more buffers than its policy has for one",
      "a contraction may multiply the integers themselves, and then the reader does not run"};
  return texts[static_cast<int>(why)];
}

/// A value that leaves its group, and one reader of it.
struct boundary {
  int value = -1;    ///< the node that makes it
  int through = -1;  ///< the view by which the reader sees it; -1: itself
  int reader = -1;   ///< a node; -1: the caller
  apart why = apart::none;
  int output = -1;  ///< of the caller: which of the table's outputs
};

}  // namespace tenon
