// Finds other servers and their keys [DISC-1 to DISC-4, KEY-1, KEY-4, KEY-5]: fetches
// server documents, has the key ring judge them, and makes what it decides durable before
// anyone acts on it. One fetch per server at a time, however many wait; failures are
// remembered; memory is bounded however many names are asked for. On the I/O thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>

#include "federation/discovery/recent_names.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"
#include "protocol/clock.hpp"
#include "storage/pin_store.hpp"
#include "trust/budgets.hpp"
#include "trust/key_ring.hpp"

namespace entente::federation {

namespace asio = boost::asio;
using protocol::KeyRef;
using protocol::Millis;
using protocol::PublicKey;
using protocol::ServerName;

struct DiscoveryOptions {
    protocol::NameRules names;
    std::chrono::milliseconds fetch_time{10'000};  // delegation included [DISC-2]
    std::int64_t min_age_s = 60;                   // what max_age is clamped to [DISC-4]
    std::int64_t max_age_s = 24 * 3600;
    std::int64_t first_failure_s = 10;  // doubling to max_failure_s
    std::int64_t max_failure_s = 3600;
    std::int64_t refetches_per_server = 5;  // a minute [KEY-5]
    std::int64_t refetches_per_source = 1;
    std::int64_t first_fetches_per_source = 30;  // a minute, for servers never seen before
    std::size_t max_remembered = 4096;           // servers whose last fetch is remembered
    // Fetches at once for requests that came in, and as many for all else: neither the many
    // peers that are owed something keep strangers out, nor the other way round.
    std::size_t max_under_way = 64;
    // Pins of servers with which there was nothing yet but a request or a look, at most 64 KiB
    // each: those that weren't used for longest go, and are met anew as at first contact.
    std::size_t max_unrelated_pins = 1'000;
    // Servers that the configuration names: their pins stay.
    std::unordered_set<ServerName> kept{};
};

// What an administrator should hear of: conflicts, first pins, failures to store.
using Notice =
    std::function<void(const ServerName& server, std::string_view what, std::string_view detail)>;

// Servers that a request has named, and whose documents were fetched for that, before its signature
// has verified: at most 64 KiB each, in memory alone. More than fetches can be under way.
inline constexpr std::size_t max_unproven_pins = 256;

class Discovery {
 public:
    // `tasks` has stopped before this goes.
    Discovery(net::TaskGroup& tasks, net::Fetcher& http, trust::KeyRing& ring,
              storage::PinStore& pins, const protocol::Clock& clock, DiscoveryOptions options,
              Notice notice = {});
    ~Discovery();
    Discovery(const Discovery&) = delete;
    Discovery& operator=(const Discovery&) = delete;

    // The pin without its statements, its document not older than max_age where that can be
    // had; an older one while fetching fails. For a server never pinned: `unavailable` (with
    // retry_after while the failure is remembered), `malformed` (the document is unusable),
    // `forbidden` (guard).
    asio::awaitable<Result<trust::PinnedServer>> peer(ServerName server);

    // The key for a request's signature: from the pins, else by one bounded fetch [KEY-5].
    // What a fetch shows of a server that isn't pinned is held for prove() alone.
    // `key_unavailable` where no fetch was possible or it failed, `unknown_key` only where one
    // succeeded and doesn't show the key, `key_revoked`, `key_conflict`.
    asio::awaitable<Result<PublicKey>> request_key(KeyRef ref, asio::ip::address source);
    // A request by `ref` has verified: only now is its server pinned, durably, where it wasn't.
    // `key_unavailable` where that can't be.
    asio::awaitable<Result<void>> prove(KeyRef ref);
    // The same as request_key() for an answer to a request of ours: no source address to charge.
    asio::awaitable<Result<PublicKey>> answer_key(KeyRef ref);
    // For the root of submissions, judged as of `root_at`.
    asio::awaitable<Result<PublicKey>> seal_key(KeyRef ref, Millis root_at);
    // For a log that is already written: whatever its status, which the caller may mark [KEY-7].
    asio::awaitable<Result<trust::PinnedKey>> log_key(KeyRef ref);

    // Statements of `server` that another one hands on [KEY-6, LOG-6], JWS: what proves itself
    // and follows from the pins counts once this returns, durably. They never pin: nothing
    // happens where the server isn't pinned. At most trust::max_statements_at_once new ones are
    // read, each at the cost of up to three signature checks: the caller charges for them.
    asio::awaitable<Result<void>> hear_statements(ServerName server,
                                                  std::vector<std::string> statements);
    // The statements held of a pinned server, to be handed on; empty where it isn't pinned.
    [[nodiscard]] std::vector<std::string> statements_of(const ServerName& server) const;

    // [KEY-4] The administrator's word on a pinned server that shows keys out of the pins' reach:
    // on the document that it shows now, which is fetched whatever the caches say. False where
    // that agrees with the pins, and so ends a conflict by itself. `not_found` where the server
    // isn't pinned; what a fetch may fail with.
    // Pins what it shows in place of what was pinned. `conflict`, with what it shows in the
    // detail, unless `recovery` is its recovery key; `malformed` where it contradicts itself.
    asio::awaitable<Result<bool>> accept_keys(ServerName server,
                                              std::optional<protocol::KeyId> recovery);
    // Keeps to the pins: what it shows besides is refused, and no conflict any more.
    asio::awaitable<Result<bool>> keep_keys(ServerName server);

    // A proven inbound request of that server: failures are forgotten [DISC-4].
    void heard_from(const ServerName& server);

    // A server begins to contradict its pins by what it has `shown`: a document, or statements
    // with a line break behind each.
    void on_conflict(std::function<void(const ServerName&, const std::string& shown)> told)
    {
        conflict_ = std::move(told);
    }

    [[nodiscard]] const trust::KeyRing& ring() const { return ring_; }

    struct Figures {
        std::uint64_t fetches = 0;
        std::uint64_t failures = 0;
        std::size_t remembered = 0;
        std::size_t under_way = 0;
        std::size_t unproven = 0;
    };
    [[nodiscard]] Figures figures() const;

 private:
    struct Flight;
    class Landing;
    class Turn;
    enum class Place : std::uint8_t { inbound, own };
    struct Memory {
        ServerName server;
        Millis fetched_at = 0;       // of the last success; 0: never
        std::int64_t max_age = 0;    // clamped
        std::int64_t failure_s = 0;  // how long the last failure counts; 0: none
        Millis retry_at = 0;
        Error failure;
        std::deque<Millis> refetched;  // for unknown keys, within the last minute
    };

    [[nodiscard]] static Result<PublicKey> or_unavailable(Result<PublicKey> key,
                                                          const Result<void>& fetched);
    [[nodiscard]] Memory& memory(const ServerName& server);
    [[nodiscard]] Result<void> recent_failure(const ServerName& server, Millis now) const;
    [[nodiscard]] Result<void> charge_refetch(const ServerName& server,
                                              const std::optional<std::string>& source, Millis now);
    [[nodiscard]] Result<void> charge_server(const ServerName& server, Millis now);
    [[nodiscard]] bool is_fresh(const ServerName& server, Millis now) const;
    asio::awaitable<Result<void>> refetch(ServerName server, std::optional<std::string> source);
    asio::awaitable<Result<void>> fetch_shared(ServerName server, Place place);
    asio::awaitable<void> fly(Landing landing);
    asio::awaitable<Result<void>> fetch_own(ServerName server);
    asio::awaitable<Result<void>> fetch_and_pin(ServerName server, Place place);
    asio::awaitable<Result<void>> pin(protocol::ServerDocument document, Place place);
    asio::awaitable<Result<void>> pin_unproven(ServerName server);
    void hold_unproven(const protocol::ServerDocument& document);
    void note_use(const ServerName& server);
    asio::awaitable<void> make_room();
    // Where that server is held, proven or not.
    [[nodiscard]] const trust::KeyRing& ring_of(const ServerName& server) const;
    [[nodiscard]] bool is_known(const ServerName& server) const;
    asio::awaitable<Turn> turn_to_pin(ServerName server);
    asio::awaitable<Result<void>> hold(trust::KeyRing::Judgement judgement, std::string shown);
    asio::awaitable<Result<protocol::ServerDocument>> fetch_of_pinned(ServerName server);
    void remember_success(const ServerName& server);
    [[nodiscard]] bool is_worth_a_fetch(const KeyRef& ref, Code code) const;
    void remember_failure(const ServerName& server, const Error& error);
    void tell(const ServerName& server, std::string_view what, std::string_view detail) const;

    net::TaskGroup& tasks_;
    net::Fetcher& http_;
    trust::KeyRing& ring_;
    storage::PinStore& pins_;
    const protocol::Clock& clock_;
    DiscoveryOptions options_;
    Notice notice_;
    std::function<void(const ServerName&, const std::string& shown)> conflict_;
    std::list<Memory> order_;  // the latest used first
    std::unordered_map<ServerName, std::list<Memory>::iterator> index_;
    std::unordered_map<ServerName, std::shared_ptr<Flight>> flights_;
    std::unordered_map<ServerName, std::shared_ptr<asio::steady_timer>> pinning_;
    trust::KeyRing unproven_;
    RecentNames unproven_names_;
    RecentNames unrelated_;  // as far as is known: looked up when it gets too many
    bool has_listed_pins_ = false;
    bool is_making_room_ = false;
    trust::BucketTable by_source_;
    trust::BucketTable first_by_source_;
    Figures figures_;
};

}  // namespace entente::federation
