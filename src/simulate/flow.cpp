#include "simulate/flow.h"

#include <utility>

namespace vtax::simulate {
namespace {

constexpr std::uint64_t kFlowClock = ~std::uint64_t{0};  // a word that is no stage's

}  // namespace

Flow::Flow(EventLoop& loop, FlowPlan plan)
    : loop_(loop),
      plan_(std::move(plan)),
      freed_after_(plan_.freed_after.value_or(plan_.stages.size() - 1)) {}

void Flow::start(Ns time) {
  begin_ = time;
  loop_.at(time, *this, kFlowClock);
}

void Flow::on_event(std::uint64_t word) {
  if (word != kFlowClock) return leave(word);
  if (plan_.interval == 0) {
    due_ = plan_.items;
  } else {
    ++due_;
    if (due_ < plan_.items) loop_.at(loop_.now() + plan_.interval, *this, kFlowClock);
  }
  pump();
}

void Flow::pump() {
  if (is_pumping_) return;
  is_pumping_ = true;
  while (begun_count_ < due_ && under_way_ < plan_.window) {
    if (plan_.records_latency)
      begun_.push(plan_.interval == 0 ? loop_.now()
                                      : begin_ + static_cast<Ns>(begun_count_) * plan_.interval);
    ++begun_count_;
    ++under_way_;
    enter(0);
  }
  is_pumping_ = false;
}

void Flow::enter(std::size_t stage) {
  const Stage& its = plan_.stages[stage];
  if (its.wire != nullptr) return its.wire->send(its.bytes, *this, stage);
  if (its.ring > 0 && its.worker->waiting(its.queue) >= its.ring) {
    ++lost_;
    end_ = loop_.now();
    if (stage <= freed_after_) --under_way_;
    return pump();
  }
  its.worker->submit(its.queue, its.work, *this, stage, its.in_batches);
}

void Flow::leave(std::size_t stage) {
  if (stage == freed_after_) --under_way_;
  if (stage + 1 < plan_.stages.size()) {
    enter(stage + 1);
  } else {
    ++done_;
    end_ = loop_.now();
    if (plan_.records_latency) latencies_.push_back(static_cast<std::uint64_t>(loop_.now() - begun_.pop()));
  }
  if (stage == freed_after_) pump();
}

}  // namespace vtax::simulate
