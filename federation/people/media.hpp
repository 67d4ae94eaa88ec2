// Media by id: files that users upload, here and by query from the server that has them
// [QRY-11]. An id is the hash of what it names, so nobody needs to be believed. Memory is
// counted: what is being read, sent and received of files is bounded for each who asks, and
// in all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "federation/gate/gate.hpp"
#include "federation/identity.hpp"
#include "federation/people/local_people.hpp"
#include "net/http_message.hpp"
#include "storage/group_commit.hpp"
#include "storage/media_folder.hpp"

namespace entente::federation {

struct MediaOptions {
    std::string folder;
    std::size_t max_octets = 10'485'760;        // of a file
    std::int64_t octets_a_day = 104'857'600;    // that a user may upload
    std::size_t in_flight = 134'217'728;        // in all
    std::size_t in_flight_of_one = 33'554'432;  // of one user, or one server
};

// A share of the memory for files, given back when its last holder goes.
class MediaRoom {
 public:
    MediaRoom(std::size_t in_all, std::size_t of_one) : in_all_(in_all), of_one_(of_one) {}
    // Nothing where there is no room.
    [[nodiscard]] std::shared_ptr<void> take(const std::string& who, std::size_t octets);
    [[nodiscard]] std::size_t held() const { return state_->held; }

 private:
    struct State {
        std::size_t held = 0;
        std::unordered_map<std::string, std::size_t> by_who;
    };
    std::size_t in_all_, of_one_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct MediaFile {
    std::string octets;
    std::shared_ptr<void> held;  // until it is written
};

// What a file of another server is wanted for, which that server's tier may permit or not.
enum class Wanted : std::uint8_t {
    asked,  // a user has asked for it
    shown   // his client shows it by itself
};

struct MediaParts {
    const Identity& identity;
    storage::GroupCommit& commits;
    asio::any_io_executor pool;
    const protocol::Clock& clock;
    Ask ask;
    MediaOptions options;
    std::function<trust::Tier(const ServerName&)> tier_of = {};  // nothing: guests all
    trust::policy::Enforcer* policies = nullptr;                 // nothing: nobody is asked
};

class Media {
 public:
    explicit Media(MediaParts parts);

    // As the process was started; limit_uploads doesn't change it.
    [[nodiscard]] std::size_t max_octets() const { return parts_.options.max_octets; }
    [[nodiscard]] std::int64_t octets_a_day() const { return parts_.options.octets_a_day; }
    // From now on, of users here: octets of a file, max_octets at most, and of a UTC day.
    void limit_uploads(std::size_t octets, std::int64_t octets_a_day);
    // The id under which it is durable. `rate_limited` over the day's quota, `too_large`,
    // `unavailable` where there is no room or the disk fails.
    asio::awaitable<Result<std::string>> keep(protocol::UserId user, std::string octets);
    // `asker` is charged for the memory. `not_found`; `unavailable` where its server doesn't
    // answer, or says something else than what the id names. Of another server's file `forbidden`
    // or `rate_limited` by policies, before that server is asked.
    asio::awaitable<Result<MediaFile>> find(std::string asker, ServerName server, std::string id,
                                            Wanted wanted = Wanted::asked);
    // GET /federation/v1/media/{id}
    asio::awaitable<net::Response> answer(const net::Request& request, const Admitted& admitted);

 private:
    asio::awaitable<Result<MediaFile>> find_here(std::string asker, std::string id);
    asio::awaitable<Result<MediaFile>> find_there(std::string asker, ServerName server,
                                                  std::string id);
    [[nodiscard]] Result<void> may_fetch(const ServerName& server, const std::string& id,
                                         Wanted wanted) const;

    MediaParts parts_;
    std::shared_ptr<const storage::MediaFolder> folder_;
    MediaRoom room_;
    std::size_t upload_octets_;
    std::int64_t upload_octets_a_day_;
};

// Never shown, always saved: whatever it is, it is nothing of ours.
[[nodiscard]] net::Response media_response(MediaFile file);

}  // namespace entente::federation
