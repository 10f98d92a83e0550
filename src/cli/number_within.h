#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

namespace vtax {

// A number from `low` to `high`. CLI::Range takes "nan" for one.
class NumberWithin : public CLI::Validator {
 public:
  NumberWithin(double low, double high)
      : CLI::Validator(
            [low, high](std::string& text) {
              double value = 0;
              const bool is_number = CLI::detail::lexical_cast(text, value);
              return is_number && value >= low && value <= high
                         ? std::string()
                         : fmt::format("{} is no number from {} to {}", text, low, high);
            },
            fmt::format("FLOAT in [{} - {}]", low, high)) {}
};

}  // namespace vtax
