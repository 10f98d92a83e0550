#include "agent/idle_card.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <filesystem>

#include "agent/lab_layout.h"
#include "core/descriptor.h"
#include "core/kernel_file.h"
#include "platform/links.h"

namespace vtax::agent {

namespace fs = std::filesystem;

Result<void*> map_idle_card() {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto name = links->find_by_mac(lab::kPeerCardMac);
  if (!name) return fail(name.error());
  std::error_code error;
  const fs::path card = fs::canonical(fs::path("/sys/class/net") / *name / "device", error);
  if (error) return fail(system_error("cannot find card B", error.value()));
  // The kernel lets nobody map what a driver uses.
  Result<> done = write_kernel_file(card / "driver" / "unbind", card.filename().string());
  if (done) done = write_kernel_file(card / "enable", "1");
  if (!done) return fail(done.error());
  const Descriptor file(open((card / "resource0").c_str(), O_RDWR | O_CLOEXEC | O_SYNC));
  if (!file.valid()) return fail(system_error("cannot open card B's registers", errno));
  void* registers = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (registers == MAP_FAILED) return fail(system_error("cannot map card B's registers", errno));
  return registers;
}

}  // namespace vtax::agent
