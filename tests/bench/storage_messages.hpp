// Messages for a store under load, as long as real ones: made to be stored and read back,
// not to be verified.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "protocol/transaction.hpp"

namespace entente::bench {

inline constexpr int member_servers = 4;
inline constexpr int members_per_server = 12;

[[nodiscard]] protocol::ServerName member_server(int number);
[[nodiscard]] std::string member(int number);  // of any of the servers

class SeededRandom final : public protocol::Random {
 public:
    explicit SeededRandom(std::mt19937_64& generator) : generator_(generator) {}
    std::string octets(std::size_t size) override;

 private:
    std::mt19937_64& generator_;
};

// Messages of 300 octets of text, sealed by their author's server 20 at a time. Each has an
// id of its own, from a seed.
class MessageMaker {
 public:
    MessageMaker();
    struct Run {
        std::vector<protocol::EventAndContent> messages;
        std::vector<protocol::Uuid> txns;
        protocol::Seal seal;
        std::string root;  // as long as a signed one
        protocol::ServerName origin;
        protocol::Millis at = 0;
    };
    [[nodiscard]] Run make(const protocol::ChannelId& channel, std::size_t messages);

 private:
    protocol::Hash noise();
    std::mt19937_64 generator_{20251121};
    protocol::Millis now_ = 1'763'683'200'000;
};

}  // namespace entente::bench
