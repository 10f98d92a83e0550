#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/driver_machine.h"
#include "agent/lab_plan.h"
#include "core/json_fields.h"
#include "core/result.h"
#include "platform/guests_elsewhere.h"
#include "platform/platform.h"

// Several joined machines, resumed from one snapshot, whose guests ask the driver domain of the first one
// (`machines`; docs/design/joined-machines.md). In the others every guest takes the number that it has among
// all, and the driver domain lets go of them: they obey that of the first.
namespace vtax::agent {

// In the first machine: the guests of the others.
class OtherMachines {
 public:
  // The card becomes a port of the guests' bridge, and the guests behind it are reached. With one machine
  // there are none.
  [[nodiscard]] Result<> reach(const LabPlan& plan, const DriverDomain& driver, const Setup& setup);

  // Good while this lives.
  [[nodiscard]] std::vector<GuestElsewhere> guests();

 private:
  std::vector<EndpointClient> clients_;
  int first_ = 1;
};

// In one of the others, for ever. Error: why it is none.
[[nodiscard]] Result<> serve_as_other_machine(DriverMachine& machine, const LabPlan& plan,
                                              const Setup& setup);

// In a guest, the order {"do": "renumber", "number": 3}: what it says. Its agent serves under that number
// when its controller has left, by take_number().
[[nodiscard]] Result<int> new_number_from(const JsonFields& order);
[[nodiscard]] Result<> take_number(int from, int number);

}  // namespace vtax::agent
