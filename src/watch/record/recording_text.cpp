#include "watch/record/recording_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/readable.h"
#include "core/text_table.h"
#include "watch/show/figures.h"
#include "watch/show/history.h"

namespace vtax::watch {
namespace {

constexpr std::size_t kNameWidth = 20;

double share_of(std::uint64_t cpu_ns, std::uint64_t ns) {
  return ns == 0 ? 0 : percent(cpu_ns, std::chrono::nanoseconds(ns));
}

std::string seconds_brief(std::uint64_t ns) {
  return fmt::format("{:.2f}", static_cast<double>(ns) / 1e9);
}

std::string known_count(const std::optional<std::uint64_t>& value) {
  return value ? short_count(static_cast<double>(*value)) : "-";
}

std::string known_bytes(const std::optional<std::uint64_t>& value) {
  return value ? short_bytes(static_cast<double>(*value)) : "-";
}

std::string minute(std::chrono::system_clock::time_point at) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

std::vector<std::pair<std::string, std::uint64_t>> parts_of(const std::string& driver, const OtherTime& o) {
  return {{fmt::format("driver ({})", narrow(driver, 12)), o.driver_ns},
          {"uncharged", o.uncharged_ns},
          {"elsewhere", o.elsewhere_ns},
          {"vtax", o.vtax_ns},
          {"stolen", o.stolen_ns},
          {"idle", o.idle_ns}};
}

std::vector<std::pair<std::string, const GuestTotals*>> by_cost(const RecordingSummary& summary) {
  std::vector<std::pair<std::string, const GuestTotals*>> out;
  for (const auto& [name, totals] : summary.guests) out.emplace_back(name, &totals);
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.second->own_ns + a.second->caused_ns > b.second->own_ns + b.second->caused_ns;
  });
  return out;
}

void write_totals(const RecordingSummary& summary, std::ostream& out) {
  TextTable table(
      {"guest", "kind", "own s", "caused s", "sum %", "most %", "wait s", "exits", "packets", "net", "disk"});
  std::uint64_t sum = 0;
  for (const auto& [name, totals] : by_cost(summary)) {
    const std::uint64_t cost = totals->own_ns + totals->caused_ns;
    sum += cost;
    const auto kind = totals->kind == GuestKind::container ? "cont" : kind_name(totals->kind);
    table.add({narrow(name, kNameWidth), std::string(kind), seconds_brief(totals->own_ns),
               seconds_brief(totals->caused_ns), long_percent(share_of(cost, summary.read_ns)),
               long_percent(totals->most_percent),
               totals->waiting_ns ? seconds_brief(*totals->waiting_ns) : "-", known_count(totals->exits),
               known_count(totals->packets), known_bytes(totals->network_bytes),
               known_bytes(totals->disk_bytes)});
  }
  for (const auto& [name, ns] : parts_of(summary.driver, summary.other)) {
    sum += ns;
    table.add({name, "", seconds_brief(ns), "", long_percent(share_of(ns, summary.read_ns))});
  }
  table.print(out);
  if (summary.wrong_readings > 0)
    out << fmt::format("The rows of {} readings do not add up to all CPUs' time.\n", summary.wrong_readings);
  else
    out << fmt::format("They add up to all CPUs' time, {} s.\n", seconds_brief(sum));
}

void write_course(const RecordingSummary& summary, std::ostream& out) {
  out << "\nCourse, percent of one CPU, left to right; each mark is up to "
      << seconds_brief(summary.course.front().ns) << " s\n";
  const auto row = [&](const std::string& name, const std::vector<double>& values) {
    const double most = *std::max_element(values.begin(), values.end());
    const auto drawn = graph(values, most, values.size(), 1, true);
    const std::string padding(kNameWidth - std::min(kNameWidth, vtax::columns(name)), ' ');
    out << fmt::format("{}{} {} {:>6}\n", name, padding, drawn[0], long_percent(most));
  };
  constexpr std::size_t kMostGuests = 10;
  const auto guests = by_cost(summary);
  for (std::size_t i = 0; i < std::min(kMostGuests, guests.size()); ++i) {
    std::vector<double> values;
    for (const CourseSlice& slice : summary.course) {
      const auto of_guest = slice.of_guests.find(guests[i].first);
      values.push_back(share_of(of_guest == slice.of_guests.end() ? 0 : of_guest->second, slice.ns));
    }
    row(narrow(guests[i].first, kNameWidth), values);
  }
  if (guests.size() > kMostGuests)
    out << fmt::format("({} guests that cost less)\n", guests.size() - kMostGuests);
  for (const auto& [name, member] :
       {std::pair("driver", &OtherTime::driver_ns), std::pair("elsewhere", &OtherTime::elsewhere_ns),
        std::pair("idle", &OtherTime::idle_ns)}) {
    std::vector<double> values;
    for (const CourseSlice& slice : summary.course) values.push_back(share_of(slice.other.*member, slice.ns));
    row(name, values);
  }
}

std::string change(double before, double after) {
  return before > 0 ? fmt::format("{:+.1f} %", 100 * (after - before) / before) : "-";
}

}  // namespace

void write_recording(const RecordingSummary& summary, std::ostream& out) {
  out << fmt::format("A recording of `vtax top`: {} readings, {} s apart\nFrom {} to {} UTC\n",
                     with_thousands(summary.header.readings), seconds_brief(summary.header.delay_ns),
                     minute(summary.begin), minute(summary.end));
  out << fmt::format(
      "Driver {}, charged by {}{}\n\n", narrow(summary.driver, 20), summary.charged_by,
      summary.shared_by.empty() ? "" : "; shared work by " + printable(summary.shared_by, 200));
  write_totals(summary, out);
  write_course(summary, out);
  for (const std::string& sentence : summary.missing)
    print_wrapped(out, "missing: ", printable(sentence, 1000));
}

void write_recording_comparison(const RecordingSummary& before, const RecordingSummary& after,
                                std::ostream& out) {
  out << fmt::format(
      "Percent of one CPU: A, {} readings; B, {} readings. Time series have no repetitions:\n"
      "nothing is said of chance.\n\n",
      with_thousands(before.header.readings), with_thousands(after.header.readings));
  TextTable table({"guest", "own A", "own B", "caused A", "caused B", "sum A", "sum B", "change"});
  std::set<std::string> names;
  for (const auto* one : {&before, &after})
    for (const auto& [name, totals] : one->guests) names.insert(name);
  for (const std::string& name : names) {
    const auto a = before.guests.find(name), b = after.guests.find(name);
    const bool in_a = a != before.guests.end(), in_b = b != after.guests.end();
    std::vector<std::string> row{narrow(name, kNameWidth)};
    const auto cell = [&](bool is_in, std::uint64_t cpu_ns, std::uint64_t ns) {
      row.push_back(is_in ? long_percent(share_of(cpu_ns, ns)) : "-");
    };
    const GuestTotals none, &x = in_a ? a->second : none, &y = in_b ? b->second : none;
    cell(in_a, x.own_ns, before.read_ns);
    cell(in_b, y.own_ns, after.read_ns);
    cell(in_a, x.caused_ns, before.read_ns);
    cell(in_b, y.caused_ns, after.read_ns);
    cell(in_a, x.own_ns + x.caused_ns, before.read_ns);
    cell(in_b, y.own_ns + y.caused_ns, after.read_ns);
    row.push_back(!in_a   ? "not in A"
                  : !in_b ? "not in B"
                          : change(share_of(x.own_ns + x.caused_ns, before.read_ns),
                                   share_of(y.own_ns + y.caused_ns, after.read_ns)));
    table.add(std::move(row));
  }
  const auto a = parts_of("A", before.other), b = parts_of("B", after.other);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = share_of(a[i].second, before.read_ns), y = share_of(b[i].second, after.read_ns);
    table.add(
        {i == 0 ? "driver" : a[i].first, "", "", "", "", long_percent(x), long_percent(y), change(x, y)});
  }
  table.print(out);
  if (before.charged_by != after.charged_by)
    out << fmt::format("\nA was charged by {}, B by {}: caused time does not compare.\n", before.charged_by,
                       after.charged_by);
  const auto print_unseen = [&](const char* which, const RecordingSummary& one,
                                const RecordingSummary& other) {
    for (const std::string& sentence : one.missing)
      if (std::find(other.missing.begin(), other.missing.end(), sentence) == other.missing.end())
        print_wrapped(out, fmt::format("{} alone could not see: ", which), printable(sentence, 1000));
  };
  print_unseen("A", before, after);
  print_unseen("B", after, before);
}

}  // namespace vtax::watch
