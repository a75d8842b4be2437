// The kernel of pooling: windows that slide. One invocation for each element of the output; nothing
// is shared: neighbours read what overlaps again, from the cache.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/folding.hpp>

namespace tenon::spirv {

/// The group of a window while it is written. A window's columns are combined first, each from top
/// to bottom, then from left to right.
class window_writer {
 public:
  constexpr window_writer(const plan_view& p, const plans::group& g, const target& t)
      : m_(p, t), n_(m_.at(g.anchor)), w_(m_.table().windowing_of(n_)), s_(space_of(n_.out.shape)) {
    from_ = m_.access_of(n_.in[0], m_.value_of(n_.in[0]).step);
    to_ = m_.result_access(g.anchor);
    for (int s = 0; s < 2; ++s) {
      const sweep& w = w_.swept[s];
      step_[s] = from_.step[w.out_axis];
      from_.step[w.out_axis] = 0;
      has_edge_[s] =
          !(w.begin == 0 &&
            (s_.extent[w.out_axis] - 1) * w.stride + (w.taps - 1) * w.dilation < w.extent);
    }
  }
  constexpr bool fits() const { return m_.fits(); }
  constexpr kernel write() {
    return m_.each(s_.count(), [&](id flat) {
      id position[max_axes]{};
      m_.unravel(s_, flat, position);
      start_ = m_.index_of(from_, s_, position);
      for (int s = 0; s < 2; ++s) {
        const sweep& w = w_.swept[s];
        first_[s] = m_.plus(m_.times(position[w.out_axis], w.stride), -w.begin);
      }
      const id x = combined();
      m_.write(to_, m_.index_of(to_, s_, position), x);
    });
  }

 private:
  writer m_;
  const node& n_;
  const windowing& w_;
  space s_;
  access from_{}, to_{};
  i64 step_[2]{};
  bool has_edge_[2]{};  ///< whether taps may leave the image
  id start_{}, first_[2]{};

  /// A value that is combined with what is inside of the image, and how many there were.
  struct running {
    variable all, count;
  };
  constexpr type element() const { return m_.at(n_.in[0]).out.type; }
  /// Starts without elements: the first one inside of the image is taken as it is.
  constexpr running begin() {
    const slot_kind l = slot_kind_of(element());
    const kind k = l == slot_kind::real   ? kind::float32
                   : l == slot_kind::wide ? kind::int64
                                          : kind::int32;
    return {m_.local(m_.constant(k, 0)), m_.local(m_.integer(0))};
  }
  /// Adds an element where `inside` holds; the first one replaces the start.
  constexpr void add(const running& r, const folding& f, id x, id inside) {
    const id n = m_.get(r.count), all = m_.get(r.all);
    const id is_first = m_.equal(n, m_.integer(0)), both = f.combined(all, x);
    id next = m_.select(is_first, x, both);
    id more = m_.integer(1);
    if (inside.number != 0) {
      next = m_.select(inside, next, all);
      more = m_.select(inside, more, m_.integer(0));
    }
    m_.set(r.all, next);
    m_.set(r.count, m_.add(n, more));
  }
  struct tap {
    id at{}, inside{};  ///< elements from the start; whether inside of the image, id{}: always
  };
  /// A tap along one axis. Outside of the image it reads the window's start, and is not used.
  constexpr tap tap_of(int s, id k) {
    const sweep& w = w_.swept[s];
    const id x = m_.plus_times(first_[s], k, w.dilation);
    if (!has_edge_[s]) return {m_.times(x, step_[s]), {}};
    const id inside = m_.below(x, m_.integer(w.extent));
    return {m_.select(inside, m_.times(x, step_[s]), m_.integer(0)), inside};
  }
  /// How many taps are written out in a loop's body, so that the loops stay below the iterations of
  /// drivers.
  constexpr i64 taps_at_once() const {
    const i64 n = blocks_of(w_.swept[0].taps * w_.swept[1].taps, writer::most_iterations);
    return n < w_.swept[0].taps ? n : w_.swept[0].taps;
  }
  constexpr id combined() {
    const folding f(m_, {w_.how, 0, false, w_.average}, element());
    const running all = begin();
    const variable rows = m_.local(m_.integer(0));
    m_.loop(w_.swept[1].taps, [&](id kx) {
      const tap x = tap_of(1, kx);
      const id start = m_.add(start_, x.at);
      const running column = begin();
      const auto take = [&](id ky) {
        const tap y = tap_of(0, ky);
        add(column, f, m_.read(from_, m_.add(start, y.at)), y.inside);
      };
      const i64 taps = w_.swept[0].taps, at_once = taps_at_once();
      m_.loop(taps / at_once, [&](id block) {
        for (i64 k = 0; k < at_once; ++k) take(m_.plus(m_.times(block, at_once), k));
      });
      for (i64 k = taps - taps % at_once; k < taps; ++k) take(m_.integer(k));
      m_.set(rows, m_.get(column.count));
      add(all, f, m_.get(column.all), x.inside);
    });
    const id r = m_.get(all.all);
    if (!w_.average || !is_real(element())) return r;
    const id high = m_.get(rows), wide = m_.get(all.count), n = m_.mul(high, wide);
    const id divided = m_.div(r, m_.convert(op::ConvertSToF, n, kind::float32));
    return m_.select(m_.less(m_.integer(0), n), divided, r);
  }
};

}  // namespace tenon::spirv
