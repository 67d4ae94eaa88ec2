#pragma once

// How most cases of signed requests are written: what is changed of a request that is right, and
// what the target must say. Shared by the groups signature, digest and replay.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

namespace refusals {

inline const std::vector<Refusal> malformed = {{400, "malformed"}};
inline const std::vector<Refusal> incomplete = {{401, "signature-incomplete"}};
inline const std::vector<Refusal> invalid = {{401, "signature-invalid"}};
inline const std::vector<Refusal> mismatch = {{400, "digest-mismatch"}};
inline const std::vector<Refusal> unsupported = {{415, "unsupported"}};
inline const std::vector<Refusal> replayed = {{409, "replayed"}};

}  // namespace refusals

using BeforeSigning = std::function<void(Request&, SignatureInput&)>;
using AfterSigning = std::function<void(Request&)>;

// A message with the defect is refused, as Trial::refuses has it.
[[nodiscard]] inline std::function<void(Trial&)> refuses_with(Defect defect,
                                                              std::vector<Refusal> allowed)
{
    return [defect = std::move(defect), allowed = std::move(allowed)](Trial& trial) {
        trial.refuses(defect, allowed);
    };
}

// Changed by who signs it: the signature verifies.
[[nodiscard]] inline std::function<void(Trial&)> refuses_signed(BeforeSigning change,
                                                                std::vector<Refusal> allowed)
{
    return refuses_with({.before_signing = std::move(change)}, std::move(allowed));
}

// Changed on its way.
[[nodiscard]] inline std::function<void(Trial&)> refuses_changed(AfterSigning change,
                                                                 std::vector<Refusal> allowed)
{
    return refuses_with({.after_signing = std::move(change)}, std::move(allowed));
}

[[nodiscard]] inline std::function<void(Trial&)> accepts_signed(BeforeSigning change)
{
    return
        [change = std::move(change)](Trial& trial) { trial.accepts({.before_signing = change}); };
}

// A further field, covered by the signature.
inline void cover(Request& request, SignatureInput& input, const std::string& name,
                  const std::string& value)
{
    request.fields.emplace_back(name, value);
    input.components.push_back(conformance::quoted(name));
}

// The first `from` in that field becomes `to`.
inline void replace_in(Request& request, const std::string& field, const std::string& from,
                       const std::string& to)
{
    auto value = field_of(request.fields, field).value_or("");
    const auto at = value.find(from);
    if (at == std::string::npos) throw CouldNotRun(field + " has no " + from + " to be changed");
    set_field(request.fields, field, value.replace(at, from.size(), to));
}

// The log of the trial's channel, as its origin may ask for it.
[[nodiscard]] inline std::string log_path(Trial& trial)
{
    return "/federation/v1/channels/" + trial.channel() + "/log?after=0&limit=1";
}

// A query that is answered is refused with the defect, tells nothing, and the target still serves.
inline void refuse_query(Trial& trial, const Defect& defect, const std::vector<Refusal>& allowed)
{
    trial.control();
    const auto path = log_path(trial);
    const auto control = trial.query(trial.origin(), path, {}, "control of the query");
    if (control.status() != 200 || !control.json.contains("slice"))
        throw CouldNotRun("a query without a defect isn't answered: " + control.text());
    Connection own(trial.door());
    const auto response = trial.query(trial.origin(), path, defect, "the defect", &own);
    trial.expect_refused(response, allowed);
    trial.expect(!response.json.is_object() || !response.json.contains("slice"), "no-effect",
                 "it was refused, but the log was told all the same");
    trial.expect_still_serves();
}

[[nodiscard]] inline std::function<void(Trial&)> refuses_query(Defect defect,
                                                               std::vector<Refusal> allowed)
{
    return [defect = std::move(defect), allowed = std::move(allowed)](Trial& trial) {
        refuse_query(trial, defect, allowed);
    };
}

}  // namespace entente::conformance
