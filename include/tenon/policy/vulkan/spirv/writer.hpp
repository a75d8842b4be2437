// A kernel while it is written: which invocation computes which elements, and the finished
// dispatch. What a device can do is data (`target`).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/elements.hpp>

namespace tenon::spirv {

/// A kernel while it is written.
class writer : public element_writer {
 public:
  using element_writer::element_writer;
  function
      elementary[2]
                [instructions::elementary_count]{};  ///< by width and by function; see scalar.hpp

  /// An array of the workgroup that is free between two uses.
  constexpr variable scratch(kind k, i64 elements) {
    variable& v = scratch_[static_cast<int>(k)];
    if (v.number == 0) v = shared(k, static_cast<int>(elements));
    return v;
  }

  // ---- dispatches
  /// One invocation for each i in [0, count): `body(i)`.
  template <class F> constexpr kernel each(i64 count, F&& body) {
    const i64 fits = device.invocations < 256 ? 64 : 256, limit = device.cpu_driver ? fits : 64,
              local = count < limit ? count : limit;
    const i64 groups = blocks_of(count, local), x = groups <= max_groups ? groups : grid_row,
              y = blocks_of(groups, x);
    id flat = input(builtin::GlobalInvocationId, 0);
    if (y > 1) flat = add(flat, times(input(builtin::GlobalInvocationId, 1), x * local));
    if (x * y * local == count)
      body(flat);
    else
      when(below(flat, integer(count)), [&] { body(flat); });
    return done(local, x, y);
  }
  /// An invocation for four of the columns of a row: `body(row, column, width, apart)`, where width
  /// is 4, or 1 for what is left. On CPU drivers the four lie side by side, else as far apart as
  /// neighbours in a subgroup want.
  template <class F> constexpr kernel each_four(i64 rows, i64 columns, F&& body) {
    const i64 apart = four_apart(device), block = 4 * apart,
              shares = blocks_of(columns, block) * apart;
    return each(rows * shares, [&](id flat) {
      const id row = over(flat, shares), share = modulo(flat, shares);
      id column = times(over(share, apart), block);
      if (apart > 1) column = add(column, modulo(share, apart));
      if (columns % block == 0) return body(row, column, 4, apart);
      when(
          less(column, integer(columns - 3 * apart)), [&] { body(row, column, 4, apart); },
          [&] {
            loop(column, integer(columns), integer(apart), 4,
                 [&](id c) { body(row, c, 1, apart); });
          });
    });
  }
  /// The columns [0, n) for `local` invocations: `body(column, width)`, four columns `local` apart
  /// as long as there are so many.
  template <class F>
  constexpr void share(i64 n, i64 local, id invocation, bool in_fours, F&& body) {
    const i64 whole = in_fours ? n / (4 * local) : 0, done = whole * 4 * local;
    loop(whole, [&](id i) { body(add(times(i, 4 * local), invocation), 4); });
    if (done < n)
      loop(plus(invocation, done), integer(n), integer(local), blocks_of(n - done, local),
           [&](id column) { body(column, 1); });
  }
  /// One workgroup of `local` invocations for each i in [0, count): `body(i, invocation)`. A
  /// condition on `i` alone is the same for the whole workgroup: barriers may stand inside of it.
  template <class F> constexpr kernel each_group(i64 count, i64 local, F&& body) {
    const i64 x = count <= max_groups ? count : grid_row, y = blocks_of(count, x);
    id flat = input(builtin::WorkgroupId, 0);
    if (y > 1) flat = add(flat, times(input(builtin::WorkgroupId, 1), x));
    const id invocation = input(builtin::LocalInvocationId, 0);
    if (x * y == count)
      body(flat, invocation);
    else
      when(below(flat, integer(count)), [&] { body(flat, invocation); });
    return done(local, x, y);
  }
  /// The kernel for workgroups of x * y * z invocations.
  constexpr kernel done(i64 local, i64 x, i64 y = 1, i64 z = 1) {
    declare_buffers();
    kernel k;
    k.local[0] = static_cast<word>(local);
    k.groups[0] = static_cast<word>(x);
    k.groups[1] = static_cast<word>(y);
    k.groups[2] = static_cast<word>(z);
    k.words = finish(k.local[0], 1, 1);
    k.ports = static_cast<sequence<port>&&>(ports_);
    return k;
  }
  /// False if the kernel would need more buffers than there are push constants, or longer loops
  /// than the driver runs.
  constexpr bool fits() const { return !overflows_ && iterations() <= device.iterations; }

  static constexpr i64 max_groups = 65535, grid_row = 32768;
  /// Loops that may be unrolled are unrolled until they make fewer iterations; see
  /// `target::iterations`.
  static constexpr i64 most_iterations = 30000;

 private:
  variable scratch_[9]{};  ///< by kind; see `scratch`
};

}  // namespace tenon::spirv
