#include "machine/lab/image_record.h"

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "machine/lab/package_json.h"

namespace vtax::lab {
namespace {

using nlohmann::json;

constexpr int record_schema = 1;
constexpr const char* record_file = "image.json";

Error damaged(const std::filesystem::path& directory) {
  return {"cannot use the lab's image " + directory.string(), "its image.json is damaged",
          "remove this directory and run the same command again", ExitCode::io};
}

json list_field(const json& object, const char* key) {
  const auto field = object.find(key);
  return field != object.end() && field->is_array() ? *field : json::array();
}

}  // namespace

Result<> write_image_record(const LabImage& image, const std::filesystem::path& directory) {
  json modules = json::array();
  for (const ModuleFile& module : image.modules) modules.push_back(module.name);
  json own_files = json::array();
  for (const OwnFile& own : image.own_files)
    own_files.push_back({{"part", own.part}, {"path", own.path}, {"sha256", own.sha256}});
  const json record = {{"schema", record_schema},
                       {"kind", name_of(image.kind)},
                       {"hash", image.hash},
                       {"kernel_release", image.kernel_release},
                       {"kernel_command_line", image.kernel_command_line},
                       {"xen_command_line", image.xen_command_line},
                       {"modules", modules},
                       {"packages", to_json(image.packages)},
                       {"own_files", own_files},
                       {"changes", image.changes}};
  return write_text(directory / record_file, record.dump(2) + "\n");
}

Result<LabImage> read_image_record(const std::filesystem::path& directory) {
  const auto text = read_text(directory / record_file);
  if (!text) return fail(damaged(directory));
  const json record = json::parse(*text, nullptr, false);
  if (!record.is_object() || record.value("schema", json()) != record_schema) return fail(damaged(directory));
  LabImage image;
  const std::string kind = text_field(record, "kind");
  const auto known = lab_kind(kind);
  if (!known) return fail(damaged(directory));
  image.kind = *known;
  image.hash = text_field(record, "hash");
  image.kernel = directory / "vmlinux";
  image.kernel_symbols = image.kernel;
  image.initrd = directory / "initrd.cpio";
  if (has_xen(image.kind)) image.xen = directory / "xen";
  image.kernel_release = text_field(record, "kernel_release");
  image.kernel_command_line = text_field(record, "kernel_command_line");
  image.xen_command_line = text_field(record, "xen_command_line");
  for (const json& module : list_field(record, "modules"))
    if (module.is_string())
      image.modules.push_back(
          {module.get<std::string>(), directory / "modules" / (module.get<std::string>() + ".ko")});
  image.packages = packages_from(list_field(record, "packages"));
  for (const json& change : list_field(record, "changes"))
    if (change.is_string()) image.changes.push_back(change.get<std::string>());
  for (const json& own : list_field(record, "own_files"))
    if (own.is_object())
      image.own_files.push_back(
          {text_field(own, "part"), text_field(own, "path"), text_field(own, "sha256")});
  return image;
}

}  // namespace vtax::lab
