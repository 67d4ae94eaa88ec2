#include "api/client_frame.hpp"

#include <nlohmann/json.hpp>

#include "api/json_body.hpp"

namespace entente::api {
namespace {

using nlohmann::json;

constexpr std::size_t max_txn_octets = 64;
constexpr std::size_t max_channel_octets = 300;

FramePost read_post(const json& item, std::size_t index, protocol::NameRules names)
{
    FramePost post;
    Members members{item, "/posts/" + std::to_string(index)};
    post.txn_text = members.text("txn", max_txn_octets);
    post.txn = members.uuid("txn");
    const auto channel = members.text("channel", max_channel_octets);
    post.content = members.object_text("content");
    post.error = members.error();
    if (post.error) return post;
    auto parsed = protocol::parse_channel_id(channel, names);
    if (parsed)
        post.channel = std::move(*parsed);
    else
        post.error = Error{Code::not_found, "no such channel", "no such channel", 0};
    return post;
}

Result<void> read_follow(const json& value, protocol::NameRules names, ClientFrame& frame)
{
    if (value.is_string() && value == "all") {
        frame.follow_all = true;
        return {};
    }
    if (!value.is_object())
        return refuse(Code::malformed, "/follow: \"all\" or an object of channels is needed");
    for (const auto& [name, seq] : value.items()) {
        auto channel = protocol::parse_channel_id(name, names);
        if (!channel) return refuse(Code::malformed, "/follow: a name is no channel");
        if (!seq.is_number_integer() || seq.get<std::int64_t>() < 0)
            return refuse(Code::malformed, "/follow/" + name + ": a sequence number is needed");
        frame.follow.emplace_back(std::move(*channel), seq.get<std::int64_t>());
    }
    return {};
}

}  // namespace

Result<ClientFrame> parse_client_frame(std::string_view text, protocol::NameRules names)
{
    auto body = parse_object(text);
    if (!body) return fail(body);
    ClientFrame frame;
    frame.ping = body->contains("ping");
    if (const auto follow = body->find("follow"); follow != body->end()) {
        auto read = read_follow(*follow, names, frame);
        if (!read) return fail(read);
    }
    const auto posts = body->find("posts");
    if (posts == body->end()) return frame;
    if (!posts->is_array()) return refuse(Code::malformed, "/posts: an array is needed");
    if (posts->size() > max_posts_a_frame)
        return refuse(Code::too_large, "/posts: at most 1000 in a frame");
    frame.posts.emplace();
    frame.posts->reserve(posts->size());
    for (std::size_t i = 0; i < posts->size(); ++i)
        frame.posts->push_back(read_post((*posts)[i], i, names));
    return frame;
}

}  // namespace entente::api
