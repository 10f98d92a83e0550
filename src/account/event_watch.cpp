#include "account/event_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include "core/function_name.h"

namespace vtax {
namespace {

using What = CountedAt::What;
using probe::Amount;

constexpr char kKernel[] = "vmlinux";

std::span<const CountedAt> places_of(const EventKind& kind) {
  const auto end = std::find_if(kind.places.begin(), kind.places.end(),
                                [](const CountedAt& p) { return p.function.empty(); });
  return {kind.places.begin(), end};
}

bool is_sum(const EventKind& kind) {
  const auto places = places_of(kind);
  return !kind.by_probe && std::any_of(places.begin(), places.end(), [](const CountedAt& place) {
    return place.what == What::argument || place.what == What::power_of_argument || !place.caller.empty();
  });
}

// The kinds that are sums, in the order of the table: a sum's number is its place here.
const std::vector<std::size_t>& summed_kinds() {
  static const auto kinds = [] {
    std::vector<std::size_t> out;
    for (std::size_t kind = 0; kind < event_kinds().size(); ++kind)
      if (is_sum(event_kinds()[kind])) out.push_back(kind);
    return out;
  }();
  return kinds;
}

std::vector<std::string_view> alternatives_of(std::string_view functions) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= functions.size();) {
    const std::size_t end = std::min(functions.find('|', at), functions.size());
    out.push_back(functions.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// The addresses of an image's functions that the table names.
class WantedFunctions {
 public:
  WantedFunctions(const SymbolTable& table, std::string_view image) {
    std::unordered_set<std::string_view> wanted;
    for (const EventKind& kind : event_kinds())
      for (const CountedAt& place : places_of(kind)) {
        if (place.image != image) continue;
        for (const auto name : alternatives_of(place.function)) wanted.insert(name);
        if (!place.caller.empty()) wanted.insert(place.caller);
      }
    for (const Symbol& symbol : table.symbols()) {
      if (!symbol.is_text()) continue;
      const std::string_view name = symbol.name;
      const std::string_view plain = wanted.contains(name) ? name : without_clone_suffix(name);
      if (wanted.contains(plain)) addresses_[plain].insert(symbol.address);
    }
  }

  // Of the first alternative that is there.
  [[nodiscard]] std::set<GuestAddress> of(std::string_view functions) const {
    for (const auto name : alternatives_of(functions))
      if (const auto found = addresses_.find(name); found != addresses_.end()) return found->second;
    return {};
  }

 private:
  std::unordered_map<std::string_view, std::set<GuestAddress>> addresses_;
};

// Where the function ends: at the next symbol.
std::uint64_t end_of(const SymbolTable& table, GuestAddress begin) {
  const auto& symbols = table.symbols();
  const auto next =
      std::upper_bound(symbols.begin(), symbols.end(), begin,
                       [](GuestAddress at, const Symbol& symbol) { return at < symbol.address; });
  return next == symbols.end() ? begin.value + SymbolTable::kLastSymbolBytes : next->address.value;
}

// Which sum of the probe's. `is_guests`: in the guests' own kernel.
std::size_t sum_number(std::size_t kind, bool is_guests) {
  const auto& kinds = summed_kinds();
  const auto number = static_cast<std::size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
  return is_guests ? number + kinds.size() : number;
}

std::string sum_setting(std::size_t number, const CountedAt& place, GuestAddress at,
                        std::uint64_t caller_begin, std::uint64_t caller_end) {
  const Amount amount = place.what == What::argument            ? Amount::value
                        : place.what == What::power_of_argument ? Amount::power_of_two
                                                                : Amount::one;
  return fmt::format("sum {} {:x} {} {} {:x} {:x}\n", number, at.value, static_cast<unsigned>(amount),
                     place.argument_register, caller_begin, caller_end);
}

}  // namespace

EventWatch::EventWatch(const AddressMap& map)
    : hypervised_(map.has_hypervisor),
      two_kernels_(map.guest_kernel != nullptr),
      first_domain_(map.first_domain),
      places_(event_kinds().size()),
      callers_ran_(event_kinds().size()) {
  if (map.kernel) watch_kernel(*map.kernel, {kKernel, two_kernels_ ? first_domain_ : ""});
  if (map.guest_kernel) watch_kernel(*map.guest_kernel, {kKernel, first_domain_, true});
  if (map.has_hypervisor && map.hypervisor) watch(*map.hypervisor, {"xen"});
  map.for_each_module([&](const std::string& domain, const std::string& module, const SymbolTable& symbols) {
    watch(symbols, {module, domain});
  });
}

void EventWatch::watch_kernel(const SymbolTable& table, const Image& image) {
  watch(table, image);
  // The interrupts of its own: its timer, calls between CPUs.
  const auto kinds = event_kinds();
  const auto interrupts =
      std::find_if(kinds.begin(), kinds.end(),
                   [](const EventKind& kind) { return kind.by_probe == probe::Event::interrupts; }) -
      kinds.begin();
  for (const Symbol& symbol : table.symbols())
    if (symbol.is_text() && std::string_view(symbol.name).starts_with("asm_sysvec_"))
      watch_entry(static_cast<std::size_t>(interrupts), symbol.address, image);
}

void EventWatch::watch_entry(std::size_t kind, GuestAddress begin, const Image& image) {
  if (two_kernels_ && image.name == kKernel)
    entries_.emplace(begin.value, Entry{kind, image, begin.value, begin.value + 1});
  else
    settings_ +=
        fmt::format("event {} {:x}\n", static_cast<unsigned>(*event_kinds()[kind].by_probe), begin.value);
}

std::string EventWatch::price_settings(std::string_view kind, std::uint64_t femtoseconds) const {
  const auto kinds = event_kinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const EventKind& event) { return event.name == kind; });
  if (found == kinds.end()) return "";
  const auto number = static_cast<std::size_t>(found - kinds.begin());
  if (found->by_probe)
    return fmt::format("price_event {} {}\n", static_cast<unsigned>(*found->by_probe), femtoseconds);
  const auto& sums = summed_kinds();
  if (const auto sum = std::find(sums.begin(), sums.end(), number); sum != sums.end())
    return fmt::format("price_sum {} {}\n", sum - sums.begin(), femtoseconds);
  std::set<std::uint64_t> begins;  // in an order that is always the same
  for (const auto& [address, entry] : entries_)
    if (entry.kind == number && entry.image.domain.empty()) begins.insert(address);
  std::string out;
  for (const std::uint64_t address : begins) out += fmt::format("price_at {:x} {}\n", address, femtoseconds);
  return out;
}

void EventWatch::watch(const SymbolTable& table, const Image& image) {
  const bool is_named = std::any_of(event_kinds().begin(), event_kinds().end(), [&](const EventKind& kind) {
    return std::any_of(kind.places.begin(), kind.places.end(),
                       [&](const CountedAt& place) { return place.image == image.name; });
  });
  if (!is_named) return;
  const WantedFunctions functions(table, image.name);
  for (std::size_t kind = 0; kind < event_kinds().size(); ++kind)
    for (const CountedAt& place : places_of(event_kinds()[kind])) {
      const bool has_guests = hypervised_ || event_kinds()[kind].handler != Handler::guests_kernel;
      if (place.image != image.name || !has_guests) continue;
      const auto addresses = functions.of(place.function);
      if (addresses.empty() && place.what == What::needed_entry && lacks_ == nullptr) lacks_ = &place;
      if (place.caller.empty()) {
        for (const GuestAddress begin : addresses) watch_place(kind, place, begin, table, image);
        continue;
      }
      for (const GuestAddress caller : functions.of(place.caller))
        for (const GuestAddress begin : addresses) {
          settings_ += sum_setting(sum_number(kind, image.is_in_all_others), place, begin, caller.value,
                                   end_of(table, caller));
          callers_.emplace(caller.value, Entry{kind, image, caller.value, caller.value + 1});
          places_[kind] = true;
        }
    }
}

void EventWatch::watch_place(std::size_t kind, const CountedAt& place, GuestAddress begin,
                             const SymbolTable& table, const Image& image) {
  const EventKind& event = event_kinds()[kind];
  places_[kind] = true;
  if (event.by_probe)
    watch_entry(kind, begin, image);
  else if (is_sum(event))
    settings_ += sum_setting(sum_number(kind, image.is_in_all_others), place, begin, 0, 0);
  else if (place.what == What::device_access)
    accesses_.push_back({kind, image, begin.value, end_of(table, begin)});
  else
    entries_.emplace(begin.value, Entry{kind, image, begin.value, begin.value + 1});
}

std::vector<EventWatch::Count> EventWatch::counts_of(const ProbeWindow::Row& row,
                                                     const std::string& domain) const {
  std::vector<Count> out;
  if (row.instructions <= 0 || row.length == 0) return out;
  // A block that a fault cut short still began.
  const std::uint64_t began = row.executions();
  const auto add = [&](const Entry& entry) {
    if (entry.image.is_in(domain)) out.push_back({entry.kind, began});
  };
  const auto [first, last] = entries_.equal_range(row.address.value);
  for (auto entry = first; entry != last; ++entry) add(entry->second);
  if (row.accesses_devices)
    for (const Entry& function : accesses_)
      if (row.address.value >= function.begin && row.address.value < function.end) add(function);
  return out;
}

EventWatch::Count EventWatch::count_of(const ProbeWindow::Sum& sum, const std::string& domain) const {
  const auto& kinds = summed_kinds();
  const Count none{event_kinds().size(), 0};
  if (sum.number >= kinds.size() * (two_kernels_ ? 2 : 1)) return none;
  const std::size_t kind = kinds[sum.number % kinds.size()];
  const auto places = places_of(event_kinds()[kind]);
  const bool is_kernels = std::any_of(places.begin(), places.end(),
                                      [](const CountedAt& place) { return place.image == kKernel; });
  const bool is_of_guests = sum.number >= kinds.size();
  if (two_kernels_ && is_kernels && is_of_guests != (domain != first_domain_)) return none;
  return {kind, sum.value};
}

void EventWatch::note(const ProbeWindow::Row& row, const std::string& domain) {
  const auto [first, last] = callers_.equal_range(row.address.value);
  for (auto caller = first; caller != last; ++caller)
    if (row.instructions > 0 && caller->second.image.is_in(domain)) callers_ran_[caller->second.kind] = true;
}

}  // namespace vtax
