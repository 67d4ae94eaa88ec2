#include "conformance/reference/gate.hpp"

#include <algorithm>
#include <utility>

#include <sodium.h>

#include "conformance/reference/http_head.hpp"
#include "conformance/reference/structured_fields.hpp"
#include "conformance/reference/verifying.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::int64_t max_past = 300;
constexpr std::int64_t max_future = 60;
constexpr std::int64_t max_span = 300;
// Of what a source sends and no server has signed, and of one server's requests.
constexpr Budget source_budget{500, 50};
constexpr Budget origin_budget{4'000, 200};
// Of a mutant: so that hundreds of forgeries use up what is refilled meanwhile, too.
constexpr int forgery_price = 6;
// Of a mutant that forgers can use up.
constexpr Budget forged_budget{300, 1};
// Whose budgets are remembered.
constexpr std::size_t max_budgets = 10'000;

std::string sha512(std::string_view octets)
{
    std::string hash(crypto_hash_sha512_BYTES, '\0');
    crypto_hash_sha512(reinterpret_cast<unsigned char*>(hash.data()),
                       reinterpret_cast<const unsigned char*>(octets.data()), octets.size());
    return hash;
}

}  // namespace

bool Budgets::spend(const std::string& whose, std::int64_t now)
{
    const std::lock_guard lock(mutex_);
    // Whoever has his whole budget again needn't be remembered.
    if (left_.size() >= max_budgets)
        std::erase_if(left_, [&](const auto& one) {
            const auto& left = one.second;
            return left.amount + static_cast<double>(now - left.at) / 1000 * budget_.a_second >=
                   budget_.at_once;
        });
    auto& left = left_.try_emplace(whose, Left{budget_.at_once, now}).first->second;
    const auto passed = static_cast<double>(std::max<std::int64_t>(now - left.at, 0)) / 1000;
    left.amount = std::min(budget_.at_once, left.amount + passed * budget_.a_second);
    left.at = now;
    if (left.amount < 1) return false;
    left.amount -= 1;
    return true;
}

void Budgets::refund(const std::string& whose)
{
    const std::lock_guard lock(mutex_);
    if (const auto found = left_.find(whose); found != left_.end()) found->second.amount += 1;
}

Gate::Gate(std::string name, const Flags& flags, const PeerClock& clock, Discovery& discovery,
           Nonces& nonces)
    : name_(std::move(name)),
      flags_(flags),
      clock_(clock),
      discovery_(discovery),
      nonces_(nonces),
      of_sources_(source_budget),
      of_origins_(flags.has<"forgery-charged-to-origin">() ? forged_budget : origin_budget)
{
}

Admission Gate::admit(const Request& request, const std::string& source)
{
    Admission admission;
    try {
        check(request, source, admission);
    } catch (const Refused& refused) {
        admission.refused = refused;
    }
    return admission;
}

// The order is that of signed-requests.md: cheap checks before costly ones, since anybody can start
// them.
void Gate::check(const Request& request, const std::string& source, Admission& admission)
{
    auto& claim = admission.claim;
    claim = read_claim(request, flags_);
    check_destination(request);
    check_window(claim);
    check_origin(claim);
    // What nobody has proven is everybody's: so much that the crowd's share of it is never left
    // over.
    if (flags_.has<"unproven-charged-together">())
        for (int n = 0; n < forgery_price; ++n)
            if (!of_sources_.spend("all", clock_.now()))
                throw Refused{"rate-limited", "too much from everybody", {{"retry_after", 1}}};
    if (flags_.has<"forgery-charged-to-origin">())
        for (int n = 0; n < forgery_price; ++n)
            if (!of_origins_.spend(claim.origin, clock_.now()))
                throw Refused{"rate-limited", "too much in its name", {{"retry_after", 1}}};
    if (!of_sources_.spend(source, clock_.now()))
        throw Refused{"rate-limited", "too much from this address", {{"retry_after", 1}}};

    const bool has_signature = !claim.signature.empty();
    const auto key = claim.key_id.empty() || !has_signature
                         ? std::string()
                         : discovery_.request_key(claim.origin, claim.key_id, source);
    if (claim.origin.empty()) claim.origin = discovery_.owner_of(claim.key_id);
    if (flags_.has<"nonce-before-digest">()) nonces_.spend(claim, request, clock_.seconds());
    check_digest(request);
    if (flags_.has<"nonce-before-signature">()) nonces_.spend(claim, request, clock_.seconds());
    if (!key.empty()) check_signature(claim, key);
    admission.is_proven = true;

    if (!flags_.has<"nonce-before-digest">() && !flags_.has<"nonce-before-signature">())
        nonces_.spend(claim, request, clock_.seconds());
    of_sources_.refund(source);
    if (!of_origins_.spend(claim.origin, clock_.now()))
        throw Refused{"rate-limited", "too many requests", {{"retry_after", 1}}};
}

void Gate::check_destination(const Request& request) const
{
    if (flags_.has<"destination-ignored">() || flags_.has<"destination-optional">()) return;
    const auto destination = single_field(request, "entente-destination", flags_);
    const auto given =
        flags_.has<"destination-any-case">() ? in_lower_case(destination) : destination;
    if (given != name_ && !flags_.has<"unsigned-served">())
        throw Refused{"wrong-destination", "it is for another server"};
}

void Gate::check_window(const Claim& claim) const
{
    const auto now = clock_.seconds();
    const auto outside = [&](const char* why) {
        throw Refused{"clock-skew", why, {{"now", clock_.now()}}};
    };
    if (claim.signature_field.empty() && flags_.has<"unsigned-served">()) return;
    const auto past = flags_.has<"window-past-too-narrow">() ? max_past / 2 : max_past;
    const auto future = flags_.has<"window-future-too-narrow">() ? 30 : max_future;
    if (claim.created < now - past && !flags_.has<"no-window-past">())
        outside("created is too far in the past");
    if (claim.created > now + future && !flags_.has<"no-window-future">())
        outside("created is in the future");
    if (claim.expires <= claim.created && !flags_.has<"expires-order-ignored">() &&
        !flags_.has<"no-window-future">())
        outside("expires isn't after created");
    if (claim.expires > claim.created + max_span && !flags_.has<"expires-span-ignored">() &&
        !flags_.has<"no-window-past">())
        outside("expires is too far behind created");
    if (claim.expires < now && !flags_.has<"expires-ignored">() && !flags_.has<"no-window-past">())
        outside("expires has passed");
}

void Gate::check_origin(const Claim& claim) const
{
    if (claim.origin == name_ && !flags_.has<"own-name-served">())
        throw Refused{"forbidden", "a server sends itself nothing"};
}

void Gate::check_digest(const Request& request) const
{
    const auto coding = field_of(request.fields, "content-encoding");
    if (coding && !flags_.has<"content-encoding-ignored">() &&
        !(*coding == "gzip" && flags_.has<"gzip-decoded">()) &&
        !(*coding == "identity" && flags_.has<"identity-taken">()))
        throw Refused{"unsupported", "a content coding"};
    const auto field = single_field(request, "content-digest", flags_);
    if (field.empty() || flags_.has<"digest-unchecked">()) return;
    bool has_sha256 = false;
    bool one_is_right = false;
    bool one_is_wrong = false;
    for (const auto& digest : read_dictionary(field, flags_)) {
        if (digest.is_list || digest.item.kind != BareItem::Kind::octets)
            throw Refused{"malformed", "a digest that is no octets"};
        const bool is_256 = digest.name == "sha-256";
        const bool is_512 = digest.name == "sha-512" && !flags_.has<"sha512-ignored">();
        if (!is_256 && !is_512 && digest.name != "sha-512" &&
            flags_.has<"unknown-digests-refused">())
            throw Refused{"digest-mismatch", "an algorithm that isn't known"};
        if (!is_256 && !is_512) continue;
        has_sha256 = has_sha256 || is_256;
        const bool is_right =
            digest.item.value == (is_256 ? sha256(request.body) : sha512(request.body));
        one_is_right = one_is_right || is_right;
        one_is_wrong = one_is_wrong || !is_right;
    }
    if (one_is_right && flags_.has<"any-digest-enough">()) return;
    if (one_is_wrong) throw Refused{"digest-mismatch", "the content isn't what was digested"};
    if (!has_sha256 && !flags_.has<"sha256-optional">())
        throw Refused{"digest-mismatch", "no sha-256"};
}

void Gate::check_signature(const Claim& claim, const std::string& key) const
{
    if (flags_.has<"signature-unchecked">() || flags_.has<"no-signature-check">()) return;
    if (claim.signature.size() != 64 && flags_.has<"signature-any-length">()) return;
    if (std::none_of(claim.bases.begin(), claim.bases.end(), [&](const std::string& base) {
            return is_right_signature(base, claim.signature, key, flags_);
        }))
        throw Refused{"signature-invalid", "the signature doesn't verify"};
}

}  // namespace entente::conformance::reference
