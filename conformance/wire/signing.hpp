#pragma once

// RFC 9421 over requests and answers: the signature base, and fields whose every part a case can
// change. What is given is written as it is given, right or wrong.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/wire/keys.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance {

struct SignatureInput {
    std::string label = "entente";
    // As they stand in the list, quotes and parameters included: "\"@method\"".
    std::vector<std::string> components;
    // Parameters in their order, values as they stand: {"created", "1763683200"}.
    std::vector<std::pair<std::string, std::string>> parameters;

    // Sets or adds a parameter; an empty value takes it away.
    void set(std::string_view name, std::string value);
    [[nodiscard]] std::string get(std::string_view name) const;
    void drop_component(std::string_view component);
    // ("@method" …);created=…, as it stands behind `label=` and in the signature base.
    [[nodiscard]] std::string text() const;
};

// A structured-field string.
[[nodiscard]] std::string quoted(std::string_view text);

// The lines of RFC 9421 section 2.5 over `request`. A component that it doesn't have is an empty
// value.
[[nodiscard]] std::string signature_base(const Request& request, const SignatureInput& input);

// Section 2.4: `request_signature` is the request's whole Signature field.
[[nodiscard]] std::string answer_base(int status, std::string_view content_digest,
                                      std::string_view request_signature,
                                      std::string_view parameters);

// sha-256=:…:
[[nodiscard]] std::string content_digest(std::string_view body);

// What [SIG-1] and [SIG-2] ask for of a request with or without content. Times are in s.
[[nodiscard]] SignatureInput full_input(bool has_content, std::string_view server,
                                        const SigningKey& key, std::int64_t created);

// label=:…:
[[nodiscard]] std::string signature_field(const SignatureInput& input, std::string_view octets);

// Sets Signature-Input and Signature.
void sign(Request& request, const SignatureInput& input, const SigningKey& key);

// Signs an answer to `request` as [SIG-10] has it, with its Content-Digest and Content-Length.
void sign_answer(Answer& answer, const Request& request, std::string_view server,
                 const SigningKey& key, std::int64_t created);

}  // namespace entente::conformance
