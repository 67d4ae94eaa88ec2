// What the tests of the stored log stand on: a store over a folder that may be closed and
// opened again, channels and entries made to order, and their chain by another hand.
#pragma once

#include <filesystem>

#include <gtest/gtest.h>

#include "protocol/ed25519.hpp"
#include "storage/channel_log_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/nonce_window.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"

namespace entente::storage::log_rig {

using protocol::ChannelId;
using protocol::Hash;
using protocol::ServerName;

inline const ChannelId garden =
    ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ab@a.example");
inline const ChannelId meadow =
    ChannelId::trusted("0192f0c1-7b1a-7c3d-8e4f-0123456789ac@a.example");
inline const ServerName home = ServerName::trusted("a.example");

inline protocol::Uuid txn(int number)
{
    protocol::Uuid uuid;
    uuid.octets[15] = static_cast<std::uint8_t>(number & 0xff);
    uuid.octets[14] = static_cast<std::uint8_t>(number >> 8);
    return uuid;
}

inline std::string event_text(int number)
{
    return "event " + std::to_string(number);
}

// Is there where a commit has been made and no one has been told.
class Onlooker : public Participant {
 public:
    std::function<void()> look;

 private:
    Result<void> flush(WriteTransaction&) override { return {}; }
    void rolled_back() override {}
    void committed() override
    {
        if (look) look();
    }
};

// A store over a folder that may be closed and opened again.
class Rig {
 public:
    explicit Rig(bool with_index = true, std::size_t cached = 8)
        : Rig(std::string(), with_index, cached)
    {
    }
    // Over a folder that outlives it; "" means one of its own.
    explicit Rig(const std::string& folder, bool with_index = true, std::size_t cached = 8)
        : path_(folder.empty() ? own_folder_.path() : folder),
          with_index_(with_index),
          cached_channels_(cached)
    {
        protocol::start_crypto();
        open();
    }
    ~Rig() { close(); }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    template <class Job>
    auto write(Job job)
    {
        return testing::run(io, commits->write(std::move(job)));
    }
    template <class Job>
    auto read(Job job)
    {
        return testing::run(io, commits->read(std::move(job)));
    }

    void open()
    {
        if (with_index_) {
            RocksWindowOptions options;
            options.folder = path_ + "/window";
            options.boot_id = "one";
            window = open_rocks_window(options).value();
            index = std::make_unique<EventIndex>(window->events());
        }
        committed.clear();
        commits =
            std::make_unique<GroupCommit>(io.get_executor(), make_sqlite_database(path_ + "/db"),
                                          GroupCommitOptions{}, [](const Error&) {});
        store = std::make_unique<ChannelLogStore>(
            index.get(), protocol::NameRules{}, cached_channels_,
            [this](const CommittedRun& run) { committed.push_back(run); });
        commits->add(onlooker);
        commits->add(*store);
        ASSERT_TRUE(commits->start());
        if (!index) return;
        ASSERT_TRUE(read([this](Connection& db) { return index->open(db); }));
        while (catches_up && !index->is_complete()) ASSERT_TRUE(catch_up(1'000));
    }
    Result<bool> catch_up(std::size_t max_events)
    {
        return read([&](Connection& db) { return index->catch_up(db, max_events); });
    }
    void close()
    {
        if (!commits) return;
        commits->stop();
        commits.reset();
        store.reset();
        if (index) index->flush();
        index.reset();
        if (window) window->close();
        window.reset();
    }
    void restart(bool lose_index = false)
    {
        close();
        if (lose_index) std::filesystem::remove_all(path_ + "/window");
        open();
    }

    [[nodiscard]] Result<LiveChannel*> make(WriteTransaction& transaction, const ChannelId& name,
                                            std::int64_t floor = 0)
    {
        ChannelLogStore::NewLog log;
        log.name = name;
        log.home = home;
        log.floor = floor;
        log.hash = floor > 0 ? "floor" : "";
        log.state = state();
        return store->create(transaction.db(), std::move(log));
    }
    static protocol::ChannelState state(const std::string& name = "garden")
    {
        protocol::ChannelState made;
        made.kind = "group";
        made.name = name;
        made.home = home.str();
        return made;
    }
    [[nodiscard]] Result<void> add(WriteTransaction& transaction, LiveChannel& channel, int number)
    {
        ChannelLogStore::Addition addition;
        addition.entry.at = number;
        addition.entry.event = event_text(number);
        addition.entry.content = "content";
        addition.event_id = protocol::event_id(addition.entry.event);
        addition.origin = ServerName::trusted("b.example");
        addition.txn = txn(number);
        return store->append(transaction.db(), channel, std::move(addition));
    }
    // Entries first … last, sealed together, in one commit.
    void commit(const ChannelId& name, int first, int last, bool checkpoint = false)
    {
        auto done = write([&](WriteTransaction& transaction) -> Result<void> {
            auto channel = store->find(transaction.db(), name);
            if (!channel && channel.error().code == Code::not_found)
                channel = make(transaction, name);
            if (!channel) return fail(channel);
            protocol::Seal seal;
            for (int i = first; i <= last; ++i) {
                if (auto added = add(transaction, **channel, i); !added) return added;
                seal.events.push_back(protocol::event_id(event_text(i)));
            }
            store->add_seal(**channel, seal, "root of " + std::to_string(first));
            if (checkpoint) {
                protocol::Checkpoint made;
                made.seq = (*channel)->seq;
                made.hash = (*channel)->hash;
                store->set_checkpoint(**channel, made, "checkpoint at " + std::to_string(last));
            }
            return {};
        });
        ASSERT_TRUE(done) << done.error().detail;
    }
    Result<LogPage> page(const ChannelId& name, std::int64_t after, PageLimits limits = {},
                         bool to_checkpoint = false)
    {
        return read([&](Connection& db) -> Result<LogPage> {
            auto row = read_channel(db, name);
            if (!row) return fail(row);
            return read_log(db, *row, after, limits, to_checkpoint);
        });
    }
    Result<ChannelRow> row(const ChannelId& name)
    {
        return read([&](Connection& db) { return read_channel(db, name); });
    }
    template <class Job>  // Result<T>(WriteTransaction&, LiveChannel&)
    auto with(const ChannelId& name, Job job)
    {
        return write([&](WriteTransaction& transaction)
                         -> std::invoke_result_t<Job&, WriteTransaction&, LiveChannel&> {
            auto channel = store->find(transaction.db(), name);
            if (!channel) return fail(channel);
            return job(transaction, **channel);
        });
    }
    Result<StoredEntry> by_id(const ChannelId& name, int number)
    {
        return with(name, [&](WriteTransaction& transaction, LiveChannel& channel) {
            return store->entry_by_id(transaction.db(), channel,
                                      protocol::event_id(event_text(number)));
        });
    }

    // Beside the connections of `commits`.
    std::unique_ptr<Connection> another_reader()
    {
        return make_sqlite_database(path_ + "/db")->open_reader().value();
    }

    boost::asio::io_context io;
    Onlooker onlooker;  // on the writer's thread
    std::unique_ptr<ReplayMemory> window;
    std::unique_ptr<EventIndex> index;
    bool catches_up = true;  // at open
    std::unique_ptr<GroupCommit> commits;
    std::unique_ptr<ChannelLogStore> store;
    std::vector<CommittedRun> committed;

 private:
    testing::TemporaryFolder own_folder_;
    std::string path_;
    bool with_index_;
    std::size_t cached_channels_;
};

// The chain of entries first … last behind `hash`, by another hand than the store's.
inline std::string chain(const ChannelId& name, std::string hash, std::int64_t seq, int first,
                         int last)
{
    for (int i = first; i <= last; ++i)
        hash = protocol::entry_hash(name, 1, seq++, i, hash, protocol::event_id(event_text(i)));
    return hash;
}

}  // namespace entente::storage::log_rig
