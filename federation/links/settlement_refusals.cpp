// The part of Settlement that deals with what a home refuses: for good, because the channel has
// moved, or for now. The rest of the class is in settlement.cpp.
#include "federation/links/settlement.hpp"
#include "storage/incoming_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

// Whether nothing else has to be there for it than the channel and its members [MEM-8].
bool needs_only_the_channel(std::string_view type)
{
    return type == "message.create" || type == "member.invite" || type == "member.leave" ||
           type == "channel.update";
}

}  // namespace

using protocol::EventResult;
using protocol::ItemStatus;
using storage::SubmissionRow;
using storage::WriteTransaction;

void Settlement::tell_author(WriteTransaction& transaction, const SubmissionRow& row, Posted what)
{
    transaction.after_commit([this, channel = row.channel,
                              user = protocol::UserId::trusted(row.user), what = std::move(what)] {
        parts_.notices.tell(
            [&](CommitListener& listener) { listener.delivery_changed(channel, user, what); });
    });
}

Result<void> Settlement::reject(WriteTransaction& transaction, const ServerName& peer,
                                const SubmissionRow& row, const EventResult& result,
                                Settled& settled)
{
    auto& db = transaction.db();
    // It may have been handed on while the answer came: then it is another's to refuse.
    auto now = storage::find_submission(db, row.channel, row.txn);
    if (!now) return fail(now);
    if (!*now || (*now)->home != peer) return {};
    const auto problem = result.problem.value_or(Error{Code::malformed, "", {}, 0});
    auto elsewhere = goes_elsewhere(transaction, peer, row, problem, settled);
    if (!elsewhere) return fail(elsewhere);
    // [RETRY-7] Sealed before our key was revoked: next time with the present one.
    const bool is_settled = *elsewhere || problem.code == Code::key_revoked;
    auto waits = is_settled ? Result<bool>{true} : waits_for_word(db, peer, row, problem.code);
    if (!waits) return fail(waits);
    if (*waits) {
        settled.held_submissions.try_emplace(row.channel.str(), 0);
        return {};
    }
    settled.progress = true;
    Posted what;
    what.event_id = row.event_id;
    what.state = DeliveryState::rejected;
    what.problem = Error{problem.code, "the channel's home refused it", {}, 0};
    tell_author(transaction, row, std::move(what));
    return storage::reject_submission(db, row.id, protocol::code_name(problem.code));
}

// [SUC-7] `superseded`: who follows the log waits for it to tell the same; whoever doesn't goes
// where he is sent. Held here in any case, the longer the more often: two servers that point to
// each other must not keep us busy.
Result<bool> Settlement::goes_elsewhere(WriteTransaction& transaction, const ServerName& peer,
                                        const SubmissionRow& row, const Error& problem,
                                        Settled& settled)
{
    if (problem.code != Code::superseded) return false;
    auto& db = transaction.db();
    auto home = protocol::parse_server_name(problem.hint, parts_.identity.names);
    if (!home || *home == peer || *home == parts_.identity.name) return false;
    auto channel = parts_.store.find(db, row.channel);
    if (!channel && channel.error().code != Code::not_found) return fail(channel);
    if (channel && (*channel)->state.has_member_of(parts_.identity.name)) {
        // Whose log it is has been told already, where it isn't this one's.
        home = (*channel)->home;
        if (*home == peer || *home == parts_.identity.name) return true;
    }
    auto server = parts_.store.server_id(db, *home);
    if (!server) return fail(server);
    auto handed = storage::hand_on_submissions(db, row.channel, *server);
    if (!handed) return fail(handed);
    settled.progress = true;
    if (parts_.wake) transaction.after_commit([wake = parts_.wake, name = *home] { wake(name); });
    return true;
}

// [SUC-7, SUC-8] Refusals of servers that don't know yet what is so: the new home that has lost the
// move or doesn't hold the log up to it, perhaps not even that we follow; and the one that made a
// channel, asked before it knows of the invitation by the new home.
Result<bool> Settlement::waits_for_word(storage::Connection& db, const ServerName& peer,
                                        const SubmissionRow& row, Code problem)
{
    auto channel = parts_.store.find(db, row.channel);
    if (!channel && channel.error().code != Code::not_found) return fail(channel);
    if (channel) {
        if ((*channel)->home != peer || (*channel)->epoch == 1) return false;
        return problem == Code::not_home ||
               (problem == Code::not_found && needs_only_the_channel(row.type) &&
                (*channel)->state.has_member_of(parts_.identity.name));
    }
    if (row.type != "member.join" || problem != Code::not_found) return false;
    auto invitation = storage::find_invitation(db, row.user, row.channel.str());
    if (!invitation) return fail(invitation);
    return *invitation && (*invitation)->home != peer.str();
}

// On the I/O thread, where the keys are.
std::optional<protocol::Consent> Settlement::consent_in(const EventResult& result) const
{
    if (result.consent.empty() ||
        !(result.status == ItemStatus::accepted || result.status == ItemStatus::duplicate))
        return std::nullopt;
    auto consent = protocol::parse_consent(result.consent, parts_.identity.names);
    if (!consent || !parts_.verifier.check_consent(*consent, {}).is_current) return std::nullopt;
    return std::move(*consent);
}

}  // namespace entente::federation
