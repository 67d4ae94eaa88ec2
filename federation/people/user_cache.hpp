// What other servers said of their users, for a while: bounded in users and octets, the least
// recently used forgotten first. In memory: after a restart it is asked anew. On the I/O
// thread.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>

#include "protocol/clock.hpp"
#include "protocol/people_queries.hpp"

namespace entente::federation {

class UserCache {
 public:
    struct Limits {
        std::size_t users = 10'000;
        std::size_t octets = 32 * 1024 * 1024;
        protocol::Millis life_ms = 10 * 60'000;
    };
    explicit UserCache(Limits limits) : limits_(limits) {}
    UserCache() : UserCache(Limits{}) {}

    [[nodiscard]] std::optional<protocol::ShownUser> find(const protocol::UserId& user,
                                                          protocol::Millis now);
    // `asked` is what changes() said before the server was asked: an answer older than a
    // change is not kept.
    void keep(const protocol::ShownUser& user, std::uint64_t asked, protocol::Millis now);
    // The user has changed.
    void forget(const protocol::UserId& user);
    [[nodiscard]] std::uint64_t changes() const { return changes_; }
    [[nodiscard]] std::size_t octets() const { return octets_; }
    [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
    struct Kept {
        protocol::ShownUser user;
        protocol::Millis until = 0;
        std::size_t octets = 0;
    };
    using Order = std::list<Kept>;  // the latest used first
    void drop(Order::iterator kept);

    Limits limits_;
    Order order_;
    std::unordered_map<protocol::UserId, Order::iterator> index_;
    std::size_t octets_ = 0;
    std::uint64_t changes_ = 0;
};

}  // namespace entente::federation
