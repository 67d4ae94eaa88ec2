// What a proof of an entry proves: first the arithmetic that it claims, then who signed it.
#include <algorithm>
#include <set>

#include "protocol/entry_proof.hpp"

namespace entente::protocol {
namespace {

// The event is one of this channel, and the content, where there is one, is the event's.
Result<void> check_entry(const EntryProof& proof, NameRules rules, ProvenEntry& proven)
{
    auto followed = parse_followed_event(proof.event, rules);
    if (!followed) return fail(followed);
    if (followed->event.channel != proof.channel)
        return refuse(Code::malformed, "the event is for another channel");
    if (proof.content) {
        if (content_hash(*proof.content) != followed->event.content_hash)
            return refuse(Code::malformed, "the content is not the event's");
        proven.content_matches = true;
    }
    proven.followed = std::move(*followed);
    return {};
}

// [LOG-13] The hashes, computed anew, lead from the entry to the checkpoint.
Result<void> check_chain(const EntryProof& proof, ProvenEntry& proven)
{
    proven.hash = entry_hash(proof.channel, proof.epoch, proof.seq, proof.at, proof.previous,
                             proven.followed.event.id);
    auto hash = proven.hash;
    auto seq = proof.seq;
    auto at = proof.at;
    for (const auto& link : proof.chain) {
        if (link.at < at)
            return refuse(Code::malformed, "an entry of the chain is older than the one before");
        at = link.at;
        hash = entry_hash(proof.channel, proof.epoch, ++seq, at, hash, link.event);
    }
    const auto& checkpoint = proof.checkpoint;
    if (checkpoint.epoch != proof.epoch || checkpoint.seq != seq || checkpoint.hash != hash)
        return refuse(Code::malformed, "the entry does not lead to the checkpoint");
    return {};
}

// Judges roots by the keys of the text; remembers which of them were needed.
class Signers {
 public:
    Signers(const EntryProof& proof, const std::vector<KeyRef>& given, NameRules rules)
        : proof_(proof), given_(given), rules_(rules)
    {
    }

    // Who has signed a leaf, where the proof leads to a root whose signature holds.
    Result<ProvenSignature> signer(const Proof& proof, std::string_view leaf)
    {
        auto root = parse_signed_root(proof_.roots.at(proof.root), rules_);
        if (!root) return fail(root);
        if (!proves(*root, proof, leaf))
            return refuse(Code::signature_invalid, "a proof does not lead to its root");
        const auto& claimed = root->jws.key;
        const auto key =
            std::find_if(proof_.keys.begin(), proof_.keys.end(), [&](const EntryProofKey& shown) {
                return shown.server == claimed.server && shown.key.thumbprint() == claimed.key;
            });
        if (key == proof_.keys.end())
            return refuse(Code::unknown_key, "there is no key " + claimed.str());
        if (!verifies(root->jws, key->key))
            return refuse(Code::signature_invalid, "a root's signature does not verify");
        used_.insert(static_cast<std::size_t>(key - proof_.keys.begin()));
        return ProvenSignature{claimed, root->at, false};
    }

    // Against what the asker knows.
    [[nodiscard]] Result<void> judge(ProvenSignature& signature) const
    {
        bool has_one = false;
        for (const auto& known : given_) {
            if (known == signature.key) signature.is_given = true;
            has_one |= known.server == signature.key.server;
        }
        if (has_one && !signature.is_given)
            return refuse(Code::unknown_key,
                          signature.key.str() + " is not the key that was given for that server");
        return {};
    }

    [[nodiscard]] bool used_all() const { return used_.size() == proof_.keys.size(); }

 private:
    const EntryProof& proof_;
    const std::vector<KeyRef>& given_;
    NameRules rules_;
    std::set<std::size_t> used_;
};

Result<void> check_home(const EntryProof& proof, Signers& signers, ProvenEntry& proven)
{
    const auto& checkpoint = proof.checkpoint;
    auto home = signers.signer(checkpoint.proof, checkpoint_leaf(proof.channel, checkpoint.epoch,
                                                                 checkpoint.seq, checkpoint.hash));
    if (!home) return fail(home);
    proven.home = std::move(*home);
    proven.is_home_by_name =
        proof.epoch == 1 && proven.home.key.server == creator_of(proof.channel);
    if (proof.epoch == 1 && !proven.is_home_by_name)
        return refuse(Code::not_home, "the checkpoint is not by the channel's home");
    return {};
}

// [EVT-1] Another server's user speaks through a seal, the home's own through the checkpoint.
Result<void> check_author(const EntryProof& proof, Signers& signers, ProvenEntry& proven)
{
    const auto& event = proven.followed.event;
    const bool is_own = event.sender.server == proven.home.key.server;
    if (is_own && !proof.seal) return {};
    if (is_own) return refuse(Code::malformed, "a seal beside the checkpoint of its own server");
    if (!proof.seal)
        return refuse(Code::signature_invalid, "the author's server has not sealed it");
    const auto& sealed = proof.seal->events;
    if (std::find(sealed.begin(), sealed.end(), event.id) == sealed.end())
        return refuse(Code::signature_invalid, "the seal is not over this event");
    auto author = signers.signer(proof.seal->proof, seal_leaf(proof.channel, sealed));
    if (!author) return fail(author);
    if (author->key.server != event.sender.server)
        return refuse(Code::signature_invalid, "the seal is not by the author's server");
    proven.author = std::move(*author);
    return {};
}

}  // namespace

Result<ProvenEntry> verify_entry_proof(const EntryProof& proof, const std::vector<KeyRef>& given,
                                       NameRules rules)
{
    ProvenEntry proven;
    if (auto done = check_entry(proof, rules, proven); !done) return fail(done);
    if (auto done = check_chain(proof, proven); !done) return fail(done);
    Signers signers(proof, given, rules);
    if (auto done = check_home(proof, signers, proven); !done) return fail(done);
    if (auto done = check_author(proof, signers, proven); !done) return fail(done);
    if (!signers.used_all()) return refuse(Code::malformed, "there is a key that signed nothing");
    if (auto done = signers.judge(proven.home); !done) return fail(done);
    if (proven.author) {
        if (auto done = signers.judge(*proven.author); !done) return fail(done);
    }
    return proven;
}

}  // namespace entente::protocol
