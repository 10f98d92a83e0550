#include "machine/parts/oci_image.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/files.h"
#include "core/json_fields.h"
#include "core/readable.h"
#include "core/sha256.h"
#include "machine/parts/decompress.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostImages = 100, kMostLayers = 200, kMostNested = 3;
constexpr std::uint64_t kMostBlobBytes = std::uint64_t{1} << 30, kMostLayerBytes = std::uint64_t{1} << 30;
constexpr std::size_t kSha256Digits = 64;

Error bad_image(const std::string& what, std::string why) {
  return {what, std::move(why), "write it again: skopeo copy ... oci:FOLDER", ExitCode::usage};
}

struct Blob {
  std::string type, sha256;
  std::uint64_t bytes = 0;
};

// A descriptor: which blob, of what type and size.
Result<Blob> blob_in(const JsonFields& fields, const std::string& what) {
  constexpr std::string_view kAlgorithm = "sha256:";
  auto type = fields.text("mediaType"), digest = fields.text("digest");
  const auto bytes = fields.number("size", 0, kMostBlobBytes);
  if (!type) return fail(type.error());
  if (!digest) return fail(digest.error());
  if (!bytes) return fail(bytes.error());
  const std::string digits = digest->starts_with(kAlgorithm) ? digest->substr(kAlgorithm.size()) : "";
  // It becomes the name of a file.
  if (digits.size() != kSha256Digits || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(bad_image(what, fmt::format("'{}' is no SHA-256", printable(*digest))));
  return Blob{std::move(*type), digits, *bytes};
}

fs::path file_of(const fs::path& folder, const Blob& blob) {
  return folder / "blobs" / "sha256" / blob.sha256;
}

Result<> check_blob(const fs::path& folder, const Blob& blob, const std::string& what) {
  const fs::path file = file_of(folder, blob);
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(file, error)))
    return fail(bad_image(what, fmt::format("the blob {} is not there", blob.sha256)));
  if (fs::file_size(file, error) != blob.bytes)
    return fail(bad_image(what, fmt::format("the blob {} has another size than it says", blob.sha256)));
  const auto hash = sha256_of_file(file);
  if (!hash) return fail(hash.error());
  if (*hash != blob.sha256)
    return fail(bad_image(what, fmt::format("the blob {} has another content than its name", blob.sha256)));
  return {};
}

Result<JsonFields> json_blob(const fs::path& folder, const Blob& blob, const std::string& what) {
  if (Result<> good = check_blob(folder, blob, what); !good) return fail(good.error());
  const auto text = read_text(file_of(folder, blob));
  if (!text) return fail(text.error());
  return JsonFields::parse(what, *text);
}

bool is_list(const Blob& blob) {
  return blob.type.ends_with("image.index.v1+json") || blob.type.ends_with("manifest.list.v2+json");
}

std::string tag_of(const nlohmann::json& image) {
  const auto notes = image.value("annotations", nlohmann::json());
  const auto tag = notes.is_object() ? notes.value("org.opencontainers.image.ref.name", nlohmann::json())
                                     : nlohmann::json();
  return tag.is_string() ? printable(tag.get<std::string>()) : "one without a tag";
}

// One that does not say for what it is, is for Linux on amd64.
Result<bool> is_for_the_lab(const JsonFields& image) {
  if (!image.has("platform")) return true;
  const auto platform = image.object("platform");
  if (!platform) return fail(platform.error());
  return platform->text("os").value_or("") == "linux" &&
         platform->text("architecture").value_or("") == "amd64";
}

// Of a folder, in which images of several names may lie.
Result<> expect_one_image(const JsonFields& index, const std::string& what) {
  const auto images = index.array("manifests", kMostImages);
  if (!images) return fail(images.error());
  std::map<std::string, std::string> tags;  // by the image's hash
  for (const nlohmann::json& one : *images)
    if (one.is_object() && is_for_the_lab(JsonFields(what, one)).value_or(false))
      tags.emplace(one.value("digest", nlohmann::json()).dump(), tag_of(one));
  if (tags.size() < 2) return {};
  std::vector<std::string> names;
  for (const auto& [digest, tag] : tags) names.push_back(tag);
  std::sort(names.begin(), names.end());
  return fail({what, fmt::format("it holds several images: {}", fmt::join(names, ", ")),
               "give a folder with one of them: skopeo copy oci:FOLDER:TAG oci:OTHER", ExitCode::usage});
}

Result<Blob> manifest_in(const JsonFields& index, const std::string& what) {
  const auto images = index.array("manifests", kMostImages);
  if (!images) return fail(images.error());
  for (const nlohmann::json& one : *images) {
    if (!one.is_object()) return fail(index.bad("'manifests' has something else than objects"));
    const JsonFields fields(what, one);
    const auto is_wanted = is_for_the_lab(fields);
    if (!is_wanted) return fail(is_wanted.error());
    if (*is_wanted) return blob_in(fields, what);
  }
  return fail(bad_image(what, "it holds no image for Linux on amd64"));
}

bool is_layer(const std::string& type) {
  return type.starts_with("application/vnd.") && (type.ends_with(".tar") || type.ends_with(".tar+gzip") ||
                                                  type.ends_with(".tar.gzip") || type.ends_with(".tar+zstd"));
}

}  // namespace

Result<OciImage> OciImage::open(const fs::path& folder) {
  OciImage self;
  self.what_ = "cannot use the image " + printable(folder.string());
  const auto text = read_text(folder / "index.json");
  if (!text) return fail(bad_image(self.what_, "it has no index.json that can be read: " + text.error().why));
  auto index = JsonFields::parse(self.what_, *text);
  if (!index) return fail(index.error());
  if (Result<> one = expect_one_image(*index, self.what_); !one) return fail(one.error());
  std::optional<Blob> manifest;
  for (std::size_t nested = 0; !manifest || is_list(*manifest); ++nested) {
    if (nested > kMostNested) return fail(bad_image(self.what_, "its lists of images have no end"));
    if (manifest) {
      index = json_blob(folder, *manifest, self.what_);
      if (!index) return fail(index.error());
    }
    auto found = manifest_in(*index, self.what_);
    if (!found) return fail(found.error());
    manifest = std::move(*found);
  }
  const auto made_of = json_blob(folder, *manifest, self.what_);
  if (!made_of) return fail(made_of.error());
  self.sha256_ = manifest->sha256;
  const auto config_fields = made_of->object("config");
  if (!config_fields) return fail(config_fields.error());
  const auto config_blob = blob_in(*config_fields, self.what_);
  if (!config_blob) return fail(config_blob.error());
  const auto config = json_blob(folder, *config_blob, self.what_);
  if (!config) return fail(config.error());
  if (config->text("os").value_or("") != "linux" || config->text("architecture").value_or("") != "amd64")
    return fail(bad_image(self.what_, "it is not for Linux on amd64"));
  const auto root = config->object("rootfs");
  if (!root) return fail(root.error());
  const auto unpacked = root->array("diff_ids", kMostLayers), layers = made_of->array("layers", kMostLayers);
  if (!unpacked) return fail(unpacked.error());
  if (!layers) return fail(layers.error());
  if (unpacked->size() != layers->size())
    return fail(bad_image(self.what_, "its configuration is of another number of layers"));
  for (std::size_t i = 0; i < layers->size(); ++i) {
    if (!(*layers)[i].is_object() || !(*unpacked)[i].is_string())
      return fail(bad_image(self.what_, "its list of layers is damaged"));
    const auto blob = blob_in(JsonFields(self.what_, (*layers)[i]), self.what_);
    if (!blob) return fail(blob.error());
    if (!is_layer(blob->type))
      return fail(bad_image(
          self.what_, fmt::format("a layer is of the type {}, which is not read", printable(blob->type))));
    if (Result<> good = check_blob(folder, *blob, self.what_); !good) return fail(good.error());
    std::string id = (*unpacked)[i].get<std::string>();
    if (id.starts_with("sha256:")) id.erase(0, 7);
    self.layers_.push_back({file_of(folder, *blob), std::move(id)});
  }
  return self;
}

Result<> OciImage::add_to(OciFiles& files) const {
  for (const Layer& layer : layers_) {
    const auto packed = read_file(layer.file);
    if (!packed) return fail(packed.error());
    const auto archive = decompress(*packed, what_, kMostLayerBytes);
    if (!archive) return fail(archive.error());
    if (sha256_hex(ByteView(*archive)) != layer.sha256)
      return fail(bad_image(what_, "a layer has another content than its configuration says"));
    if (Result<> added = files.add_layer(*archive, what_); !added) return added;
  }
  return {};
}

}  // namespace vtax::lab
