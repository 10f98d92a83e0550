#include "platform/fixed_work.h"

#include <array>

#include "workload/local/linpack.h"
#include "workload/local/memory.h"
#include "workload/local/spin.h"

namespace vtax {
namespace {

struct FixedKind {
  std::string_view name;
  FixedWork::Kind kind;
};
constexpr std::array<FixedKind, 3> fixed_kinds{{{"memory", FixedWork::Kind::memory},
                                                {"linpack", FixedWork::Kind::linpack},
                                                {"cpu-loop", FixedWork::Kind::cpu_loop}}};

const FixedKind* fixed_kind(std::string_view name) {
  for (const FixedKind& one : fixed_kinds)
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
      amounts = {{"array_bytes", 4096, FixedWork::most_array_bytes, &work.array_bytes},
                 {"rounds", 2, FixedWork::most_rounds, &work.rounds}};
      break;
    case FixedWork::Kind::linpack:
      amounts = {{"size", 2, FixedWork::most_size, &work.size},
                 {"systems", 1, FixedWork::most_systems, &work.systems}};
      break;
    case FixedWork::Kind::cpu_loop:
      amounts = {{"iterations", 1, FixedWork::most_iterations, &work.iterations}};
      break;
  }
  for (const Amount& amount : amounts) {
    const auto number = fields.number(amount.key, amount.least, amount.most);
    if (!number) return fail(number.error());
    *amount.into = *number;
  }
  return {};
}

}  // namespace

bool is_fixed_work(std::string_view name) {
  return fixed_kind(name) != nullptr;
}

nlohmann::json FixedWork::to_json() const {
  std::string_view name;
  for (const FixedKind& one : fixed_kinds)
    if (one.kind == kind) name = one.name;
  return {{"kind", name},
          {"array_bytes", array_bytes},
          {"rounds", rounds},
          {"size", size},
          {"systems", systems},
          {"precision", single_precision ? "single" : "double"},
          {"iterations", iterations}};
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
  }
  return fail(Error{"do local work", "its kind is not known", "", ExitCode::usage});
}

}  // namespace vtax
