// The part of Settlement that stores what followers said of the logs that they were sent.
#include <algorithm>
#include <set>

#include "federation/links/settlement_job.hpp"
#include "federation/log/shown_keys.hpp"
#include "federation/log/succession.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/retention_store.hpp"

namespace entente::federation {

namespace {

using protocol::SliceResult;
using protocol::SliceStatus;
using storage::WriteTransaction;

// The followers, besides `peer`, whose users wrote what `peer` has just been sent: they want
// to know that it is there.
std::vector<ServerName> authors_elsewhere(const LogPart& part, const storage::LiveChannel& channel,
                                          const ServerName& peer)
{
    std::set<ServerName> authors;
    if (channel.followers.size() < 2) return {};
    for (const auto& stored : part.page.entries) {
        auto followed =
            protocol::parse_followed_event(stored.entry.event, protocol::NameRules{true});
        if (!followed) continue;
        const auto& author = followed->event.sender.server;
        if (author != peer && channel.followers.contains(author)) authors.insert(author);
    }
    return {authors.begin(), authors.end()};
}

// A follower that holds no more than we do, or no part of this log, has nothing to give back.
FollowerWord word_of(const storage::LiveChannel& channel, const SliceResult& result)
{
    const bool is_apart = result.status == SliceStatus::fork ||
                          result.status == SliceStatus::not_following ||
                          result.status == SliceStatus::superseded;
    const bool has_answered = result.status != SliceStatus::deferred;
    return {channel.name, 0, is_apart || (has_answered && result.have.seq <= channel.seq)};
}

// Whether it asks for a key that wasn't shown.
bool asks_for_more(const SliceResult& result, const std::vector<protocol::ShownKey>& shown,
                   protocol::NameRules names)
{
    const ShownKeys keys(shown);
    return std::ranges::any_of(result.kids, [&](const std::string& kid) {
        const auto ref = protocol::parse_key_ref(kid, names);
        return ref && !keys.has(*ref);
    });
}

}  // namespace

Result<void> Settlement::apply_log(WriteTransaction& transaction, const Job& job,
                                   const LogPart& part, const SliceResult& result, Settled& settled)
{
    auto& db = transaction.db();
    const auto name = part.channel.name;
    auto found = parts_.store.find(db, name);
    if (!found) return fail(found);
    auto& channel = **found;
    auto server = parts_.store.server_id(db, job.peer);
    if (!server) return fail(server);

    // [SUC-7] Who is told that it is the home no more has lost the move, and gets it back as what
    // else it has lost.
    const bool was_home = channel.home != parts_.identity.name;
    if (result.status == SliceStatus::ahead ||
        (result.status == SliceStatus::superseded && !was_home))
        return apply_ahead(transaction, job, channel, result, settled);
    if (channel.held) settled.words.push_back(word_of(channel, result));

    // As it stands now: a following may have ended or begun anew while the answer came.
    auto cursor = storage::find_cursor(db, channel.id, job.peer);
    if (!cursor) return fail(cursor);
    if (!*cursor || part.page.after.seq < (*cursor)->floor) return {};

    const auto drop = [&]() -> Result<void> {
        parts_.store.forget_follower(channel, job.peer);
        return storage::drop_cursor(db, channel.id, *server);
    };
    const bool moves = result.status == SliceStatus::ok || result.status == SliceStatus::gap;
    // [SUC-2] It knows of the move: the new home brings it further.
    const bool has_passed =
        result.status == SliceStatus::superseded || (moves && result.epoch > part.page.epoch);
    if (was_home && has_passed) return let_go(db, job.peer, channel, **cursor);
    if (!moves) {
        if (result.status == SliceStatus::not_following) return drop();
        // Shown at once; where it asks for no others than were shown, it is tried as all that is
        // refused.
        if (result.status == SliceStatus::need_keys && result.kids.size() <= max_keys_shown &&
            asks_for_more(result, part.keys, parts_.identity.names)) {
            settled.keys_wanted[name.str()] = result.kids;
            return {};
        }
        const bool knows_no_move = result.problem && result.problem->code == Code::not_home &&
                                   part.is_past_homes && !was_home &&
                                   part.page.epoch + 1 == channel.epoch;
        if (knows_no_move && !part.shows_move) {
            settled.moves_wanted.insert(name.str());
            return {};
        }
        const bool is_fork = result.status == SliceStatus::fork;
        settled.held_logs[name.str()] = is_fork ? fork_pause_seconds : result.retry_after;
        if (result.status == SliceStatus::need_snapshot)
            settled.awaiting_snapshot.insert(name.str());
        if (result.status != SliceStatus::need_snapshot && result.status != SliceStatus::deferred)
            parts_.log.write(
                is_fork ? protocol::LogLevel::error : protocol::LogLevel::warning, "links",
                is_fork ? "a follower holds another history of a channel that is homed here, and "
                          "has frozen it until its administrator lets it go on"
                        : "a follower does not take a channel's log",
                {{"peer", job.peer.str()},
                 {"channel", name.str()},
                 {"status", std::string(protocol::to_text(result.status))},
                 {"problem",
                  result.problem ? std::string(protocol::code_name(result.problem->code)) : ""}});
        return {};
    }
    // It can't hold what was never sent, and what it holds must be what stands here.
    const bool is_known = result.have.seq >= 0 && result.have.seq <= channel.seq;
    auto hash = is_known ? parts_.store.hash_at(db, channel, result.have.seq)
                         : Result<std::string>{fail(Code::not_found, "beyond the log's end")};
    // [QRY-2] What lies before the floor isn't the follower's to ask for.
    const bool agrees = hash && (*hash == result.have.hash) && result.have.seq >= (*cursor)->floor;
    const bool stands_still = result.have.seq == part.page.after.seq &&
                              (result.status == SliceStatus::gap || !part.page.entries.empty());
    if (!agrees || stands_still) {
        settled.held_logs[name.str()] = 0;
        protocol::log_warning(parts_.log, "links", "a follower's log differs from ours",
                              {{"peer", job.peer.str()},
                               {"channel", name.str()},
                               {"have", std::to_string(result.have.seq)}});
        return {};
    }
    if ((*cursor)->until > 0 && result.have.seq >= (*cursor)->until)
        return was_home ? let_go(db, job.peer, channel, **cursor) : drop();
    if (result.have.seq > part.page.after.seq) {
        settled.progress = true;
        AdvancedLog advanced{name, authors_elsewhere(part, channel, job.peer)};
        if (!advanced.others.empty()) settled.advanced.push_back(std::move(advanced));
    }
    transaction.after_commit([this, name, peer = job.peer, seq = result.have.seq] {
        parts_.notices.tell(
            [&](CommitListener& listener) { listener.delivered_to(name, peer, seq); });
    });
    if (result.have.seq >= part.page.end.seq) settled.logs_left.erase(part.channel.id);
    auto moved = storage::set_cursor(db, channel.id, *server, result.have.seq);
    if (!moved || channel.state.retention != "relay") return moved;
    return storage::hurry_retention(db, channel.id);
}

// [SUC-2] A former home has brought a follower as far as it had to. Of the new home it keeps no
// account.
Result<void> Settlement::let_go(storage::Connection& db, const ServerName& follower,
                                storage::LiveChannel& channel, const storage::CursorRow& cursor)
{
    auto server = parts_.store.server_id(db, follower);
    if (!server) return fail(server);
    if (follower != channel.home && channel.state.has_member_of(follower))
        return storage::continue_cursor(db, channel.id, *server, cursor.until);
    parts_.store.forget_follower(channel, follower);
    return storage::drop_cursor(db, channel.id, *server);
}

// [LOG-5] Held at once, in the same commit: whatever was appended now would take the place of
// what the follower holds.
Result<void> Settlement::apply_ahead(WriteTransaction& transaction, const Job& job,
                                     storage::LiveChannel& channel, const SliceResult& result,
                                     Settled& settled)
{
    const auto name = channel.name;
    settled.held_logs[name.str()] = 1;
    FollowerWord word{name, 0, true};
    const auto agrees = result.agrees.value_or(protocol::Position{-1, {}});
    const bool can_compare = agrees.seq >= channel.floor && agrees.seq <= channel.seq;
    auto hash = can_compare ? parts_.store.hash_at(transaction.db(), channel, agrees.seq)
                            : Result<std::string>{fail(Code::not_found, "beyond the log's end")};
    if (!hash && hash.error().code != Code::not_found) return fail(hash);
    if (!hash || *hash != agrees.hash) {
        settled.held_logs[name.str()] = 0;
        protocol::log_error(parts_.log, "channel_log",
                            "a follower holds another history of a channel that is homed here: "
                            "either side has been altered, or this server's data was put back "
                            "and has gone on from there",
                            {{"peer", job.peer.str()},
                             {"channel", name.str()},
                             {"seq", agrees.seq},
                             {"have", result.have.seq}});
    } else if (agrees.seq < channel.seq) {
        // Said of an end that isn't ours any more: asked again.
        word.counts = false;
    } else if (result.have.seq > channel.seq && job.disbelieved.contains(name.str())) {
        settled.held_logs[name.str()] = 0;
    } else if (result.have.seq > channel.seq) {
        word = {name, result.have.seq, false};
        auto held =
            channel.held ? Result<void>{} : parts_.store.set_held(transaction.db(), channel, true);
        if (!held) return held;
    }
    settled.words.push_back(std::move(word));
    return {};
}

}  // namespace entente::federation
