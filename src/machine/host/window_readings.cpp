#include "machine/host/window_readings.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <ctime>

namespace vtax::host {
namespace {

// Of the CPUs that this process may use: those on which nothing of the trial is, or else all but the
// systems'. A single CPU is everybody's.
void keep_off(const std::vector<MeteredProcess>& processes) {
  for (const bool partners_too : {true, false}) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (const MeteredProcess& metered : processes)
      if (partners_too || metered.role != MeteredProcess::Role::partner)
        CPU_CLR(static_cast<std::size_t>(metered.cpu), &allowed);
    if (CPU_COUNT(&allowed) > 0 && sched_setaffinity(0, sizeof allowed, &allowed) == 0) return;
  }
}

// Every second one, beginning with the second: the distance before the first is then that between the others.
void thin_out(std::vector<WindowReading>& readings) {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < readings.size(); i += 2) readings[kept++] = std::move(readings[i]);
  readings.resize(kept);
}

// On a Domain-0 with hundreds of threads a reading is milliseconds of work.
constexpr int kRests = 50;

std::chrono::nanoseconds own_cpu_time() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace

CountedSystems::CountedSystems(const Bench& bench) : file("/proc/thread-self/net/dev") {
  for (const CountedDevice& device : bench.here)
    if (device.side == "system") devices.push_back(device);
  if (!devices.empty() || bench.system.in_guest || bench.processes.empty()) return;
  devices = bench.system.devices;
  file = fmt::format("/proc/{}/net/dev", bench.processes.front().process);
}

std::vector<DeviceCounters> CountedSystems::read() const {
  std::vector<std::string> names;
  for (const CountedDevice& device : devices) names.push_back(device.device);
  auto counters = read_counters(names, file.c_str());
  return counters ? std::move(*counters) : std::vector<DeviceCounters>();
}

std::vector<Timeline::Device> CountedSystems::course(
    const std::vector<std::vector<DeviceCounters>>& readings) const {
  std::vector<Timeline::Device> out;
  for (const CountedDevice& device : devices)
    out.push_back({device.side, device.domain, device.device, {}, {}, {}, {}, {}});
  for (std::size_t i = 1; i < readings.size(); ++i) {
    if (readings[i - 1].size() != devices.size() || readings[i].size() != devices.size()) return {};
    for (std::size_t k = 0; k < devices.size(); ++k) {
      const DeviceCounters counted = difference(readings[i - 1][k], readings[i][k]);
      out[k].received_bytes.push_back(counted.received_bytes.value);
      out[k].sent_bytes.push_back(counted.sent_bytes.value);
      out[k].received_packets.push_back(counted.received.value);
      out[k].sent_packets.push_back(counted.sent.value);
      out[k].dropped_packets.push_back(counted.dropped.value);
    }
  }
  return out;
}

void WindowReadings::start(Take take, const std::vector<MeteredProcess>& processes) {
  take_ = std::move(take);
  state_ = State::reading;
  thread_ = std::thread([this, processes] {
    keep_off(processes);
    run();
  });
}

void WindowReadings::run() {
  auto every = std::chrono::steady_clock::duration(interval_);
  auto next = std::chrono::steady_clock::now() + every;
  std::chrono::nanoseconds spent{};
  std::unique_lock lock(mutex_);
  while (!changed_.wait_until(lock, next, [this] { return state_ != State::reading; })) {
    lock.unlock();
    const auto before = own_cpu_time();
    auto reading = take_();
    spent = own_cpu_time();
    lock.lock();
    ++taken_;
    if (reading) readings_.push_back(std::move(*reading));
    if (readings_.size() >= most_) {
      thin_out(readings_);
      every *= 2;
    }
    const auto rest = std::max<std::chrono::steady_clock::duration>(every / 2, kRests * (spent - before));
    next = std::max(next + every, std::chrono::steady_clock::now() + rest);
  }
  spent_ = spent;
  if (state_ == State::ending) state_ = State::ended;
  changed_.notify_all();
  changed_.wait(lock, [this] { return state_ == State::over; });
}

std::vector<WindowReading> WindowReadings::stop() {
  std::unique_lock lock(mutex_);
  if (state_ != State::reading) return {};
  state_ = State::ending;
  changed_.notify_all();
  changed_.wait(lock, [this] { return state_ == State::ended; });
  return std::move(readings_);
}

WindowReadings::~WindowReadings() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::over;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace vtax::host
