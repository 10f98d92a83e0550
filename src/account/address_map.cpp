#include "account/address_map.h"

#include <fmt/format.h>

namespace vtax {
namespace {

constexpr std::uint64_t kXenBegin = 0xffff800000000000, kXenEnd = 0xffff880000000000;
constexpr std::uint64_t kUpperHalf = 0x8000000000000000;

Place unknown(std::string image, GuestAddress address) {
  return {std::move(image), fmt::format("[{:#x}]", address.value & ~0xfffULL)};
}

}  // namespace

Region region_of(GuestAddress address, bool has_hypervisor) {
  if (address.value < kUpperHalf) return Region::program;
  if (has_hypervisor && address.value >= kXenBegin && address.value < kXenEnd) return Region::hypervisor;
  return Region::kernel;
}

void AddressMap::add_module(const std::string& domain, std::string module, Table symbols) {
  modules_[domain].push_back({std::move(module), std::move(symbols)});
}

void AddressMap::add_run_time_code(std::string domain, int cpu, const RunTimeFunctions& functions) {
  std::vector<Symbol> symbols;
  for (const auto& [begin, function] : functions) {
    symbols.push_back({GuestAddress(begin), function.name, 'T'});
    symbols.push_back({GuestAddress(function.end), "", '?'});  // what lies behind it is another's
  }
  run_time_codes_.push_back(
      {std::move(domain), cpu, std::make_shared<const SymbolTable>(std::move(symbols))});
}

AddressMap::IdleText AddressMap::idle_text_of(const Table& table) {
  if (!table) return {};
  return {table->address_of("__cpuidle_text_start").value_or(GuestAddress()),
          table->address_of("__cpuidle_text_end").value_or(GuestAddress())};
}

void AddressMap::find_idle_text() {
  idle_ = idle_text_of(kernel);
  guest_idle_ = idle_text_of(guest_kernel);
}

bool AddressMap::is_kernel_idle(GuestAddress address, const std::string& domain) const {
  const IdleText& idle = has_guest_kernel(domain) ? guest_idle_ : idle_;
  return address >= idle.begin && address < idle.end;
}

const AddressMap::ProgramCode* AddressMap::code_at(GuestAddress address, const std::string& domain,
                                                   int cpu) const {
  for (const ProgramCode& code : codes_)
    if (address >= code.begin && address < code.end && code.domain == domain &&
        (code.cpu < 0 || code.cpu == cpu))
      return &code;
  return nullptr;
}

const Symbol* AddressMap::run_time_symbol(GuestAddress address, const std::string& domain, int cpu) const {
  for (const RunTimeCode& code : run_time_codes_) {
    if (code.domain != domain || (code.cpu >= 0 && code.cpu != cpu)) continue;
    const Symbol* symbol = code.symbols->find(address);
    if (symbol != nullptr && symbol->is_text()) return symbol;
  }
  return nullptr;
}

Place AddressMap::place_of(GuestAddress address, const std::string& domain, int cpu) const {
  const auto named = [&](const Table& table, const char* image) -> Place {
    const Symbol* symbol = table ? table->find(address) : nullptr;
    return symbol != nullptr && symbol->is_text() ? Place{image, symbol->name, symbol->address}
                                                  : unknown(image, address);
  };
  switch (region_of(address, has_hypervisor)) {
    case Region::hypervisor:
      return named(hypervisor, "xen");
    case Region::program: {
      const ProgramCode* code = code_at(address, domain, cpu);
      if (code != nullptr)
        if (const Symbol* known = code->symbols ? code->symbols->find(address) : nullptr;
            known != nullptr && known->is_text())
          return {code->image, known->name, known->address};
      // Of what lies in a file without a symbol, as V8's own, programs tell names, too.
      if (const Symbol* made = run_time_symbol(address, domain, cpu))
        return {code != nullptr ? code->image : kRunTimeImage, made->name, made->address};
      if (code != nullptr) return unknown(code->image, address);
      const Symbol* symbol = program ? program->find(address) : nullptr;
      return symbol != nullptr && symbol->is_text() ? Place{"vtax", symbol->name, symbol->address}
                                                    : unknown("program", address);
    }
    case Region::kernel:
      break;
  }
  if (const auto loaded = modules_.find(domain); loaded != modules_.end())
    for (const Module& module : loaded->second)
      if (const Symbol* symbol = module.symbols->find(address); symbol != nullptr)
        return {module.name, symbol->name, symbol->address};
  return named(has_guest_kernel(domain) ? guest_kernel : kernel, "vmlinux");
}

}  // namespace vtax
