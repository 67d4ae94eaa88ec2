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

namespace entente::net {

// Who is counted as one source: an IPv4 address or an IPv6 /64, which one host can fill.
[[nodiscard]] std::string source_key(const boost::asio::ip::address& address);

class BodyBudget {
 public:
    BodyBudget(std::size_t total, std::size_t per_source)
        : total_limit_(total), source_limit_(per_source)
    {
    }

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

 private:
    void give_back(const std::string& source, std::size_t octets);

    std::size_t total_limit_;
    std::size_t source_limit_;
    std::size_t held_ = 0;
    std::unordered_map<std::string, std::size_t> by_source_;
};

}  // namespace entente::net
