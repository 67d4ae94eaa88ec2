#include "tests/sim/liar.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/message_signature.hpp"

namespace entente::sim {

namespace {

using protocol::Hash;
using protocol::ItemStatus;
using protocol::SliceStatus;

constexpr protocol::NameRules rules{};
constexpr std::string_view inbox = "/federation/v1/inbox";
constexpr std::size_t most_remembered = 20;

std::string some_hash(Chance& chance)
{
    return protocol::to_base64url(protocol::sha256(std::to_string(chance.number())));
}

Hash some_id(Chance& chance)
{
    return protocol::sha256(std::to_string(chance.number()));
}

// What was written by this program can be read by it.
std::optional<protocol::OutgoingTransaction> read_transaction(const std::string& body)
{
    auto read = protocol::parse_transaction(body, protocol::TransactionLimits{}, rules);
    if (!read) return std::nullopt;
    protocol::OutgoingTransaction transaction;
    transaction.roots = std::move(read->roots);
    for (auto& item : read->submissions) {
        if (!item.value) return std::nullopt;
        transaction.submissions.push_back(std::move(*item.value));
    }
    for (auto& item : read->logs) {
        if (!item.value) return std::nullopt;
        transaction.logs.push_back(std::move(*item.value));
    }
    for (auto& item : read->direct) {
        if (!item.value) return std::nullopt;
        transaction.direct.push_back(std::move(*item.value));
    }
    return transaction;
}

}  // namespace

Liar::Liar(const federation::Identity& identity, const protocol::Clock& clock, Trace& trace,
           std::uint64_t seed)
    : identity_(identity),
      clock_(clock),
      trace_(trace),
      chance_(seed),
      random_(seed + 3),
      forger_(identity, clock, seed + 5)
{
}

// --- requests ----------------------------------------------------------------------------

std::vector<net::Request> Liar::instead_of(const std::string& to, const net::Request& request)
{
    if (request.path != inbox || !chance_.percent(share_)) return {request};
    std::vector<net::Request> sent;
    // The true one goes first, last or not at all.
    const auto order = chance_.below(3);
    if (order == 0) sent.push_back(request);
    if (chance_.percent(15) && !sent_.empty()) {
        const auto& [old_to, old] = chance_.pick(sent_);
        if (old_to == to) {
            trace_.say(identity_.name.str(), "lies: an old request again");
            sent.push_back(old);
        }
    } else if (chance_.percent(30)) {
        std::string what;
        sent.push_back(forger_.forge(to, request, what));
        trace_.say(identity_.name.str(), "lies: " + what);
    } else if (auto body = spoiled_body(request.body)) {
        sent.push_back(forger_.sign(to, request, std::move(*body)));
    }
    if (order == 1 || sent.empty()) sent.push_back(request);
    if (sent_.size() < most_remembered) sent_.emplace_back(to, request);
    return sent;
}

std::optional<std::string> Liar::spoiled_body(const std::string& body)
{
    auto transaction = read_transaction(body);
    if (!transaction) return std::nullopt;
    std::vector<int> parts;
    if (!transaction->logs.empty()) parts.insert(parts.end(), {0, 0});
    if (!transaction->submissions.empty()) parts.insert(parts.end(), {1, 1});
    if (!transaction->direct.empty()) parts.push_back(2);
    if (parts.empty()) return std::nullopt;
    const auto part = chance_.pick(parts);
    const bool is_spoiled = part == 0   ? spoil_slice(*transaction)
                            : part == 1 ? spoil_submission(*transaction)
                                        : spoil_direct(*transaction);
    if (!is_spoiled) return std::nullopt;
    // A proof that proves nothing is a lie too.
    if (!chance_.percent(15)) seal_anew(*transaction);
    if (chance_.percent(10) && !spoil_proof(*transaction)) return std::nullopt;
    return protocol::write_transaction(*transaction);
}

// Of a leaf that is right in all else, or the root itself.
bool Liar::spoil_proof(Transaction& transaction)
{
    trace_.say(identity_.name.str(), "lies in a proof");
    if (chance_.percent(30)) {
        if (transaction.roots.empty()) return false;
        auto& root = transaction.roots.front();
        root[chance_.below(root.size())] = chance_.percent(50) ? 'A' : '.';
        return true;
    }
    auto* proof = !transaction.logs.empty()          ? &transaction.logs.front().checkpoint.proof
                  : !transaction.submissions.empty() ? &transaction.submissions.front().seal.proof
                                                     : nullptr;
    if (proof == nullptr) return false;
    switch (chance_.below(4)) {
        case 0: proof->path.push_back(some_id(chance_)); break;
        case 1:
            if (proof->path.empty()) return false;
            proof->path.pop_back();
            break;
        case 2: proof->index += 1 + chance_.below(1'000'000); break;
        default: proof->root += 1 + chance_.below(3); break;
    }
    return true;
}

bool Liar::spoil_slice(Transaction& transaction)
{
    auto& slice = transaction.logs[chance_.below(transaction.logs.size())];
    auto& entries = slice.entries;
    const auto kind = chance_.below(12);
    trace_.say(identity_.name.str(), "lies in a slice, kind " + std::to_string(kind));
    const auto place = entries.empty() ? 0 : chance_.below(entries.size());
    const auto at = static_cast<std::ptrdiff_t>(place);
    bool follows = true;  // whether the checkpoint is for what the entries come to
    switch (kind) {
        case 0:
            if (entries.empty()) return false;
            entries.erase(entries.begin() + at);
            break;
        case 1:
            if (entries.empty()) return false;
            entries.insert(entries.begin() + at, entries[place]);
            break;
        case 2:
            if (entries.size() < 2) return false;
            std::swap(entries.front(), entries.back());
            break;
        case 3:
            if (entries.empty()) return false;
            entries[place].content = "{\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"text\":\"other\"}";
            break;
        case 4:
            slice.checkpoint.hash = some_hash(chance_);
            follows = false;
            break;
        case 5:
            slice.checkpoint.seq += chance_.between(-2, 5);
            follows = false;
            break;
        case 6: slice.latest += chance_.between(-5, 1'000'000); break;
        case 7:
            slice.acks["a.example"] = chance_.between(0, 1'000'000);
            slice.acks["b.example"] = chance_.between(0, 1'000'000);
            break;
        case 8:
            if (slice.seals.empty()) return false;
            slice.seals.front().events.front() = some_id(chance_);
            break;
        case 9: {
            // Another history, well signed: a fork, or what nobody can yet tell from the truth.
            if (entries.empty()) return false;
            protocol::EventAndContent model{entries[place].event,
                                            entries[place].content.value_or("")};
            std::string content;
            entries[place].event = event_like(model, chance_.percent(50), content);
            entries[place].content = content;
            break;
        }
        case 10:
            slice.after.seq += chance_.between(-3, 3);
            if (slice.after.seq < 0) return false;
            break;
        default:
            if (entries.empty()) return false;
            entries[place].at += chance_.between(-1'000'000, 1'000'000);
            break;
    }
    if (!follows || chance_.percent(30)) return true;
    auto hash = slice.after.hash;
    auto seq = slice.after.seq;
    for (const auto& entry : entries)
        hash = protocol::entry_hash(slice.channel, slice.epoch, ++seq, entry.at, hash,
                                    protocol::event_id(entry.event));
    slice.checkpoint.seq = seq;
    slice.checkpoint.hash = hash;
    return true;
}

bool Liar::spoil_submission(Transaction& transaction)
{
    auto& submission = transaction.submissions[chance_.below(transaction.submissions.size())];
    auto& events = submission.events;
    const auto place = chance_.below(events.size());
    const auto kind = chance_.below(6);
    trace_.say(identity_.name.str(), "lies in a submission, kind " + std::to_string(kind));
    switch (kind) {
        case 0: {
            std::string content;
            events[place].event = event_like(events[place], true, content);
            events[place].content = content;
            break;
        }
        case 1: events.push_back(events[place]); break;
        case 2:
            if (events.size() < 2) return false;
            std::swap(events.front(), events.back());
            break;
        case 3: events[place].content += " "; break;
        case 4: {
            std::string content;
            auto other = events[place];
            other.event = event_like(events[place], false, content);
            other.content = content;
            events.push_back(std::move(other));
            break;
        }
        default: {
            // In somebody else's name.
            auto& text = events[place].event;
            const auto at = text.find("\"sender\":\"");
            const auto server = text.find('@', at);
            if (at == std::string::npos || server == std::string::npos) return false;
            text.replace(server + 1, 1, chance_.percent(50) ? "a" : "b");
            break;
        }
    }
    submission.seal.events.clear();
    for (const auto& event : events)
        submission.seal.events.push_back(protocol::event_id(event.event));
    if (chance_.percent(10))
        std::reverse(submission.seal.events.begin(), submission.seal.events.end());
    return true;
}

bool Liar::spoil_direct(Transaction& transaction)
{
    trace_.say(identity_.name.str(), "lies in a direct event");
    auto& direct = transaction.direct.front();
    std::string content;
    direct.event = event_like(direct, chance_.percent(50), content);
    if (chance_.percent(50)) direct.content = content;
    return true;
}

// The text of an event with another content, and so another id.
std::string Liar::event_like(const protocol::EventAndContent& model, bool same_txn,
                             std::string& content)
{
    content =
        "{\"salt\":\"" + protocol::to_base64url(random_.octets(16)) + "\",\"text\":\"a lie\"}";
    auto text = model.event;
    const auto replace = [&text](const std::string& member, const std::string& value) {
        const auto begin = text.find("\"" + member + "\":\"");
        if (begin == std::string::npos) return;
        const auto from = begin + member.size() + 4;
        text.replace(from, text.find('"', from) - from, value);
    };
    replace("content", protocol::to_base64url(protocol::content_hash(content)));
    if (!same_txn) replace("txn", protocol::make_uuid7(clock_.now_ms(), random_).str());
    return text;
}

// One root over all that is this server's own, in the place of the first.
void Liar::seal_anew(Transaction& transaction)
{
    protocol::RootBuilder leaves;
    std::vector<protocol::Proof*> proofs;
    const auto add = [&](protocol::Proof& proof, const std::string& leaf) {
        proof = protocol::Proof{0, leaves.add(leaf), {}};
        proofs.push_back(&proof);
    };
    for (auto& submission : transaction.submissions)
        add(submission.seal.proof, protocol::seal_leaf(submission.channel, submission.seal.events));
    for (auto& slice : transaction.logs) {
        auto& checkpoint = slice.checkpoint;
        add(checkpoint.proof, protocol::checkpoint_leaf(slice.channel, checkpoint.epoch,
                                                        checkpoint.seq, checkpoint.hash));
    }
    if (leaves.empty() || transaction.roots.empty()) return;
    auto root = leaves.sign(identity_.key, identity_.name, clock_.now_ms());
    transaction.roots.front() = std::move(root.jws);
    for (auto* proof : proofs) proof->path = root.paths[proof->index];
}

// --- answers -----------------------------------------------------------------------------

void Liar::spoil(const net::Request& request, net::Response& response)
{
    const bool is_query = request.path.starts_with("/federation/v1/channels/");
    if (is_query && response.status == 200) {
        if (old_answers_.size() < most_remembered) old_answers_.push_back(response.body);
        if (!chance_.percent(share_)) return;
        trace_.say(identity_.name.str(), "lies: an old answer");
        response.body = chance_.pick(old_answers_);
        return sign_answer(request, response);
    }
    if (request.path == "/.well-known/entente" && chance_.percent(share_)) {
        trace_.say(identity_.name.str(), "lies of itself");
        response.body = with_broken_document(std::move(response.body), chance_);
        return;
    }
    if (request.path != inbox || !chance_.percent(share_)) return;
    const auto kind = chance_.below(12);
    trace_.say(identity_.name.str(), "lies in an answer, kind " + std::to_string(kind));
    if (kind == 0) {
        const std::vector<int> statuses = {400, 403, 404, 429, 500, 503, 200, 302};
        response.status = chance_.pick(statuses);
        response.body = chance_.percent(50) ? "nonsense" : "{}";
    } else if (kind == 1) {
        response.fields.clear();  // nobody's word
        return;
    } else if (kind == 2) {
        response.body = with_broken_octets(std::move(response.body), chance_);
    } else {
        auto result = protocol::parse_result(response.body, rules);
        if (!result || !spoil_result(*result)) return;
        response.body = protocol::write_result(*result, clock_.now_ms());
    }
    sign_answer(request, response);
}

void Liar::sign_answer(const net::Request& request, net::Response& response) const
{
    const auto signature = std::string(request.field("signature").value_or(""));
    response.fields = protocol::sign_answer(identity_.key, identity_.name, response.status,
                                            response.body, signature, clock_.now_s());
}

bool Liar::spoil_result(protocol::TransactionResult& result)
{
    if (!result.logs.empty() && (result.submissions.empty() || chance_.percent(50))) {
        spoil_slice_result(result.logs[chance_.below(result.logs.size())]);
        return true;
    }
    if (result.submissions.empty()) return false;
    auto& events = result.submissions[chance_.below(result.submissions.size())].events;
    if (events.empty()) return false;
    if (chance_.percent(10)) {
        events.pop_back();
    } else if (chance_.percent(10)) {
        std::reverse(events.begin(), events.end());
    } else {
        spoil_event_result(events[chance_.below(events.size())]);
    }
    return true;
}

void Liar::spoil_slice_result(protocol::SliceResult& result)
{
    switch (chance_.below(8)) {
        case 0: result.have.seq += chance_.between(1, 1'000'000); break;
        case 1: result.have.seq = chance_.between(0, result.have.seq); break;
        case 2: result.have.hash = some_hash(chance_); break;
        case 3:
            result.status = SliceStatus::deferred;
            result.retry_after = chance_.between(0, 1'000'000'000);
            break;
        case 4: result.status = SliceStatus::need_snapshot; break;
        case 5: result.status = SliceStatus::fork; break;
        case 6:
            result.status = SliceStatus::ahead;
            result.agrees = protocol::Position{result.have.seq, some_hash(chance_)};
            break;
        default: result.status = SliceStatus::gap; break;
    }
}

void Liar::spoil_event_result(protocol::EventResult& result)
{
    switch (chance_.below(5)) {
        case 0: result.seq = chance_.between(-5, 1'000'000'000); break;
        case 1:
            result.status = ItemStatus::deferred;
            result.retry_after = chance_.between(0, 1'000'000'000);
            break;
        case 2:
            result.status = ItemStatus::rejected;
            result.problem = Error{Code::forbidden, "", {}, 0};
            break;
        case 3: result.event = some_id(chance_); break;
        default: result.status = ItemStatus::need_snapshot; break;
    }
}

}  // namespace entente::sim
