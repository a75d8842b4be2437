// Prints a hash of every model's results on both policies; same_bits_compilers.sh compares them
// between compilers.
// SPDX-License-Identifier: MIT
#include "same_bits_models.hpp"

int main() {
  using namespace tenon_test;
  each_model([]<class Graph>(const char* name) {
    std::printf("bits: %s %016llx %016llx\n", name,
                static_cast<unsigned long long>(hash_of_model<tenon::cpu, Graph>()),
                static_cast<unsigned long long>(hash_of_model<tenon::reference, Graph>()));
  });
}
