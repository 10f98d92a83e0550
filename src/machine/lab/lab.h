#pragma once

#include "machine/lab/lab_run.h"
#include "machine/machine.h"

namespace vtax::lab {

// The emulated machine. Errors of identify() and run(): lab_identity.h, lab_run.h.
class Lab final : public Machine {
 public:
  explicit Lab(LabRunOptions options) : options_(std::move(options)) {}

  // The user's own builds: whether they can be what they are given for (check_sources), and whether a
  // platform of these trials has them.
  [[nodiscard]] Result<> check(const std::vector<Trial>& trials) const override;
  [[nodiscard]] Result<std::string> identify(const std::vector<Trial>& trials,
                                             const OnStep& on_step) override;
  [[nodiscard]] Result<> run(std::vector<Trial> trials, const MachineEvents& events) override;
  [[nodiscard]] int at_once() const override { return options_.jobs; }

 private:
  LabRunOptions options_;
};

}  // namespace vtax::lab
