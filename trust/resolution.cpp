#include "trust/resolution.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <set>
#include <tuple>

namespace entente::trust {

namespace {

using protocol::Recovery;
using protocol::Revocation;
using protocol::Rotation;
using protocol::Statement;

constexpr Millis never = std::numeric_limits<Millis>::max();

// A statement with what is asked of it again and again: hashes aren't free.
struct Item {
    const HeldStatement* held;
    KeyId subject;  // the key that is replaced or revoked
    KeyId key;      // the new one; empty for revocations
    Bearing bearing{};

    [[nodiscard]] const Statement& statement() const { return held->statement; }
    [[nodiscard]] const KeyId& signer() const { return statement().signer.key; }
    [[nodiscard]] Millis at() const { return statement().at(); }
    [[nodiscard]] bool is_proven() const { return bearing.standing != Standing::waiting; }
    template <class T>
    [[nodiscard]] const T* as() const
    {
        return std::get_if<T>(&statement().what);
    }
};

Item item_of(const HeldStatement& held)
{
    Item item{&held, {}, {}};
    item.bearing.standing = held.standing;
    if (const auto* rotation = item.as<Rotation>()) {
        item.subject = rotation->previous;
        item.key = rotation->key.thumbprint();
    } else if (const auto* revocation = item.as<Revocation>()) {
        item.subject = revocation->key;
    } else if (const auto* recovery = item.as<Recovery>()) {
        item.subject = item.signer();
        item.key = recovery->key.thumbprint();
    }
    return item;
}

class Resolver {
 public:
    explicit Resolver(const PinnedServer& pins);
    Resolution run();

 private:
    void follow_recovery_keys();
    void choose_recovery_keys();
    void follow_rotations();
    void prove(Item& item, const PublicKey* subject);
    void gather_revocations();
    void judge_rotations();
    void choose(const KeyId& previous, const std::vector<std::size_t>& rotations);
    std::size_t best_by_recovery(const std::vector<std::size_t>& rotations) const;
    std::size_t best_by_key(const KeyId& previous, const std::vector<std::size_t>& rotations);
    [[nodiscard]] bool counts_by_key(const Item& item) const;
    [[nodiscard]] bool is_by_valid_recovery(const Item& item) const;
    void accept();
    void describe_keys();
    void describe_accepted(const KeyId& id, const PublicKey& key);
    void describe_lost(const KeyId& id, const PublicKey& key);
    void mark_idle();

    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    std::vector<Item> items_;
    std::map<KeyId, const PinnedKey*> first_;         // the keys as first pinned
    std::map<KeyId, PublicKey> recoveries_;           // all that were ever named
    std::map<KeyId, Millis> recovery_until_;          // of those that count
    std::map<KeyId, PublicKey> known_;                // every key with a proof
    std::map<KeyId, std::vector<std::size_t>> from_;  // rotations by what they replace
    std::map<KeyId, Millis> revoked_for_rotations_;   // by the recovery key's word
    std::map<KeyId, Millis> revoked_;                 // for requests and submissions
    std::map<KeyId, std::size_t> winners_;            // by what they replace
    std::set<KeyId> beaten_;                          // another took their place
    std::map<KeyId, Millis> accepted_;                // and since when
    Resolution result_;
    const PublicKey first_recovery_;
};

Resolver::Resolver(const PinnedServer& pins) : first_recovery_(*pins.recovery)
{
    items_.reserve(pins.statements.size());
    for (const auto& held : pins.statements) items_.push_back(item_of(held));
    for (const auto& pinned : pins.keys) {
        const auto id = pinned.key.thumbprint();
        first_.emplace(id, &pinned);
        known_.emplace(id, pinned.key);
        if (pinned.status != KeyStatus::revoked) continue;
        revoked_.emplace(id, pinned.revoked_at);
        revoked_for_rotations_.emplace(id, pinned.revoked_at);
    }
    for (std::size_t i = 0; i < items_.size(); ++i)
        if (items_[i].as<Rotation>() != nullptr) from_[items_[i].subject].push_back(i);
}

Resolution Resolver::run()
{
    follow_recovery_keys();
    choose_recovery_keys();
    follow_rotations();
    gather_revocations();
    judge_rotations();
    accept();
    describe_keys();
    mark_idle();
    for (const auto& item : items_) result_.bearings.push_back(item.bearing);
    return std::move(result_);
}

// Every recovery key that a chain leads to, be it one that counts or not: which signatures
// can be verified must not depend on which of two recoveries came first.
void Resolver::follow_recovery_keys()
{
    recoveries_.emplace(first_recovery_.thumbprint(), first_recovery_);
    for (bool grown = true; grown;) {
        grown = false;
        for (auto& item : items_) {
            const auto* recovery = item.as<Recovery>();
            if (recovery == nullptr || !recoveries_.contains(item.subject)) continue;
            // That its own signature holds was found when it was parsed.
            item.bearing.standing = std::max(item.bearing.standing, Standing::proven);
            item.bearing.by_recovery = true;
            if (recoveries_.emplace(item.key, recovery->key).second) grown = true;
        }
    }
}

// [KEY-3] Of two recoveries by one key the earlier `at` stands.
void Resolver::choose_recovery_keys()
{
    auto current = first_recovery_;
    for (;;) {
        const auto id = current.thumbprint();
        recovery_until_[id] = never;
        result_.recovery.push_back(current);
        const Item* next = nullptr;
        for (const auto& item : items_) {
            if (item.as<Recovery>() == nullptr || item.subject != id) continue;
            // A key that was replaced doesn't come back: no circles.
            if (recovery_until_.contains(item.key)) continue;
            if (next == nullptr ||
                std::tuple(item.at(), item.key) < std::tuple(next->at(), next->key))
                next = &item;
        }
        if (next == nullptr) return;
        recovery_until_[id] = next->at();
        current = next->as<Recovery>()->key;
    }
}

// Every key that rotations lead to from the pins, whether or not they count.
void Resolver::follow_rotations()
{
    std::deque<KeyId> reached;
    for (const auto& [id, key] : known_) reached.push_back(id);
    while (!reached.empty()) {
        const auto id = std::move(reached.front());
        reached.pop_front();
        const auto rotations = from_.find(id);
        if (rotations == from_.end()) continue;
        const auto previous = known_.at(id);
        for (const auto index : rotations->second) {
            auto& item = items_[index];
            prove(item, &previous);
            if (!item.is_proven()) continue;
            if (known_.emplace(item.key, item.as<Rotation>()->key).second)
                reached.push_back(item.key);
        }
    }
}

// `subject`: the key that is replaced or revoked, which may sign that, as a recovery key may.
void Resolver::prove(Item& item, const PublicKey* subject)
{
    const auto recovery = recoveries_.find(item.signer());
    item.bearing.by_recovery = recovery != recoveries_.end();
    if (item.is_proven()) return;
    const PublicKey* signer = nullptr;
    if (item.bearing.by_recovery)
        signer = &recovery->second;
    else if (subject != nullptr && item.signer() == item.subject)
        signer = subject;
    if (signer == nullptr) return;
    item.bearing.is_forged = !is_signed_by(item.statement(), *signer);
    if (!item.bearing.is_forged) item.bearing.standing = Standing::proven;
}

// [KEY-3] Statements under a replaced recovery key count up to the `at` of its replacement.
bool Resolver::is_by_valid_recovery(const Item& item) const
{
    const auto until = recovery_until_.find(item.signer());
    return item.is_proven() && until != recovery_until_.end() && item.at() <= until->second;
}

void Resolver::gather_revocations()
{
    const auto lower = [](std::map<KeyId, Millis>& times, const KeyId& id, Millis at) {
        const auto [found, is_new] = times.emplace(id, at);
        if (!is_new) found->second = std::min(found->second, at);
    };
    for (auto& item : items_) {
        if (item.as<Revocation>() == nullptr) continue;
        const auto key = known_.find(item.subject);
        if (key == known_.end()) continue;
        prove(item, &key->second);
        if (is_by_valid_recovery(item)) {
            lower(revoked_, item.subject, item.at());
            lower(revoked_for_rotations_, item.subject, item.at());
        } else if (item.is_proven() && item.signer() == item.subject) {
            // For requests and submissions only [KEY-11]: whoever has stolen a key could else
            // unmake the rotation that replaced it.
            lower(revoked_, item.subject, std::max(item.at(), item.held->received_at));
        }
    }
}

void Resolver::judge_rotations()
{
    for (const auto& [id, key] : known_) {
        const auto rotations = from_.find(id);
        if (rotations != from_.end()) choose(id, rotations->second);
    }
}

// [KEY-2] Which of several rotations with one `previous` stands.
void Resolver::choose(const KeyId& previous, const std::vector<std::size_t>& rotations)
{
    auto winner = best_by_recovery(rotations);
    if (winner == none) winner = best_by_key(previous, rotations);
    if (winner == none) return;
    winners_.emplace(previous, winner);
    for (const auto index : rotations) {
        const auto& item = items_[index];
        if (item.is_proven() && item.key != items_[winner].key) beaten_.insert(item.key);
    }
}

std::size_t Resolver::best_by_recovery(const std::vector<std::size_t>& rotations) const
{
    auto best = none;
    for (const auto index : rotations) {
        const auto& item = items_[index];
        if (!is_by_valid_recovery(item)) continue;
        if (best == none || item.at() > items_[best].at() ||
            (item.at() == items_[best].at() && item.key < items_[best].key))
            best = index;
    }
    return best;
}

// The rotation by the key itself that was pinned first, or now is.
std::size_t Resolver::best_by_key(const KeyId& previous, const std::vector<std::size_t>& rotations)
{
    auto best = none;
    std::set<KeyId> rivals;
    for (const auto index : rotations) {
        const auto& item = items_[index];
        if (item.signer() != previous || !item.is_proven()) continue;
        // Nothing takes its place, even where it doesn't count any more.
        if (item.bearing.standing == Standing::stands) return counts_by_key(item) ? index : none;
        if (!counts_by_key(item)) continue;
        rivals.insert(item.key);
        if (best == none || std::tuple(item.at(), item.statement().text) <
                                std::tuple(items_[best].at(), items_[best].statement().text))
            best = index;
    }
    if (rivals.size() > 1) {
        result_.undecided = true;
        return none;
    }
    if (best != none) items_[best].bearing.standing = Standing::stands;
    return best;
}

bool Resolver::counts_by_key(const Item& item) const
{
    const auto revoked = revoked_for_rotations_.find(item.subject);
    if (revoked != revoked_for_rotations_.end() && item.at() >= revoked->second) return false;
    // What had been replaced when we first met was replaced by what we pinned then [KEY-10].
    const auto first = first_.find(item.subject);
    const bool was_old = first != first_.end() && first->second->status != KeyStatus::active;
    return !was_old || first_.contains(item.key);
}

// A chain leads from a pinned key through rotations that stand, and through no key that
// another took the place of, unless the recovery key itself puts a new one in its place.
void Resolver::accept()
{
    std::deque<KeyId> reached;
    const auto reach = [&](const KeyId& id, Millis from) {
        if (beaten_.contains(id)) return;
        const auto [found, is_new] = accepted_.emplace(id, from);
        if (is_new)
            reached.push_back(id);
        else if (!first_.contains(id))
            found->second = std::min(found->second, from);
    };
    for (const auto& [id, pinned] : first_) reach(id, pinned->from);
    for (const auto& [previous, winner] : winners_) {
        const auto& item = items_[winner];
        if (is_by_valid_recovery(item)) reach(item.key, item.at());
    }
    while (!reached.empty()) {
        const auto winner = winners_.find(reached.front());
        reached.pop_front();
        if (winner == winners_.end()) continue;
        const auto& item = items_[winner->second];
        reach(item.key, item.at());
    }
}

void Resolver::describe_keys()
{
    for (const auto& [id, key] : known_) {
        if (accepted_.contains(id))
            describe_accepted(id, key);
        else
            describe_lost(id, key);
    }
}

void Resolver::describe_accepted(const KeyId& id, const PublicKey& key)
{
    PinnedKey described{key, KeyStatus::active, accepted_.at(id), 0, 0};
    const auto first = first_.find(id);
    if (first != first_.end()) {
        described.status = first->second->status;
        described.until = first->second->until;
    }
    const auto winner = winners_.find(id);
    if (winner != winners_.end()) {
        described.status = KeyStatus::retired;
        described.until = items_[winner->second].at();
    }
    const auto revoked = revoked_.find(id);
    if (revoked != revoked_.end()) {
        described.status = KeyStatus::revoked;
        described.revoked_at = revoked->second;
    }
    result_.keys.emplace(id, described);
}

// It counts as revoked from its rotation's `at`, and earlier where it is revoked besides.
void Resolver::describe_lost(const KeyId& id, const PublicKey& key)
{
    auto since = never;
    for (const auto& item : items_) {
        if (item.as<Rotation>() != nullptr && item.is_proven() && item.key == id)
            since = std::min(since, item.at());
    }
    PinnedKey described{key, KeyStatus::lost, since, 0, since};
    const auto revoked = revoked_.find(id);
    if (revoked != revoked_.end()) described.revoked_at = std::min(since, revoked->second);
    result_.keys.emplace(id, described);
}

void Resolver::mark_idle()
{
    for (std::size_t i = 0; i < items_.size(); ++i) {
        auto& item = items_[i];
        if (!item.is_proven()) continue;
        if (item.as<Rotation>() != nullptr) {
            const auto winner = winners_.find(item.subject);
            item.bearing.is_idle = winner != winners_.end() && winner->second != i;
        } else if (item.as<Recovery>() != nullptr) {
            item.bearing.is_idle = !recovery_until_.contains(item.key);
        } else {
            item.bearing.is_idle = !accepted_.contains(item.subject);
        }
    }
}

}  // namespace

const PinnedKey* Resolution::find(const KeyId& id) const
{
    const auto found = keys.find(id);
    return found == keys.end() ? nullptr : &found->second;
}

bool Resolution::has_recovery(const PublicKey& key) const
{
    return std::ranges::find(recovery, key) != recovery.end();
}

Resolution resolve(const PinnedServer& pins)
{
    return Resolver(pins).run();
}

}  // namespace entente::trust
