#include "conformance/reference/slices.hpp"

#include <algorithm>
#include <utility>

#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

// Octets of entries in one slice: so few that who asks for many of them holds up nobody.
constexpr std::size_t max_slice = 100'000;

// Where a proof of this body's own stands until all leaves are known: {"leaf":n}.
void put_proofs(nlohmann::json& value, const std::vector<std::string>& leaves)
{
    if (value.is_object() && value.contains("leaf")) {
        value = conformance::proof_of(leaves, value["leaf"].get<std::size_t>(), 0);
        return;
    }
    if (!value.is_structured()) return;
    for (auto& member : value) put_proofs(member, leaves);
}

}  // namespace

nlohmann::json ProvenBody::proof_of_leaf(std::string leaf)
{
    leaves_.push_back(std::move(leaf));
    return {{"leaf", leaves_.size() - 1}};
}

nlohmann::json ProvenBody::entry_of(const Entry& entry) const
{
    nlohmann::json written = {{"at", entry.at}, {"event", entry.event.octets}};
    if (flags_.has<"octets-written-anew">())
        written["event"] = nlohmann::json::parse(entry.event.octets, nullptr, false)
                               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (entry.has_content) {
        written["content"] = entry.event.content;
    } else if (entry.deleted_by > 0) {
        written["deleted_by"] = entry.deleted_by;
    } else if (entry.is_expired) {
        written["expired"] = true;
    }
    return written;
}

// [LOG-15] Only where it proves an entry that no seal before it proves.
void ProvenBody::add_seal(const Entry& entry, std::set<std::string>& proven, nlohmann::json& seals)
{
    if (entry.seal.is_null() || proven.contains(entry.event.id)) return;
    if (flags_.has<"shows-no-seals">() || flags_.has<"sends-no-seals">()) return;
    for (const auto& id : entry.seal["events"]) proven.insert(id.get<std::string>());
    auto known = std::find(roots_.begin(), roots_.end(), entry.seal_root);
    if (known == roots_.end()) known = roots_.insert(roots_.end(), entry.seal_root);
    auto seal = entry.seal;
    seal["proof"]["root"] = known - roots_.begin() + 1;
    seals.push_back(std::move(seal));
}

nlohmann::json ProvenBody::slice(const ChannelLog& log, std::uint64_t after, std::uint64_t limit,
                                 std::uint64_t asker_floor)
{
    if (flags_.has<"floor-ignored">()) asker_floor = 0;
    after = std::clamp(after, std::max(log.floor(), asker_floor), log.latest());
    auto entries = nlohmann::json::array();
    auto seals = nlohmann::json::array();
    std::set<std::string> proven;
    std::size_t octets = 0;
    auto last = after;
    while (last < log.latest() && last - after < limit && octets < max_slice) {
        const auto& entry = log.entry(++last);
        octets += entry.event.octets.size() + entry.event.content.size();
        entries.push_back(entry_of(entry));
        add_seal(entry, proven, seals);
    }
    if (flags_.has<"sends-out-of-order">()) std::reverse(entries.begin(), entries.end());
    auto hash = log.hash_at(last);
    if (flags_.has<"shows-wrong-checkpoint">() || flags_.has<"sends-wrong-checkpoint">())
        hash = base64url(sha256(hash));
    nlohmann::json slice = {{"channel", log.id()},
                            {"epoch", 1},
                            {"after", {{"seq", after}, {"hash", log.hash_at(after)}}},
                            {"entries", std::move(entries)},
                            {"checkpoint",
                             {{"epoch", 1},
                              {"seq", last},
                              {"hash", hash},
                              {"proof", proof_of_leaf(checkpoint_leaf(log.id(), 1, last, hash))}}},
                            {"latest", log.latest()}};
    if (!seals.empty()) slice["seals"] = std::move(seals);
    if (asker_floor > 0 && !flags_.has<"shows-no-floor">()) slice["floor"] = asker_floor;
    return slice;
}

nlohmann::json ProvenBody::snapshot(const ChannelLog& log)
{
    const auto seq = log.latest() - (flags_.has<"snapshot-before-join">() ? 1 : 0);
    const auto& hash = log.hash_at(seq);
    const auto at = seq > log.floor() ? log.entry(seq).at : 0;
    auto state = log.state().written();
    if (flags_.has<"snapshot-not-canonical">()) state.insert(1, " ");
    return {{"channel", log.id()},
            {"epoch", 1},
            {"seq", seq},
            {"hash", hash},
            {"at", at},
            {"state", state},
            {"proof", proof_of_leaf(snapshot_leaf(log.id(), 1, seq, hash, at, state))}};
}

nlohmann::json ProvenBody::seal(const std::string& channel, const std::vector<std::string>& ids)
{
    return {{"events", ids}, {"proof", proof_of_leaf(seal_leaf(channel, ids))}};
}

void ProvenBody::finish(nlohmann::json& body) const
{
    if (leaves_.empty()) return;
    put_proofs(body, leaves_);
    auto roots = nlohmann::json::array({identity_.sign_root(leaves_)});
    for (const auto& root : roots_) roots.push_back(root);
    body["roots"] = std::move(roots);
}

}  // namespace entente::conformance::reference
