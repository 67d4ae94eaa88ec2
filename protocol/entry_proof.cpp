// Reading and writing; what a proof proves is entry_proof_verify.cpp's.
#include "protocol/entry_proof.hpp"

#include "protocol/json_rules.hpp"
#include "protocol/log_reading.hpp"
#include "protocol/log_writing.hpp"

namespace entente::protocol {
namespace {

constexpr std::string_view proof_type = "entente-entry-proof";
constexpr std::int64_t proof_version = 1;
constexpr std::size_t most_signers = 2;  // home and author's server

Result<void> read_place(dom::Object object, NameRules rules, EntryProof& proof)
{
    const auto type = dom::need_string(object, "type");
    if (!type) return fail(type);
    if (*type != proof_type) return dom::wrong("type", "must be entente-entry-proof");
    const auto version = dom::need_count(object, "v");
    if (!version) return fail(version);
    if (*version != proof_version) return dom::wrong("v", "must be 1");
    const auto channel_text = dom::need_string(object, "channel");
    if (!channel_text) return fail(channel_text);
    auto channel = parse_channel_id(*channel_text, rules);
    if (!channel) return dom::wrong("channel", "is no channel id");
    proof.channel = std::move(*channel);
    const auto epoch = reading::read_epoch(object);
    if (!epoch) return fail(epoch);
    proof.epoch = *epoch;
    const auto seq = dom::need_count(object, "seq");
    if (!seq) return fail(seq);
    if (*seq == 0) return dom::wrong("seq", "must be at least 1");
    proof.seq = *seq;
    const auto previous = dom::need_string(object, "previous");
    if (!previous) return fail(previous);
    if (*seq == 1 ? !previous->empty() : !hash_from_base64url(*previous)) {
        return dom::wrong("previous", "must be an entry hash, empty with seq 1");
    }
    proof.previous = *previous;
    return {};
}

Result<void> read_entry(dom::Object object, EntryProof& proof)
{
    const auto entry = dom::need_object(object, "entry");
    if (!entry) return fail(entry);
    const auto at = dom::need_count(*entry, "at");
    if (!at) return fail(at);
    const auto event = dom::need_string(*entry, "event");
    if (!event) return fail(event);
    const auto content = dom::may_string(*entry, "content");
    if (!content) return fail(content);
    const auto size = event->size() + (*content ? (*content)->size() : 0);
    if (size > max_event_and_content_octets) {
        return refuse(Code::too_large, "event and content are over 65,536 octets");
    }
    proof.at = *at;
    proof.event = *event;
    if (*content) proof.content = std::string(**content);
    return {};
}

Result<void> read_chain(dom::Object object, EntryProof& proof)
{
    const auto array = dom::need_array(object, "chain");
    if (!array) return fail(array);
    if (array->size() > max_entry_proof_chain) {
        return refuse(Code::too_large, "the chain has more than 100,000 entries");
    }
    proof.chain.reserve(array->size());
    for (const dom::Element element : *array) {
        const auto link = dom::as_object(element, "chain");
        if (!link) return fail(link);
        const auto at = dom::need_count(*link, "at");
        if (!at) return fail(at);
        const auto event = dom::need_hash(*link, "event");
        if (!event) return fail(event);
        proof.chain.push_back({*at, *event});
    }
    return {};
}

Result<void> read_signed(dom::Object object, EntryProof& proof)
{
    auto roots = reading::read_roots(object);
    if (!roots) return fail(roots);
    if (roots->empty() || roots->size() > most_signers) {
        return dom::wrong("roots", "must hold one or two");
    }
    proof.roots = std::move(*roots);
    reading::RootUse use(proof.roots.size());

    auto checkpoint = reading::read_checkpoint(object);
    if (!checkpoint) return fail(checkpoint);
    proof.checkpoint = std::move(*checkpoint);
    if (auto noted = use.note(*dom::member(object, "checkpoint")); !noted) return noted;
    if (const auto member = dom::member(object, "seal")) {
        const auto seal_object = dom::as_object(*member, "seal");
        if (!seal_object) return fail(seal_object);
        auto seal = reading::read_seal(*seal_object);
        if (!seal) return fail(seal);
        proof.seal = std::move(*seal);
        if (auto noted = use.note(*member); !noted) return noted;
    }
    return use.finish();
}

Result<EntryProofKey> read_key(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "keys");
    if (!object) return fail(object);
    const auto server_text = dom::need_string(*object, "server");
    if (!server_text) return fail(server_text);
    auto server = parse_server_name(*server_text, rules);
    if (!server) return dom::wrong("keys", "names no server");
    const auto jwk = dom::need_object(*object, "key");
    if (!jwk) return fail(jwk);
    const auto kty = dom::need_string(*jwk, "kty");
    const auto crv = dom::need_string(*jwk, "crv");
    if (!kty || !crv || *kty != "OKP" || *crv != "Ed25519") {
        return dom::wrong("key", "must be an Ed25519 JWK");
    }
    const auto x = dom::need_string(*jwk, "x");
    if (!x) return fail(x);
    auto key = PublicKey::from_x(*x);
    if (!key) return fail(key);
    const auto kid = dom::need_string(*jwk, "kid");
    if (!kid) return fail(kid);
    if (*kid != key->thumbprint().str()) return dom::wrong("kid", "is not the key's thumbprint");
    EntryProofKey read{std::move(*server), *key, {}};
    const auto statements = dom::may_array(*object, "statements");
    if (!statements) return fail(statements);
    if (!*statements) return read;
    if ((*statements)->size() > max_entry_proof_statements) {
        return dom::wrong("statements", "holds more than 256");
    }
    auto list = dom::strings(**statements, "statements");
    if (!list) return fail(list);
    read.statements = std::move(*list);
    return read;
}

Result<void> read_keys(dom::Object object, NameRules rules, EntryProof& proof)
{
    const auto array = dom::need_array(object, "keys");
    if (!array) return fail(array);
    if (array->size() > most_signers) return dom::wrong("keys", "must hold at most two");
    for (const dom::Element element : *array) {
        auto key = read_key(element, rules);
        if (!key) return fail(key);
        proof.keys.push_back(std::move(*key));
    }
    return {};
}

void append_key(std::string& out, const EntryProofKey& key)
{
    out += R"({"server":)";
    append_json_string(out, key.server.str());
    out += R"(,"key":{"kty":"OKP","crv":"Ed25519","x":)";
    append_json_string(out, key.key.x());
    writing::append_name(out, "kid");
    append_json_string(out, key.key.thumbprint().str());
    out += '}';
    writing::append_name(out, "statements");
    writing::append_strings(out, key.statements);
    out += '}';
}

void append_link(std::string& out, const ChainLink& link)
{
    out += R"({"at":)";
    writing::append_number(out, link.at);
    writing::append_name(out, "event");
    append_json_string(out, to_base64url(link.event));
    out += '}';
}

}  // namespace

Result<EntryProof> parse_entry_proof(std::string_view text, NameRules rules)
{
    if (text.size() > max_entry_proof_octets) return refuse(Code::too_large, "over 16 MiB");
    if (auto checked = check_json(text); !checked) return fail(checked);
    dom::Parser parser;
    const auto root = parser.parse(text);
    if (!root) return fail(root);
    const auto object = dom::as_object(*root, "");
    if (!object) return fail(object);
    EntryProof proof;
    if (auto read = read_place(*object, rules, proof); !read) return fail(read);
    if (auto read = read_entry(*object, proof); !read) return fail(read);
    if (auto read = read_chain(*object, proof); !read) return fail(read);
    if (auto read = read_signed(*object, proof); !read) return fail(read);
    if (auto read = read_keys(*object, rules, proof); !read) return fail(read);
    return proof;
}

std::string write_entry_proof(const EntryProof& proof)
{
    std::string out = R"({"type":")" + std::string(proof_type) + R"(","v":1,"channel":)";
    append_json_string(out, proof.channel.str());
    writing::append_name(out, "epoch");
    writing::append_number(out, proof.epoch);
    writing::append_name(out, "seq");
    writing::append_number(out, proof.seq);
    writing::append_name(out, "previous");
    append_json_string(out, proof.previous);
    out += R"(,"entry":{"at":)";
    writing::append_number(out, proof.at);
    writing::append_name(out, "event");
    append_json_string(out, proof.event);
    if (proof.content) {
        writing::append_name(out, "content");
        append_json_string(out, *proof.content);
    }
    out += '}';
    writing::append_name(out, "chain");
    writing::append_list(out, proof.chain, append_link);
    writing::append_name(out, "checkpoint");
    writing::append_checkpoint(out, proof.checkpoint);
    if (proof.seal) {
        writing::append_name(out, "seal");
        writing::append_seal(out, *proof.seal);
    }
    writing::append_name(out, "roots");
    writing::append_strings(out, proof.roots);
    writing::append_name(out, "keys");
    writing::append_list(out, proof.keys, append_key);
    out += '}';
    return out;
}

}  // namespace entente::protocol
