#include "simulate/scheduler.h"

namespace vtax::simulate {

std::unique_ptr<Scheduler> make_scheduler(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::credit2:
      return make_credit2(false);
    case SchedulerKind::credit2_4_21:
      return make_credit2(true);
    case SchedulerKind::credit:
      return make_credit();
    case SchedulerKind::rtds:
      return make_rtds();
    case SchedulerKind::null:
      return make_null();
    case SchedulerKind::bvt:
      return make_bvt(false, kBvtAllowance);
    case SchedulerKind::bvt_shipped:
      return make_bvt(true, kBvtAllowance);
    case SchedulerKind::sedf:
      return make_sedf();
    case SchedulerKind::atropos:
      return make_atropos();
  }
  return nullptr;
}

}  // namespace vtax::simulate
