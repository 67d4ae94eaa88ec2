#include "protocol/directory_answers.hpp"

#include <utility>

#include "protocol/dom.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/log_writing.hpp"

namespace entente::protocol {
namespace {

void append_listed(std::string& out, const ListedChannel& listed)
{
    out += '{';
    writing::append_text(out, "channel", listed.channel.str());
    writing::append_text(out, "name", listed.name);
    writing::append_text(out, "topic", listed.topic);
    writing::append_text(out, "avatar", listed.avatar);
    writing::append_text(out, "history", listed.history);
    writing::append_text(out, "encryption", listed.encryption);
    writing::append_name(out, "members");
    writing::append_number(out, listed.members);
    writing::append_name(out, "aliases");
    writing::append_strings(out, listed.aliases);
    out += '}';
}

// Absent is empty: a server may say less than we do.
Result<void> read_text(dom::Object object, std::string_view name, std::string& out)
{
    const auto text = dom::may_string(object, name);
    if (!text) return fail(text);
    if (*text) out = std::string(**text);
    return {};
}

Result<ListedChannel> read_listed(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "channels");
    if (!object) return fail(object);
    const auto name = dom::need_string(*object, "channel");
    if (!name) return fail(name);
    auto channel = parse_channel_id(*name, rules);
    if (!channel) return fail(channel);
    ListedChannel listed;
    listed.channel = std::move(*channel);
    for (const auto& [member, text] :
         {std::pair{"name", &listed.name}, std::pair{"topic", &listed.topic},
          std::pair{"avatar", &listed.avatar}, std::pair{"history", &listed.history},
          std::pair{"encryption", &listed.encryption}}) {
        if (auto read = read_text(*object, member, *text); !read) return fail(read);
    }
    const auto members = dom::may_count(*object, "members");
    if (!members) return fail(members);
    listed.members = members->value_or(0);
    const auto aliases = dom::may_array(*object, "aliases");
    if (!aliases) return fail(aliases);
    if (!*aliases) return listed;
    auto texts = dom::strings(**aliases, "aliases");
    if (!texts) return fail(texts);
    for (auto& text : *texts) {
        if (listed.aliases.size() < max_alias_servers && parse_alias(text, rules))
            listed.aliases.push_back(std::move(text));
    }
    return listed;
}

Result<dom::Object> read_object(dom::Parser& parser, std::string_view body)
{
    if (auto checked = check_json(body); !checked) return fail(checked);
    const auto root = parser.parse(body);
    if (!root) return fail(root);
    return dom::as_object(*root, "");
}

}  // namespace

std::string write_alias_answer(const AliasAnswer& answer)
{
    std::string out = "{";
    writing::append_text(out, "channel", answer.channel.str());
    std::vector<std::string> servers;
    for (const auto& server : answer.servers) servers.push_back(server.str());
    writing::append_name(out, "servers");
    writing::append_strings(out, servers);
    return out + "}";
}

Result<AliasAnswer> parse_alias_answer(std::string_view body, NameRules rules)
{
    dom::Parser parser;
    const auto object = read_object(parser, body);
    if (!object) return fail(object);
    const auto name = dom::need_string(*object, "channel");
    if (!name) return fail(name);
    auto channel = parse_channel_id(*name, rules);
    if (!channel) return fail(channel);
    AliasAnswer answer;
    answer.channel = std::move(*channel);
    const auto array = dom::need_array(*object, "servers");
    if (!array) return fail(array);
    const auto texts = dom::strings(*array, "servers");
    if (!texts) return fail(texts);
    for (const auto& text : *texts) {
        auto server = parse_server_name(text, rules);
        if (server && answer.servers.size() < max_alias_servers)
            answer.servers.push_back(std::move(*server));
    }
    return answer;
}

std::string write_directory_answer(const DirectoryAnswer& answer)
{
    std::string out = R"({"channels":[)";
    for (const auto& listed : answer.channels) {
        if (out.back() != '[') out += ',';
        append_listed(out, listed);
    }
    out += "]";
    writing::append_name(out, "next");
    if (answer.next.empty()) return out + "null}";
    append_json_string(out, answer.next);
    return out + "}";
}

Result<DirectoryAnswer> parse_directory_answer(std::string_view body, NameRules rules)
{
    dom::Parser parser;
    const auto object = read_object(parser, body);
    if (!object) return fail(object);
    DirectoryAnswer answer;
    const auto channels = dom::need_array(*object, "channels");
    if (!channels) return fail(channels);
    for (const auto element : *channels) {
        if (answer.channels.size() == max_directory_channels) break;
        auto listed = read_listed(element, rules);
        if (listed) answer.channels.push_back(std::move(*listed));
    }
    const auto next = dom::member(*object, "next");
    if (!next || next->is_null()) return answer;
    const auto text = dom::need_string(*object, "next");
    if (!text) return fail(text);
    if (text->size() > max_directory_cursor_octets) return dom::wrong("next", "is too long");
    answer.next = std::string(*text);
    return answer;
}

}  // namespace entente::protocol
