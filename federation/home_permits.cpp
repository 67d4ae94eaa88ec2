// The part of HomeLog that asks policies, and moderators where those say so.
#include "federation/home_log.hpp"
#include "federation/persons.hpp"
#include "storage/join_request_store.hpp"

namespace entente::federation {

using protocol::Event;
using storage::LiveChannel;

Result<void> HomeLog::permit(storage::Connection& db, const LiveChannel& channel,
                             const Event& event, std::string_view content,
                             const protocol::TargetFacts* target, const Sending& sending) const
{
    auto ruling = ask_policies(*policies_, {event, content, channel.name, channel.home,
                                            &channel.state, target, sending.person, sending.tier});
    if (!ruling) return fail(ruling);
    if (!ruling->is_held()) return {};
    auto kept = storage::put_join_request(db, channel.id, event.sender.text, clock_.now_ms());
    if (!kept) return kept;
    return refuse(Code::forbidden, "a moderator is asked: join again once you are invited");
}

// Of what waited policies were asked when it was handed in, but about joins: those a moderator may
// have to decide, and only now it is known who is invited.
Result<Appended> HomeLog::append_waited(storage::WriteTransaction& transaction,
                                        LiveChannel& channel, const Event& event,
                                        const storage::SubmissionRow& row)
{
    if (event.type != "member.join") return append(transaction, channel, event, row.content);
    auto person = find_person(transaction.db(), UserId::trusted(row.user), clock_.now_ms());
    if (!person) return fail(person);
    const Sending sending{&*person};
    auto appended = append(transaction, channel, event, row.content, &sending);
    // By a policy's limit: the channel doesn't wait for its end.
    if (!appended && appended.error().code == Code::rate_limited)
        return refuse(Code::forbidden, appended.error().hint);
    return appended;
}

}  // namespace entente::federation
