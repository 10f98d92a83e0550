#include "meter/thread_uses.h"

#include <algorithm>
#include <optional>

namespace vtax::meter {
namespace {

struct Ended {
  std::uint64_t all_ns = 0;
  std::uint64_t gone_ns = 0;  // of all_ns, from before the first reading
};

// Whose threads and children are told when they have ended.
std::optional<ThreadClass> class_of_ended(const LedgerInput& input, int process,
                                          const std::map<int, int>& parents) {
  using Role = MeteredProcess::Role;
  const MeteredProcess* owner = owner_of(process, input.processes, parents);
  if (owner == nullptr || owner->role == Role::emulator || owner->role == Role::kvm) return std::nullopt;
  const ThreadKind kind = owner->role == Role::uml ? ThreadKind::uml_program : kind_of({}, *owner);
  return ThreadClass{owner->cpu, kind, owner->guest};
}

void add_ended(const LedgerInput& input, std::map<ThreadClass, ThreadUse>& uses) {
  std::map<ThreadClass, Ended> all;
  for (const auto& [process, after] : input.after.ended) {
    const auto which = class_of_ended(input, process, input.after.parents);
    if (!which) continue;
    const auto earlier = input.before.ended.find(process);
    const EndedTime before = earlier == input.before.ended.end() ? EndedTime{} : earlier->second;
    LedgerInput::Awaited awaited{kTickNs * since(before.user_ticks, after.user_ticks),
                                 kTickNs * since(before.system_ticks, after.system_ticks)};
    if (const auto said = input.awaited.find(process); said != input.awaited.end()) awaited = said->second;
    all[*which].all_ns += since(before.threads_ns, after.threads_ns) + awaited.user_ns + awaited.system_ns;
    uses[*which].user_ns += awaited.user_ns;
    uses[*which].system_ns += awaited.system_ns;
  }
  // What is left of them is the time of their whole lives, that before the first reading, too.
  for (const auto& [id, thread] : input.before.threads) {
    if (input.after.threads.contains(id)) continue;
    if (const auto which = class_of_ended(input, thread.process, input.before.parents))
      all[*which].gone_ns += thread.run_ns;
  }
  for (const auto& [process, earlier] : input.before.ended) {
    if (input.after.parents.contains(process)) continue;
    if (const auto which = class_of_ended(input, process, input.before.parents))
      all[*which].gone_ns += earlier.threads_ns + kTickNs * (earlier.user_ticks + earlier.system_ticks);
  }
  // Who is not waited for brings nothing, and has nothing to give back.
  for (const auto& [which, ended] : all) uses[which].run_ns += since(ended.gone_ns, ended.all_ns);
}

}  // namespace

std::map<ThreadClass, ThreadUse> thread_uses(const LedgerInput& input) {
  std::map<ThreadClass, ThreadUse> uses;
  for (const auto& [id, thread] : input.after.threads) {
    const MeteredProcess* owner = owner_of(thread.process, input.processes, input.after.parents);
    if (owner == nullptr) continue;
    const auto earlier = input.before.threads.find(id);
    const ThreadTime start = earlier == input.before.threads.end() ? ThreadTime{} : earlier->second;
    ThreadUse& use = uses[{owner->cpu, kind_of(thread, *owner), owner->guest}];
    use.run_ns += since(start.run_ns, thread.run_ns);
    use.user_ns += kTickNs * since(start.user_ticks, thread.user_ticks);
    use.system_ns += kTickNs * since(start.system_ticks, thread.system_ticks);
    use.guest_ns += kTickNs * since(start.guest_ticks, thread.guest_ticks);
  }
  add_ended(input, uses);
  return uses;
}

}  // namespace vtax::meter
