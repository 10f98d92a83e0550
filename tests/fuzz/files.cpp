#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/lab_prices.h"
#include "predict/fit.h"
#include "predict/model_file.h"
#include "published/published.h"
#include "query/testing/claims_of_synthetic_run.h"
#include "record/run_reader.h"
#include "record/run_writer.h"
#include "record/schedule_text.h"
#include "record/seal.h"
#include "record/testing/synthetic_run.h"
#include "record/timeline_text.h"
#include "study/study.h"
#include "tests/fuzz/targets.h"
#include "watch/record/recording_reader.h"
#include "watch/record/recording_writer.h"
#include "watch/show/json.h"
#include "watch/show/testing/readings.h"

namespace vtax::fuzz {
namespace {

const Run& recorded_run() {
  static const Run run = [] {
    Run all = synthetic_run();
    Run some = synthetic_header();
    for (const std::size_t which : {0U, 44U, 57U}) {
      some.trials.push_back(all.trials[which]);
      add_measured(some.trials.back());
    }
    make_failed(some.trials[0], "the guest hung");
    return some;
  }();
  return run;
}

std::vector<std::string> run_files() {
  const auto file = work_folder() / "seed.vtax";
  std::filesystem::remove(file);
  {
    auto writer = RunWriter::create(file, recorded_run());
    require(writer.has_value(), "a run file can be written");
    for (const Trial& trial : recorded_run().trials)
      require(writer->append(trial).has_value(), "a trial can be recorded");
  }
  return {content_of(file)};
}

// A damaged file is refused, or holds what was written: never another number.
bool try_run_file(std::string_view input) {
  const auto file = work_folder() / "input.vtax";
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(file.string() + beside, ignored);
  }
  std::ofstream(file, std::ios::binary).write(input.data(), static_cast<std::streamsize>(input.size()));
  auto reader = RunReader::open(file);
  if (!reader) return false;
  const auto run = reader->all();
  if (!run) return false;
  const Run& written = recorded_run();
  require(seal_of(*run) == seal_of(written), "a run's header is what was written");
  require(run->trials.size() == written.trials.size(), "a run has as many trials as were written");
  for (std::size_t i = 0; i < run->trials.size(); ++i)
    require(seal_of(run->trials[i]) == seal_of(written.trials[i]), "a trial is what was written");
  return true;
}

constexpr std::uint64_t kRecorded = 4;

watch::Reading recorded_reading(std::uint64_t number) {
  watch::Reading reading = watch::reading_of_two();
  reading.number = number;
  return reading;
}

std::string line_of(const watch::Reading& reading) {
  std::ostringstream line;
  watch::write_json_line(reading, line);
  return line.str();
}

std::vector<std::string> recordings() {
  const auto file = work_folder() / "seed-recording.vtax";
  std::filesystem::remove(file);
  {
    auto writer = watch::RecordingWriter::create(file, std::chrono::seconds(1));
    require(writer.has_value(), "a recording can be written");
    for (std::uint64_t number = 1; number <= kRecorded; ++number)
      require(writer->append(recorded_reading(number)).has_value(), "a reading can be recorded");
  }
  return {content_of(file)};
}

// A damaged recording is refused, or gives readings as they were written, from the first one on.
bool try_recording(std::string_view input) {
  const auto file = work_folder() / "recording.vtax";
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(file.string() + beside, ignored);
  }
  std::ofstream(file, std::ios::binary).write(input.data(), static_cast<std::streamsize>(input.size()));
  auto reader = watch::RecordingReader::open(file);
  if (!reader) return false;
  std::uint64_t number = 0;
  const auto read = reader->for_each([&](const watch::Reading& reading) {
    require(++number <= kRecorded, "a recording has no more readings than were written");
    require(line_of(reading) == line_of(recorded_reading(number)), "a reading is what was written");
    return Result<>();
  });
  return read.has_value();
}

std::vector<std::string> studies() {
  auto all = toml_files(VTAX_SOURCE_DIR "/studies");
  // Letters where a name may stand, after a value and after a line that goes on.
  for (const char* bare : {"\u00e9 = 1", "name = 1 \u00e9", "name = \"\"\"a\\\n  \u00e9\"\"\""})
    all.emplace_back(bare);
  return all;
}

bool try_study(std::string_view input) {
  const auto study = parse_study(input, "study");
  if (!study)
    require(!study.error().what.empty() && !study.error().why.empty(), "an error says what and why");
  return study.has_value();
}

std::vector<std::string> claims() {
  auto all = toml_files(VTAX_SOURCE_DIR "/studies/published");
  all.push_back(synthetic_claims());
  return all;
}

bool try_claims(std::string_view input) {
  return parse_published(input, "claims").has_value();
}

std::vector<std::string> timelines() {
  return {
      R"({"end_ns": [1000, 2500], "work": [{"guest": "guest1", "bytes": [1, 2], "transactions": [0, 3]}],
          "rows": [{"cpu": 2, "domain": "guest1", "layer": "kernel", "part": "", "instructions": [7, 8]}]})",
      R"({"end_ns": [1000], "work": [], "rows": [{"cpu": 0, "domain": "host", "layer": "driver", "part": "",
          "cpu_ns": [7]}, {"cpu": 1, "domain": "g", "layer": "kernel+program", "part": "", "cpu_ns": [9]}],
          "devices": [{"side": "system", "domain": "host", "device": "lo", "received_bytes": [1], "sent_bytes": [2],
          "received_packets": [3], "sent_packets": [4], "dropped_packets": [5]}]})"};
}

bool try_timeline(std::string_view input) {
  const auto timeline = read_timeline(input);
  if (!timeline) return false;
  require(read_timeline(timeline_text(*timeline)) == timeline, "a timeline comes back as it was");
  return true;
}

std::vector<std::string> schedules() {
  return {R"({"vcpus": [{"domain": "guest1", "number": 0}, {"domain": "idle", "number": 2}], "cpu": [2, 2, 3],
              "vcpu": [0, 1, 0], "begin_ns": [0, 700, 900], "end_ns": [700, 1000, 1000],
              "woke_ns": [null, null, 850], "left_out": 0})",
          R"({"vcpus": [{"domain": "peer", "number": 0}], "cpu": [1], "vcpu": [0], "begin_ns": [0],
              "end_ns": [18446744073709551615], "woke_ns": [null], "left_out": 7})"};
}

// What is taken names only virtual CPUs that it has, and comes back as it was.
bool try_schedule(std::string_view input) {
  const auto schedule = read_schedule(input);
  if (!schedule) return false;
  require(!schedule->empty() && schedule->stays.size() <= kMostStays,
          "a schedule has stays, and not too many");
  for (const Schedule::Stay& stay : schedule->stays)
    require(stay.vcpu < schedule->vcpus.size(), "a stay is of a virtual CPU that is named");
  require(read_schedule(schedule_text(*schedule)) == schedule, "a schedule comes back as it was");
  return true;
}

std::vector<std::string> lab_prices() {
  return {"kernel:0.9 + program:0.5",
          "kernel:0.083+program:0.083+hypervisor:0.1+system_calls:103+wake_ups:1298",
          "kernel:1000 + program:0 + vm_exits:1000000 + bytes_copied_user:0.0670"};
}

// What is taken has the two prices that must be there, none beyond what a price may be, and comes back.
bool try_lab_prices(std::string_view input) {
  const auto prices = read_lab_prices(input);
  if (!prices) {
    require(!prices.error().why.empty(), "an error says why");
    return false;
  }
  require(prices->femtoseconds.contains("kernel") && prices->femtoseconds.contains("program"),
          "kernel and program have prices");
  constexpr std::uint64_t kMost = 1'000'000'000'000;  // fs: a millisecond
  for (const auto& [name, price] : prices->femtoseconds)
    require(price <= kMost, "a price is one that can be");
  require(read_lab_prices(text_of(*prices)) == *prices, "prices come back as they were");
  return true;
}

std::vector<std::string> models() {
  predict::KnownCells known;
  for (const char* platform : {"native", "xen-pv"})
    for (const int write : {64, 512, 1448, 4096, 16384, 65536}) {
      predict::KnownCell cell;
      cell.factors = {
          {"platform", platform}, {"workload", "tcp-stream"}, {"write_bytes", std::to_string(write)}};
      cell.unit = Unit::kilobyte;
      const double cost = 1000.0 + write % 100;
      cell.figures = {{"cost", cost}, {"layer kernel", cost - 10}, {"layer program", 10}};
      cell.samples = {cost, cost + 10};
      known.cells.push_back(cell);
    }
  const auto model = predict::fit(known, {0}, [](const std::string&) {});
  require(model.has_value(), "a model can be fitted");
  std::ostringstream out;
  predict::write_model(*model, "1", out);
  return {out.str()};
}

// What is taken tells numbers above 0, inside their interval.
bool try_model(std::string_view input) {
  const auto model = predict::parse_model(input, "input");
  if (!model) return false;
  const auto prediction = model->predict(model->parts().known.cells.front().factors);
  if (!prediction) return true;
  const predict::Estimate& cost = prediction->figures.at("cost");
  require(cost.value > 0 && cost.interval.low <= cost.value && cost.value <= cost.interval.high,
          "a prediction is a number inside its interval");
  return true;
}

}  // namespace

std::vector<Target> targets_of_files() {
  return {{"run-file", run_files, try_run_file, false, 4}, {"recording", recordings, try_recording, false, 4},
          {"study", studies, try_study, true, 4},          {"claims", claims, try_claims, true, 4},
          {"timeline", timelines, try_timeline},           {"schedule", schedules, try_schedule},
          {"lab-prices", lab_prices, try_lab_prices},      {"model", models, try_model, true, 40}};
}

}  // namespace vtax::fuzz
