#include "study/stack_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/readable.h"
#include "study/suggest.h"
#include "study/toml_text.h"

namespace vtax {
namespace {

constexpr const char* kExampleOfStack =
    "write [stack.mine], and below it kernel = \"bzImage\", modules = \"build\"";

struct PartOfStack {
  std::string_view key;
  std::string OwnStack::*into;
};
constexpr std::array<PartOfStack, 5> kPartsOfStack{{{"base", &OwnStack::base},
                                                    {"xen", &OwnStack::xen},
                                                    {"kernel", &OwnStack::kernel},
                                                    {"modules", &OwnStack::modules},
                                                    {"symbols", &OwnStack::symbols}}};

std::vector<std::string_view> keys_of_stack() {
  std::vector<std::string_view> keys;
  for (const PartOfStack& part : kPartsOfStack) keys.push_back(part.key);
  return keys;
}

Result<> read_part(const toml::key& key, const toml::node& node, const StudyReader& reader, OwnStack& stack) {
  const auto* part = std::find_if(kPartsOfStack.begin(), kPartsOfStack.end(),
                                  [&](const PartOfStack& p) { return p.key == key.str(); });
  if (part == kPartsOfStack.end())
    return reader.wrong(key.source(), fmt::format("unknown key '{}' of a stack", printable(key.str())),
                        suggestion(key.str(), keys_of_stack()));
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty() || printable(*text, text->size()) != *text)
    return reader.wrong(node.source(), fmt::format("'{}' must be text of one line", part->key), "");
  stack.*part->into = *text;
  return {};
}

Result<OwnStack> read_stack(const toml::key& name, const toml::node& node, const StudyReader& reader) {
  const bool is_taken =
      name.str() == kOwnDistribution || name.str() == kSameKernel || name.str().starts_with("debian-");
  if (!is_stack_name(name.str()) || is_taken)
    return reader.wrong(
        name.source(), fmt::format("a stack of one's own cannot be called '{}'", printable(name.str())),
        "take small letters, digits and '-'; 'distribution', 'same' and names with 'debian-' are vtax's own");
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return reader.wrong(node.source(), fmt::format("a stack must be a table, not {}", type_name(node)),
                        kExampleOfStack);
  OwnStack stack;
  for (const auto& [key, value] : *table)
    if (auto read = read_part(key, value, reader, stack); !read) return fail(read.error());
  if (stack.base != kOwnDistribution && find_debian_release(stack.base) == nullptr) {
    // All of them: the nearest of their names is no nearer.
    std::string bases(kOwnDistribution);
    for (const DebianRelease& release : kDebianReleases) bases += fmt::format(", {}", release.stack);
    return reader.wrong(table->source(), fmt::format("'{}' is no base of a stack", printable(stack.base)),
                        "allowed: " + bases);
  }
  if (stack.xen.empty() && stack.kernel.empty())
    return reader.wrong(table->source(), "the stack names neither 'xen' nor 'kernel'", kExampleOfStack);
  for (const auto& [part, key] : {std::pair(&stack.modules, "modules"), {&stack.symbols, "symbols"}})
    if (!part->empty() && stack.kernel.empty())
      return reader.wrong(table->source(), fmt::format("the stack has '{}', but no 'kernel' of them", key),
                          "name the kernel of the same build");
  return stack;
}

}  // namespace

Result<OwnStacks> read_stacks(const toml::table& root, const StudyReader& reader) {
  OwnStacks stacks;
  const toml::node* node = root.get("stack");
  if (node == nullptr) return stacks;
  const toml::table* tables = node->as_table();
  if (tables == nullptr)
    return reader.wrong(
        node->source(),
        fmt::format("at the top of the file 'stack' is a table of stacks, not {}", type_name(*node)),
        "a factor 'stack' belongs under [factors]; a stack of one's own under [stack.mine]");
  for (const auto& [name, table] : *tables) {
    auto stack = read_stack(name, table, reader);
    if (!stack) return fail(stack.error());
    stacks.emplace(std::string(name.str()), std::move(*stack));
  }
  return stacks;
}

}  // namespace vtax
