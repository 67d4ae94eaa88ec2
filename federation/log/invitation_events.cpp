#include "federation/log/invitation_events.hpp"

#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"
#include "storage/incoming_store.hpp"

namespace entente::federation {

std::optional<std::string> user_in(std::string_view content)
{
    auto object = protocol::checked_object(content);
    if (!object) return std::nullopt;
    protocol::RawMembers members{*object, ""};
    auto user = members.text("user", protocol::max_name_octets);
    return members.error() ? std::nullopt : std::optional{std::move(user)};
}

std::optional<std::string> clears_invitation(const protocol::ChannelState& state,
                                             const protocol::Event& event, std::string_view content)
{
    if (event.type != "member.kick" && event.type != "member.ban") return std::nullopt;
    auto user = user_in(content);
    return user && state.invited.contains(*user) ? user : std::nullopt;
}

storage::DirectRow withdrawal(const Identity& identity, const protocol::ChannelId& channel,
                              const std::string& invitee, Millis now, protocol::Random& random)
{
    using protocol::json_string;
    storage::DirectRow row;
    row.content = R"({"salt":)" +
                  json_string(protocol::to_base64url(random.octets(protocol::min_salt_octets))) +
                  R"(,"channel":)" + json_string(channel.str()) + "}";
    protocol::EventDraft draft;
    draft.type = "invite.withdraw";
    draft.to = invitee;
    draft.sender = identity.name.str();
    draft.txn = protocol::make_uuid7(now, random);
    draft.at = now;
    draft.content = row.content;
    row.event = protocol::write_event(draft);
    return row;
}

DirectHandler withdrawal_handler(const Identity& identity,
                                 std::function<void(const protocol::UserId&)> withdrawn)
{
    return [&identity, withdrawn = std::move(withdrawn)](storage::WriteTransaction& transaction,
                                                         const VerifiedDirect& direct,
                                                         const ServerName& origin) -> Result<void> {
        const auto& event = *direct.event;
        if (!event.sender.is_server)
            return refuse(Code::forbidden, "an invitation is withdrawn by the home's bare name");
        auto object = protocol::checked_object(direct.content);
        if (!object) return fail(object);
        protocol::RawMembers members{*object, ""};
        const auto channel = members.text("channel", protocol::max_name_octets);
        if (members.error()) return protocol::Failure{*members.error()};
        auto user = protocol::parse_user_id(event.to, identity.names);
        if (!user) return refuse(Code::malformed, "/to: a user is needed");
        auto& db = transaction.db();
        auto invitation = storage::find_invitation(db, user->str(), channel);
        if (!invitation) return fail(invitation);
        if (!*invitation || (*invitation)->home != origin.str()) return {};
        auto dropped = storage::drop_invitation(db, user->str(), channel);
        if (!dropped) return dropped;
        transaction.after_commit([withdrawn, name = *user] { withdrawn(name); });
        return {};
    };
}

}  // namespace entente::federation
