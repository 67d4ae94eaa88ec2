// How routes ask policies about what a user wants to do beside channels.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/api.hpp"
#include "federation/channels.hpp"
#include "protocol/result.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::api {

[[nodiscard]] federation::Person person_of(const Caller& caller);

struct Asking {
    trust::policy::Action action;
    trust::policy::ResourceKind kind = trust::policy::ResourceKind::server;
    std::string_view object = {};
    std::string_view server = {};  // of the object; empty: this one
    std::optional<std::int64_t> octets = {};
};
// `forbidden`, `rate_limited`. For the I/O executor.
[[nodiscard]] Result<void> ask_policies(const Api& api, const Caller& caller, const Asking& asking);

// A report of `reported`.
[[nodiscard]] Result<void> ask_report(const Api& api, const Caller& caller,
                                      const protocol::UserId& reported, std::size_t octets);

}  // namespace entente::api
