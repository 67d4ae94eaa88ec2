// A server that lies: what it says on the wire is spoiled on its way out, in one place at a
// time and signed with its own key again, as the cases of the conformance list do it. Its
// machine runs the product all the same, so that what it says is mostly true.
#pragma once

#include <string>
#include <vector>

#include "federation/identity.hpp"
#include "protocol/transaction.hpp"
#include "tests/sim/forgery.hpp"
#include "tests/sim/network.hpp"

namespace entente::sim {

class Liar {
 public:
    Liar(const federation::Identity& identity, const protocol::Clock& clock, Trace& trace,
         std::uint64_t seed);

    // From now on it lies about so much of what it says, in percent.
    void lie(std::uint64_t share) { share_ = share; }

    // What is sent in place of a request.
    [[nodiscard]] std::vector<net::Request> instead_of(const std::string& to,
                                                       const net::Request& request);
    // Changes an answer to `request`.
    void spoil(const net::Request& request, net::Response& response);

 private:
    using Transaction = protocol::OutgoingTransaction;

    [[nodiscard]] std::optional<std::string> spoiled_body(const std::string& body);
    [[nodiscard]] bool spoil_slice(Transaction& transaction);
    [[nodiscard]] bool spoil_submission(Transaction& transaction);
    [[nodiscard]] bool spoil_direct(Transaction& transaction);
    [[nodiscard]] bool spoil_proof(Transaction& transaction);
    void seal_anew(Transaction& transaction);
    [[nodiscard]] bool spoil_result(protocol::TransactionResult& result);
    void spoil_slice_result(protocol::SliceResult& result);
    void spoil_event_result(protocol::EventResult& result);
    void sign_answer(const net::Request& request, net::Response& response) const;
    [[nodiscard]] std::string event_like(const protocol::EventAndContent& model, bool same_txn,
                                         std::string& content);

    const federation::Identity& identity_;
    const protocol::Clock& clock_;
    Trace& trace_;
    Chance chance_;
    SeededRandom random_;
    Forger forger_;
    std::uint64_t share_ = 0;
    std::vector<std::pair<std::string, net::Request>> sent_;  // for replays
    std::vector<std::string> old_answers_;                    // to queries, by their bodies
};

}  // namespace entente::sim
