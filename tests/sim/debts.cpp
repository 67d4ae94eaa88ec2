#include "tests/sim/debts.hpp"

#include <algorithm>

#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/query.hpp"

namespace entente::sim {

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
        auto submissions = storage::unsent_submissions(db, server, 0, 1);
        if (!submissions) return fail(submissions);
        auto direct = storage::outgoing_direct(db, server, 0, 1);
        if (!direct) return fail(direct);
        debt.is_more = !submissions->empty() || !direct->empty();
        debts.push_back(std::move(debt));
    }
    return debts;
}

Result<std::set<ChannelId>> read_frozen(storage::Connection& db)
{
    const auto name = [](storage::Statement& row) {
        return ChannelId::trusted(std::string(row.text(0)));
    };
    auto names = storage::all_rows(db, "SELECT name FROM channel WHERE frozen <> 0", name);
    if (!names) return fail(names);
    return std::set<ChannelId>(names->begin(), names->end());
}

bool is_owed_frozen_logs_only(const Debt& debt, const std::set<ChannelId>& frozen)
{
    return !debt.is_more && !debt.logs.empty() &&
           std::ranges::all_of(debt.logs,
                               [&](const ChannelId& log) { return frozen.contains(log); });
}

}  // namespace entente::sim
