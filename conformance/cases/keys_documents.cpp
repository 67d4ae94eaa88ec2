// Keys: documents whose keys are none, aren't what they are called, are too many or too few
// [DISC-1, DISC-6, SIG-7, SIG-17]. The key that signs the request is always a right one that stands
// in the document too, so that the defect alone is why the document isn't usable.
#include <utility>

#include "conformance/cases/keys_parts.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t most_keys = 32;
constexpr std::size_t most_old_keys = 256;

// The multiples of eight torsion: all points of small order, in their canonical encodings.
constexpr const char* small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
};

std::string from_hex(std::string_view text)
{
    const auto digit = [](char one) {
        return static_cast<unsigned>(one <= '9' ? one - '0' : one - 'a' + 10);
    };
    std::string octets;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2)
        octets.push_back(static_cast<char>(digit(text[at]) << 4U | digit(text[at + 1])));
    return octets;
}

nlohmann::json another_key(const nlohmann::json& document, std::string_view octets)
{
    auto jwk = jwk_of(octets);
    jwk["from"] = document["keys"][0]["from"];
    return jwk;
}

// The document lists these octets as a key beside the one that signs.
DocumentChange beside(const std::string& octets)
{
    return [=](nlohmann::json& document, const Origin&) {
        document["keys"].push_back(another_key(document, octets));
    };
}

// y = p + 3: a point of the curve, in an encoding that isn't its canonical one.
std::string non_canonical()
{
    return "\xf0" + std::string(30, '\xff') + "\x7f";
}

// y = 2: no point of the curve has it.
std::string no_point()
{
    return "\x02" + std::string(31, '\0');
}

void refuses_small_orders(Trial& trial)
{
    trial.control();
    for (const auto* octets : small_order) {
        auto& other = changed_server(trial, beside(from_hex(octets)));
        const auto arrival = arrive(trial, other);
        trial.expect(arrival.response.status() == 503, "refused",
                     std::string("a document with the key ") + octets +
                         " is taken: " + arrival.response.text());
        expect_turned_away(trial, arrival);
    }
}

// The document and the request agree on a key id that isn't the key's thumbprint.
void refuses_another_kid(Trial& trial)
{
    trial.control();
    const auto kid = SigningKey::random().id();
    auto& other = changed_server(
        trial, [&](nlohmann::json& document, const Origin&) { document["keys"][0]["kid"] = kid; });
    const auto keyid = other.name() + "#" + kid;
    const auto arrival =
        arrive(trial, other, {.before_signing = [=](Request&, SignatureInput& input) {
                   input.set("keyid", conformance::quoted(keyid));
               }});
    expect_turned_away(trial, arrival);
}

DocumentChange with_keys(std::size_t count)
{
    return [=](nlohmann::json& document, const Origin&) {
        while (document["keys"].size() < count)
            document["keys"].push_back(another_key(document, SigningKey::random().public_octets()));
    };
}

DocumentChange with_old_keys(std::size_t count)
{
    return [=](nlohmann::json& document, const Origin&) {
        while (document["old_keys"].size() < count) {
            auto old = another_key(document, SigningKey::random().public_octets());
            old["until"] = old["from"].get<std::int64_t>() + 1;
            document["old_keys"].push_back(std::move(old));
        }
    };
}

Case unusable(const char* id, const char* clause, const char* proves, const DocumentChange& change,
              const char* flag)
{
    return {.id = id,
            .clause = clause,
            .proves = proves,
            .run = turns_away_document(change),
            .mutants = {{flag, "refused"}}};
}

Case usable(const char* id, const char* clause, const char* proves, const DocumentChange& change,
            const char* flag)
{
    return {.id = id,
            .clause = clause,
            .proves = proves,
            .run = takes_document(change),
            .mutants = {{flag, "accepted"}},
            .negative = false};
}

std::vector<Case> spelling_cases()
{
    return {
        unusable("key-35", "DISC-1", "A document with a key of 31 octets isn't usable",
                 beside(std::string(31, '\x58')), "keys-unchecked"),
        unusable("key-36", "DISC-1", "A document with a key of 33 octets isn't usable",
                 beside(SigningKey::from_seed(std::string(32, 's')).public_octets() + "x"),
                 "keys-unchecked"),
        unusable("key-37", "SIG-7", "A document with a key of zeros isn't usable",
                 beside(std::string(32, '\0')), "small-order-keys"),
        {.id = "key-38",
         .clause = "SIG-17",
         .proves = "A document with a key of small order isn't usable, for none of the eight",
         .run = refuses_small_orders,
         .mutants = {{"small-order-keys", "refused"}}},
        unusable("key-39", "SIG-17", "A document with a key in another encoding isn't usable",
                 beside(non_canonical()), "non-canonical-keys"),
        unusable("key-40", "SIG-7", "A document with a key that is no point isn't usable",
                 beside(no_point()), "keys-unchecked"),
        unusable(
            "key-41", "DISC-1", "A document with a key of another curve isn't usable",
            [](nlohmann::json& document, const Origin&) {
                auto jwk = another_key(document, SigningKey::random().public_octets());
                jwk["crv"] = "X25519";
                document["keys"].push_back(std::move(jwk));
            },
            "keys-unchecked"),
        {.id = "key-42",
         .clause = "DISC-1",
         .proves = "A document whose key is called otherwise than by its thumbprint isn't usable",
         .run = refuses_another_kid,
         .mutants = {{"kid-unchecked", "refused"}}},
        unusable(
            "key-43", "DISC-1", "A document with two keys of one id isn't usable",
            [](nlohmann::json& document, const Origin&) {
                auto jwk = another_key(document, SigningKey::random().public_octets());
                jwk["kid"] = document["keys"][0]["kid"];
                document["keys"].push_back(std::move(jwk));
            },
            "kid-unchecked"),
        unusable(
            "key-44", "DISC-1", "A document with a key whose octets are padded isn't usable",
            [](nlohmann::json& document, const Origin&) {
                auto jwk = another_key(document, SigningKey::random().public_octets());
                jwk["x"] = jwk["x"].get<std::string>() + "=";
                document["keys"].push_back(std::move(jwk));
            },
            "keys-unchecked"),
    };
}

std::vector<Case> number_cases()
{
    return {
        unusable(
            "key-45", "DISC-1", "A document without a recovery key isn't usable",
            [](nlohmann::json& document, const Origin&) { document.erase("recovery"); },
            "recovery-optional"),
        unusable(
            "key-46", "DISC-6", "A document without keys isn't usable",
            [](nlohmann::json& document, const Origin&) {
                auto old = document["keys"][0];
                old["until"] = old["from"].get<std::int64_t>() + 82'800'000;
                document["old_keys"] = nlohmann::json::array({old});
                document["keys"] = nlohmann::json::array();
            },
            "document-without-keys"),
        usable("key-47", "DISC-1", "A document of 32 keys is usable", with_keys(most_keys),
               "too-few-document-keys"),
        unusable("key-48", "DISC-1", "A document of 33 keys isn't usable", with_keys(most_keys + 1),
                 "document-keys-unbounded"),
        usable("key-49", "DISC-1", "A document of 256 old keys is usable",
               with_old_keys(most_old_keys), "too-few-document-keys"),
        unusable("key-50", "DISC-1", "A document of 257 old keys isn't usable",
                 with_old_keys(most_old_keys + 1), "document-keys-unbounded"),
        unusable(
            "key-51", "DISC-6", "A document that lists a key twice isn't usable",
            [](nlohmann::json& document, const Origin&) {
                document["keys"].push_back(document["keys"][0]);
            },
            "document-keys-twice"),
        unusable(
            "key-52", "DISC-6", "A document that lists a key as old and as new isn't usable",
            [](nlohmann::json& document, const Origin&) {
                auto old = document["keys"][0];
                old["until"] = old["from"].get<std::int64_t>() + 82'800'000;
                document["old_keys"] = nlohmann::json::array({old});
            },
            "document-keys-twice"),
    };
}

}  // namespace

std::vector<Case> key_document_cases()
{
    auto all = spelling_cases();
    for (auto& one : number_cases()) all.push_back(std::move(one));
    return all;
}

}  // namespace entente::conformance
