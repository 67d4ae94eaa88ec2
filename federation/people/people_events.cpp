// The news of LocalPeople: changes of users and devices, ours and others', signals, reports;
// and which direct events bring such.
#include <utility>

#include "federation/people/local_people.hpp"
#include "storage/acquaintances.hpp"

namespace entente::federation {

namespace {

using protocol::UserId;
using storage::WriteTransaction;

// Own users that are told of one change; the others see it when they look again.
constexpr std::size_t max_users_told = 1'000;

}  // namespace

void LocalPeople::add_handlers(Direct& direct)
{
    direct.handle("device.message", [this](WriteTransaction& transaction,
                                           const VerifiedDirect& event, const ServerName& origin) {
        return messages_.take(transaction, event, origin);
    });
    for (const char* type : {device_changed, profile_changed}) {
        direct.handle(type, [this](WriteTransaction& transaction, const VerifiedDirect& event,
                                   const ServerName&) { return take_change(transaction, event); });
    }
    direct.handle("report", [this](WriteTransaction& transaction, const VerifiedDirect& event,
                                   const ServerName& origin) {
        return reports_.take(transaction, event, origin);
    });
    direct.check_before("report",
                        [this](const VerifiedDirect& event, const std::vector<KeyRef>& own) {
                            return reports_.check(event, own);
                        });
}

// [INBOX-14] Says that something has changed, not what: whoever wants to know asks.
Result<void> LocalPeople::take_change(WriteTransaction& transaction, const VerifiedDirect& direct)
{
    if (direct.event->sender.is_server)
        return refuse(Code::forbidden, "a user's change is told in his name");
    const auto user = UserId::trusted(direct.event->sender.text);
    transaction.after_commit([this, user] {
        cache_.forget(user);
        parts_.tasks.spawn(tell_changed(user));
    });
    return {};
}

void LocalPeople::changed(const UserId& user)
{
    parts_.tasks.spawn(tell_changed(user));
    announcer_.start();
}

asio::awaitable<void> LocalPeople::tell_changed(UserId user)
{
    auto job = [user, self = parts_.identity.name](storage::Connection& db) {
        return storage::own_users_with(db, user.str(), self.str(), max_users_told);
    };
    auto found = co_await parts_.commits.read(std::move(job));
    // Nobody is told then: it is a hint to look again, and no more.
    if (!found) co_return;
    std::vector<UserId> audience;
    for (auto& name : *found) audience.push_back(UserId::trusted(std::move(name)));
    if (protocol::server_of(user) == parts_.identity.name) audience.push_back(user);
    tell([&](PeopleListener& listener) { listener.user_changed(user, audience); });
}

asio::awaitable<Result<void>> LocalPeople::signal(UserId user, Person person,
                                                  std::vector<protocol::LiveSignal> signals)
{
    return signals_.send(std::move(user), std::move(person), std::move(signals));
}

asio::awaitable<Result<void>> LocalPeople::report(Actor actor, Report report)
{
    return reports_.hand_in(std::move(actor), std::move(report));
}

}  // namespace entente::federation
