// RFC 9421 as section 3 profiles it: the signature base, the fields of a signed
// request and of a signed answer, written and read. Form and arithmetic only; whose
// key it is, whether the nonce is fresh and what time it is are the gate's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"

namespace entente::protocol {

// A message's fields in the order they came, names in lower case.
using Fields = std::vector<std::pair<std::string, std::string>>;

// What a request's signature covers. `target` is path and query as sent, undecoded.
struct RequestParts {
    std::string_view method;
    std::string_view target;
    const Fields& fields;
    std::string_view body;
};

// A request's signature as it was read; nothing in it is verified yet.
struct RequestSignature {
    std::string label;
    KeyRef key;
    Seconds created = 0;
    Seconds expires = 0;
    std::string nonce;      // base64url text, 16–64 octets when decoded
    std::string signature;  // 64 octets
    std::string base;       // the octets that were signed
    std::string field;      // the `Signature` field as it stood, for SIG-10
};

inline constexpr Seconds max_age_s = 300;
inline constexpr Seconds max_ahead_s = 60;
inline constexpr Seconds max_lifetime_s = 300;

// SIG-1, SIG-2, SIG-9: fields, label, components and parameters.
// `malformed`, `signature_incomplete`.
[[nodiscard]] Result<RequestSignature> read_request_signature(const RequestParts& request,
                                                              NameRules rules);
// SIG-5. `wrong_destination`, `signature_incomplete` where there is none.
[[nodiscard]] Result<void> check_destination(const Fields& fields, const ServerName& self);
// SIG-3. `clock_skew`.
[[nodiscard]] Result<void> check_window(const RequestSignature& signature, Seconds now);
// SIG-6. `digest_mismatch`, `malformed`, `unsupported` for a Content-Encoding.
[[nodiscard]] Result<void> check_digest(const Fields& fields, std::string_view body);

struct SigningTime {
    Seconds created = 0;
    Seconds expires = 0;
};

// The fields to add to a request with these parts (Entente-Destination,
// Content-Type and Content-Digest where there is a body, Signature-Input, Signature).
// `nonce` is base64url text.
[[nodiscard]] Fields sign_request(const SigningKey& key, const ServerName& origin,
                                  const ServerName& destination, std::string_view method,
                                  std::string_view target, std::string_view body, SigningTime time,
                                  std::string_view nonce);

// SIG-10: Content-Digest, Signature-Input and Signature of an answer to the request
// whose `Signature` field was `request_signature` (label and value as they stood).
[[nodiscard]] Fields sign_answer(const SigningKey& key, const ServerName& self, int status,
                                 std::string_view body, std::string_view request_signature,
                                 Seconds created);

// An answer's signature as read; verify `signature` over `base` with the key of `key`.
struct AnswerSignature {
    KeyRef key;
    Seconds created = 0;
    std::string signature;
    std::string base;
};
// Checks form, coverage and digest. `request_signature` is the Signature field we sent.
[[nodiscard]] Result<AnswerSignature> read_answer_signature(int status, const Fields& fields,
                                                            std::string_view body,
                                                            std::string_view request_signature,
                                                            NameRules rules);

[[nodiscard]] std::string content_digest(std::string_view body);  // sha-256=:…:

// The only value of a field, or nothing where it is absent; `malformed` where it stands twice.
[[nodiscard]] Result<std::optional<std::string>> single_field(const Fields& fields,
                                                              std::string_view name);

}  // namespace entente::protocol
