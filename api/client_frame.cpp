#include "api/client_frame.hpp"

#include <algorithm>

#include "api/text_limits.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/raw_json.hpp"

namespace entente::api {
namespace {

namespace raw = protocol::raw;
using protocol::SignalType;

constexpr std::size_t max_txn_octets = 64;

// A post's members as they stand; the first fault is the post's.
class PostReader {
 public:
    PostReader(std::string_view item, std::size_t index) : index_(index)
    {
        if (!raw::is_object(item)) {
            breach("", "an object is needed");
            return;
        }
        for (raw::Items members{item}; members.next();) {
            if (members.is_named("txn")) txn_ = members.value();
            if (members.is_named("channel")) channel_ = members.value();
            if (members.is_named("content")) content_ = members.value();
        }
    }

    FramePost read(protocol::NameRules names)
    {
        FramePost post;
        post.txn_text = text("txn", txn_, max_txn_octets);
        auto txn = protocol::parse_uuid(post.txn_text);
        if (txn)
            post.txn = *txn;
        else
            breach("txn", "a UUID in lower case is needed");
        const auto name = text("channel", channel_, max_channel_octets);
        if (content_.empty())
            breach("content", "is required");
        else if (!raw::is_object(content_))
            breach("content", "an object is needed");
        post.content = content_;
        post.index = index_;
        post.error = std::move(error_);
        if (post.error) return post;
        auto channel = protocol::parse_channel_id(name, names);
        if (channel)
            post.channel = std::move(*channel);
        else
            post.error = Error{Code::not_found, "no such channel", "no such channel", 0};
        return post;
    }

 private:
    std::string text(std::string_view name, std::string_view literal, std::size_t max_octets)
    {
        if (literal.empty()) {
            breach(name, "is required");
            return {};
        }
        if (!raw::is_string(literal)) {
            breach(name, "a string is needed");
            return {};
        }
        auto value = raw::unescaped(literal);
        if (value.size() <= max_octets) return value;
        breach(name, "at most " + std::to_string(max_octets) + " octets");
        return {};
    }

    void breach(std::string_view name, std::string_view reason)
    {
        if (error_) return;
        std::string hint = "/posts/" + std::to_string(index_);
        if (!name.empty()) hint += "/" + std::string(name);
        hint += ": " + std::string(reason);
        error_ = Error{Code::malformed, hint, hint, 0};
    }

    std::size_t index_;
    std::string_view txn_, channel_, content_;
    std::optional<Error> error_;
};

// An object of channels and sequence numbers.
Result<void> read_cursors(std::string_view what, std::string_view value, protocol::NameRules names,
                          ClientFrame::Cursors& cursors)
{
    const std::string pointer = "/" + std::string(what);
    for (raw::Items channels{value}; channels.next();) {
        const auto name = channels.name();
        auto channel = protocol::parse_channel_id(name, names);
        if (!channel) return refuse(Code::malformed, pointer + ": a name is no channel");
        const auto seq = raw::integer(channels.value());
        if (!seq || *seq < 0)
            return refuse(Code::malformed, pointer + "/" + name + ": a sequence number is needed");
        cursors.emplace_back(std::move(*channel), *seq);
    }
    return {};
}

Result<void> read_follow(std::string_view value, protocol::NameRules names, ClientFrame& frame)
{
    if (raw::is_string(value) && raw::unescaped(value) == "all") {
        frame.follow_all = true;
        return {};
    }
    if (!raw::is_object(value))
        return refuse(Code::malformed, "/follow: \"all\" or an object of channels is needed");
    return read_cursors("follow", value, names, frame.follow);
}

Result<void> read_have(std::string_view value, protocol::NameRules names, ClientFrame& frame)
{
    if (!raw::is_object(value))
        return refuse(Code::malformed, "/have: an object of channels is needed");
    if (auto read = read_cursors("have", value, names, frame.have); !read) return read;
    if (frame.have.size() > max_have_a_frame)
        return refuse(Code::too_large, "/have: at most 10000 channels in a frame");
    return {};
}

Result<std::vector<FramePost>> read_posts(std::string_view value, protocol::NameRules names)
{
    if (!raw::is_array(value)) return refuse(Code::malformed, "/posts: an array is needed");
    std::vector<FramePost> posts;
    for (raw::Items items{value}; items.next();) {
        if (posts.size() == max_posts_a_frame)
            return refuse(Code::too_large, "/posts: at most 1000 in a frame");
        posts.push_back(PostReader(items.value(), posts.size()).read(names));
    }
    return posts;
}

// What a signal says, as the value of its channel.
bool read_value(std::string_view value, protocol::LiveSignal& signal)
{
    switch (signal.type) {
        case SignalType::typing: signal.on = value == "true"; return signal.on || value == "false";
        case SignalType::presence:
            signal.status = raw::is_string(value) ? raw::unescaped(value) : std::string();
            return protocol::is_presence(signal.status);
        case SignalType::read:
            signal.seq = raw::integer(value).value_or(-1);
            return signal.seq >= 0;
    }
    return false;
}

Result<void> read_signals(std::string_view value, SignalType type, protocol::NameRules names,
                          ClientFrame& frame)
{
    const auto pointer = "/" + std::string(protocol::to_text(type));
    if (!raw::is_object(value))
        return refuse(Code::malformed, pointer + ": an object of channels is needed");
    for (raw::Items channels{value}; channels.next();) {
        if (frame.signals.size() == max_signals_a_frame)
            return refuse(Code::too_large, pointer + ": at most 100 in a frame");
        const auto name = channels.name();
        auto channel = protocol::parse_channel_id(name, names);
        if (!channel) return refuse(Code::malformed, pointer + ": a name is no channel");
        protocol::LiveSignal signal;
        signal.type = type;
        signal.channel = std::move(*channel);
        if (!read_value(channels.value(), signal))
            return refuse(Code::malformed, pointer + "/" + name + ": not a value of its type");
        frame.signals.push_back(std::move(signal));
    }
    return {};
}

}  // namespace

Result<ClientFrame> parse_client_frame(std::string_view text, protocol::NameRules names)
{
    if (auto checked = protocol::check_json(text); !checked) return fail(checked);
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!raw::is_object(text)) return refuse(Code::malformed, "/: an object is needed");
    ClientFrame frame;
    for (raw::Items members{text}; members.next();) {
        if (members.is_named("ping")) frame.ping = true;
        for (const auto type : {SignalType::typing, SignalType::presence, SignalType::read}) {
            if (!members.is_named(protocol::to_text(type))) continue;
            auto read = read_signals(members.value(), type, names, frame);
            if (!read) return fail(read);
        }
        if (members.is_named("ack")) {
            frame.ack = raw::integer(members.value());
            if (!frame.ack || *frame.ack < 0)
                return refuse(Code::malformed, "/ack: the number of a message is needed");
        }
        if (members.is_named("follow")) {
            auto read = read_follow(members.value(), names, frame);
            if (!read) return fail(read);
        }
        if (members.is_named("have")) {
            auto read = read_have(members.value(), names, frame);
            if (!read) return fail(read);
        }
        if (members.is_named("posts")) {
            auto posts = read_posts(members.value(), names);
            if (!posts) return fail(posts);
            frame.posts = std::move(*posts);
        }
    }
    return frame;
}

}  // namespace entente::api
