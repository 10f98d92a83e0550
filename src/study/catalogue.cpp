#include "study/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/cache_shape.h"
#include "core/lab_prices.h"
#include "core/readable.h"
#include "core/size_text.h"
#include "study/suggest.h"
#include "subject/boot_arguments.h"
#include "subject/stack.h"

namespace vtax {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Nothing when there are too many digits.
std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

Error bad_value(const Factor& factor, std::string_view text, std::string next) {
  return {"", fmt::format("'{}' is not a value of '{}'", printable(text), factor.name), std::move(next)};
}

Result<std::string> in_range(const Factor& factor, std::string_view text,
                             std::optional<std::uint64_t> value) {
  if (!value || *value < factor.low || *value > factor.high) {
    return fail({"", fmt::format("'{}' is out of range for '{}'", printable(text), factor.name),
                 "allowed: " + allowed_values(factor)});
  }
  return std::to_string(*value);
}

Result<std::string> canonical_bytes(const Factor& factor, std::string_view text) {
  const ParsedSize size = parse_size(text);
  switch (size.fault) {
    case ParsedSize::Fault::no_number:
      return fail(bad_value(factor, text, "write bytes, or a size such as \"64 KiB\" or \"8 MiB\""));
    case ParsedSize::Fault::unknown_unit:
      return fail(bad_value(factor, text,
                            "units: B, KiB, MiB, GiB, or K, M, G (1024 each; KB and MB mean two things)"));
    case ParsedSize::Fault::too_much:
      return in_range(factor, text, std::nullopt);
    case ParsedSize::Fault::none:
      break;
  }
  return in_range(factor, text, size.bytes);
}

Result<std::string> canonical_count(const Factor& factor, std::string_view text) {
  std::string_view rest = trimmed(text);
  if (rest.empty() || rest.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(bad_value(factor, text, "write a whole number; allowed: " + allowed_values(factor)));
  }
  return in_range(factor, text, number_of(rest));
}

}  // namespace

const std::vector<std::string_view>& machines() {
  static const std::vector<std::string_view> all{"lab", "host"};
  return all;
}

const Factor* find_factor_of_any(std::string_view name, std::string_view workload) {
  if (const Factor* factor = find_factor(common_factors(), name)) return factor;
  for (const WorkloadKind& kind : workloads()) {
    if (!workload.empty() && kind.name != workload) continue;
    if (const Factor* factor = find_factor(kind.factors, name)) return factor;
  }
  return nullptr;
}

std::vector<std::string_view> names_of(const std::vector<Factor>& factors) {
  std::vector<std::string_view> names;
  for (const Factor& factor : factors) names.push_back(factor.name);
  return names;
}

std::vector<std::string_view> workload_names() {
  std::vector<std::string_view> names;
  for (const WorkloadKind& workload : workloads()) names.push_back(workload.name);
  return names;
}

std::string usual_value(const Factor& factor) {
  if (factor.type == FactorType::bytes) return readable_bytes(std::stoull(factor.fallback));
  return factor.fallback.empty() ? "none" : factor.fallback;
}

std::string allowed_values(const Factor& factor) {
  switch (factor.type) {
    case FactorType::choice:
      return fmt::format("{}", fmt::join(factor.choices, ", "));
    case FactorType::caches:
      return fmt::format("{}, or sizes", fmt::join(factor.choices, ", "));
    case FactorType::prices:
      return fmt::format("{}, or prices", fmt::join(factor.choices, ", "));
    case FactorType::bytes:
      return readable_bytes(factor.low) + " to " + readable_bytes(factor.high);
    case FactorType::count:
      return fmt::format("{} to {}", factor.low, factor.high);
    case FactorType::text:
      return "text";
    case FactorType::words:
      return "a list of words";
    case FactorType::arguments:
      return "arguments";
    case FactorType::stack:
      return fmt::format("{}, or one that the study describes", fmt::join(factor.choices, ", "));
  }
  return "";
}

Result<std::string> canonical(const Factor& factor, std::string_view text) {
  switch (factor.type) {
    case FactorType::bytes:
      return canonical_bytes(factor, text);
    case FactorType::count:
      return canonical_count(factor, text);
    case FactorType::caches:
      if (std::find(factor.choices.begin(), factor.choices.end(), text) == factor.choices.end()) {
        const auto caches = read_caches(text);
        if (!caches)
          return fail(
              {"", fmt::format("'{}' is not a value of 'caches': {}", printable(text), caches.error().why),
               caches.error().next});
        return text_of(*caches);
      }
      return std::string(text);
    case FactorType::prices: {
      if (std::find(factor.choices.begin(), factor.choices.end(), text) != factor.choices.end())
        return std::string(text);
      const auto prices = read_lab_prices(text);
      if (!prices)
        return fail({"",
                     fmt::format("'{}' is not a value of 'prices': {}", printable(text), prices.error().why),
                     prices.error().next});
      return text_of(*prices);
    }
    case FactorType::text:
    case FactorType::words:
      if (!fits(factor, text))
        return fail(bad_value(
            factor, text,
            fmt::format("write one line of up to {} characters{}", factor.high,
                        factor.type == FactorType::words ? ", words with single spaces between them" : "")));
      return std::string(text);
    case FactorType::arguments:
      if (!fits(factor, text)) {
        const std::string why = why_not_appended(text);
        return fail({"",
                     fmt::format("'{}' is not a value of '{}'{}", printable(text), factor.name,
                                 why.empty() ? "" : ": " + why),
                     fmt::format("write arguments with single spaces between them, up to {} characters, for "
                                 "example mitigations=off",
                                 factor.high)});
      }
      return std::string(text);
    case FactorType::stack:
      if (!is_stack_name(text)) return fail(bad_value(factor, text, "allowed: " + allowed_values(factor)));
      return std::string(text);
    case FactorType::choice:
      break;
  }
  if (std::find(factor.choices.begin(), factor.choices.end(), text) == factor.choices.end()) {
    std::string next = suggestion(text, factor.choices);
    if (factor.name == "platform") next += "; `vtax list platforms` says what each is";
    return fail(bad_value(factor, text, next));
  }
  return std::string(text);
}

}  // namespace vtax
