#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simulate/event_loop.h"
#include "simulate/processors.h"
#include "simulate/ring_queue.h"

namespace vtax::simulate {

// What is told that a job is done. `word` is its own.
class JobOwner {
 public:
  virtual void on_job_done(std::uint64_t word) = 0;

 protected:
  ~JobOwner() = default;
};

// A virtual CPU that works off jobs: a guest, a driver domain. Each flow has a queue, and up to 64 jobs of
// one are done before the next queue's turn, which is the weight of Linux's NAPI, of a card and of netback
// alike. Beside them a softload may hold a share of the CPU: every 10 ms it is due as much time as that, what
// it could not have stays due, and jobs go before it.
class Worker final : public Program, public Receiver {
 public:
  Worker(EventLoop& loop, Processors& processors, const Share& share);

  [[nodiscard]] int vcpu() const { return vcpu_; }
  [[nodiscard]] int add_queue();
  [[nodiscard]] std::size_t waiting(int queue) const {
    return queues_[static_cast<std::size_t>(queue)].size();
  }
  // `in_batch`: that it is done is told when nothing more waits, or with 64 of such.
  void submit(int queue, Ns work, JobOwner& owner, std::uint64_t word, bool in_batch = false);

  // Of one CPU, 1 to 100, from `first` on; and how long it has had so far.
  void hold_softload(int percent, Ns first);
  [[nodiscard]] Ns softload_time() const { return softload_time_; }
  // Goes no further: the softload ends.
  void end_softload() { softload_percent_ = 0; }

  void on_done(int vcpu) override;
  void on_event(std::uint64_t word) override;

 private:
  struct Job {
    Ns work = 0;
    JobOwner* owner = nullptr;
    std::uint64_t word = 0;
    bool in_batch = false;
  };
  enum class Doing { nothing, job, softload };

  [[nodiscard]] bool take_next();
  void end_job();
  void go_on();

  EventLoop& loop_;
  Processors& processors_;
  int vcpu_;
  std::vector<RingQueue<Job>> queues_;
  std::size_t queue_ = 0, waiting_ = 0;
  int done_in_turn_ = 0;
  Doing doing_ = Doing::nothing;
  bool is_finishing_ = false;
  Job job_;
  RingQueue<Job> batch_;  // done, and not told yet
  int softload_percent_ = 0;
  Ns softload_due_ = 0, softload_given_ = 0, softload_time_ = 0;
};

}  // namespace vtax::simulate
