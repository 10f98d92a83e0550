#include "platform/xenstore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vtax {
namespace {

constexpr char kDevice[] = "/dev/xen/xenbus";

// xen/io/xs_wire.h
struct Header {
  std::uint32_t type, request, transaction, length;
};
constexpr std::uint32_t kTypeDirectory = 1, kTypeRead = 2, kTypeWatch = 4, kTypeWrite = 11, kTypeEvent = 15,
                        kTypeError = 16;
constexpr std::uint32_t kMostPayload = 4096;

// The kernel hands out a reply's header and payload separately.
bool read_all(int fd, void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = ::read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

struct Message {
  std::uint32_t type = 0;
  std::string body;
};

Result<Message> next_message(int fd, std::string_view what) {
  Header header{};
  if (!read_all(fd, &header, sizeof header)) return fail(system_error(std::string(what), errno));
  if (header.length > kMostPayload)
    return fail(Error{std::string(what), "xenstore's answer is too long", "", ExitCode::unavailable});
  Message message{header.type, std::string(header.length, '\0')};
  if (!read_all(fd, message.body.data(), message.body.size()))
    return fail(system_error(std::string(what), errno));
  return message;
}

std::string name_of(int domain) {
  return fmt::format("/local/domain/{}/name", domain);
}

bool comes_soon(int fd) {
  constexpr int kPatienceMs = 5000;
  pollfd comes{fd, POLLIN, 0};
  return poll(&comes, 1, kPatienceMs) == 1;
}

}  // namespace

Result<Xenstore> Xenstore::open() {
  Descriptor fd(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return fail(system_error(fmt::format("cannot open {}", kDevice), errno));
  return Xenstore(std::move(fd));
}

Result<std::string> Xenstore::talk(std::uint32_t type, std::string_view what, const std::string& payload) {
  const Header request{type, 0, 0, static_cast<std::uint32_t>(payload.size())};
  std::string message(sizeof request, '\0');
  std::memcpy(message.data(), &request, sizeof request);
  message += payload;
  if (::write(fd_.get(), message.data(), message.size()) != static_cast<ssize_t>(message.size())) {
    return fail(system_error(std::string(what), errno));
  }
  auto answer = next_message(fd_.get(), what);
  for (; answer && answer->type == kTypeEvent; answer = next_message(fd_.get(), what)) ++events_;
  if (!answer) return fail(answer.error());
  if (answer->type == kTypeError)
    return fail(Error{std::string(what), answer->body.c_str(), "", ExitCode::unavailable});
  return std::move(answer->body);
}

Descriptor Xenstore::watch(const std::string& node) {
  constexpr std::string_view kWhat = "watch Xen's domains";
  constexpr char kToken[] = "vtax";
  auto store = open();
  if (!store || !store->talk(kTypeWatch, kWhat, node + '\0' + kToken + '\0')) return {};
  // Each watch begins with an event that says nothing.
  if (store->events_ == 0 && (!comes_soon(store->fd_.get()) || !next_message(store->fd_.get(), kWhat)))
    return {};
  return std::move(store->fd_);
}

Descriptor Xenstore::ends_of_domains() {
  return watch("@releaseDomain");
}

Descriptor Xenstore::end_of(int domain) {
  return watch(name_of(domain));
}

bool Xenstore::has(int domain) {
  return read(name_of(domain)).has_value();
}

Result<std::string> Xenstore::read(std::string_view path) {
  return talk(kTypeRead, fmt::format("read {} in xenstore", path), std::string(path) + '\0');
}

Result<std::vector<std::string>> Xenstore::list(std::string_view path) {
  const auto names = talk(kTypeDirectory, fmt::format("list {} in xenstore", path), std::string(path) + '\0');
  if (!names) return fail(names.error());
  std::vector<std::string> out;
  for (std::size_t at = 0; at < names->size(); at += out.back().size() + 1)
    out.emplace_back(names->c_str() + at);
  return out;
}

Result<> Xenstore::write(std::string_view path, std::string_view value) {
  const auto done = talk(kTypeWrite, fmt::format("write {} in xenstore", path),
                         std::string(path) + '\0' + std::string(value));
  if (!done) return fail(done.error());
  return {};
}

}  // namespace vtax
