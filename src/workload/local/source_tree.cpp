#include "workload/local/source_tree.h"

#include <fmt/format.h>

#include "core/sha256.h"
#include "workload/local/seeded.h"

namespace vtax {
namespace {

std::string shared_header(Language language) {
  if (language == Language::c)
    return "#ifndef SHARED_H\n#define SHARED_H\n#include <stddef.h>\n#include <stdint.h>\n#include "
           "<string.h>\n"
           "struct item { uint64_t key; double weight; struct item *next; };\n"
           "uint64_t keep(uint64_t value);\n#endif\n";
  return "#pragma once\n#include <algorithm>\n#include <cstdint>\n#include <map>\n#include <string>\n"
         "#include <vector>\n"
         "struct item { std::uint64_t key; double weight; item *next; };\nstd::uint64_t keep(std::uint64_t "
         "value);\n"
         "template <class T, unsigned N> struct ring {\n"
         "  T held[N] = {}; unsigned at = 0;\n"
         "  void push(T value) { held[at++ % N] = value; }\n"
         "  T sum() const { T all = 0; for (T one : held) all += one; return all; }\n};\n";
}

std::string table_of(SplitMix& random, std::uint64_t file, std::uint64_t number) {
  const std::uint64_t length = 8 + random.below(24);
  std::string out = fmt::format("static const uint64_t table_{}_{}[{}] = {{", file, number, length);
  for (std::uint64_t i = 0; i < length; ++i)
    out += fmt::format("{}0x{:x}u", i == 0 ? "" : ", ", random.below(1U << 31));
  return out + "};\n" + fmt::format("enum {{ length_{}_{} = {} }};\n", file, number, length);
}

std::string step_of(SplitMix& random, std::uint64_t file, std::uint64_t number) {
  const std::uint64_t value = 1 + random.below(1000), bits = 1 + random.below(31);
  switch (random.below(5)) {
    case 0:
      return fmt::format("    x = (x << {}) ^ (x >> {}) ^ {}u;\n", bits, 64 - bits, value);
    case 1:
      return fmt::format("    if (x % {}u == {}u) {{ x += i * {}u; w *= 1.25; }} else {{ x ^= keep(x); }}\n",
                         value + 1, value / 2, bits);
    case 2:
      return fmt::format(
          "    switch (x & 3) {{ case 0: x += {}u; break; case 1: x -= {}u; break; case 2: w += "
          "(double)x; break; default: x *= {}u; }}\n",
          value, bits, value | 1);
    case 3:
      return fmt::format(
          "    for (unsigned k = 0; k < (unsigned)length_{0}_{1}; ++k) x += table_{0}_{1}[k] * "
          "(i + {2}u);\n",
          file, number, value);
    default:
      return fmt::format("    w = w * {}.5 + (double)(x & {}u);\n", value, value);
  }
}

std::string cpp_tail(SplitMix& random, std::uint64_t file, std::uint64_t number) {
  // One after the other: the order of a call's arguments is the compiler's.
  const std::uint64_t held = 2 + random.below(62);
  const std::uint64_t kinds = 1 + random.below(1000);
  const std::uint64_t order = 2 + random.below(1000);
  return fmt::format(
      "uint64_t gather_{0}_{1}(const std::vector<uint64_t> &from) {{\n"
      "  std::map<uint64_t, std::string> seen;\n  ring<uint64_t, {2}> last;\n"
      "  for (uint64_t one : from) {{ seen[one % {3}u] += std::to_string(one); last.push(one); }}\n"
      "  std::vector<uint64_t> sorted(from);\n"
      "  std::sort(sorted.begin(), sorted.end(), [](uint64_t a, uint64_t b) {{ return a % {4}u < b % {4}u; "
      "}});\n"
      "  return seen.size() + last.sum() + (sorted.empty() ? 0 : sorted.front());\n}}\n",
      file, number, held, kinds, order);
}

std::string unit_text(SplitMix& random, std::uint64_t file, std::uint64_t functions, Language language) {
  std::string out = "#include \"shared.h\"\n";
  for (std::uint64_t number = 0; number < functions; ++number) {
    out += table_of(random, file, number);
    out +=
        fmt::format("uint64_t work_{}_{}(struct item *from, uint64_t x) {{\n  double w = 1;\n", file, number);
    out +=
        "  for (uint64_t i = 0; from; from = from->next, ++i) {\n    x += from->key;\n    w += "
        "from->weight;\n";
    for (std::uint64_t steps = 3 + random.below(8); steps > 0; --steps) out += step_of(random, file, number);
    out += "  }\n  return x + (uint64_t)w;\n}\n";
    if (language == Language::cpp && number % 8 == 0) out += cpp_tail(random, file, number);
  }
  return out;
}

}  // namespace

std::vector<SourceFile> source_tree(std::uint64_t seed, std::uint64_t files, std::uint64_t functions,
                                    Language language) {
  std::vector<SourceFile> tree{{"shared.h", shared_header(language)}};
  for (std::uint64_t file = 0; file < files; ++file) {
    SplitMix random(SplitMix::nth(seed, file));
    tree.push_back({fmt::format("unit{}.{}", file, language == Language::c ? "c" : "cpp"),
                    unit_text(random, file, functions, language)});
  }
  return tree;
}

std::string sha256_of(const std::vector<SourceFile>& tree) {
  Sha256 hash;
  for (const SourceFile& file : tree) {
    hash.add(fmt::format("{} {}\n", file.name, file.text.size()));
    hash.add(file.text);
  }
  return hash.hex();
}

}  // namespace vtax
