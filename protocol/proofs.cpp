#include "protocol/proofs.hpp"

#include "protocol/dom.hpp"
#include "protocol/json_rules.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view root_type = "entente-root";

void append_line(std::string& out, std::string_view text)
{
    out += text;
    out += '\n';
}

}  // namespace

std::string seal_leaf(const ChannelId& channel, const std::vector<Hash>& events)
{
    std::string leaf;
    leaf.reserve(80 + channel.str().size() + events.size() * 44);
    append_line(leaf, "entente-seal-v1");
    append_line(leaf, channel.str());
    for (const auto& event : events) append_line(leaf, to_base64url(event));
    return leaf;
}

std::string checkpoint_leaf(const ChannelId& channel, std::int64_t epoch, std::int64_t seq,
                            std::string_view hash)
{
    std::string leaf;
    append_line(leaf, "entente-checkpoint-v1");
    append_line(leaf, channel.str());
    append_line(leaf, std::to_string(epoch));
    append_line(leaf, std::to_string(seq));
    append_line(leaf, hash);
    return leaf;
}

std::string snapshot_leaf(const ChannelId& channel, std::int64_t epoch, std::int64_t seq,
                          std::string_view hash, Millis at, const Hash& state_hash)
{
    std::string leaf;
    append_line(leaf, "entente-snapshot-v1");
    append_line(leaf, channel.str());
    append_line(leaf, std::to_string(epoch));
    append_line(leaf, std::to_string(seq));
    append_line(leaf, hash);
    append_line(leaf, std::to_string(at));
    append_line(leaf, to_base64url(state_hash));
    return leaf;
}

Result<SignedRoot> parse_signed_root(std::string_view jws, NameRules rules)
{
    auto parsed = parse_jws(jws, rules);
    if (!parsed) return fail(parsed);
    if (parsed->type != root_type) return refuse(Code::malformed, "typ must be entente-root");
    if (auto checked = check_json(parsed->payload); !checked) return fail(checked);
    const auto document = dom::small_parser().parse(parsed->payload);
    if (!document) return fail(document);
    const auto object = dom::as_object(*document, "");
    if (!object) return fail(object);
    const auto root = dom::need_hash(*object, "root");
    if (!root) return fail(root);
    const auto size = dom::need_count(*object, "size");
    if (!size) return fail(size);
    // No leaf can lead to the root of an empty tree.
    if (*size == 0) return dom::wrong("size", "must be at least 1");
    const auto at = dom::need_count(*object, "at");
    if (!at) return fail(at);
    return SignedRoot{std::move(*parsed), *root, static_cast<std::uint64_t>(*size), *at};
}

bool proves(const SignedRoot& root, const Proof& proof, std::string_view leaf_input)
{
    return leads_to_root(merkle_leaf(leaf_input), proof.index, root.size, proof.path, root.root);
}

std::size_t RootBuilder::add(std::string_view leaf_input)
{
    leaves_.push_back(merkle_leaf(leaf_input));
    return leaves_.size() - 1;
}

RootBuilder::Signed RootBuilder::sign(const SigningKey& key, const ServerName& server,
                                      Millis now) const
{
    const MerkleTree tree(leaves_);
    std::string payload = R"({"root":")" + to_base64url(tree.root()) + R"(","size":)";
    payload += std::to_string(tree.size()) + R"(,"at":)" + std::to_string(now) + '}';

    Signed result;
    result.jws = make_jws(key, server, root_type, payload);
    result.paths.reserve(leaves_.size());
    for (std::size_t index = 0; index < leaves_.size(); ++index) {
        result.paths.push_back(tree.path(index));
    }
    return result;
}

}  // namespace entente::protocol
