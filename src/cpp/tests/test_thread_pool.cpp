// The thread pool: every task once, whatever nests, collides, throws, forks or changes the number
// of threads. With the argument "environment": what MULTICONV_NUM_THREADS means.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/cpu_count.hpp"
#include "base/float_mode.hpp"
#include "base/thread_pool.hpp"
#include "tests/check.hpp"

using namespace multiconv;

namespace {

ThreadPool& pool = ThreadPool::instance();

// Whether parallel_for runs every task exactly once, with workers in range. Allocates nothing: a
// process forked while another thread holds the sanitizer's allocator could never allocate again.
bool covers(i64 tasks, bool parallel = true) {
  std::array<std::atomic<int>, 1000> runs = {};
  std::atomic<bool> in_range = true;
  pool.parallel_for(
      tasks,
      [&](i64 task, int worker) {
        runs[static_cast<std::size_t>(task)].fetch_add(1);
        if (worker < 0 || worker >= ThreadPool::kMaxThreads) in_range = false;
      },
      parallel);
  for (i64 task = 0; task < tasks; ++task)
    if (runs[static_cast<std::size_t>(task)] != 1) return false;
  return in_range;
}

// Returns true soon after `count` threads are inside at once, false if that takes seconds.
bool meet(std::atomic<int>& arrived, int count) {
  arrived.fetch_add(1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (arrived.load() < count) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

void test_coverage() {
  for (const int threads : {1, 2, 3, 4, 9}) {
    pool.set_num_threads(threads);
    for (const i64 tasks : {0, 1, 2, 3, 5, 64, 1000}) {
      CHECK(covers(tasks));
      CHECK(covers(tasks, false));
    }
    for (int i = 0; i < 300; ++i) CHECK(covers(i % 13));
  }
  pool.parallel_for(-5, [](i64, int) { std::abort(); });
}

void test_threads_really_run_at_once() {
  pool.set_num_threads(4);
  std::atomic<int> arrived = 0, met = 0;
  std::atomic<unsigned> workers = 0;
  pool.parallel_for(4, [&](i64, int worker) {
    workers.fetch_or(1u << worker);
    met += meet(arrived, 4);
  });
  CHECK(met == 4);
  CHECK(workers == 15);
}

void test_serial_stays_on_the_caller() {
  pool.set_num_threads(4);
  const auto caller = std::this_thread::get_id();
  std::vector<i64> order;
  pool.parallel_for(
      9,
      [&](i64 task, int worker) {
        CHECK(std::this_thread::get_id() == caller && worker == 0);
        order.push_back(task);
      },
      false);
  CHECK(order.size() == 9 && order.front() == 0 && order.back() == 8);
}

void test_sleeping_workers_wake() {
  pool.set_num_threads(3);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> arrived = 0, met = 0;
    pool.parallel_for(3, [&](i64, int) { met += meet(arrived, 3); });
    CHECK(met == 3);
  }
}

void test_nesting() {
  pool.set_num_threads(4);
  std::atomic<int> inner = 0, strayed = 0;
  pool.parallel_for(8, [&](i64, int) {
    const auto outer_thread = std::this_thread::get_id();
    pool.parallel_for(10, [&](i64, int worker) {
      inner += 1;
      strayed += worker != 0 || std::this_thread::get_id() != outer_thread;
    });
  });
  CHECK(inner == 80);
  CHECK(strayed == 0);
  CHECK(covers(100));
}

void test_concurrent_callers() {
  pool.set_num_threads(3);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c)
    callers.emplace_back([&, c] {
      for (int i = 0; i < 200; ++i) wrong += !covers(c + i % 40);
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

void test_numbers_change_meanwhile() {
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::thread caller([&] {
    while (!stop) wrong += !covers(50);
  });
  for (int i = 0; i < 200; ++i) {
    pool.set_num_threads(1 + i % 7);
    std::this_thread::yield();
  }
  stop = true;
  caller.join();
  CHECK(wrong == 0);

  pool.set_num_threads(8);
  CHECK(covers(100));
  pool.set_num_threads(2);
  for (int i = 0; i < 100; ++i) {  // those woken for the last job must not join as workers 2 to 7
    std::atomic<int> beyond = 0;
    pool.parallel_for(20, [&](i64, int worker) { beyond += worker >= 2; });
    CHECK(beyond == 0);
  }
}

void test_set_inside_a_body() {
  pool.set_num_threads(4);
  pool.parallel_for(4, [](i64, int) { pool.set_num_threads(2); });
  CHECK(pool.num_threads() == 2);
  CHECK(covers(30));
}

void test_number() {
  pool.set_num_threads(5);
  CHECK(pool.num_threads() == 5);
  pool.set_num_threads(1 << 30);
  CHECK(pool.num_threads() == ThreadPool::kMaxThreads);
  unsetenv("MULTICONV_NUM_THREADS");
  pool.set_num_threads(0);
  CHECK(pool.num_threads() == available_cpus());
  setenv("MULTICONV_NUM_THREADS", "6", 1);
  pool.set_num_threads(-1);
  CHECK(pool.num_threads() == 6);
  unsetenv("MULTICONV_NUM_THREADS");
}

void test_exceptions() {
  for (const int threads : {1, 4}) {
    pool.set_num_threads(threads);
    for (int i = 0; i < 20; ++i) {
      CHECK_THROWS(pool.parallel_for(50, [](i64, int) { throw std::bad_alloc(); }), std::bad_alloc);
      CHECK_THROWS(pool.parallel_for(50,
                                     [](i64 task, int) {
                                       if (task == 37) throw std::length_error("one of many");
                                     }),
                   std::length_error);
      CHECK(covers(50));
    }
    std::atomic<i64> begun = 0;
    CHECK_THROWS(pool.parallel_for(i64{1} << 40,
                                   [&](i64, int) {
                                     begun += 1;
                                     throw std::bad_alloc();
                                   }),
                 std::bad_alloc);
    CHECK(begun >= 1 && begun <= threads);  // the rest was skipped
  }
}

void test_exception_in_a_nested_call() {
  pool.set_num_threads(3);
  CHECK_THROWS(
      pool.parallel_for(
          6, [](i64, int) { pool.parallel_for(4, [](i64, int) { throw std::bad_alloc(); }); }),
      std::bad_alloc);
  CHECK(covers(60));
}

#ifdef __x86_64__
void test_float_mode() {
  pool.set_num_threads(4);
  const auto flushed = [] {
    std::atomic<int> arrived = 0, count = 0;
    pool.parallel_for(4, [&](i64, int) {
      meet(arrived, 4);
      volatile float tiny = 1e-38f;
      count += tiny * 0.125f == 0.0f;
    });
    return count.load();
  };
  constexpr FloatMode flush_to_zero = 0x8000, control = 0xffc0;  // without the sticky flags
  const FloatMode before = float_mode();
  CHECK(flushed() == 0);
  set_float_mode(before | flush_to_zero);
  CHECK(flushed() == 4);
  CHECK((float_mode() & control) == ((before | flush_to_zero) & control));
  set_float_mode(before);
  CHECK(flushed() == 0);
}
#endif

// The exit status of a forked child that computes; it is killed if it hangs.
int child_status(bool fork_again) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    bool good = pool.num_threads() == 3;
    for (int i = 0; i < 20; ++i) good &= covers(200);
    std::atomic<int> arrived = 0, met = 0;
    pool.parallel_for(3, [&](i64, int) { met += meet(arrived, 3); });
    good &= met == 3;  // the child has threads of its own
    if (fork_again) good &= child_status(false) == 0;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

void test_fork() {
  pool.set_num_threads(3);
  CHECK(covers(100));
  CHECK(child_status(true) == 0);
  CHECK(covers(100));
}

void test_fork_while_others_compute() {
  pool.set_num_threads(3);
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 2; ++c)
    callers.emplace_back([&] {
      while (!stop) wrong += !covers(30);
    });
  for (int i = 0; i < 10; ++i) CHECK(child_status(false) == 0);
  stop = true;
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
  CHECK(covers(100));
}

// Ends the process while a thread computes: nothing may hang or crash.
void test_exit_while_computing() {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    std::thread([] {
      for (;;) covers(20);
    }).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

int test_environment() {
  const char* text = std::getenv("MULTICONV_NUM_THREADS");
  int wanted = 0;
  const char* end = text + std::strlen(text);
  const bool number = std::from_chars(text, end, wanted).ptr == end && wanted > 0 && wanted <= 1024;
  CHECK(pool.num_threads() == (number ? wanted : available_cpus()));
  CHECK(covers(100));
  pool.set_num_threads(2);
  CHECK(pool.num_threads() == 2);
  pool.set_num_threads(0);
  CHECK(pool.num_threads() == (number ? wanted : available_cpus()));
  return test::check_result();
}

std::atomic<int> lent = 0;

// What an OpenMP runtime does, with threads made for each call.
void lend(void (*entry)(void*), void* data, unsigned threads, unsigned) {
  lent.store(static_cast<int>(threads));
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(entry, data);
  entry(data);
  for (std::thread& other : others) other.join();
}

void test_another_librarys_threads() {
  pool.run_by(lend);
  test_coverage();
  CHECK(lent == 9);
  test_threads_really_run_at_once();
  test_nesting();
  test_exceptions();
#ifdef __x86_64__
  test_float_mode();
#endif
#ifndef __SANITIZE_THREAD__
  test_fork();  // the child has its own
#endif
  pool.run_by(nullptr);
  lent = 0;
  test_coverage();
  CHECK(lent == 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "environment") == 0) return test_environment();
  test_coverage();
  test_threads_really_run_at_once();
  test_serial_stays_on_the_caller();
  test_sleeping_workers_wake();
  test_nesting();
  test_concurrent_callers();
  test_numbers_change_meanwhile();
  test_set_inside_a_body();
  test_exceptions();
  test_exception_in_a_nested_call();
#ifdef __x86_64__
  test_float_mode();
#endif
  test_number();
  test_another_librarys_threads();
#ifndef __SANITIZE_THREAD__  // which cannot follow threads made after a fork
  test_fork();
  test_fork_while_others_compute();
  test_exit_while_computing();
#endif
  return test::check_result();
}
