#include "cli/token_options.h"

#include <cstdlib>

namespace vtax {

Result<> no_token_in_arguments(const std::string& token) {
  if (token.empty()) return {};
  return fail(
      {"--token is not taken any more", "every user of this machine can read a command line (ps)",
       "--token-file FILE (chmod 600), or VTAX_TOKEN in the environment; and take a new token, for that one "
       "was shown"});
}

Result<Secret> secret_of(const std::string& token, const std::string& file) {
  if (Result<> good = no_token_in_arguments(token); !good) return fail(good.error());
  if (!file.empty()) return Secret::from_file(file);
  if (const char* given = std::getenv("VTAX_TOKEN"); given != nullptr) return Secret::from_text(given);
  return fail({"no token", "the server accepts only who has its token",
               "give the one that it printed: --token-file FILE, or VTAX_TOKEN in the environment"});
}

void add_secret(CLI::App& app, std::string& token, std::string& file) {
  app.add_option(
      "--token-file", file,
      "What server and client share, in a file that only you can read (or VTAX_TOKEN in the environment)");
  app.add_option("--token", token)->group("");
}

}  // namespace vtax
