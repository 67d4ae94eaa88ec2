#include "conformance/reference/discovery.hpp"

#include <algorithm>
#include <chrono>

#include "conformance/reference/document_fetch.hpp"
#include "conformance/wire/keys.hpp"

namespace entente::conformance::reference {

namespace {

constexpr Millis first_pause{10'000};
constexpr Millis longest_pause{3'600'000};
constexpr std::size_t fetches_a_minute = 5;
constexpr std::size_t refetches_of_a_source = 1;
constexpr std::size_t first_contacts_of_a_source = 30;
// Of a mutant that lets strangers stop everybody.
constexpr std::size_t few_sources = 10;
constexpr Millis minute{60'000};
// Servers of which failures are remembered; strangers must not fill the memory.
constexpr std::size_t max_memories = 4'096;

Refused key_unavailable(std::int64_t retry_after)
{
    return {"key-unavailable", "the key can't be had now", {{"retry_after", retry_after}}};
}

// Throws where `most` of them lie within the last minute.
void spend_within_minute(std::deque<Deadline>& times, std::size_t most)
{
    while (!times.empty() && times.front() + minute <= Clock::now()) times.pop_front();
    if (times.size() >= most) throw key_unavailable(60);
    times.push_back(Clock::now());
}

}  // namespace

Discovery::Discovery(const Flags& flags, const PeerClock& clock, Journal& journal,
                     const Caller& caller)
    : flags_(flags), clock_(clock), journal_(journal), caller_(caller), ring_(flags)
{
}

void Discovery::replay(const nlohmann::json& record)
{
    const std::lock_guard lock(mutex_);
    const auto server = record.at("server").get<std::string>();
    const auto at = record.at("at").get<std::int64_t>();
    if (record.at("is") == "document") {
        ring_.take(read_document(record.at("document"), server, flags_), at);
    } else {
        ring_.take_statements(server, record.at("statements").get<std::vector<std::string>>(), at);
    }
}

std::optional<std::string> Discovery::pinned_key(const std::string& server,
                                                 const std::string& key_id,
                                                 std::optional<KeyUse> use)
{
    const std::lock_guard lock(mutex_);
    const auto* key = ring_.find(server, key_id);
    if (key == nullptr && flags_.has<"keys-of-all-servers">())
        key = ring_.find(ring_.owner_of(key_id), key_id);
    if (key == nullptr && flags_.has<"recovery-key-signs-requests">()) {
        const auto* pins = ring_.find(server);
        if (pins != nullptr && thumbprint(pins->recoveries.back()) == key_id)
            return pins->recoveries.back();
    }
    if (key == nullptr) return std::nullopt;
    if (use) ring_.check_usable(*key, clock_.now(), *use);
    return key->octets;
}

std::string Discovery::owner_of(const std::string& key_id) const
{
    const std::lock_guard lock(mutex_);
    return ring_.owner_of(key_id);
}

std::string Discovery::request_key(const std::string& server, const std::string& key_id,
                                   const std::string& source)
{
    if (server.empty()) {
        // Of a mutant that takes a key without its server.
        const auto key = pinned_key(owner_of(key_id), key_id, std::nullopt);
        return key.value_or("");
    }
    if (flags_.has<"strangers-block-all">() && count_sources() > few_sources)
        throw key_unavailable(60);
    if (flags_.has<"fetches-for-every-request">()) fetch_for_key(server, source);
    if (auto key = pinned_key(server, key_id, KeyUse::request)) return *key;
    if (flags_.has<"strangers-refused">()) throw Refused{"forbidden", "a stranger"};
    if (flags_.has<"unknown-without-a-look">() && ring_knows(server))
        throw Refused{"unknown-key", "the key isn't known"};
    fetch_for_key(server, source);
    if (auto key = pinned_key(server, key_id, KeyUse::request)) return *key;
    const std::lock_guard lock(mutex_);
    const auto* pins = ring_.find(server);
    if (pins != nullptr && pins->conflict)
        throw Refused{"key-conflict", "the key isn't reached from those that are pinned"};
    throw Refused{"unknown-key", "the server's document doesn't show the key"};
}

void Discovery::fetch_for_key(const std::string& server, const std::string& source)
{
    spend_fetch(server, source);
    try {
        fetch(server);
    } catch (const Refused&) {
        if (flags_.has<"unknown-for-unavailable">())
            throw Refused{"unknown-key", "the key can't be had"};
        throw key_unavailable(10);
    }
}

std::optional<std::string> Discovery::seal_key(const std::string& server, const std::string& key_id)
{
    if (auto key = pinned_key(server, key_id, KeyUse::seal)) return key;
    return log_key(server, key_id);
}

std::optional<std::string> Discovery::log_key(const std::string& server, const std::string& key_id)
{
    if (auto key = pinned_key(server, key_id, std::nullopt)) return key;
    try {
        spend_fetch(server, {});
        fetch(server);
    } catch (const Refused&) {
        return std::nullopt;
    }
    return pinned_key(server, key_id, std::nullopt);
}

std::size_t Discovery::count_sources() const
{
    const std::lock_guard lock(mutex_);
    return sources_.size();
}

bool Discovery::ring_knows(const std::string& server) const
{
    const std::lock_guard lock(mutex_);
    return ring_.find(server) != nullptr;
}

nlohmann::json Discovery::shown_key(const std::string& server, const std::string& key_id) const
{
    const std::lock_guard lock(mutex_);
    const auto* key = ring_.find(server, key_id);
    if (key == nullptr) return nullptr;
    auto statements = nlohmann::json::array();
    for (const auto& statement : ring_.find(server)->statements)
        statements.push_back(statement.text);
    return {
        {"server", server}, {"key", jwk_of(key->octets)}, {"statements", std::move(statements)}};
}

void Discovery::take_statements(const std::string& server,
                                const std::vector<std::string>& statements)
{
    const std::lock_guard lock(mutex_);
    if (ring_.find(server) == nullptr || statements.empty()) return;
    const auto at = clock_.now();
    journal_.append(
        {{"is", "statements"}, {"server", server}, {"statements", statements}, {"at", at}});
    ring_.take_statements(server, statements, at);
}

// [KEY-5, KEY-8]: bounded, since anybody can name a key that nobody has. `source` is empty where
// the fetch is for the peer's own needs.
void Discovery::spend_fetch(const std::string& server, const std::string& source)
{
    const std::lock_guard lock(mutex_);
    // One that is under way serves all.
    if (flights_.contains(server) && !flags_.has<"fetch-per-request">()) return;
    forget_some();
    if (flags_.has<"fetches-for-every-request">()) return;
    const bool is_known = ring_.find(server) != nullptr;
    if (!flags_.has<"refetches-unbounded">())
        spend_within_minute(memories_[server].fetches, fetches_a_minute);
    if (source.empty()) return;
    auto& memory = sources_[source];
    if (is_known && !flags_.has<"source-refetches-unbounded">())
        spend_within_minute(memory.refetches, refetches_of_a_source);
    if (!is_known && !flags_.has<"first-contacts-unbounded">())
        spend_within_minute(memory.first_contacts, first_contacts_of_a_source);
}

// Strangers must not fill the memory.
void Discovery::forget_some()
{
    if (memories_.size() >= max_memories && !flags_.has<"strangers-remembered">())
        std::erase_if(memories_, [&](const auto& one) { return ring_.find(one.first) == nullptr; });
    if (sources_.size() < max_memories) return;
    std::erase_if(sources_, [](const auto& one) {
        const auto& memory = one.second;
        const auto is_old = [](const std::deque<Deadline>& times) {
            return times.empty() || times.back() + minute <= Clock::now();
        };
        return is_old(memory.refetches) && is_old(memory.first_contacts);
    });
}

ServerDocument Discovery::document_of(const std::string& server)
{
    {
        const std::lock_guard lock(mutex_);
        const auto& memory = memories_[server];
        const auto* pins = ring_.find(server);
        if (flags_.has<"heard-ends-no-failure">() && Clock::now() < memory.failed_until)
            throw Refused{"unavailable", "the document couldn't be had a moment ago"};
        if (flags_.has<"heard-ends-no-failure">() && Clock::now() < memory.failed_until)
            throw Refused{"unavailable", "the document couldn't be had a moment ago"};
        if (pins != nullptr && Clock::now() < memory.fresh_until) return pins->document;
        if (Clock::now() < memory.failed_until && !flags_.has<"failures-forgotten">()) {
            if (pins != nullptr) return pins->document;
            throw Refused{"unavailable", "the document couldn't be had a moment ago"};
        }
    }
    try {
        fetch(server);
    } catch (const Refused&) {
        // Held beyond its time for as long as fetching fails.
        const std::lock_guard lock(mutex_);
        if (const auto* pins = ring_.find(server)) return pins->document;
        throw;
    }
    const std::lock_guard lock(mutex_);
    return ring_.find(server)->document;
}

void Discovery::heard_from(const std::string& server)
{
    if (flags_.has<"heard-ends-no-failure">()) return;
    const std::lock_guard lock(mutex_);
    auto& memory = memories_[server];
    memory.failed_until = {};
    memory.next_pause = first_pause;
}

void Discovery::fetch(const std::string& server)
{
    std::unique_lock lock(mutex_);
    if (const auto under_way = flights_.find(server);
        under_way != flights_.end() && !flags_.has<"fetch-per-request">()) {
        const auto flight = under_way->second;
        landed_.wait(lock, [&] { return flight->done; });
        if (flight->failure) throw *flight->failure;
        return;
    }
    const auto flight = flights_[server] = std::make_shared<Flight>();
    lock.unlock();
    try {
        fetch_alone(server);
    } catch (const Refused& refused) {
        flight->failure = refused;
    }
    lock.lock();
    flight->done = true;
    flights_.erase(server);
    landed_.notify_all();
    auto& memory = memories_[server];
    if (flight->failure) {
        memory.failed_until = in(memory.next_pause);
        memory.next_pause = std::min(memory.next_pause * 2, longest_pause);
        throw *flight->failure;
    }
    memory.next_pause = first_pause;
}

void Discovery::fetch_alone(const std::string& server)
{
    const auto document = fetch_document(server, caller_, flags_);
    const auto read = read_document(document, server, flags_);
    const std::lock_guard lock(mutex_);
    const auto at = clock_.now();
    // Durable before it is acted on [KEY-1].
    if (!flags_.has<"pins-not-durable">())
        journal_.append(
            {{"is", "document"}, {"server", server}, {"document", document}, {"at", at}});
    ring_.take(read, at);
    memories_[server].fresh_until = in(std::chrono::seconds(read.max_age));
}

std::size_t Discovery::servers() const
{
    const std::lock_guard lock(mutex_);
    return ring_.size() + memories_.size();
}

}  // namespace entente::conformance::reference
