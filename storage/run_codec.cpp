#include "storage/run_codec.hpp"

#include <algorithm>
#include <cstring>

namespace entente::storage {

namespace {

using protocol::Checkpoint;
using protocol::Entry;
using protocol::Hash;
using protocol::Proof;
using protocol::Seal;

enum class Kind : char { content = 0, deleted = 1, expired = 2 };
constexpr char with_marks = 64;

void put_varint(std::string& out, std::uint64_t value)
{
    while (value >= 0x80) {
        out.push_back(static_cast<char>((value & 0x7f) | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

void put_octets(std::string& out, std::string_view octets)
{
    put_varint(out, octets.size());
    out.append(octets);
}

void put_hashes(std::string& out, const std::vector<Hash>& hashes)
{
    put_varint(out, hashes.size());
    for (const auto& hash : hashes) out.append(protocol::as_view(hash));
}

void put_proof(std::string& out, const Proof& proof)
{
    put_varint(out, proof.root);
    put_varint(out, proof.index);
    put_hashes(out, proof.path);
}

// Reads from the front; once something doesn't fit, `damaged` stays set and every
// further read gives an empty value, so that callers check once.
class Reader {
 public:
    explicit Reader(std::string_view blob) : rest_(blob) {}

    [[nodiscard]] bool at_end() const { return rest_.empty() || damaged_; }
    [[nodiscard]] bool damaged() const { return damaged_; }
    void call_damaged() { damaged_ = true; }

    std::uint64_t varint()
    {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) break;
            const auto octet = static_cast<std::uint8_t>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
            if ((octet & 0x80) == 0) return value;
        }
        damaged_ = true;
        return 0;
    }

    std::int64_t number() { return static_cast<std::int64_t>(varint()); }

    std::string_view octets(std::uint64_t size)
    {
        if (damaged_ || size > rest_.size()) {
            damaged_ = true;
            return {};
        }
        const auto part = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(part.size());
        return part;
    }

    std::string_view octets() { return octets(varint()); }

    char octet()
    {
        const auto part = octets(1);
        return part.empty() ? '\0' : part.front();
    }

    // A count of things that take at least one octet each.
    std::uint64_t count()
    {
        const auto value = varint();
        if (value > rest_.size()) damaged_ = true;
        return damaged_ ? 0 : value;
    }

    std::vector<Hash> hashes()
    {
        std::vector<Hash> result;
        const auto size = count();
        for (std::uint64_t i = 0; i < size && !damaged_; ++i) {
            const auto part = octets(32);
            if (damaged_) break;
            std::memcpy(result.emplace_back().data(), part.data(), 32);
        }
        return result;
    }

    Proof proof()
    {
        Proof result;
        result.root = static_cast<std::size_t>(varint());
        result.index = varint();
        result.path = hashes();
        return result;
    }

 private:
    std::string_view rest_;
    bool damaged_ = false;
};

}  // namespace

std::size_t RunProofs::root_index(std::string_view jws)
{
    const auto found = std::find(roots.begin(), roots.end(), jws);
    if (found != roots.end()) return static_cast<std::size_t>(found - roots.begin());
    roots.emplace_back(jws);
    return roots.size() - 1;
}

void append_entry(std::string& body, const Entry& entry)
{
    put_varint(body, static_cast<std::uint64_t>(entry.at));
    const auto kind = entry.content ? Kind::content : entry.expired ? Kind::expired : Kind::deleted;
    const auto marks = static_cast<std::uint8_t>(entry.marks & stored_marks);
    body.push_back(static_cast<char>(static_cast<char>(kind) | (marks != 0 ? with_marks : 0)));
    if (marks != 0) body.push_back(static_cast<char>(marks));
    put_octets(body, entry.event);
    if (kind == Kind::content) put_octets(body, *entry.content);
    if (kind == Kind::deleted) put_varint(body, static_cast<std::uint64_t>(entry.deleted_by));
}

Result<std::vector<Entry>> decode_entries(std::string_view body)
{
    std::vector<Entry> entries;
    Reader reader(body);
    while (!reader.at_end()) {
        auto& entry = entries.emplace_back();
        entry.at = reader.number();
        const char first = reader.octet();
        const auto kind = static_cast<Kind>(first & ~with_marks);
        if ((first & with_marks) != 0) entry.marks = static_cast<std::uint8_t>(reader.octet());
        if (kind != Kind::content && kind != Kind::deleted && kind != Kind::expired)
            reader.call_damaged();
        entry.event = reader.octets();
        if (kind == Kind::content) entry.content = reader.octets();
        if (kind == Kind::deleted) entry.deleted_by = reader.number();
        entry.expired = kind == Kind::expired;
    }
    if (reader.damaged()) return fail(Code::internal, "a stored run's body is damaged");
    return entries;
}

std::string encode_proofs(const RunProofs& proofs)
{
    std::string out;
    put_varint(out, proofs.roots.size());
    for (const auto& root : proofs.roots) put_octets(out, root);
    put_varint(out, proofs.seals.size());
    for (const auto& seal : proofs.seals) {
        put_hashes(out, seal.events);
        put_proof(out, seal.proof);
    }
    out.push_back(proofs.checkpoint ? '\1' : '\0');
    if (proofs.checkpoint) {
        put_varint(out, static_cast<std::uint64_t>(proofs.checkpoint->epoch));
        put_varint(out, static_cast<std::uint64_t>(proofs.checkpoint->seq));
        put_octets(out, proofs.checkpoint->hash);
        put_proof(out, proofs.checkpoint->proof);
    }
    return out;
}

Result<RunProofs> decode_proofs(std::string_view blob)
{
    RunProofs proofs;
    Reader reader(blob);
    const auto roots = reader.count();
    for (std::uint64_t i = 0; i < roots && !reader.damaged(); ++i)
        proofs.roots.emplace_back(reader.octets());
    const auto seals = reader.count();
    for (std::uint64_t i = 0; i < seals && !reader.damaged(); ++i) {
        Seal seal;
        seal.events = reader.hashes();
        seal.proof = reader.proof();
        proofs.seals.push_back(std::move(seal));
    }
    const auto has_checkpoint = reader.octet();
    if (has_checkpoint == '\1') {
        Checkpoint checkpoint;
        checkpoint.epoch = reader.number();
        checkpoint.seq = reader.number();
        checkpoint.hash = reader.octets();
        checkpoint.proof = reader.proof();
        proofs.checkpoint = std::move(checkpoint);
    }
    const auto leads_nowhere = [&](const Proof& proof) {
        return proof.root >= proofs.roots.size();
    };
    const bool fits = !reader.damaged() && reader.at_end() &&
                      (has_checkpoint == '\0' || has_checkpoint == '\1') &&
                      std::none_of(proofs.seals.begin(), proofs.seals.end(),
                                   [&](const Seal& seal) { return leads_nowhere(seal.proof); }) &&
                      !(proofs.checkpoint && leads_nowhere(proofs.checkpoint->proof));
    if (!fits) return fail(Code::internal, "a stored run's proofs are damaged");
    return proofs;
}

}  // namespace entente::storage
