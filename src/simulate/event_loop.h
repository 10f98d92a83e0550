#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vtax::simulate {

using Ns = std::int64_t;  // simulated time, since the simulation's begin

// Whoever is told of an event. `word` is its own: which of its timers, of which generation.
class Receiver {
 public:
  virtual void on_event(std::uint64_t word) = 0;

 protected:
  ~Receiver() = default;
};

// Events in the order of their time; those of the same time in the order in which they were asked for. A
// binary heap in one vector: nothing is allocated for an event once the vector is as long as it gets.
class EventLoop {
 public:
  [[nodiscard]] Ns now() const { return now_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::uint64_t handled() const { return handled_; }

  // `time`: not before now().
  void at(Ns time, Receiver& to, std::uint64_t word) {
    const Event event{time, next_++, &to, word};
    std::size_t hole = heap_.size();
    heap_.push_back(event);
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 2;
      if (!(event < heap_[parent])) break;
      heap_[hole] = heap_[parent];
      hole = parent;
    }
    heap_[hole] = event;
  }

  // The next event, if there is one.
  bool step() {
    if (heap_.empty()) return false;
    const Event event = heap_.front();
    remove_first();
    now_ = event.time;
    ++handled_;
    event.to->on_event(event.word);
    return true;
  }

  // All events up to and at `end`, where now() then stands.
  void run_until(Ns end) {
    while (!heap_.empty() && heap_.front().time <= end) step();
    now_ = end;
  }

 private:
  struct Event {
    Ns time;
    std::uint64_t sequence;
    Receiver* to;
    std::uint64_t word;

    bool operator<(const Event& other) const {
      return time != other.time ? time < other.time : sequence < other.sequence;
    }
  };

  void remove_first() {
    const Event last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    if (size == 0) return;
    std::size_t hole = 0;
    for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && heap_[child + 1] < heap_[child]) ++child;
      if (!(heap_[child] < last)) break;
      heap_[hole] = heap_[child];
      hole = child;
    }
    heap_[hole] = last;
  }

  std::vector<Event> heap_;
  Ns now_ = 0;
  std::uint64_t next_ = 0, handled_ = 0;
};

}  // namespace vtax::simulate
