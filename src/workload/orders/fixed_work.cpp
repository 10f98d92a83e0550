#include "workload/orders/fixed_work.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "workload/local/disk.h"
#include "workload/local/fixed_compile.h"
#include "workload/local/linpack.h"
#include "workload/local/memory.h"
#include "workload/local/spin.h"

namespace vtax {
namespace {

struct FixedKind {
  std::string_view name;
  FixedWork::Kind kind;
};
constexpr std::array<FixedKind, 5> kFixedKinds{{{"memory", FixedWork::Kind::memory},
                                                {"linpack", FixedWork::Kind::linpack},
                                                {"cpu-loop", FixedWork::Kind::cpu_loop},
                                                {"disk", FixedWork::Kind::disk},
                                                {"compile", FixedWork::Kind::compile}}};

const FixedKind* fixed_kind(std::string_view name) {
  for (const FixedKind& one : kFixedKinds)
    if (one.name == name) return &one;
  return nullptr;
}

Result<> read_amounts(const JsonFields& fields, FixedWork& work) {
  struct Amount {
    const char* key;
    std::uint64_t least, most;
    std::uint64_t* into;
  };
  std::vector<Amount> amounts;
  switch (work.kind) {
    case FixedWork::Kind::memory:
      amounts = {{"array_bytes", 4096, FixedWork::kMostArrayBytes, &work.array_bytes},
                 {"rounds", 2, FixedWork::kMostRounds, &work.rounds}};
      break;
    case FixedWork::Kind::linpack:
      amounts = {{"size", 2, FixedWork::kMostSize, &work.size},
                 {"systems", 1, FixedWork::kMostSystems, &work.systems}};
      break;
    case FixedWork::Kind::cpu_loop:
      amounts = {{"iterations", 1, FixedWork::kMostIterations, &work.iterations}};
      break;
    case FixedWork::Kind::disk:
      amounts = {{"bytes", 512, FixedWork::kMostDiskBytes, &work.bytes},
                 {"block_bytes", 512, FixedWork::kMostBlockBytes, &work.block_bytes}};
      break;
    case FixedWork::Kind::compile:
      amounts = {{"compiles", 1, FixedWork::kMostCompiles, &work.compiles}};
      break;
  }
  for (const Amount& amount : amounts) {
    const auto number = fields.number(amount.key, amount.least, amount.most);
    if (!number) return fail(number.error());
    *amount.into = *number;
  }
  return {};
}

// Which of two words stands there.
Result<> read_either(const JsonFields& fields, const char* key, const char* yes, const char* no,
                     bool& is_yes) {
  const auto text = fields.text(key, 16);
  if (!text) return fail(text.error());
  if (*text != yes && *text != no)
    return fail(fields.bad(fmt::format("'{}' is neither {} nor {}", key, yes, no)));
  is_yes = *text == yes;
  return {};
}

Result<> read_disk(const JsonFields& fields, FixedWork& work) {
  Result<> read = read_either(fields, "operation", "write", "read", work.writes);
  if (read) read = read_either(fields, "pattern", "random", "sequential", work.random);
  if (read) read = read_either(fields, "direct", "on", "off", work.direct);
  if (read) read = read_either(fields, "store", "tmpdir", "memory", work.in_tmpdir);
  if (!read) return read;
  if (work.block_bytes % 512 != 0) return fail(fields.bad("'block_bytes' is no multiple of 512"));
  if (!fields.has("file")) return {};
  auto file = fields.text("file", 4096);
  if (!file) return fail(file.error());
  work.file = std::move(*file);
  return {};
}

Result<> read_compile(const JsonFields& fields, FixedWork& work) {
  auto source = fields.text("source", 64);
  if (!source) return fail(source.error());
  if (!is_source_name(*source)) return fail(fields.bad("'source' is no program's name"));
  work.source = std::move(*source);
  return {};
}

Result<SideReport> run_disk_work(const FixedWork& work, bool window) {
  DiskOptions options;
  options.file = work.file;
  struct stat status {};
  options.existing = options.device = options.fill =
      stat(work.file.c_str(), &status) == 0 && S_ISBLK(status.st_mode);
  options.block = work.block_bytes;
  options.blocks = (work.bytes + work.block_bytes - 1) / work.block_bytes;
  options.size = std::min(options.blocks, FixedWork::kDiskStoreBytes / work.block_bytes) * work.block_bytes;
  options.pattern = work.random ? DiskPattern::random : DiskPattern::sequential;
  options.operation = work.writes ? DiskOperation::write : DiskOperation::read;
  options.direct = work.direct;
  options.window = window;
  auto report = run_disk(options);
  if (report) report->transactions = {};  // its cost is per KB
  return report;
}

}  // namespace

bool is_fixed_work(std::string_view name) {
  return fixed_kind(name) != nullptr;
}

nlohmann::json FixedWork::to_json() const {
  std::string_view name;
  for (const FixedKind& one : kFixedKinds)
    if (one.kind == kind) name = one.name;
  return {{"kind", name},
          {"array_bytes", array_bytes},
          {"rounds", rounds},
          {"size", size},
          {"systems", systems},
          {"precision", single_precision ? "single" : "double"},
          {"iterations", iterations},
          {"bytes", bytes},
          {"block_bytes", block_bytes},
          {"operation", writes ? "write" : "read"},
          {"pattern", random ? "random" : "sequential"},
          {"direct", direct ? "on" : "off"},
          {"store", in_tmpdir ? "tmpdir" : "memory"},
          {"file", file},
          {"compiles", compiles},
          {"source", source}};
}

Result<FixedWork> FixedWork::from(const JsonFields& fields, const char* kind_key) {
  const auto name = fields.text(kind_key, 32);
  if (!name) return fail(name.error());
  const FixedKind* kind = fixed_kind(*name);
  if (kind == nullptr) return fail(fields.bad("'" + std::string(kind_key) + "' is no local workload"));
  FixedWork work;
  work.kind = kind->kind;
  if (Result<> read = read_amounts(fields, work); !read) return fail(read.error());
  if (work.kind == Kind::linpack) {
    const auto precision = fields.text("precision", 16);
    if (!precision) return fail(precision.error());
    if (*precision != "single" && *precision != "double")
      return fail(fields.bad("'precision' is neither single nor double"));
    work.single_precision = *precision == "single";
  }
  if (work.kind == Kind::disk)
    if (Result<> read = read_disk(fields, work); !read) return fail(read.error());
  if (work.kind == Kind::compile)
    if (Result<> read = read_compile(fields, work); !read) return fail(read.error());
  return work;
}

Result<SideReport> run_fixed_work(const FixedWork& work, bool window, const Marking& marking) {
  switch (work.kind) {
    case FixedWork::Kind::memory: {
      MemoryOptions options;
      options.array_bytes = work.array_bytes;
      options.rounds = work.rounds;
      options.stores = Stores::regular;  // `automatic` chooses by the clock
      options.window = window;
      options.marking = marking;
      return run_memory(options);
    }
    case FixedWork::Kind::linpack: {
      LinpackOptions options;
      options.size = work.size;
      options.precision = work.single_precision ? Precision::single_precision : Precision::double_precision;
      options.systems = work.systems;
      options.window = window;
      options.marking = marking;
      return run_linpack(options);
    }
    case FixedWork::Kind::cpu_loop:
      return run_spin({work.iterations, window, marking});
    case FixedWork::Kind::disk:
      return run_disk_work(work, window);
    case FixedWork::Kind::compile:
      return run_fixed_compile({kLabCompilerFolder, work.source, work.compiles, window});
  }
  return fail(Error{"do local work", "its kind is not known", "", ExitCode::usage});
}

}  // namespace vtax
