// Conformance cases through the compile-time front end: a case's static graph gives the bits, on
// each policy, that the table of the run-time builder gives. static_cases.py chose the cases and
// wrote the graphs. Exit: 0, 1 when bits differ, 77 when there are no cases.
// SPDX-License-Identifier: MIT
#include "run.hpp"
#include "static_case.hpp"
#include <cstdio>

namespace conformance {
extern const static_cases contract_cases, map_cases, move_cases, other_cases, plain_cases,
    recurrent_cases, reduce_cases;
}
using namespace conformance;

namespace {

single_case read(const std::filesystem::path& data, const static_case& s) {
  const json content = read_file(data / s.file);
  for (const json& j : content.at("cases"))
    if (j.at("name") == s.name) return read_case(j);
  throw problem("the case is not there any more; build again");
}
/// The results of the static graph in the order of the case's names.
named_buffers run_static(const single_case& c, const static_case& s, static_case::caller call) {
  std::vector<constant> operands;  // the graph says which are inputs
  for (const auto& [name, input] : c.inputs)
    operands.push_back({tn::name("x") + static_cast<int>(operands.size()),
                        dense_view<tn::const_view>(input.value)});
  const constant_list weights{{operands.data(), static_cast<int>(operands.size())}};
  const tn::table_view t = s.table();
  std::vector<tn::const_view> in;
  for (const int i : t.inputs) in.push_back(weights.find(t.name_of(t.nodes[i])));
  named_buffers found;
  std::vector<tn::mutable_view> out;
  if (t.outputs.size != static_cast<int>(c.expected.size()))
    throw problem("another number of outputs");
  for (const auto& [name, value] : c.expected) {
    buffer& own = found[name] = buffer(t.nodes[t.outputs[static_cast<int>(out.size())]].out);
    out.push_back(dense_view<tn::mutable_view>(own));
  }
  const tn::code result = call(weights, in.data(), out.data());
  if (result != tn::code::ok)
    throw problem(std::string("the static model: ") + tn::text_of(result));
  return found;
}
template <class Policy>
void compare(const single_case& c, const static_case& s, static_case::caller call) {
  const named_buffers built = run_table<Policy>(c), found = run_static(c, s, call);
  for (const auto& [name, wanted] : built) {
    const buffer& own = found.at(name);
    if (!(own.of == wanted.of)) throw problem(name + ": another type or shape");
    if (own.bytes != wanted.bytes)
      throw problem(name + ": other bits than the builder's on " + Policy::name);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path data = argc == 2 ? argv[1] : "";
  if (files_of(data).empty()) {
    std::printf("conformance_static: no cases in '%s'; see the option shared_data\n", data.c_str());
    return 77;
  }
  int same = 0, different = 0;
  for (const static_cases& some : {contract_cases, map_cases, move_cases, other_cases, plain_cases,
                                   recurrent_cases, reduce_cases})
    for (int i = 0; i < some.size; ++i) {
      const static_case& s = some.all[i];
      try {
        const single_case c = read(data, s);
        compare<tn::reference>(c, s, s.reference);
        compare<tn::cpu>(c, s, s.cpu);
        ++same;
      } catch (const std::exception& e) {
        std::printf("%s, %s: %s\n", s.file, s.name, e.what());
        ++different;
      }
    }
  std::printf("%d static graphs with the bits of the builder's, %d without\n", same, different);
  return different > 0 ? 1 : same > 0 ? 0 : 77;
}
