// The limits that everything else is measured against, and the inbox's own first steps
// beside them: signatures made and verified a second on one core, durable commits a
// second, transactions read a second. Method: google-benchmark, one thread, wall time;
// commits on a database in the temporary folder, so on whatever disk that is.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>

#include <stdlib.h>

#include "protocol/ed25519.hpp"
#include "protocol/event.hpp"
#include "protocol/proofs.hpp"
#include "protocol/transaction.hpp"
#include "storage/sqlite/database.hpp"

namespace {

using namespace entente;

constexpr protocol::NameRules rules{true};
constexpr protocol::Millis now = 1'763'683'200'123;

protocol::SigningKey fixed_key()
{
    return *protocol::SigningKey::from_seed(std::string(32, 'k'));
}

void sign(benchmark::State& state)
{
    protocol::start_crypto();
    const auto key = fixed_key();
    const std::string message(300, 'm');
    for (auto _ : state) benchmark::DoNotOptimize(key.sign(message));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sign);

void verify(benchmark::State& state)
{
    protocol::start_crypto();
    const auto key = fixed_key();
    const std::string message(300, 'm');
    const auto signature = key.sign(message);
    for (auto _ : state) benchmark::DoNotOptimize(key.public_key().verifies(signature, message));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(verify);

// One row of 300 octets a commit, each on the disk before the next.
void commit(benchmark::State& state)
{
    std::string folder = std::filesystem::temp_directory_path() / "entente-bench-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
    {
        auto database = storage::make_sqlite_database(folder + "/bench.sqlite");
        auto writer = database->open_writer();
        if (!writer) return state.SkipWithError("the database can't be opened");
        bool fine = (*writer)->execute("CREATE TABLE bench (octets BLOB)").has_value();
        const std::string row(300, 'r');
        for (auto _ : state) {
            fine = fine && (*writer)->begin();
            auto query = storage::Query::prepare(**writer, "INSERT INTO bench VALUES (?)");
            if (query) (*query)->bind_blob(0, row);
            fine = fine && query && (*query)->run() && (*writer)->commit();
        }
        if (!fine) state.SkipWithError("a commit failed");
    }
    std::filesystem::remove_all(folder);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(commit)->UseRealTime();

// A transaction of one submission with `events` messages of 300 octets.
std::string transaction_of(std::int64_t events)
{
    protocol::SystemRandom random;
    const auto home = protocol::ServerName::trusted("a.test");
    const auto author = protocol::ServerName::trusted("b.test");
    protocol::OutgoingTransaction transaction;
    protocol::Submission submission;
    submission.channel = protocol::make_channel_id(home, now, random);
    for (std::int64_t i = 0; i < events; ++i) {
        protocol::EventDraft draft;
        draft.type = "message.create";
        draft.channel = submission.channel;
        draft.sender = "bob@b.test";
        draft.txn = protocol::make_uuid7(now, random);
        draft.at = now;
        draft.content =
            "{\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"text\":\"" + std::string(300, 't') + "\"}";
        auto event = protocol::write_event(draft);
        submission.seal.events.push_back(protocol::event_id(event));
        submission.events.push_back({std::move(event), draft.content});
    }
    protocol::RootBuilder leaves;
    leaves.add(protocol::seal_leaf(submission.channel, submission.seal.events));
    transaction.roots.push_back(leaves.sign(fixed_key(), author, now).jws);
    transaction.submissions.push_back(std::move(submission));
    return protocol::write_transaction(transaction);
}

void read_transaction(benchmark::State& state)
{
    protocol::start_crypto();
    const auto body = transaction_of(state.range(0));
    for (auto _ : state) {
        auto transaction = protocol::parse_transaction(body, {}, rules);
        if (!transaction) return state.SkipWithError("the transaction is refused");
        for (const auto& item : transaction->submissions.front().value->events) {
            auto event = protocol::parse_channel_event(item.event, rules);
            benchmark::DoNotOptimize(event && protocol::check_content(*event, item.content));
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(read_transaction)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

}  // namespace
