#include "protocol/log_writing.hpp"

#include "protocol/json_rules.hpp"

namespace entente::protocol::writing {
namespace {

// Hashes and other text that JSON needs no escapes for.
void append_plain(std::string& out, std::string_view text)
{
    out += '"';
    out += text;
    out += '"';
}

void append_hash(std::string& out, const Hash& hash)
{
    append_plain(out, to_base64url(hash));
}

void append_proof(std::string& out, const Proof& proof)
{
    out += R"({"root":)" + std::to_string(proof.root);
    out += R"(,"index":)" + std::to_string(proof.index);
    out += R"(,"path":)";
    append_list(out, proof.path, append_hash);
    out += '}';
}

void append_entry(std::string& out, const Entry& entry)
{
    out += R"({"at":)";
    append_number(out, entry.at);
    append_name(out, "event");
    append_json_string(out, entry.event);
    if (entry.content) {
        append_name(out, "content");
        append_json_string(out, *entry.content);
    } else if (entry.deleted_by > 0) {
        append_name(out, "deleted_by");
        append_number(out, entry.deleted_by);
    } else if (entry.expired) {
        out += R"(,"expired":true)";
    }
    out += '}';
}

void append_shown_key(std::string& out, const ShownKey& shown)
{
    out += R"({"server":)";
    append_json_string(out, shown.server.str());
    if (shown.key_x) {
        out += R"(,"key":{"kty":"OKP","crv":"Ed25519","x":)";
        append_json_string(out, *shown.key_x);
        out += '}';
    }
    append_name(out, "statements");
    append_strings(out, shown.statements);
    out += '}';
}

void append_acks(std::string& out, const Slice& slice)
{
    append_name(out, "acks");
    out += '{';
    bool first = true;
    for (const auto& [server, seq] : slice.acks) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, server);
        out += ':';
        append_number(out, seq);
    }
    out += '}';
}

}  // namespace

void append_strings(std::string& out, const std::vector<std::string>& strings)
{
    append_list(out, strings,
                [](std::string& to, const std::string& text) { append_json_string(to, text); });
}

void append_name(std::string& out, std::string_view name)
{
    if (!out.empty() && out.back() != '{') out += ',';
    append_plain(out, name);
    out += ':';
}

void append_text(std::string& out, std::string_view name, std::string_view text)
{
    append_name(out, name);
    append_json_string(out, text);
}

void append_number(std::string& out, std::int64_t number)
{
    out += std::to_string(number);
}

void append_position(std::string& out, const Position& position)
{
    out += R"({"seq":)";
    append_number(out, position.seq);
    append_name(out, "hash");
    append_json_string(out, position.hash);
    out += '}';
}

void append_seal(std::string& out, const Seal& seal)
{
    out += R"({"events":)";
    append_list(out, seal.events, append_hash);
    append_name(out, "proof");
    append_proof(out, seal.proof);
    out += '}';
}

void append_checkpoint(std::string& out, const Checkpoint& checkpoint)
{
    out += R"({"epoch":)";
    append_number(out, checkpoint.epoch);
    append_name(out, "seq");
    append_number(out, checkpoint.seq);
    append_name(out, "hash");
    append_json_string(out, checkpoint.hash);
    append_name(out, "proof");
    append_proof(out, checkpoint.proof);
    out += '}';
}

void append_slice(std::string& out, const Slice& slice)
{
    out += R"({"channel":)";
    append_json_string(out, slice.channel.str());
    append_name(out, "epoch");
    append_number(out, slice.epoch);
    append_name(out, "after");
    append_position(out, slice.after);
    append_name(out, "entries");
    append_list(out, slice.entries, append_entry);
    append_name(out, "seals");
    append_list(out, slice.seals, append_seal);
    append_name(out, "checkpoint");
    append_checkpoint(out, slice.checkpoint);
    append_name(out, "latest");
    append_number(out, slice.latest);
    if (slice.floor > 0) {
        append_name(out, "floor");
        append_number(out, slice.floor);
    }
    if (!slice.acks.empty()) append_acks(out, slice);
    if (!slice.keys.empty()) {
        append_name(out, "keys");
        append_list(out, slice.keys, append_shown_key);
    }
    out += '}';
}

void append_snapshot(std::string& out, const Snapshot& snapshot)
{
    out += R"({"channel":)";
    append_json_string(out, snapshot.channel.str());
    append_name(out, "epoch");
    append_number(out, snapshot.epoch);
    append_name(out, "seq");
    append_number(out, snapshot.seq);
    append_name(out, "hash");
    append_json_string(out, snapshot.hash);
    append_name(out, "at");
    append_number(out, snapshot.at);
    append_name(out, "state");
    append_json_string(out, snapshot.state);
    append_name(out, "proof");
    append_proof(out, snapshot.proof);
    out += '}';
}

}  // namespace entente::protocol::writing
