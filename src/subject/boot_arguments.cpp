#include "subject/boot_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/readable.h"

namespace vtax {
namespace {

// Never part of an argument.
constexpr char kInPlaceOfSpace = '|';
constexpr std::string_view kOtherCharacters = "_.,:;=-+/@*^!";

// What the lab's command lines and images decide. The kernel takes '-' in a name for '_'.
constexpr std::array kOfTheLab = {"console",
                                  "earlycon",
                                  "earlyprintk",
                                  "init",
                                  "rdinit",
                                  "root",
                                  "initrd",
                                  "noinitrd",
                                  "kaslr",
                                  "nokaslr",
                                  "panic",
                                  "quiet",
                                  "debug",
                                  "reboot",
                                  "kexec",
                                  "crashkernel",
                                  "mem",
                                  "memmap",
                                  "dom0_mem",
                                  "nr_cpus",
                                  "maxcpus",
                                  "possible_cpus",
                                  "dom0_max_vcpus",
                                  "dom0",
                                  "dom0_vcpus_pin",
                                  "com1",
                                  "com2",
                                  "noreboot",
                                  "watchdog",
                                  "kgdboc",
                                  "modprobe.blacklist",
                                  "module_blacklist",
                                  "initcall_blacklist"};

bool is_allowed(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         kOtherCharacters.find(c) != std::string_view::npos;
}

std::string name_of_argument(std::string_view word) {
  std::string name(word.substr(0, word.find('=')));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  return name;
}

std::string why_not_a_word(std::string_view word) {
  if (word.empty()) return "there is more than one space between words";
  const std::string name = name_of_argument(word);
  if (name.empty() || name == "__" || name == "___")
    return fmt::format("'{}' is no argument", printable(word));
  if (name.starts_with("vtax.") || std::find(kOfTheLab.begin(), kOfTheLab.end(), name) != kOfTheLab.end())
    return fmt::format("'{}' is set by the lab", printable(word.substr(0, word.find('='))));
  return "";
}

}  // namespace

std::string why_not_appended(std::string_view arguments) {
  const auto bad =
      std::find_if(arguments.begin(), arguments.end(), [](char c) { return c != ' ' && !is_allowed(c); });
  if (bad != arguments.end())
    return fmt::format("'{}' may not stand in it: words have letters, digits and {}",
                       printable(std::string(1, *bad)), kOtherCharacters);
  while (!arguments.empty()) {
    const std::size_t end = std::min(arguments.find(' '), arguments.size());
    if (std::string why = why_not_a_word(arguments.substr(0, end)); !why.empty()) return why;
    if (end + 1 == arguments.size()) return "there is a space behind its last word";
    arguments.remove_prefix(std::min(end + 1, arguments.size()));
  }
  return "";
}

std::string as_one_word(std::string_view arguments) {
  std::string word(arguments);
  std::replace(word.begin(), word.end(), ' ', kInPlaceOfSpace);
  return word;
}

std::string from_one_word(std::string_view word) {
  std::string arguments(word);
  std::replace(arguments.begin(), arguments.end(), kInPlaceOfSpace, ' ');
  return arguments;
}

}  // namespace vtax
