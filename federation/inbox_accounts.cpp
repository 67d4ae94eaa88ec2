// The part of Inbox that keeps accounts of an origin: what its transaction costs it, and what of it
// is its conduct.
#include <algorithm>
#include <utility>

#include "federation/event_policy.hpp"
#include "federation/inbox_work.hpp"

namespace entente::federation {

namespace {

using protocol::ItemStatus;
using protocol::Transaction;
using protocol::TransactionResult;

// What a root is charged as: its signature costs as much to verify as that many octets to read.
constexpr std::size_t root_octets = 4'096;

std::size_t octets_of(const protocol::Submission& submission)
{
    std::size_t octets = 0;
    for (const auto& event : submission.events) octets += event.event.size() + event.content.size();
    return octets;
}

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
    [[nodiscard]] std::size_t octets() const { return mine_.size() * root_octets; }
    void are_paid() { paid_.merge(mine_); }

 private:
    std::set<std::size_t>& paid_;
    std::set<std::size_t> mine_;
};

}  // namespace

// [INBOX-8] Over the item budget a legal transaction is answered all the same, as far as it
// goes; its first item is always taken. What lies beyond isn't verified either.
void Inbox::spend_budgets(Work& work, const Transaction& transaction, const Admitted& admitted)
{
    const auto now = parts_.clock.now_ms();
    bool first = true;
    const auto spend = [&](std::int64_t events, std::size_t octets) -> std::optional<Error> {
        const bool always = std::exchange(first, false);
        auto bytes = parts_.budgets.spend_bytes(admitted.origin, admitted.tier,
                                                static_cast<std::int64_t>(octets), always, now);
        if (!bytes) return bytes.error();
        if (events == 0) return std::nullopt;
        auto taken =
            parts_.budgets.spend_events(admitted.origin, admitted.tier, events, always, now);
        if (!taken) return taken.error();
        return std::nullopt;
    };
    for (const auto& read : transaction.submissions) {
        std::size_t budget = 0;
        const auto count = read.value ? read.value->events.size() : read.items;
        const auto octets =
            read.value ? octets_of(*read.value) / std::max<std::size_t>(count, 1) : 0;
        NamedRoots roots(work.roots);
        if (read.value) roots.add(read.value->seal.proof);
        for (; budget < count; ++budget) {
            const auto over = spend(1, octets + (budget == 0 ? roots.octets() : 0));
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
        const auto octets = read.value ? octets_of(*read.value) : 0;
        auto over = spend(0, octets + roots.octets());
        if (!over && read.value) over = put_off(work, read.value->channel.str(), octets);
        work.slice_limits.push_back(std::move(over));
        if (!work.slice_limits.back()) roots.are_paid();
    }
    for (const auto& read : transaction.direct)
        work.direct_limits.push_back(
            spend(1, read.value ? read.value->event.size() + read.value->content.size() : 0));
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

// The request's signature covers all that it holds: what is wrong with that is its origin's own
// doing, unless time or what else has happened could have made it so.
void Inbox::note_conduct(const Work& work, const TransactionResult& result,
                         const Admitted& admitted, std::string_view body) const
{
    if (parts_.conduct == nullptr) return;
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
    for (const auto offence : offences) parts_.conduct->noticed(offence, *proof);
}

}  // namespace entente::federation
