// The part of HomeLog that asks policies, and moderators where those say so.
#include "federation/home_log.hpp"
#include "storage/join_request_store.hpp"

namespace entente::federation {

using protocol::Event;
using storage::LiveChannel;

Result<void> HomeLog::permit(const LiveChannel& channel, const Event& event,
                             std::string_view content, const protocol::TargetFacts* target,
                             const Sending& sending, bool& held) const
{
    auto ruling = ask_policies(*policies_, {event, content, channel.name, channel.home,
                                            &channel.state, target, sending.person, sending.tier});
    if (!ruling) return fail(ruling);
    held = ruling->is_held();
    return held ? refuse(Code::forbidden, "held") : Result<void>{};
}

Result<Appended> HomeLog::ask_moderators(storage::WriteTransaction& transaction,
                                         const LiveChannel& channel, const Event& event)
{
    auto is_new =
        storage::put_join_request(transaction.db(), channel.id, event.sender.text, clock_.now_ms());
    if (!is_new) return fail(is_new);
    // Whoever tries again disturbs nobody.
    if (*is_new && asked_) {
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

}  // namespace entente::federation
