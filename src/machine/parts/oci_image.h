#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/parts/oci_layer.h"

namespace vtax::lab {

// An image of a container in a folder, as `skopeo copy ... oci:FOLDER` writes it (the image specification's
// "Image Layout"): index.json, and blobs by their SHA-256, each of which is checked when it is read. Layers
// are tar, plain or packed by gzip or zstd; of several images the one for Linux on amd64 is taken.
class OciImage {
 public:
  // Reads what it is made of, and checks every blob. Errors (usage): what is not there or not as it says.
  [[nodiscard]] static Result<OciImage> open(const std::filesystem::path& folder);

  // Of its manifest, and so of all its content: 64 hexadecimal digits.
  [[nodiscard]] const std::string& sha256() const { return sha256_; }

  // Its files, the layers one over the other; errors: OciFiles::add_layer()'s.
  [[nodiscard]] Result<> add_to(OciFiles& files) const;

 private:
  struct Layer {
    std::filesystem::path file;
    std::string sha256;  // of the archive, unpacked
  };
  std::string what_;  // begins errors
  std::string sha256_;
  std::vector<Layer> layers_;
};

}  // namespace vtax::lab
