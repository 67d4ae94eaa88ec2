#include "tests/sim/people.hpp"

#include <algorithm>

#include "federation/channels/channel_changes.hpp"

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

federation::ChannelChange change_of(const Wish& wish)
{
    namespace changes = federation::changes;
    switch (wish.deed) {
        case Deed::edit: return changes::edit(*wish.target, wish.content);
        case Deed::erase: return changes::erase(*wish.target, "");
        case Deed::react: return changes::react(*wish.target, "+");
        case Deed::kick: return changes::kick(*wish.other, "");
        case Deed::ban: return changes::ban(*wish.other, "");
        case Deed::unban: return changes::unban(*wish.other, "");
        case Deed::role: return changes::set_role(*wish.other, wish.content);
        default: break;
    }
    changes::ChannelPatch patch;
    patch.name = wish.content;
    return changes::update(patch);
}

}  // namespace

std::string_view name_of(Deed deed)
{
    switch (deed) {
        case Deed::create: return "create";
        case Deed::invite: return "invite";
        case Deed::join: return "join";
        case Deed::leave: return "leave";
        case Deed::edit: return "edit";
        case Deed::erase: return "erase";
        case Deed::react: return "react";
        case Deed::kick: return "kick";
        case Deed::ban: return "ban";
        case Deed::unban: return "unban";
        case Deed::role: return "role";
        case Deed::rename: return "rename";
        case Deed::move: return "move";
        case Deed::post: break;
    }
    return "post";
}

void Person::doubt(const std::string& home)
{
    for (auto& told : told_) {
        if (told.wish.channel && protocol::creator_of(*told.wish.channel).str() == home)
            told.is_doubtful = true;
    }
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
        wish_ = next_wish(channels, all);
        if (!wish_) return;
        --left_;
        attempts_ = 0;
    }
    ++attempts_;
    asked_life_ = machine_.life();
    trace_.say(user_.str(), std::string(name_of(wish_->deed)) + " " + wish_->txn.str() +
                                (attempts_ > 1 ? " again" : ""));
    machine_.spawn(ask(asked_life_, *wish_, channels));
}

std::optional<Wish> Person::next_wish(const std::vector<KnownChannel>& channels,
                                      const std::vector<protocol::UserId>& all)
{
    Wish wish;
    const bool creates = chance_.percent(channels.size() < most_channels ? 8 : 1);
    for (int tries = 0; tries < 8 && !creates && !channels.empty(); ++tries) {
        auto wished = channel_wish(chance_.pick(channels), all);
        if (wished) {
            wish = std::move(*wished);
            wish.txn = protocol::make_uuid7(machine_.clock().now_ms(), random_);
            return wish;
        }
    }
    // Who is in no channel waits for an invitation, once there is somebody to invite.
    if (!creates && channels.size() >= most_channels) return std::nullopt;
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
            wish.other = invitee;
            return wish;
        }
    }
    if (lot >= 96) {
        wish.deed = Deed::leave;
        return wish;
    }
    if (lot >= 87 && moves_channels_) {
        wish.deed = Deed::move;
        wish.other = chance_.pick(all);
        if (protocol::server_of(*wish.other).str() == no_home_) return std::nullopt;
        return wish;
    }
    if (lot >= 91) {
        wish_for_order(wish, all);
        return wish;
    }
    if (lot >= 80 && wish_for_message(wish, channel)) return wish;
    wish.content = text(std::string(chance_.percent(5) ? chance_.below(8'000) : 0, '.'));
    return wish;
}

std::string Person::text(std::string_view what)
{
    return "{\"text\":\"" + user_.str() + " " + std::to_string(++number_) + std::string(what) +
           "\"}";
}

// Something about a message, mostly one of the newest; whoever's it is.
bool Person::wish_for_message(Wish& wish, const KnownChannel& channel)
{
    const auto count = channel.messages.size();
    if (count == 0) return false;
    const auto back = chance_.below(chance_.percent(80) ? std::min<std::size_t>(count, 6) : count);
    wish.target = channel.messages[count - 1 - back];
    const std::vector<Deed> deeds = {Deed::edit, Deed::erase, Deed::react};
    wish.deed = chance_.pick(deeds);
    if (wish.deed == Deed::edit) wish.content = text(" edited");
    return true;
}

// Something about somebody or the whole, allowed or not.
void Person::wish_for_order(Wish& wish, const std::vector<protocol::UserId>& all)
{
    const std::vector<Deed> deeds = {Deed::kick, Deed::kick,  Deed::ban,
                                     Deed::role, Deed::unban, Deed::rename};
    wish.deed = chance_.pick(deeds);
    wish.other = chance_.pick(all);
    wish.content = wish.deed == Deed::role ? (chance_.percent(50) ? "moderator" : "owner")
                                           : "a channel " + std::to_string(++number_);
}

asio::awaitable<void> Person::ask(int life, Wish wish, std::vector<KnownChannel>& channels)
{
    // It may have died before this had its turn.
    if (!machine_.is_running() || machine_.life() != life) co_return;
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

asio::awaitable<Result<Posted>> Person::create(federation::Actor actor, const Wish& wish,
                                               std::optional<protocol::ChannelId>& made)
{
    federation::NewChannel wanted;
    wanted.name = "a channel";
    wanted.history = wish.history;
    auto created = co_await machine_.channels().create(std::move(actor), std::move(wanted));
    if (!created) co_return fail(created);
    made = *created;
    Posted posted;
    posted.state = DeliveryState::accepted;
    posted.seq = 1;
    co_return posted;
}

asio::awaitable<Result<Posted>> Person::move(federation::Actor actor, const Wish& wish)
{
    auto moving = co_await machine_.channels().move(std::move(actor), *wish.channel,
                                                    protocol::server_of(*wish.other));
    if (!moving) co_return fail(moving);
    Posted posted;
    posted.state = moving->state;
    posted.seq = moving->seq;
    co_return posted;
}

asio::awaitable<Result<Posted>> Person::do_it(Wish wish, std::optional<protocol::ChannelId>& made)
{
    auto& people = machine_.channels();
    const federation::Actor actor{user_, std::nullopt, wish.txn};
    switch (wish.deed) {
        case Deed::create: {
            auto posted = co_await create(actor, wish, made);
            co_return posted;
        }
        case Deed::move: {
            auto posted = co_await move(actor, wish);
            co_return posted;
        }
        case Deed::invite: {
            auto posted = co_await people.invite(actor, *wish.channel, *wish.other);
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
        case Deed::post: {
            auto posted = co_await people.post(actor, *wish.channel, wish.content);
            co_return posted;
        }
        default: break;
    }
    auto posted = co_await people.change(actor, *wish.channel, change_of(wish));
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
        if (posted->state != DeliveryState::rejected) learn(wish, *posted, channels);
    } else {
        told.refusal = posted.error();
        unlearn(wish, channels);
    }
    told_.push_back(std::move(told));
    wish_.reset();
}

void Person::learn(const Wish& wish, const Posted& posted, std::vector<KnownChannel>& channels)
{
    const auto known =
        std::find_if(channels.begin(), channels.end(),
                     [&](const KnownChannel& channel) { return channel.name == wish.channel; });
    switch (wish.deed) {
        case Deed::create:
            joined_.insert(*wish.channel);
            channels.push_back({*wish.channel, wish.history, {user_.str()}, {}});
            break;
        case Deed::invite:
            if (known != channels.end()) known->invited.push_back(wish.other->str());
            break;
        case Deed::join: joined_.insert(*wish.channel); break;
        case Deed::leave:
            joined_.erase(*wish.channel);
            if (known != channels.end()) std::erase(known->invited, user_.str());
            break;
        case Deed::post:
            if (known != channels.end()) known->messages.push_back(posted.event_id);
            break;
        case Deed::kick:
        case Deed::ban:
            if (known != channels.end()) std::erase(known->invited, wish.other->str());
            break;
        default: break;
    }
}

// Who is refused where a member wouldn't be has been shown out: somebody has to invite it.
void Person::unlearn(const Wish& wish, std::vector<KnownChannel>& channels)
{
    if (wish.deed != Deed::post && wish.deed != Deed::join) return;
    joined_.erase(*wish.channel);
    for (auto& known : channels) {
        if (known.name == wish.channel) std::erase(known.invited, user_.str());
    }
}

}  // namespace entente::sim
