#include "workload/session/secret.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/files.h"
#include "core/readable.h"
#include "core/sha256.h"

namespace vtax {
namespace {

constexpr std::size_t kBlockBytes = 64;

std::string raw(std::string_view hex) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return out;
}

std::string sha256(std::string_view first, std::string_view second) {
  Sha256 hash;
  hash.add(first);
  hash.add(second);
  return hash.hex();
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string block(key);
  if (block.size() > kBlockBytes) block = raw(sha256(key, ""));
  block.resize(kBlockBytes, '\0');
  std::string inner = block, outer = block;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return sha256(outer, raw(sha256(inner, message)));
}

Result<std::string> random_text(std::size_t bytes) {
  std::vector<std::uint8_t> random(bytes);
  if (getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes))
    return fail(system_error("cannot get a random number", errno));
  std::string out;
  for (const std::uint8_t byte : random) out += fmt::format("{:02x}", byte);
  return out;
}

Result<Secret> Secret::from_text(std::string_view text) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (text.size() < 8 || text.size() > 256 || !printable)
    return fail({"cannot use this token", "it needs 8 to 256 printable characters without spaces",
                 "`vtax workload server` makes one if it has none; its client, and an agent and who asks it, "
                 "have the same"});
  return Secret(std::string(text));
}

Result<Secret> Secret::from_file(const std::string& path) {
  struct stat status {};
  const std::string step = "cannot use token file " + ::vtax::printable(path, 200);
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISFIFO(status.st_mode) || S_ISDIR(status.st_mode))
      return fail({step, "it is no file", "write the token into one that only you can read"});
    if ((status.st_mode & (S_IRGRP | S_IROTH)) != 0 && S_ISREG(status.st_mode))
      return fail({step, "others may read it", "chmod 600 " + path});
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && S_ISREG(status.st_mode))
      return fail({step, "others may write it", "chmod 600 " + path});
    if (S_ISREG(status.st_mode) && status.st_uid != geteuid() && status.st_uid != 0)
      return fail({step, "it is another user's", "make one of your own: chmod 600"});
  }
  const auto text = read_text(path, 4096);
  if (!text) return fail(text.error());
  return from_text(std::string_view(*text).substr(0, text->find('\n')));
}

Result<Secret> Secret::make() {
  auto text = random_text(16);
  if (!text) return fail(text.error());
  return Secret(std::move(*text));
}

std::string Secret::proof(std::string_view role, std::string_view challenge) const {
  return hmac_sha256(text_, fmt::format("vtax {} {}", role, challenge));
}

bool Secret::proves(std::string_view role, std::string_view challenge, std::string_view proof) const {
  const std::string wanted = this->proof(role, challenge);
  if (proof.size() != wanted.size()) return false;
  int difference = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) difference |= wanted[i] ^ proof[i];
  return difference == 0;
}

}  // namespace vtax
