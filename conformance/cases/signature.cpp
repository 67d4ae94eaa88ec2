// Signature: what a signature must cover and say, and what may stand only once [SIG-1, SIG-2,
// SIG-13, SIG-14].
#include <iterator>

#include "conformance/cases/changes.hpp"
#include "conformance/cases/groups.hpp"
#include "conformance/cases/signature_parts.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::function<void(Trial&)> refuses_uncovered(const std::string& component)
{
    return refuses_signed([=](Request&, SignatureInput& input) { input.drop_component(component); },
                          refusals::incomplete);
}

std::function<void(Trial&)> refuses_without(const std::string& parameter)
{
    return refuses_signed([=](Request&, SignatureInput& input) { input.set(parameter, ""); },
                          refusals::incomplete);
}

std::function<void(Trial&)> refuses_field_dropped(std::vector<std::string> names)
{
    return refuses_changed(
        [=](Request& request) {
            for (const auto& name : names) drop_field(request.fields, name);
        },
        refusals::incomplete);
}

// A second input and signature beside the right ones, in front of them or behind. The other one
// verifies nothing.
AfterSigning signature_beside(const std::string& label, const std::string& tag, bool in_front)
{
    return [=](Request& request) {
        const auto input = field_of(request.fields, "signature-input").value_or("");
        const auto signature = field_of(request.fields, "signature").value_or("");
        auto other_input = label + input.substr(input.find('='));
        const auto at = other_input.find("entente-v1");
        other_input.replace(at, std::string("entente-v1").size(), tag);
        const auto other = label + "=:" + base64(std::string(64, 'x')) + ":";
        set_field(request.fields, "Signature-Input",
                  in_front ? other_input + ", " + input : input + ", " + other_input);
        set_field(request.fields, "Signature",
                  in_front ? other + ", " + signature : signature + ", " + other);
    };
}

std::vector<Case> missing_cases()
{
    return {
        {.id = "sig-01",
         .clause = "SIG-13",
         .proves = "A request without any signature is refused as signature-incomplete",
         .run = refuses_field_dropped({"Signature", "Signature-Input"}),
         .mutants = {{"unsigned-served", "refused"}}},
        {.id = "sig-02",
         .clause = "SIG-13",
         .proves = "A Signature without Signature-Input is refused as signature-incomplete",
         .run = refuses_field_dropped({"Signature-Input"}),
         .mutants = {{"unsigned-served", "refused"}}},
        {.id = "sig-03",
         .clause = "SIG-13",
         .proves = "A Signature-Input without Signature is refused as signature-incomplete",
         .run = refuses_field_dropped({"Signature"}),
         .mutants = {{"octets-optional", "refused"}}},
        {.id = "sig-04",
         .clause = "SIG-13",
         .proves = "An input whose label has no signature is refused as signature-incomplete",
         .run = refuses_changed(
             [](Request& request) { replace_in(request, "Signature", "entente=", "other="); },
             refusals::incomplete),
         .mutants = {{"labels-ignored", "refused"}}},
        {.id = "sig-05",
         .clause = "SIG-1",
         .proves = "A signature that leaves out @method is refused",
         .run = refuses_uncovered("@method"),
         .mutants = {{"method-not-covered", "refused"}}},
        {.id = "sig-06",
         .clause = "SIG-1",
         .proves = "A signature that leaves out @path is refused",
         .run = refuses_uncovered("@path"),
         .mutants = {{"path-not-covered", "refused"}}},
        {.id = "sig-07",
         .clause = "SIG-1",
         .proves = "A signature that leaves out @query is refused, though there is no query",
         .run = refuses_uncovered("@query"),
         .mutants = {{"query-not-covered", "refused"}}},
        {.id = "sig-08",
         .clause = "SIG-1",
         .proves = "A signature that leaves out entente-destination is refused",
         .run = refuses_uncovered("entente-destination"),
         .mutants = {{"destination-not-covered", "refused"}},
         .descends_from = "RFC 9421 section 7.2.1"},
        {.id = "sig-09",
         .clause = "SIG-1",
         .proves = "A signature over content that leaves out content-type is refused",
         .run = refuses_uncovered("content-type"),
         .mutants = {{"content-type-not-covered", "refused"}}},
        {.id = "sig-10",
         .clause = "SIG-1",
         .proves = "A signature over content that leaves out content-digest is refused",
         .run = refuses_uncovered("content-digest"),
         .mutants = {{"content-digest-not-covered", "refused"}},
         .descends_from = "RFC 9421 section 7.2.8"},
        {.id = "sig-11",
         .clause = "SIG-2",
         .proves = "A signature without nonce is refused as signature-incomplete",
         .run = refuses_without("nonce"),
         .mutants = {{"nonce-optional", "refused"}}},
        {.id = "sig-12",
         .clause = "SIG-2",
         .proves = "A signature without keyid is refused as signature-incomplete",
         .run = refuses_without("keyid"),
         .mutants = {{"keyid-optional", "refused"}}},
        {.id = "sig-13",
         .clause = "SIG-2",
         .proves = "A signature without tag is refused as signature-incomplete",
         .run = refuses_without("tag"),
         .mutants = {{"tag-optional", "refused"}}},
        {.id = "sig-14",
         .clause = "SIG-13",
         .proves = "A signature of another protocol's tag alone is refused",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) { input.set("tag", "\"entente-v2\""); },
             refusals::incomplete),
         .mutants = {{"any-tag", "refused"}},
         .descends_from = "RFC 9421 section 7.2.7"},
        {.id = "sig-15",
         .clause = "SIG-13",
         .proves = "A covered Entente-Destination that isn't in the message is refused",
         .run = refuses_signed(
             [](Request& request, SignatureInput&) {
                 drop_field(request.fields, "Entente-Destination");
             },
             refusals::incomplete),
         .mutants = {{"destination-optional", "refused"}}},
    };
}

std::vector<Case> twice_cases()
{
    return {
        {.id = "sig-16",
         .clause = "SIG-14",
         .proves = "A component that is covered twice is malformed",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) { input.components.emplace_back("\"@path\""); },
             refusals::malformed),
         .mutants = {{"component-twice", "refused"}},
         .descends_from = "RFC 9421 section 2.5"},
        {.id = "sig-17",
         .clause = "SIG-9",
         .proves = "A label that stands twice is malformed, though the last of them is right",
         .run =
             refuses_changed(signature_beside("entente", "entente-v1", true), refusals::malformed),
         .mutants = {{"label-twice", "refused"}},
         .descends_from = "RFC 9651 section 4.2.2"},
        {.id = "sig-18",
         .clause = "SIG-14",
         .proves = "Two signatures of the tag are malformed, a bad one in front of the good one",
         .run = refuses_changed(signature_beside("bad", "entente-v1", true), refusals::malformed),
         .mutants = {{"two-signatures", "refused"}},
         .descends_from = "RFC 9421 section 7.2.6"},
        {.id = "sig-19",
         .clause = "SIG-14",
         .proves = "Two signatures of the tag are malformed, a bad one behind the good one",
         .run = refuses_changed(signature_beside("bad", "entente-v1", false), refusals::malformed),
         .mutants = {{"two-signatures", "refused"}},
         .descends_from = "RFC 9421 section 7.2.6"},
        {.id = "sig-20",
         .clause = "SIG-1",
         .proves = "A further signature of another tag is ignored",
         .run =
             [](Trial& trial) {
                 trial.accepts({.after_signing = signature_beside("proxy", "proxy-v1", true)});
             },
         .mutants = {{"one-signature-only", "accepted"}},
         .negative = false},
        {.id = "sig-21",
         .clause = "SIG-9",
         .proves = "A parameter that stands twice is malformed",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) {
                 input.parameters.emplace_back("created", input.get("created"));
             },
             refusals::malformed),
         .mutants = {{"parameter-twice", "refused"}},
         .descends_from = "RFC 9651 section 4.2.3.2"},
        {.id = "sig-22",
         .clause = "SIG-9",
         .proves = "Signature-Input on two lines is malformed",
         .run = refuses_changed(
             [](Request& request) {
                 request.fields.emplace_back("Signature-Input", "proxy=(\"@method\");created=1");
             },
             refusals::malformed),
         .mutants = {{"field-twice", "refused"}}},
        {.id = "sig-23",
         .clause = "SIG-9",
         .proves = "Entente-Destination on two lines is malformed",
         .run = refuses_changed(
             [](Request& request) {
                 request.fields.emplace_back("Entente-Destination", "another.example");
             },
             refusals::malformed),
         .mutants = {{"field-twice", "refused"}}},
        {.id = "sig-24",
         .clause = "SIG-14",
         .proves = "A covered field that is sent twice is malformed",
         .run = refuses_with({.before_signing =
                                  [](Request& request, SignatureInput& input) {
                                      cover(request, input, "x-extra", "a, b");
                                  },
                              .after_signing =
                                  [](Request& request) {
                                      set_field(request.fields, "x-extra", "a");
                                      request.fields.emplace_back("x-extra", "b");
                                  }},
                             refusals::malformed),
         .mutants = {{"covered-field-twice", "refused"}},
         .descends_from = "RFC 9421 section 7.5.6"},
        {.id = "sig-25",
         .clause = "SIG-14",
         .proves = "A covered field that is absent is malformed",
         .run = refuses_signed(
             [](Request&, SignatureInput& input) { input.components.emplace_back("\"x-extra\""); },
             refusals::malformed),
         .mutants = {{"absent-covered-field", "refused"}},
         .descends_from = "RFC 9421 section 2.5"},
    };
}

}  // namespace

std::vector<Case> signature_part_cases()
{
    auto cases = missing_cases();
    auto more = twice_cases();
    std::move(more.begin(), more.end(), std::back_inserter(cases));
    return cases;
}

std::vector<Case> signature_cases()
{
    std::vector<Case> all;
    for (auto* part : {signature_part_cases, signature_form_cases, signature_proof_cases,
                       signature_vector_cases}) {
        auto cases = part();
        std::move(cases.begin(), cases.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace entente::conformance
