#include "prices/measure.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <vector>

#include "core/readable.h"
#include "core/statistics.h"
#include "core/units.h"
#include "prices/loops.h"

namespace vtax::prices {
namespace {

constexpr std::size_t kTimes = 9;

// The middle of several, and how far apart the middle half of them is.
struct Sample {
  double ns = 0, spread = 0;
};

template <class Loop>
std::optional<Sample> sample(Loop loop) {
  std::vector<double> values;
  for (std::size_t i = 0; i < kTimes; ++i) {
    const std::optional<double> ns = loop();
    if (!ns || *ns <= 0) return std::nullopt;
    values.push_back(*ns);
  }
  std::sort(values.begin(), values.end());
  const double middle = values[kTimes / 2];
  return Sample{middle, (values[kTimes * 3 / 4] - values[kTimes / 4]) / middle};
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos)
        return printable(line.substr(colon + 2), 100);
  return "a processor without a name";
}

std::size_t cache_size(int name) {
  const long size = ::sysconf(name);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

class Prices {
 public:
  explicit Prices(const std::function<void(const std::string&)>& progress) : progress_(progress) {
    list_.processor = processor_name();
  }

  Result<PriceList> take() {
    if (auto done = instructions(); !done) return fail(done.error());
    bytes();
    traps();
    caches();
    for (const char* kind : {"vm_exits", "hypercalls", "upcalls"})
      list_.not_known[kind] = "a guest would have to be run, which takes a hypervisor";
    list_.not_known["interrupts"] = "nobody but the kernel sees one begin and end";
    list_.not_known["context_switches"] = "those are the hypervisor's, between virtual CPUs";
    return std::move(list_);
  }

 private:
  Result<> instructions() {
    progress_("instructions");
    const auto fast = sample([] { return ns_of_instruction(false); });
    const auto slow = sample([] { return ns_of_instruction(true); });
    if (!fast || !slow)
      return fail({"cannot measure prices", "this processor has no loop whose instructions are known",
                   "write the prices from a manual: docs/prices.md", ExitCode::unavailable});
    const Price price = between(std::min(fast->ns, slow->ns), std::max(fast->ns, slow->ns),
                                "plain loops, from independent instructions to a chain of them");
    for (const Layer layer : {Layer::hypervisor, Layer::driver, Layer::kernel, Layer::program})
      list_.instructions[layer] = price;
    return {};
  }

  void bytes() {
    progress_("copied bytes");
    const auto near = sample([] { return ns_of_copied_byte(64 * kKiB); });
    const auto far = sample([] { return ns_of_copied_byte(32 * kMiB); });
    for (const char* kind : {"bytes_copied", "bytes_copied_user", "grant_copy_bytes"})
      if (near && far)
        list_.events[kind] = between(std::min(near->ns, far->ns), std::max(near->ns, far->ns),
                                     "a program's memcpy, from within a cache to memory");
  }

  void traps() {
    progress_("system calls, page faults, wake-ups");
    const auto call = sample([] { return ns_of_system_call(); });
    add("system_calls", call, 0, "getppid");
    add("page_faults", sample([] { return ns_of_page_fault(); }), 0,
        "first touch of a page, which clears it");
    const auto threads = sample([] { return ns_of_wake_up(false); });
    constexpr double kCalls = 2;
    const double calls = call ? kCalls * call->ns : 0;
    add("wake_ups", threads, calls,
        "a byte through a pipe to a thread on the same CPU, without its system calls");
    const auto processes = sample([] { return ns_of_wake_up(true); });
    if (threads && processes && processes->ns > threads->ns)
      add("page_table_switches", processes, threads->ns,
          "the same to another process, less what it is to a thread");
    else
      list_.not_known["page_table_switches"] = "processes did not switch slower than threads";
  }

  // Of sizes that lie well within a level; what a miss of a level costs is the next one's load less its own.
  void caches() {
    progress_("loads from caches and memory");
    const std::size_t l1 = cache_size(_SC_LEVEL1_DCACHE_SIZE), l2 = cache_size(_SC_LEVEL2_CACHE_SIZE),
                      l3 = cache_size(_SC_LEVEL3_CACHE_SIZE);
    constexpr std::size_t kMost = 512 * kMiB;
    if (l1 == 0 || l2 <= l1 || l3 <= l2) {
      for (const char* kind : {"l1d_misses", "l2_misses", "l3_misses"})
        list_.not_known[kind] = "the system does not say how large the caches are";
      return;
    }
    const auto in_l1 = sample([&] { return ns_of_load(l1 / 2); });
    const auto in_l2 = sample([&] { return ns_of_load(std::max(l2 / 2, 2 * l1)); });
    const auto in_l3 = sample([&] { return ns_of_load(std::max(l3 / 8, 2 * l2)); });
    const auto in_memory = l3 * 4 <= kMost ? ns_of_load(l3 * 4) : std::nullopt;
    if (in_l1 && in_l2) add("l1d_misses", in_l2, in_l1->ns, "a chain of loads, second level less first");
    if (in_l2 && in_l3) add("l2_misses", in_l3, in_l2->ns, "a chain of loads, third level less second");
    if (in_l3 && in_memory)
      add("l3_misses", Sample{*in_memory, in_l3->spread}, in_l3->ns,
          "a chain of loads, memory less third level");
    else
      list_.not_known["l3_misses"] = "the last cache is too large to be filled";
  }

  // Less what belongs to something else, and never below 0.
  void add(const std::string& kind, const std::optional<Sample>& sample, double less, std::string source) {
    if (!sample) {
      list_.not_known[kind] = "this system does not let a program see it";
      return;
    }
    constexpr double kLeastError = 0.05;
    const double ns = sample->ns - less;
    if (ns <= 0) {
      list_.not_known[kind] = "it is below what its measurement resolves";
      return;
    }
    list_.events[kind] = {ns, std::max(kLeastError, sample->spread * sample->ns / ns), std::move(source)};
  }

  const std::function<void(const std::string&)>& progress_;
  PriceList list_;
};

}  // namespace

Price between(double best_ns, double worst_ns, std::string source) {
  const double middle = std::sqrt(best_ns * worst_ns);
  return {middle, worst_ns / middle - 1, std::move(source)};
}

Result<PriceList> measure_prices(const std::function<void(const std::string&)>& progress) {
  return Prices(progress).take();
}

}  // namespace vtax::prices
