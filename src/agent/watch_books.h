#pragma once

#include <optional>

#include "agent/peer_books.h"
#include "controller/trial.h"
#include "watch/watch.h"

namespace vtax::agent {

// What the monitor of a running computer, which knows nothing of a trial, says of the window: the result's
// "watch", with what other monitors' sources say (peer_books.h), for the table of its errors against the
// exact ledger (bench/watch_error):
//   {"interval_ns", "all_cpus_ns", "guests": [{"name", "own_ns", "threads_ns", "packets_ns", "shared_ns",
//    "packets"}, ...], "other": {"driver_ns", ...}, "shared_by", "missing": [...]}
class WatchBooks {
 public:
  // Before anything that counts: opening all books takes longer than the quiet before a window.
  [[nodiscard]] Result<> open();
  // After open(). They refer to this object.
  [[nodiscard]] controller::WindowHooks hooks();

 private:
  Result<> begin();
  Result<> end();
  void describe(nlohmann::json& result) const;

  PeerBooks peers_;
  std::optional<watch::Watch> watch_;
  watch::Reading reading_;
};

}  // namespace vtax::agent
