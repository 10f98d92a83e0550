#include "subject/boot_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "subject/boot_arguments.h"
#include "subject/factor_table.h"

namespace vtax {
namespace {

// Numbers, and what is for the command line of a kernel that the driver domain starts.
bool is_told(const Factor& factor) {
  return factor.readers.boot && (factor.type == FactorType::count || factor.name == "guest_args");
}

std::string word_of(const Factor& factor) {
  return fmt::format("vtax.{}=", factor.name);
}

}  // namespace

std::string boot_words(const MachineShape& shape) {
  TrialSpec spec;
  static_cast<MachineShape&>(spec) = shape;
  std::string words;
  for (const Factor& factor : common_factors())
    if (is_told(factor) && factor.get(spec) != factor.fallback)
      words += fmt::format(" {}{}", word_of(factor), as_one_word(factor.get(spec)));
  return words;
}

Result<MachineShape> shape_from_words(std::string_view command_line) {
  TrialSpec spec;
  while (!command_line.empty()) {
    const std::size_t end = std::min(command_line.find_first_of(" \n"), command_line.size());
    const std::string_view found = command_line.substr(0, end);
    command_line.remove_prefix(std::min(end + 1, command_line.size()));
    for (const Factor& factor : common_factors()) {
      const std::string word = word_of(factor);
      if (!is_told(factor) || !found.starts_with(word)) continue;
      if (Result<> taken = put(factor, from_one_word(found.substr(word.size())), spec); !taken)
        return fail(Error{"read the kernel's command line", taken.error().why, "", ExitCode::usage});
    }
  }
  return spec;
}

}  // namespace vtax
