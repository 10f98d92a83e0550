#include "machine/parts/header_closure.h"

#include <gmock/gmock.h>

#include <fstream>

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

void put_header(const fs::path& file, const char* text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

TEST(IncludedNames, AreThoseOfTheDirective) {
  EXPECT_THAT(
      included_names("#include <a.h>\n  #  include \"b/c.h\" // why\n#include_next <d.h>\nint include;\n"
                     "#include MACRO\n#include <unended\n#define include <e.h>\n#"),
      ElementsAre("a.h", "b/c.h", "d.h"));
  EXPECT_TRUE(included_names("").empty());
}

TEST(HeaderClosure, FollowsAllLevelsThroughAllFolders) {
  const fs::path root = fs::path(testing::TempDir()) / "vtax-headers";
  fs::remove_all(root);
  put_header(root / "own/limits.h", "#include_next <limits.h>\n");
  put_header(root / "libc/limits.h", "#include <bits/local.h>\n#include <nowhere.h>\n");
  put_header(root / "libc/bits/local.h", "#include <limits.h>\n");  // a circle
  put_header(root / "libc/unused.h", "");
  const auto headers =
      header_closure({"#include <limits.h>\n#include <../own/limits.h>\n"}, {root / "own", root / "libc"});
  ASSERT_TRUE(headers) << headers.error().text();
  std::vector<std::string> seen;
  for (const Header& header : *headers) seen.push_back(std::to_string(header.folder) + " " + header.name);
  EXPECT_THAT(seen, ElementsAre("0 limits.h", "1 bits/local.h", "1 limits.h"));
  fs::remove_all(root);
}

}  // namespace
}  // namespace vtax::lab
