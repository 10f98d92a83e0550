#include "machine/lab/snapshot_key.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/sha256.h"

namespace vtax::lab {

namespace fs = std::filesystem;

std::vector<std::string> arguments_by_content(const MachineSpec& spec) {
  MachineSpec content = spec;
  for (fs::path* file : {&content.kernel, &content.initrd, &content.xen}) *file = file->filename();
  // The folder of an unpacked package is named after what is in it.
  if (const std::string folder = spec.qemu.package_folder.string(); !folder.empty())
    for (std::string& argument : content.qemu.arguments)
      if (argument.starts_with(folder + "/"))
        argument = spec.qemu.package_folder.filename().string() + argument.substr(folder.size());
  std::vector<std::string> arguments = machine_arguments(content);
  if (!spec.xen.empty())  // as QEMU's own loader would have it
    arguments.insert(
        arguments.end(),
        {"-kernel", content.xen.string(), "-append", spec.xen_arguments, "-initrd",
         fmt::format("{} {},{}", content.kernel.string(), spec.kernel_arguments, content.initrd.string())});
  return arguments;
}

std::string snapshot_key(const MachineSpec& spec, const std::string& image_hash) {
  std::string text = image_hash + "\n" + spec.qemu.banner + "\n";
  for (const std::string& argument : arguments_by_content(spec)) text += argument + "\n";
  return sha256_hex(text);
}

}  // namespace vtax::lab
