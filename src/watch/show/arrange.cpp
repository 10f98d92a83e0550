#include "watch/show/arrange.h"

#include <algorithm>
#include <optional>

namespace vtax::watch {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

struct Keyed {
  const GuestUse* guest;
  std::optional<double> value;
  std::string word;
};

}  // namespace

std::vector<const GuestUse*> arranged(const Reading& reading, const Arrangement& by) {
  std::vector<Keyed> keyed;
  for (const GuestUse& guest : reading.guests) {
    if (!by.filter.empty() && !contains(guest.name, by.filter)) continue;
    if (by.sort->is_word)
      keyed.push_back({&guest, std::nullopt, by.sort->word(guest)});
    else
      keyed.push_back({&guest, by.sort->value(guest, reading.interval), ""});
  }
  std::sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    if (by.sort->is_word && a.word != b.word) return by.ascending ? b.word < a.word : a.word < b.word;
    if (a.value.has_value() != b.value.has_value()) return a.value.has_value();
    if (a.value && *a.value != *b.value) return by.ascending ? *a.value < *b.value : *b.value < *a.value;
    return a.guest->name < b.guest->name;
  });
  std::vector<const GuestUse*> out;
  for (const Keyed& one : keyed) out.push_back(one.guest);
  return out;
}

}  // namespace vtax::watch
