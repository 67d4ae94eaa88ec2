// What a channel's new home signs when it is asked to take it [SUC-2]: a JWS of the type
// `entente-home` over {"channel","epoch","home"}. Read and made here; whose key it is under,
// and whether it may be given, is for those who know keys and logs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/jws.hpp"

namespace entente::protocol {

struct Consent {
    ChannelId channel;
    std::int64_t epoch = 0;  // the one that it opens, so 2 or more
    ServerName home;         // the new one; the signer as well
    Jws jws;
};

// `malformed` or `too_large` for the form, and where another server than `home` claims to have
// signed. The signature is not looked at.
[[nodiscard]] Result<Consent> parse_consent(std::string_view jws, NameRules rules);
[[nodiscard]] std::string make_consent(const SigningKey& key, const ServerName& home,
                                       const ChannelId& channel, std::int64_t epoch);

// The one that a channel.move holds; nothing where its content has none that can be read.
[[nodiscard]] std::optional<Consent> consent_of_move(std::string_view content, NameRules rules);

inline constexpr std::string_view move_type = "channel.move";

}  // namespace entente::protocol
