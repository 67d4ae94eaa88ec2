// The signature base of RFC 9421 section 2.5: the octets that a signature over a
// message is made of. Knows which components exist and where their values come from,
// and nothing of which ones our profile asks for: that is message_signature.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/message_signature.hpp"
#include "protocol/result.hpp"
#include "protocol/structured_fields.hpp"

namespace entente::protocol {

// Components beyond this are refused before any of them is looked up.
inline constexpr std::size_t max_components = 64;

// For a request. Components are @method, @path, @query, @request-target, @authority,
// @scheme, @target-uri, and names of fields that stand exactly once; each once and
// without parameters [SIG-1]. All else is `malformed`.
[[nodiscard]] Result<std::string> request_base(const RequestParts& request,
                                               const sf::InnerList& covered);

// For an answer. Components are @status, fields of the answer as above, and
// "signature";req, whose value is `request_signature` [SIG-10].
[[nodiscard]] Result<std::string> answer_base(int status, const Fields& fields,
                                              std::string_view request_signature,
                                              const sf::InnerList& covered);

// A field that stands at most once and is a dictionary in canonical form, or nothing
// where it is absent. `malformed` for anything else [SIG-9].
[[nodiscard]] Result<std::optional<sf::Dictionary>> canonical_dictionary(const Fields& fields,
                                                                         std::string_view name);

// A covered component by name; `request` tells "signature";req from "signature".
[[nodiscard]] sf::Item component(std::string_view name, bool request = false);
[[nodiscard]] bool covers(const sf::InnerList& covered, const sf::Item& component);

}  // namespace entente::protocol
