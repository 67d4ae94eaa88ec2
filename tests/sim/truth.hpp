// What a run must come to: all followers' logs are their home's, whatever people were told
// stands in the log once, in order, or was refused and said so; nothing is owed. Read from
// the disks, once no process runs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/slice.hpp"
#include "tests/sim/debts.hpp"
#include "tests/sim/people.hpp"

namespace entente::sim {

class Truth {
 public:
    // Of `liar`, a server's name or "", nothing is claimed, nor of the channels it is home of.
    // Where clocks have jumped, an event may come from a future that its home doesn't take.
    explicit Truth(Trace& trace) : trace_(trace) {}

    void disbelieve(const std::string& liar) { liar_ = liar; }

    // Events from the future may have been refused.
    void allow_jumps() { clocks_have_jumped_ = true; }

    // What a machine without a process knows: which servers have members in which channel, its
    // own people's submissions, and its newest run.
    struct Knowledge {
        std::map<protocol::ChannelId, std::set<std::string>> servers;
        std::map<protocol::ChannelId, std::int64_t> heads;
        // Where in it servers have joined.
        std::map<protocol::ChannelId, std::vector<std::pair<std::int64_t, std::string>>> joins;
        // Where the logs of those who follow its own channels begin.
        std::map<std::pair<protocol::ChannelId, std::string>, std::int64_t> floors;
        std::set<std::pair<protocol::ChannelId, protocol::Uuid>> submissions;
        std::int64_t newest_run = 0;
    };
    [[nodiscard]] Knowledge knowledge(Machine& machine);
    // What a server that was put back can't know any more: of its own channels who else
    // followed them, of others that it followed them.
    void excuse(const std::string& server, const Knowledge& before, const Knowledge& after);

    // To whom `server` may owe something for ever: a liar that is gone, followers that it forgot.
    [[nodiscard]] std::set<std::string> lost_to(const std::string& server) const;

    void read(const std::vector<std::unique_ptr<Machine>>& machines);
    void check(const std::vector<std::unique_ptr<Person>>& people);
    // In the logs at their homes.
    [[nodiscard]] std::size_t entries() const;

 private:
    struct Entry {
        std::int64_t seq = 0;
        protocol::Entry entry;
        protocol::Hash id{};
        std::string origin;
        std::string sender;
        std::string type;
        protocol::Uuid txn;
        std::optional<protocol::Hash> target;
        std::string hash;
    };
    struct Log {
        std::string home;
        std::int64_t epoch = 1;
        std::int64_t floor = 0;
        std::int64_t seq = 0;
        std::string hash;
        bool frozen = false;
        std::string state;
        std::set<std::string> servers;  // with members
        std::vector<Entry> entries;     // behind the floor
        std::map<std::string, std::int64_t> cursors;
        std::map<std::string, std::int64_t> floors;  // of followers

        [[nodiscard]] const Entry* at(std::int64_t place) const;
    };
    struct Contents {
        std::map<protocol::ChannelId, Log> logs;
        // How submissions that are still there stand: seq, and the problem of refused ones.
        std::map<std::pair<protocol::ChannelId, protocol::Uuid>,
                 std::pair<std::int64_t, std::string>>
            submissions;
        std::int64_t newest_run = 0;
        std::vector<Debt> debts;
        std::set<protocol::ChannelId> stuck;
    };

    [[nodiscard]] static Result<Contents> read_contents(storage::Connection& db);
    void check_debts(const std::string& self, const Contents& contents);
    [[nodiscard]] static Result<Log> read_log(storage::Connection& db, std::int64_t channel);
    void check_home(const protocol::ChannelId& channel, const Log& log);
    void check_follower(const protocol::ChannelId& channel, const std::string& server,
                        const Log& held, const Log& home);
    void check_erased(const protocol::ChannelId& channel, const std::string& server,
                      const Log& log);
    void check_told(const Person& person, const Told& told);
    void check_moved(const std::string& what, const Told& told, const Log& log);
    void check_place(const std::string& what, const Told& told, const Log& log, std::int64_t seq);
    [[nodiscard]] static bool is_one_of(const Log& log, std::int64_t seq,
                                        const protocol::UserId& user, Deed deed);
    [[nodiscard]] static bool has_been_shown_out(const Log& log, const std::string& user);
    void check_rejected(const Person& person, const Told& told, const std::string& problem);
    void check_order(const Person& person);
    // What everybody should hold: the log at the home of the newest epoch, as far as that holds it.
    [[nodiscard]] const Log* home_log(const protocol::ChannelId& channel) const;
    [[nodiscard]] static std::vector<std::int64_t> places(const Log& log, const std::string& origin,
                                                          const protocol::Uuid& txn);
    // Where the liar is or was the home.
    [[nodiscard]] bool is_in_doubt(const protocol::ChannelId& channel) const;
    // From its first entry, where any honest server has that.
    [[nodiscard]] const Log* whole_log(const protocol::ChannelId& channel);
    void check_homes();
    [[nodiscard]] bool is_excused(const protocol::ChannelId& channel,
                                  const std::string& server) const;
    // Channels of its own too, where nobody else had them yet.
    [[nodiscard]] bool has_lost(const protocol::ServerName& server) const
    {
        return put_back_.contains(server.str());
    }
    [[nodiscard]] bool has_forgotten_its_join(const protocol::ChannelId& channel,
                                              const std::string& server) const;
    void fault(const std::string& where, const std::string& what);

    Trace& trace_;
    std::string liar_;
    bool clocks_have_jumped_ = false;
    std::set<std::pair<protocol::ChannelId, std::string>> excused_;
    std::set<std::string> put_back_;
    std::map<std::string, Contents> machines_;
    std::map<protocol::ChannelId, Log> whole_;  // where its home's isn't
};

}  // namespace entente::sim
