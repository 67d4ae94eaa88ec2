#include "federation/links/lacked_floors.hpp"

#include <utility>

#include "federation/long_octets.hpp"

namespace entente::federation {

using protocol::SnapshotAnswer;

asio::awaitable<Result<SnapshotAnswer>> fetch_snapshot(SignedClient& client,
                                                       storage::GroupCommit& commits,
                                                       protocol::NameRules names, ServerName home,
                                                       std::string channel, std::int64_t floor)
{
    auto target = "/federation/v1/channels/" + channel;
    if (floor > 0) target += "?seq=" + std::to_string(floor);
    auto answer = co_await client.send(home, "GET", std::move(target), "");
    if (!answer) co_return fail(answer);
    if (answer->status != 200)
        co_return Result<SnapshotAnswer>{
            tl::unexpect, answer->problem.value_or(Error{Code::unavailable, "no 200", {}, 0})};
    storage::Cause cause{home.str(), answer->body.size()};
    auto read = [body = std::move(answer->body), names](storage::Connection&) {
        return protocol::parse_snapshot_answer(body, names);
    };
    auto snapshot = co_await commits.read(std::move(read), std::move(cause));
    if (snapshot && snapshot->snapshot.channel.str() != channel)
        co_return fail(Code::malformed, "a snapshot of another channel");
    co_return snapshot;
}

void LackedFloors::note(const protocol::ChannelId& channel, const ServerName& home,
                        std::int64_t floor)
{
    if (was_tried(channel.str())) return;
    const auto found = wanted_.find(home);
    if (found != wanted_.end()) {
        if (found->second.size() < max_channels_lacked) found->second[channel.str()] = floor;
        return;
    }
    if (wanted_.size() >= max_homes_lacked) return;
    wanted_[home][channel.str()] = floor;
    waiting_.push_back(home);
    if (asked_ >= max_homes_asked) return;
    ++asked_;
    parts_.tasks.spawn(fetch_waiting());
}

bool LackedFloors::was_tried(const std::string& channel)
{
    const auto now = parts_.clock.now_ms();
    const auto is_over = [&](const auto& tried) { return now - tried.second >= floor_retry_ms; };
    const auto found = tried_.find(channel);
    if (found != tried_.end()) return !is_over(*found);
    if (tried_.size() >= max_floors_tried) std::erase_if(tried_, is_over);
    return tried_.size() >= max_floors_tried;
}

asio::awaitable<void> LackedFloors::fetch_waiting()
{
    struct Ending {
        std::size_t& asked;
        ~Ending() { --asked; }
    };
    const Ending ending{asked_};
    while (!waiting_.empty()) {
        const auto home = std::move(waiting_.front());
        waiting_.pop_front();
        auto& wanted = wanted_[home];
        if (!wanted.empty()) {
            const auto [channel, floor] = *wanted.begin();
            wanted.erase(wanted.begin());
            tried_[channel] = parts_.clock.now_ms();
            co_await fetch(home, channel, floor);
        }
        if (wanted_[home].empty()) {
            wanted_.erase(home);
        } else {
            waiting_.push_back(home);
        }
    }
}

asio::awaitable<void> LackedFloors::fetch(ServerName home, std::string channel, std::int64_t floor)
{
    auto answer = co_await fetch_snapshot(parts_.client, parts_.commits, parts_.identity.names,
                                          home, channel, floor);
    auto begun = answer ? co_await parts_.settlement.begin_again(home, std::move(*answer), floor)
                        : Result<bool>{fail(answer)};
    if (!begun || !*begun) {
        protocol::log_info(parts_.log, "links", "no snapshot for a log that ends below its floor",
                           {{"home", home.str()},
                            {"channel", channel},
                            {"detail", begun ? "it isn't wanted any more, or not by its home"
                                             : begun.error().detail}});
        co_return;
    }
    protocol::log_warning(
        parts_.log, "channel_log",
        "a channel's log was put back to before this server's last member had "
        "left it; it goes on behind a hole, not before where somebody joined again",
        {{"home", home.str()}, {"channel", channel}, {"floor", floor}});
}

}  // namespace entente::federation
