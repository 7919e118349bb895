#include "base/thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/cpu_count.hpp"
#include "base/float_mode.hpp"

namespace multiconv {
namespace {

constexpr std::chrono::microseconds kSpin{1000};  // see docs/adr/0036

// Cached, as they take system calls; 0: not known yet.
constinit std::atomic<int> cpus{0}, default_threads{0};

int usable_cpus() {
  int n = cpus.load(std::memory_order_relaxed);
  if (n == 0) cpus.store(n = available_cpus(), std::memory_order_relaxed);
  return n;
}

// MULTICONV_NUM_THREADS, or 0 where that is no number of threads.
int threads_from_environment() {
  const char* text = std::getenv("MULTICONV_NUM_THREADS");
  if (!text) return 0;
  int n = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, n);
  return error == std::errc() && stop == end && n > 0 && n <= ThreadPool::kMaxThreads ? n : 0;
}

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns when word differs from old: spins for a moment, then sleeps.
void await_change(const std::atomic<std::uint32_t>& word, std::uint32_t old, bool spin) {
  if (spin) {
    const auto deadline = std::chrono::steady_clock::now() + kSpin;
    do {
      for (int i = 0; i < 32; ++i) {
        if (word.load(std::memory_order_acquire) != old) return;
        relax();
      }
    } while (std::chrono::steady_clock::now() < deadline);
  }
  word.wait(old, std::memory_order_acquire);
}

}  // namespace

// The threads, and the one job they may be at. A worker takes part only after it passed the gate,
// and the caller shuts the gate when no task is left: it waits for those inside, never for a worker
// that has not come yet.
class ThreadPool::Team {
 public:
  void run(i64 tasks, Body body, void* context, int threads) {
    grow(threads - 1);
    const i64 most = std::min<i64>(threads, static_cast<i64>(workers_.size()) + 1);
    begin(tasks, body, context, static_cast<int>(std::min(tasks, most)));
    spin_.store(threads <= usable_cpus(), std::memory_order_relaxed);
    gate_.store(kOpen, std::memory_order_release);
    wake_children(0);
    take_tasks(0);
    shut_gate();
    finish();
  }

  // The same on another library's threads, always as many: some runtimes end those left over.
  void run_by(Runner runner, i64 tasks, Body body, void* context, int threads) {
    begin(tasks, body, context, threads);
    runner([](void* team) { static_cast<Team*>(team)->take_part(); }, this,
           static_cast<unsigned>(threads), 0);
    finish();
  }

 private:
  void begin(i64 tasks, Body body, void* context, int participants) {
    body_ = body;
    context_ = context;
    participants_ = participants;
    mode_ = float_mode();
    failed_.store(false, std::memory_order_relaxed);
    if (participants > shares_room_) {
      shares_ = std::make_unique<Share[]>(static_cast<std::size_t>(participants));
      shares_room_ = participants;
    }
    for (int i = 0; i < participants; ++i) {
      shares_[i].next.store(tasks * i / participants, std::memory_order_relaxed);
      shares_[i].end = tasks * (i + 1) / participants;
      shares_[i].owned.store(false, std::memory_order_relaxed);
    }
  }

  void finish() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  void take_part() {
    const FloatMode theirs = float_mode();
    set_float_mode(mode_);
    take_tasks(own_share());
    set_float_mode(theirs);
  }

  // The share that this thread had before, if it is still there, else one that nobody has.
  int own_share() {
    static thread_local int before = 0;
    int i = before < participants_ ? before : 0;
    while (shares_[i].owned.exchange(true, std::memory_order_relaxed)) i = (i + 1) % participants_;
    return before = i;
  }

  // Tasks [next, end) that a thread begins with. The same as in the last job, so that it finds in
  // its cache what it left there.
  struct alignas(64) Share {
    std::atomic<i64> next{0};
    i64 end = 0;
    std::atomic<bool> owned{false};  // by one of another library's threads
  };

  struct alignas(64) Worker {
    std::atomic<std::uint32_t> ticket{0};  // counts the jobs it was woken for
  };

  // Fewer threads are no error: the caller alone finishes any job.
  void grow(int count) {
    try {
      while (static_cast<int>(workers_.size()) < count) {
        auto worker = std::make_unique<Worker>();
        Worker* self = worker.get();
        const int index = static_cast<int>(workers_.size()) + 1;
        workers_.reserve(workers_.size() + 1);
        std::thread(&Team::serve, this, self, index).detach();
        workers_.push_back(std::move(worker));
      }
    } catch (const std::exception&) {
    }
  }

  void serve(Worker* self, int index) {
    for (std::uint32_t seen = 0;;) {
      await_change(self->ticket, seen, spin_.load(std::memory_order_relaxed));
      seen = self->ticket.load(std::memory_order_acquire);
      if (!enter_gate()) continue;
      if (index < participants_) {  // else woken for a job long done
        wake_children(index);
        set_float_mode(mode_);
        take_tasks(index);
      }
      leave_gate();
    }
  }

  // Workers wake each other as a tree, so that many threads start in logarithmic time.
  void wake_children(int index) {
    const int last = std::min(2 * index + 2, participants_ - 1);
    for (int child = 2 * index + 1; child <= last; ++child) {
      std::atomic<std::uint32_t>& ticket = workers_[static_cast<std::size_t>(child - 1)]->ticket;
      ticket.fetch_add(1);
      ticket.notify_one();
    }
  }

  void take_tasks(int worker) noexcept {
    try {
      for (int i = 0; i < participants_; ++i)  // others' after its own
        for (i64 first = 0, last = 0; take_chunk((worker + i) % participants_, &first, &last);)
          for (; first < last && !failed_.load(std::memory_order_relaxed); ++first)
            body_(context_, first, worker);
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  // A part of what is left of a share: large chunks first, single tasks in the end.
  bool take_chunk(int number, i64* first, i64* last) {
    Share& share = shares_[number];
    i64 begin = share.next.load(std::memory_order_relaxed);
    i64 size = 0;
    do {
      if (begin >= share.end) return false;
      size = std::max<i64>(1, (share.end - begin) / 4);
    } while (!share.next.compare_exchange_weak(begin, begin + size, std::memory_order_relaxed));
    *first = begin;
    *last = begin + size;
    return true;
  }

  bool enter_gate() {
    std::uint32_t gate = gate_.load(std::memory_order_relaxed);
    while (gate & kOpen)
      if (gate_.compare_exchange_weak(gate, gate + kInside, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return true;
    return false;
  }

  void leave_gate() {
    if (gate_.fetch_sub(kInside) == kInside) gate_.notify_one();
  }

  void shut_gate() {
    std::uint32_t inside = gate_.fetch_sub(kOpen) - kOpen;
    while (inside != 0) {
      await_change(gate_, inside, spin_.load(std::memory_order_relaxed));
      inside = gate_.load(std::memory_order_acquire);
    }
  }

  static constexpr std::uint32_t kOpen = 1, kInside = 2;

  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> spin_{false};

  // The job: written by the caller while the gate is shut and nobody inside.
  Body body_ = nullptr;
  void* context_ = nullptr;
  int participants_ = 1;
  FloatMode mode_{};
  std::exception_ptr error_;  // of the worker that set failed_
  std::atomic<bool> failed_{false};
  std::unique_ptr<Share[]> shares_;
  int shares_room_ = 0;
  alignas(64) std::atomic<std::uint32_t> gate_{0};  // kOpen, plus kInside for each worker inside
};

ThreadPool& ThreadPool::instance() {
  // Constant-initialised: no lock that a fork could catch in mid-air. Neither the pool nor its
  // detached threads are ever destroyed: at process exit they sleep or spin on memory that stays,
  // so that nothing can hang or be used too late.
  static constinit ThreadPool pool;
  return pool;
}

void ThreadPool::after_fork_in_child() {
  // The threads are gone, and whoever held the pool with them. The team's memory is abandoned, for
  // its state is unknown.
  ThreadPool& pool = instance();
  pool.team_ = nullptr;
  pool.busy_.store(false);
  pool.runner_.store(nullptr);  // such threads are gone, too
  cpus.store(0);
  default_threads.store(0);
}

// Registered as the library is loaded, before there can be threads to lose.
const int ThreadPool::fork_handler_ = pthread_atfork(nullptr, nullptr, after_fork_in_child);

void ThreadPool::set_num_threads(int n) {
  if (n < 1) {
    cpus.store(0);
    default_threads.store(0);
  }
  requested_.store(std::clamp(n, 0, kMaxThreads));
}

int ThreadPool::num_threads() const {
  int n = requested_.load(std::memory_order_relaxed);
  if (n == 0) n = default_threads.load(std::memory_order_relaxed);
  if (n == 0) {
    n = threads_from_environment();
    if (n == 0) n = std::min(usable_cpus(), kMaxThreads);
    default_threads.store(n, std::memory_order_relaxed);
  }
  return n;
}

void ThreadPool::run_by(Runner runner) { runner_.store(runner); }

void ThreadPool::parallel_for(i64 tasks, Body body, void* context, bool parallel) {
  const int threads = parallel && tasks > 1 ? num_threads() : 1;
  if (threads == 1 || busy_.exchange(true)) {  // a nested call finds it busy, too
    for (i64 task = 0; task < tasks; ++task) body(context, task, 0);
    return;
  }
  struct Release {
    std::atomic<bool>& busy;
    ~Release() { busy.store(false); }
  } release{busy_};
  if (!team_) team_ = new Team;
  if (const Runner runner = runner_.load())
    team_->run_by(runner, tasks, body, context, threads);
  else
    team_->run(tasks, body, context, threads);
}

}  // namespace multiconv
