#include "tests/sim/debts.hpp"

#include <algorithm>

#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/query.hpp"

namespace entente::sim {

namespace {

// More than any run makes for one server.
constexpr std::size_t most_submissions = 1'000'000;

}  // namespace

using protocol::ChannelId;

Result<std::vector<Debt>> read_debts(storage::Connection& db, const protocol::ServerName& self)
{
    auto servers = storage::owed_servers(db, self);
    if (!servers) return fail(servers);
    std::vector<Debt> debts;
    for (const auto& server : *servers) {
        Debt debt;
        debt.to = server;
        auto logs = storage::owed_logs(db, self, server);
        if (!logs) return fail(logs);
        for (const auto& log : *logs) {
            auto channel = storage::read_channel(db, log.channel);
            if (!channel) return fail(channel);
            debt.logs.insert(channel->name);
        }
        auto submissions = storage::unsent_submissions(db, server, 0, most_submissions);
        if (!submissions) return fail(submissions);
        for (const auto& submission : *submissions) debt.submissions.insert(submission.channel);
        auto direct = storage::outgoing_direct(db, server, 0, 1);
        if (!direct) return fail(direct);
        debt.is_more = !direct->empty();
        debts.push_back(std::move(debt));
    }
    return debts;
}

Result<std::set<ChannelId>> read_stuck(storage::Connection& db, std::string_view liar)
{
    const auto name = [](storage::Statement& row) {
        return ChannelId::trusted(std::string(row.text(0)));
    };
    auto names =
        storage::all_rows(db,
                          "SELECT channel.name FROM channel JOIN server ON server.id = channel.home"
                          " WHERE channel.frozen <> 0 OR server.name = ?1",
                          name, liar);
    if (!names) return fail(names);
    return std::set<ChannelId>(names->begin(), names->end());
}

bool is_owed_stuck_logs_only(const Debt& debt, const std::set<ChannelId>& stuck)
{
    const auto is_stuck = [&](const ChannelId& channel) { return stuck.contains(channel); };
    return !debt.is_more && !(debt.logs.empty() && debt.submissions.empty()) &&
           std::ranges::all_of(debt.logs, is_stuck) &&
           std::ranges::all_of(debt.submissions, is_stuck);
}

}  // namespace entente::sim
