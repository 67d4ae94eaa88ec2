// Signature: how components, parameters and fields are spelled [SIG-1, SIG-2, SIG-9, SIG-14,
// SIG-15].
#include <iterator>

#include "conformance/cases/changes.hpp"
#include "conformance/cases/signature_parts.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// Where the HTTP layer refuses what comes in, its answer is its own.
const std::vector<Refusal> bad_request = {{400, ""}};

// Covers fields of its own until there are `count` components.
BeforeSigning covering(std::size_t count)
{
    return [=](Request& request, SignatureInput& input) {
        for (std::size_t number = input.components.size(); number < count; ++number)
            cover(request, input, "x-" + std::to_string(number), "v");
    };
}

// The first `from` behind the name of the field becomes `to`, in the octets.
std::function<void(std::string&)> in_field(const std::string& field, const std::string& from,
                                           const std::string& to)
{
    return [=](std::string& octets) {
        const auto line = octets.find("\r\n" + field + ": ");
        const auto at = line == std::string::npos ? line : octets.find(from, line);
        if (at == std::string::npos) throw CouldNotRun("there is no " + from + " to be changed");
        octets.replace(at, from.size(), to);
    };
}

BeforeSigning with_parameter(const std::string& name, const std::string& value)
{
    return [=](Request&, SignatureInput& input) { input.set(name, value); };
}

// Signed as a GET, sent as a POST beside a field that is named like the component.
Defect method_as_field()
{
    return {.before_signing = [](Request& request, SignatureInput&) { request.method = "GET"; },
            .after_signing =
                [](Request& request) {
                    request.method = "POST";
                    request.fields.emplace_back("@method", "GET");
                },
            .may_close = true};
}

std::vector<Case> component_cases()
{
    return {
        {.id = "sig-26",
         .clause = "SIG-14",
         .proves = "A further component with an unknown parameter is malformed",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) { input.components.emplace_back("\"host\";x"); },
             refusals::malformed),
         .mutants = {{"component-parameters", "refused"}},
         .descends_from = "RFC 9421 section 2.5"},
        {.id = "sig-27",
         .clause = "SIG-1",
         .proves = "@path with a parameter doesn't count as @path",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) { input.components[1] = "\"@path\";req"; },
             {{401, "signature-incomplete"}, {400, "malformed"}}),
         .mutants = {{"component-parameters", "refused"}}},
        {.id = "sig-28",
         .clause = "SIG-1",
         .proves = "A component in upper case is malformed",
         .run = refuses_signed(
             [](Request& request, SignatureInput& input) { cover(request, input, "X-Extra", "a"); },
             refusals::malformed),
         .mutants = {{"upper-case-components", "refused"}},
         .descends_from = "RFC 9421 section 2.1"},
        {.id = "sig-29",
         .clause = "SIG-1",
         .proves = "A field named @method doesn't stand for the method",
         .run = refuses_with(method_as_field(), {{400, ""}, {401, "signature-invalid"}}),
         .mutants = {{"derived-from-fields", "refused"}},
         .descends_from = "RFC 9421 section 7.5.1"},
        {.id = "sig-30",
         .clause = "SIG-1",
         .proves = "More components than are asked for may be covered",
         .run = accepts_signed([](Request& request, SignatureInput& input) {
             cover(request, input, "x-extra", "a, b;c=\"d\"");
             for (const auto* name : {"\"@authority\"", "\"@target-uri\"", "\"content-length\""})
                 input.components.emplace_back(name);
         }),
         .mutants = {{"extra-components-refused", "accepted"}},
         .negative = false},
        {.id = "sig-31",
         .clause = "SIG-15",
         .proves = "64 covered components are taken",
         .run = accepts_signed(covering(64)),
         .mutants = {{"components-too-few", "accepted"}},
         .negative = false},
        {.id = "sig-32",
         .clause = "SIG-15",
         .proves = "65 covered components are malformed",
         .run = refuses_signed(covering(65), refusals::malformed),
         .mutants = {{"any-number-of-components", "refused"}}},
        {.id = "sig-33",
         .clause = "SIG-14",
         .proves = "A query that covers content-type where there is no content is malformed",
         .run = refuses_query({.before_signing =
                                   [](Request& request, SignatureInput& input) {
                                       cover(request, input, "content-type", "application/json");
                                   }},
                              refusals::malformed),
         .mutants = {{"content-covered-without-content", "refused"}}},
    };
}

std::vector<Case> field_cases()
{
    return {
        {.id = "sig-34",
         .clause = "SIG-9",
         .proves = "A Signature-Input with a space too many is malformed",
         .run = refuses_changed(
             [](Request& request) { replace_in(request, "Signature-Input", ";tag", "; tag"); },
             refusals::malformed),
         .mutants = {{"not-canonical", "refused"}},
         .descends_from = "RFC 9651 section 4.1"},
        {.id = "sig-35",
         .clause = "SIG-9",
         .proves = "A Signature-Input that is folded into two lines is refused",
         .run = refuses_with(
             {.octets = in_field("Signature-Input", "\"@method\" ", "\"@method\"\r\n "),
              .may_close = true},
             bad_request),
         .mutants = {{"folding-repaired", "refused"}},
         .descends_from = "RFC 9112 section 5.2"},
        {.id = "sig-36",
         .clause = "SIG-1",
         .proves = "White space around a covered field's value is no part of it",
         .run =
             [](Trial& trial) {
                 trial.accepts({.before_signing =
                                    [](Request& request, SignatureInput& input) {
                                        cover(request, input, "x-extra", "a");
                                    },
                                .after_signing =
                                    [](Request& request) {
                                        set_field(request.fields, "x-extra", "\t  a \t");
                                    }});
             },
         .mutants = {{"white-space-kept", "accepted"}},
         .descends_from = "RFC 9421 section 2.1",
         .negative = false},
        {.id = "sig-37",
         .clause = "SIG-14",
         .proves = "A covered field with a control character is refused",
         .run = refuses_with({.before_signing =
                                  [](Request& request, SignatureInput& input) {
                                      cover(request, input, "x-extra",
                                            "a\x01"
                                            "b");
                                  },
                              .may_close = true},
                             bad_request),
         .mutants = {{"covered-controls", "refused"}}},
        {.id = "sig-38",
         .clause = "SIG-14",
         .proves = "A content-type other than application/json is malformed",
         .run = refuses_signed(
             [](Request& request, SignatureInput&) {
                 set_field(request.fields, "Content-Type", "application/json; charset=utf-8");
             },
             refusals::malformed),
         .mutants = {{"any-content-type", "refused"}}},
        {.id = "sig-39",
         .clause = "SIG-1",
         .proves = "A label says nothing",
         .run = accepts_signed([](Request&, SignatureInput& input) { input.label = "sig1"; }),
         .mutants = {{"label-fixed", "accepted"}},
         .negative = false},
    };
}

std::vector<Case> parameter_cases()
{
    return {
        {.id = "sig-40",
         .clause = "SIG-2",
         .proves = "A signature without alg is taken",
         .run = accepts_signed(with_parameter("alg", "")),
         .mutants = {{"alg-required", "accepted"}},
         .negative = false},
        {.id = "sig-41",
         .clause = "SIG-14",
         .proves = "An alg of another kind is malformed, though the key is one of Ed25519",
         .run = refuses_signed(with_parameter("alg", "\"hmac-sha256\""), refusals::malformed),
         .mutants = {{"any-alg", "refused"}},
         .descends_from = "RFC 9421 section 7.3.6"},
        {.id = "sig-42",
         .clause = "SIG-14",
         .proves = "A nonce that is octets and not text is malformed",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) {
                 input.set("nonce", ":" + base64(random_octets(24)) + ":");
             },
             refusals::malformed),
         .mutants = {{"nonce-any-type", "refused"}}},
        {.id = "sig-43",
         .clause = "SIG-2",
         .proves = "A keyid that names no server is malformed",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) {
                 const auto keyid = input.get("keyid");
                 input.set("keyid", "\"" + keyid.substr(keyid.find('#') + 1));
             },
             refusals::malformed),
         .mutants = {{"keyid-without-server", "refused"}}},
        {.id = "sig-44",
         .clause = "NAME-2",
         .proves = "A keyid whose server is in upper case is malformed, and not repaired",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) {
                 auto keyid = input.get("keyid");
                 keyid[1] = 'S';
                 input.set("keyid", keyid);
             },
             refusals::malformed),
         .mutants = {{"names-any-case", "refused"}}},
    };
}

}  // namespace

std::vector<Case> signature_form_cases()
{
    std::vector<Case> all;
    for (auto* part : {component_cases, field_cases, parameter_cases}) {
        auto cases = part();
        std::move(cases.begin(), cases.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace entente::conformance
