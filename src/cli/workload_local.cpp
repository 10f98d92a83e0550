#include "cli/workload_local.h"

#include <algorithm>
#include <memory>

#include "cli/measure_options.h"
#include "workload/local/compile.h"
#include "workload/local/cpu_list.h"
#include "workload/local/disk.h"
#include "workload/local/fio_json.h"
#include "workload/local/linpack.h"
#include "workload/local/memory.h"
#include "workload/local/softload.h"

namespace vtax {
namespace {

template <class Options>
using Generator = Result<SideReport> (*)(const Options&);

// What the generators say of their figures, each sentence once.
void take_warnings(Outcome& outcome) {
  for (const Repeat& repeat : outcome.repeats) {
    for (const SideReport& side : repeat) {
      if (!side.details.contains("warnings")) continue;
      for (const auto& warning : side.details.at("warnings")) {
        const auto text = warning.get<std::string>();
        auto& all = outcome.warnings;
        if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
      }
    }
  }
}

template <class Options>
Result<ExitCode> measure_local(const MeasureOptions& measured, const char* name, const Options& options,
                               nlohmann::json written, Generator<Options> run,
                               const std::function<std::string(const Outcome&)>& other_format = {}) {
  if (Result<> good = options.check(); !good) return fail(good.error());
  Outcome outcome;
  outcome.workload = name;
  outcome.options = std::move(written);
  const auto once = [&]() -> Result<Repeat> {
    auto side = run(options);
    if (!side) return fail(side.error());
    return Repeat{std::move(*side)};
  };
  return measure(measured, std::move(outcome), once, other_format, take_warnings);
}

// Reads `text` into `into`; an empty text leaves it.
Result<> read_duration(std::string_view option, const std::string& text, std::chrono::nanoseconds& into) {
  if (text.empty()) return {};
  const auto read = duration_of(option, text);
  if (!read) return fail(read.error());
  into = *read;
  return {};
}

Verb::Action softload_options(CLI::App& app) {
  struct Texts {
    SoftloadOptions options;
    std::string cpus, period = "10ms", duration = "10s";
  };
  auto given = std::make_shared<Texts>();
  app.add_option("--share", given->options.share, "Of one CPU, for each thread: 0.01 to 1")
      ->capture_default_str();
  CLI::Option* const threads =
      app.add_option("--threads", given->options.threads, "At once")->capture_default_str();
  app.add_option("--cpus", given->cpus, "A thread on each of these, for example 0,2-3")->excludes(threads);
  app.add_option("--period", given->period, "Work and sleep together")->capture_default_str();
  app.add_option("-t,--duration", given->duration, "Of the load")->capture_default_str();
  const auto measured = add_measure_options(app);
  return [given, measured]() -> Result<ExitCode> {
    SoftloadOptions& options = given->options;
    if (!given->cpus.empty()) {
      auto cpus = read_cpu_list("--cpus", given->cpus);
      if (!cpus) return fail(cpus.error());
      options.cpus = std::move(*cpus);
      options.threads = options.cpus.size();
    }
    if (Result<> good = read_duration("--period", given->period, options.period); !good)
      return fail(good.error());
    if (Result<> good = read_duration("--duration", given->duration, options.duration); !good)
      return fail(good.error());
    return measure_local(*measured, "softload", options,
                         {{"share", options.share},
                          {"threads", options.threads},
                          {"cpus", options.cpus},
                          {"period_ns", options.period.count()},
                          {"duration_ns", options.duration.count()}},
                         run_softload);
  };
}

Verb::Action memory_options(CLI::App& app) {
  struct Texts {
    MemoryOptions options;
    std::string stores = "auto";
  };
  auto given = std::make_shared<Texts>();
  app.add_option("--array", given->options.array_bytes,
                 "Of each of the three arrays; four times the last-level caches without")
      ->transform(sizes());
  app.add_option("--threads", given->options.threads, "Each works on its part")->capture_default_str();
  app.add_option("--rounds", given->options.rounds, "Of the four kernels; the first does not count")
      ->capture_default_str();
  app.add_option("--stores", given->stores, "regular; nontemporal: past the caches; auto: the faster")
      ->check(CLI::IsMember({"regular", "nontemporal", "auto"}))
      ->capture_default_str();
  const auto measured = add_measure_options(app);
  return [given, measured, &app]() -> Result<ExitCode> {
    MemoryOptions& options = given->options;
    if (app.count("--array") != 0 && options.array_bytes == 0)
      return fail(
          {"--array cannot be 0", "it is too little", "leave it out for a size that suits the machine"});
    options.stores = given->stores == "regular"       ? Stores::regular
                     : given->stores == "nontemporal" ? Stores::nontemporal
                                                      : Stores::automatic;
    return measure_local(*measured, "memory", options,
                         {{"array_bytes", options.array_bytes},
                          {"threads", options.threads},
                          {"rounds", options.rounds},
                          {"stores", given->stores}},
                         run_memory);
  };
}

Verb::Action linpack_options(CLI::App& app) {
  struct Texts {
    LinpackOptions options;
    std::string precision = "single", duration = "10s";
  };
  auto given = std::make_shared<Texts>();
  app.add_option("--size", given->options.size, "Equations")->capture_default_str();
  app.add_option("--precision", given->precision, "single, double")
      ->check(CLI::IsMember({"single", "double"}))
      ->capture_default_str();
  app.add_option("-t,--duration", given->duration, "Systems are solved until then")->capture_default_str();
  app.add_option("--seed", given->options.seed, "Of the matrix")->capture_default_str();
  const auto measured = add_measure_options(app);
  return [given, measured]() -> Result<ExitCode> {
    LinpackOptions& options = given->options;
    options.precision =
        given->precision == "single" ? Precision::single_precision : Precision::double_precision;
    if (Result<> good = read_duration("--duration", given->duration, options.duration); !good)
      return fail(good.error());
    return measure_local(*measured, "linpack", options,
                         {{"size", options.size},
                          {"precision", given->precision},
                          {"duration_ns", options.duration.count()},
                          {"seed", options.seed}},
                         run_linpack);
  };
}

nlohmann::json json_of(const DiskOptions& options, const std::string& pattern, const std::string& operation,
                       const std::string& sync, const std::string& verify) {
  return {{"file", options.file},
          {"use_existing", options.existing},
          {"size", options.size},
          {"block", options.block},
          {"pattern", pattern},
          {"operation", operation},
          {"direct", options.direct},
          {"depth", options.depth},
          {"duration_ns", options.duration.count()},
          {"sync", sync},
          {"verify", verify},
          {"seed", options.seed}};
}

Verb::Action disk_options(CLI::App& app) {
  struct Texts {
    DiskOptions options;
    std::string pattern = "sequential", operation = "read", sync = "end", verify = "sectors", duration;
  };
  auto given = std::make_shared<Texts>();
  DiskOptions& disk = given->options;
  app.add_option("--file", disk.file, "A new file where it is to be measured; removed by itself")->required();
  app.add_flag("--use-existing", disk.existing,
               "The file or device is there: read it unchecked, or destroy what it holds by writing");
  app.add_flag("--really-write-device", disk.device, "Also if it is a block device");
  app.add_option("--size", disk.size, "Of the file")->transform(sizes())->default_str("128MiB");
  app.add_option("--block", disk.block, "Read or written at once")->transform(sizes())->capture_default_str();
  app.add_option("--pattern", given->pattern, "sequential, random")
      ->check(CLI::IsMember({"sequential", "random"}))
      ->capture_default_str();
  app.add_option("--operation", given->operation, "read, write")
      ->check(CLI::IsMember({"read", "write"}))
      ->capture_default_str();
  app.add_flag("--direct", disk.direct, "Past the page cache");
  app.add_option("--depth", disk.depth, "Blocks in flight (io_uring)")->capture_default_str();
  app.add_option("-t,--duration", given->duration, "Over and over until then; each block once without");
  app.add_option("--sync", given->sync, "fdatasync of writes: none, end, each")
      ->check(CLI::IsMember({"none", "end", "each"}))
      ->capture_default_str();
  app.add_option("--verify", given->verify, "What is read: sectors by their tags, all bytes")
      ->check(CLI::IsMember({"sectors", "all"}))
      ->capture_default_str();
  app.add_option("--seed", disk.seed, "Of content and order")->capture_default_str();
  const auto measured = add_measure_options(app, {"fio"});
  return [given, measured]() -> Result<ExitCode> {
    DiskOptions& options = given->options;
    if (Result<> good = read_duration("--duration", given->duration, options.duration); !good)
      return fail(good.error());
    if (!given->duration.empty() && options.duration.count() == 0)
      return fail({"--duration cannot be 0", "nothing would be done", "leave it out to use each block once"});
    options.pattern = given->pattern == "random" ? DiskPattern::random : DiskPattern::sequential;
    options.operation = given->operation == "write" ? DiskOperation::write : DiskOperation::read;
    options.sync = given->sync == "none"   ? DiskSync::none
                   : given->sync == "each" ? DiskSync::each
                                           : DiskSync::end;
    options.verify_all = given->verify == "all";
    return measure_local(*measured, "disk", options,
                         json_of(options, given->pattern, given->operation, given->sync, given->verify),
                         run_disk, fio_json);
  };
}

Verb::Action compile_options(CLI::App& app) {
  struct Texts {
    CompileOptions options;
    std::string language = "c++";
  };
  auto given = std::make_shared<Texts>();
  app.add_option("--files", given->options.files, "To compile")->capture_default_str();
  app.add_option("--functions", given->options.functions, "In each")->capture_default_str();
  app.add_option("-j,--jobs", given->options.jobs, "Compilers at once")->capture_default_str();
  app.add_option("--language", given->language, "c++: `c++` on PATH; c: `cc`")
      ->check(CLI::IsMember({"c", "c++"}))
      ->capture_default_str();
  app.add_option("--seed", given->options.seed, "Of the sources")->capture_default_str();
  const auto measured = add_measure_options(app);
  return [given, measured]() -> Result<ExitCode> {
    CompileOptions& options = given->options;
    options.language = given->language == "c" ? Language::c : Language::cpp;
    return measure_local(*measured, "compile", options,
                         {{"files", options.files},
                          {"functions", options.functions},
                          {"jobs", options.jobs},
                          {"language", given->language},
                          {"seed", options.seed}},
                         run_compile);
  };
}

}  // namespace

Verb softload_verb() {
  return {"softload", "A background load: a set share of a CPU",
          "vtax workload softload --share 0.3 --threads 2 --duration 1m", softload_options};
}

Verb memory_verb() {
  return {"memory", "Bandwidth of the memory, by STREAM's rules",
          "vtax workload memory --threads 2 --repeat 3,30", memory_options};
}

Verb linpack_verb() {
  return {"linpack", "Linear equations: the classic 100 x 100, or modern sizes",
          "vtax workload linpack --duration 5s\n  vtax workload linpack --size 4000 --precision double",
          linpack_options};
}

Verb disk_verb() {
  return {"disk", "Blocks of a file: sequential or random, cached or direct",
          "vtax workload disk --file /var/tmp/new --size 1GiB --block 64K --operation write\n"
          "  vtax workload disk --file /var/tmp/new --pattern random --block 4K --direct --depth 32 "
          "--duration 10s",
          disk_options};
}

Verb compile_verb() {
  return {"compile", "The machine's compiler over generated sources", "vtax workload compile --jobs 2",
          compile_options};
}

}  // namespace vtax
