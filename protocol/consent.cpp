#include "protocol/consent.hpp"

#include "protocol/dom.hpp"
#include "protocol/json_rules.hpp"

namespace entente::protocol {

namespace {

constexpr std::string_view consent_type = "entente-home";
constexpr std::int64_t first_epoch_by_consent = 2;

}  // namespace

Result<Consent> parse_consent(std::string_view jws, NameRules rules)
{
    Consent consent;
    auto read = parse_jws(jws, rules);
    if (!read) return fail(read);
    if (read->type != consent_type) return refuse(Code::malformed, "the JWS is no entente-home");
    dom::Parser parser;
    const auto payload = parser.parse(read->payload);
    if (!payload) return fail(payload);
    const auto object = dom::as_object(*payload, "");
    if (!object) return fail(object);
    const auto channel = dom::need_string(*object, "channel");
    if (!channel) return fail(channel);
    auto name = parse_channel_id(*channel, rules);
    if (!name) return dom::wrong("channel", "is no channel");
    const auto epoch = dom::need_count(*object, "epoch");
    if (!epoch) return fail(epoch);
    if (*epoch < first_epoch_by_consent) return dom::wrong("epoch", "must be at least 2");
    const auto home = dom::need_string(*object, "home");
    if (!home) return fail(home);
    if (*home != read->key.server.str()) return dom::wrong("home", "is not who signed");
    consent.channel = std::move(*name);
    consent.epoch = *epoch;
    consent.home = read->key.server;
    consent.jws = std::move(*read);
    return consent;
}

std::string make_consent(const SigningKey& key, const ServerName& home, const ChannelId& channel,
                         std::int64_t epoch)
{
    std::string payload = R"({"channel":)";
    append_json_string(payload, channel.str());
    payload += R"(,"epoch":)" + std::to_string(epoch) + R"(,"home":)";
    append_json_string(payload, home.str());
    payload += '}';
    return make_jws(key, home, consent_type, payload);
}

std::optional<Consent> consent_of_move(std::string_view content, NameRules rules)
{
    dom::Parser parser;
    const auto document = parser.parse(content);
    if (!document) return std::nullopt;
    const auto object = dom::as_object(*document, "");
    if (!object) return std::nullopt;
    const auto text = dom::need_string(*object, "consent");
    if (!text) return std::nullopt;
    auto consent = parse_consent(*text, rules);
    if (!consent) return std::nullopt;
    return std::move(*consent);
}

}  // namespace entente::protocol
