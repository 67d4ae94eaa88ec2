#include "conformance/reference/queries.hpp"

#include <charconv>

#include "conformance/reference/names.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::int64_t usual_limit = 100;
constexpr std::int64_t max_limit = 1'000;
constexpr std::int64_t max_seq = 9'007'199'254'740'991;

// The parameter of a query, in decimal. Throws Refused("malformed") where it is out of its bounds.
std::int64_t number_in(const std::string& query, const std::string& name, std::int64_t absent,
                       std::int64_t least, std::int64_t most)
{
    for (std::size_t from = 0; from < query.size();) {
        const auto end = std::min(query.find('&', from), query.size());
        const auto one = query.substr(from, end - from);
        from = end + 1;
        if (!one.starts_with(name + "=")) continue;
        const auto digits = one.substr(name.size() + 1);
        std::int64_t value = 0;
        const auto* last = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), last, value);
        if (digits.empty() || read.ec != std::errc() || read.ptr != last || value < least ||
            value > most)
            throw Refused{"malformed", name + " is out of its bounds"};
        return value;
    }
    return absent;
}

[[noreturn]] void no_such_channel()
{
    throw Refused{"not-found", "no such channel"};
}

}  // namespace

Queries::Queries(Channels& channels, const Identity& identity, const Flags& flags)
    : channels_(channels), identity_(identity), flags_(flags)
{
}

nlohmann::json Queries::answer(const std::string& target, const std::string& asker)
{
    static const std::string channels = "/channels/";
    static const std::string users = "/users/";
    const auto question = target.find('?');
    const auto path = target.substr(0, question);
    const auto query = question == std::string::npos ? "" : target.substr(question + 1);
    if (path.starts_with(users)) return user(path.substr(users.size()));
    if (!path.starts_with(channels)) throw Refused{"not-found", "no such path"};
    const auto rest = path.substr(channels.size());
    const auto slash = rest.find('/');
    const auto channel = rest.substr(0, slash);
    if (!is_channel_id(channel, flags_)) throw Refused{"malformed", "a channel that is none"};
    if (slash == std::string::npos) return snapshot(channel, query, asker);
    if (rest.substr(slash) == "/log") return log(channel, query, asker);
    throw Refused{"not-found", "no such path"};
}

nlohmann::json Queries::snapshot(const std::string& channel, const std::string& query,
                                 const std::string& asker)
{
    static_cast<void>(number_in(query, "seq", 0, 1, max_seq));
    const auto* found = channels_.find_for(channel, asker);
    if (found == nullptr) no_such_channel();
    if (!channels_.is_home_of(*found)) throw Refused{"not-home", "homed elsewhere"};
    ProvenBody proven(identity_, flags_);
    nlohmann::json body = {{"snapshot", proven.snapshot(*found)}};
    proven.finish(body);
    return body;
}

nlohmann::json Queries::log(const std::string& channel, const std::string& query,
                            const std::string& asker)
{
    const bool checked = !flags_.has<"limit-unchecked">();
    auto after =
        number_in(query, "after", 0, checked ? 0 : -max_seq, checked ? max_seq : INT64_MAX);
    auto limit = number_in(query, "limit", usual_limit, checked ? 1 : -max_seq,
                           checked ? max_limit : max_seq);
    if (flags_.has<"limit-ignored">()) limit = max_limit;
    const auto* found = channels_.find_for(channel, asker);
    if (found == nullptr) no_such_channel();
    const bool has_member =
        found->state().has_member_of(asker) || flags_.has<"channels-known-to-all">();
    if (!has_member && !flags_.has<"log-open-to-all">()) no_such_channel();
    if (!channels_.is_home_of(*found)) return followed_log(*found, after);
    const auto latest = static_cast<std::int64_t>(found->latest());
    if (after == latest && flags_.has<"end-not-found">()) no_such_channel();
    if (after > latest && flags_.has<"beyond-end-wraps">()) after = 0;
    const auto floor = channels_.followers_of(channel)[asker].floor;
    ProvenBody proven(identity_, flags_);
    nlohmann::json body = {
        {"slice",
         proven.slice(*found, static_cast<std::uint64_t>(std::max<std::int64_t>(after, 0)),
                      static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 1)), floor)}};
    proven.finish(body);
    return body;
}

// One that doesn't order the channel can't sign where it ends: it shows what the home has signed
// [LOG-5].
nlohmann::json Queries::followed_log(const ChannelLog& log, std::int64_t after) const
{
    if (!log.checkpoint.is_object() ||
        log.checkpoint.value("seq", std::uint64_t{0}) != log.latest() ||
        flags_.has<"gives-nothing-back">())
        no_such_channel();
    ProvenBody proven(identity_, flags_);
    nlohmann::json body = {
        {"slice", proven.slice(log, static_cast<std::uint64_t>(after), max_limit, 0)}};
    body["slice"]["checkpoint"] = log.checkpoint;
    proven.finish(body);
    body["roots"][0] = log.checkpoint_root;
    return body;
}

nlohmann::json Queries::user(const std::string& localpart) const
{
    if (localpart != "alice" && localpart != "bob") throw Refused{"not-found", "no such user"};
    return {{"user", localpart + "@" + identity_.name()},
            {"name", localpart},
            {"avatar", ""},
            {"devices", nlohmann::json::array()}};
}

}  // namespace entente::conformance::reference
