// The server document and the delegation of section 2: read, checked [DISC-1] and
// written. Fetching is federation/discovery's, deciding about keys is trust/key_ring's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol {

struct DocumentKey {
    PublicKey key;
    Millis from = 0;
    Millis until = 0;       // old keys only
    Millis revoked_at = 0;  // 0: never
};

struct ServerDocument {
    ServerName server;
    std::string api;  // https origin without a path
    std::vector<DocumentKey> keys;
    std::vector<DocumentKey> old_keys;
    std::optional<PublicKey> recovery;  // always there in what parse gives
    std::vector<std::string> statements;
    TransactionLimits limits;
    std::vector<std::string> features;
    std::string contact;
    std::string software_name, software_version;
    std::int64_t max_age = 3600;  // seconds
    std::string text;             // as it was fetched; parse leaves it empty
};

struct Delegation {
    std::string origin;  // https origin without a path
};

inline constexpr std::size_t max_document_octets = 65'536;
inline constexpr std::size_t max_document_keys = 32;
inline constexpr std::size_t max_document_old_keys = 256;

[[nodiscard]] Result<std::variant<Delegation, ServerDocument>> parse_well_known(
    std::string_view json, const ServerName& asked_for, NameRules rules);
[[nodiscard]] std::string write_server_document(const ServerDocument& document);
// [DISC-5]
[[nodiscard]] std::string write_jwk_set(const ServerDocument& document);

struct Origin {
    std::string host;
    std::uint16_t port = 443;
};
[[nodiscard]] Result<Origin> parse_https_origin(std::string_view text);

}  // namespace entente::protocol
