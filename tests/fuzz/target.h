#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// Whoever reads what comes from a guest, a file, a package or a socket.
namespace vtax::fuzz {

struct Target {
  std::string_view name;
  std::vector<std::string> (*seeds)();  // inputs that are taken; others are made of them
  // Gives the parser the input. Returns whether it was taken; aborts where the answer is one that cannot be:
  // beyond a limit, another one in pieces than in one, a number that is not the file's.
  bool (*try_one)(std::string_view input);
  bool is_text = true;  // how inputs are damaged
  int cost = 1;         // of one input, to the cheapest; so many fewer are tried
};

[[nodiscard]] const std::vector<Target>& targets();

// Input `number` of the target: always the same for a seed, whatever was tried before.
[[nodiscard]] std::string input_of(const Target& target, const std::vector<std::string>& seeds,
                                   std::uint64_t seed, std::uint64_t number);

// A folder in memory where there is one, which goes with the program.
[[nodiscard]] const std::filesystem::path& work_folder();

[[nodiscard]] std::string content_of(const std::filesystem::path& file);

// The contents of a folder's TOML files, by name: a folder's own order is another in every clone.
[[nodiscard]] std::vector<std::string> toml_files(const std::filesystem::path& folder);

// Aborts where `holds` is false, and says what did not hold.
void require(bool holds, const char* what);

}  // namespace vtax::fuzz
