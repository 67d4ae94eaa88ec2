#pragma once

// The target's two test accounts: what people do at it, and what they can read there. Effects are
// judged by what they read, never by what the target answers to its peers.

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/target/target.hpp"

namespace entente::conformance {

// An account couldn't do what it was asked to: a case that needs it could not run.
class AccountError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The target's file has no way to do this: the case is not applicable.
class NoSuchAction : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Message {
    std::uint64_t seq = 0;
    std::string event;
    std::string sender;
    // Empty where the content is gone, or is none of text.
    std::string text;
};

enum class Who { first, second };

struct ChannelWish {
    bool is_public = true;
    // "all" or "since-join".
    std::string history = "all";
};

class Accounts {
 public:
    virtual ~Accounts() = default;

    [[nodiscard]] virtual std::string user(Who who) const = 0;
    // A channel homed at the target; its id.
    [[nodiscard]] virtual std::string create_channel(Who who, const ChannelWish& wish) = 0;
    // The event's id; it may still be on its way to a home elsewhere.
    virtual std::string post(Who who, const std::string& channel, const std::string& text) = 0;
    // All that the account can read of the channel, oldest first. Empty where it is no member.
    [[nodiscard]] virtual std::vector<Message> messages(Who who, const std::string& channel) = 0;
    virtual void join(Who who, const std::string& channel) = 0;
    virtual void invite(Who who, const std::string& channel, const std::string& user) = 0;
    virtual void ban(Who who, const std::string& channel, const std::string& user) = 0;
    virtual void remove(Who who, const std::string& channel, const std::string& event) = 0;
    // "pending", "accepted" or "rejected".
    [[nodiscard]] virtual std::string standing(Who who, const std::string& event) = 0;
};

// By the client API of Entente. Throws AccountError where an account can't log in.
[[nodiscard]] std::unique_ptr<Accounts> client_api_accounts(const TargetFile& target);

// By the commands of the target's file.
[[nodiscard]] std::unique_ptr<Accounts> command_accounts(const TargetFile& target);

}  // namespace entente::conformance
