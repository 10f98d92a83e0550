#pragma once

#include <memory>

#include "core/result.h"
#include "watch/inventory.h"
#include "watch/reading.h"

namespace vtax::watch {

struct WatchOptions {
  ChargeBy charge_by = ChargeBy::work;
};

// Watches whatever runs on this computer. Nothing is configured: guests are found anew at each reading. What
// it opens (BPF programs, descriptors) goes with the object, or with the process.
class Watch {
 public:
  // Takes the first look, from which the first reading counts. Error: /proc cannot be read; unavailable,
  // naming the version, where a Xen speaks an interface that is not known. What only narrows the view is no
  // error: it is in Reading::missing.
  [[nodiscard]] static Result<Watch> start(const WatchOptions& options);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // What happened since the reading before. Takes as long as looking does; waiting is the caller's.
  [[nodiscard]] Result<Reading> read();
  // Whose everything was at the last look.
  [[nodiscard]] const Inventory& inventory() const;

 private:
  class Looks;
  explicit Watch(std::unique_ptr<Looks> looks);
  std::unique_ptr<Looks> looks_;
};

}  // namespace vtax::watch
