#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "core/statistics.h"
#include "simulate/processors.h"
#include "simulate/random.h"
#include "simulate/ring_queue.h"
#include "simulate/worker.h"

// Queues whose means are known (Kleinrock, Queueing Systems, 1975, volume 1, 3.2 and 5.7; volume 2, 4.4).
namespace vtax::simulate {
namespace {

constexpr double kMeanService = 1e6;  // ns
constexpr double kLoad = 0.7;
constexpr std::uint64_t kJobs = 60'000, kWarmUp = 5'000;
constexpr int kSeeds = 12;

using Service = std::function<double(Random&)>;

double fixed(Random&) {
  return kMeanService;
}
double exponential(Random& random) {
  return random.exponential(kMeanService);
}
// A tenth is ten times as long as the rest: coefficient of variation 1.42.
double mixed(Random& random) {
  const double least = kMeanService / 1.9;
  return random.uniform() < 0.1 ? 10 * least : least;
}

// Arrivals by Poisson to one virtual CPU that works them off in their order.
class Fifo final : public Receiver, public JobOwner {
 public:
  Fifo(std::uint64_t seed, Service service)
      : random_(seed),
        service_(std::move(service)),
        processors_(loop_, make_null(), 1),
        worker_(loop_, processors_, {}),
        queue_(worker_.add_queue()) {
    loop_.at(1, *this, 0);
  }
  double mean_time() {
    while (done_ < kJobs && loop_.step()) {
    }
    return sum_ / static_cast<double>(kJobs - kWarmUp);
  }
  void on_event(std::uint64_t) override {
    arrived_.push(loop_.now());
    worker_.submit(queue_, static_cast<Ns>(service_(random_)), *this, 0);
    loop_.at(loop_.now() + static_cast<Ns>(random_.exponential(kMeanService / kLoad)), *this, 0);
  }
  void on_job_done(std::uint64_t) override {
    const Ns arrived = arrived_.pop();
    if (++done_ > kWarmUp && done_ <= kJobs) sum_ += static_cast<double>(loop_.now() - arrived);
  }

 private:
  EventLoop loop_;
  Random random_;
  Service service_;
  Processors processors_;
  Worker worker_;
  int queue_;
  RingQueue<Ns> arrived_;
  std::uint64_t done_ = 0;
  double sum_ = 0;
};

// A job a virtual CPU; they share one CPU by a scheduler with small turns.
class Shared final : public Receiver, public Program {
 public:
  Shared(std::uint64_t seed, Service service)
      : random_(seed), service_(std::move(service)), processors_(loop_, make_bvt(false, 20 * kUs), 1) {
    constexpr int kMostAtOnce = 60;
    for (int i = 0; i < kMostAtOnce; ++i) free_.push_back(processors_.add({}, *this));
    arrived_.resize(kMostAtOnce);
    loop_.at(1, *this, 0);
  }
  double mean_time() {
    while (done_ < kJobs / 4 && loop_.step()) {
    }
    EXPECT_FALSE(overflowed_);
    return sum_ / static_cast<double>(kJobs / 4 - kWarmUp / 4);
  }
  void on_event(std::uint64_t) override {
    if (free_.empty()) {
      overflowed_ = true;
    } else {
      const int vcpu = free_.back();
      free_.pop_back();
      arrived_[static_cast<std::size_t>(vcpu)] = loop_.now();
      processors_.give(vcpu, static_cast<Ns>(service_(random_)));
    }
    loop_.at(loop_.now() + static_cast<Ns>(random_.exponential(kMeanService / kLoad)), *this, 0);
  }
  void on_done(int vcpu) override {
    free_.push_back(vcpu);
    if (++done_ > kWarmUp / 4)
      sum_ += static_cast<double>(loop_.now() - arrived_[static_cast<std::size_t>(vcpu)]);
  }

 private:
  EventLoop loop_;
  Random random_;
  Service service_;
  Processors processors_;
  std::vector<int> free_;
  std::vector<Ns> arrived_;
  std::uint64_t done_ = 0;
  double sum_ = 0;
  bool overflowed_ = false;
};

// 99.9 %, so that one of a thousand seeds of this test would fail by chance.
template <class Queue>
void expect_mean(const Service& service, double expected) {
  std::vector<double> means;
  for (int seed = 1; seed <= kSeeds; ++seed)
    means.push_back(Queue(static_cast<std::uint64_t>(seed), service).mean_time());
  const auto interval = mean_interval(means, 0.999);
  ASSERT_TRUE(interval);
  EXPECT_LE(interval->low, expected);
  EXPECT_GE(interval->high, expected);
  EXPECT_LT(interval->high - interval->low, 0.2 * expected);  // it says something
}

TEST(Queues, MM1) {
  expect_mean<Fifo>(exponential, kMeanService / (1 - kLoad));
}

TEST(Queues, MD1) {
  expect_mean<Fifo>(fixed, kMeanService * (1 + kLoad / (2 * (1 - kLoad))));
}

TEST(Queues, MG1ByPollaczekAndKhinchin) {
  const double least = kMeanService / 1.9;
  const double second_moment = 0.9 * least * least + 0.1 * 100 * least * least;
  const double arrivals = kLoad / kMeanService;
  expect_mean<Fifo>(mixed, kMeanService + arrivals * second_moment / (2 * (1 - kLoad)));
}

// Whatever the services' distribution.
TEST(Queues, MG1SharedByAll) {
  expect_mean<Shared>(mixed, kMeanService / (1 - kLoad));
  expect_mean<Shared>(exponential, kMeanService / (1 - kLoad));
}

}  // namespace
}  // namespace vtax::simulate
