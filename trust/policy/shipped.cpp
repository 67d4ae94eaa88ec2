#include "trust/policy/shipped.hpp"

#include <cassert>
#include <string>
#include <utility>

namespace entente::trust::policy {
namespace {

constexpr std::string_view server_roles_text = R"json({
  "version": 1,
  "rules": [
    {
      "id": "anybody-may-ask-for-an-account",
      "note": "Whether accounts are made at all is registration.mode.",
      "actions": ["account.register"],
      "effects": ["allow"]
    },
    {
      "id": "own-people",
      "actions": ["directory.*", "key.claim", "device.send", "invitation.receive", "signal.*",
                  "channel.create", "report.make", "media.upload"],
      "when": {"all": [{"eq": ["subject.local", true]}, {"ge": ["subject.role", "user"]}]},
      "effects": ["allow"]
    },
    {
      "id": "admins",
      "actions": ["code.create", "report.list", "report.close", "peer.read", "peer.change",
                  "user.read", "settings.read", "audit.read", "policy.read"],
      "when": {"ge": ["subject.role", "admin"]},
      "effects": ["allow"]
    },
    {
      "id": "admins-up-to-their-role",
      "actions": ["account.suspend", "account.ban", "account.delete"],
      "when": {"all": [
        {"ge": ["subject.role", "admin"]},
        {"le": ["resource.role", {"attribute": "subject.role"}]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "superadmins",
      "actions": ["account.role", "settings.change", "policy.change"],
      "when": {"eq": ["subject.role", "superadmin"]},
      "effects": ["allow"]
    }
  ]
})json";

// The table of section 8, as far as it is about who.
constexpr std::string_view channel_roles_text = R"json({
  "version": 1,
  "rules": [
    {
      "id": "elsewhere-the-home-decides",
      "note": "Own users in channels that other servers are the homes of.",
      "actions": ["channel.update", "channel.successors", "member.*", "message.*", "key.share", "event.other"],
      "when": {"all": [
        {"eq": ["subject.local", true]},
        {"ne": ["resource.server", {"attribute": "subject.server"}]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "join",
      "note": "Who is a member already may say so again [MEM-1].",
      "actions": ["member.join"],
      "when": {"all": [
        {"eq": ["subject.kind", "user"]},
        {"any": [
          {"ge": ["subject.channel_role", "member"]},
          {"all": [
            {"eq": ["subject.banned", false]},
            {"any": [{"eq": ["subject.invited", true]}, {"eq": ["resource.public", true]}]}
          ]}
        ]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "leave",
      "actions": ["member.leave"],
      "when": {"eq": ["subject.kind", "user"]},
      "effects": ["allow"]
    },
    {
      "id": "members-speak",
      "actions": ["message.create", "message.react", "key.share", "event.other"],
      "when": {"all": [{"eq": ["subject.kind", "user"]}, {"ge": ["subject.channel_role", "member"]}]},
      "effects": ["allow"]
    },
    {
      "id": "authors-edit",
      "actions": ["message.edit", "message.delete"],
      "when": {"all": [
        {"eq": ["subject.kind", "user"]},
        {"ge": ["subject.channel_role", "member"]},
        {"eq": ["resource.own", true]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "moderators-delete",
      "actions": ["message.delete"],
      "when": {"all": [{"eq": ["subject.kind", "user"]}, {"ge": ["subject.channel_role", "moderator"]}]},
      "effects": ["allow"]
    },
    {
      "id": "members-invite",
      "actions": ["member.invite"],
      "when": {"all": [
        {"eq": ["subject.kind", "user"]},
        {"ge": ["subject.channel_role", "member"]},
        {"eq": ["resource.channel_role", "none"]},
        {"eq": ["resource.banned", false]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "moderators-judge-lower-roles",
      "note": "The home's bare name too [EVT-1].",
      "actions": ["member.kick", "member.ban", "member.unban"],
      "when": {"all": [
        {"ge": ["subject.channel_role", "moderator"]},
        {"lt": ["resource.channel_role", {"attribute": "subject.channel_role"}]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "roles-up-to-ones-own",
      "actions": ["member.role"],
      "when": {"all": [
        {"eq": ["subject.kind", "user"]},
        {"ge": ["subject.channel_role", "member"]},
        {"lt": ["resource.channel_role", {"attribute": "subject.channel_role"}]},
        {"le": ["resource.new_channel_role", {"attribute": "subject.channel_role"}]}
      ]},
      "effects": ["allow"]
    },
    {
      "id": "moderators-describe",
      "actions": ["channel.update"],
      "when": {"ge": ["subject.channel_role", "moderator"]},
      "effects": ["allow"]
    },
    {
      "id": "moderators-name",
      "actions": ["alias.set", "alias.drop"],
      "when": {"all": [{"eq": ["subject.kind", "user"]}, {"ge": ["subject.channel_role", "moderator"]}]},
      "effects": ["allow"]
    },
    {
      "id": "owners",
      "actions": ["channel.successors", "channel.move"],
      "when": {"eq": ["subject.channel_role", "owner"]},
      "effects": ["allow"]
    }
  ]
})json";

constexpr std::string_view tiers_text = R"json({
  "version": 1,
  "rules": [
    {
      "id": "nothing-from-blocked",
      "actions": ["*"],
      "when": {"eq": ["subject.tier", "blocked"]},
      "effects": ["deny"]
    },
    {
      "id": "requests",
      "actions": ["request.make", "directory.look_up", "media.ask", "report.make"],
      "when": {"ge": ["subject.tier", "quarantined"]},
      "effects": ["allow"]
    },
    {
      "id": "from-guests-on",
      "actions": ["directory.search", "signal.typing", "signal.read", "media.show"],
      "when": {"ge": ["subject.tier", "guest"]},
      "effects": ["allow"]
    },
    {
      "id": "from-known-on",
      "actions": ["signal.presence", "key.claim", "device.send"],
      "when": {"ge": ["subject.tier", "known"]},
      "effects": ["allow"]
    },
    {
      "id": "acquaintances",
      "note": "Where they share a channel, devices need each other's keys and messages.",
      "actions": ["key.claim", "device.send"],
      "when": {"all": [{"ge": ["subject.tier", "quarantined"]}, {"eq": ["context.acquainted", true]}]},
      "effects": ["allow"]
    },
    {
      "id": "invitations",
      "actions": ["invitation.receive"],
      "when": {"ge": ["subject.tier", "quarantined"]},
      "effects": ["allow"]
    },
    {
      "id": "invitations-of-the-quarantined-wait",
      "actions": ["invitation.receive"],
      "when": {"eq": ["subject.tier", "quarantined"]},
      "effects": [{"hold": "user"}, {"tag": "no-push"}]
    },
    {
      "id": "invitations-of-guests-wait",
      "actions": ["invitation.receive"],
      "when": {"eq": ["subject.tier", "guest"]},
      "effects": [{"hold": "user"}]
    },
    {
      "id": "public-joins-of-the-quarantined-wait",
      "actions": ["member.join"],
      "when": {"all": [
        {"eq": ["subject.tier", "quarantined"]},
        {"eq": ["subject.channel_role", "none"]},
        {"eq": ["subject.invited", false]},
        {"eq": ["resource.public", true]}
      ]},
      "effects": [{"hold": "moderator"}]
    }
  ]
})json";

constexpr std::array<ShippedPolicy, 3> shipped{{
    {"channel-roles", channel_roles_text},
    {"server-roles", server_roles_text},
    {"tiers", tiers_text},
}};

}  // namespace

const std::array<ShippedPolicy, 3>& shipped_policies()
{
    return shipped;
}

std::vector<Source> shipped_sources()
{
    std::vector<Source> sources;
    for (const auto& one : shipped) {
        auto policy = parse_policy(one.text);
        assert(policy);
        sources.push_back({std::string(one.id), 0, std::move(*policy)});
    }
    return sources;
}

}  // namespace entente::trust::policy
