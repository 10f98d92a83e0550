#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/result.h"
#include "meter/cpu_reading.h"
#include "meter/softirq_clock.h"
#include "meter/xen_ledger.h"
#include "platform/platform.h"
#include "record/trial.h"
#include "workload/measure/device_counters.h"

namespace vtax::host {

// What the books say at one moment within the window, and what the systems' network devices have counted.
struct WindowReading {
  meter::CpuReading books;
  meter::XenReading xen;  // empty where there is none
  std::map<meter::SoftirqClock::Key, std::vector<std::uint64_t>> softirqs;
  std::vector<DeviceCounters> devices;  // as CountedSystems::devices
};

// Of each system under test, the device by which its traffic passes as this kernel sees it: the port of a
// container or a guest; where there is no port, natively, `lo` in the systems' namespace.
struct CountedSystems {
  explicit CountedSystems(const Bench& bench);
  [[nodiscard]] std::vector<DeviceCounters> read() const;  // empty if they cannot be read
  // What they counted between neighbours; nothing if one of the readings is empty.
  [[nodiscard]] std::vector<Timeline::Device> course(
      const std::vector<std::vector<DeviceCounters>>& readings) const;

  std::vector<CountedDevice> devices;
  std::string file;  // of /proc, that counts them
};

// Takes a reading now and then from start() to stop(), in a thread of its own whose time is no trial's: it
// belongs to the controller, which no MeteredProcess is. The thread stays until the end, so that the window's
// last reading can still tell of it. It keeps off the trial's CPUs if it may, and otherwise off the systems',
// and rests for fifty times what a reading took of its CPU. Readings are sums since long before, so that one
// may be left out for good: where there are `most`, every second one goes, and the next ones come half as
// often.
class WindowReadings {
 public:
  using Take = std::function<Result<WindowReading>()>;
  static constexpr std::chrono::milliseconds kUsualInterval{250};
  static constexpr std::size_t kUsualMost = 256;

  explicit WindowReadings(std::chrono::milliseconds interval = kUsualInterval, std::size_t most = kUsualMost)
      : interval_(interval), most_(most) {}
  WindowReadings(const WindowReadings&) = delete;
  WindowReadings& operator=(const WindowReadings&) = delete;
  ~WindowReadings();

  // `take` is called in that thread; a moment at which it fails is passed over.
  void start(Take take, const std::vector<MeteredProcess>& processes);
  [[nodiscard]] std::vector<WindowReading> stop();
  // What the readings cost their thread, after stop(); also of those that were left out since.
  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::chrono::nanoseconds spent() const { return spent_; }

 private:
  void run();

  std::chrono::milliseconds interval_;
  std::size_t most_;
  Take take_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  enum class State { none, reading, ending, ended, over } state_ = State::none;
  std::vector<WindowReading> readings_;
  std::size_t taken_ = 0;
  std::chrono::nanoseconds spent_{};
};

}  // namespace vtax::host
