#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "subject/trial_spec.h"

// A factor: what a study may vary, in one row.
namespace vtax {

enum class FactorType {
  choice,     // one of `choices`
  bytes,      // a size: 1448, "1448", "64 KiB", "8 MiB", "1 GiB"; canonical form: plain bytes
  count,      // a whole number
  caches,     // one of `choices`, or sizes of caches (core/cache_shape.h)
  text,       // a line of up to `high` characters, which may be empty; commas in it part no values
  words,      // likewise, of words with single spaces between them; a list in a study file is one value
  arguments,  // likewise, for the command line of a kernel or of Xen (boot_arguments.h)
  prices,     // one of `choices`, or prices of instructions and events (core/lab_prices.h)
  stack,      // one of `choices`, or the name of a stack that the study describes (stack.h)
};

// Where a factor means something. Elsewhere it changes nothing, and has its default.
struct FactorMeaning {
  bool in_lab = true, on_host = true;
  bool (*on_platform)(const PlatformFacts&) = nullptr;  // null: on every one
  bool with_cards_alone = false;                        // in the lab, with topology "card"
  bool inside_alone = false;                            // in the lab, with topology "inside"
  bool with_link_alone = false;    // in the lab, where machines are joined: topology "joined", `machines`
  bool with_others_alone = false;  // in the lab, with several `machines`
  bool of_the_network = false;     // nothing to work without traffic
};

// Who reads it when a trial is made. A factor that nobody reads would be measured for nothing.
struct FactorReaders {
  bool plan = false;      // it stands in the lab's plan, for the agent or the emulator's clock
  bool boot = false;      // the lab's machine (MachineShape)
  bool emulator = false;  // the emulator and its probe, besides the machine
  bool host = false;      // the host's trial
};

struct Factor {
  std::string_view name;
  FactorType type = FactorType::choice;
  std::string_view help;                  // one line
  std::string fallback;                   // canonical; used where a study does not name the factor
  std::vector<std::string_view> choices;  // of FactorType::choice
  std::uint64_t low = 0, high = 0;        // of the others, both allowed
  FactorMeaning meaning;
  FactorReaders readers;
  std::uint64_t quick_least = 0;  // an amount of work: what --quick leaves of it at least; 0: all
  // Its field. What `set` is given is canonical.
  std::function<std::string(const TrialSpec&)> get;
  std::function<void(TrialSpec&, std::string_view)> set;
};

// Of these a --set gives one value, whatever is in it.
[[nodiscard]] inline bool is_text(FactorType type) {
  return type == FactorType::text || type == FactorType::words || type == FactorType::arguments;
}

// Whether a text has the length and the characters for it.
[[nodiscard]] bool fits(const Factor& factor, std::string_view text);

// Sets the field. Error (usage): not a canonical value of the factor.
[[nodiscard]] Result<> put(const Factor& factor, std::string_view canonical, TrialSpec& spec);

}  // namespace vtax
