#include "machine/parts/lab_parts.h"

namespace vtax::lab {

namespace fs = std::filesystem;

Result<fs::path> find_lab_part(const std::string& name) {
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& candidate : {own / name, own / ".." / "lib" / "vtax" / name})
    if (fs::exists(candidate, error)) return candidate;
  return fail({"cannot find a part of the lab", name + " is neither beside vtax nor in ../lib/vtax",
               "build it (`cmake --build --preset release`) and keep it beside vtax", ExitCode::unavailable});
}

Result<fs::path> find_probe(const Qemu& qemu) {
  return find_lab_part(qemu.version.major >= 10 ? "vtax-probe-v4.so" : "vtax-probe-v1.so");
}

}  // namespace vtax::lab
