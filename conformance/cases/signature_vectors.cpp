// Signature: public test vectors through the target's hook verify, a line {"public","message",
// "signature"} in hex each, a line {"valid":true|false} for each [SIG-7, SIG-17].
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "conformance/cases/changes.hpp"
#include "conformance/cases/signature_parts.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

struct VerifyVector {
    // What it is called where it fails.
    std::string name;
    nlohmann::json line;
    bool valid = false;
};

// A file of the run that `is_it` takes for its own. Throws NotApplicable where there is none.
nlohmann::json vectors_of(Trial& trial, const char* name,
                          const std::function<bool(const nlohmann::json&)>& is_it)
{
    for (const auto& path : trial.world().file().vectors) {
        std::ifstream file(path, std::ios::binary);
        std::stringstream text;
        text << file.rdbuf();
        auto read = nlohmann::json::parse(text.str(), nullptr, false);
        if (read.is_discarded()) throw CouldNotRun(path + " is no JSON");
        if (is_it(read)) return read;
    }
    throw NotApplicable(std::string("--vectors names no file of ") + name);
}

void expect_verdicts(Trial& trial, const std::vector<VerifyVector>& vectors)
{
    std::vector<nlohmann::json> lines;
    lines.reserve(vectors.size());
    for (const auto& one : vectors) lines.push_back(one.line);
    const auto printed = trial.hook_lines("verify", lines);
    for (std::size_t place = 0; place < vectors.size(); ++place) {
        const auto& said = printed[place];
        const auto& vector = vectors[place];
        if (!said.is_object() || !said.contains("valid") || !said["valid"].is_boolean())
            throw CouldNotRun("the hook verify prints no {\"valid\":…} for " + vector.name);
        trial.expect(said["valid"] == vector.valid, vector.valid ? "valid" : "invalid",
                     vector.name + " is " + (vector.valid ? "valid" : "not valid") +
                         ", and the target says otherwise: " + vector.line.dump());
    }
}

// Section B.2.6, with the key of B.1.4; and the same with another method.
void rfc9421_vector(Trial& trial)
{
    const std::string base =
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
        "\"@method\": POST\n"
        "\"@path\": /foo\n"
        "\"@authority\": example.com\n"
        "\"content-type\": application/json\n"
        "\"content-length\": 18\n"
        "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
        "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
    const auto key = from_base64url("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs").value();
    const auto signature = from_base64(
                               "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgw"
                               "UPiu4A0w6vuQv5lIp5WPpBKRCw==")
                               .value();
    auto other = base;
    other.replace(other.find("POST"), 4, "PUT");
    const auto line = [&](const std::string& message) {
        return nlohmann::json{
            {"public", hex(key)}, {"message", hex(message)}, {"signature", hex(signature)}};
    };
    expect_verdicts(trial, {{"RFC 9421 B.2.6", line(base), true},
                            {"RFC 9421 B.2.6 with another method", line(other), false}});
}

void wycheproof_vectors(Trial& trial)
{
    const auto file = vectors_of(trial, "Wycheproof", [](const nlohmann::json& read) {
        return read.is_object() && read.contains("testGroups");
    });
    std::vector<VerifyVector> vectors;
    for (const auto& group : file["testGroups"])
        for (const auto& test : group["tests"])
            vectors.push_back({"Wycheproof " + test["tcId"].dump(),
                               {{"public", group["publicKey"]["pk"]},
                                {"message", test["msg"]},
                                {"signature", test["sig"]}},
                               test["result"] == "valid"});
    expect_verdicts(trial, vectors);
}

// Each satisfies the equation with the cofactor. What [SIG-7] makes of it follows from its flags:
// what is left over is of low order, a point is of low order, or a point isn't canonical.
// Mixed order alone is none of these [SIG-17].
void cctv_vectors(Trial& trial)
{
    static const std::set<std::string> bad = {"low_order_A", "non_canonical_A", "low_order_R",
                                              "non_canonical_R", "low_order_residue"};
    const auto file = vectors_of(
        trial, "CCTV", [](const nlohmann::json& read) { return read.is_array() && !read.empty(); });
    std::vector<VerifyVector> vectors;
    for (const auto& test : file) {
        // `flags` is null where a vector has none.
        const auto& flags = test["flags"];
        const bool valid = std::none_of(flags.begin(), flags.end(), [](const nlohmann::json& flag) {
            return bad.contains(flag.get<std::string>());
        });
        vectors.push_back({"CCTV " + test["number"].dump() + " " + flags.dump(),
                           {{"public", test["key"]},
                            {"message", hex(test["msg"].get<std::string>())},
                            {"signature", test["sig"]}},
                           valid});
    }
    expect_verdicts(trial, vectors);
}

}  // namespace

std::vector<Case> signature_vector_cases()
{
    return {
        {.id = "sig-66",
         .clause = "SIG-7",
         .proves = "The signature of RFC 9421 B.2.6 verifies, and no other text under it",
         .run = rfc9421_vector,
         .mutants = {{"verify-nothing", "valid"}, {"verify-anything", "invalid"}},
         .descends_from = "RFC 9421 section B.2.6",
         .hooks = {"verify"},
         .negative = false},
        {.id = "sig-67",
         .clause = "SIG-7",
         .proves = "Ed25519 signatures are judged as Wycheproof has it",
         .run = wycheproof_vectors,
         .mutants = {{"s-unreduced", "invalid"}, {"verify-nothing", "valid"}},
         .descends_from = "C2SP/wycheproof: ed25519_test.json",
         .hooks = {"verify"},
         .negative = false},
        {.id = "sig-68",
         .clause = "SIG-17",
         .proves = "Edge cases of Ed25519 are judged strictly and without cofactor",
         .run = cctv_vectors,
         .mutants = {{"cofactored", "invalid"},
                     {"r-small-order", "invalid"},
                     {"r-not-canonical", "invalid"}},
         .descends_from = "C2SP/CCTV: ed25519vectors.json",
         .hooks = {"verify"},
         .negative = false},
    };
}

}  // namespace entente::conformance
