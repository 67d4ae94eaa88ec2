// How many octets of bodies a listener holds, in all and for each source. Of requests, from
// their first octet until they have been dealt with: anyone may start a body, and nothing
// of it can be checked before its end. Of answers, until their reader has taken them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "net/source_key.hpp"

namespace entente::net {

// Once more than `plenty` is held in all, a source may hold `little` or one body: a few who
// hold what they can else leave nothing to who comes behind them.
struct BodyLimits {
    std::size_t total = 0;
    std::size_t per_source = 0;
    std::size_t plenty = total;
    std::size_t little = per_source;
};

class BodyBudget {
 public:
    explicit BodyBudget(BodyLimits limits) : limits_(limits) {}

    // One body's part of the budget, given back when it goes.
    class Share {
     public:
        Share(std::shared_ptr<BodyBudget> budget, const boost::asio::ip::address& source)
            : budget_(std::move(budget)), source_(source_key(source))
        {
        }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() { give_back(); }
        // False where a limit is reached; nothing is taken then.
        [[nodiscard]] bool take(std::size_t octets);
        // All of it, early.
        void give_back() { budget_->give_back(source_, std::exchange(held_, 0)); }

     private:
        std::shared_ptr<BodyBudget> budget_;
        std::string source_;
        std::size_t held_ = 0;
    };

    [[nodiscard]] std::size_t held() const { return held_; }
    [[nodiscard]] bool is_scarce() const { return held_ > limits_.plenty; }

 private:
    void give_back(const std::string& source, std::size_t octets);

    BodyLimits limits_;
    std::size_t held_ = 0;
    std::unordered_map<std::string, std::size_t> by_source_;
};

}  // namespace entente::net
