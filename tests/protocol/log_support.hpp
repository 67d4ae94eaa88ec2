// What the tests of events, logs and the fold share: names, events made to order, and
// the values that were computed by another hand.
//
// The hashes below come from python's hashlib and base64 (urlsafe, without padding) over
// the texts that section 4, 5 and 8 of the specification give; the event's id was also
// taken with `openssl dgst -sha256 -binary | base64`.
#pragma once

#include <string>
#include <string_view>

#include "protocol/event.hpp"
#include "protocol/proofs.hpp"

namespace entente::protocol::golden {

inline const ChannelId channel =
    ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
inline constexpr std::string_view content = R"({"salt":"AAECAwQFBgcICQoLDA0ODw","text":"hello"})";
inline constexpr std::string_view content_id = "isTVzpo4FRl5Uj_iukteToie0LM_X0AprGbKNfi7aqQ";
inline constexpr std::string_view event =
    R"({"v":1,"type":"message.create","channel":"0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example",)"
    R"("sender":"bob@b.example","device":"01234567-89ab-4def-8123-456789abcdef",)"
    R"("txn":"0192f0c1-7b1a-7c3d-8e4f-ba9876543210","at":1763683200123,)"
    R"("content":"isTVzpo4FRl5Uj_iukteToie0LM_X0AprGbKNfi7aqQ"})";
inline constexpr std::string_view event_id = "xp2Ob5tcxVluTT9HmgDsOHp3VOzWJMWZd8-vqSVZNUA";
inline constexpr std::string_view entry_1 = "Q_K0Ic7TSx-NaRk5B7K_8uadVjRsIDrNqCRBNNDfHYs";
inline constexpr std::string_view entry_42 = "PKvB7Bi1gugfVfP0sgaepYVtkkpJUnNJUAYke-Iy-4M";
inline constexpr std::string_view state_id = "knCSUuUmGsrCSunk8TSCHa7oUxRiATY--cFjIs8wsp4";

}  // namespace entente::protocol::golden

namespace entente::protocol {

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to)
{
    std::string result(text);
    const auto at = result.find(from);
    if (at != std::string::npos) result.replace(at, from.size(), to);
    return result;
}

inline std::string hex(const Hash& hash)
{
    std::string text;
    for (const auto octet : hash) {
        text += "0123456789abcdef"[octet >> 4U];
        text += "0123456789abcdef"[octet & 15U];
    }
    return text;
}

}  // namespace entente::protocol
