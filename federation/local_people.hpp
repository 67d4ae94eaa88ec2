// The people and devices of this server's own users, and those of other servers by query:
// implements People. On the I/O thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "federation/key_claims.hpp"
#include "federation/people.hpp"
#include "federation/signed_client.hpp"
#include "federation/user_cache.hpp"
#include "net/task_group.hpp"

namespace entente::federation {

// One signed request to another server.
using Ask = std::function<asio::awaitable<Result<Answer>>(ServerName server, std::string method,
                                                          std::string target, std::string body)>;

struct LocalPeopleParts {
    const Identity& identity;
    storage::GroupCommit& commits;
    net::TaskGroup& tasks;
    const protocol::Clock& clock;
    Ask ask;
};

class LocalPeople final : public People {
 public:
    explicit LocalPeople(LocalPeopleParts parts);

    asio::awaitable<Result<protocol::ShownUser>> look_up(protocol::UserId user) override;
    asio::awaitable<Result<std::vector<ClaimResult>>> claim(protocol::UserId asker,
                                                            protocol::KeyClaims claims) override;
    void listen(PeopleListener& listener) override { listeners_.push_back(&listener); }

    // What other servers claim of our users comes to the same place.
    [[nodiscard]] KeyClaims& claims() { return claims_; }

 private:
    struct Gathering;
    asio::awaitable<Result<protocol::ShownUser>> look_up_there(protocol::UserId user);
    asio::awaitable<void> claim_there(std::shared_ptr<Gathering> gathering, ServerName server,
                                      std::vector<std::size_t> places, protocol::KeyClaims claims);
    asio::awaitable<Result<std::vector<protocol::ClaimedKey>>> ask_for_keys(
        ServerName server, protocol::KeyClaims claims);
    void tell(const std::function<void(PeopleListener&)>& what) const;

    LocalPeopleParts parts_;
    std::vector<PeopleListener*> listeners_;
    KeyClaims claims_;
    UserCache cache_;
};

}  // namespace entente::federation
