#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "simulate/event_loop.h"
#include "simulate/ring_queue.h"
#include "simulate/wire.h"
#include "simulate/worker.h"

namespace vtax::simulate {

// A station that an item visits: work on a virtual CPU, or bytes on a wire.
struct Stage {
  Worker* worker = nullptr;
  int queue = 0;  // of the worker
  Ns work = 0;
  bool in_batches = false;  // goes on when the worker has nothing more to do, or 64 are done
  std::size_t ring = 0;     // whatever comes while so many wait is lost; 0: there is room for all
  Wire* wire = nullptr;
  std::uint64_t bytes = 0;
};

struct FlowPlan {
  std::vector<Stage> stages;
  std::uint64_t items = 0;
  std::uint64_t window = 1;  // under way at once: a TCP window in packets, connections
  std::optional<std::size_t> freed_after =
      {};           // the stage after which one no longer counts; nothing: the last
  Ns interval = 0;  // one is due every so often; 0: each as soon as the window lets it
  bool records_latency = false;
};

// Items that go through the same stations in the same order: the packets of a stream, requests with their
// answers. What has come through one station goes to the next at once, or with its batch: prices hold what
// notifications cost.
class Flow final : public Receiver, public JobOwner {
 public:
  Flow(EventLoop& loop, FlowPlan plan);

  void start(Ns time);
  [[nodiscard]] bool is_over() const { return done_ + lost_ == plan_.items; }
  [[nodiscard]] Ns begin() const { return begin_; }
  [[nodiscard]] Ns end() const { return end_; }  // when the last one was done
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  // From when each was due, or began where nothing is, until it was done; in the order of their ends.
  [[nodiscard]] const std::vector<std::uint64_t>& latencies() const { return latencies_; }

  void on_event(std::uint64_t word) override;
  void on_job_done(std::uint64_t word) override { leave(word); }

 private:
  void pump();
  void enter(std::size_t stage);
  void leave(std::size_t stage);

  EventLoop& loop_;
  FlowPlan plan_;
  std::size_t freed_after_;
  RingQueue<Ns> begun_;  // of those under way, in their order
  Ns begin_ = 0, end_ = 0;
  std::uint64_t due_ = 0, begun_count_ = 0, under_way_ = 0, done_ = 0, lost_ = 0;
  bool is_pumping_ = false;
  std::vector<std::uint64_t> latencies_;
};

}  // namespace vtax::simulate
