// The part of Verifier that looks at consents to a channel's move [SUC-2].
#include "federation/log/verification.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entente::federation {

namespace {

using protocol::Consent;
using protocol::Read;
using protocol::Slice;

// Consents looked at in one go, at a signature each: then others on the I/O thread have a turn.
constexpr std::size_t consents_a_turn = 32;

// A consent, with the keys that were shown with it.
struct Found {
    Consent consent;
    const std::vector<protocol::ShownKey>& shown;
};

const std::vector<protocol::ShownKey> none_shown;

// Looks before it parses: of a million events one is a move, and hardly any has escapes, behind
// which the type could hide.
void find_in(const std::string& event, const std::string& content, protocol::NameRules rules,
             const std::vector<protocol::ShownKey>& shown, std::vector<Found>& found)
{
    if (event.find(protocol::move_type) == std::string::npos &&
        event.find('\\') == std::string::npos)
        return;
    auto consent = protocol::consent_of_move(content, rules);
    if (consent) found.push_back({std::move(*consent), shown});
}

std::vector<Found> find_all(const protocol::Transaction& transaction, protocol::NameRules rules)
{
    std::vector<Found> found;
    for (const auto& read : transaction.submissions) {
        if (!read.value) continue;
        for (const auto& item : read.value->events)
            find_in(item.event, item.content, rules, none_shown, found);
    }
    for (const auto& read : transaction.logs) {
        if (!read.value) continue;
        for (const auto& entry : read.value->entries)
            find_in(entry.event, entry.content.value_or(""), rules, read.value->keys, found);
    }
    return found;
}

}  // namespace

// A submission is under its origin's own root, whose key the gate has found: only the seals of
// a slice, and the consent to a move, can need another server's.
KeyAllowance Verifier::key_allowance(const protocol::Transaction& transaction) const
{
    const bool may_need =
        !transaction.logs.empty() || !find_all(transaction, identity_.names).empty();
    return may_need ? key_allowance() : KeyAllowance{};
}

asio::awaitable<CheckedConsents> Verifier::check_consents(const protocol::Transaction& transaction,
                                                          KeyAllowance& keys)
{
    CheckedConsents checked;
    std::size_t looked_at = 0;
    const auto executor = co_await asio::this_coro::executor;
    for (auto& found : find_all(transaction, identity_.names)) {
        auto one = check_consent(found.consent, found.shown);
        if (one.key_missing) {
            auto key = co_await fetch_key(found.consent.jws.key, keys);
            if (key) one = check_consent(found.consent, found.shown);
            one.is_unknown = !key && key.error().code == Code::unknown_key;
        }
        checked.insert_or_assign(std::move(found.consent.jws.text), std::move(one));
        if (++looked_at % consents_a_turn == 0) co_await asio::post(executor, asio::use_awaitable);
    }
    co_return checked;
}

CheckedConsent Verifier::check_consent(const Consent& consent,
                                       const std::vector<protocol::ShownKey>& shown) const
{
    CheckedConsent checked;
    checked.key = consent.jws.key;
    if (consent.home == identity_.name) {
        const auto* key = find_own_key(identity_, consent.jws.key.key);
        checked.holds = key != nullptr && protocol::verifies(consent.jws, *key);
        checked.is_current = checked.holds;
        return checked;
    }
    const auto* pinned = discovery_.ring().find_key(consent.jws.key);
    if (pinned != nullptr) {
        checked.holds = protocol::verifies(consent.jws, pinned->key);
        const auto now = clock_.now_ms();
        checked.is_current =
            checked.holds && discovery_.ring().seal_key(consent.jws.key, now, now).has_value();
        return checked;
    }
    // [LOG-6] Keys are shown of servers that aren't pinned.
    checked.holds =
        discovery_.ring().find(consent.home) == nullptr && ShownKeys(shown).verify(consent.jws);
    checked.key_missing = !checked.holds;
    return checked;
}

ServerName Verifier::home_of(const Read<Slice>& read, const CheckedRoots& roots,
                             const ServerName& sender)
{
    if (!read.value) return sender;
    const auto root = read.value->checkpoint.proof.root;
    return root < roots.size() && roots[root].key ? roots[root].key->server : sender;
}

// One that can't be read is none: the fold sees to that.
void Verifier::take_consents(VerifiedSlice& verified, const CheckedConsents& consents) const
{
    for (std::size_t i = 0; i < verified.events.size(); ++i) {
        if (verified.events[i].event.type != protocol::move_type) continue;
        const auto consent = protocol::consent_of_move(
            verified.slice.entries[i].content.value_or(""), identity_.names);
        if (!consent) continue;
        const auto found = consents.find(consent->jws.text);
        verified.facts[i].has_consent = false;
        if (found == consents.end()) continue;
        if (found->second.key_missing) verified.missing.push_back(found->second.key.str());
        verified.facts[i].has_consent = found->second.holds;
    }
}

// The home judges a key as of today [KEY-7].
Result<void> Verifier::check_move(const protocol::Event& event, const std::string& content,
                                  const CheckedConsents& consents) const
{
    if (event.type != protocol::move_type) return {};
    const auto consent = protocol::consent_of_move(content, identity_.names);
    if (!consent) return {};
    const auto found = consents.find(consent->jws.text);
    if (found == consents.end() || (found->second.key_missing && !found->second.is_unknown))
        return retry_later(Code::key_unavailable, "no key to verify a consent with", 1);
    if (!found->second.is_current)
        return refuse(Code::forbidden, "the consent is not under a key of the new home");
    return {};
}

}  // namespace entente::federation
