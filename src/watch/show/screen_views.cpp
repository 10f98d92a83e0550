#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/readable.h"
#include "watch/show/figures.h"
#include "watch/show/screen_model.h"
#include "watch/show/table.h"

// What stands in the middle of the screen, by view.
namespace vtax::watch {
namespace {

// Cells in columns: the first flush left and `first` wide, the others flush right, each 8 wide.
std::string cells_line(std::size_t columns, std::size_t first, const std::vector<std::string>& cells,
                       bool unicode) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = narrow(cells[i], i == 0 ? first : 8, unicode);
    const std::string space((i == 0 ? first : 9) - vtax::columns(cell), ' ');
    line += i == 0 ? cell + space : space + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return narrow(line, columns, unicode);
}

std::string share(const std::optional<std::uint64_t>& ns, std::chrono::nanoseconds interval) {
  return ns ? long_percent(percent(*ns, interval)) : "-";
}

std::string bytes_or_dash(const std::optional<std::uint64_t>& bytes) {
  return bytes ? short_bytes(static_cast<double>(*bytes)) : "-";
}

// Each value where the {} of its words is: "own {}".
std::string named(std::string_view name,
                  const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string text = fmt::format("{:<9}", name);
  for (const auto& [words, value] : values) text += "  " + fmt::format(fmt::runtime(words), value);
  return text;
}

// The text behind `first` in lines of at most `width` columns, broken at spaces; the next ones begin with as
// many spaces, where that leaves room.
std::vector<std::string> broken(std::string_view first, std::string_view text, std::size_t width) {
  const std::size_t indent = std::min(vtax::columns(first), width / 3);
  std::vector<std::string> lines{std::string(first)};
  for (bool is_begin = true; !text.empty(); is_begin = false) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_begin && vtax::columns(lines.back()) + 1 + vtax::columns(word) > width)
      lines.emplace_back(indent, ' ');
    else if (!is_begin)
      lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

// What its agent tells. Percent is of one CPU, of the agent's own interval.
std::vector<std::string> inside_lines(const InsideUse& inside, std::size_t columns, bool unicode) {
  if (!inside.missing.empty()) {
    std::vector<std::string> lines;
    for (const std::string& line : broken("inside     ", printable(inside.missing, 1000), columns))
      lines.push_back(narrow(line, columns, unicode));
    return lines;
  }
  std::vector<std::string> lines{narrow(
      fmt::format("inside     {} of {} tasks run or wait for a CPU; its CPUs waited {} %, says its agent",
                  inside.runnable, inside.tasks, long_percent(percent(inside.steal_ns, inside.interval))),
      columns, unicode)};
  constexpr std::size_t kName = 24;
  lines.push_back(cells_line(columns, kName, {"  PROCESS", "NUMBER", "CPU%", "THREADS"}, unicode));
  for (const InsideProcess& process : inside.processes)
    lines.push_back(
        cells_line(columns, kName,
                   {"  " + process.name, std::to_string(process.number),
                    long_percent(percent(process.busy_ns, inside.interval)), std::to_string(process.threads)},
                   unicode));
  if (inside.other_processes > 0)
    lines.push_back(cells_line(columns, kName,
                               {fmt::format("  {} others", inside.other_processes), "",
                                long_percent(percent(inside.others_ns, inside.interval)), ""},
                               unicode));
  return lines;
}

// A round number that holds all values.
double top_of(const std::vector<double>& values) {
  const double most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  double top = 1;
  for (std::size_t i = 0; top < most; ++i) top *= std::array{2.0, 2.5, 2.0}[i % 3];
  return top;
}

}  // namespace

ScreenModel::Body ScreenModel::body(std::size_t columns, std::size_t rows, bool unicode) {
  switch (view_) {
    case View::virtual_cpus:
      return virtual_cpus_body(columns, unicode);
    case View::cpus:
      return cpus_body(columns);
    case View::networks:
      return networks_body(columns, unicode);
    case View::guest:
      return guest_body(columns, rows, unicode);
    case View::help:
      return help_body(columns);
    case View::guests:
      break;
  }
  return guests_body(columns, unicode);
}

ScreenModel::Body ScreenModel::guests_body(std::size_t columns, bool unicode) {
  const auto shown = arranged(*reading_, by_);
  const auto placed = placed_for(shown, columns);
  seen_columns_.clear();
  for (const PlacedColumn& one : placed) seen_columns_.push_back(one.column);
  Body out{heading_line(placed), {}};
  out.line_of = [this, placed, unicode](const GuestUse& guest) {
    return guest_line(placed, guest, reading_->interval, unicode);
  };
  for (const GuestUse* guest : shown) out.lines.push_back({"", guest->name, guest});
  if (shown.empty())
    out.lines.push_back(
        {narrow(reading_->guests.empty() ? "No guest is seen here; h says what cannot be seen."
                                         : "No guest's name holds what the filter asks for.",
                columns),
         ""});
  return out;
}

ScreenModel::Body ScreenModel::virtual_cpus_body(std::size_t columns, bool unicode) const {
  constexpr std::size_t kName = 24;
  const auto interval = reading_->interval;
  Body out{cells_line(columns, kName, {"GUEST", "VCPU", "OWN%", "WAIT%", "BLCK%", "ON CPU"}, unicode), {}};
  for (const GuestUse* guest : arranged(*reading_, by_)) {
    for (const VirtualCpuUse& one : guest->virtual_cpus)
      out.lines.push_back({cells_line(columns, kName,
                                      {guest->name, std::to_string(one.number), share(one.own_ns, interval),
                                       share(one.waiting_ns, interval), share(one.blocked_ns, interval),
                                       one.cpu ? std::to_string(*one.cpu) : "-"},
                                      unicode),
                           guest->name});
    if (guest->virtual_cpus.empty())
      out.lines.push_back(
          {cells_line(columns, kName,
                      {guest->name, "-", share(guest->own_ns, interval), share(guest->waiting_ns, interval),
                       share(guest->blocked_ns, interval), "-"},
                      unicode),
           guest->name});
  }
  return out;
}

ScreenModel::Body ScreenModel::cpus_body(std::size_t columns) const {
  constexpr std::size_t kName = 6;
  const auto interval = reading_->interval;
  Body out{cells_line(
               columns, kName,
               {"CPU", "GUESTS%", "CAUSED%", "DRIVER%", "UNCHRGD%", "ELSEWHR%", "VTAX%", "STOLEN%", "IDLE%"},
               false),
           {}};
  for (const CpuUse& cpu : reading_->cpus)
    out.lines.push_back(
        {cells_line(
             columns, kName,
             {std::to_string(cpu.number), share(cpu.guests_ns, interval), share(cpu.caused_ns, interval),
              share(cpu.other.driver_ns, interval), share(cpu.other.uncharged_ns, interval),
              share(cpu.other.elsewhere_ns, interval), share(cpu.other.vtax_ns, interval),
              share(cpu.other.stolen_ns, interval), share(cpu.other.idle_ns, interval)},
             false),
         ""});
  if (reading_->cpus.empty())
    out.lines.push_back({narrow("The books that are read here do not tell CPUs apart.", columns), ""});
  return out;
}

ScreenModel::Body ScreenModel::networks_body(std::size_t columns, bool unicode) const {
  constexpr std::size_t kName = 24;
  const auto interval = reading_->interval;
  Body out{cells_line(columns, kName, {"GUEST", "RX B/s", "TX B/s", "RX P/s", "TX P/s", "DROPS/s", "PACK%"},
                      unicode),
           {}};
  for (const GuestUse* guest : arranged(*reading_, by_)) {
    std::vector<std::string> cells{guest->name};
    for (const char* column : {"received", "sent", "received-packets", "sent-packets", "drops", "packets"})
      cells.push_back(text_of(*column_named(column), *guest, interval));
    out.lines.push_back({cells_line(columns, kName, cells, unicode), guest->name});
  }
  return out;
}

ScreenModel::Body ScreenModel::guest_body(std::size_t columns, std::size_t rows, bool unicode) const {
  const GuestUse* guest = selected_guest();
  Body out{narrow(selected_, columns, unicode), {}};
  const auto add = [&](const std::string& text) {
    out.lines.push_back({narrow(text, columns, unicode), ""});
  };
  if (guest == nullptr) {
    add("It is gone; Escape shows the others.");
    return out;
  }
  const auto interval = reading_->interval;
  const auto column = [&](const char* name) { return text_of(*column_named(name), *guest, interval); };
  add(fmt::format("{} {}, found by {}{}", kind_name(guest->kind), guest->id, guest->found_by,
                  guest->paused ? ", paused" : ""));
  add(named("CPU",
            {{"own {} %", column("own")}, {"caused {} %", column("caused")}, {"sum {} %", column("sum")}}));
  add(named("caused", {{"by its threads {} %", column("threads")},
                       {"by its packets {} %", column("packets")},
                       {"shared {} %", column("shared")}}));
  add(named("its CPUs", {{"waiting {} %", column("wait")},
                         {"blocked {} %", column("blocked")},
                         {"switches {}/s", column("switches")},
                         {"exits {}/s", column("exits")}}));
  add(named("memory", {{"used {}", bytes_or_dash(guest->memory.used_bytes)},
                       {"given {}", bytes_or_dash(guest->memory.given_bytes)},
                       {"balloon {}", bytes_or_dash(guest->memory.balloon_bytes)}}));
  add(named("network", {{"in {} B/s", column("received")},
                        {"{} p/s", column("received-packets")},
                        {"out {} B/s", column("sent")},
                        {"{} p/s", column("sent-packets")},
                        {"drops {}/s", column("drops")}}));
  add(named("disk", {{"read {} B/s", column("read")},
                     {"written {} B/s", column("written")},
                     {"requests {}/s", column("disk-requests")}}));
  add(named("so far", {{"busy {} s", guest->busy_so_far_ns ? seconds_text(*guest->busy_so_far_ns) : "-"}}));
  const std::vector<double> values = history_.of(selected_);
  const double top = top_of(values);
  const std::size_t height =
      rows > out.lines.size() + 5 ? std::min<std::size_t>(rows - out.lines.size() - 4, 6) : 2;
  constexpr std::size_t kLabel = 7;
  if (columns > kLabel + 2) {
    const auto drawn = graph(values, top, columns - kLabel, height, unicode);
    for (std::size_t i = 0; i < drawn.size(); ++i)
      out.lines.push_back({fmt::format("{:>{}} ",
                                       i == 0                  ? long_percent(top)
                                       : i + 1 == drawn.size() ? "0 %"
                                                               : "",
                                       kLabel - 1) +
                               drawn[i],
                           ""});
  }
  for (const VirtualCpuUse& one : guest->virtual_cpus)
    add(fmt::format("virtual CPU {}: own {} %, waiting {} %, blocked {} %{}", one.number,
                    share(one.own_ns, interval), share(one.waiting_ns, interval),
                    share(one.blocked_ns, interval), one.cpu ? fmt::format(", on CPU {}", *one.cpu) : ""));
  if (guest->inside)
    for (std::string& line : inside_lines(*guest->inside, columns, unicode))
      out.lines.push_back({std::move(line), ""});
  return out;
}

ScreenModel::Body ScreenModel::help_body(std::size_t columns) const {
  Body out{narrow("Help: h or Escape goes back, arrows move", columns), {}};
  const auto add = [&](std::string_view first, std::string_view text) {
    for (const std::string& line : broken(first, text, columns))
      out.lines.push_back({narrow(line, columns), ""});
  };
  for (const std::string& sentence : reading_->missing) add("cannot be seen: ", printable(sentence, 1000));
  if (!reading_->shared_by.empty()) add("", "Shared work is split by " + reading_->shared_by);
  add("", "Percent is of one CPU: 250 is two CPUs and a half. Guests and others add up to all CPUs' time.");
  for (const auto& [word, meaning] : {std::pair("driver", "its own work, for no guest in particular"),
                                      std::pair("uncharged", "for guests, but not known for which"),
                                      std::pair("elsewhere", "other programs of the host"),
                                      std::pair("stolen", "taken by the machine below")})
    add(fmt::format("{:<11}", word), meaning);
  add("", "");
  for (const auto& [key, what] :
       {std::pair("q", "quit"), std::pair("Enter", "the selected guest in detail"),
        std::pair("s  <- ->", "sort by the next column"), std::pair("r", "turn the order round"),
        std::pair("f", "show some guests alone"), std::pair("d", "seconds between readings"),
        std::pair("v", "by virtual CPU"), std::pair("n", "networks"), std::pair("1", "by CPU"),
        std::pair("Space", "read now"), std::pair("Escape", "back to the guests")})
    add(fmt::format("{:<9}", key), what);
  add("", "");
  for (const Column& column : watch::columns()) add(fmt::format("{:<9}", column.heading), column.meaning);
  return out;
}

}  // namespace vtax::watch
