#pragma once

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "subject/factor.h"

// How the tables write their rows: the field comes first, and the choices of an enum are its names.
namespace vtax::rows {

template <auto field>
using FieldOf = std::remove_cvref_t<decltype(std::declval<TrialSpec>().*field)>;

// The default is the field's own in TrialSpec.
template <auto field>
Factor with_own_default(Factor row) {
  row.fallback = row.get(TrialSpec());
  return row;
}

template <auto field>
Factor number(FactorType type, std::string_view name, std::uint64_t low, std::uint64_t high,
              std::string_view help) {
  Factor row;
  row.name = name;
  row.type = type;
  row.help = help;
  row.low = low;
  row.high = high;
  row.get = [](const TrialSpec& spec) { return std::to_string(spec.*field); };
  row.set = [](TrialSpec& spec, std::string_view text) {
    std::from_chars(text.data(), text.data() + text.size(), spec.*field);
  };
  return with_own_default<field>(std::move(row));
}

template <auto field>
Factor count(std::string_view name, std::uint64_t low, std::uint64_t high, std::string_view help) {
  return number<field>(FactorType::count, name, low, high, help);
}

template <auto field>
Factor bytes(std::string_view name, std::uint64_t low, std::uint64_t high, std::string_view help) {
  return number<field>(FactorType::bytes, name, low, high, help);
}

template <auto field>
Factor choice(std::string_view name, std::string_view help) {
  using Enum = FieldOf<field>;
  Factor row;
  row.name = name;
  row.help = help;
  for (const auto& [value, text] : enum_names<Enum>) row.choices.push_back(text);
  row.get = [](const TrialSpec& spec) { return std::string(name_of(spec.*field)); };
  row.set = [](TrialSpec& spec, std::string_view text) { spec.*field = named<Enum>(text).value_or(Enum()); };
  return with_own_default<field>(std::move(row));
}

// Of two words the one for `true`; they are shown in the order in which they are given.
struct Word {
  std::string_view text;
  bool value;
};
template <auto field>
Factor either(std::string_view name, Word first, Word second, std::string_view help) {
  Factor row;
  row.name = name;
  row.help = help;
  row.choices = {first.text, second.text};
  row.get = [first, second](const TrialSpec& spec) {
    return std::string(first.value == spec.*field ? first.text : second.text);
  };
  row.set = [first, second](TrialSpec& spec, std::string_view text) {
    spec.*field = text == first.text ? first.value : second.value;
  };
  return with_own_default<field>(std::move(row));
}

// A word that is kept as it is.
template <auto field>
Factor word(FactorType type, std::string_view name, std::vector<std::string_view> choices,
            std::string_view help) {
  Factor row;
  row.name = name;
  row.type = type;
  row.help = help;
  row.choices = std::move(choices);
  row.get = [](const TrialSpec& spec) { return spec.*field; };
  row.set = [](TrialSpec& spec, std::string_view text) { spec.*field = text; };
  return with_own_default<field>(std::move(row));
}

// A line of text, or words, of up to so many bytes.
template <auto field>
Factor line(FactorType type, std::string_view name, std::uint64_t longest, std::string_view help) {
  Factor row = word<field>(type, name, {}, help);
  row.high = longest;
  return row;
}

}  // namespace vtax::rows
