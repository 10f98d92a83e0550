#include "machine/parts/stack_sources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/files.h"
#include "core/readable.h"
#include "machine/parts/image_content.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/release_apt.h"
#include "machine/parts/xen_tree.h"
#include "machine/parts/xen_version.h"

namespace vtax::lab {
namespace {

std::optional<std::filesystem::path> file_of_stack(const std::string& given) {
  return given.empty() ? std::nullopt : std::optional<std::filesystem::path>(given);
}

std::string stacks_by_name(const OwnStacks& own) {
  std::vector<std::string> names{std::string(kOwnDistribution)};
  for (const DebianRelease& release : kDebianReleases) names.emplace_back(release.stack);
  for (const auto& [name, stack] : own) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Result<Sources> sources_of_stack(const std::string& stack, const Sources& given, const OwnStacks& own) {
  Sources sources = given;
  if (stack == kOwnDistribution) return sources;
  const std::string what = fmt::format("cannot use the stack '{}'", printable(stack));
  if (find_debian_release(stack) != nullptr) {
    sources.release = stack;
    return sources;
  }
  const auto found = own.find(stack);
  if (found == own.end())
    return fail({what, "there is none of that name",
                 fmt::format("there are: {}; one of your own is described under [stack.{}]",
                             stacks_by_name(own), printable(stack))});
  if (given.has_own())
    return fail({what, "the study says what it is made of, and --kernel, --modules or --xen do, too",
                 "give the files in one place"});
  if (found->second.base != kOwnDistribution) sources.release = found->second.base;
  sources.kernel = file_of_stack(found->second.kernel);
  sources.modules = file_of_stack(found->second.modules);
  sources.xen = file_of_stack(found->second.xen);
  sources.symbols = file_of_stack(found->second.symbols);
  return sources;
}

Result<Sources> sources_of_machine(const BootedStacks& stacks, const Sources& given, const OwnStacks& own) {
  auto sources = sources_of_stack(stacks.stack, given, own);
  if (!sources || stacks.guest_kernel == kSameKernel || stacks.guest_kernel == stacks.stack) return sources;
  const auto guests = sources_of_stack(stacks.guest_kernel, {}, own);
  if (!guests) return fail(guests.error());
  sources->guest = KernelSources{guests->kernel, guests->modules, guests->symbols, guests->release};
  return sources;
}

Result<> check_stacks(const std::map<BootedStacks, std::set<PlatformId>>& kinds, const Sources& given,
                      const OwnStacks& own) {
  for (const auto& [stacks, machines] : kinds) {
    const auto sources = sources_of_machine(stacks, given, own);
    if (!sources) return fail(sources.error());
    if (auto good = check_sources(machines, *sources); !good) {
      const bool is_own = own.contains(stacks.stack) || own.contains(stacks.guest_kernel);
      if (is_own) {
        const std::string& name = own.contains(stacks.stack) ? stacks.stack : stacks.guest_kernel;
        good.error().what = fmt::format("stack '{}': {}", name, good.error().what);
        good.error().code = ExitCode::usage;  // the study names its files
      }
      return good;
    }
  }
  return {};
}

Result<> check_cards(const UsedCards& used, const Sources& given, const OwnStacks& own) {
  for (const std::string& stack : used.stacks) {
    const auto sources = sources_of_stack(stack, given, own);
    if (!sources) return fail(sources.error());
    if (!sources->modules) continue;
    const auto tree = ModuleTree::open(*sources->modules);
    if (!tree) return fail(tree.error());
    const LabCard* card = card_for(*tree);
    const bool any_does = !used.given_away.contains(stack);
    if (card != nullptr && (any_does || card->device == lab_cards().front().device)) continue;
    std::vector<std::string> wanted;
    for (const LabCard& one : lab_cards())
      if (any_does || wanted.empty()) wanted.push_back(one.modules.back());
    return fail({fmt::format("cannot use the kernel of {} with cards", sources->modules->string()),
                 fmt::format("the lab's cards are driven by one of {}, and it has none of these modules",
                             fmt::join(wanted, ", ")),
                 "take topology = \"inside\" (--set topology=inside), or build the kernel with one of them",
                 ExitCode::usage});
  }
  return {};
}

Result<std::string> toolstack_of(const Sources& sources) {
  if (!sources.xen) return sources.release;
  const auto tree = XenTree::open(*sources.xen);
  if (!tree) return fail(tree.error());
  // What its toolstack lacks of others' libraries is the base's.
  if (tree->has_toolstack()) return sources.release;
  const auto bytes = read_file(tree->hypervisor);
  if (!bytes) return fail(bytes.error());
  const std::string name = tree->hypervisor.filename().string();
  const auto xen = read_xen(*bytes, name);
  if (!xen) return fail(xen.error());
  const auto version = version_of_xen(*xen, name);
  const DebianRelease* base = sources.release.empty() ? own_release() : find_debian_release(sources.release);
  if (!version || base == nullptr || base->xen == *version) return sources.release;
  if (const DebianRelease* fitting = debian_release_of_xen(*version)) return std::string(fitting->stack);
  std::vector<std::string> known;
  for (const DebianRelease& release : kDebianReleases)
    known.push_back(fmt::format("{} ({})", release.xen, release.stack));
  return fail(
      {fmt::format("cannot use {} as the lab's Xen", name),
       fmt::format(
           "it is Xen {}, and the toolstacks that vtax has speak to {}: one speaks to its own version "
           "alone",
           *version, fmt::join(known, ", ")),
       "give a Xen of one of these versions"});
}

}  // namespace vtax::lab
