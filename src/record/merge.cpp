#include "record/merge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/descriptor.h"
#include "core/readable.h"
#include "core/sha256.h"
#include "core/shard.h"
#include "record/run_header.h"
#include "record/run_reader.h"
#include "record/run_writer.h"
#include "record/unfinished_run.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

struct MergeSource {
  fs::path file;
  Run header;
  std::uint64_t trials = 0;
};

std::string shown(const fs::path& file) {
  return printable(file.string(), 200);
}

Result<MergeSource> open_source(const fs::path& file) {
  auto reader = RunReader::open(file);
  if (!reader) return fail(reader.error());
  return MergeSource{file, reader->header()};
}

bool is_of_host(const Run& header) {
  return nlohmann::json::parse(header.settings).value("machine", nlohmann::json()) == "host";
}

// "" where the two may become one run.
std::string differences(const MergeSource& a, const MergeSource& b) {
  const TwoRuns names{shown(a.file) + " has", shown(b.file)};
  std::string found = merge_differences(a.header, b.header, names);
  if (!found.empty()) return found;
  found = made_from_differences(made_from(a.header).value_or(""), made_from(b.header).value_or(""), names);
  if (!found.empty()) return found;
  // Times of two computers are no repetitions of each other.
  return is_of_host(a.header) ? made_from_differences(a.header.machine, b.header.machine, names) : "";
}

Result<std::vector<MergeSource>> open_sources(const std::vector<fs::path>& files, const std::string& what) {
  std::vector<MergeSource> parts;
  for (const fs::path& file : files) {
    auto part = open_source(file);
    if (!part) return fail(part.error());
    if (!made_from(part->header))
      return fail(
          {what,
           fmt::format("{} does not say what it was made from: it holds no trial, was simulated, or an older "
                       "vtax made it",
                       shown(file)),
           "run it again, or leave it out"});
    if (!parts.empty())
      if (const std::string found = differences(parts.front(), *part); !found.empty())
        return fail({what, "the files do not belong together; " + found,
                     "merge what one vtax made of one study, from the same kernel and packages"});
    parts.push_back(std::move(*part));
  }
  if (parts.empty()) return fail({what, "there are no files to merge", ""});
  constexpr std::uint64_t kMostTrials = 1'000'000;
  if (parts.front().header.planned_trials > kMostTrials)
    return fail({what, fmt::format("{} claims more trials than a plan can have", shown(files.front())), "",
                 ExitCode::io});
  return parts;
}

// One process would have begun when the first of them did.
Run header_of(const std::vector<MergeSource>& parts) {
  Run header = parts.front().header;
  for (const MergeSource& part : parts)
    header.started_utc = std::min(header.started_utc, part.header.started_utc);
  auto settings = nlohmann::json::parse(header.settings);
  nlohmann::json sources = nlohmann::json::array();
  for (const MergeSource& part : parts) {
    const auto own = nlohmann::json::parse(part.header.settings);
    if (const auto earlier = own.find(kMergedFrom); earlier != own.end() && earlier->is_array()) {
      sources.insert(sources.end(), earlier->begin(), earlier->end());
      continue;
    }
    sources.push_back({{"file", part.file.filename().string()},
                       {"shard", own.value(kShard, nlohmann::json("0/1"))},
                       {"started_utc", part.header.started_utc},
                       {"trials", part.trials},
                       {"machine", nlohmann::json::parse(part.header.machine)}});
  }
  settings.erase(kShard);
  settings[kMergedFrom] = std::move(sources);
  header.settings = settings.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return header;
}

struct Known {
  std::string digest;  // "" of one that failed
  std::size_t file = 0;
};

Error contradiction(const std::string& what, const Trial& trial, const fs::path& a, const fs::path& b) {
  return {
      what,
      fmt::format("trial {} ended differently in {} and in {}", number_of(trial.index), shown(a), shown(b)),
      "equal trials of one build count the same: find out which computer counts otherwise (`vtax compare`)",
      ExitCode::io};
}

// Which file has each trial's best result.
Result<std::map<std::uint64_t, Known>> survey(std::vector<MergeSource>& parts, const std::string& what) {
  std::map<std::uint64_t, Known> known;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto reader = RunReader::open(parts[i].file);
    if (!reader) return fail(reader.error());
    const auto read = reader->for_each(RunReader::Detail::costs, [&](const Trial& trial) -> Result<> {
      ++parts[i].trials;
      if (trial.index >= parts[i].header.planned_trials)
        return fail({what, fmt::format("{} has a trial that is not in its plan", shown(parts[i].file)), "",
                     ExitCode::io});
      const std::string digest = trial.error.empty() ? trial.digest : "";
      const auto [found, is_new] = known.emplace(trial.index, Known{digest, i});
      if (is_new || digest.empty()) return {};
      if (found->second.digest.empty())
        found->second = {digest, i};
      else if (found->second.digest != digest)
        return fail(contradiction(what, trial, parts[found->second.file].file, parts[i].file));
      return {};
    });
    if (!read) return fail(read.error());
  }
  return known;
}

Result<> copy(const std::vector<MergeSource>& parts, const std::map<std::uint64_t, Known>& known,
              RunWriter& writer) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto reader = RunReader::open(parts[i].file);
    if (!reader) return fail(reader.error());
    const auto is_chosen = [&](const Trial& trial) {
      const auto found = known.find(trial.index);
      return found != known.end() && found->second.file == i;
    };
    const auto copied = reader->for_each(RunReader::Detail::all, is_chosen,
                                         [&](const Trial& trial) { return writer.append(trial); });
    if (!copied) return copied;
  }
  return {};
}

Result<> write(const std::vector<MergeSource>& parts, const std::map<std::uint64_t, Known>& known,
               const fs::path& file) {
  auto writer = RunWriter::create(file, header_of(parts));
  if (!writer) return fail(writer.error());
  if (auto set = writer->count_as_a_whole(); !set) return set;
  auto copied = copy(parts, known, *writer);
  writer->close();
  if (!copied) return copied;
  const Descriptor written(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!written.valid() || ::fsync(written.get()) != 0)
    return fail(system_error("cannot write run file " + shown(file), errno));
  return {};
}

Merged summary_of(const std::map<std::uint64_t, Known>& known, std::uint64_t planned) {
  Merged merged;
  merged.planned = planned;
  Sha256 digest;
  for (const auto& [index, trial] : known) {
    if (trial.digest.empty())
      ++merged.failed;
    else
      ++merged.finished;
    digest.add(trial.digest);
  }
  for (std::uint64_t index = 0; index < planned; ++index)
    if (!known.contains(index)) merged.missing.push_back(index);
  merged.digest = digest.hex();
  return merged;
}

// The shares of which no file was given, where the files are shares.
std::string missing_shares(const std::vector<MergeSource>& parts) {
  std::optional<std::uint64_t> of;
  std::vector<bool> has;
  for (const MergeSource& part : parts) {
    const auto shard = nlohmann::json::parse(part.header.settings).value(kShard, nlohmann::json());
    const auto share = parse_shard(shard.is_string() ? shard.get<std::string>() : "");
    if (!share || share->of > part.header.planned_trials || (of && *of != share->of)) return "";
    of = share->of;
    has.resize(share->of);
    has[share->number] = true;
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < has.size(); ++i)
    if (!has[i]) missing.push_back(fmt::format("{}/{}", i, has.size()));
  constexpr std::size_t kShownAtMost = 10;
  const std::size_t more = missing.size() > kShownAtMost ? missing.size() - kShownAtMost : 0;
  missing.resize(missing.size() - more);
  if (missing.empty()) return "";
  return fmt::format("; no file of share {}{}", fmt::join(missing, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

std::string places_text(const std::vector<std::uint64_t>& ascending, std::size_t most) {
  std::vector<std::string> ranges;
  for (std::size_t begin = 0, end = 0; begin < ascending.size(); begin = end) {
    for (end = begin + 1; end < ascending.size() && ascending[end] == ascending[end - 1] + 1;) ++end;
    const std::uint64_t first = number_of(ascending[begin]), last = number_of(ascending[end - 1]);
    ranges.push_back(first == last ? std::to_string(first) : fmt::format("{} to {}", first, last));
  }
  const bool is_cut = ranges.size() > most;
  if (is_cut) ranges.resize(most);
  return fmt::format("{}{}", fmt::join(ranges, ", "), is_cut ? ", ..." : "");
}

Result<Merged> merge_runs(const std::vector<fs::path>& files, const fs::path& out, Incomplete incomplete) {
  const std::string what = fmt::format("cannot merge into {}", shown(out));
  std::error_code ignored;
  if (fs::symlink_status(out, ignored).type() != fs::file_type::not_found)
    return fail({what, "it is there already", "name another file by --out, or remove it"});
  auto parts = open_sources(files, what);
  if (!parts) return fail(parts.error());
  const auto known = survey(*parts, what);
  if (!known) return fail(known.error());
  Merged merged = summary_of(*known, parts->front().header.planned_trials);
  if (!merged.missing.empty() && incomplete == Incomplete::refused)
    return fail({what,
                 fmt::format("{} of {} trials are missing ({}){}", merged.missing.size(), merged.planned,
                             places_text(merged.missing), missing_shares(*parts)),
                 "give their files too, or --partial to go on without them", ExitCode::trial_failed});
  const fs::path beside = out.string() + ".partial";
  fs::remove(beside, ignored);
  const UnfinishedRun unfinished(beside);
  if (auto written = write(*parts, *known, beside); !written) return fail(written.error());
  std::error_code error;
  fs::rename(beside, out, error);
  if (error) return fail(system_error(what, error.value()));
  return merged;
}

}  // namespace vtax
