#include "core/unfinished_file.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstring>
#include <utility>

namespace vtax {
namespace {

enum class PlaceState { free, being_written, file };

struct Place {
  std::atomic<PlaceState> state{PlaceState::free};
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<PlaceState>::is_always_lock_free);

std::array<Place, 8> places;

}  // namespace

UnfinishedFile::UnfinishedFile(const std::filesystem::path& file) {
  const std::string& path = file.native();
  if (path.size() >= PATH_MAX) return;
  for (std::size_t i = 0; i < places.size(); ++i) {
    PlaceState expected = PlaceState::free;
    if (!places[i].state.compare_exchange_strong(expected, PlaceState::being_written)) continue;
    std::memcpy(places[i].path.data(), path.c_str(), path.size() + 1);
    places[i].state = PlaceState::file;
    place_ = i;
    return;
  }
}

UnfinishedFile::UnfinishedFile(UnfinishedFile&& other) noexcept
    : place_(std::exchange(other.place_, kNoPlace)) {}

UnfinishedFile::~UnfinishedFile() {
  if (place_ != kNoPlace) places[place_].state = PlaceState::free;
}

void remove_unfinished_files() {
  for (const Place& place : places)
    if (place.state == PlaceState::file) ::unlink(place.path.data());
}

}  // namespace vtax
