#include "daemon/disk_room.hpp"

#include <algorithm>
#include <string>

#include "storage/incoming_store.hpp"

namespace entente::daemon {

namespace {

constexpr std::string_view tried_fact = "disk_tried";

// Another text each time: what is there already would not be written.
struct Try {
    protocol::Millis at;
    std::size_t octets;
    Result<void> operator()(storage::WriteTransaction& transaction) const
    {
        auto text = std::to_string(at);
        text.resize(std::max(text.size(), octets), '.');
        return storage::set_fact(transaction.db(), tried_fact, text);
    }
};

}  // namespace

void DiskRoom::told(bool is_full, storage::GroupCommit& commits)
{
    is_told_full_ = is_full;
    // That something small went through is not yet room: what is tried says that.
    if (!is_full || is_full_) return;
    is_full_ = true;
    protocol::log_error(
        log_, "storage", "the disk is full; nothing is taken until there is room, reading goes on",
        {{"data", data_}, {"remedy", "make room there; the server goes on by itself"}});
    tasks_.spawn(keep_trying(commits));
}

Result<void> DiskRoom::check() const
{
    if (is_full_) return refuse(Code::unavailable, "the disk is full");
    return {};
}

boost::asio::awaitable<void> DiskRoom::keep_trying(storage::GroupCommit& commits)
{
    while (co_await net::sleep_for(try_interval)) {
        Try whole{clock_.now_ms(), tried_octets};
        auto tried = co_await commits.write(whole);
        if (!tried) continue;
        // It need not stay. And what the commit before told of the disk has come by then.
        Try little{clock_.now_ms(), 0};
        auto tidied = co_await commits.write(little);
        if (!tidied || is_told_full_) continue;
        is_full_ = false;
        protocol::log_info(log_, "storage", "there is room on the disk again");
        co_return;
    }
}

}  // namespace entente::daemon
