#include "conformance/reference/roots.hpp"

#include <algorithm>
#include <optional>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/jws.hpp"
#include "conformance/reference/refused.hpp"
#include "conformance/reference/verifying.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t max_path = 32;

// Every proof of a body, and whether an item is so broken that its proofs can't be found.
struct Proofs {
    std::vector<const nlohmann::json*> all;
    bool some_lost = false;

    void add(const nlohmann::json& holder)
    {
        const auto proof = holder.is_object() ? holder.find("proof") : holder.end();
        if (!holder.is_object() || proof == holder.end() || !proof->is_object() ||
            !proof->contains("root") || !(*proof)["root"].is_number_integer()) {
            some_lost = true;
            return;
        }
        all.push_back(&*proof);
    }
    void add_member(const nlohmann::json& item, const char* name)
    {
        if (!item.is_object() || !item.contains(name)) {
            some_lost = true;
            return;
        }
        add(item[name]);
    }
};

Proofs proofs_in(const nlohmann::json& body)
{
    Proofs proofs;
    for (const auto& submission : array_if_any(body, "submissions"))
        proofs.add_member(submission, "seal");
    for (const auto& slice : array_if_any(body, "logs")) {
        proofs.add_member(slice, "checkpoint");
        if (!slice.is_object() || !slice.contains("seals")) continue;
        for (const auto& seal : slice["seals"]) proofs.add(seal);
    }
    return proofs;
}

// Without the size's word: only hashed along.
std::string hashed_along(std::string hash, std::uint64_t index,
                         const std::vector<std::string>& path)
{
    for (const auto& step : path) {
        const auto left = index % 2 == 1 ? step : hash;
        const auto right = index % 2 == 1 ? hash : step;
        hash = sha256(std::string(1, '\1') + left + right);
        index /= 2;
    }
    return hash;
}

// The first line of another kind of leaf, for mutants that don't look at it.
std::vector<std::string> other_kinds(const std::string& leaf)
{
    std::vector<std::string> leaves;
    const auto rest = leaf.substr(leaf.find('\n'));
    for (const auto* kind : {"entente-seal-v1", "entente-checkpoint-v1"})
        leaves.push_back(kind + rest);
    return leaves;
}

}  // namespace

Roots::Roots(const nlohmann::json& body, bool for_logs, const ShownKeys& shown,
             Discovery& discovery, const Identity& identity, const Flags& flags)
    : flags_(flags)
{
    for (const auto& root : array_if_any(body, "roots")) {
        if (!root.is_string()) throw Refused{"malformed", "a root that is no text"};
        roots_.push_back(read(root.get<std::string>(), for_logs, shown, discovery, identity));
    }
}

ReadRoot Roots::read(const std::string& text, bool for_logs, const ShownKeys& shown,
                     Discovery& discovery, const Identity& identity) const
{
    ReadRoot root;
    root.text = text;
    try {
        const auto jws = read_jws(text, flags_);
        if (jws.typ != "entente-root" && !flags_.has<"root-typ-ignored">()) return root;
        root.server = jws.server;
        root.key_id = jws.key_id;
        const auto hash = from_base64url(text_of(jws.payload, "root"));
        root.size = number_of(jws.payload, "size");
        root.at = number_of(jws.payload, "at");
        if (!hash || hash->size() != 32 || (root.size < 1 && !flags_.has<"tree-size-ignored">()))
            return root;
        root.hash = *hash;
        std::optional<std::string> key;
        if (jws.server == identity.name()) {
            const auto own = identity.octets_of(jws.key_id);
            if (!own.empty()) key = own;
        } else if (for_logs) {
            key = discovery.log_key(jws.server, jws.key_id);
        } else {
            key = discovery.seal_key(jws.server, jws.key_id);
        }
        if (const auto found = shown.find(jws.server + "#" + jws.key_id);
            !key && found != shown.end() && !flags_.has<"never-vouched">()) {
            key = found->second;
            root.vouched = true;
        }
        root.state = ReadRoot::State::unknown_key;
        if (!key) return root;
        const bool unsigned_taken = flags_.has<"root-alg-none">() && jws.signature.empty();
        const bool is_right = jws.is_signed_by(*key) || unsigned_taken ||
                              flags_.has<"root-unverified">() || flags_.has<"no-root-signature">();
        root.state = is_right ? ReadRoot::State::right : ReadRoot::State::wrong;
    } catch (const Refused& refused) {
        root.state =
            refused.code == "key-revoked" ? ReadRoot::State::revoked : ReadRoot::State::wrong;
    }
    return root;
}

void Roots::check_use(const nlohmann::json& body, std::size_t items) const
{
    const auto proofs = proofs_in(body);
    std::vector<bool> used(roots_.size());
    for (const auto* proof : proofs.all) {
        const auto at = (*proof)["root"].get<std::int64_t>();
        if (at < 0 || static_cast<std::size_t>(at) >= roots_.size()) {
            if (flags_.has<"root-index-unchecked">()) continue;
            throw Refused{"malformed", "a proof that points beyond the roots"};
        }
        used[static_cast<std::size_t>(at)] = true;
        const auto path = proof->find("path");
        if (path != proof->end() && path->is_array() && path->size() > max_path &&
            !flags_.has<"path-unbounded">())
            throw Refused{"malformed", "a path of too many hashes"};
    }
    const bool all_used = std::find(used.begin(), used.end(), false) == used.end();
    const bool excused = proofs.some_lost && !flags_.has<"unreadable-uses-no-roots">();
    if (!all_used && !excused && !flags_.has<"unused-roots-allowed">() &&
        !flags_.has<"root-index-unchecked">())
        throw Refused{"malformed", "a root that no proof points at"};
    if (roots_.size() > items + 1 && !flags_.has<"roots-unbounded">())
        throw Refused{"malformed", "more roots than items"};
}

const ReadRoot& Roots::find(const nlohmann::json& proof) const
{
    const auto at = number_of(proof, "root");
    if (at < 0 || static_cast<std::size_t>(at) >= roots_.size())
        throw Refused{"malformed", "a proof that points beyond the roots"};
    return roots_[static_cast<std::size_t>(at)];
}

bool Roots::leads(const std::string& leaf, const nlohmann::json& proof, const ReadRoot& root) const
{
    const auto index = number_of(proof, "index");
    std::vector<std::string> path;
    for (const auto& step : array_of(proof, "path")) {
        const auto hash = step.is_string() ? from_base64url(step.get<std::string>()) : std::nullopt;
        if (!hash || hash->size() != 32) throw Refused{"malformed", "a path of no hashes"};
        path.push_back(*hash);
    }
    if (index < 0) throw Refused{"malformed", "a negative index"};
    const auto place = static_cast<std::uint64_t>(index);
    if (flags_.has<"tree-size-ignored">())
        return hashed_along(sha256(std::string(1, '\0') + leaf), place, path) == root.hash;
    if (flags_.has<"single-leaf-trees-only">() && root.size != 1) return false;
    return root_from_path(leaf, place, static_cast<std::uint64_t>(root.size), path) == root.hash;
}

const ReadRoot& Roots::prove(const std::string& leaf, const nlohmann::json& proof,
                             const std::string& server) const
{
    const auto& root = find(proof);
    const auto invalid = [](const char* why) { throw Refused{"signature-invalid", why}; };
    if (root.state == ReadRoot::State::revoked)
        throw Refused{"key-revoked", "the root's key doesn't count any more"};
    if (root.state != ReadRoot::State::right) invalid("the root isn't signed");
    if (root.server != server && !flags_.has<"any-root-server">()) invalid("another server's root");
    if (flags_.has<"no-proof-check">() || flags_.has<"no-checkpoint-proof">()) return root;
    bool does_lead = leads(leaf, proof, root);
    if (flags_.has<"leaf-kind-ignored">() || flags_.has<"leaf-prefix-ignored">())
        for (const auto& other : other_kinds(leaf))
            does_lead = does_lead || leads(other, proof, root);
    if (!does_lead) invalid("the proof doesn't lead to the root");
    return root;
}

}  // namespace entente::conformance::reference
