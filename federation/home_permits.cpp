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

Result<Appended> HomeLog::ask_moderators(storage::Connection& db, const LiveChannel& channel,
                                         const Event& event)
{
    auto kept = storage::put_join_request(db, channel.id, event.sender.text, clock_.now_ms());
    if (!kept) return fail(kept);
    if (!*kept)
        return refuse(Code::forbidden,
                      "too many joins of this channel wait already, and no moderator was asked");
    return refuse(Code::forbidden, "a moderator is asked: join again once you are invited");
}

}  // namespace entente::federation
