#pragma once

// One context per (CPU, virtual CPU current on it): a table of instructions by block and the events.
// Tables are reserved address space; only the pages of blocks that ran take memory.

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "blocks.h"
#include "format.h"

namespace vtax::probe {

struct CacheCounts {
  std::uint64_t of[kCacheCounts];
};

struct ContextTable {
  int cpu = -1;
  std::uint64_t vcpu = 0;
  int domain = -1;
  std::uint64_t* instructions = nullptr;  // by block number
  std::uint64_t* before = nullptr;        // the same when the timeline's slice began
  CacheCounts* caches = nullptr;          // by block number; null without a cache model
  bool in_slice = false;                  // it may have changed since
  std::array<std::uint64_t, kCounters> events{};
};

class Contexts {
 public:
  void count_caches() { counts_caches_ = true; }

  // The context of `vcpu` on `cpu`; null when address space cannot be had. Stays valid for ever.
  ContextTable* of(int cpu, std::uint64_t vcpu) {
    for (ContextTable* context : contexts_)
      if (context->cpu == cpu && context->vcpu == vcpu) return context;
    void* memory = mmap(nullptr, 2 * std::size_t{kMaxBlocks} * sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* const table = static_cast<std::uint64_t*>(memory);
    auto* context =
        new ContextTable{cpu, vcpu, domain_of(vcpu), table, table + kMaxBlocks, nullptr, false, {}};
    if (counts_caches_) {
      void* counts = mmap(nullptr, std::size_t{kMaxBlocks} * sizeof(CacheCounts), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (counts == MAP_FAILED) return nullptr;
      context->caches = static_cast<CacheCounts*>(counts);
    }
    contexts_.push_back(context);
    return context;
  }

  void announce(ContextTable* context, int domain) {
    context->domain = domain;
    if (context->vcpu == 0) return;
    domains_[context->vcpu] = domain;
    for (ContextTable* other : contexts_)
      if (other->vcpu == context->vcpu) other->domain = domain;
  }

  // Before the first switch on a CPU its current virtual CPU is unknown (0); the switch names it.
  void name_vcpu(ContextTable* context, std::uint64_t vcpu) {
    if (context->vcpu != 0) return;
    context->vcpu = vcpu;
    if (context->domain >= 0)
      announce(context, context->domain);
    else
      context->domain = domain_of(vcpu);
  }

  void clear(std::uint32_t blocks) {
    for (ContextTable* context : contexts_) {
      std::memset(context->instructions, 0, std::size_t{blocks} * sizeof(std::uint64_t));
      std::memset(context->before, 0, std::size_t{blocks} * sizeof(std::uint64_t));
      if (context->caches != nullptr)
        std::memset(context->caches, 0, std::size_t{blocks} * sizeof(CacheCounts));
      context->events.fill(0);
    }
  }

  [[nodiscard]] const std::vector<ContextTable*>& all() const { return contexts_; }

 private:
  [[nodiscard]] int domain_of(std::uint64_t vcpu) const {
    const auto known = domains_.find(vcpu);
    return known == domains_.end() ? -1 : known->second;
  }

  std::vector<ContextTable*> contexts_;
  std::map<std::uint64_t, int> domains_;
  bool counts_caches_ = false;
};

}  // namespace vtax::probe
