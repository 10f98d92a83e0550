#pragma once

#include <string>

#include "core/result.h"

// Names of computers, for generators by hand. A static program resolves none by itself: the C library would
// load this computer's own modules for it. So getent(1), which every Debian has, is asked.
namespace vtax {

// An address that NetAddress reads: `host` where it is one, else the first that the name has. Errors (usage):
// a name that nobody knows, or no getent here.
[[nodiscard]] Result<std::string> numeric_host(const std::string& host);

struct ResolvedUrl {
  std::string url;        // with an address in place of the name
  std::string authority;  // "server.example:8080", for the Host field; "" where there was no name
};

// "http://server.example:8080/path". What is no URL is left for http::parse_url to refuse.
[[nodiscard]] Result<ResolvedUrl> resolve_url(const std::string& url);

}  // namespace vtax
