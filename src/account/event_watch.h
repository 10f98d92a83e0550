#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "account/address_map.h"
#include "account/event_table.h"
#include "account/probe_output.h"

namespace vtax {

// The table of events (event_table.h) on one machine: where its images have the functions. Of the events that
// the probe does not know by itself, those that need an argument or a caller are sums that it makes; the
// others are told by how often blocks began, and cost it nothing. The probe sees addresses and not whose
// kernel lies there, so where guests have one of their own it makes the sums for each of the two, told apart
// by their numbers, and entries of both kernels are told by blocks, whose domain is known.
class EventWatch {
 public:
  explicit EventWatch(const AddressMap& map);

  // The probe's settings, a line each (probe/settings.h); modules are not in them, as their addresses are
  // known only behind the window.
  [[nodiscard]] const std::string& settings() const { return settings_; }

  // What an event of that kind (the ledger's name) takes, as settings of the probe; empty where nothing of it
  // is seen as it happens.
  [[nodiscard]] std::string price_settings(std::string_view kind, std::uint64_t femtoseconds) const;

  // A function that is needed and that its image lacks; null: none.
  [[nodiscard]] const CountedAt* lacks() const { return lacks_; }

  struct Count {
    std::size_t kind = 0;  // in event_kinds()
    std::uint64_t value = 0;
  };
  // What the executions of this block count; the domain's name is of the row's context.
  [[nodiscard]] std::vector<Count> counts_of(const ProbeWindow::Row& row, const std::string& domain) const;
  // Kind event_kinds().size(): no such sum, or not of the kernel that this domain has.
  [[nodiscard]] Count count_of(const ProbeWindow::Sum& sum, const std::string& domain) const;

  // Notes that the row was executed, for is_known().
  void note(const ProbeWindow::Row& row, const std::string& domain);
  // Whether an event that was not seen did not happen: its functions are there, and where only one function's
  // calls count and that ran, it is known to call (and was not compiled to do the work itself).
  [[nodiscard]] bool is_known(std::size_t kind) const { return places_[kind] && !callers_ran_[kind]; }

 private:
  // An image, and in which domains it is: in all (no name), in one, or in all but one.
  struct Image {
    std::string name;
    std::string domain = {};
    bool is_in_all_others = false;

    [[nodiscard]] bool is_in(const std::string& other) const {
      return domain.empty() || (other == domain) != is_in_all_others;
    }
  };
  struct Entry {
    std::size_t kind;
    Image image;
    std::uint64_t begin, end;
  };
  void watch(const SymbolTable& table, const Image& image);
  void watch_kernel(const SymbolTable& table, const Image& image);
  void watch_place(std::size_t kind, const CountedAt& place, GuestAddress begin, const SymbolTable& table,
                   const Image& image);
  // The beginning of a kind that the probe knows by its address.
  void watch_entry(std::size_t kind, GuestAddress begin, const Image& image);

  bool hypervised_;
  bool two_kernels_;
  std::string first_domain_;
  std::string settings_;
  const CountedAt* lacks_ = nullptr;
  std::vector<bool> places_, callers_ran_;  // by kind
  std::unordered_multimap<std::uint64_t, Entry> entries_;
  std::vector<Entry> accesses_;
  std::unordered_multimap<std::uint64_t, Entry> callers_;
};

}  // namespace vtax
