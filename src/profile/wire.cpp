#include "profile/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/readable.h"

namespace vtax::profile {
namespace {

constexpr std::size_t kLongestText = 600, kMostNotes = 16, kMostBuildIds = 2'000;
constexpr std::uint64_t kMostPeriod = 1'000'000'000'000, kMostDuration = 86'400'000'000'000;
constexpr std::pair<const char*, Mode> kModes[] = {{"kernel", Mode::kernel},
                                                   {"user", Mode::user},
                                                   {"hypervisor", Mode::hypervisor},
                                                   {"guest kernel", Mode::guest_kernel},
                                                   {"guest user", Mode::guest_user}};
constexpr const char* kIdleMode = "idle";

std::string mode_name(const Row& row) {
  if (row.idle) return kIdleMode;
  for (const auto& [name, mode] : kModes)
    if (mode == row.mode) return row.in_softirq ? std::string(name) + " softirq" : name;
  return "";
}

bool take_mode(std::string text, Row& row) {
  constexpr std::string_view kSoftirq = " softirq";
  row.idle = text == kIdleMode;
  if (row.idle) {
    row.mode = Mode::kernel;
    return true;
  }
  row.in_softirq = text.ends_with(kSoftirq);
  if (row.in_softirq) text.resize(text.size() - kSoftirq.size());
  for (const auto& [name, mode] : kModes)
    if (text == name) {
      row.mode = mode;
      return true;
    }
  return false;
}

std::optional<std::string> text_of(const nlohmann::json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty() || text.size() > kLongestText || !is_text(text)) return std::nullopt;
  return printable(text, kLongestText);
}

}  // namespace

nlohmann::json order_message(const MonitorOptions& options) {
  return {{"order", "profile"},
          {"event", std::string(name(options.event))},
          {"hz", options.hz},
          {"period", options.period},
          {"duration_ns", options.duration.count()},
          {"most_cost_ppm", std::llround(options.most_cost * 1e6)}};
}

Result<MonitorOptions> read_order(const JsonFields& message) {
  const auto order = message.text("order", 32), event = message.text("event", 32);
  const auto hz = message.number("hz", 1, 100'000);
  const auto period = message.number("period", 0, kMostPeriod);
  const auto duration = message.number("duration_ns", 1, kMostDuration);
  const auto cost = message.number("most_cost_ppm", 1, 1'000'000);
  for (const auto* one : {&order, &event})
    if (!*one) return fail(one->error());
  for (const auto* one : {&hz, &period, &duration, &cost})
    if (!*one) return fail(one->error());
  const auto known = event_named(*event);
  if (*order != "profile" || !known) return fail(message.bad("it is no order to profile"));
  if (*known != Event::cpu_clock && *period == 0) return fail(message.bad("its period is zero"));
  MonitorOptions options;
  options.event = *known;
  options.hz = *hz;
  options.period = *period;
  options.duration = std::chrono::nanoseconds(*duration);
  options.most_cost = static_cast<double>(*cost) / 1e6;
  return options;
}

std::vector<nlohmann::json> messages_of(const MonitorProfile& profile) {
  nlohmann::json head = {{"state", "profile"},
                         {"samples", profile.samples},
                         {"lost", profile.lost},
                         {"duration_ns", profile.duration.count()},
                         {"own_ns", profile.own_time.count()},
                         {"cost_ns", profile.sample_cost.count()},
                         {"notes", nlohmann::json::array()},
                         {"build_ids", nlohmann::json::array()}};
  for (std::size_t i = 0; i < std::min(profile.notes.size(), kMostNotes); ++i)
    head["notes"].push_back(profile.notes[i]);
  for (const auto& [image, id] : profile.build_ids)
    if (head["build_ids"].size() < kMostBuildIds) head["build_ids"].push_back({image, id});
  std::vector<nlohmann::json> all{std::move(head)};
  std::vector<std::uint32_t> numbers(profile.frames.size(), 0);  // on the wire, from 1
  std::uint32_t sent = 0;
  std::size_t bytes = 0;
  constexpr std::size_t kMostBytes = JsonFields::kMostBytes / 4;
  for (const Row& row : profile.rows) {
    if (all.size() == 1 || bytes > kMostBytes) {
      all.push_back(
          {{"state", "rows"}, {"frames", nlohmann::json::array()}, {"rows", nlohmann::json::array()}});
      bytes = 0;
    }
    nlohmann::json line = {row.name, mode_name(row), row.samples};
    for (const std::uint32_t frame : row.frames) {
      if (numbers[frame] == 0) {
        numbers[frame] = ++sent;
        const Function& function = profile.frames[frame];
        all.back()["frames"].push_back({function.image, function.name});
        bytes += function.image.size() + function.name.size() + 10;
      }
      line.push_back(numbers[frame] - 1);
    }
    bytes += row.name.size() + 32 + 8 * row.frames.size();
    all.back()["rows"].push_back(std::move(line));
  }
  all.push_back({{"state", "end"}});
  return all;
}

Receiving::Receiving(const Bounds& bounds) : bounds_(bounds) {
  made_.event = bounds.event;
  made_.period = bounds.period;
  made_.cpus = bounds.cpus;
}

Result<bool> Receiving::take(const JsonFields& message) {
  if (++messages_ > kMostMessages) return fail(message.bad("it sends more than a profile can be"));
  const auto state = message.text("state", 32);
  if (!state) return fail(state.error());
  if (*state == "failed") {
    const auto why = message.text("why", kLongestText);
    return fail(message.bad(why ? printable(*why, kLongestText) : "it failed"));
  }
  if (*state == "profile" && !has_head_) {
    has_head_ = true;
    if (auto taken = take_head(message); !taken) return fail(taken.error());
    return false;
  }
  if (*state == "rows" && has_head_) {
    if (auto taken = take_rows(message); !taken) return fail(taken.error());
    return false;
  }
  if (*state != "end" || !has_head_) return fail(message.bad("it says what has no place there"));
  if (counted_ != made_.samples)
    return fail(message.bad(
        fmt::format("it has {} samples where it said that there are {}", counted_, made_.samples)));
  return true;
}

Result<> Receiving::take_head(const JsonFields& message) {
  // Its clock and this one do not stop at the same moment.
  const auto longest = bounds_.duration + bounds_.duration / 50 + std::chrono::milliseconds(100);
  const std::uint64_t most = most_samples(bounds_.event, bounds_.period, bounds_.cpus, longest);
  const auto samples = message.number("samples", 0, std::uint64_t{1} << 62);
  const auto lost = message.number("lost", 0, std::uint64_t{1} << 62);
  const auto duration = message.number("duration_ns", 1, kMostDuration);
  const auto own = message.number("own_ns", 0, kMostDuration);
  const auto cost = message.number("cost_ns", 0, 1'000'000'000);
  for (const auto* one : {&samples, &lost, &duration, &own, &cost})
    if (!*one) return fail(one->error());
  if (*samples > most)
    return fail(message.bad(fmt::format("it says {} samples, and its {} CPUs can give {} in the time",
                                        *samples, bounds_.cpus, most)));
  made_.samples = *samples;
  made_.lost = std::min(*lost, most);
  // The time is this side's: a longer one would make the guest seem less busy.
  made_.duration = std::min(std::chrono::nanoseconds(*duration), longest);
  if (made_.duration < bounds_.duration / 2)
    return fail(message.bad(fmt::format("it sampled for {} ns alone", *duration)));
  made_.own_time = std::chrono::nanoseconds(*own);
  made_.sample_cost = std::chrono::nanoseconds(*cost);
  const auto notes = message.array("notes", kMostNotes);
  const auto ids = message.array("build_ids", kMostBuildIds);
  if (!notes) return fail(notes.error());
  if (!ids) return fail(ids.error());
  for (const auto& note : *notes) {
    const auto text = text_of(note);
    if (!text) return fail(message.bad("a note is no text"));
    made_.notes.push_back(*text);
  }
  for (const auto& pair : *ids) {
    if (!pair.is_array() || pair.size() != 2) return fail(message.bad("a build id is no pair"));
    const auto image = text_of(pair[0]), id = text_of(pair[1]);
    if (!image || !id || id->find_first_not_of("0123456789abcdef") != std::string::npos)
      return fail(message.bad("a build id is no text"));
    made_.build_ids[*image] = *id;
  }
  return {};
}

Result<> Receiving::take_rows(const JsonFields& message) {
  const auto frames = message.array("frames", kMostFrames - made_.frames.size());
  const auto rows = message.array("rows", kMostRows - made_.rows.size());
  if (!frames) return fail(frames.error());
  if (!rows) return fail(rows.error());
  for (const auto& pair : *frames) {
    if (!pair.is_array() || pair.size() != 2) return fail(message.bad("a frame is no pair"));
    const auto image = text_of(pair[0]), function = text_of(pair[1]);
    if (!image || !function) return fail(message.bad("a frame's name is no text"));
    made_.frames.push_back({*image, *function});
  }
  for (const auto& line : *rows) {
    constexpr std::size_t kBeforeFrames = 3;
    if (!line.is_array() || line.size() <= kBeforeFrames ||
        line.size() > kBeforeFrames + 2 * std::size_t{kLongestStack} || !line[1].is_string() ||
        !line[2].is_number_unsigned())
      return fail(message.bad("a row is none"));
    Row row;
    const auto process = text_of(line[0]);
    if (!process || !take_mode(line[1].get<std::string>(), row)) return fail(message.bad("a row is none"));
    row.name = *process;
    row.samples = line[2].get<std::uint64_t>();
    if (row.samples == 0 || row.samples > made_.samples - counted_)
      return fail(message.bad("a row has more samples than there are, or none"));
    counted_ += row.samples;
    for (std::size_t i = kBeforeFrames; i < line.size(); ++i) {
      if (!line[i].is_number_unsigned() || line[i].get<std::uint64_t>() >= made_.frames.size())
        return fail(message.bad("a row names a frame that is not there"));
      row.frames.push_back(line[i].get<std::uint32_t>());
    }
    made_.rows.push_back(std::move(row));
  }
  return {};
}

}  // namespace vtax::profile
