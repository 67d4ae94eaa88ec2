#include "tests/sim/people.hpp"

#include <algorithm>

namespace entente::sim {

namespace {

using federation::DeliveryState;
using federation::Posted;

constexpr std::size_t most_channels = 4;

bool contains(const std::vector<std::string>& list, const std::string& one)
{
    return std::find(list.begin(), list.end(), one) != list.end();
}

// What says that nothing is decided: it is asked for again.
bool is_passing(const Error& error)
{
    return error.code == Code::unavailable || error.code == Code::timeout ||
           error.code == Code::rate_limited || error.code == Code::key_unavailable;
}

std::string text_of(const Result<Posted>& posted)
{
    if (!posted) return "refused, " + std::string(protocol::code_name(posted.error().code));
    switch (posted->state) {
        case DeliveryState::pending: return "pending";
        case DeliveryState::accepted: return "accepted " + std::to_string(posted->seq);
        case DeliveryState::rejected: break;
    }
    return "rejected";
}

}  // namespace

std::string_view name_of(Deed deed)
{
    switch (deed) {
        case Deed::create: return "create";
        case Deed::invite: return "invite";
        case Deed::join: return "join";
        case Deed::leave: return "leave";
        case Deed::post: break;
    }
    return "post";
}

bool Person::has_ever_left(const protocol::ChannelId& channel) const
{
    return std::any_of(told_.begin(), told_.end(), [&](const Told& told) {
        return told.wish.deed == Deed::leave && told.wish.channel == channel;
    });
}

void Person::act(std::vector<KnownChannel>& channels, const std::vector<protocol::UserId>& all,
                 bool goes_on)
{
    if (!machine_.is_ready()) return;
    if (wish_ && asked_life_ == machine_.life()) return;  // it is being asked
    if (!wish_) {
        if (!goes_on || left_ == 0) return;
        --left_;
        wish_ = next_wish(channels, all);
        attempts_ = 0;
    }
    ++attempts_;
    asked_life_ = machine_.life();
    trace_.say(user_.str(), std::string(name_of(wish_->deed)) + " " + wish_->txn.str() +
                                (attempts_ > 1 ? " again" : ""));
    machine_.spawn(ask(asked_life_, *wish_, channels));
}

Wish Person::next_wish(const std::vector<KnownChannel>& channels,
                       const std::vector<protocol::UserId>& all)
{
    Wish wish;
    const bool creates =
        channels.empty() || (channels.size() < most_channels && chance_.percent(8));
    if (!creates) {
        for (int tries = 0; tries < 4; ++tries) {
            auto wished = channel_wish(chance_.pick(channels), all);
            if (wished) {
                wish = std::move(*wished);
                wish.txn = protocol::make_uuid7(machine_.clock().now_ms(), random_);
                return wish;
            }
        }
    }
    wish.deed = Deed::create;
    wish.history = chance_.percent(50) ? "all" : "since-join";
    wish.txn = protocol::make_uuid7(machine_.clock().now_ms(), random_);
    return wish;
}

std::optional<Wish> Person::channel_wish(const KnownChannel& channel,
                                         const std::vector<protocol::UserId>& all)
{
    Wish wish;
    wish.channel = channel.name;
    if (!joined_.contains(channel.name)) {
        if (!contains(channel.invited, user_.str())) return std::nullopt;
        wish.deed = Deed::join;
        return wish;
    }
    const auto lot = chance_.below(100);
    if (lot < 25) {
        const auto& invitee = chance_.pick(all);
        if (invitee != user_ &&
            (chance_.percent(10) || !contains(channel.invited, invitee.str()))) {
            wish.deed = Deed::invite;
            wish.invitee = invitee;
            return wish;
        }
    }
    if (lot >= 96) {
        wish.deed = Deed::leave;
        return wish;
    }
    wish.content = "{\"text\":\"" + user_.str() + " " + std::to_string(++number_) +
                   std::string(chance_.percent(5) ? chance_.below(8'000) : 0, '.') + "\"}";
    return wish;
}

asio::awaitable<void> Person::ask(int life, Wish wish, std::vector<KnownChannel>& channels)
{
    std::optional<protocol::ChannelId> made;
    auto posted = co_await do_it(wish, made);
    // The dead say nothing, and an answer may be lost on its way.
    if (!machine_.is_ready() || machine_.life() != life) co_return;
    asked_life_ = 0;
    if (chance_.percent(3)) {
        trace_.say(user_.str(), "hears no answer");
        co_return;
    }
    wish.channel = made ? made : wish.channel;
    answered(wish, std::move(posted), channels);
}

asio::awaitable<Result<Posted>> Person::do_it(Wish wish, std::optional<protocol::ChannelId>& made)
{
    auto& people = machine_.channels();
    const federation::Actor actor{user_, std::nullopt, wish.txn};
    switch (wish.deed) {
        case Deed::create: {
            federation::NewChannel wanted;
            wanted.name = "a channel";
            wanted.history = wish.history;
            auto created = co_await people.create(actor, wanted);
            if (!created) co_return fail(created);
            made = *created;
            Posted posted;
            posted.state = DeliveryState::accepted;
            posted.seq = 1;
            co_return posted;
        }
        case Deed::invite: {
            auto posted = co_await people.invite(actor, *wish.channel, *wish.invitee);
            co_return posted;
        }
        case Deed::join: {
            auto posted = co_await people.join(actor, *wish.channel);
            co_return posted;
        }
        case Deed::leave: {
            auto posted = co_await people.leave(actor, *wish.channel);
            co_return posted;
        }
        case Deed::post: break;
    }
    auto posted = co_await people.post(actor, *wish.channel, wish.content);
    co_return posted;
}

void Person::answered(const Wish& wish, Result<Posted> posted, std::vector<KnownChannel>& channels)
{
    trace_.say(user_.str(), "is told " + wish.txn.str() + " " + text_of(posted));
    if (!posted && is_passing(posted.error())) return;
    if (!posted && posted.error().code == Code::internal)
        trace_.fault(user_.str() + " is told of an internal error: " + posted.error().detail);
    Told told;
    told.wish = wish;
    told.user = user_;
    told.attempts = attempts_;
    if (posted) {
        told.posted = *posted;
        if (posted->state != DeliveryState::rejected) learn(wish, channels);
    } else {
        told.refusal = posted.error();
    }
    told_.push_back(std::move(told));
    wish_.reset();
}

void Person::learn(const Wish& wish, std::vector<KnownChannel>& channels)
{
    const auto known =
        std::find_if(channels.begin(), channels.end(),
                     [&](const KnownChannel& channel) { return channel.name == wish.channel; });
    switch (wish.deed) {
        case Deed::create:
            joined_.insert(*wish.channel);
            channels.push_back({*wish.channel, wish.history, {user_.str()}});
            break;
        case Deed::invite:
            if (known != channels.end()) known->invited.push_back(wish.invitee->str());
            break;
        case Deed::join: joined_.insert(*wish.channel); break;
        case Deed::leave:
            joined_.erase(*wish.channel);
            if (known != channels.end()) std::erase(known->invited, user_.str());
            break;
        case Deed::post: break;
    }
}

}  // namespace entente::sim
