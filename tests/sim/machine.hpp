// One simulated machine: a disk, a clock that may be wrong, and a server process on it that
// can be killed between any two steps and started again. The process is the daemon's own
// stores and federation, put together by daemon/stores and daemon/federation_stack; only
// the listener, the client API and the threads are left out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "daemon/federation_stack.hpp"
#include "tests/fault/disk.hpp"
#include "tests/fault/sqlite_vfs.hpp"
#include "tests/sim/backup.hpp"
#include "tests/sim/debts.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/window.hpp"

namespace entente::sim {

struct MachineOptions {
    int number = 0;
    std::string name;    // of the server
    std::string folder;  // of its own
    std::uint64_t seed = 0;
    double survival = 0;              // of unsynced writes
    std::vector<std::string> people;  // localparts
    // What each turn of the stores takes; where there is none, mostly nothing, and now and then
    // much.
    std::optional<milliseconds> turn_time = std::nullopt;
};

class Machine {
 public:
    Machine(MachineOptions options, Timeline& time, Network& network, Trace& trace);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    [[nodiscard]] const std::string& name() const { return options_.name; }
    [[nodiscard]] const std::vector<std::string>& people() const { return options_.people; }
    [[nodiscard]] fault::Disk& disk() { return disk_; }
    [[nodiscard]] DayClock& clock() { return clock_; }
    [[nodiscard]] const WindowMemory& window() const { return window_; }
    [[nodiscard]] const federation::Identity& identity() const { return identity_; }

    // Starts the process; it serves once it is ready.
    void boot();
    [[nodiscard]] bool is_running() const { return process_ != nullptr; }
    [[nodiscard]] bool is_ready() const;
    // The disk has failed it, or its power went: it has to be killed.
    [[nodiscard]] bool is_doomed() const { return doomed_; }
    [[nodiscard]] bool has_lost_power() const { return has_lost_power_; }

    // One handler; false where none is ready.
    bool step();
    // Timers may have fired.
    void feel_time();

    // kill -9: what was written stays. Nothing leaves the process from here on.
    void kill();
    // What wasn't synced is gone, as far as the disk's survival doesn't help it.
    void cut_power();
    // In order, as on SIGTERM.
    void stop();

    // Of a machine without a process. What is put back is the database alone or the window too;
    // the machine may have been started again meanwhile.
    [[nodiscard]] Backup back_up();
    void put_back(const Backup& backup, bool with_window, bool is_rebooted);

    // As `ententctl identity` and a SIGHUP do it; nothing where its clock forbids it.
    void rotate_key();
    void revoke_old_key();

    // Runs `task` in the process, which is ready; it ends with it.
    void spawn(asio::awaitable<void> task);
    [[nodiscard]] federation::Channels& channels();
    // Grows with every start: who asks twice knows whether it is the same process.
    [[nodiscard]] int life() const { return life_; }
    [[nodiscard]] std::size_t links() const;
    // What it holds in memory and in queues stays within what so few people can cause.
    void check_bounds();
    // The heartbeats that go out once an hour.
    void ask_all_followers();
    // Has it look up who is owed anything, and what is stuck (debts.hpp); to be asked a moment
    // later.
    void see_what_is_owed(std::string_view liar = {});
    // What it found; nothing where it couldn't look.
    [[nodiscard]] const std::optional<std::vector<Debt>>& debts() const { return debts_; }
    [[nodiscard]] const std::set<protocol::ChannelId>& stuck() const { return stuck_; }
    [[nodiscard]] std::size_t queued() const;

    // What is on its disk, once no process runs.
    [[nodiscard]] Result<std::unique_ptr<storage::Database>> open_database();

 private:
    struct Process;

    void end_process();
    void drain();
    void serve(net::Request request, Answer answer);
    asio::awaitable<void> start(Process& process);
    static asio::awaitable<void> ask_all(Process& process);
    asio::awaitable<void> look_up_owed(Process& process, std::string liar);
    asio::awaitable<void> run(Process& process, net::Request request, Answer answer);
    [[nodiscard]] daemon::StoragePlatform platform();
    void give_turn(std::function<void()> turn, milliseconds after);
    // What the machine does arms its own timers.
    class Turn;
    void use_keys(std::string_view what, const Result<void>& changed);

    MachineOptions options_;
    Timeline& time_;
    Network& network_;
    Trace& trace_;
    Chance chance_;
    TraceLog log_;
    DayClock clock_;
    SeededRandom random_;
    fault::Disk disk_;
    fault::SqliteVfs vfs_;
    WindowMemory window_;
    daemon::Config config_;
    daemon::Identity keys_;
    federation::Identity identity_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::unique_ptr<Process> process_;
    std::optional<std::vector<Debt>> debts_;
    std::set<protocol::ChannelId> stuck_;
    bool doomed_ = false;
    bool has_lost_power_ = false;
    int life_ = 0;
    int boots_ = 0;
};

}  // namespace entente::sim
