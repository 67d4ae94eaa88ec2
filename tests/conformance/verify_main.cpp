// The hook `verify` of docs/conformance/README.md, for our own daemon: judges signatures by the
// daemon's own verification. From each line {"public","message","signature"} in hexadecimal to a
// line {"valid":true|false}. Exits with 1 at a line that is none of these.
#include <iostream>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "protocol/ed25519.hpp"
#include "tests/protocol/wire_support.hpp"

namespace {

std::optional<std::string> octets_of(const nlohmann::json& line, const char* member)
{
    const auto found = line.find(member);
    if (found == line.end() || !found->is_string()) return std::nullopt;
    return entente::protocol::from_hex(found->get_ref<const std::string&>());
}

}  // namespace

int main()
{
    entente::protocol::start_crypto();
    std::string text;
    while (std::getline(std::cin, text)) {
        const auto line = nlohmann::json::parse(text, nullptr, false);
        if (!line.is_object()) return 1;
        const auto key_octets = octets_of(line, "public");
        const auto message = octets_of(line, "message");
        const auto signature = octets_of(line, "signature");
        if (!key_octets || !message || !signature) return 1;
        const auto key = entente::protocol::PublicKey::from_octets(*key_octets);
        const bool valid = key && key->verifies(*signature, *message);
        std::cout << nlohmann::json{{"valid", valid}}.dump() << '\n';
    }
    return 0;
}
