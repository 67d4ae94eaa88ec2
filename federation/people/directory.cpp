// What users do with aliases, and what they ask of other servers.
#include "federation/people/directory.hpp"

#include <utility>

#include "federation/event_policy.hpp"
#include "storage/directory_store.hpp"

namespace entente::federation {

namespace {

using protocol::Alias;
using protocol::AliasAnswer;
using protocol::ChannelId;
using protocol::DirectoryAnswer;
using protocol::UserId;
using storage::Connection;
using storage::Standing;

protocol::Failure unknown_alias()
{
    return refuse(Code::not_found, "no such alias");
}

// All but what RFC 3986 calls unreserved.
std::string percent_encoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        const bool is_plain = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                              (octet >= '0' && octet <= '9') || c == '-' || c == '.' || c == '_' ||
                              c == '~';
        if (is_plain) {
            out += c;
            continue;
        }
        out += '%';
        out += digits[octet >> 4U];
        out += digits[octet & 15U];
    }
    return out;
}

// Counts a question as long as it is under way, however it ends.
struct UnderWay {
    explicit UnderWay(std::size_t& counted) : count(counted) { ++count; }
    ~UnderWay() { --count; }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;
    std::size_t& count;
};

}  // namespace

asio::awaitable<Result<void>> Directory::set_alias(UserId user, Alias alias, ChannelId channel,
                                                   Person person)
{
    Naming by{user, std::move(person), trust::policy::Action::alias_set};
    auto job = [this, by = std::move(by), alias, channel](storage::WriteTransaction& transaction) {
        return put(transaction.db(), by, alias, channel);
    };
    storage::Cause cause{user.str(), 0};
    auto done = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return done;
}

Result<void> Directory::put(Connection& db, const Naming& by, const Alias& alias,
                            const ChannelId& name) const
{
    if (protocol::server_of(alias) != parts_.self)
        return refuse(Code::not_home, "the alias is another server's");
    auto channel = storage::read_channel(db, name);
    if (!channel) return fail(channel);
    if (auto may = check_moderator(db, *channel, by); !may) return may;
    const std::string localpart{protocol::localpart_of(alias)};
    auto known = storage::find_alias(db, localpart);
    if (!known) return fail(known);
    if (*known && (*known)->channel == channel->id) return {};
    if (*known) return refuse(Code::conflict, "the alias names another channel");
    auto others = storage::aliases_of(db, channel->id);
    if (!others) return fail(others);
    if (others->size() >= max_aliases_per_channel)
        return refuse(Code::forbidden, "a channel has at most 16 aliases");
    return storage::put_alias(db, {localpart, channel->id, by.user.str(), parts_.clock.now_ms()});
}

Result<void> Directory::check_moderator(Connection& db, const storage::ChannelRow& channel,
                                        const Naming& by) const
{
    auto member = storage::read_member(db, channel.id, by.user.str());
    if (!member) return fail(member);
    if (!*member || (*member)->standing > Standing::owner)
        return refuse(Code::not_found, "no such channel");
    if ((*member)->standing == Standing::member)
        return refuse(Code::forbidden, "only moderators may do this");
    if (channel.home != parts_.self)
        return refuse(Code::not_home, "the channel is homed elsewhere");
    auto state = protocol::parse_state(channel.state, parts_.names);
    if (!state) return fail(state);
    const bool is_owner = (*member)->standing == Standing::owner;
    state->members[by.user.str()] = is_owner ? protocol::Role::owner : protocol::Role::moderator;
    return ask_policies(
        parts_.policies,
        ChannelQuestion{by.action, by.user, {}, channel.name, channel.home, *state, &by.person});
}

asio::awaitable<Result<void>> Directory::drop_alias(UserId user, Alias alias, Person person)
{
    Naming by{user, std::move(person), trust::policy::Action::alias_drop};
    auto job = [this, by = std::move(by), alias](storage::WriteTransaction& transaction) {
        return drop(transaction.db(), by, alias);
    };
    storage::Cause cause{user.str(), 0};
    auto done = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return done;
}

Result<void> Directory::drop(Connection& db, const Naming& by, const Alias& alias) const
{
    if (protocol::server_of(alias) != parts_.self)
        return refuse(Code::not_home, "the alias is another server's");
    auto known = storage::find_alias(db, protocol::localpart_of(alias));
    if (!known) return fail(known);
    if (!*known) return unknown_alias();
    auto channel = storage::read_channel(db, (*known)->channel);
    if (!channel) return fail(channel);
    auto may = check_moderator(db, *channel, by);
    // Of a channel that one may not know of one doesn't learn by its alias either.
    if (!may && may.error().code == Code::not_found) return unknown_alias();
    if (!may) return may;
    return storage::drop_alias(db, (*known)->localpart);
}

asio::awaitable<Result<AliasAnswer>> Directory::look_up(UserId user, Alias alias)
{
    const std::string localpart{protocol::localpart_of(alias)};
    if (protocol::server_of(alias) == parts_.self) {
        auto job = [this, user, localpart](Connection& db) -> Result<AliasAnswer> {
            const auto may_know = [&user](Connection& on, std::int64_t channel) -> Result<bool> {
                auto member = storage::read_member(on, channel, user.str());
                if (!member) return fail(member);
                return *member && (*member)->standing <= Standing::invited;
            };
            return read_alias(db, localpart, may_know);
        };
        auto found = co_await parts_.commits.read(std::move(job));
        co_return found;
    }
    auto body = co_await ask(protocol::server_of(alias), "/federation/v1/aliases/" + localpart);
    if (!body) co_return fail(body);
    auto answer = protocol::parse_alias_answer(*body, parts_.names);
    if (!answer) co_return fail(Code::unavailable, "an answer that can't be read");
    co_return answer;
}

asio::awaitable<Result<DirectoryAnswer>> Directory::page(ServerName server, std::string cursor)
{
    if (cursor.size() > protocol::max_directory_cursor_octets)
        co_return refuse(Code::malformed, "?cursor: not one of ours");
    if (server == parts_.self) {
        auto own = co_await own_page(std::move(cursor), "");
        co_return own;
    }
    std::string target = "/federation/v1/directory";
    if (!cursor.empty()) target += "?cursor=" + percent_encoded(cursor);
    auto body = co_await ask(std::move(server), std::move(target));
    if (!body) co_return fail(body);
    auto answer = protocol::parse_directory_answer(*body, parts_.names);
    if (!answer) co_return fail(Code::unavailable, "an answer that can't be read");
    co_return answer;
}

// The body of a 200. What the other server refuses for good is `not_found`; all else may be
// better later.
asio::awaitable<Result<std::string>> Directory::ask(ServerName server, std::string target)
{
    if (lookups_ >= max_lookups)
        co_return retry_later(Code::rate_limited, "too many questions to other servers", 1);
    const UnderWay counted(lookups_);
    auto answer = co_await parts_.ask(std::move(server), std::move(target));
    if (!answer) co_return fail(Code::unavailable, "no answer: " + answer.error().detail);
    // [RETRY-4] What something on the way says isn't the server's word.
    if (answer->is_signed && answer->problem && answer->problem->code == Code::not_found)
        co_return refuse(Code::not_found, "the other server knows no such");
    if (answer->status != 200)
        co_return fail(Code::unavailable,
                       "the other server answered " + std::to_string(answer->status));
    if (answer->body.size() > max_directory_answer)
        co_return fail(Code::unavailable, "an answer that is too long");
    co_return std::move(answer->body);
}

}  // namespace entente::federation
