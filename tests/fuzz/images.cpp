#include <algorithm>
#include <cstring>
#include <sstream>

#include "account/compressed_table_for_test.h"
#include "account/elf_symbols.h"
#include "account/kallsyms.h"
#include "account/mapped_symbols.h"
#include "account/module_symbols.h"
#include "account/probe_output.h"
#include "account/xen_symbols.h"
#include "core/elf_file.h"
#include "machine/parts/debug_information.h"
#include "machine/parts/elf_for_test.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/oci_for_test.h"
#include "machine/parts/oci_layer.h"
#include "tests/fuzz/targets.h"

namespace vtax::fuzz {
namespace {

ByteView bytes_in(std::string_view input) {
  return {reinterpret_cast<const std::uint8_t*>(input.data()), input.size()};
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// As scripts/kallsyms.c lays it out since Linux 6.2, for 300 functions.
std::vector<std::string> kernels_with_symbols() {
  CompressedTableForTest::Names names{"Adebug_stack", "T" + std::string(300, 'x')};
  for (int i = 2; i < 300; ++i) names.push_back("tdo_page_fault_" + std::to_string(i));
  CompressedTableForTest table(names);
  table.tables(8).align(8);
  for (std::uint32_t i = 0; i < 300; ++i) table.u32(16 * i);
  table.align(8).u64(0xffffffff81000000);
  auto image = table.image();
  const Elf64_Ehdr header = lab::elf64_header(ET_EXEC);
  std::memcpy(image.data(), &header, sizeof header);
  return {text_of(image)};
}

bool try_kallsyms(std::string_view input) {
  const auto table = read_kallsyms(bytes_in(input), "vmlinux");
  if (!table) return false;
  require(table->symbols().size() <= input.size(), "there are no more symbols than bytes");
  return true;
}

std::vector<std::string> hypervisors_with_symbols() {
  CompressedTableForTest table({"Tpv_hypercall", "Tdo_page_fault", "tdomain.c#idle_loop", "tvmx.c#handle",
                                "tsvm.c#handle", "Dsys_table"});
  table.align(4);
  for (const std::uint32_t offset : {0x201000U, 0x202000U, 0x203000U, 0x204000U, 0x205000U, 0x300000U})
    table.u32(offset);
  table.tables(4);
  return {text_of(table.image())};
}

bool try_xen_symbols(std::string_view input) {
  return read_xen_symbols(bytes_in(input), "xen").has_value();
}

std::vector<std::string> layers_of_containers() {
  return {lab::TarForTest()
              .folder("usr/")
              .file("usr/bin/sh", std::string(700, 'x'), 0755)
              .link("bin", "usr/bin")
              .file("bin/.wh.bash", "")
              .hard_link("usr/bin/dash", "bin/sh")
              .archive,
          lab::TarForTest().file("x", "1").link("a/b/l", "../../x").hard_link("a/l", "x").archive,
          lab::TarForTest()
              .entry('x', "pax", "19 path=etc/a/b/cd\n")
              .file("short", "content")
              .entry('L', "././@LongLink", std::string(130, 'l'))
              .file("l", "")
              .file("etc/.wh..wh..opq", "")
              .archive};
}

// Nothing leads out of the root, and there is no more content than was allowed.
// Name by name from the link's folder, as a kernel goes.
bool stays_below_root(const std::string& link, const std::string& target) {
  auto depth = target.starts_with('/') ? 0 : std::count(link.begin(), link.end(), '/');
  std::istringstream names(target);
  for (std::string name; std::getline(names, name, '/');) {
    if (name == "..") --depth;
    if (!name.empty() && name != "." && name != "..") ++depth;
    if (depth < 0) return false;
  }
  return true;
}

bool try_layer(std::string_view input) {
  constexpr std::uint64_t kMost = 4096;
  lab::OciFiles files([](const std::string&) { return false; }, kMost);
  // Twice: the second time over itself.
  if (!files.add_layer(bytes_in(input), "layer") || !files.add_layer(bytes_in(input), "layer")) return false;
  std::uint64_t bytes = 0;
  for (const auto& [path, file] : files.files()) {
    const std::string slashed = "/" + path + "/";
    require(!path.empty() && slashed.find("//") == std::string::npos, "a path has names alone");
    for (const char* part : {"/../", "/./"})
      require(slashed.find(part) == std::string::npos, "a path leads nowhere else");
    if (file.kind == lab::OciFiles::File::Kind::link) {
      require(!file.target.empty(), "a link leads somewhere");
      require(stays_below_root(path, file.target), "no link leads out");
    }
    require((path + file.target).find('\0') == std::string::npos, "a name ends where it ends");
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos) {
      const auto parent = files.files().find(path.substr(0, slash));
      require(parent != files.files().end() && parent->second.kind == lab::OciFiles::File::Kind::folder,
              "what lies in a folder has one");
    }
    if (file.content != nullptr) bytes += file.content->size();
  }
  require(bytes <= kMost, "there is no more content than was allowed");
  return true;
}

std::vector<std::string> elf_files() {
  return {text_of(lab::vmlinux_for_test()), text_of(lab::module_for_test("xen-netback,bridge")),
          text_of(lab::module_with_debug_for_test())};
}

bool try_elf(std::string_view input) {
  const auto elf = ElfFile::open(bytes_in(input));
  if (!elf) return false;
  (void)elf->segments();
  for (const ElfFile::Section& section : elf->sections()) {
    const ByteView content = elf->content(section);
    require(content.empty() || (content.data() >= bytes_in(input).data() &&
                                content.data() + content.size() <= bytes_in(input).data() + input.size()),
            "a section lies within its file");
  }
  (void)read_elf_symbols(bytes_in(input), "program");
  const auto bare = lab::without_debug_information({input.begin(), input.end()});
  require(bare.size() <= 2 * input.size() + 8, "nothing is in a bare module that the whole one lacks");
  return true;
}

// A function's name where nothing is mapped would be a lie.
bool try_mapped_symbols(std::string_view input) {
  const MappedPart part{GuestAddress(0x7f0000001000), GuestAddress(0x7f0000002000), 0x1000};
  (void)debug_file_of(bytes_in(input));
  const auto table = read_mapped_symbols(bytes_in(input), bytes_in(input), "library", part);
  if (!table) return false;
  for (const Symbol& symbol : table->symbols())
    require(symbol.address >= part.begin && symbol.address < part.end,
            "a symbol lies where the file is mapped");
  return true;
}

bool try_kernel(std::string_view input) {
  const auto kernel = lab::read_kernel(bytes_in(input), "vmlinuz");
  (void)lab::read_xen(bytes_in(input), "xen");
  require(!lab::describe_file(bytes_in(input)).empty(), "every file is something");
  require(lab::loaded_part(bytes_in(input)).size() <= std::max<std::size_t>(input.size(), 1U << 20U),
          "what is loaded is no longer than the file");
  return kernel.has_value();
}

template <class Value>
void add_record(std::string& bytes, const Value& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// A window of two contexts, three rows, two slices, two counts of the cache model and two stays.
std::vector<std::string> probe_records() {
  probe::WindowHeader header{};
  header.window_icount = 42;
  header.contexts = 2;
  header.rows = 3;
  header.slices = 2;
  header.slice_rows = 3;
  header.cache_rows = 2;
  header.stays = 2;
  std::string bytes;
  add_record(bytes, header);
  for (int i = 0; i < 2; ++i) add_record(bytes, probe::Context{});
  for (std::uint64_t i = 0; i < 3; ++i) add_record(bytes, probe::Row{0xffffffff81000000 + i, 7, 0, 7, 0});
  add_record(bytes, probe::Slice{5, 100, 0, 1, 2});
  add_record(bytes, probe::Slice{9, 0, 0, probe::kNobody, 1});
  for (const std::int64_t instructions : {3, -1, 4}) add_record(bytes, probe::SliceRow{2, 0, instructions});
  add_record(bytes, probe::CacheRow{0, 0, 50});
  add_record(bytes, probe::CacheRow{2, 3, 6});
  add_record(bytes, probe::Stay{0, 0, 0, 5, probe::kNeverWoke});
  add_record(bytes, probe::Stay{1, 0, 7, 9, 6});
  return {bytes};
}

bool try_probe(std::string_view input) {
  const auto bytes = std::as_bytes(std::span(input.data(), input.size()));
  (void)read_probe_status(bytes);
  if (bytes.size() >= sizeof(probe::WindowHeader)) (void)probe_record_bytes(bytes);
  const auto window = read_probe_window(bytes);
  if (!window) return false;
  for (const auto& row : window->rows)
    require(row.context < window->contexts.size(), "a row's context is there");
  for (const auto& row : window->slice_rows) require(row.row < window->rows.size(), "a slice's row is there");
  for (const auto& row : window->cache_rows) require(row.row < window->rows.size(), "a count's row is there");
  for (const auto& stay : window->stays)
    require(stay.context < window->contexts.size(), "a stay's context is there");
  return true;
}

}  // namespace

std::vector<Target> targets_of_images() {
  return {{"kallsyms", kernels_with_symbols, try_kallsyms, false, 4},
          {"xen-symbols", hypervisors_with_symbols, try_xen_symbols, false},
          {"elf", elf_files, try_elf, false},
          {"mapped-symbols", elf_files, try_mapped_symbols, false},
          {"kernel", elf_files, try_kernel, false, 2},
          {"container-layer", layers_of_containers, try_layer, false},
          {"probe", probe_records, try_probe, false}};
}

}  // namespace vtax::fuzz
