#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "account/probe_output.h"
#include "core/descriptor.h"
#include "core/result.h"

namespace vtax::lab {

// What the probe in an emulator reads and writes (probe/settings.h, probe/format.h): two anonymous files,
// which live as long as somebody has them open.
class ProbeFile {
 public:
  ProbeFile() = default;
  [[nodiscard]] static Result<ProbeFile> make(const std::string& settings);

  [[nodiscard]] const Descriptor& settings() const { return settings_; }
  [[nodiscard]] const Descriptor& out() const { return out_; }

  [[nodiscard]] ProbeStatus status() const;

  // The first window that the probe has closed, the second at the next call, ...: each once. Error: there is
  // no further one yet, or its record is damaged.
  [[nodiscard]] Result<ProbeWindow> next_window();

 private:
  [[nodiscard]] Result<> read(std::span<std::byte> into) const;  // what begins at `at_`

  Descriptor settings_, out_;
  std::size_t at_ = sizeof(probe::Header);
  std::uint32_t windows_ = 0;  // that were read
};

}  // namespace vtax::lab
