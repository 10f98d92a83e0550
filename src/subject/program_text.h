#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "subject/trial_spec.h"

// What the texts of the workload `program` mean.
namespace vtax {

// A command line's words, as a shell parts them: by spaces, but for what stands in ' ' or " " or behind a
// backslash. No shell is asked: nothing else has a meaning. Error (usage): a quote without an end, or no
// word at all.
[[nodiscard]] Result<std::vector<std::string>> words_of(std::string_view command);

// What `files` begins with where the folder is an image of a container: "oci:./image".
inline constexpr std::string_view kOciImage = "oci:";

// The folder, or file, that `files` names.
[[nodiscard]] inline std::string folder_of_files(const std::string& files) {
  return files.starts_with(kOciImage) ? files.substr(kOciImage.size()) : files;
}

// When a server is ready.
struct Ready {
  enum class By { seconds, port, output } by = By::seconds;
  std::uint64_t number = 1;  // of seconds, or the TCP port at which it listens
  std::string words;         // that it prints

  [[nodiscard]] static Result<Ready> of(std::string_view text);
};

// How many operations a run of the client is.
struct Operations {
  std::optional<std::uint64_t> number;
  std::string pattern;  // ECMAScript's regular expression: its first group is the number; without `number`

  // Error (usage): neither a number from 1 on nor a pattern with a group.
  [[nodiscard]] static Result<Operations> of(std::string_view text);
  // Of the first line that the pattern fits; digits may be grouped by commas, and a fraction is cut off.
  // Error: none fits.
  [[nodiscard]] Result<std::uint64_t> in(std::string_view output) const;
};

// Errors (usage): what of a trial's program cannot be meant, with the factor's name.
[[nodiscard]] Result<> check_program(const TrialSpec& trial);

}  // namespace vtax
