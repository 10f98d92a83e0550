#include "advise/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "advise/server.h"
#include "core/readable.h"
#include "core/text_table.h"

namespace vtax::advise {
namespace {

constexpr int kMostGuests = 1000;
constexpr double kMostTimes = 1000;

template <class Number>
std::optional<Number> parsed(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

double ns(std::uint64_t value) {
  return static_cast<double>(value);
}

// Of one reading, after the change.
struct WorkTime {
  double own = 0, caused = 0;  // ns
};

WorkTime work_of(const watch::GuestUse& guest) {
  return {ns(guest.own_ns), ns(guest.caused.total())};
}

double times_of(const std::vector<Change>& changes, const std::string& guest) {
  double times = 1;
  for (const Change& change : changes)
    if (change.guest.empty() || change.guest == guest) times *= change.times;
  return times;
}

// Work of the guests that come, as those that they are like do it after the change.
WorkTime added(const std::vector<Change>& changes, const watch::Reading& reading) {
  WorkTime sum;
  for (const Change& change : changes) {
    if (change.more_guests == 0) continue;
    WorkTime like;
    double alike = 0;
    for (const watch::GuestUse& guest : reading.guests) {
      if (!change.guest.empty() && guest.name != change.guest) continue;
      const double times = times_of(changes, guest.name);
      like.own += work_of(guest).own * times;
      like.caused += work_of(guest).caused * times;
      ++alike;
    }
    if (alike == 0) continue;
    sum.own += like.own / alike * change.more_guests;
    sum.caused += like.caused / alike * change.more_guests;
  }
  return sum;
}

}  // namespace

Result<Change> change_of(std::string_view text) {
  const std::string what = "cannot use --what-if " + printable(text);
  const std::string next = "for example guests=+1, guests=+2:web, rate=1.5, rate=2:web";
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return fail({what, "it has no '='", next});
  const std::string_view key = text.substr(0, equals);
  std::string_view value = text.substr(equals + 1);
  Change change;
  if (const auto colon = value.find(':'); colon != std::string_view::npos) {
    change.guest = std::string(value.substr(colon + 1));
    value = value.substr(0, colon);
    if (change.guest.empty()) return fail({what, "it names no guest behind the ':'", next});
  }
  if (key == "guests") {
    const auto count = value.starts_with('+') ? parsed<int>(value.substr(1)) : std::nullopt;
    if (!count || *count < 1 || *count > kMostGuests)
      return fail({what, fmt::format("guests that come are +1 to +{}", kMostGuests), next});
    change.more_guests = *count;
    return change;
  }
  if (key != "rate") return fail({what, fmt::format("nothing is called '{}'", printable(key)), next});
  const auto times = parsed<double>(value);
  if (!times || !(*times > 0 && *times <= kMostTimes))
    return fail(
        {what, fmt::format("a rate is so many times what it is now, above 0 to {}", kMostTimes), next});
  change.times = *times;
  return change;
}

void WhatIfReadings::add_station(const std::string& name, double before, double fixed, double scaled) {
  auto station =
      std::find_if(stations_.begin(), stations_.end(), [&](const Station& one) { return one.name == name; });
  if (station == stations_.end()) station = stations_.insert(stations_.end(), Station{name});
  station->before += before;
  station->fixed += fixed;
  station->scaled += scaled;
  station->after.push_back(fixed + scaled);
}

void WhatIfReadings::add(const watch::Reading& reading) {
  ++readings_;
  for (const std::string& sentence : reading.missing)
    if (std::find(missing_.begin(), missing_.end(), sentence) == missing_.end()) missing_.push_back(sentence);
  WorkTime before, after = added(changes_, reading);
  const double interval = ns(static_cast<std::uint64_t>(reading.interval.count()));
  for (const watch::GuestUse& guest : reading.guests) {
    if (std::find(guests_.begin(), guests_.end(), guest.name) == guests_.end()) guests_.push_back(guest.name);
    const WorkTime work = work_of(guest);
    const double times = times_of(changes_, guest.name);
    before.own += work.own;
    before.caused += work.caused;
    after.own += work.own * times;
    after.caused += work.caused * times;
    if (guest.virtual_cpus.empty()) continue;
    const double all = interval * static_cast<double>(guest.virtual_cpus.size());
    add_station("virtual CPUs of " + guest.name, work.own / all, 0, work.own * times / all);
  }
  // Work for guests of which it is not known for which grows as theirs does.
  const double grows = before.caused > 0 ? after.caused / before.caused : 1;
  const auto fixed_of = [](const watch::OtherTime& other) {
    return ns(other.driver_ns) + ns(other.elsewhere_ns) + ns(other.vtax_ns) + ns(other.stolen_ns);
  };
  if (reading.all_cpus_ns > 0) {
    const double all = ns(reading.all_cpus_ns), fixed = fixed_of(reading.other),
                 uncharged = ns(reading.other.uncharged_ns);
    add_station("all CPUs", (before.own + before.caused + fixed + uncharged) / all, fixed / all,
                (after.own + after.caused + uncharged * grows) / all);
  }
  for (const watch::CpuUse& cpu : reading.cpus) {
    const double hosts = ns(cpu.caused_ns) + ns(cpu.other.uncharged_ns), fixed = fixed_of(cpu.other);
    if (hosts == 0) continue;
    add_station(fmt::format("CPU {}, by the host's work", cpu.number), (hosts + fixed) / interval,
                fixed / interval, hosts * grows / interval);
  }
}

Result<WhatIf> WhatIfReadings::take() const {
  const std::string what = "cannot say what would be";
  if (readings_ == 0)
    return fail({what, "the recording has no reading", "let `vtax top --out FILE` run longer"});
  if (guests_.empty())
    return fail({what, "the recording has no guest", "record a computer while its guests work"});
  for (const Change& change : changes_)
    if (!change.guest.empty() && std::find(guests_.begin(), guests_.end(), change.guest) == guests_.end())
      return fail(
          {what, fmt::format("no guest is called '{}'", printable(change.guest)),
           fmt::format("its guests: {}", printable(fmt::format("{}", fmt::join(guests_, ", ")), 200))});
  WhatIf result;
  result.readings = readings_;
  result.missing = missing_;
  for (const Station& station : stations_) {
    const auto count = static_cast<double>(station.after.size());
    std::vector<double> sorted = station.after;
    std::sort(sorted.begin(), sorted.end());
    constexpr double kOften = 0.9;
    const auto rank = static_cast<std::size_t>(std::ceil(kOften * count)) - 1;
    const double fixed = station.fixed / count, scaled = station.scaled / count;
    result.limits.push_back({station.name, station.before / count, fixed + scaled, sorted[rank],
                             scaled > 0 ? std::max(0.0, (1 - fixed) / scaled) : 0});
  }
  std::stable_sort(result.limits.begin(), result.limits.end(),
                   [](const Limit& a, const Limit& b) { return a.after > b.after; });
  return result;
}

void write_what_if(const WhatIf& result, const std::vector<std::string>& changes, std::ostream& out) {
  constexpr std::size_t kMostLines = 15;
  print_wrapped(
      out, "",
      fmt::format("With {}, by the utilisation law from {} readings: an estimate. Work grows as the "
                  "rate does; the host's work stays on its CPUs.",
                  printable(fmt::format("{}", fmt::join(changes, " and ")), 300), result.readings));
  out << "\n";
  TextTable table({"busy", "now", "then", "9 of 10 below", "full at x"});
  for (std::size_t i = 0; i < std::min(kMostLines, result.limits.size()); ++i) {
    const Limit& limit = result.limits[i];
    table.add({printable(limit.name, 40), fmt::format("{:.1f} %", kPercent * limit.before),
               fmt::format("{:.1f} %", kPercent * limit.after),
               fmt::format("{:.1f} %", kPercent * limit.after_often),
               limit.room > 0 ? readable(limit.room) : "-"});
  }
  table.print(out);
  if (result.limits.size() > kMostLines)
    out << fmt::format("and {} more\n", result.limits.size() - kMostLines);
  out << "\n";
  if (!result.limits.empty()) {
    const Limit& first = *std::min_element(
        result.limits.begin(), result.limits.end(),
        [](const Limit& a, const Limit& b) { return a.room > 0 && (b.room == 0 || a.room < b.room); });
    print_wrapped(out, "",
                  first.after > 1
                      ? fmt::format("It cannot carry that: {} would be {:.0f} % busy.", printable(first.name),
                                    kPercent * first.after)
                      : fmt::format("The first limit: {}, at {} times the rates that it then has.",
                                    printable(first.name), readable(first.room)));
  }
  for (const std::string& sentence : result.missing)
    print_wrapped(out, "missing: ", printable_lines(sentence));
}

void write_what_if_json(const WhatIf& result, std::ostream& out) {
  nlohmann::json json{{"schema", 1},
                      {"readings", result.readings},
                      {"limits", nlohmann::json::array()},
                      {"missing", result.missing}};
  for (const Limit& limit : result.limits)
    json["limits"].push_back(
        {{"name", limit.name},
         {"before", limit.before},
         {"after", limit.after},
         {"after_nine_of_ten", limit.after_often},
         {"full_at_times", limit.room > 0 ? nlohmann::json(limit.room) : nlohmann::json()}});
  out << json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace vtax::advise
