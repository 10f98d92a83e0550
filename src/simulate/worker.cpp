#include "simulate/worker.h"

namespace vtax::simulate {
namespace {

constexpr int kNapiWeight = 64;
constexpr Ns kSoftloadPeriod = 10 * kMs;

}  // namespace

Worker::Worker(EventLoop& loop, Processors& processors, const Share& share)
    : loop_(loop), processors_(processors), vcpu_(processors.add(share, *this)) {}

int Worker::add_queue() {
  queues_.emplace_back();
  return static_cast<int>(queues_.size()) - 1;
}

// The next job, its queue's turn going on or the next one's beginning.
bool Worker::take_next() {
  if (waiting_ == 0) return false;
  if (done_in_turn_ >= kNapiWeight || queues_[queue_].empty()) {
    do queue_ = (queue_ + 1) % queues_.size();
    while (queues_[queue_].empty());
    done_in_turn_ = 0;
  }
  job_ = queues_[queue_].pop();
  --waiting_;
  ++done_in_turn_;
  doing_ = Doing::job;
  return true;
}

void Worker::submit(int queue, Ns work, JobOwner& owner, std::uint64_t word, bool in_batch) {
  queues_[static_cast<std::size_t>(queue)].push({work, &owner, word, in_batch});
  ++waiting_;
  if (is_finishing_ || doing_ == Doing::job) return;
  const bool was_softload = doing_ == Doing::softload;
  if (!take_next()) return;
  if (!was_softload) return processors_.give(vcpu_, job_.work);
  const Ns left = processors_.exchange(vcpu_, job_.work);
  softload_time_ += softload_given_ - left;
  softload_due_ += left;
}

void Worker::on_done(int) {
  const Doing did = doing_;
  doing_ = Doing::nothing;
  if (did == Doing::softload) softload_time_ += softload_given_;
  if (did == Doing::job) {
    is_finishing_ = true;
    end_job();
    is_finishing_ = false;
  }
  go_on();
}

void Worker::end_job() {
  if (job_.in_batch)
    batch_.push(job_);
  else
    job_.owner->on_job_done(job_.word);
  if (waiting_ > 0 && batch_.size() < std::size_t{kNapiWeight}) return;
  for (std::size_t left = batch_.size(); left > 0; --left) {
    const Job one = batch_.pop();
    one.owner->on_job_done(one.word);
  }
}

void Worker::go_on() {
  if (take_next()) return processors_.give(vcpu_, job_.work);
  if (softload_due_ <= 0) return;
  doing_ = Doing::softload;
  softload_given_ = softload_due_;
  softload_due_ = 0;
  processors_.give(vcpu_, softload_given_);
}

void Worker::hold_softload(int percent, Ns first) {
  softload_percent_ = percent;
  loop_.at(first, *this, 0);
}

void Worker::on_event(std::uint64_t) {
  if (softload_percent_ == 0) return;
  softload_due_ += kSoftloadPeriod * softload_percent_ / 100;
  loop_.at(loop_.now() + kSoftloadPeriod, *this, 0);
  if (doing_ == Doing::nothing && !is_finishing_) go_on();
}

}  // namespace vtax::simulate
