// simulate_speed: how many events a second the simulator handles, on one core.
//   simulate_speed empty         events that do nothing but ask for the next, a thousand pending
//   simulate_speed model         a contended virtual server: schedulers, drivers, a wire
//   simulate_speed scale [HOSTS GUESTS RATE SECONDS]
//                                each host by itself: 16 CPUs, its part of the guests, each asked RATE times
//                                a second; by default 64 hosts, 1,000 guests, 10 a second, for an hour
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "simulate/flow.h"
#include "simulate/random.h"

namespace {

using namespace vtax::simulate;

class Endless final : public Receiver {
 public:
  Endless(EventLoop& loop, std::uint64_t seed) : loop_(loop), random_(seed) { on_event(0); }
  void on_event(std::uint64_t) override {
    loop_.at(loop_.now() + static_cast<Ns>(random_.next() % 1000) + 1, *this, 0);
  }

 private:
  EventLoop& loop_;
  Random random_;
};

// CPU time: other programs on this computer are not to count.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void print(const char* what, std::uint64_t events, double seconds) {
  fmt::print("{}: {} events in {:.2f} s of CPU time, {:.2f} million a second\n", what, events, seconds,
             static_cast<double>(events) / seconds * 1e-6);
}

void empty() {
  EventLoop loop;
  std::vector<std::unique_ptr<Endless>> all;
  for (std::uint64_t i = 0; i < 1000; ++i) all.push_back(std::make_unique<Endless>(loop, i));
  const auto start = std::clock();
  while (loop.handled() < 20'000'000) loop.step();
  print("empty", loop.handled(), seconds_since(start));
}

// A driver domain and its guests on a host, with a link to whoever asks them.
struct Host {
  Host(SchedulerKind kind, int cpus, int guests, std::uint64_t cpus_of_guests)
      : processors(loop, make_scheduler(kind), cpus),
        in(loop, 1e9, 0),
        out(loop, 1e9, 0),
        driver(loop, processors, {.cpus = 1}) {
    for (int i = 0; i < guests; ++i)
      workers.push_back(std::make_unique<Worker>(loop, processors, Share{.cpus = cpus_of_guests}));
  }

  // A request and its answer, at the lab's prices for tcp-rr (1,063 million instructions a second).
  FlowPlan requests(Worker& guest, std::uint64_t count) {
    const int queue = driver.add_queue(), own = guest.add_queue();
    const auto through_driver = Stage{.worker = &driver, .queue = queue, .work = 19'700};
    return {.stages = {Stage{.wire = &in, .bytes = 90}, through_driver,
                       Stage{.worker = &guest, .queue = own, .work = 36'300}, through_driver,
                       Stage{.wire = &out, .bytes = 90}},
            .items = count};
  }

  EventLoop loop;
  Processors processors;
  Wire in, out;
  Worker driver;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::unique_ptr<Flow>> flows;
};

void model() {
  Host host(SchedulerKind::credit2, 4, 8, 0b1110);
  for (auto& worker : host.workers) {
    FlowPlan plan = host.requests(*worker, ~std::uint64_t{0} >> 1);
    plan.window = 4;
    host.flows.push_back(std::make_unique<Flow>(host.loop, std::move(plan)));
    host.flows.back()->start(0);
    worker->hold_softload(20, 0);
  }
  const auto start = std::clock();
  while (host.loop.handled() < 10'000'000) host.loop.step();
  print("model", host.loop.handled(), seconds_since(start));
}

void scale(int hosts, int guests, int rate, int length) {
  std::uint64_t events = 0, requests = 0;
  const auto start = std::clock();
  for (int i = 0; i < hosts; ++i) {
    const int here = guests / hosts + (i < guests % hosts ? 1 : 0);
    constexpr int kCpus = 16;
    Host host(SchedulerKind::credit2, kCpus, here, 0xfffe);
    Random random(static_cast<std::uint64_t>(i));
    for (auto& worker : host.workers) {
      FlowPlan plan =
          host.requests(*worker, static_cast<std::uint64_t>(rate) * static_cast<std::uint64_t>(length));
      plan.window = 1000;
      plan.interval = kSecond / rate;
      host.flows.push_back(std::make_unique<Flow>(host.loop, std::move(plan)));
      host.flows.back()->start(static_cast<Ns>(random.uniform() * 1e9 / rate));
    }
    while (host.loop.step()) {
    }
    events += host.loop.handled();
    for (const auto& flow : host.flows) requests += flow->done();
  }
  const double seconds = seconds_since(start);
  fmt::print("{} guests on {} hosts, {} s: {} requests\n", guests, hosts, length, requests);
  print("scale", events, seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto number = [&](int place, int usual) { return argc > place ? std::atoi(argv[place]) : usual; };
  if (what == "empty")
    empty();
  else if (what == "model")
    model();
  else if (what == "scale")
    scale(number(2, 64), number(3, 1000), number(4, 10), number(5, 3600));
  else
    return fmt::print(stderr, "usage: simulate_speed empty|model|scale [HOSTS GUESTS RATE SECONDS]\n"), 2;
}
