// The part of Inbox that keeps accounts of an origin: what its transaction costs it, and what of it
// is its conduct.
#include <algorithm>
#include <utility>

#include "federation/event_policy.hpp"
#include "federation/inbox/inbox_work.hpp"

namespace entente::federation {

namespace {

using protocol::ItemStatus;
using protocol::Transaction;
using protocol::TransactionResult;

// What a root is charged as: its signature costs as much to verify as that many octets to read.
constexpr std::int64_t root_octets = 4'096;

std::size_t octets_of(const protocol::Slice& slice)
{
    std::size_t octets = 0;
    for (const auto& entry : slice.entries)
        octets += entry.event.size() + (entry.content ? entry.content->size() : 0);
    return octets;
}

// The roots that an item names; who names them first pays for them.
class NamedRoots {
 public:
    explicit NamedRoots(std::set<std::size_t>& paid) : paid_(paid) {}
    void add(const protocol::Proof& proof)
    {
        if (!paid_.contains(proof.root)) mine_.insert(proof.root);
    }
    [[nodiscard]] std::int64_t octets() const
    {
        return static_cast<std::int64_t>(mine_.size()) * root_octets;
    }
    void are_paid() { paid_.merge(mine_); }

 private:
    std::set<std::size_t>& paid_;
    std::set<std::size_t> mine_;
};

}  // namespace

// [INBOX-8] Over the item budget a legal transaction is answered all the same, as far as it
// goes; its first item is always taken. What lies beyond isn't verified either. The octets of its
// body are here and paid for, whatever becomes of them: to put an item off for its octets would
// have it sent again. What is spent here are events, and the octets that roots are charged as, from
// what there was before the body was charged.
void Inbox::spend_budgets(Work& work, const Transaction& transaction, const Admitted& admitted)
{
    const auto now = parts_.clock.now_ms();
    auto& budgets = parts_.budgets;
    budgets.refund_bytes(admitted.origin, admitted.tier, admitted.octets_charged, now);
    bool first = true;
    const auto spend = [&](std::int64_t events, std::int64_t octets) -> std::optional<Error> {
        const bool always = std::exchange(first, false);
        if (events > 0) {
            auto taken = budgets.spend_events(admitted.origin, admitted.tier, events, always, now);
            if (!taken) return taken.error();
        }
        if (octets == 0) return std::nullopt;
        auto paid = budgets.spend_bytes(admitted.origin, admitted.tier, octets, always, now);
        if (!paid) return paid.error();
        return std::nullopt;
    };
    for (const auto& read : transaction.submissions) {
        std::size_t budget = 0;
        const auto count = read.value ? read.value->events.size() : read.items;
        NamedRoots roots(work.roots);
        if (read.value) roots.add(read.value->seal.proof);
        for (; budget < count; ++budget) {
            const auto over = spend(1, budget == 0 ? roots.octets() : 0);
            if (!over) {
                roots.are_paid();
                continue;
            }
            work.retry_after = std::max(work.retry_after, over->retry_after);
            break;
        }
        work.event_budgets.push_back(budget);
    }
    // Slices of followed channels are charged in octets, not in events.
    for (const auto& read : transaction.logs) {
        NamedRoots roots(work.roots);
        if (read.value) {
            roots.add(read.value->checkpoint.proof);
            for (const auto& seal : read.value->seals) roots.add(seal.proof);
        }
        auto over = spend(0, roots.octets());
        if (!over && read.value)
            over = put_off(work, read.value->channel.str(), octets_of(*read.value));
        work.slice_limits.push_back(std::move(over));
        if (!work.slice_limits.back()) roots.are_paid();
    }
    for (std::size_t i = 0; i < transaction.direct.size(); ++i)
        work.direct_limits.push_back(spend(1, 0));
    budgets.charge_bytes(admitted.origin, admitted.tier, admitted.octets_charged, now);
}

// A policy can't refuse what follows from a log's order, but may limit how much comes at a time.
std::optional<Error> Inbox::put_off(const Work& work, std::string_view channel,
                                    std::size_t octets) const
{
    ServerQuestion question{
        trust::policy::Action::slice_take,    work.origin, work.tier, parts_.identity.name,
        trust::policy::ResourceKind::channel, channel};
    question.octets = octets;
    question.channel = channel;
    auto allowed = ask_policies(parts_.policies, question);
    return allowed ? std::nullopt : std::optional(allowed.error());
}

// Beyond the budget they come again later.
void Inbox::spend_invitations(Work& work) const
{
    for (std::size_t i = 0; i < work.direct.size(); ++i) {
        if (!work.direct[i].invitation || work.direct_limits[i]) continue;
        auto taken = parts_.budgets.spend_invitation(work.origin, work.tier, parts_.clock.now_ms());
        if (!taken) work.direct_limits[i] = taken.error();
    }
}

void Inbox::find_faults(Work& work)
{
    const auto note = [&](const std::optional<Error>& problem) {
        if (!problem) return;
        if (problem->code == Code::malformed) work.faults.push_back(trust::Offence::malformed);
        if (problem->code == Code::forbidden) work.faults.push_back(trust::Offence::unentitled);
    };
    for (const auto& submission : work.submissions) {
        note(submission.problem);
        for (const auto& item : submission.events) {
            if (!item.event && !item.depends_on_time) note(item.problem);
        }
    }
    for (const auto& slice : work.slices) {
        if (slice.home == work.origin) note(slice.problem);
    }
    for (const auto& direct : work.direct) {
        if (!direct.event && !direct.depends_on_time) note(direct.problem);
    }
}

void Inbox::count_accepted(const Work& work, const TransactionResult& result) const
{
    if (parts_.accepted == nullptr) return;
    std::int64_t accepted = 0;
    const auto count = [&](const protocol::EventResult& said) {
        if (said.status == ItemStatus::accepted) ++accepted;
    };
    for (const auto& submission : result.submissions)
        std::ranges::for_each(submission.events, count);
    std::ranges::for_each(result.direct, count);
    parts_.accepted->add(work.origin, accepted, parts_.clock.now_ms());
}

// What can't be read is missing in the evidence, and that is all.
std::string Inbox::first_of(storage::Connection& db, const Work& work,
                            const TransactionResult& result) const
{
    for (std::size_t i = 0; i < result.submissions.size(); ++i) {
        const auto& said = result.submissions[i].events;
        const auto& items = work.submissions[i].events;
        for (std::size_t j = 0; j < std::min(said.size(), items.size()); ++j) {
            const bool is_one = said[j].problem && said[j].problem->code == Code::equivocation;
            if (!is_one || !items[j].event) continue;
            const auto& event = *items[j].event;
            auto first = parts_.home.event_under(db, work.submissions[i].channel,
                                                 event.sender.server, event.txn);
            if (first && !first->empty()) return std::move(*first);
        }
    }
    return "";
}

// The request's signature covers all that it holds: what is wrong with that is its origin's own
// doing, unless time or what else has happened could have made it so.
void Inbox::note_conduct(const Work& work, const Outcome& outcome, const Admitted& admitted,
                         std::string_view body) const
{
    if (parts_.conduct == nullptr) return;
    const auto& result = outcome.result;
    auto offences = work.faults;
    const auto look = [&](const protocol::EventResult& said) {
        if (said.problem && said.problem->code == Code::equivocation)
            offences.push_back(trust::Offence::equivocation);
    };
    for (const auto& submission : result.submissions)
        std::ranges::for_each(submission.events, look);
    std::ranges::for_each(result.direct, look);
    if (offences.empty()) return;
    auto proof = trust::Proof::of_signature(*parts_.ring, admitted.key, admitted.signature,
                                            admitted.signature_base, body);
    if (!proof) return;
    for (const auto offence : offences) {
        auto shown = *proof;
        if (offence == trust::Offence::equivocation && !outcome.first.empty())
            shown.note_first(outcome.first);
        parts_.conduct->noticed(offence, shown);
    }
}

}  // namespace entente::federation
