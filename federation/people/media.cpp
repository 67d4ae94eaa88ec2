#include "federation/people/media.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "federation/event_policy.hpp"
#include "protocol/octets.hpp"
#include "storage/media_store.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t answer_overhead = 4'096;

std::string id_of(std::string_view octets)
{
    return protocol::to_base64url(protocol::sha256(octets));
}

bool is_id(std::string_view text)
{
    return protocol::hash_from_base64url(text).has_value();
}

protocol::Failure unknown_file()
{
    return refuse(Code::not_found, "no such file");
}

protocol::Failure no_room()
{
    return retry_later(Code::unavailable, "too many files are under way", 5);
}

// On the pool's threads. They take values: the waiter may be cancelled meanwhile.
asio::awaitable<Result<void>> write_blocking(std::shared_ptr<const storage::MediaFolder> folder,
                                             std::string id, std::shared_ptr<std::string> octets)
{
    co_return folder->write(id, *octets);
}

asio::awaitable<Result<std::string>> read_blocking(
    std::shared_ptr<const storage::MediaFolder> folder, std::string id, std::size_t max_octets)
{
    co_return folder->read(id, max_octets);
}

}  // namespace

std::shared_ptr<void> MediaRoom::take(const std::string& who, std::size_t octets)
{
    auto& of_who = state_->by_who[who];
    const bool fits = state_->held + octets <= in_all_ && of_who + octets <= of_one_;
    if (!fits) {
        if (of_who == 0) state_->by_who.erase(who);
        return nullptr;
    }
    state_->held += octets;
    of_who += octets;
    return std::shared_ptr<void>(state_.get(), [state = state_, who, octets](void*) {
        state->held -= octets;
        const auto found = state->by_who.find(who);
        found->second -= octets;
        if (found->second == 0) state->by_who.erase(found);
    });
}

Media::Media(MediaParts parts)
    : parts_(std::move(parts)),
      folder_(std::make_shared<const storage::MediaFolder>(parts_.options.folder)),
      room_(parts_.options.in_flight, parts_.options.in_flight_of_one),
      upload_octets_(parts_.options.max_octets),
      upload_octets_a_day_(parts_.options.octets_a_day)
{
}

void Media::limit_uploads(std::size_t octets, std::int64_t octets_a_day)
{
    upload_octets_ = std::min(octets, parts_.options.max_octets);
    upload_octets_a_day_ = octets_a_day;
}

asio::awaitable<Result<std::string>> Media::keep(protocol::UserId user, std::string octets)
{
    if (octets.size() > upload_octets_)
        co_return refuse(Code::too_large, "a file that is too large");
    const auto held = room_.take(user.str(), octets.size());
    if (!held) co_return no_room();
    const auto now = parts_.clock.now_ms();
    storage::MediaRow row{id_of(octets), user.str(), static_cast<std::int64_t>(octets.size()), now};
    const auto id = row.id;
    auto reserve = [row = std::move(row), day = now - now % protocol::day_ms,
                    most = upload_octets_a_day_](storage::WriteTransaction& transaction) {
        return storage::reserve_media(transaction.db(), row, day, most);
    };
    auto is_new = co_await parts_.commits.write(std::move(reserve));
    if (!is_new) co_return fail(is_new);
    if (!*is_new) co_return id;
    auto work = write_blocking(folder_, id, std::make_shared<std::string>(std::move(octets)));
    auto written = asio::co_spawn(parts_.pool, std::move(work), asio::use_awaitable);
    auto done = co_await std::move(written);
    if (!done) co_return fail(done);
    auto note = [id](storage::WriteTransaction& transaction) {
        return storage::note_media(transaction.db(), id);
    };
    auto noted = co_await parts_.commits.write(std::move(note));
    if (!noted) co_return fail(noted);
    co_return id;
}

asio::awaitable<Result<MediaFile>> Media::find(std::string asker, ServerName server, std::string id,
                                               Wanted wanted)
{
    if (!is_id(id)) co_return unknown_file();
    if (server == parts_.identity.name) {
        auto here = co_await find_here(std::move(asker), std::move(id));
        co_return here;
    }
    auto permitted = may_fetch(server, id, wanted);
    if (!permitted) co_return fail(permitted);
    auto there = co_await find_there(std::move(asker), std::move(server), std::move(id));
    co_return there;
}

// How large the file is nobody knows yet.
Result<void> Media::may_fetch(const ServerName& server, const std::string& id, Wanted wanted) const
{
    using trust::policy::Action;
    const auto action = wanted == Wanted::shown ? Action::media_show : Action::media_ask;
    const auto tier = parts_.tier_of ? parts_.tier_of(server) : trust::Tier::guest;
    return ask_policies(parts_.policies,
                        {action, server, tier, server, trust::policy::ResourceKind::file, id});
}

asio::awaitable<Result<MediaFile>> Media::find_here(std::string asker, std::string id)
{
    auto look = [id](storage::Connection& db) { return storage::find_media(db, id); };
    auto size = co_await parts_.commits.read(std::move(look));
    if (!size) co_return fail(size);
    if (!*size) co_return unknown_file();
    const auto octets = static_cast<std::size_t>(**size);
    MediaFile file;
    file.held = room_.take(asker, octets);
    if (!file.held) co_return no_room();
    auto work = read_blocking(folder_, id, octets);
    auto reading = asio::co_spawn(parts_.pool, std::move(work), asio::use_awaitable);
    auto read = co_await std::move(reading);
    if (!read) co_return fail(read);
    file.octets = std::move(*read);
    co_return file;
}

// The answer's signature covers a digest of the octets, and the id is one: a server can keep
// a file from us, but not give us another.
asio::awaitable<Result<MediaFile>> Media::find_there(std::string asker, ServerName server,
                                                     std::string id)
{
    MediaFile file;
    file.held = room_.take(asker, parts_.options.max_octets + answer_overhead);
    if (!file.held) co_return no_room();
    auto answer =
        co_await parts_.ask(std::move(server), "GET", "/federation/v1/media/" + id, std::string());
    if (!answer) co_return retry_later(Code::unavailable, answer.error().detail, 10);
    const bool is_unknown =
        answer->is_signed && answer->problem && answer->problem->code == Code::not_found;
    if (is_unknown) co_return unknown_file();
    if (answer->status != 200) {
        const auto wait = answer->problem ? answer->problem->retry_after : 0;
        co_return retry_later(Code::unavailable, "the server doesn't give the file",
                              std::clamp<std::int64_t>(wait, 10, 3'600));
    }
    if (answer->body.size() > parts_.options.max_octets)
        co_return refuse(Code::too_large, "a file that is too large here");
    if (id_of(answer->body) != id)
        co_return retry_later(Code::unavailable, "the server gave another file", 60);
    file.octets = std::move(answer->body);
    co_return file;
}

asio::awaitable<net::Response> Media::answer(const net::Request& request, const Admitted& admitted)
{
    const auto& id = request.captures.at(0);
    if (!is_id(id)) co_return net::problem_response(unknown_file().value(), parts_.clock.now_ms());
    auto file = co_await find_here(admitted.origin.str(), id);
    if (!file) co_return net::problem_response(file.error(), parts_.clock.now_ms());
    co_return media_response(std::move(*file));
}

net::Response media_response(MediaFile file)
{
    net::Response response;
    response.content_type = "application/octet-stream";
    response.fields.emplace_back("Content-Disposition", "attachment");
    response.fields.emplace_back("X-Content-Type-Options", "nosniff");
    response.fields.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
    response.body = std::move(file.octets);
    response.held = std::move(file.held);
    return response;
}

}  // namespace entente::federation
