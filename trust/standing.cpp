#include "trust/standing.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/octets.hpp"

namespace entente::trust {

namespace {

constexpr std::array offences{Offence::malformed, Offence::unentitled,   Offence::equivocation,
                              Offence::fork,      Offence::key_conflict, Offence::upheld_report};

std::string member(std::string_view name, std::string_view octets)
{
    return ",\"" + std::string(name) + "\":\"" + protocol::to_base64url(octets) + "\"";
}

Millis length_of(std::int64_t falls_before, const ConductFigures& figures)
{
    constexpr auto hour = protocol::day_ms / 24;
    const auto longest = figures.longest_fall_hours * hour;
    auto length = figures.first_fall_hours * hour;
    for (std::int64_t i = 0; i < falls_before && length < longest; ++i) length *= 2;
    return std::min(length, longest);
}

}  // namespace

std::string_view to_text(Offence offence)
{
    switch (offence) {
        case Offence::malformed: return "malformed";
        case Offence::unentitled: return "unentitled";
        case Offence::equivocation: return "equivocation";
        case Offence::fork: return "fork";
        case Offence::key_conflict: return "key-conflict";
        case Offence::upheld_report: return "upheld-report";
    }
    return "malformed";
}

std::optional<Offence> offence_from(std::string_view text)
{
    for (const auto offence : offences) {
        if (to_text(offence) == text) return offence;
    }
    return std::nullopt;
}

Proof::Proof(ServerName server, std::string evidence)
    : server_(std::move(server)), evidence_(std::move(evidence))
{
}

Result<Proof> Proof::of_signature(const KeyRing& ring, const KeyRef& by, std::string_view signature,
                                  std::string_view octets, std::string_view shown)
{
    if (octets.size() > max_signed_octets)
        return fail(Code::too_large, "more was signed than is kept as evidence");
    const auto* pinned = ring.find_key(by);
    if (pinned == nullptr) return fail(Code::unknown_key, by.str() + " isn't pinned");
    if (pinned->status == KeyStatus::revoked || pinned->status == KeyStatus::lost)
        return fail(Code::key_revoked, by.str() + " may be anybody's");
    if (!pinned->key.verifies(signature, octets))
        return fail(Code::signature_invalid, "the signature doesn't verify: it proves nothing");
    auto evidence =
        "{\"key\":\"" + by.str() + "\"" + member("signed", octets) + member("signature", signature);
    if (shown.size() <= max_shown_octets) evidence += member("shown", shown);
    return Proof(by.server, evidence + "}");
}

Result<Proof> Proof::of_conflict(const PinnedServer& pins, std::string_view shown)
{
    if (!pins.conflict) return fail(Code::malformed, pins.server.str() + " is in no conflict");
    auto evidence = R"({"server":")" + pins.server.str() + R"(","conflict":true)";
    if (shown.size() <= max_shown_octets) evidence += member("shown", shown);
    return Proof(pins.server, evidence + "}");
}

void Proof::add(std::string_view members)
{
    if (evidence_.size() + members.size() <= max_evidence_octets)
        evidence_.insert(evidence_.size() - 1, members);
}

void Proof::note_place(const protocol::ChannelId& channel, std::int64_t seq)
{
    add(R"(,"channel":")" + channel.str() + R"(","seq":)" + std::to_string(seq));
}

void Proof::note_first(std::string_view event)
{
    add(member("first", event));
}

bool fells(const UpheldReports& reports, const ConductFigures& figures)
{
    const auto needed = figures.fall_reporters;
    return reports.reporters >= needed && reports.messages >= needed;
}

bool says_something(const ServerStanding& standing, const ConductFigures& figures)
{
    return standing.accepted >= figures.known_events || standing.falls > 0;
}

bool is_fallen(const ServerStanding& standing, Millis now)
{
    return now < standing.fallen_until;
}

Tier tier_by_conduct(const ServerStanding& standing, Tier first, const ConductFigures& figures,
                     Millis now)
{
    if (is_fallen(standing, now)) return std::min(first, Tier::quarantined);
    const bool is_reported =
        standing.last_upheld > 0 &&
        now - standing.last_upheld < figures.report_bars_days * protocol::day_ms;
    const bool is_barred = standing.falls > 0 || is_reported;
    const bool has_earned = !is_barred && standing.accepted >= figures.known_events &&
                            now - standing.first_contact >= figures.known_days * protocol::day_ms;
    return first == Tier::guest && has_earned ? Tier::known : first;
}

void count_accepted(ServerStanding& standing, std::int64_t events, Millis now)
{
    if (events <= 0) return;
    if (standing.first_contact == 0) standing.first_contact = now;
    standing.accepted += events;
}

std::optional<Fall> fall_of(ServerStanding& standing, Offence offence, const Proof& proof,
                            const ConductFigures& figures, Millis now)
{
    if (is_fallen(standing, now)) return std::nullopt;
    standing.fallen_until = now + length_of(standing.falls, figures);
    ++standing.falls;
    return Fall{proof.server(), offence, now, standing.fallen_until, proof.evidence()};
}

void forget_falls(ServerStanding& standing)
{
    standing.falls = 0;
    standing.fallen_until = 0;
}

void pardon(ServerStanding& standing)
{
    forget_falls(standing);
    standing.last_upheld = 0;
}

}  // namespace entente::trust
