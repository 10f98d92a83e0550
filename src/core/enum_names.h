#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

// The one way from an enum to its text and back. An enum says its names once, beside its definition:
//   template <>
//   inline constexpr auto enum_names<Topology> = EnumNames<Topology, 2>{{{Topology::inside, "inside"}, ...}};
namespace vtax {

template <class Enum, std::size_t count>
using EnumNames = std::array<std::pair<Enum, std::string_view>, count>;

template <class Enum>
inline constexpr auto enum_names = std::false_type();

template <class Enum>
concept NamedEnum = requires {
  enum_names<Enum>.size();
};

// Empty where it is none of the named.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view name_of(Enum value) {
  for (const auto& [one, name] : enum_names<Enum>)
    if (one == value) return name;
  return {};
}

template <NamedEnum Enum>
[[nodiscard]] constexpr std::optional<Enum> named(std::string_view text) {
  for (const auto& [one, name] : enum_names<Enum>)
    if (name == text) return one;
  return std::nullopt;
}

}  // namespace vtax
