#pragma once

#include <map>
#include <set>
#include <string>

#include "core/result.h"
#include "machine/parts/lab_image.h"
#include "subject/stack.h"

namespace vtax::lab {

// What machines of this stack are made from. `given`: what the command line gives (--kernel, --modules,
// --xen), which takes the place of parts of the distribution or of a release, and its agent and workload;
// `own`: the stacks that the study describes. Errors (usage): no such stack; one of the study's beside files
// of the command line.
[[nodiscard]] Result<Sources> sources_of_stack(const std::string& stack, const Sources& given,
                                               const OwnStacks& own);

// The same of a machine whose guests may boot another stack's kernel.
[[nodiscard]] Result<Sources> sources_of_machine(const BootedStacks& stacks, const Sources& given,
                                                 const OwnStacks& own);

// check_sources() of each with the kinds of machines that boot it, and that there are such stacks.
[[nodiscard]] Result<> check_stacks(const std::map<BootedStacks, std::set<PlatformId>>& kinds,
                                    const Sources& given, const OwnStacks& own);

// What the trials that send over cards do with them.
struct UsedCards {
  std::set<std::string> stacks = {};      // whose machines have them
  std::set<std::string> given_away = {};  // of these, whose driver domains have them: they drive e1000e alone
};

// Whether the modules that the user gives for these stacks drive a card of the lab's. Error (usage): which
// kernel lacks what, and that both ends may be inside one machine.
[[nodiscard]] Result<> check_cards(const UsedCards& used, const Sources& given, const OwnStacks& own);

// Whose toolstack these machines get, as Sources::release names it: the same, or, with a Xen of the user's of
// another version, that of the release whose toolstack speaks to it. Asks nobody. Error (usage): none does;
// both versions are named.
[[nodiscard]] Result<std::string> toolstack_of(const Sources& sources);

}  // namespace vtax::lab
