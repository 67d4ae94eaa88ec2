// The keys that a slice shows of servers which its receiver may not know [LOG-6], by what they
// are: whoever looks for one finds it at once, however many there are and how often one is
// repeated. Whether a key may count is for whoever asks.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "protocol/jws.hpp"
#include "protocol/slice.hpp"

namespace entente::federation {

// Refers to what it is made of, which has to outlive it.
class ShownKeys {
 public:
    explicit ShownKeys(const std::vector<protocol::ShownKey>& shown);

    [[nodiscard]] bool has(const protocol::KeyRef& key) const { return keys_.contains(key); }
    // In base64url, as it was shown; empty where it isn't.
    [[nodiscard]] std::string_view x_of(const protocol::KeyRef& key) const;
    // Whether the key that it names is shown and has signed it: one verification at most.
    [[nodiscard]] bool verify(const protocol::Jws& jws) const;

 private:
    std::map<protocol::KeyRef, std::string_view> keys_;  // x, not looked at before it is asked for
};

}  // namespace entente::federation
