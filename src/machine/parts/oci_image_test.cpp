#include "machine/parts/oci_image.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/subprocess.h"
#include "machine/parts/gzip.h"
#include "machine/parts/oci_for_test.h"
#include "machine/parts/program_tree.h"
#include "machine/parts/zstd_packed.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string text_of_packed(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

// "path", "path*" of one that runs, "path/" of a folder, "path -> target", "path = content".
std::vector<std::string> told(const OciFiles& files) {
  std::vector<std::string> out;
  for (const auto& [path, file] : files.files()) {
    if (file.kind == OciFiles::File::Kind::folder) out.push_back(path + "/");
    if (file.kind == OciFiles::File::Kind::link) out.push_back(path + " -> " + file.target);
    if (file.kind == OciFiles::File::Kind::file)
      out.push_back(path + (file.runs ? "*" : "") + " = " +
                    std::string(file.content->begin(), file.content->end()));
  }
  return out;
}

OciFiles all_files(std::uint64_t most = 1 << 20) {
  return {[](const std::string& path) { return path.starts_with("usr/share/doc/"); }, most};
}

std::string why_not(const std::string& archive, std::uint64_t most = 1 << 20) {
  OciFiles files = all_files(most);
  EXPECT_TRUE(files.add_layer(text_bytes(TarForTest().folder("bin").file("bin/sh", "below").archive), "x"));
  const auto added = files.add_layer(text_bytes(archive), "cannot use it");
  if (added) return "";
  EXPECT_EQ(added.error().code, ExitCode::usage);
  return added.error().text();
}

TEST(OciLayer, ComesOverThoseBelowAndRemovesWhatItSays) {
  OciFiles files = all_files();
  ASSERT_TRUE(files.add_layer(text_bytes(TarForTest()
                                             .folder("./")
                                             .folder("./usr/")
                                             .file("usr/bin/sh", "old", 0755)
                                             .file("usr/bin/gone", "g")
                                             .file("etc/a", "1")
                                             .file("etc/b", "2")
                                             .file("opt/x/y", "3")
                                             .file("usr/share/doc/read", "me")
                                             .link("bin", "usr/bin")
                                             .archive),
                              "x"));
  ASSERT_TRUE(files.add_layer(text_bytes(TarForTest()
                                             .file("etc/.wh..wh..opq", "")
                                             .file("etc/c", "3")
                                             .file("bin/.wh.gone", "")
                                             .file("/bin/sh", "new", 0755)
                                             .hard_link("usr/bin/bash", "./bin/sh")
                                             .file(".wh.opt", "")
                                             .link("etc/sh", "../bin/sh")
                                             .archive),
                              "x"));
  EXPECT_THAT(told(files),
              testing::UnorderedElementsAre("bin -> usr/bin", "etc/", "etc/c = 3", "etc/sh -> ../bin/sh",
                                            "usr/", "usr/bin/", "usr/bin/bash* = new", "usr/bin/sh* = new",
                                            "usr/share/", "usr/share/doc/"));
}

// "24 linkpath=...\n", whose number is its own length.
std::string pax(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  const std::size_t length = rest.size() + 2;
  EXPECT_TRUE(length >= 10 && length < 100);
  return std::to_string(length) + rest;
}

TEST(OciLayer, WhatIsHostileIsRefused) {
  EXPECT_EQ(why_not(TarForTest().file("bin/sh", "above").archive), "");
  EXPECT_THAT(why_not(TarForTest().file("../etc/passwd", "x").archive), HasSubstr("leads out of it"));
  EXPECT_THAT(why_not(TarForTest().file("a/../../b", "x").archive), HasSubstr("leads out of it"));
  EXPECT_THAT(why_not(TarForTest().link("a", "../../etc").archive), HasSubstr("the link a leads out"));
  EXPECT_THAT(why_not(TarForTest().hard_link("a", "../etc/passwd").archive), HasSubstr("leads out"));
  EXPECT_THAT(why_not(TarForTest().hard_link("a", "nowhere").archive), HasSubstr("to no file of it"));
  EXPECT_EQ(why_not(TarForTest().file("x", "1").link("a/b/l", "../../x").hard_link("a/l", "x").archive), "");
  EXPECT_THAT(why_not(TarForTest().link("a/b/l", "../../x").hard_link("l", "a/b/l").archive),
              HasSubstr("the link l leads out"));
  EXPECT_THAT(why_not(TarForTest().entry('x', "pax", pax("linkpath", std::string("..\0", 3))).archive),
              HasSubstr("record of its archive is damaged"));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "d/";
  TarForTest removals;
  for (int i = 0; i < 100; ++i) removals.file(fmt::format("{}/{}.wh.x", i, deep), "");
  OciFiles nothing([](const std::string&) { return false; }, 4096);
  ASSERT_TRUE(nothing.add_layer(text_bytes(removals.archive), "layer"));
  EXPECT_TRUE(nothing.files().empty()) << "what removes makes no folders";
  EXPECT_THAT(why_not(TarForTest().link("a", "b").link("b", "a").file("a/c", "x").archive),
              HasSubstr("leads nowhere"));
  for (const char type : {'3', '4', '6', 'Z'})
    EXPECT_THAT(why_not(TarForTest().entry(type, "dev/x").archive), HasSubstr("neither a file")) << type;
  EXPECT_THAT(why_not(TarForTest().file("big", std::string(5000, 'x')).archive, 4096),
              HasSubstr("more than"));
  EXPECT_THAT(
      why_not(TarForTest().file("half", std::string(3000, 'x')).hard_link("other", "half").archive, 4096),
      HasSubstr("more than"))
      << "a system has each name's content";
  EXPECT_THAT(why_not("no archive at all" + std::string(600, 'x')),
              HasSubstr("something else than an archive"));
  std::string cut = TarForTest().file("a", std::string(2000, 'x')).archive;
  cut.resize(1024);
  EXPECT_THAT(why_not(cut), HasSubstr("cut off"));
}

class OciFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "vtax-oci-XXXXXX").string();
    image_.folder = mkdtemp(pattern.data());
    const std::string base = TarForTest().file("usr/bin/a", "1", 0755).archive,
                      middle = TarForTest().file("usr/bin/b", "2").archive,
                      top = TarForTest().file("usr/bin/.wh.b", "").file("usr/bin/c", "3").archive;
    image_.layer(base, base, "layer.v1.tar");
    image_.layer(middle, text_of_packed(gzip(text_bytes(middle))), "layer.v1.tar+gzip");
    image_.layer(top, text_of_packed(zstd_packed(text_bytes(top)).value()), "layer.v1.tar+zstd");
    image_.write();
  }
  void TearDown() override { fs::remove_all(image_.folder); }

  std::string refusal() const {
    const auto tree = ProgramTree::own("oci:" + image_.folder.string());
    return tree ? "" : tree.error().text();
  }

  OciForTest image_;
};

TEST_F(OciFolder, IsAProgramsRoot) {
  const auto tree = ProgramTree::own("oci:" + image_.folder.string());
  ASSERT_TRUE(tree) << tree.error().text();
  ASSERT_EQ(tree->files.size(), 2U);
  EXPECT_TRUE(tree->files.at("usr/bin/a").runs);
  EXPECT_EQ(tree->files.at("usr/bin/c").content().value(), std::vector<std::uint8_t>{'3'});
  const auto named = ProgramTree::own("oci:" + image_.folder.string(), false);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->hash, tree->hash);
  EXPECT_TRUE(named->files.empty());
  CpioArchive archive;
  EXPECT_TRUE(tree->add_to(archive));
  ASSERT_TRUE(write_text(image_.folder / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})"));
  const auto as_files = ProgramTree::own(image_.folder.string());
  ASSERT_FALSE(as_files);
  EXPECT_THAT(as_files.error().text(),
              testing::HasSubstr("name it as such: image = \"oci:" + image_.folder.string()));
}

TEST_F(OciFolder, IsRefusedWhereItIsNotWhatItSays) {
  EXPECT_EQ(refusal(), "");
  const std::string digest = image_.layers[1]["digest"].get<std::string>().substr(7);
  const fs::path layer = image_.folder / "blobs/sha256" / digest;
  const std::string good = read_text(layer).value();
  std::string bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
  ASSERT_TRUE(write_text(layer, bad));
  EXPECT_THAT(refusal(), HasSubstr("another content than its name"));
  ASSERT_TRUE(write_text(layer, good + "x"));
  EXPECT_THAT(refusal(), HasSubstr("another size than it says"));
  fs::remove(layer);
  EXPECT_THAT(refusal(), HasSubstr("is not there"));
  fs::create_symlink("/etc/passwd", layer);
  EXPECT_THAT(refusal(), HasSubstr("is not there")) << "a link may lead anywhere";
  fs::remove(layer);
  ASSERT_TRUE(write_text(layer, good));
  EXPECT_EQ(refusal(), "");

  image_.diff_ids[1] = "sha256:" + std::string(64, '0');
  image_.write();
  EXPECT_THAT(refusal(), HasSubstr("than its configuration says"));
  image_.layers[0]["digest"] = "sha256:../../../etc/passwd";
  image_.write();
  EXPECT_THAT(refusal(), HasSubstr("is no SHA-256"));
  image_.architecture = "arm64";
  image_.write();
  EXPECT_THAT(refusal(), HasSubstr("not for Linux on amd64"));
  ASSERT_TRUE(
      write_text(image_.folder / "index.json", R"({"manifests": [{"platform": {"os": "windows"}}]})"));
  EXPECT_THAT(refusal(), HasSubstr("holds no image"));
  ASSERT_TRUE(write_text(image_.folder / "index.json", "{"));
  EXPECT_NE(refusal(), "");
  fs::remove(image_.folder / "index.json");
  EXPECT_THAT(refusal(), HasSubstr("index.json"));
}

TEST_F(OciFolder, WithSeveralImagesIsRefusedByTheirTags) {
  const fs::path file = image_.folder / "index.json";
  nlohmann::json index = nlohmann::json::parse(read_text(file).value());
  nlohmann::json tagged = index["manifests"][0];
  tagged["annotations"]["org.opencontainers.image.ref.name"] = "second";
  index["manifests"].push_back(tagged);
  ASSERT_TRUE(write_text(file, index.dump()));
  EXPECT_EQ(refusal(), "") << "one image of two names";
  index["manifests"][1]["digest"] = "sha256:" + std::string(64, '0');
  ASSERT_TRUE(write_text(file, index.dump()));
  EXPECT_THAT(refusal(), HasSubstr("several images: one without a tag, second"));
  for (nlohmann::json& one : index["manifests"])
    one["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  ASSERT_TRUE(write_text(file, index.dump()));
  EXPECT_THAT(refusal(), HasSubstr("several images: one without a tag, second"));
}

// tests/skopeo, made on Debian 12 by umoci 0.4.7 and skopeo 1.9.3: `umoci new`, four times `umoci insert`,
// `skopeo copy oci:IMAGE oci:tagged:latest`, `skopeo copy --dest-compress --dest-compress-format zstd
// oci:IMAGE dir:D`, `skopeo copy dir:D oci:zstd`.
TEST(OciImage, IsReadAsSkopeoWritesIt) {
  for (const char* name : {"tagged", "zstd"}) {
    const auto tree = ProgramTree::own(std::string("oci:" VTAX_SOURCE_DIR "/tests/skopeo/") + name);
    ASSERT_TRUE(tree) << tree.error().text();
    std::vector<std::string> paths;
    for (const auto& [path, file] : tree->files) paths.push_back(path);
    EXPECT_THAT(paths, testing::ElementsAre("bin/run", "data/file")) << name;
    EXPECT_TRUE(tree->files.at("bin/run").runs);
    EXPECT_EQ(text_of_packed(tree->files.at("data/file").content().value()), "2\n") << "of the layer above";
  }
}

// Long names stand in front of their entries, in either of two forms.
TEST_F(OciFolder, OfTarsOwnArchivesIsReadInBothOfItsForms) {
  const fs::path files = image_.folder / "files";
  const std::string deep = std::string(120, 'd') + "/" + std::string(150, 'f');
  fs::create_directories((files / deep).parent_path());
  ASSERT_TRUE(write_text(files / deep, "deep"));
  fs::create_symlink(deep, files / "link");
  for (const char* format : {"gnu", "pax", "ustar"}) {
    const auto made = run_command({.arguments = {"tar", "--format", format, "-C", files.string(), "-cf",
                                                 (image_.folder / "made.tar").string(), "."}});
    if (!made || made->exit_code != 0) continue;  // ustar has no room for such a link
    const std::string archive = read_text(image_.folder / "made.tar").value();
    OciFiles read = all_files();
    const auto added = read.add_layer(text_bytes(archive), format);
    ASSERT_TRUE(added) << added.error().text();
    EXPECT_EQ(read.files().at(deep).content->size(), 4U) << format;
    EXPECT_EQ(read.files().at("link").target, deep) << format;
  }
}

}  // namespace
}  // namespace vtax::lab
