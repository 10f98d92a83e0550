#include "machine/lab/probe_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "core/anonymous_file.h"
#include "core/files.h"

namespace vtax::lab {

Result<ProbeFile> ProbeFile::make(const std::string& settings) {
  ProbeFile file;
  auto in = anonymous_file("vtax-probe-settings", text_bytes(settings));
  if (!in) return fail(in.error());
  auto out = anonymous_file("vtax-probe-out", {});
  if (!out) return fail(out.error());
  file.settings_ = std::move(*in);
  file.out_ = std::move(*out);
  return file;
}

ProbeStatus ProbeFile::status() const {
  std::array<std::byte, sizeof(probe::Header)> header{};
  const ssize_t got = pread(out_.get(), header.data(), header.size(), 0);
  return read_probe_status(std::span(header).first(got > 0 ? static_cast<std::size_t>(got) : 0));
}

Result<> ProbeFile::read(std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        pread(out_.get(), into.data() + done, into.size() - done, static_cast<off_t>(at_ + done));
    if (got <= 0) return fail(system_error("cannot read the probe's counts", got < 0 ? errno : EIO));
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<ProbeWindow> ProbeFile::next_window() {
  if (status().windows <= windows_)
    return fail({"cannot read the probe's counts", "no window was closed", "run the trial again",
                 ExitCode::trial_failed});
  std::array<std::byte, sizeof(probe::WindowHeader)> header{};
  if (auto done = read(header); !done) return fail(done.error());
  const auto length = probe_record_bytes(header);
  if (!length) return fail(length.error());
  std::vector<std::byte> record(*length);
  if (auto done = read(record); !done) return fail(done.error());
  // It takes memory as long as the machine goes on. Where that cannot be given back, it is taken.
  fallocate(out_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at_),
            static_cast<off_t>(*length));
  at_ += *length;
  ++windows_;
  return read_probe_window(record);
}

}  // namespace vtax::lab
