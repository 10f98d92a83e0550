#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "advise/advice.h"

namespace vtax::advise {

// By name, the files that would set a placement up: xl.cfg of Xen's guests and Xen's boot line, libvirt's XML
// of KVM's, CPU sets of services and containers, and `set.sh` (ethtool, sysctl, interrupts, xl). vtax runs
// none of them. What it does not know, disks and kernels, is left to whoever reads them and marked so.
[[nodiscard]] std::map<std::string, std::string> commands_of(const Server& server, const Option& option);

// Into a folder, which is made. Errors (io): the file system's; a file of that name that is there already.
[[nodiscard]] Result<> write_commands(const std::map<std::string, std::string>& files,
                                      const std::filesystem::path& folder);

}  // namespace vtax::advise
