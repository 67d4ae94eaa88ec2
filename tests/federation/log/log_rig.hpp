// What the tests of the channel log stand on: servers in one process that know each other's
// keys, each with a real SQLite file and a real group commit, a clock that moves only when
// told and randomness from a seed. Transactions go from one inbox to another as the octets
// that would travel; there is no network, and a key that isn't pinned can't be had.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "federation/channels/device_cursors.hpp"
#include "federation/channels/local_channels.hpp"
#include "federation/inbox/inbox.hpp"
#include "federation/links/batch.hpp"
#include "federation/links/settlement.hpp"
#include "federation/log/retention.hpp"
#include "federation/people/directory.hpp"
#include "federation/queries/queries.hpp"
#include "federation/queries/repair.hpp"
#include "protocol/json_rules.hpp"

namespace entente::federation::log_rig {

// Content of a message.
inline const std::string hello = R"({"text":"hello"})";

using protocol::ChannelId;
using protocol::EventAndContent;
using protocol::Hash;
using protocol::UserId;
using protocol::Uuid;

class ManualClock final : public protocol::Clock {
 public:
    [[nodiscard]] Millis now_ms() const override { return now; }
    std::atomic<Millis> now{1'763'683'200'000};  // threads of the stores read it too
};

class SeededRandom final : public protocol::Random {
 public:
    [[nodiscard]] std::string octets(std::size_t size) override;

 private:
    std::mutex mutex_;
    std::mt19937_64 generator_{20251121};
};

// The index by event id in memory; it outlives a server's restart unless it is lost.
class MemoryIndex final : public storage::EventPlaces {
 public:
    Result<void> add_events(const std::vector<storage::IndexedEvent>& events,
                            const std::optional<storage::IndexMark>& mark) override;
    Result<std::vector<storage::EventPlace>> find_event(const Hash& id) override;
    Result<std::optional<storage::IndexMark>> index_mark() override;
    void fail_look_ups(bool fail) { is_failing_ = fail; }

 private:
    std::atomic<bool> is_failing_{false};
    std::mutex mutex_;
    std::multimap<Hash, storage::EventPlace> events_;
    std::optional<storage::IndexMark> mark_;
};

// Outlives the server, as the replay window does.
class MemoryRefusals final : public storage::RefusedItems {
 public:
    Result<void> note_refused(const Hash& item, Code code, protocol::Seconds expires) override
    {
        const std::lock_guard lock(mutex_);
        refused_.emplace(item, code);
        last_expiry = expires;
        return {};
    }
    Result<std::optional<Code>> find_refused(const Hash& item) override
    {
        const std::lock_guard lock(mutex_);
        const auto found = refused_.find(item);
        return found == refused_.end() ? std::nullopt : std::optional(found->second);
    }

    protocol::Seconds last_expiry = 0;

 private:
    std::mutex mutex_;
    std::map<Hash, Code> refused_;
};

class Folder {
 public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const
    {
        return (path_ / name).string();
    }

 private:
    std::filesystem::path path_;
};

struct World {
    World() { protocol::start_crypto(); }

    template <class T>
    T run(asio::awaitable<T> task)
    {
        // Two threads that run it wait for each other's wake-ups.
        if (std::this_thread::get_id() != thread) throw std::logic_error("run within a job");
        std::optional<T> outcome;
        asio::co_spawn(io, std::move(task), [&outcome](const std::exception_ptr& thrown, T value) {
            if (thrown) std::rethrow_exception(thrown);
            outcome.emplace(std::move(value));
        });
        io.restart();
        while (!outcome) io.run_one();
        io.poll();
        return std::move(*outcome);
    }

    const std::thread::id thread = std::this_thread::get_id();
    asio::io_context io;
    ManualClock clock;
    SeededRandom random;
    Folder folder;
};

// What a server told its listeners.
struct Heard final : CommitListener {
    void entries_committed(const ChannelId&, const std::shared_ptr<const ClientEntries>&) override
    {
    }
    void delivery_changed(const ChannelId&, const UserId&, const Posted& posted) override
    {
        changed.push_back(posted);
    }
    void delivered_to(const ChannelId&, const ServerName& server, std::int64_t seq) override
    {
        delivered[server.str()] = seq;
    }
    void membership_changed(const UserId& user) override { memberships.push_back(user.str()); }
    void channel_frozen(const ChannelId& channel, bool frozen) override
    {
        freezes.emplace_back(channel, frozen);
    }
    void channel_stalled(const ChannelId& channel, const std::optional<Stalled>& stalled) override
    {
        stalls.emplace_back(channel, stalled);
    }

    std::vector<Posted> changed;
    std::vector<std::pair<ChannelId, std::optional<Stalled>>> stalls;
    std::vector<std::pair<ChannelId, bool>> freezes;
    std::map<std::string, std::int64_t> delivered;
    std::vector<std::string> memberships;
};

// What a server wrote into its own log: level, component and names with their values.
struct HeardLog final : protocol::Log {
    using Log::write;
    struct Line {
        protocol::LogLevel level;
        std::string component;
        std::map<std::string, std::string> fields;
    };
    [[nodiscard]] bool enabled(protocol::LogLevel, std::string_view) const override { return true; }
    void write(protocol::LogLevel level, std::string_view component, std::string_view,
               std::span<const protocol::LogField> fields) override
    {
        Line line{level, std::string(component), {}};
        for (const auto& field : fields) line.fields.emplace(field.name, field.value);
        lines.push_back(std::move(line));
    }
    std::vector<Line> lines;
};

// What a log is to the outside: who computes it from the same entries gets the same.
struct LogImage {
    std::int64_t seq = 0;
    std::string hash;
    std::string state;
    bool frozen = false;
    std::int64_t floor = 0;
};

struct Server {
    Server(World& shared, const std::string& name, std::size_t cached_channels = 8);
    ~Server() { close(); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void open();
    void close();
    void restart()
    {
        close();
        open();
    }
    void pin(const Server& other);

    // Users' doings, by the client API's door.
    [[nodiscard]] UserId user(const std::string& localpart) const;
    [[nodiscard]] Actor actor(const std::string& localpart);
    ChannelId create(const std::string& localpart, const std::string& history = "since-join",
                     bool is_public = false);
    Result<Posted> post(const std::string& localpart, const ChannelId& channel,
                        const std::string& text);

    Result<Posted> change(const std::string& localpart, const ChannelId& channel,
                          ChannelChange change);

    // One event in the name of one of our users (or of the server itself, where `sender`
    // has no localpart), as it would be handed in.
    struct Wish {
        std::string type;
        std::string sender;  // whole
        std::string members = "{}";
        std::optional<Uuid> txn{};
        std::optional<Hash> target{};
        Millis at_offset = 0;
    };
    EventAndContent event(const ChannelId& channel, const Wish& wish);
    // Appended here, where the channel's home is.
    Result<Appended> append(const EventAndContent& event);

    // A transaction as octets into the inbox, as `origin` would send it.
    protocol::TransactionResult receive(const Server& origin,
                                        const protocol::OutgoingTransaction& transaction);
    // The body of the answer to a log query by `asker`, where it is a 200.
    asio::awaitable<Result<std::string>> answer_log_query(Identity asker, std::string target);
    asio::awaitable<Result<std::string>> ask_peer(ServerName server, std::string target);
    net::Response receive_octets(const Server& origin, std::string body);

    // What devices said is written, and all contents whose time is over are erased.
    void end_retentions();

    // Job over the writer's or a reader's connection.
    template <class Job>
    auto write(Job job)
    {
        return world.run(commits->write(std::move(job)));
    }
    template <class Job>
    auto read(Job job)
    {
        return world.run(commits->read(std::move(job)));
    }
    // In force from now on, beside the shipped ones: rules of a policy "own", version 1.
    void enforce(const std::string& rules);
    [[nodiscard]] std::optional<LogImage> image(const ChannelId& channel);
    [[nodiscard]] std::vector<storage::StoredEntry> entries(const ChannelId& channel,
                                                            std::int64_t after);
    // What its messages say, in their order, over epochs.
    [[nodiscard]] std::vector<std::string> texts(const ChannelId& channel);
    [[nodiscard]] std::optional<storage::CursorRow> cursor(const ChannelId& channel,
                                                           const Server& follower);
    [[nodiscard]] std::vector<storage::DirectRow> outgoing_direct(const Server& to);
    [[nodiscard]] std::optional<storage::SubmissionRow> submission(const Hash& id);

    World& world;
    Identity identity;
    std::size_t cached;
    std::shared_ptr<MemoryIndex> places = std::make_shared<MemoryIndex>();
    MemoryRefusals refused;
    std::unique_ptr<storage::EventIndex> index;
    std::vector<trust::PinnedServer> pins;
    Heard heard;
    std::vector<std::string> woken;
    std::vector<std::string> forked;
    std::vector<std::string> late;  // logged under a key that was revoked: its server and seq
    std::vector<std::string> fork_kinds;
    std::vector<std::string> thawed;
    std::vector<std::pair<ChannelId, std::int64_t>> lacked;  // logs, and their floors
    std::vector<std::string> invited;
    std::vector<std::string> asked_moderators;
    trust::TierTable tiers;
    trust::Tier tier = trust::Tier::trusted;  // of whoever sends here
    trust::Mode mode = trust::Mode::open;     // from the next start on
    DirectRefused direct_refused;
    // Whose key signs what is sent here; the origin's own where there is none, which is all that a
    // gate lets in.
    std::optional<protocol::SigningKey> forger;

    std::unique_ptr<net::TaskGroup> tasks;
    std::unique_ptr<net::HttpClient> http;
    std::unique_ptr<storage::GroupCommit> commits;
    std::unique_ptr<storage::PinStore> pin_store;
    std::unique_ptr<trust::KeyRing> ring;
    std::unique_ptr<Discovery> discovery;
    std::unique_ptr<storage::ChannelLogStore> store;
    std::unique_ptr<Verifier> verifier;
    std::unique_ptr<HomeLog> home;
    std::unique_ptr<Succession> succession;
    std::unique_ptr<LongWaits> waits;
    std::unique_ptr<FollowerLog> follower;
    std::unique_ptr<Direct> direct;
    std::unique_ptr<Notices> notices;
    std::unique_ptr<Settlement> settlement;
    std::unique_ptr<DeviceCursors> devices;
    std::unique_ptr<Retention> retention;
    std::unique_ptr<Directory> directory;
    AskServer ask;  // what the directory asks other servers with
    std::unique_ptr<LocalChannels> channels;
    std::unique_ptr<trust::Budgets> budgets;
    // How far the others are trusted, which no test but of conduct looks at.
    trust::ConductFigures conduct_figures;  // from the next start on
    std::unique_ptr<trust::Tiers> standings;
    std::unique_ptr<Conduct> conduct;
    std::unique_ptr<storage::AcceptedCounts> accepted;
    HeardLog conduct_log;
    std::function<void(const std::vector<ServerName>&)> on_moved;
    std::unique_ptr<Inbox> inbox;
    // The shipped ones, until a test says otherwise; they outlive a restart.
    std::shared_ptr<trust::policy::Policies> policies = trust::policy::shipped_alone();
    std::unique_ptr<trust::policy::Enforcer> enforcer;
    std::unique_ptr<Queries> queries;
    std::unique_ptr<Repair> repair;
    // Who answers this server's queries, by name; and what becomes of an answer on its way.
    std::map<std::string, Server*> reachable;
    std::function<Result<std::string>(const std::string& peer, Result<std::string> answer)> spoil;
    std::vector<std::pair<std::string, ChannelId>> asked;  // by the repair: follower, channel
    HeardLog repair_log;
    protocol::NullLog null_log;
    HeardLog waits_log;
};

// Two or more servers that have pinned each other: a.example, b.example, c.example.
struct Servers {
    explicit Servers(std::size_t cached_channels = 8);
    World world;
    Server a, b, c;
};

// What `author`'s own key has sealed, though the server knows nothing of it.
[[nodiscard]] protocol::OutgoingTransaction sealed(Server& author, const ChannelId& channel,
                                                   std::vector<EventAndContent> events,
                                                   Millis sealed_ago = 0);
// A sealed submission by `author`, who remembers it; `sealed_ago` is how old its root is.
[[nodiscard]] protocol::OutgoingTransaction submission(Server& author, const ChannelId& channel,
                                                       std::vector<EventAndContent> events,
                                                       Millis sealed_ago = 0);
// Handed in and answered; the result of each event.
std::vector<protocol::EventResult> hand_in(Server& author, Server& home, const ChannelId& channel,
                                           std::vector<EventAndContent> events);
// Entries after `after`, at most `limit`, as the home sends them.
[[nodiscard]] protocol::OutgoingTransaction slice(Server& home, const ChannelId& channel,
                                                  std::int64_t after, std::int64_t limit);
// The home's own word for another history, from the entry behind `after` on.
[[nodiscard]] protocol::OutgoingTransaction rewritten(Server& home, const ChannelId& channel,
                                                      std::int64_t after);
// Sends one slice and gives the answer to it.
protocol::SliceResult deliver(Server& home, Server& follower,
                              const protocol::OutgoingTransaction& transaction);

// One whole exchange as a peer link does it: batch, inbox, settlement.
Result<Settled> exchange(Server& from, Server& to, const Held& held = {});
// The same with a heartbeat for `channel`, and what it says given to the repair of `from`.
Result<Settled> ask(Server& from, Server& to, const ChannelId& channel);
// Until the repair has nothing under way.
void finish_fetching(Server& home);
// The files of a server as they stand, to be put back later. It must be closed.
void copy_database(World& world, const std::string& server, const std::string& from,
                   const std::string& to);

// Until neither owes the other anything that isn't held.
void settle_all(Server& one, Server& other);

// alice@a made a channel in which bob@b is a member whose server follows.
ChannelId shared_channel(Server& a, Server& b, const std::string& history = "since-join");

// Signs `slices` anew as `signer`'s: their checkpoints under one new root, put in place 0.
void sign_anew(Server& signer, protocol::OutgoingTransaction& transaction);
// The chain of a slice computed anew after its entries were changed, and its checkpoint.
void rechain(protocol::Slice& slice);

inline constexpr std::int64_t all_entries = 1000;

}  // namespace entente::federation::log_rig
