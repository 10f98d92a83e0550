#pragma once

#include <string>
#include <string_view>

// Arguments of a user's for the command line of a kernel or of Xen ("mitigations=off nosmt"), the factors
// kernel_args, guest_args and xen_args. They are hostile: they stand behind vtax's own and may not undo them.
namespace vtax {

// Why a line cannot be appended to a command line; empty where it can. A line is words with single spaces
// between them, of letters, digits and _.,:;=-+/@*^! (so that neither a quote nor an escape ends it anywhere
// on its way), and none of them names what the lab itself sets: the console, the first process, the randomly
// placed kernel, the machine's memory and CPUs, or vtax's own words.
[[nodiscard]] std::string why_not_appended(std::string_view arguments);

// As one word, which has no space, and back.
[[nodiscard]] std::string as_one_word(std::string_view arguments);
[[nodiscard]] std::string from_one_word(std::string_view word);

}  // namespace vtax
