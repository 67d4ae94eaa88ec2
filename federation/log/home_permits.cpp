// The part of HomeLog that asks policies, and moderators where those say so.
#include "federation/log/home_log.hpp"
#include "federation/persons.hpp"
#include "storage/join_request_store.hpp"

namespace entente::federation {

using protocol::Event;
using storage::LiveChannel;
using storage::WriteTransaction;

Result<void> HomeLog::permit(WriteTransaction& transaction, const LiveChannel& channel,
                             const Event& event, std::string_view content,
                             const protocol::TargetFacts* target, const Sending& sending) const
{
    auto ruling = ask_policies(*policies_, {event, content, channel.name, channel.home,
                                            &channel.state, target, sending.person, sending.tier});
    if (!ruling) return fail(ruling);
    if (!ruling->is_held()) return {};
    return ask_moderators(transaction, channel, event);
}

Result<void> HomeLog::ask_moderators(WriteTransaction& transaction, const LiveChannel& channel,
                                     const Event& event) const
{
    using storage::JoinRequestKept;
    const auto kept =
        storage::put_join_request(transaction.db(), channel.id, event.sender.text, clock_.now_ms());
    if (!kept) return fail(kept);
    if (*kept == JoinRequestKept::no_room)
        return refuse(Code::forbidden,
                      "too many joins of this channel wait already, and no moderator was asked");
    // Whoever tries again disturbs nobody.
    if (*kept == JoinRequestKept::added && asked_) {
        std::vector<protocol::UserId> moderators;
        for (const auto& [name, role] : channel.state.members) {
            auto user = protocol::UserId::trusted(name);
            if (role >= protocol::Role::moderator && protocol::server_of(user) == identity_.name)
                moderators.push_back(std::move(user));
        }
        transaction.after_commit([asked = asked_, moderators = std::move(moderators)] {
            for (const auto& user : moderators) asked(user);
        });
    }
    return refuse(Code::forbidden, "a moderator is asked: join again once you are invited");
}

Result<std::string> HomeLog::event_under(storage::Connection& db, const ChannelId& channel,
                                         const ServerName& origin, const protocol::Uuid& txn)
{
    auto found = store_.find(db, channel);
    if (!found) return fail(found);
    auto seq = store_.find_txn(db, **found, origin, txn);
    if (!seq) return fail(seq);
    if (!*seq) return std::string();
    auto entry = store_.entry_at(db, **found, **seq);
    if (!entry) return fail(entry);
    return std::move(entry->entry.event);
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
