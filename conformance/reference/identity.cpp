#include "conformance/reference/identity.hpp"

#include <utility>

#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t seed_octets = 32;

std::string rotation_of(const std::string& server, const SigningKey& previous,
                        const SigningKey& key, std::int64_t at)
{
    nlohmann::json payload = {
        {"server", server}, {"previous", previous.id()}, {"key", key.jwk()}, {"at", at}};
    payload["proof"] = jws(server, "entente-rotation-proof", payload.dump(), key);
    return jws(server, "entente-rotation", payload.dump(), previous);
}

}  // namespace

Identity::Identity(std::string name, const Flags& flags, const PeerClock& clock, Journal& journal)
    : name_(std::move(name)), flags_(flags), clock_(clock), journal_(journal)
{
}

void Identity::replay(const nlohmann::json& record)
{
    const std::lock_guard lock(mutex_);
    const auto seed = from_base64url(record.at("seed").get<std::string>()).value();
    const auto key = SigningKey::from_seed(seed);
    if (record.at("is") == "recovery") {
        recovery_ = {key};
        return;
    }
    const auto at = record.at("at").get<std::int64_t>();
    if (!keys_.empty()) statements_.push_back(rotation_of(name_, keys_.back().key, key, at));
    keys_.push_back({key, at});
}

void Identity::make_keys()
{
    const auto make = [&](const char* kind, std::int64_t at) {
        const nlohmann::json record = {
            {"is", kind}, {"seed", base64url(random_octets(seed_octets))}, {"at", at}};
        journal_.append(record);
        replay(record);
    };
    if (recovery_.empty()) make("recovery", 0);
    if (keys_.empty()) make("key", clock_.now() - 1'000);
}

void Identity::rotate()
{
    const nlohmann::json record = {
        {"is", "key"}, {"seed", base64url(random_octets(seed_octets))}, {"at", clock_.now()}};
    journal_.append(record);
    replay(record);
}

SigningKey Identity::key() const
{
    const std::lock_guard lock(mutex_);
    return keys_.back().key;
}

std::string Identity::octets_of(const std::string& key_id) const
{
    const std::lock_guard lock(mutex_);
    for (const auto& own : keys_)
        if (own.key.id() == key_id) return own.key.public_octets();
    return {};
}

nlohmann::json Identity::document() const
{
    const std::lock_guard lock(mutex_);
    auto keys = nlohmann::json::array();
    auto old_keys = nlohmann::json::array();
    for (std::size_t place = 0; place < keys_.size(); ++place) {
        auto jwk = keys_[place].key.jwk();
        jwk["from"] = keys_[place].from;
        if (place + 1 < keys_.size()) {
            jwk["until"] = keys_[place + 1].from;
            old_keys.push_back(std::move(jwk));
        } else {
            keys.push_back(std::move(jwk));
        }
    }
    nlohmann::json document = {
        {"server", name_},
        {"api", "https://" + name_},
        {"versions", {"1"}},
        {"software", {{"name", "entente-reference"}, {"version", "1"}}},
        {"keys", std::move(keys)},
        {"old_keys", std::move(old_keys)},
        {"recovery", recovery_.front().jwk()},
        {"statements", statements_},
        {"limits",
         {{"transaction_bytes", transaction_bytes}, {"transaction_items", transaction_items}}},
        {"features", nlohmann::json::array()},
        {"max_age", 3600}};
    if (flags_.has<"own-document-unusable">()) document["recovery"]["kid"] = "none";
    return document;
}

nlohmann::json Identity::key_set() const
{
    auto keys = nlohmann::json::array();
    const auto shown = document();
    for (auto key : shown["keys"]) {
        key.erase("from");
        keys.push_back(std::move(key));
    }
    return {{"keys", std::move(keys)}};
}

std::string Identity::sign_root(const std::vector<std::string>& leaves) const
{
    return signed_root(name_, key(), leaves, clock_.now());
}

void Identity::sign_answer(Answer& answer, const std::string& request_signature) const
{
    Request request;
    request.fields = {{"Signature", request_signature}};
    conformance::sign_answer(answer, request, name_, key(), clock_.seconds());
}

}  // namespace entente::conformance::reference
