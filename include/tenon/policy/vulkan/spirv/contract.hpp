// The kernel of contractions, in the form that suits device and shape: fragments on matrix units,
// tiles of lanes on CPU drivers, tiles of a workgroup on GPUs. Where none fits, the plain form
// here: an invocation for each element of the output, and nothing shared. Terms are added in the
// order that the table defines.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/contract_lanes.hpp>
#include <tenon/policy/vulkan/spirv/contract_matrix.hpp>
#include <tenon/policy/vulkan/spirv/contract_workgroup.hpp>

namespace tenon::spirv {

/// The group of a contraction while it is written.
class contract_writer {
 public:
  constexpr contract_writer(const plan_view& p, const plans::group& g, const target& t)
      : m_(p, t),
        n_(nest_reader(m_, m_.at(g.anchor)).read()),
        epilogue_(m_, p.members_of(g), n_),
        operands_(operands_of(p.table, m_.at(g.anchor), t.matrix)) {
    merge_axes(n_, epilogue_);
  }
  constexpr contract_writer(const contract_writer&) = delete;
  constexpr contract_writer& operator=(const contract_writer&) = delete;
  constexpr bool fits() const { return m_.fits(); }
  constexpr kernel write() {
    if (const matrix_tile t = matrix_tile_choice(n_, m_.device, operands_).chosen(); t.used) {
      if (m_.device.matrix.emulated)
        return matrix_tile_writer<array_fragments>(m_, n_, epilogue_, t).write();
      return matrix_tile_writer<matrix_fragments>(m_, n_, epilogue_, t).write();
    }
    if (m_.device.cpu_driver) {
      const lane_tile t = lane_tile_choice(n_).chosen();
      if (t.used) return lane_tile_writer(m_, n_, epilogue_, t).write();
    } else {
      const workgroup_tile t = choose_workgroup_tile(n_, m_.device);
      if (t.used) return workgroup_tile_writer(m_, n_, epilogue_, t).write();
    }
    return write_plain();
  }

 private:
  writer m_;
  loop_nest n_;
  epilogue_writer epilogue_;
  precision operands_;

  // ---- one element for each invocation
  struct walk {
    id a{}, b{};    ///< elements
    id first[2]{};  ///< positions of the taps before the first
    id inside{};    ///< whether the taps so far are
  };
  constexpr kernel write_plain() {
    return m_.each(n_.out.count(), [&](id flat) {
      id position[max_axes]{};
      m_.unravel(n_.out, flat, position);
      walk w{m_.index_of(n_.a, n_.out, position), m_.index_of(n_.b, n_.out, position)};
      for (int s = 0; s < n_.edges; ++s) {
        const image_edge& c = n_.edge[s];
        w.first[s] = m_.hidden(m_.plus(m_.times(position[c.axis], c.stride), -c.begin));
      }
      const variable sum = m_.local(m_.real(0));
      add_terms(0, w, sum);
      epilogue_.enter(n_.out, position);
      const i64 here[max_axes]{};
      epilogue_.store(m_.get(sum), here, n_.out.dims);
    });
  }
  constexpr void add_terms(int axis, const walk& w, const variable& sum) {
    if (axis == n_.terms.dims) return add_term(w, sum);
    m_.loop(n_.terms.extent[axis], [&](id k) {
      walk next = w;
      next.b = m_.plus_times(w.b, k, n_.term_b[axis]);
      next.a = m_.plus_times(w.a, k, n_.term_a[axis]);
      for (int s = 0; s < n_.edges; ++s)
        if (n_.edge[s].term == axis)
          tap(n_.edge[s], m_.plus_times(w.first[s], k, n_.edge[s].dilation), next);
      add_terms(axis + 1, next, sum);
    });
  }
  /// Moves the walk by one tap. Outside of the image it stays where it is: that element is read and
  /// not used.
  constexpr void tap(const image_edge& c, id at, walk& w) {
    const id inside = m_.below(at, m_.integer(c.extent));
    w.a = m_.add(w.a, m_.select(inside, m_.times(at, c.step), m_.integer(0)));
    w.inside = m_.hold(w.inside, inside);
  }
  constexpr void add_term(const walk& w, const variable& sum) {
    id x = m_.read(n_.a, w.a);
    if (w.inside.number != 0) x = m_.select(w.inside, x, m_.real(0));
    const id y = m_.read(n_.b, w.b), so_far = m_.get(sum);
    m_.set(sum, m_.plus_product(so_far, x, y));
  }
};

}  // namespace tenon::spirv
