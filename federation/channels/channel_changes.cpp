#include "federation/channels/channel_changes.hpp"

#include <utility>

#include "protocol/json_rules.hpp"

namespace entente::federation::changes {

namespace {

using protocol::json_string;

// A JSON object under construction.
class Content {
 public:
    Content& text(const char* name, const std::string& value)
    {
        return raw(name, json_string(value));
    }
    Content& may_text(const char* name, const std::optional<std::string>& value)
    {
        return value ? text(name, *value) : *this;
    }
    Content& reason(const std::string& value)
    {
        return value.empty() ? *this : text("reason", value);
    }
    Content& raw(const char* name, const std::string& json)
    {
        if (json_.size() > 1) json_ += ',';
        json_ += '"';
        json_ += name;
        json_ += "\":";
        json_ += json;
        return *this;
    }
    [[nodiscard]] std::string finish() { return std::move(json_) + "}"; }

 private:
    std::string json_ = "{";
};

ChannelChange judge(const char* type, const UserId& user, const std::string& reason)
{
    return {type, Content().text("user", user.str()).reason(reason).finish(), std::nullopt};
}

}  // namespace

ChannelChange invite(const UserId& user)
{
    return judge("member.invite", user, "");
}

ChannelChange join()
{
    return {"member.join", "{}", std::nullopt};
}

ChannelChange leave()
{
    return {"member.leave", "{}", std::nullopt};
}

ChannelChange kick(const UserId& user, const std::string& reason)
{
    return judge("member.kick", user, reason);
}

ChannelChange ban(const UserId& user, const std::string& reason)
{
    return judge("member.ban", user, reason);
}

ChannelChange unban(const UserId& user, const std::string& reason)
{
    return judge("member.unban", user, reason);
}

ChannelChange set_role(const UserId& user, const std::string& role)
{
    return {"member.role", Content().text("user", user.str()).text("role", role).finish(),
            std::nullopt};
}

ChannelChange update(const ChannelPatch& patch)
{
    Content content;
    content.may_text("name", patch.name)
        .may_text("topic", patch.topic)
        .may_text("avatar", patch.avatar)
        .may_text("history", patch.history)
        .may_text("retention", patch.retention)
        .may_text("encryption", patch.encryption);
    if (patch.is_public) content.raw("public", *patch.is_public ? "true" : "false");
    return {"channel.update", content.finish(), std::nullopt};
}

ChannelChange set_successors(const std::vector<std::string>& servers)
{
    std::string list = "[";
    for (const auto& server : servers) {
        if (list.size() > 1) list += ',';
        list += json_string(server);
    }
    return {"channel.successors", Content().raw("servers", list + "]").finish(), std::nullopt};
}

ChannelChange post(std::string content)
{
    return {"message.create", std::move(content), std::nullopt};
}

ChannelChange edit(const Hash& target, std::string content)
{
    return {"message.edit", std::move(content), target};
}

ChannelChange erase(const Hash& target, const std::string& reason)
{
    return {"message.delete", Content().reason(reason).finish(), target};
}

ChannelChange react(const Hash& target, const std::string& key)
{
    return {"message.react", Content().text("key", key).finish(), target};
}

}  // namespace entente::federation::changes
