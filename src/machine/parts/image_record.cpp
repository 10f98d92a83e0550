#include "machine/parts/image_record.h"

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "machine/parts/package_json.h"

namespace vtax::lab {
namespace {

using nlohmann::json;

constexpr int kRecordSchema = 7;
constexpr const char* kRecordFile = "image.json";

json names_of(const std::vector<ModuleFile>& modules) {
  json names = json::array();
  for (const ModuleFile& module : modules) names.push_back(module.name);
  return names;
}

std::vector<ModuleFile> modules_in(const json& names, const std::filesystem::path& folder) {
  std::vector<ModuleFile> modules;
  for (const json& name : names)
    if (name.is_string())
      modules.push_back({name.get<std::string>(), folder / "modules" / (name.get<std::string>() + ".ko")});
  return modules;
}

// The kernel's own file, or the table that the user gave.
std::filesystem::path symbols_below(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / kSystemMap, ignored) ? folder / kSystemMap : folder / "vmlinux";
}

}  // namespace

Result<> write_image_record(const LabImage& image, const std::filesystem::path& directory) {
  json record = {{"schema", kRecordSchema},
                 {"kernel_release", image.kernel_release},
                 {"card", image.card.device},
                 {"program_bytes", image.program_bytes},
                 {"program_memory_bytes", image.program_memory_bytes},
                 {"packed_bytes", image.packed_bytes},
                 {"modules", names_of(image.modules)}};
  if (image.guest_kernel)
    record["guest_kernel"] = {{"release", image.guest_kernel->release},
                              {"modules", names_of(image.guest_kernel->modules)}};
  return write_text(directory / kRecordFile, record.dump(2) + "\n");
}

Result<> read_image_record(const std::filesystem::path& directory, LabImage& image) {
  const auto text = read_text(directory / kRecordFile);
  const json record = text ? json::parse(*text, nullptr, false) : json();
  const LabCard* card = record.is_object() ? find_lab_card(text_field(record, "card")) : nullptr;
  if (card == nullptr || record.value("schema", json()) != kRecordSchema ||
      !record.value("modules", json()).is_array() ||
      !record.value("program_bytes", json()).is_number_unsigned() ||
      !record.value("program_memory_bytes", json()).is_number_unsigned() ||
      !record.value("packed_bytes", json()).is_number_unsigned())
    return fail({"cannot use the lab's image " + directory.string(), "its image.json is damaged",
                 "remove this directory and run the same command again", ExitCode::io});
  image.kernel = directory / "vmlinux";
  image.kernel_symbols = symbols_below(directory);
  std::error_code ignored;
  image.initrd = directory / "initrd.cpio";
  if (has_xen(image.kind)) image.xen = directory / "xen";
  image.kernel_release = text_field(record, "kernel_release");
  image.card = *card;
  image.program_bytes = record["program_bytes"].get<std::uint64_t>();
  image.program_memory_bytes = record["program_memory_bytes"].get<std::uint64_t>();
  image.packed_bytes = record["packed_bytes"].get<std::uint64_t>();
  if (std::filesystem::is_directory(directory / "program", ignored)) image.program = directory / "program";
  image.modules = modules_in(record["modules"], directory);
  image.guest_kernel.reset();
  if (const json guest = record.value("guest_kernel", json()); guest.is_object()) {
    const std::filesystem::path folder = directory / kGuestKernelFolder;
    image.guest_kernel =
        LabImage::GuestKernel{folder / "vmlinux", symbols_below(folder), text_field(guest, "release"),
                              modules_in(guest.value("modules", json::array()), folder)};
  }
  return {};
}

}  // namespace vtax::lab
