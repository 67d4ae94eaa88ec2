// A log store under load: the database, the group commit, the replay window with its index
// and ChannelLogStore as the daemon puts them together, on a folder of their own, and
// messages as peers send them. Measures nothing itself but the time of each page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "storage/channel_log_store.hpp"
#include "storage/event_index.hpp"
#include "storage/group_commit.hpp"
#include "storage/nonce_window.hpp"
#include "tests/bench/storage_messages.hpp"

namespace entente::bench {

inline constexpr std::size_t busy_channels = 64;
inline constexpr std::size_t messages_per_run = 20;
inline constexpr std::size_t channels_per_commit = 8;
inline constexpr std::int64_t messages_per_commit =
    static_cast<std::int64_t>(channels_per_commit * messages_per_run);
inline constexpr std::int64_t page_entries = 50;

class StoreUnderLoad {
 public:
    // Throws Broken where the stores can't be opened, as do the others at an error.
    explicit StoreUnderLoad(std::string folder);
    ~StoreUnderLoad();
    StoreUnderLoad(const StoreUnderLoad&) = delete;
    StoreUnderLoad& operator=(const StoreUnderLoad&) = delete;

    // Up to `messages` in all, in commits over all channels, the quiet one included; the runs
    // are as long as they are in write().
    void load_up_to(std::int64_t messages);
    // Commits of 20 messages for each of 8 channels, of which two are under way at any time.
    void write(std::int64_t commits);
    // A second, in which the maintenance thread brings what is in the WAL into the database.
    static void pause();
    // Until the WAL is empty: all of the log is in the database file.
    void rest();

    enum class Where : std::uint8_t { busy, quiet };
    // Milliseconds that each of `count` pages of 50 took, one after the other, of random
    // channels below random entries that have a full page below them, read as
    // `messages?before=` reads them. Empty where no channel has as many entries.
    [[nodiscard]] std::vector<double> pages(Where where, std::size_t count);
    // Milliseconds that each of `count` look-ups of random events by their id took.
    [[nodiscard]] std::vector<double> lookups(std::size_t count);
    // Seconds in which the index by event id is made anew beside the one in use, in steps on a
    // reader as in the daemon.
    [[nodiscard]] double rebuild_index();
    // The system forgets what it holds of the database in memory, so that pages come from
    // the disk.
    void forget_cached();

    [[nodiscard]] std::int64_t messages() const { return messages_; }
    [[nodiscard]] double database_octets() const;
    [[nodiscard]] double window_octets() const;

 private:
    using Runs = std::vector<std::pair<std::size_t, MessageMaker::Run>>;

    void make_channels();
    boost::asio::awaitable<void> keep_writing(std::int64_t& commits_left);
    [[nodiscard]] Runs make_runs(std::size_t first_channel, std::size_t channels,
                                 std::size_t messages_each);
    boost::asio::awaitable<void> commit(Runs runs);
    boost::asio::awaitable<void> read_page(std::size_t channel, std::int64_t before);
    boost::asio::awaitable<protocol::Hash> read_id(std::size_t channel, std::int64_t seq);
    boost::asio::awaitable<void> look_up(protocol::Hash id, std::int64_t seq);
    boost::asio::awaitable<void> catch_up(storage::EventIndex& index);
    [[nodiscard]] Result<void> append_run(storage::WriteTransaction& transaction,
                                          std::size_t channel, const MessageMaker::Run& run);
    void run(boost::asio::awaitable<void> task);
    protocol::Hash run(boost::asio::awaitable<protocol::Hash> task);

    std::string folder_;
    MessageMaker maker_;
    std::mt19937_64 places_{7};
    std::vector<protocol::ChannelId> channels_;  // the quiet one is the last
    std::vector<std::int64_t> heads_;            // as many entries as each was given
    std::size_t next_channel_ = 0;
    std::int64_t messages_ = 0;

    boost::asio::io_context io_;
    std::unique_ptr<storage::ReplayMemory> window_;
    std::unique_ptr<storage::EventIndex> index_;
    std::unique_ptr<storage::ChannelLogStore> logs_;
    std::unique_ptr<storage::GroupCommit> commits_;
};

}  // namespace entente::bench
