#include "cli/begun_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/input_file.h"
#include "core/readable.h"
#include "query/simulated.h"
#include "record/run_header.h"
#include "record/run_reader.h"
#include "study/catalogue.h"
#include "study/find_study.h"
#include "study/speed.h"

namespace vtax {
namespace {

// As SQLite's files begin, which run files are. Nothing: no such file, an empty one, or none that can be
// read.
std::optional<bool> begins_as_database(const std::filesystem::path& file) {
  constexpr std::string_view kBegin("SQLite format 3\0", 16);
  const auto in = open_regular(file, "");
  if (!in) return std::nullopt;
  const auto begin = read_up_to(*in, kBegin.size(), "");
  if (!begin || begin->empty()) return std::nullopt;
  return *begin == kBegin;
}

}  // namespace

bool is_run_file(const RunOptions& options) {
  if (!options.resume) return false;
  if (const auto is_database = begins_as_database(options.study)) return *is_database;
  return std::string_view(options.study).ends_with(".vtax");
}

Result<Study> take_from_run_file(RunOptions& options) {
  const Error error{fmt::format("cannot go on with {}", printable(options.study, 200)), "", "",
                    ExitCode::usage};
  const bool is_alone = options.set.empty() && options.machine.empty() && !options.repetitions &&
                        options.out.empty() && options.vary.empty() && options.shard.empty() &&
                        !options.quick && options.own.kernel.empty() && options.own.modules.empty() &&
                        options.own.xen.empty();
  if (!is_alone)
    return fail({error.what, "a run file has settings of its own",
                 "leave the other options out but --jobs and --json, or name the study", error.code});
  auto reader = RunReader::open(options.study);
  if (!reader) return fail(reader.error());
  const Run& header = reader->header();
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  const auto asked = settings.is_object() ? settings.value(kAskedFor, nlohmann::json()) : nlohmann::json();
  if (is_simulated(header))
    return fail({error.what, "`vtax simulate` made it, which keeps no part of a run",
                 "run `vtax simulate` again: the same seed gives the same trials", error.code});
  if (!asked.is_object())
    return fail({error.what, "it does not say how it was begun: an older vtax began it",
                 "give the study and the same options as then, with --resume", error.code});
  const auto text = [](const nlohmann::json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const nlohmann::json& one : asked.value("set", nlohmann::json::array()))
    if (one.is_string()) options.set.push_back(one.get<std::string>());
  options.machine = text(asked, "machine");
  const auto repetitions = asked.find("repetitions");
  if (repetitions != asked.end() && repetitions->is_number_integer())
    options.repetitions =
        static_cast<int>(std::clamp<std::int64_t>(repetitions->get<std::int64_t>(), 0, INT_MAX));
  options.vary = text(settings, "vary");
  options.shard = text(settings, kShard);
  options.quick = settings.value("quick", nlohmann::json()) == nlohmann::json(true);
  options.own = {text(settings, "kernel"), text(settings, "modules"), text(settings, "xen")};
  options.out = options.study;
  return parse_study(header.study_source, header.study);
}

nlohmann::json asked_for(const RunOptions& options) {
  nlohmann::json asked = {{"set", options.set}, {"machine", options.machine}};
  if (options.repetitions) asked["repetitions"] = *options.repetitions;
  return asked;
}

bool take_speed(Study& study, const RunOptions& options, const std::filesystem::path& out) {
  if (!study.speed) return false;
  const auto reader = RunReader::open(out);
  if (!reader || reader->header().study_source != study.source) return false;
  const auto settings = nlohmann::json::parse(reader->header().settings, nullptr, false);
  if (!settings.is_object() || settings.value("speed", nlohmann::json()) != to_json(*study.speed) ||
      settings.value(kAskedFor, nlohmann::json()) != asked_for(options))
    return false;
  const auto factors = settings.value("factors", nlohmann::json());
  FactorValues found;
  for (const char* name : {"cpu_mips", "link_mbps"}) {
    const auto values = factors.find(name);
    if (values == factors.end() || !values->is_array() || values->size() != 1 || !values->front().is_string())
      return false;
    const auto value =
        canonical(*find_factor(common_factors(), name), values->front().get_ref<const std::string&>());
    if (!value) return false;
    found[name] = {*value};
  }
  for (auto& [name, values] : found) study.factors[name] = std::move(values);
  return true;
}

}  // namespace vtax
