// The inbox: takes one admitted transaction, hands each item to its room, makes all of it
// durable in one commit, and answers with a result per item [INBOX-1, INBOX-2].
#pragma once

#include <memory>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/conduct/conduct.hpp"
#include "federation/direct/direct.hpp"
#include "federation/gate/gate.hpp"
#include "federation/log/follower_log.hpp"
#include "federation/log/home_log.hpp"
#include "federation/log/verification.hpp"
#include "federation/people/signals.hpp"
#include "net/http_message.hpp"
#include "storage/group_commit.hpp"
#include "storage/refused_items.hpp"
#include "trust/budgets.hpp"

namespace entente::federation {

struct InboxParts {
    const Identity& identity;
    Verifier& verifier;
    HomeLog& home;
    FollowerLog& follower;
    Direct& direct;
    storage::GroupCommit& commits;
    trust::Budgets& budgets;
    const protocol::Clock& clock;
    storage::RefusedItems& refused;
    Signals* signals = nullptr;  // nothing: all are ignored
    // Of a server whose users' signals another one passes on, on the I/O thread; nothing: it is
    // held for as far trusted as who passes on.
    std::function<trust::Tier(const ServerName&)> tier_of = {};
    // What comes in as a server's conduct; nothing: it isn't looked at.
    Conduct* conduct = nullptr;
    const trust::KeyRing* ring = nullptr;  // with `conduct`
    storage::AcceptedCounts* accepted = nullptr;
    trust::policy::Enforcer* policies = nullptr;  // nothing: nobody is asked
    Figures* figures = nullptr;                   // nothing: nothing is counted
};

class Inbox {
 public:
    explicit Inbox(InboxParts parts);

    // POST /federation/v1/inbox behind the gate; the answer is signed by the gate's guard.
    // Takes the body out of the request.
    asio::awaitable<net::Response> receive(net::Request& request, const Admitted& admitted);

 private:
    struct Work;
    struct Outcome;
    asio::awaitable<Result<protocol::TransactionResult>> process(std::string body,
                                                                 const Admitted& admitted);
    asio::awaitable<Result<protocol::Transaction>> parse(std::string body,
                                                         const ServerName& origin);
    void spend_budgets(Work& work, const protocol::Transaction& transaction,
                       const Admitted& admitted);
    void spend_invitations(Work& work) const;
    [[nodiscard]] std::optional<Error> put_off(const Work& work, std::string_view channel,
                                               std::size_t octets) const;
    [[nodiscard]] std::optional<HeardSignal> heard(const protocol::Read<protocol::Signal>& read,
                                                   const Work& work) const;
    asio::awaitable<Result<void>> verify(std::shared_ptr<Work> work,
                                         std::shared_ptr<protocol::Transaction> transaction);
    asio::awaitable<CheckedRoots> check_roots(std::set<std::size_t> named,
                                              std::vector<std::string> roots, KeyAllowance& keys);
    void check_items(Work& work, protocol::Transaction transaction, const CheckedRoots& roots,
                     const CheckedConsents& consents) const;
    static void find_faults(Work& work);
    void sign_consents(Outcome& outcome) const;
    void count_accepted(const Work& work, const protocol::TransactionResult& result) const;
    void note_conduct(const Work& work, const Outcome& outcome, const Admitted& admitted,
                      std::string_view body) const;
    // Of the first item that another event stands in the way of: that one's octets.
    [[nodiscard]] std::string first_of(storage::Connection& db, const Work& work,
                                       const protocol::TransactionResult& result) const;
    [[nodiscard]] Result<void> refuse_again(Work& work);
    [[nodiscard]] Outcome apply(storage::WriteTransaction& transaction, const Work& work);
    [[nodiscard]] Result<void> note_refused(storage::Connection& db, const Work& work,
                                            const protocol::TransactionResult& result);
    [[nodiscard]] protocol::TransactionResult finish(Outcome outcome) const;

    InboxParts parts_;
};

}  // namespace entente::federation
