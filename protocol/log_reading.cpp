#include "protocol/log_reading.hpp"

namespace entente::protocol::reading {
namespace {

Result<Entry> read_entry(dom::Element element)
{
    const auto object = dom::as_object(element, "entries");
    if (!object) return fail(object);
    Entry entry;
    const auto at = dom::need_count(*object, "at");
    if (!at) return fail(at);
    entry.at = *at;
    const auto event = dom::need_string(*object, "event");
    if (!event) return fail(event);
    entry.event = *event;

    const auto content = dom::may_string(*object, "content");
    if (!content) return fail(content);
    if (*content) entry.content = std::string(**content);
    const auto deleted_by = dom::may_count(*object, "deleted_by");
    if (!deleted_by) return fail(deleted_by);
    if (*deleted_by && **deleted_by == 0) return dom::wrong("deleted_by", "must be at least 1");
    entry.deleted_by = deleted_by->value_or(0);
    if (const auto expired = dom::member(*object, "expired")) {
        if (expired->get_bool().get(entry.expired)) {
            return dom::wrong("expired", "must be true or false");
        }
    }
    // None of the three is legal on the wire: such an entry is marked withheld [MEM-4].
    const int said =
        (entry.content ? 1 : 0) + (entry.deleted_by > 0 ? 1 : 0) + (entry.expired ? 1 : 0);
    if (said > 1) return dom::wrong("content", "stands beside deleted_by or expired");
    return entry;
}

Result<std::vector<Entry>> read_entries(dom::Object slice)
{
    const auto array = dom::need_array(slice, "entries");
    if (!array) return fail(array);
    std::vector<Entry> entries;
    entries.reserve(array->size());
    for (const dom::Element element : *array) {
        auto entry = read_entry(element);
        if (!entry) return fail(entry);
        entries.push_back(std::move(*entry));
    }
    return entries;
}

Result<std::vector<Seal>> read_seals(dom::Object slice)
{
    const auto array = dom::may_array(slice, "seals");
    if (!array) return fail(array);
    std::vector<Seal> seals;
    if (!*array) return seals;
    for (const dom::Element element : **array) {
        const auto object = dom::as_object(element, "seals");
        if (!object) return fail(object);
        auto seal = read_seal(*object);
        if (!seal) return fail(seal);
        seals.push_back(std::move(*seal));
    }
    return seals;
}

Result<std::map<std::string, std::int64_t>> read_acks(dom::Object slice, NameRules rules)
{
    std::map<std::string, std::int64_t> acks;
    const auto value = dom::member(slice, "acks");
    if (!value) return acks;
    const auto object = dom::as_object(*value, "acks");
    if (!object) return fail(object);
    for (const auto& field : *object) {
        if (!parse_server_name(field.key, rules)) return dom::wrong("acks", "names no server");
        std::int64_t seq = 0;
        if (field.value.get_int64().get(seq) || seq < 0) {
            return dom::wrong("acks", "must hold numbers of entries");
        }
        acks.emplace(field.key, seq);
    }
    return acks;
}

Result<ShownKey> read_shown_key(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "keys");
    if (!object) return fail(object);
    ShownKey shown;
    const auto server_text = dom::need_string(*object, "server");
    if (!server_text) return fail(server_text);
    auto server = parse_server_name(*server_text, rules);
    if (!server) return dom::wrong("keys", "names no server");
    shown.server = std::move(*server);
    if (dom::member(*object, "key")) {
        const auto jwk = dom::need_object(*object, "key");
        if (!jwk) return fail(jwk);
        const auto kty = dom::need_string(*jwk, "kty");
        const auto crv = dom::need_string(*jwk, "crv");
        if (!kty || !crv || *kty != "OKP" || *crv != "Ed25519") {
            return dom::wrong("key", "must be an Ed25519 JWK");
        }
        if (auto x = dom::need_hash(*jwk, "x"); !x) return fail(x);
        shown.key_x = std::string(*dom::need_string(*jwk, "x"));
    }
    const auto statements = dom::may_array(*object, "statements");
    if (!statements) return fail(statements);
    if (*statements) {
        if ((*statements)->size() > max_shown_statements)
            return refuse(Code::too_large, "a key with more statements than a server keeps");
        auto list = dom::strings(**statements, "statements");
        if (!list) return fail(list);
        shown.statements = std::move(*list);
    }
    return shown;
}

Result<std::vector<ShownKey>> read_keys(dom::Object slice, NameRules rules)
{
    const auto array = dom::may_array(slice, "keys");
    if (!array) return fail(array);
    std::vector<ShownKey> keys;
    if (!*array) return keys;
    if ((*array)->size() > max_shown_keys)
        return refuse(Code::too_large, "a slice with more keys than may be shown");
    for (const dom::Element element : **array) {
        auto shown = read_shown_key(element, rules);
        if (!shown) return fail(shown);
        keys.push_back(std::move(*shown));
    }
    return keys;
}

Result<ChannelId> read_channel(dom::Object object, NameRules rules)
{
    const auto text = dom::need_string(object, "channel");
    if (!text) return fail(text);
    auto channel = parse_channel_id(*text, rules);
    if (!channel) return dom::wrong("channel", "is no channel id");
    return channel;
}

}  // namespace

Result<void> RootUse::note(dom::Element holder)
{
    dom::Object proof;
    std::int64_t root = 0;
    if (holder["proof"].get_object().get(proof) || proof["root"].get_int64().get(root)) {
        note_unknown();
        return {};
    }
    if (root < 0 || static_cast<std::uint64_t>(root) >= used_.size()) {
        return dom::wrong("proof/root", "points beyond roots");
    }
    used_[static_cast<std::size_t>(root)] = true;
    dom::Array path;
    if (!proof["path"].get_array().get(path) && path.size() > max_path_length) {
        return dom::wrong("proof/path", "is longer than 32");
    }
    return {};
}

Result<void> RootUse::finish() const
{
    if (unknown_) return {};
    for (const bool used : used_) {
        if (!used) return dom::wrong("roots", "holds a root that no proof uses");
    }
    return {};
}

Result<std::vector<std::string>> read_roots(dom::Object body)
{
    const auto array = dom::may_array(body, "roots");
    if (!array) return fail(array);
    if (!*array) return std::vector<std::string>{};
    return dom::strings(**array, "roots");
}

Result<Proof> read_proof(dom::Object holder)
{
    const auto object = dom::need_object(holder, "proof");
    if (!object) return fail(object);
    const auto root = dom::need_count(*object, "root");
    if (!root) return fail(root);
    const auto index = dom::need_count(*object, "index");
    if (!index) return fail(index);
    const auto path = dom::need_array(*object, "path");
    if (!path) return fail(path);
    if (path->size() > max_path_length) return dom::wrong("path", "is longer than 32");
    Proof proof{static_cast<std::size_t>(*root), static_cast<std::uint64_t>(*index), {}};
    proof.path.reserve(path->size());
    for (const dom::Element element : *path) {
        std::string_view text;
        if (element.get_string().get(text)) return dom::wrong("path", "must hold strings");
        auto hash = hash_from_base64url(text);
        if (!hash) return dom::wrong("path", "must hold hashes");
        proof.path.push_back(*hash);
    }
    return proof;
}

Result<Seal> read_seal(dom::Object seal)
{
    const auto events = dom::need_array(seal, "events");
    if (!events) return fail(events);
    Seal result;
    result.events.reserve(events->size());
    for (const dom::Element element : *events) {
        std::string_view text;
        if (element.get_string().get(text)) return dom::wrong("seal", "must hold event ids");
        auto hash = hash_from_base64url(text);
        if (!hash) return dom::wrong("seal", "must hold event ids");
        result.events.push_back(*hash);
    }
    auto proof = read_proof(seal);
    if (!proof) return fail(proof);
    result.proof = std::move(*proof);
    return result;
}

Result<Checkpoint> read_checkpoint(dom::Object holder)
{
    const auto object = dom::need_object(holder, "checkpoint");
    if (!object) return fail(object);
    const auto epoch = read_epoch(*object);
    if (!epoch) return fail(epoch);
    auto position = read_position(*object, "seq");
    if (!position) return fail(position);
    auto proof = read_proof(*object);
    if (!proof) return fail(proof);
    return Checkpoint{*epoch, position->seq, std::move(position->hash), std::move(*proof)};
}

Result<std::int64_t> read_epoch(dom::Object object)
{
    auto epoch = dom::need_count(object, "epoch");
    if (!epoch) return epoch;
    if (*epoch == 0) return dom::wrong("epoch", "must be at least 1");
    return epoch;
}

Result<Position> read_position(dom::Object position, std::string_view seq_name)
{
    const auto seq = dom::need_count(position, seq_name);
    if (!seq) return fail(seq);
    const auto hash = dom::need_string(position, "hash");
    if (!hash) return fail(hash);
    if (*seq == 0 ? !hash->empty() : !hash_from_base64url(*hash)) {
        return dom::wrong("hash", "must be an entry hash, empty with seq 0");
    }
    return Position{*seq, std::string(*hash)};
}

Result<Slice> read_slice(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "logs");
    if (!object) return fail(object);
    auto channel = read_channel(*object, rules);
    if (!channel) return fail(channel);
    const auto epoch = read_epoch(*object);
    if (!epoch) return fail(epoch);
    const auto after_object = dom::need_object(*object, "after");
    if (!after_object) return fail(after_object);
    auto after = read_position(*after_object, "seq");
    if (!after) return fail(after);
    auto entries = read_entries(*object);
    if (!entries) return fail(entries);
    auto seals = read_seals(*object);
    if (!seals) return fail(seals);
    auto checkpoint = read_checkpoint(*object);
    if (!checkpoint) return fail(checkpoint);
    const auto latest = dom::need_count(*object, "latest");
    if (!latest) return fail(latest);
    const auto floor = dom::may_count(*object, "floor");
    if (!floor) return fail(floor);
    auto acks = read_acks(*object, rules);
    if (!acks) return fail(acks);
    auto keys = read_keys(*object, rules);
    if (!keys) return fail(keys);
    Slice slice;
    slice.channel = std::move(*channel);
    slice.epoch = *epoch;
    slice.after = std::move(*after);
    slice.entries = std::move(*entries);
    slice.seals = std::move(*seals);
    slice.checkpoint = std::move(*checkpoint);
    slice.latest = *latest;
    slice.floor = floor->value_or(0);
    slice.acks = std::move(*acks);
    slice.keys = std::move(*keys);
    return slice;
}

Result<void> note_slice(RootUse& use, dom::Element element)
{
    dom::Element checkpoint;
    if (element["checkpoint"].get(checkpoint)) {
        use.note_unknown();
    } else if (auto noted = use.note(checkpoint); !noted) {
        return noted;
    }
    dom::Element seals;
    if (element["seals"].get(seals)) return {};
    dom::Array array;
    if (seals.get_array().get(array)) {
        use.note_unknown();
        return {};
    }
    for (const dom::Element seal : array) {
        if (auto noted = use.note(seal); !noted) return noted;
    }
    return {};
}

Result<Snapshot> read_snapshot(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "snapshot");
    if (!object) return fail(object);
    auto channel = read_channel(*object, rules);
    if (!channel) return fail(channel);
    const auto epoch = read_epoch(*object);
    if (!epoch) return fail(epoch);
    auto position = read_position(*object, "seq");
    if (!position) return fail(position);
    const auto at = dom::need_count(*object, "at");
    if (!at) return fail(at);
    const auto state = dom::need_string(*object, "state");
    if (!state) return fail(state);
    auto proof = read_proof(*object);
    if (!proof) return fail(proof);
    return Snapshot{std::move(*channel),       *epoch, position->seq,
                    std::move(position->hash), *at,    std::string(*state),
                    std::move(*proof)};
}

}  // namespace entente::protocol::reading
