#include "watch/show/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/readable.h"
#include "core/text_table.h"
#include "watch/show/figures.h"

namespace vtax::watch {
namespace {

std::string padded(std::string text, std::size_t width, bool left) {
  const std::size_t used = vtax::columns(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return left ? text + space : space + text;
}

std::string line_of(const std::vector<PlacedColumn>& placed,
                    const std::function<std::string(const PlacedColumn&)>& text) {
  std::string line;
  for (const PlacedColumn& one : placed) {
    if (!line.empty()) line += ' ';
    line += padded(text(one), one.width, one.column->is_word);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

// A row whose one figure stands in the column of the sums.
std::string other_line(const std::vector<PlacedColumn>& placed, const std::string& name, double value) {
  std::size_t end = 0;
  for (const PlacedColumn& one : placed) {
    end += one.width + (end > 0 ? 1 : 0);
    if (one.column->name == "sum") break;
  }
  const std::string figure = long_percent(value);
  const std::size_t room = end > figure.size() + 1 ? end - figure.size() - 1 : 0;
  return padded(narrow(name, room), room, true) + ' ' + figure;
}

void write_names(std::string_view first, const std::vector<std::string>& names, std::ostream& out) {
  if (names.empty()) return;
  constexpr std::size_t kMost = 20;  // a computer that starts may bring a thousand
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += (i > 0 ? ", " : "") + narrow(names[i], 60);
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  print_wrapped(out, first, text);
}

}  // namespace

std::string heading_line(const std::vector<PlacedColumn>& placed) {
  return line_of(placed, [](const PlacedColumn& one) { return narrow(one.column->heading, one.width); });
}

std::string guest_line(const std::vector<PlacedColumn>& placed, const GuestUse& guest,
                       std::chrono::nanoseconds interval, bool unicode) {
  return line_of(placed, [&](const PlacedColumn& one) {
    return narrow(text_of(*one.column, guest, interval), one.width, unicode);
  });
}

std::vector<PlacedColumn> placed_for(const std::vector<const GuestUse*>& guests, std::size_t width) {
  std::size_t longest = 0;
  for (const GuestUse* guest : guests) longest = std::max(longest, vtax::columns(guest->name));
  return columns_within(width, longest);
}

std::vector<std::pair<std::string, std::uint64_t>> other_rows(const Reading& reading) {
  const OtherTime& other = reading.other;
  return {{fmt::format("driver ({})", reading.driver), other.driver_ns},
          {"uncharged", other.uncharged_ns},
          {"elsewhere", other.elsewhere_ns},
          {"vtax", other.vtax_ns},
          {"stolen", other.stolen_ns},
          {"idle", other.idle_ns}};
}

std::string sum_line(const Reading& reading) {
  std::uint64_t own = 0, caused = 0;
  for (const GuestUse& guest : reading.guests) {
    own += guest.own_ns;
    caused += guest.caused.total();
  }
  const auto text = [&](std::uint64_t ns) { return long_percent(percent(ns, reading.interval)); };
  const std::uint64_t sum = own + caused + reading.other.total();
  if (sum != reading.all_cpus_ns)
    return fmt::format("The rows make {} %, all CPUs' time is {} %: {} ns are wrong.", text(sum),
                       text(reading.all_cpus_ns),
                       sum > reading.all_cpus_ns ? sum - reading.all_cpus_ns : reading.all_cpus_ns - sum);
  return fmt::format("guests {} + caused {} + others {} = {} %, all CPUs' time", text(own), text(caused),
                     text(reading.other.total()), text(sum));
}

std::string title_line(const Reading& reading) {
  return fmt::format("vtax top {}, {:.2f} s, {} {}, driver {}, charged by {}", clock_text(reading.at),
                     std::chrono::duration<double>(reading.interval).count(), reading.guests.size(),
                     reading.guests.size() == 1 ? "guest" : "guests", narrow(reading.driver, 20),
                     charge_name(reading.charge_by));
}

void write_table(const Reading& reading, const Arrangement& by, std::size_t width,
                 std::vector<std::string>& said, std::ostream& out) {
  const auto guests = arranged(reading, by);
  const auto placed = placed_for(guests, width);
  out << narrow(title_line(reading), width) << '\n' << heading_line(placed) << '\n';
  for (const GuestUse* guest : guests) out << guest_line(placed, *guest, reading.interval) << '\n';
  if (guests.size() < reading.guests.size())
    out << fmt::format("({} more, which the filter leaves out)\n", reading.guests.size() - guests.size());
  for (const auto& [name, ns] : other_rows(reading))
    out << other_line(placed, name, percent(ns, reading.interval)) << '\n';
  out << sum_line(reading) << '\n';
  if (!reading.shared_by.empty())
    print_wrapped(out, "shared work is split by ", printable(reading.shared_by, 200));
  write_names("came: ", reading.came, out);
  write_names("gone: ", reading.gone, out);
  for (const std::string& sentence : reading.missing) {
    if (std::find(said.begin(), said.end(), sentence) != said.end()) continue;
    print_wrapped(out, "missing: ", printable(sentence, 1000));
    said.push_back(sentence);
  }
  out << '\n';
}

}  // namespace vtax::watch
