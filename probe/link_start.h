#pragma once

namespace vtax::probe {

// link.cpp. Before QEMU begins: reads VTAX_LINK, if there is one. `asleep`: every CPU is halted and nothing
// has woken one.
void prepare_link(bool (*asleep)(), void (*refuse)(const char* why));

// When the machine goes on, on the CPUs' thread with QEMU's big lock held.
void start_link();

}  // namespace vtax::probe
