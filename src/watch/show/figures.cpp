#include "watch/show/figures.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "account/charging.h"
#include "core/harmless.h"

namespace vtax::watch {
namespace {

constexpr std::array<std::pair<GuestKind, std::string_view>, 5> kKinds{{{GuestKind::xen, "xen"},
                                                                        {GuestKind::kvm, "kvm"},
                                                                        {GuestKind::qemu, "qemu"},
                                                                        {GuestKind::uml, "uml"},
                                                                        {GuestKind::container, "container"}}};
constexpr std::array<std::pair<ChargeBy, std::string_view>, 2> kCharges{
    {{ChargeBy::work, "work"}, {ChargeBy::packets, "packets"}}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  return std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.first == value; })
      ->second;
}

template <class Value, std::size_t size>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, size>& table,
                              std::string_view word) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.second == word; });
  return found == table.end() ? std::nullopt : std::optional(found->first);
}

// With one unit more at 1,000, so that no number has more than three digits.
std::string with_unit(double value, double base, std::string_view units) {
  if (value < 9.95 && value != std::floor(value)) return fmt::format("{:.1f}", value);
  if (value < 999.5) return fmt::format("{:.0f}", value);
  std::size_t unit = 0;
  for (value /= base; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= base;
  return fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, units[unit]);
}

// Latin, Greek and Cyrillic, where every character takes one column; of the rest a terminal's width is its
// font's and its version's affair.
bool is_narrow(std::string_view character) {
  if (character.size() == 1) return character[0] >= ' ' && character[0] != 0x7f;
  if (character.size() != 2) return false;
  const unsigned number = (static_cast<unsigned char>(character[0]) & 0x1fU) << 6U |
                          (static_cast<unsigned char>(character[1]) & 0x3fU);
  return (number >= 0xa1 && number < 0x300 && number != 0xad) || (number >= 0x384 && number < 0x483) ||
         (number >= 0x48a && number < 0x530);
}

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

double percent(std::uint64_t ns, std::chrono::nanoseconds interval) {
  return 100 * utilisation(static_cast<double>(ns), 0, static_cast<double>(interval.count()));
}

double per_second(std::uint64_t count, std::chrono::nanoseconds interval) {
  return static_cast<double>(count) / seconds_of(interval);
}

double sum_percent(const GuestUse& guest, std::chrono::nanoseconds interval) {
  return 100 * utilisation(static_cast<double>(guest.own_ns), static_cast<double>(guest.caused.total()),
                           static_cast<double>(interval.count()));
}

std::string long_percent(double value) {
  return fmt::format("{:.{}f}", value, value < 999.95 ? 1 : 0);
}

std::string short_percent(double value) {
  return fmt::format("{:.{}f}", value, value < 9.95 ? 1 : 0);
}

std::string short_count(double value) {
  return with_unit(value, 1000, "kMGT");
}

std::string short_bytes(double value) {
  return with_unit(value, 1024, "KMGTP");
}

std::string_view kind_name(GuestKind kind) {
  return word_of(kKinds, kind);
}

std::string_view charge_name(ChargeBy charge) {
  return word_of(kCharges, charge);
}

std::optional<GuestKind> kind_named(std::string_view text) {
  return value_of(kKinds, text);
}

std::optional<ChargeBy> charge_named(std::string_view text) {
  return value_of(kCharges, text);
}

std::string seconds_text(std::uint64_t ns) {
  return fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
}

std::string utc_text(std::chrono::system_clock::time_point at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(at - second).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                     rest);
}

std::string clock_text(std::chrono::system_clock::time_point at) {
  return fmt::format(
      "{:%H:%M:%S}",
      fmt::localtime(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(at))));
}

std::string narrow(std::string_view text, std::size_t width, bool unicode) {
  std::string out;
  std::size_t at_last = 0;  // where the last column's character begins
  for (std::size_t used = 0; !text.empty(); ++used) {
    if (used == width) {
      if (width > 0) out.replace(at_last, std::string::npos, "+");
      return out;
    }
    const std::size_t size = std::max<std::size_t>(character_size(text), 1);
    const std::string_view character = text.substr(0, size);
    const bool is_whole = character_size(text) > 0;
    at_last = out.size();
    if (is_whole && is_narrow(character) && (unicode || size == 1))
      out += character;
    else
      out += '?';
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace vtax::watch
