// A child process in which nothing may be called: strict seccomp kills it for system calls, and our
// own allocators and locks, which stand before the C library's, count their calls. For one
// translation unit of an executable: it defines malloc and its kin.
// SPDX-License-Identifier: MIT
#pragma once
#include "../catch.hpp"
#include "../policy/cpu/testing.hpp"
#include <csignal>
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <mutex>
#include <new>
#include <pthread.h>
#include <shared_mutex>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenon_test {

/// What the child leaves for its parent, in shared memory.
struct ledger {
  long forbidden = 0;      ///< calls of allocators and locks
  const char* which = "";  ///< the first of them
  long calls = 0;          ///< successful calls of instances
  std::uint64_t bits = 0;  ///< of the results, as the child computed them
};
inline ledger* watched = nullptr;  // counts while not null

inline void count(const char* what) noexcept {
  ledger* const own = watched;
  if (own != nullptr && own->forbidden++ == 0) own->which = what;
}
/// The function that ours stands before; looked up before any child starts.
template <class F> F next(const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  F f;
  std::memcpy(&f, &found, sizeof f);
  return f;
}

}  // namespace tenon_test

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t n) {
  tenon_test::count("malloc");
  return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t m) {
  tenon_test::count("calloc");
  return __libc_calloc(n, m);
}
void* realloc(void* p, std::size_t n) {
  tenon_test::count("realloc");
  return __libc_realloc(p, n);
}
void free(void* p) {
  tenon_test::count("free");
  __libc_free(p);
}
void* memalign(std::size_t a, std::size_t n) {
  tenon_test::count("memalign");
  return __libc_memalign(a, n);
}
void* aligned_alloc(std::size_t a, std::size_t n) {
  tenon_test::count("aligned_alloc");
  return __libc_memalign(a, n);
}
int posix_memalign(void** p, std::size_t a, std::size_t n) {
  tenon_test::count("posix_memalign");
  return (*p = __libc_memalign(a, n)) != nullptr ? 0 : 12;
}

#define TENON_LOCK(name, type)                                        \
  int name(type* x) noexcept {                                        \
    static const auto real = tenon_test::next<int (*)(type*)>(#name); \
    tenon_test::count(#name);                                         \
    return real(x);                                                   \
  }
TENON_LOCK(pthread_mutex_lock, pthread_mutex_t)
TENON_LOCK(pthread_mutex_trylock, pthread_mutex_t)
TENON_LOCK(pthread_mutex_unlock, pthread_mutex_t)
TENON_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
TENON_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
TENON_LOCK(pthread_rwlock_unlock, pthread_rwlock_t)
TENON_LOCK(pthread_cond_signal, pthread_cond_t)
TENON_LOCK(pthread_cond_broadcast, pthread_cond_t)
int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
  static const auto real =
      tenon_test::next<int (*)(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
  tenon_test::count("pthread_cond_wait");
  return real(c, m);
}
}

void* operator new(std::size_t n) {
  tenon_test::count("operator new");
  if (void* p = __libc_malloc(n > 0 ? n : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  tenon_test::count("operator new");
  return __libc_malloc(n > 0 ? n : 1);
}
void* operator new(std::size_t n, std::align_val_t a) {
  tenon_test::count("operator new");
  if (void* p = __libc_memalign(static_cast<std::size_t>(a), n)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  tenon_test::count("operator new");
  return __libc_memalign(static_cast<std::size_t>(a), n);
}
void* operator new[](std::size_t n) { return operator new(n); }
void operator delete(void* p) noexcept {
  tenon_test::count("operator delete");
  __libc_free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete(void* p, std::align_val_t) noexcept { operator delete(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { operator delete(p); }
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete[](void* p, std::size_t) noexcept { operator delete(p); }

namespace tenon_test {

/// How a child ended.
struct ending {
  int signal = 0, status = 0;
  ledger left;
  bool clean() const { return signal == 0 && status == 0 && left.forbidden == 0; }
};

/// Runs `body(ledger&)` in a child that may from then on only read, write and exit.
template <class Body> ending in_strict_child(Body&& body) {
  void* const page =
      ::mmap(nullptr, sizeof(ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  auto* const own = new (page) ledger{};
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::syscall(SYS_exit, 77);
    watched = own;
    body(*own);
    watched = nullptr;
    ::syscall(SYS_exit, 0);  // exit_group of glibc is forbidden here
  }
  int how = 0;
  ::waitpid(child, &how, 0);
  ending e;
  if (WIFSIGNALED(how)) e.signal = WTERMSIG(how);
  if (WIFEXITED(how)) e.status = WEXITSTATUS(how);
  e.left = *own;
  ::munmap(page, sizeof(ledger));
  return e;
}
inline bool strict_mode_works() {
  return in_strict_child([](ledger&) {}).status != 77;
}

/// FNV-1a over the outputs of a scene, without allocating.
inline std::uint64_t bits_of(const scene& s) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const guarded_bytes& g : s.outputs)
    for (std::size_t i = 0; i < g.size(); ++i)
      h = (h ^ static_cast<std::uint64_t>(g.data()[i])) * 0x100000001b3ull;
  return h;
}

/// Executes an instance many times in a child; its results must be those of a run before it.
template <class Instance> void check_quiet(Instance& caller, const scene& s, const char* how) {
  INFO(how);
  constexpr int rounds = 20;
  REQUIRE(caller.run(s.in, s.out).ok());
  const std::uint64_t wanted = bits_of(s);
  for (const guarded_bytes& g : s.outputs) std::memset(g.data(), 0, g.size());
  const ending e = in_strict_child([&](ledger& own) {
    for (int i = 0; i < rounds; ++i) own.calls += caller.run(s.in, s.out).ok();
    own.bits = bits_of(s);
  });
  INFO("signal " << e.signal << ", status " << e.status << ", " << e.left.forbidden
                 << " forbidden calls, the first of " << e.left.which);
  CHECK(e.clean());
  CHECK(e.left.calls == rounds);
  CHECK(e.left.bits == wanted);
}

template <class Policy, class Graph> void check_static_graph(const contents& c) {
  scene s(Graph::view(), c, wall::behind);
  const tenon::model<Graph, Policy> model(s.source);
  using model_type = tenon::model<Graph, Policy>;
  tenon::instance owned(model);
  check_quiet(owned, s, "owned memory");
  guarded_bytes arena(tenon::aligned(tenon::plan<Graph, Policy>::arena_bytes), wall::behind);
  tenon::instance borrowed(model, arena.span());
  check_quiet(borrowed, s, "borrowed memory");
  static tenon::instance<model_type, tenon::embedded>* embedded = nullptr;
  alignas(64) static std::byte place[sizeof(tenon::instance<model_type, tenon::embedded>)];
  embedded = new (place) tenon::instance<model_type, tenon::embedded>(model);
  check_quiet(*embedded, s, "embedded memory");
  embedded->~instance();
}
template <class Policy, class Graph> void check_dynamic_graph(const contents& c) {
  scene s(Graph::view(), c, wall::behind);
  const tenon::model<tenon::dynamic, Policy> model(Graph::view(), s.source);
  tenon::instance caller(model);
  check_quiet(caller, s, "built at run time");
}

}  // namespace tenon_test
