// The environment as a source of configuration: how a key's variable is named and how its
// text becomes a value. What the value means is the key's rule's business.
#pragma once

#include <string>
#include <string_view>

#include "daemon/config_schema.hpp"
#include "daemon/config_value.hpp"

namespace entente::daemon {

inline constexpr std::string_view environment_prefix = "ENTENTE_";
// systemd's: where LoadCredential= puts the service's secrets.
inline constexpr std::string_view credentials_variable = "CREDENTIALS_DIRECTORY";

// "trust.budgets.guest" and "events": ENTENTE_TRUST_BUDGETS_GUEST_EVENTS.
[[nodiscard]] std::string environment_name(std::string_view section, std::string_view key);

// What isn't written as its kind asks stays a text: the rule then complains of it.
[[nodiscard]] ConfigValue value_from_environment(KeyKind kind, const std::string& text);

}  // namespace entente::daemon
