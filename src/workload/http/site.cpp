#include "workload/http/site.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "workload/http/open_files.h"

namespace vtax::http {
namespace {

constexpr int kDeepest = 32;
constexpr std::string_view kIndexName = "index.html";

std::string_view type_of(std::string_view path) {
  struct Type {
    std::string_view end, type;
  };
  constexpr std::array<Type, 8> kTypes{{{".html", "text/html"},
                                        {".txt", "text/plain"},
                                        {".css", "text/css"},
                                        {".js", "text/javascript"},
                                        {".json", "application/json"},
                                        {".png", "image/png"},
                                        {".jpg", "image/jpeg"},
                                        {".svg", "image/svg+xml"}}};
  for (const Type& known : kTypes)
    if (path.ends_with(known.end)) return known.type;
  return "application/octet-stream";
}

}  // namespace

Site::Site(Site&& other) noexcept
    : descriptors_(std::move(other.descriptors_)),
      map_(std::exchange(other.map_, nullptr)),
      map_size_(std::exchange(other.map_size_, 0)),
      contents_(std::move(other.contents_)),
      files_(other.files_),
      bytes_(other.bytes_) {}

Site::~Site() {
  if (map_ != nullptr) munmap(map_, map_size_);
}

void Site::add(const std::string& path, int fd, std::uint64_t offset, std::uint64_t size,
               const char* memory) {
  const Content content{fd, offset, size, memory,
                        fmt::format("Content-Length: {}\r\nContent-Type: {}\r\n\r\n", size, type_of(path))};
  contents_[path] = content;
  if (path.ends_with("/" + std::string(kIndexName)))
    contents_[path.substr(0, path.size() - kIndexName.size())] = content;
  ++files_;
  bytes_ += size;
}

// The first descriptor, and its map.
Result<> Site::map_memory(std::uint64_t bytes) {
  const std::string step = "cannot hold the files in memory";
  Descriptor memory(memfd_create("vtax-files", MFD_CLOEXEC));
  if (!memory.valid() || ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0)
    return fail(system_error(step, errno));
  // Taken now, so that a machine without so much memory says so instead of a SIGBUS later.
  if (const int error = posix_fallocate(memory.get(), 0, static_cast<off_t>(bytes)); error != 0)
    return fail(system_error(step, error));
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (map == MAP_FAILED) return fail(system_error(step, errno));
  map_ = map;
  map_size_ = bytes;
  descriptors_.push_back(std::move(memory));
  return {};
}

Result<Site> Site::of(const FileSet& set) {
  Site site;
  std::uint64_t all = 0;
  for (const File& file : set.files()) all += file.size;
  if (Result<> mapped = site.map_memory(all); !mapped) return fail(mapped.error());
  const int memory = site.descriptors_.front().get();
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < set.files().size(); ++i) {
    const File& file = set.files()[i];
    char* place = static_cast<char*>(site.map_) + offset;
    set.fill(i, std::as_writable_bytes(std::span(place, file.size)));
    site.add(file.path, memory, offset, file.size, place);
    offset += file.size;
  }
  return site;
}

Result<Site> Site::of_one_file(std::uint64_t bytes) {
  Site site;
  // A page at least: an empty map is none.
  if (Result<> mapped = site.map_memory(std::max<std::uint64_t>(bytes, 1)); !mapped)
    return fail(mapped.error());
  auto* const content = static_cast<char*>(site.map_);
  for (std::uint64_t i = 0; i < bytes; ++i) content[i] = static_cast<char>('a' + i % 26);
  site.add("/", site.descriptors_.front().get(), 0, bytes, content);
  return site;
}

Result<Site> Site::of(const std::filesystem::path& directory) {
  const std::string step = "cannot serve " + directory.string();
  Site site;
  const Descriptor root(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    Error error = system_error(step, errno);
    error.code = ExitCode::usage;
    if (error.next.empty())
      error.next = "name a directory of files, or leave --files out for the generated set";
    return fail(error);
  }
  raise_open_files();
  if (Result<> added = site.add_directory(root.get(), "", 0); !added) {
    Error error = added.error();
    error.what = step;
    return fail(error);
  }
  if (site.files_ == 0)
    return fail(
        {step, "there is no regular file in it", "`vtax workload http-files --write DIR` makes some"});
  return site;
}

Result<> Site::add_directory(int fd, const std::string& path, int depth) {
  if (depth > kDeepest) return fail({"", fmt::format("it is more than {} directories deep", kDeepest), ""});
  const int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> list(copy < 0 ? nullptr : fdopendir(copy), closedir);
  if (!list) return {};  // no permission: left out
  while (const dirent* entry = readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    // No-follow on each step is what keeps symbolic links out; non-blocking what keeps a FIFO from waiting.
    Descriptor opened(openat(fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!opened.valid()) {
      if (errno == EMFILE || errno == ENFILE)
        return fail({"", fmt::format("it has more files than this process may open ({})", open_files_limit()),
                     "raise the limit (ulimit -n)"});
      continue;
    }
    struct stat status {};
    if (fstat(opened.get(), &status) != 0) continue;
    const std::string below = fmt::format("{}/{}", path, name);
    if (S_ISDIR(status.st_mode)) {
      if (Result<> added = add_directory(opened.get(), below, depth + 1); !added) return added;
    } else if (S_ISREG(status.st_mode)) {
      add(below, opened.get(), 0, static_cast<std::uint64_t>(status.st_size), nullptr);
      descriptors_.push_back(std::move(opened));
    }
  }
  return {};
}

}  // namespace vtax::http
