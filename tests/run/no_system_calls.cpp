// Executing a model calls nothing of the system, takes no lock and touches no heap: a forked child
// under strict seccomp, whose allocators and locks count, runs models of all families.
// SPDX-License-Identifier: MIT
#include "../support/strict_child.hpp"
#include "same_bits_models.hpp"

namespace {

using namespace tenon_test;

/// A control: the child must be caught.
template <class Body> ending control(Body&& body) {
  return in_strict_child([&](ledger&) { body(); });
}
/// Keeps the compiler from removing a pair of calls.
void* volatile kept_pointer = nullptr;

}  // namespace

TEST_CASE("a child that allocates, locks or calls the system is caught") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  CHECK(control([] {}).clean());
  CHECK(control([] { kept_pointer = std::malloc(8); }).left.which == std::string("malloc"));
  CHECK(control([] { kept_pointer = std::calloc(8, 1); }).left.which == std::string("calloc"));
  CHECK(control([] { kept_pointer = ::aligned_alloc(64, 64); }).left.which ==
        std::string("aligned_alloc"));
  CHECK(control([] { kept_pointer = ::operator new(8); }).left.which ==
        std::string("operator new"));
  CHECK(control([] {
          kept_pointer = ::operator new (64, std::align_val_t{64}, std::nothrow);
        }).left.which == std::string("operator new"));
  void* const p = std::malloc(8);
  CHECK(control([&] { kept_pointer = std::realloc(p, 16); }).left.which == std::string("realloc"));
  CHECK(control([&] { std::free(p); }).left.which == std::string("free"));
  std::free(p);
  static std::mutex lock;
  CHECK(control([] { lock.lock(); }).left.which == std::string("pthread_mutex_lock"));
  CHECK(control([] { (void)lock.try_lock(); }).left.which == std::string("pthread_mutex_trylock"));
  static std::shared_mutex shared;
  CHECK(control([] { shared.lock_shared(); }).left.which == std::string("pthread_rwlock_rdlock"));
  static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  CHECK(control([] { pthread_cond_signal(&condition); }).left.which ==
        std::string("pthread_cond_signal"));
  CHECK(control([] { ::syscall(SYS_getpid); }).signal == SIGKILL);
  CHECK(control([] {
          ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        }).signal == SIGKILL);
}

TEST_CASE("static graphs on cpu allocate, lock and call nothing, wherever their arena lies") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  dice d = dice_of(51, 0);
  each_model([&]<class Graph>(const char* name) {
    INFO(name);
    check_static_graph<tenon::cpu, Graph>(random_contents(Graph::view(), d));
  });
}

TEST_CASE("static graphs on reference allocate, lock and call nothing, wherever their arena lies") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  dice d = dice_of(52, 0);
  check_static_graph<tenon::reference, lenet>(random_contents(lenet::view(), d));
  check_static_graph<tenon::reference, functions>(random_contents(functions::view(), d));
  check_static_graph<tenon::reference, attention>(random_contents(attention::view(), d));
  check_static_graph<tenon::reference, recurrent>(random_contents(recurrent::view(), d));
}

TEST_CASE("graphs built at run time allocate, lock and call nothing") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  dice d = dice_of(53, 0);
  each_model([&]<class Graph>(const char* name) {
    INFO(name);
    check_dynamic_graph<tenon::cpu, Graph>(random_contents(Graph::view(), d));
  });
  check_dynamic_graph<tenon::reference, lenet>(random_contents(lenet::view(), d));
}

TEST_CASE("a refused call allocates, locks and calls nothing, and writes nothing") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  dice d = dice_of(54, 0);
  scene s(lenet::view(), random_contents(lenet::view(), d), wall::behind);
  const tenon::model<lenet, tenon::cpu> model(s.source);
  tenon::instance caller(model);
  auto overlapping = s.out;
  overlapping[1].data = static_cast<std::byte*>(s.out[0].data) + 4;
  for (const guarded_bytes& g : s.outputs) std::memset(g.data(), 0, g.size());
  const std::uint64_t before = bits_of(s);
  const ending e = in_strict_child([&](ledger& own) {
    own.calls += caller.run(s.in, overlapping).what == tenon::code::aliasing;
    own.calls += caller.run(s.in, {}).what == tenon::code::view_count;
    own.bits = bits_of(s);
  });
  CHECK(e.clean());
  CHECK(e.left.calls == 2);
  CHECK(e.left.bits == before);
}
