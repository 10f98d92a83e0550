#include "probe/vm_exit.h"

#include <gtest/gtest.h>

namespace vtax::probe {
namespace {

// AMD64 Architecture Programmer's Manual, volume 2, appendix C.
TEST(VmExit, CodesHaveReasons) {
  const std::pair<std::uint64_t, Event> known[] = {
      {0x00, Event::exits_register},  {0x3f, Event::exits_register},
      {0x40, Event::exits_exception}, {0x4e, Event::exits_exception},
      {0x5f, Event::exits_exception}, {0x60, Event::exits_interrupt},
      {0x63, Event::exits_interrupt}, {0x64, Event::exits_interrupt_window},
      {0x65, Event::exits_register},  {0x72, Event::exits_cpuid},
      {0x77, Event::exits_pause},     {0x78, Event::exits_halt},
      {0x7b, Event::exits_io},        {0x7c, Event::exits_msr},
      {0x81, Event::exits_hypercall}, {0x400, Event::exits_nested_page_fault},
      {0x401, Event::exits_other},    {~std::uint64_t{0}, Event::exits_other}};
  for (const auto& [code, reason] : known) EXPECT_EQ(reason_of(code), reason) << std::hex << code;
}

}  // namespace
}  // namespace vtax::probe
