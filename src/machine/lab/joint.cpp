#include "machine/lab/joint.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "probe/link_memory.h"

namespace vtax::lab {

static_assert(std::tuple_size_v<decltype(JointEnd::sockets)> == probe::kLinkNetworks);

Result<Joint> Joint::make(int machines, std::chrono::nanoseconds latency) {
  Joint joint;
  joint.latency_ = latency;
  joint.memory_ = Descriptor(memfd_create("vtax-joint", MFD_CLOEXEC));
  if (!joint.memory_.valid() || ftruncate(joint.memory_.get(), sizeof(probe::LinkMemory)) != 0)
    return fail(system_error("cannot make the memory of joined machines", errno));
  for (int seat = 0; seat < machines; ++seat) {
    auto& both = joint.sockets_.emplace_back();
    for (Socket& socket : both) {
      std::array<int, 2> ends{};
      if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return fail(system_error("cannot make a socket of joined machines", errno));
      socket.emulators = Descriptor(ends[0]);
      socket.other = Descriptor(ends[1]);
    }
  }
  return joint;
}

JointEnd Joint::end(int seat, bool is_peers) const {
  const auto& both = sockets_.at(static_cast<std::size_t>(seat));
  return {memory_.get(), {both[0].emulators.get(), both[1].emulators.get()},
          seat,          static_cast<int>(sockets_.size()),
          is_peers,      latency_};
}

}  // namespace vtax::lab
