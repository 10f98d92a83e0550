#pragma once

#include <optional>
#include <string>
#include <utility>

#include "machine/host/host_run.h"
#include "machine/machine.h"

namespace vtax::host {

// This computer itself. Errors of identify() and run(): host_run.h. Who is asked to identify trials and then
// to run some of them prepares once.
class Host final : public Machine {
 public:
  // `own_build`: the option by which the user gave a kernel or a Xen of their own ("--xen"); "" for none.
  explicit Host(std::string own_build) : own_build_(std::move(own_build)) {}

  // What runs here is the computer's own kernel.
  [[nodiscard]] Result<> check(const std::vector<Trial>& trials) const override;
  [[nodiscard]] Result<std::string> identify(const std::vector<Trial>& trials,
                                             const OnStep& on_step) override;
  [[nodiscard]] Result<> run(std::vector<Trial> trials, const MachineEvents& events) override;
  [[nodiscard]] int at_once() const override { return 1; }  // two at once would measure each other

 private:
  Result<> prepare(const std::vector<Trial>& trials, const OnStep& on_step);

  std::string own_build_;
  // Of the trials that were identified, so that nothing is read or built a second time for running them.
  std::optional<HostParts> parts_;
};

}  // namespace vtax::host
