#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bench/must.h"
#include "watch/record/recording_writer.h"
#include "watch/show/csv.h"
#include "watch/show/json.h"
#include "watch/show/metrics.h"
#include "watch/show/screen_model.h"
#include "watch/show/table.h"
#include "watch/show/testing/readings.h"

// What each output of `vtax top` costs a reading, and that a day's worth of them leaves no memory behind: of
// readings made by hand, so that what reading costs itself is not among it.
//   top_cost [READINGS [GUESTS]]     86,400 of 4 guests
namespace {

using namespace vtax;
using Output = std::function<void(const watch::Reading&)>;

// Every guest's figures are others each time; every hundredth reading one is exchanged for a new one.
watch::Reading nth_reading(watch::Reading reading, std::uint64_t n) {
  reading.number = n;
  reading.at += std::chrono::seconds(n);
  for (watch::GuestUse& guest : reading.guests) {
    guest.own_ns += n % 997;
    reading.other.idle_ns -= n % 997;
    guest.network->sent_bytes += n * 13 % 100'000;
  }
  reading.guests.back().name += fmt::format("-{}", n / 100);
  return reading;
}

std::uint64_t resident_kib() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

// In a process of its own, so that one output's memory is not another's.
void measure(const std::string& name, std::uint64_t readings, std::size_t guests,
             const std::function<Output()>& make) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    const watch::Reading base = watch::reading_of_many(guests);
    Output output = make();
    std::uint64_t early = 0;
    double spent = 0;
    for (std::uint64_t n = 1; n <= readings; ++n) {
      const watch::Reading reading = nth_reading(base, n);
      const double before = cpu_seconds();
      output(reading);
      spent += cpu_seconds() - before;
      if (n == std::max<std::uint64_t>(readings / 10, 1)) early = resident_kib();
    }
    std::cout << fmt::format("{:<22} {:>10.3f} ms {:>9.3f} % {:>9.1f} MiB {:>9.1f} MiB\n", name,
                             1e3 * spent / static_cast<double>(readings),
                             100 * spent / static_cast<double>(readings), static_cast<double>(early) / 1024,
                             static_cast<double>(resident_kib()) / 1024)
              << std::flush;
    output = nullptr;  // a recording is closed
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t readings = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 86'400;
  const std::size_t guests = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 4;
  std::cout << fmt::format(
      "{} readings of {} guests: CPU time of one, at one a second; memory at a tenth, at the end\n", readings,
      guests);
  static std::ofstream nowhere("/dev/null");
  measure("table (-b)", readings, guests, [] {
    return [said = std::vector<std::string>()](const watch::Reading& r) mutable {
      watch::write_table(r, {}, 80, said, nowhere);
      nowhere.flush();
    };
  });
  measure("--json", readings, guests, [] {
    return [](const watch::Reading& r) {
      watch::write_json_line(r, nowhere);
      nowhere.flush();
    };
  });
  measure("--csv", readings, guests, [] {
    return [](const watch::Reading& r) {
      watch::write_csv_rows(r, nowhere);
      nowhere.flush();
    };
  });
  measure("screen's lines", readings, guests, [] {
    auto model = std::make_shared<watch::ScreenModel>(watch::Arrangement{}, std::chrono::seconds(1));
    return [model](const watch::Reading& r) {
      model->take(r);
      if (model->lines(80, 24, true).empty()) std::abort();
    };
  });
  measure("--listen, no scrape", readings, guests, [] {
    auto metrics = std::make_shared<watch::Metrics>();
    return [metrics](const watch::Reading& r) { metrics->take(r); };
  });
  measure("--listen, each scraped", readings, guests, [] {
    auto metrics = std::make_shared<watch::Metrics>();
    return [metrics](const watch::Reading& r) {
      metrics->take(r);
      metrics->write(nowhere);
    };
  });
  const auto file = std::filesystem::temp_directory_path() / fmt::format("vtax-top-cost-{}.vtax", getpid());
  measure("--out", readings, guests, [&] {
    auto writer = std::make_shared<watch::RecordingWriter>(
        must(watch::RecordingWriter::create(file, std::chrono::seconds(1))));
    return [writer](const watch::Reading& r) {
      if (auto written = writer->append(r); !written) quit(written.error().text());
    };
  });
  std::cout << fmt::format("the recording: {:.1f} MiB\n",
                           static_cast<double>(std::filesystem::file_size(file)) / (1 << 20));
  std::error_code ignored;
  for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + ending, ignored);
}
