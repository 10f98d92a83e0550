#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "meter/group_books.h"
#include "meter/process_table.h"
#include "watch/inventory.h"
#include "watch/look.h"

namespace vtax::watch {

// The files of one guest, which stay open from one look to the next.
class GuestBooks {
 public:
  // `with_ticks`: as meter::ThreadBooks.
  GuestBooks(const KnownGuest& guest, const meter::GroupMounts& mounts, bool with_ticks);

  // `guest` may have other processes than before.
  [[nodiscard]] GuestLook read(const KnownGuest& guest);
  // Its group is gone although it has processes: they are in another one by now.
  [[nodiscard]] bool group_is_gone() const { return group_is_gone_; }

 private:
  void read_network(const KnownGuest& guest, GuestLook& look);
  void read_exits(int process, GuestLook& look);
  void read_blocks_of_domain(int domain, GuestLook& look);

  bool with_ticks_, group_is_gone_ = false;
  std::optional<meter::GroupBooks> group_;
  std::unordered_map<int, meter::ThreadBooks> threads_;
  meter::HeldFile network_, exits_;
  int network_of_ = 0, exits_of_ = 0;
  std::string buffer_;
};

}  // namespace vtax::watch
