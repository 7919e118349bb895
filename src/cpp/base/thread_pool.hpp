// A small thread pool: tasks are handed out dynamically, each task owns its outputs, so results do
// not depend on the number of threads.
#pragma once

#include <atomic>
#include <type_traits>

#include "base/desc.hpp"

namespace multiconv {

class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;

  // The one pool of the process. It works in a forked child too, with threads of its own there; a
  // body must not fork.
  static ThreadPool& instance();

  // Threads that parallel_for uses, the caller included, at most kMaxThreads. n < 1 restores the
  // default: MULTICONV_NUM_THREADS, else available_cpus(). Threads beyond a smaller n stay asleep.
  void set_num_threads(int n);
  int num_threads() const;

  // Another library's threads to run on, by a function that calls its first argument with the
  // second once on each of so many threads and then returns, as OpenMP runtimes have it; null:
  // threads of its own. A forked child has its own again.
  using Runner = void (*)(void (*entry)(void*), void* data, unsigned threads, unsigned flags);
  void run_by(Runner runner);

  // Calls body(context, task, worker) once for every task in [0, tasks). Runs on the calling thread
  // alone when nested, when another thread holds the pool, or when `parallel` is false.
  // No two calls of a body at the same time share a worker. Worker is in [0, num_threads()) as that
  // was on entry, which another thread may have just changed: index nothing smaller than
  // kMaxThreads with it, take thread_scratch() instead.
  // Workers compute in the caller's floating-point mode (rounding, flushing of subnormals).
  // The first exception of a body skips what has not begun and is rethrown here.
  using Body = void (*)(void* context, i64 task, int worker);
  void parallel_for(i64 tasks, Body body, void* context, bool parallel = true);

  template <class F>
  void parallel_for(i64 tasks, F&& f, bool parallel = true) {
    using Callable = std::remove_reference_t<F>;
    parallel_for(
        tasks, [](void* c, i64 task, int worker) { (*static_cast<Callable*>(c))(task, worker); },
        const_cast<void*>(static_cast<const void*>(&f)), parallel);
  }

 private:
  class Team;
  constexpr ThreadPool() = default;
  static void after_fork_in_child();
  static const int fork_handler_;

  std::atomic<int> requested_{0};  // 0: the default
  std::atomic<bool> busy_{false};  // a caller holds team_
  std::atomic<Runner> runner_{nullptr};
  Team* team_ = nullptr;
};

}  // namespace multiconv
