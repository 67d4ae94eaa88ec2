#include "federation/queries/peer_slices.hpp"

#include "net/task_group.hpp"

namespace entente::federation {

namespace {

constexpr int most_tries = 3;
// Who has drawn more octets than its budget of a minute is told to wait so long at most.
constexpr std::int64_t longest_patience_s = 61;

PeerSlice computed(const protocol::Slice& slice)
{
    PeerSlice made;
    made.after = slice.after;
    made.latest = slice.latest;
    auto at = slice.after;
    for (const auto& entry : slice.entries) {
        const auto event = protocol::event_id(entry.event);
        at.hash =
            protocol::entry_hash(slice.channel, slice.epoch, at.seq + 1, entry.at, at.hash, event);
        ++at.seq;
        made.entries.push_back({at, event});
    }
    return made;
}

bool asks_for_patience(const Error& error)
{
    return (error.code == Code::rate_limited || error.code == Code::unavailable) &&
           error.retry_after > 0 && error.retry_after <= longest_patience_s;
}

}  // namespace

asio::awaitable<Result<PeerSlice>> PeerSlices::ask(ServerName peer,
                                                   const storage::ChannelRow& channel,
                                                   const storage::PastHomes& past,
                                                   std::int64_t after, std::int64_t limit)
{
    auto target = "/federation/v1/channels/" + channel.name.str() +
                  "/log?after=" + std::to_string(after) + "&limit=" + std::to_string(limit);
    const auto name = channel.name;
    auto homes = past;
    homes.insert_or_assign(channel.epoch, channel.home);
    auto answer = co_await query(std::move(peer), std::move(target));
    if (!answer) co_return fail(answer);
    const auto home = homes.find(answer->slice.epoch);
    if (answer->slice.channel != name || home == homes.end())
        co_return fail(Code::malformed, "the peer answered with another channel or epoch");
    auto made = computed(answer->slice);
    // No key is fetched for this: what it needs, the home's, is pinned.
    auto roots = co_await parts_.verifier.check_roots(std::move(answer->roots), false);
    protocol::Read<protocol::Slice> read;
    read.channel_text = name.str();
    read.value = std::move(answer->slice);
    auto verified = parts_.verifier.check_slice(std::move(read), roots, home->second);
    made.unproven = std::move(verified.problem);
    co_return made;
}

asio::awaitable<Result<protocol::LogAnswer>> PeerSlices::query(ServerName peer, std::string target)
{
    for (int tries = 1;; ++tries) {
        auto answer = co_await query_once(peer, target);
        if (answer || tries == most_tries || !asks_for_patience(answer.error())) co_return answer;
        co_await net::sleep_for(std::chrono::seconds(answer.error().retry_after));
    }
}

asio::awaitable<Result<protocol::LogAnswer>> PeerSlices::query_once(ServerName peer,
                                                                    std::string target)
{
    auto answer = co_await parts_.client.send(std::move(peer), "GET", std::move(target), "");
    if (!answer) co_return fail(answer);
    if (answer->status != 200) {
        auto problem = answer->problem.value_or(
            Error{Code::unavailable, "status " + std::to_string(answer->status), {}, 0});
        // Who hasn't signed it may be anybody on the way: nothing follows from it.
        if (!answer->is_signed && !asks_for_patience(problem)) problem.code = Code::unavailable;
        co_return Result<protocol::LogAnswer>{tl::unexpect, std::move(problem)};
    }
    co_return protocol::parse_log_answer(answer->body, parts_.identity.names);
}

}  // namespace entente::federation
