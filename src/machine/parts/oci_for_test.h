#pragma once

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/sha256.h"

// Images of containers by hand: an archive of tar's, entry by entry, and a folder around archives.
namespace vtax::lab {

struct TarForTest {
  std::string archive;

  TarForTest& entry(char type, std::string_view path, std::string_view content = "",
                    std::string_view target = "", unsigned mode = 0644) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
    put(0, path.substr(0, 100));
    put(100, fmt::format("{:07o}", mode));
    put(124, fmt::format("{:011o}", content.size()));
    header[156] = type;
    put(157, target.substr(0, 100));
    put(257, std::string_view("ustar\00000", 8));
    put(148, "        ");
    unsigned sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    archive += header;
    archive += content;
    archive.resize((archive.size() + 511) / 512 * 512);
    return *this;
  }
  TarForTest& file(std::string_view path, std::string_view content, unsigned mode = 0644) {
    return entry('0', path, content, "", mode);
  }
  TarForTest& folder(std::string_view path) { return entry('5', path); }
  TarForTest& link(std::string_view path, std::string_view target) { return entry('2', path, "", target); }
  TarForTest& hard_link(std::string_view path, std::string_view target) {
    return entry('1', path, "", target);
  }
};

struct OciForTest {
  std::filesystem::path folder;
  nlohmann::json layers = nlohmann::json::array(), diff_ids = nlohmann::json::array();
  std::string architecture = "amd64";

  nlohmann::json blob(const std::string& type, std::string_view content) const {
    const std::string hash = sha256_hex(content);
    std::filesystem::create_directories(folder / "blobs" / "sha256");
    (void)write_text(folder / "blobs" / "sha256" / hash, content);
    return {{"mediaType", "application/vnd.oci.image." + type},
            {"digest", "sha256:" + hash},
            {"size", content.size()}};
  }
  // `stored`: the archive as it lies there, packed or not.
  void layer(const std::string& archive, std::string_view stored, const std::string& type) {
    layers.push_back(blob(type, stored));
    diff_ids.push_back("sha256:" + sha256_hex(archive));
  }
  void write() const {
    const nlohmann::json config = {{"os", "linux"},
                                   {"architecture", architecture},
                                   {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
    const nlohmann::json manifest = {
        {"schemaVersion", 2}, {"config", blob("config.v1+json", config.dump())}, {"layers", layers}};
    (void)write_text(
        folder / "index.json",
        nlohmann::json{{"schemaVersion", 2}, {"manifests", {blob("manifest.v1+json", manifest.dump())}}}
            .dump());
  }
};

}  // namespace vtax::lab
