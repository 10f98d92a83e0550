#include "machine/parts/image_record.h"

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "machine/parts/package_json.h"

namespace vtax::lab {
namespace {

using nlohmann::json;

constexpr int kRecordSchema = 2;
constexpr const char* kRecordFile = "image.json";

}  // namespace

Result<> write_image_record(const LabImage& image, const std::filesystem::path& directory) {
  json modules = json::array();
  for (const ModuleFile& module : image.modules) modules.push_back(module.name);
  const json record = {
      {"schema", kRecordSchema}, {"kernel_release", image.kernel_release}, {"modules", modules}};
  return write_text(directory / kRecordFile, record.dump(2) + "\n");
}

Result<> read_image_record(const std::filesystem::path& directory, LabImage& image) {
  const auto text = read_text(directory / kRecordFile);
  const json record = text ? json::parse(*text, nullptr, false) : json();
  if (!record.is_object() || record.value("schema", json()) != kRecordSchema ||
      !record.value("modules", json()).is_array())
    return fail({"cannot use the lab's image " + directory.string(), "its image.json is damaged",
                 "remove this directory and run the same command again", ExitCode::io});
  image.kernel = image.kernel_symbols = directory / "vmlinux";
  std::error_code ignored;
  if (std::filesystem::exists(directory / kSystemMap, ignored)) image.kernel_symbols = directory / kSystemMap;
  image.initrd = directory / "initrd.cpio";
  if (has_xen(image.kind)) image.xen = directory / "xen";
  image.kernel_release = text_field(record, "kernel_release");
  if (std::filesystem::is_directory(directory / "program", ignored)) image.program = directory / "program";
  image.modules.clear();
  for (const json& module : record["modules"])
    if (module.is_string())
      image.modules.push_back(
          {module.get<std::string>(), directory / "modules" / (module.get<std::string>() + ".ko")});
  return {};
}

}  // namespace vtax::lab
