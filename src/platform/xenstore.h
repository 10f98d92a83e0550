#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// Xen's configuration store, through the kernel's /dev/xen/xenbus: xs_wire.h's messages, one at a time.
class Xenstore {
 public:
  [[nodiscard]] static Result<Xenstore> open();
  [[nodiscard]] Result<std::string> read(std::string_view path);
  // The names directly below a path.
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view path);
  [[nodiscard]] Result<> write(std::string_view path, std::string_view value);
  [[nodiscard]] bool has(int domain);
  // Of a connection of its own: can be read once some domain of Xen's has crashed, shut down or gone since
  // then. Invalid where Xen does not tell.
  [[nodiscard]] static Descriptor ends_of_domains();
  // Likewise once this one has gone, which `xl` sees to when it has crashed or shut down.
  [[nodiscard]] static Descriptor end_of(int domain);

 private:
  static Descriptor watch(const std::string& node);
  explicit Xenstore(Descriptor fd) : fd_(std::move(fd)) {}
  // What is answered; an event may come before.
  Result<std::string> talk(std::uint32_t type, std::string_view what, const std::string& payload);
  Descriptor fd_;
  int events_ = 0;  // that have come
};

}  // namespace vtax
