#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "account/symbol_table.h"
#include "core/run_time_functions.h"
#include "core/units.h"

namespace vtax {

// Of functions that a program has made while it ran.
inline constexpr const char* kRunTimeImage = "[run time]";

enum class Region { hypervisor, kernel, program };

// Which of the three an address belongs to. Xen keeps 0xffff8000_00000000 to 0xffff87ff_ffffffff for itself
// in every 64-bit PV guest (Xen's include/asm-x86/config.h); Linux lives above, programs in the lower half.
[[nodiscard]] Region region_of(GuestAddress address, bool has_hypervisor);

struct Place {
  std::string image;     // "xen", "vmlinux", a module, "vtax", "program"
  std::string function;  // "[0xADDRESS]" of the surrounding 4 KiB page where no symbol is known
  std::optional<GuestAddress> begin = {};  // where the function's code begins; nothing without a symbol
};

// The symbols of everything that can run in one machine. Modules are loaded at different addresses in
// different domains, hence by domain.
class AddressMap {
 public:
  using Table = std::shared_ptr<const SymbolTable>;

  bool has_hypervisor = false;
  bool nested = false;  // guests of KVM: guest and host have kernels at the same addresses
  Table hypervisor;
  Table kernel;
  Table guest_kernel;  // of all domains but `first_domain`; null: they have the same
  std::string first_domain = {};
  Table program;  // vtax itself, linked at fixed addresses

  // Code of a program of the user's, in every process of a domain, on one CPU or (-1) on all of its.
  struct ProgramCode {
    std::string domain;
    int cpu = -1;
    GuestAddress begin, end;
    std::string image;   // the file's name without its folder
    Table symbols = {};  // null where they are not known
  };
  void add_program_code(ProgramCode code) { codes_.push_back(std::move(code)); }

  // Functions that programs made while they ran, likewise; a symbol of a file is believed first.
  struct RunTimeCode {
    std::string domain;
    int cpu = -1;
    Table symbols;
  };
  void add_run_time_code(std::string domain, int cpu, const RunTimeFunctions& functions);

  void add_module(const std::string& domain, std::string module, Table symbols);

  // f(domain, module, symbols) for each.
  template <class F>
  void for_each_module(F&& f) const {
    for (const auto& [domain, modules] : modules_)
      for (const Module& module : modules) f(domain, module.name, *module.symbols);
  }

  // `cpu`: that executed it; two programs may lie at the same addresses.
  [[nodiscard]] Place place_of(GuestAddress address, const std::string& domain, int cpu = -1) const;

  // Inside the kernel's own idle text (__cpuidle_text_start to __cpuidle_text_end,
  // include/asm-generic/vmlinux.lds.h).
  [[nodiscard]] bool is_kernel_idle(GuestAddress address, const std::string& domain) const;

  // Whether the domain's kernel is `guest_kernel`.
  [[nodiscard]] bool has_guest_kernel(const std::string& domain) const {
    return guest_kernel != nullptr && domain != first_domain;
  }

  // Call once the kernels are set.
  void find_idle_text();

 private:
  struct Module {
    std::string name;
    Table symbols;
  };
  [[nodiscard]] const ProgramCode* code_at(GuestAddress address, const std::string& domain, int cpu) const;

  [[nodiscard]] const Symbol* run_time_symbol(GuestAddress address, const std::string& domain, int cpu) const;

  std::map<std::string, std::vector<Module>> modules_;
  std::vector<ProgramCode> codes_;
  std::vector<RunTimeCode> run_time_codes_;
  struct IdleText {
    GuestAddress begin, end;
  };
  [[nodiscard]] static IdleText idle_text_of(const Table& table);
  IdleText idle_, guest_idle_;
};

}  // namespace vtax
