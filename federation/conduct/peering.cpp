#include "federation/conduct/peering.hpp"

#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"
#include "storage/audit_store.hpp"

namespace entente::federation {

namespace {

using storage::PeeringRow;
using storage::WriteTransaction;
using trust::Source;

constexpr std::string_view wants_it = "peer";
constexpr std::string_view ends_it = "end";
constexpr std::size_t max_wish_octets = 16;

}  // namespace

asio::awaitable<Result<void>> Peering::load()
{
    auto job = [](storage::Connection& db) { return storage::peerings(db); };
    auto rows = co_await parts_.commits.read(std::move(job));
    if (!rows) co_return fail(rows);
    for (const auto& row : *rows) hold(row);
    co_return Result<void>{};
}

void Peering::hold(const PeeringRow& row)
{
    parts_.tiers.note_proposed(row.server, row.ours);
    if (!row.is_mutual()) {
        parts_.tiers.drop(Source::peering, row.server);
        return;
    }
    auto held = parts_.tiers.put(Source::peering, row.server, trust::Tier::trusted);
    if (!held)
        protocol::log_warning(parts_.log, "trust", "a peering has no room",
                              {{"server", row.server.str()}});
}

asio::awaitable<Result<PeeringRow>> Peering::say(Mandate by, ServerName server, Wish wish)
{
    if (server == parts_.identity.name)
        co_return refuse(Code::malformed, "that is this server itself");
    auto job = [this, by = std::move(by), server, wish](WriteTransaction& transaction) {
        return settle(transaction, by, server, wish);
    };
    auto row = co_await parts_.commits.write(std::move(job));
    if (!row) co_return row;
    hold(*row);
    // Only now: until then it may have been blocked by the mode.
    parts_.urge(server);
    co_return row;
}

Result<PeeringRow> Peering::settle(WriteTransaction& transaction, const Mandate& by,
                                   const ServerName& server, Wish wish)
{
    if (auto may = by.check(transaction.db()); !may) return fail(may);
    auto found = storage::find_peering(transaction.db(), server);
    if (!found) return fail(found);
    auto row = found->value_or(PeeringRow{server, false, false, 0});
    if (wish == Wish::accept && !row.theirs)
        return refuse(Code::conflict, server.str() + " has not proposed it");
    if (wish == Wish::end && !row.ours && !row.theirs)
        return refuse(Code::not_found, "no peering with " + server.str() + ", and no proposal");
    row.ours = wish != Wish::end;
    // Whoever ends it leaves no proposal behind: it takes both to begin anew.
    if (wish == Wish::end) row.theirs = false;
    if (auto put = storage::put_peering(transaction.db(), row); !put) return fail(put);
    if (auto sent = send(transaction, server, row.ours); !sent) return fail(sent);
    const auto* act = wish == Wish::propose  ? "peer.propose"
                      : wish == Wish::accept ? "peer.accept"
                                             : "peer.end";
    auto noted = storage::append_audit(transaction.db(), parts_.identity.name,
                                       parts_.clock.now_ms(), {by.actor, act, server.str()});
    if (!noted) return fail(noted);
    return row;
}

Result<void> Peering::send(WriteTransaction& transaction, const ServerName& server, bool wants)
{
    using protocol::json_string;
    const auto now = parts_.clock.now_ms();
    protocol::EventDraft draft;
    draft.type = peering_type;
    draft.to = server.str();
    draft.sender = parts_.identity.name.str();
    draft.txn = protocol::make_uuid7(now, parts_.random);
    draft.at = now;
    draft.content =
        "{\"salt\":" +
        json_string(protocol::to_base64url(parts_.random.octets(protocol::min_salt_octets))) +
        ",\"wish\":" + json_string(wants ? wants_it : ends_it) + "}";
    auto id = parts_.store.server_id(transaction.db(), server);
    if (!id) return fail(id);
    storage::DirectRow row;
    row.event = protocol::write_event(draft);
    row.content = draft.content;
    row.type = peering_type;
    if (wants) row.note = server.str();
    return storage::put_users_direct(transaction.db(), *id, row, now);
}

Result<void> Peering::refused(WriteTransaction& transaction, const storage::DirectRow& word,
                              protocol::Code problem)
{
    auto& db = transaction.db();
    const auto server = ServerName::trusted(word.note);
    auto found = storage::find_peering(db, server);
    if (!found || !*found || !(*found)->ours) return found ? Result<void>{} : fail(found);
    auto row = **found;
    row.ours = false;
    if (auto put = storage::put_peering(db, row); !put) return put;
    transaction.after_commit([this, row, problem] {
        hold(row);
        protocol::log_warning(
            parts_.log, "trust", "a server has refused a peering; it may be proposed again",
            {{"server", row.server.str()}, {"problem", protocol::code_name(problem)}});
    });
    return {};
}

Result<void> Peering::take(WriteTransaction& transaction, const VerifiedDirect& direct,
                           const ServerName& origin)
{
    const auto& event = *direct.event;
    if (!event.sender.is_server || event.to != parts_.identity.name.str())
        return refuse(Code::forbidden, "a peering is between two bare servers");
    if (direct.tier < trust::Tier::quarantined)
        return refuse(Code::forbidden, "no peering with whom is blocked");
    auto object = protocol::checked_object(direct.content);
    if (!object) return fail(object);
    protocol::RawMembers members{*object, ""};
    const auto wish = members.text("wish", max_wish_octets);
    if (members.error()) return protocol::Failure{*members.error()};
    if (wish != wants_it && wish != ends_it)
        return refuse(Code::malformed, "/wish: must be peer or end");
    const bool wants = wish == wants_it;

    auto& db = transaction.db();
    auto found = storage::find_peering(db, origin);
    if (!found) return fail(found);
    auto row = found->value_or(PeeringRow{origin, false, false, 0});
    // An older word that comes late says nothing of today.
    if (event.at < row.at) return {};
    if (wants && !row.theirs && !row.ours) {
        auto open = storage::count_open_proposals(db);
        if (!open) return fail(open);
        if (*open >= storage::max_open_proposals)
            return refuse(Code::forbidden, "too many proposals are open");
    }
    if (!wants && !*found) return {};
    const auto before = std::exchange(row, {origin, wants && row.ours, wants, event.at});
    if (auto put = storage::put_peering(db, row); !put) return put;
    if (row.ours == before.ours && row.theirs == before.theirs) return {};
    transaction.after_commit([this, row] {
        hold(row);
        protocol::log_warning(parts_.log, "trust",
                              row.is_mutual() ? "a server has accepted a peering; it is trusted"
                              : row.theirs    ? "a server proposes a peering"
                                              : "a server has ended its peering, or its proposal",
                              {{"server", row.server.str()}});
        // Our word may wait since it was blocked there.
        if (row.ours) parts_.urge(row.server);
    });
    return {};
}

}  // namespace entente::federation
