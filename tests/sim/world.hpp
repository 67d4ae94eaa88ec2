// One run: machines, people and a network, what goes wrong between them, and in the end
// whether all that people were told is true. Everything follows from the seed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/liar.hpp"
#include "tests/sim/people.hpp"
#include "tests/sim/truth.hpp"
#include "tests/sim/turns.hpp"

namespace entente::sim {

struct RunOptions {
    std::uint64_t seed = 1;
    std::string folder;  // for the run's files; emptied by whoever gives it
    Printing printing = Printing::nothing;
};

struct RunResult {
    std::uint64_t hash = 0;           // of the trace
    std::vector<std::string> faults;  // none: all is as it must be
    std::uint64_t steps = 0;
    std::size_t told = 0;     // answers to people
    std::size_t entries = 0;  // in the logs at their homes
    std::size_t endings = 0;  // processes that were killed
    protocol::Millis virtual_ms = 0;
};

[[nodiscard]] RunResult run_seed(const RunOptions& options);

class World {
 public:
    explicit World(const RunOptions& options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] RunResult run();

 private:
    void make_liar();
    void people_live();
    void plan_mishaps(protocol::Millis duration);
    void plan_mishap(milliseconds when);
    void lose(Machine& machine, bool with_power);
    void boot_later(Machine& machine);
    // In the calm behind the storm: a server goes on from an older copy of its data.
    void put_back();
    void end(Machine& machine);
    void clean_up();
    [[nodiscard]] const std::set<protocol::ChannelId>& stuck_at(
        const protocol::ServerName& server) const;
    [[nodiscard]] bool is_quiet() const;
    [[nodiscard]] bool is_liar(const Machine& machine) const
    {
        return machine.name() == liar_name_;
    }
    [[nodiscard]] bool is_everybody_heard() const;
    void wait_until_quiet();

    void after_step(std::size_t index);

    Chance chance_;
    Timeline time_;
    Trace trace_;
    Network network_;
    Turns::Machines machines_;
    Turns turns_;
    std::unique_ptr<Liar> liar_;
    bool moves_channels_ = false;
    std::string liar_name_;  // "": everybody is honest
    std::vector<std::unique_ptr<Person>> people_;
    std::vector<protocol::UserId> users_;
    std::vector<KnownChannel> channels_;
    std::map<Machine*, std::uint64_t> steps_to_live_;  // armed to be killed
    std::map<Machine*, bool> dies_with_power_;
    std::map<Machine*, Backup> backups_;
    Truth truth_;
    protocol::Millis people_until_ = 0;  // when people have enough
    bool is_stormy_ = true;              // mishaps may still begin
    std::size_t endings_ = 0;
};

}  // namespace entente::sim
