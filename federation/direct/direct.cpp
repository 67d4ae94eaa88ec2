#include "federation/direct/direct.hpp"

#include <nlohmann/json.hpp>

#include "federation/item_results.hpp"
#include "storage/account_store.hpp"
#include "storage/acquaintances.hpp"
#include "storage/share.hpp"

namespace entente::federation {

namespace {

using protocol::EventResult;
using protocol::ItemStatus;
namespace policy = trust::policy;
using A = policy::Attribute;

std::string text_member(const nlohmann::json& object, const char* name)
{
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Direct::Direct(const Identity& identity, storage::ChannelLogStore& store,
               const protocol::Clock& clock,
               std::function<void(const protocol::UserId& user)> invited,
               trust::policy::Enforcer* policies)
    : identity_(identity),
      store_(store),
      clock_(clock),
      invited_(std::move(invited)),
      policies_(policies)
{
}

VerifiedDirect Direct::check(const protocol::Read<protocol::EventAndContent>& read,
                             const ServerName& origin, const std::vector<KeyRef>& own) const
{
    VerifiedDirect verified;
    if (!read.value) {
        verified.problem = read.problem;
        return verified;
    }
    verified.id = protocol::event_id(read.value->event);
    const auto check = [&]() -> Result<protocol::Event> {
        auto event = protocol::parse_direct_event(read.value->event, identity_.names);
        if (!event) return event;
        auto content = protocol::check_content(*event, read.value->content);
        if (!content) return fail(content);
        if (event->sender.server != origin)
            return refuse(Code::forbidden, "the sender is of another server than the request");
        verified.depends_on_time = true;
        if (event->at < clock_.now_ms() - direct_memory_ms)
            return refuse(Code::malformed, "/at: older than 30 days");
        verified.depends_on_time = false;
        return event;
    };
    auto event = check();
    if (!event) {
        verified.problem = event.error();
        return verified;
    }
    if (event->type == "invite") {
        auto invitation = read_invitation(*event, read.value->content, origin);
        if (!invitation) {
            verified.problem = invitation.error();
            return verified;
        }
        verified.invitation = std::move(*invitation);
    }
    if (handlers_.contains(event->type)) verified.content = read.value->content;
    verified.event = std::move(*event);
    const auto check_type = checks_.find(verified.event->type);
    if (check_type == checks_.end()) return verified;
    if (auto holds = check_type->second(verified, own); !holds) {
        // Which keys are ours is a matter of time.
        verified.depends_on_time = true;
        verified.problem = holds.error();
        verified.event.reset();
    }
    return verified;
}

Result<storage::InvitationRow> Direct::read_invitation(const protocol::Event& event,
                                                       const std::string& content,
                                                       const ServerName& origin) const
{
    if (!event.sender.is_server)
        return refuse(Code::forbidden, "an invitation comes from the home's bare name");
    const auto json = nlohmann::json::parse(content, nullptr, false);
    if (!json.is_object()) return refuse(Code::malformed, "the content is no object");
    auto channel = protocol::parse_channel_id(text_member(json, "channel"), identity_.names);
    if (!channel) return refuse(Code::malformed, "/channel: not a channel's id");
    const auto template_at = json.find("invite");
    if (template_at == json.end() || !template_at->is_object())
        return refuse(Code::malformed, "/invite: must be the member.invite event and its content");
    auto invite =
        protocol::parse_channel_event(text_member(*template_at, "event"), identity_.names);
    if (!invite || invite->type != "member.invite" || invite->channel != *channel)
        return refuse(Code::malformed, "/invite/event: not a member.invite event of that channel");
    const auto inner_text = text_member(*template_at, "content");
    auto inner_checked = protocol::check_content(*invite, inner_text);
    if (!inner_checked) return fail(inner_checked);
    const auto inner = nlohmann::json::parse(inner_text, nullptr, false);
    if (!inner.is_object() || text_member(inner, "user") != event.to)
        return refuse(Code::malformed, "/invite/content/user: not whom the event is to");

    storage::InvitationRow row;
    row.user = event.to;
    row.channel = channel->str();
    row.home = origin.str();
    // [INBOX-9] Without a seal it is the home's word, which is worth something for its own users
    // alone: else whoever likes could invite in the name of somebody who is trusted.
    row.sender = invite->sender.server == origin ? invite->sender.text : origin.str();
    row.name = text_member(json, "name");
    row.kind = text_member(json, "kind");
    row.encryption = text_member(json, "encryption");
    const auto members = json.find("members");
    if (members != json.end() && members->is_number_integer())
        row.members = members->get<std::int64_t>();
    const bool fits = (row.kind == "group" || row.kind == "dm") &&
                      row.name.size() <= max_invitation_name_octets &&
                      row.encryption.size() <= max_encryption_octets && row.members >= 0;
    if (!fits)
        return refuse(Code::malformed, "name, kind, encryption or members are out of their bounds");
    row.at = event.at;
    return row;
}

EventResult Direct::take(storage::WriteTransaction& transaction, const VerifiedDirect& direct,
                         const ServerName& origin)
{
    if (!direct.event) return refused_event(direct.id, direct.problem);
    const auto& event = *direct.event;
    EventResult result;
    result.event = direct.id;
    result.status = ItemStatus::ignored;

    auto& db = transaction.db();
    // Who has had nothing taken has no row of its own either.
    auto met = store_.find_server_id(db, origin);
    if (!met) return refused_event(direct.id, met.error());
    auto known = *met ? storage::find_direct_in(db, **met, event.txn)
                      : Result<std::optional<protocol::Hash>>{std::nullopt};
    if (!known) return refused_event(direct.id, known.error());
    if (*known) {
        if (**known != *direct.id)
            return refused_event(direct.id,
                                 refuse(Code::equivocation, "another event has this txn").value());
        result.status = ItemStatus::duplicate;
        if (!questions_.contains(event.type)) return result;
        auto again = apply(transaction, direct, origin);
        return again ? result : refused_event(direct.id, again.error());
    }
    auto timely = check_not_ahead(event.at, clock_.now_ms());
    if (!timely) return refused_event(direct.id, timely.error());
    auto applied = apply(transaction, direct, origin);
    if (!applied) return refused_event(direct.id, applied.error());
    if (!*applied) return result;
    auto server = store_.server_id(db, origin);
    if (!server) return refused_event(direct.id, server.error());
    auto remembered = storage::remember_direct_in(db, *server, event.txn, *direct.id, event.at);
    if (!remembered) return refused_event(direct.id, remembered.error());
    result.status = ItemStatus::accepted;
    return result;
}

Result<bool> Direct::apply(storage::WriteTransaction& transaction, const VerifiedDirect& direct,
                           const ServerName& origin)
{
    const auto handler = handlers_.find(direct.event->type);
    if (!direct.invitation && handler == handlers_.end()) return false;
    auto done = direct.invitation ? take_invitation(transaction, direct)
                                  : handler->second(transaction, direct, origin);
    if (!done) return fail(done);
    return true;
}

Result<void> Direct::take_invitation(storage::WriteTransaction& transaction,
                                     const VerifiedDirect& direct)
{
    auto& db = transaction.db();
    const auto& to = direct.event->to;
    const auto user = protocol::parse_user_id(to, identity_.names);
    if (!user || protocol::server_of(*user) != identity_.name)
        return refuse(Code::not_found, "no such user here");
    auto account = storage::find_user(db, protocol::localpart_of(*user));
    if (!account && account.error().code == Code::not_found)
        return refuse(Code::not_found, "no such user here");
    if (!account) return fail(account);
    const auto channel = protocol::ChannelId::trusted(direct.invitation->channel);
    auto held = store_.find(db, channel);
    if (!held && held.error().code != Code::not_found) return fail(held);
    // [SUC-8] Whether a server that didn't make the channel is its home is told by the log, or by
    // who made it when somebody joins.
    const auto& inviting = direct.event->sender.server;
    auto earlier = storage::find_invitation(db, to, channel.str());
    if (!earlier) return fail(earlier);
    const bool is_followed = held && (*held)->state.has_member_of(identity_.name);
    const bool is_homed_elsewhere =
        is_followed ? (*held)->home != inviting : *earlier && (*earlier)->home != inviting.str();
    if (is_homed_elsewhere && protocol::creator_of(channel) != inviting)
        return refuse(Code::forbidden, "the channel is not homed at the server that invites");
    auto row = *direct.invitation;
    auto ruling = decide(db, direct);
    if (!ruling) return fail(ruling);
    // What the user has let in once stays so.
    row.is_held = ruling->is_held() && !(*earlier && !(*earlier)->is_held);
    if (!*earlier || (*earlier)->is_held != row.is_held) {
        auto room = has_room_for(db, row);
        if (!room) return fail(room);
        if (!*room && !*earlier)
            return refuse(Code::forbidden, "the user has too many invitations open");
        // One that waits goes on waiting.
        if (!*room) row.is_held = true;
    }
    auto put = storage::put_invitation(db, row);
    if (!put) return put;
    // The user finds it when he looks.
    if (row.is_held && ruling->has_tag(trust::policy::no_push_tag)) return {};
    transaction.after_commit([invited = invited_, name = *user] { invited(name); });
    return {};
}

Result<bool> Direct::has_room_for(storage::Connection& db, const storage::InvitationRow& row)
{
    auto stored = storage::count_invitations(db, row.user, row.home, row.is_held);
    if (!stored) return fail(stored);
    const auto most = row.is_held ? max_requests_per_user : max_invitations_per_user;
    const auto most_of_home = row.is_held ? max_requests_of_home : most;
    return storage::has_room(most, stored->all, most_of_home, stored->of_home);
}

void Direct::check_before(std::string type, DirectCheck check)
{
    checks_.emplace(std::move(type), std::move(check));
}

Result<trust::policy::Ruling> Direct::decide(storage::Connection& db,
                                             const VerifiedDirect& direct) const
{
    if (policies_ == nullptr) return policy::Ruling{};
    const auto& row = *direct.invitation;
    const auto& inviting = direct.event->sender.server;
    policy::Request request{policy::Action::invitation_receive};
    request
        .word(A::subject_kind,
              row.sender == row.home ? policy::SubjectKind::server : policy::SubjectKind::user)
        .text(A::subject_id, row.sender)
        .text(A::subject_server, inviting.str())
        .flag(A::subject_local, false)
        .word(A::subject_tier, direct.tier)
        .word(A::subject_role, policy::ServerRole::none)
        .word(A::resource_kind, policy::ResourceKind::invitation)
        .text(A::resource_id, row.user)
        .text(A::resource_server, identity_.name.str())
        .number(A::context_size, static_cast<std::int64_t>(direct.event->octets.size()));
    if (policies_->asks(request.action(), A::context_acquainted)) {
        auto acquainted = storage::are_acquainted(db, row.user, row.sender);
        if (!acquainted) return fail(acquainted);
        request.flag(A::context_acquainted, *acquainted);
    }
    return policies_->decide(request);
}

void Direct::handle(std::string type, DirectHandler handler, Repeat repeat)
{
    if (repeat == Repeat::is_asked_again) questions_.insert(type);
    handlers_.emplace(std::move(type), std::move(handler));
}

}  // namespace entente::federation
