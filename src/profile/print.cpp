#include "profile/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json_writer.h"
#include "core/readable.h"
#include "core/text_table.h"
#include "query/profile_stack.h"

namespace vtax::profile {
namespace {

std::string cpus_text(double seconds, double window) {
  return fmt::format("{:.3f}", seconds / window);
}

// A count of samples is as uncertain as its root.
std::string sampled_text(const std::optional<std::uint64_t>& samples, double seconds, double window) {
  if (!samples) return "?";
  const double error = *samples == 0 ? 0 : seconds / window / std::sqrt(static_cast<double>(*samples));
  return fmt::format("{} +- {:.3f}", cpus_text(seconds, window), error);
}

void write_guests(const Merged& merged, std::ostream& out) {
  if (merged.guests.empty() || merged.event != Event::cpu_clock) return;
  TextTable table({"guest", "own, sampled", "counted", "caused, sampled", "counted"});
  for (const GuestShare& guest : merged.guests)
    table.add(
        {printable(guest.guest, 24), sampled_text(guest.own_samples, guest.own_seconds, merged.seconds),
         guest.counted_own_seconds ? cpus_text(*guest.counted_own_seconds, merged.seconds) : "?",
         sampled_text(guest.caused_samples, guest.caused_seconds, merged.seconds),
         guest.counted_caused_seconds ? cpus_text(*guest.counted_caused_seconds, merged.seconds) : "?"});
  out << "\nCPUs in use (U, equation 4.9), +- one standard error; \"counted\" by `vtax top`;\n"
         "\"caused\" is of threads that serve this guest alone\n\n";
  table.print(out);
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return 100 * static_cast<double>(part) / static_cast<double>(std::max<std::uint64_t>(whole, 1));
}

}  // namespace

void write_table(const Merged& merged, std::size_t rows, std::ostream& out) {
  Profile flat = by_function(merged.profile);
  const std::size_t all = flat.functions.size();
  if (rows > 0 && all > rows) flat.functions.resize(rows);
  write_profile_table(flat, out);
  if (flat.functions.size() < all)
    out << fmt::format("... and {} functions more: --rows 0\n", all - flat.functions.size());
  write_guests(merged, out);
  out << '\n';
  print_wrapped(
      out, "",
      fmt::format("Idle: {} samples, not among the others. Without a function: {} ({:.1f} %); in one of a "
                  "stripped program, by its place without its name: {} ({:.1f} %). Lost: {}. vtax itself, "
                  "with what sampling takes in the kernel: {:.2f} % of a CPU.",
                  with_thousands(merged.idle), with_thousands(merged.unknown),
                  percent(merged.unknown, merged.profile.total), with_thousands(merged.unnamed),
                  percent(merged.unnamed, merged.profile.total), with_thousands(merged.lost),
                  100 * merged.own_seconds / merged.seconds));
  for (const std::string& note : merged.notes) print_wrapped(out, "- ", note);
}

void write_json(const Merged& merged, std::ostream& out) {
  JsonWriter json(out);
  const Profile& profile = merged.profile;
  json.begin_object()
      .field("schema", "vtax-profile/1")
      .field("event", name(merged.event))
      .field("period", merged.period)
      .field("seconds", merged.seconds)
      .field("samples", profile.total)
      .field("idle", merged.idle)
      .field("unknown", merged.unknown)
      .field("unnamed", merged.unnamed)
      .field("lost", merged.lost)
      .field("own_seconds", merged.own_seconds);
  json.key("guests").begin_array();
  const auto number = [&](const char* key, const auto& value) {
    json.key(key);
    if (value)
      json.value(*value);
    else
      json.null();
  };
  for (const GuestShare& guest : merged.guests) {
    json.line().begin_object().field("name", guest.guest).field("by_agent", guest.by_agent);
    number("own_samples", guest.own_samples);
    number("caused_samples", guest.caused_samples);
    const bool timed = merged.event == Event::cpu_clock;
    number("own_seconds",
           timed && guest.own_samples ? std::optional(guest.own_seconds) : std::optional<double>());
    number("caused_seconds",
           timed && guest.caused_samples ? std::optional(guest.caused_seconds) : std::optional<double>());
    number("counted_own_seconds", guest.counted_own_seconds);
    number("counted_caused_seconds", guest.counted_caused_seconds);
    json.end_object();
  }
  json.end_array().key("stacks").begin_array();
  for (std::size_t i = 0; i < profile.functions.size(); ++i) {
    const FunctionCost& cost = profile.functions[i];
    json.line()
        .begin_object()
        .field("samples", cost.instructions.value)
        .field("domain", cost.domain)
        .field("layer", layer_text(cost))
        .field("image", cost.image)
        .field("function", cost.function);
    json.key("callers").begin_array();
    for (const Caller& caller : callers_of(profile, i))
      json.begin_array()
          .value(std::string_view(caller.image))
          .value(std::string_view(caller.function))
          .end_array();
    json.end_array().end_object();
  }
  json.end_array().key("build_ids").begin_object();
  for (const auto& [image, id] : merged.build_ids) json.field(image, std::string_view(id));
  json.end_object().key("notes").begin_array();
  for (const std::string& note : merged.notes) json.line().value(std::string_view(note));
  json.end_array().end_object();
  json.flush();
  out << '\n';
}

void write_perf_script(const Merged& merged, std::ostream& out) {
  const Profile& profile = merged.profile;
  const auto word = [](std::string_view text) {
    std::string out_word = printable(text, 200);
    std::replace(out_word.begin(), out_word.end(), ' ', '_');
    return out_word;
  };
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < profile.functions.size(); ++i) {
    const FunctionCost& cost = profile.functions[i];
    for (std::uint64_t n = 0; n < cost.instructions.value; ++n, ++place) {
      out << fmt::format("{} 0 [000] {}.{:03}000: {} {}:\n", word(cost.domain), place / 1000, place % 1000,
                         merged.period, name(merged.event));
      const auto frame = [&](const std::string& image, const std::string& function) {
        out << fmt::format("\t{:16x} {} ({})\n", 0, printable(function, 500), word(image));
      };
      frame(cost.image, cost.function);
      const auto callers = callers_of(profile, i);
      for (std::size_t at = callers.size(); at-- > 0;) frame(callers[at].image, callers[at].function);
      out << '\n';
    }
  }
}

}  // namespace vtax::profile
