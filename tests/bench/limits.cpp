#include "tests/bench/limits.hpp"

#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "protocol/ed25519.hpp"
#include "protocol/event.hpp"
#include "protocol/proofs.hpp"
#include "protocol/transaction.hpp"
#include "storage/query.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/bench/measure.hpp"
#include "tests/e2e/support/tls_socket.hpp"

namespace entente::bench {

namespace {

constexpr protocol::NameRules rules{true};
constexpr protocol::Millis event_time = 1'763'683'200'123;
constexpr std::size_t octets = 300;
constexpr int commits_a_checkpoint = 250;

// Times a second of `clock` that `act` ran in one stretch; it says whether it could.
template <class Act>
double rate_of_stretch(Nanoseconds (*clock)(), double seconds, Act& act)
{
    constexpr int before_a_look = 8;
    const auto begin = clock();
    std::int64_t count = 0;
    Nanoseconds spent = 0;
    while (static_cast<double>(spent) < seconds * 1e9) {
        for (int i = 0; i < before_a_look; ++i)
            if (!act()) throw e2e::Broken("a limit can't be measured");
        count += before_a_look;
        spent = clock() - begin;
    }
    return static_cast<double>(count) / static_cast<double>(spent) * 1e9;
}

// The median of some stretches: a moment of others' work on the machine doesn't count.
template <class Act>
double rate_of(Nanoseconds (*clock)(), double seconds, Act act)
{
    constexpr int stretches = 9;
    std::vector<double> rates;
    for (int i = 0; i < stretches; ++i)
        rates.push_back(rate_of_stretch(clock, seconds / stretches, act));
    return median(std::move(rates));
}

protocol::SigningKey fixed_key()
{
    return *protocol::SigningKey::from_seed(std::string(32, 'k'));
}

// The least that a disk can be asked for.
double syncs_per_second(const std::string& folder, double seconds)
{
    constexpr std::size_t page = 4096, pages = 1024;
    const auto file = folder + "/limits.sync";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const std::string octets_of_page(page, 'p');
    for (std::size_t i = 0; i < pages; ++i) (void)::write(fd, octets_of_page.data(), page);
    std::size_t at = 0;
    const auto rate = rate_of(&wall_now, seconds, [&] {
        at = (at + 1) % pages;
        const auto offset = static_cast<off_t>(at * page);
        return ::pwrite(fd, octets_of_page.data(), page, offset) == ssize_t{page} &&
               ::fdatasync(fd) == 0;
    });
    ::close(fd);
    std::filesystem::remove(file);
    return rate;
}

// Each row on the disk before the next. As in a server, the journal is written over again
// once what stands in it has been moved: while it grows, each sync costs more.
double commits_per_second(const std::string& folder, double seconds)
{
    const auto file = folder + "/limits.sqlite";
    double rate = 0;
    {
        auto database = storage::make_sqlite_database(file);
        auto writer = database->open_writer();
        if (!writer || !storage::run(**writer, "CREATE TABLE bench (octets BLOB)"))
            throw e2e::Broken("a database can't be made in " + folder);
        const std::string row(octets, 'r');
        int count = 0;
        const auto insert = [&] {
            if (++count % commits_a_checkpoint == 0) database->maintain();
            return (*writer)->begin().has_value() &&
                   storage::run(**writer, "INSERT INTO bench VALUES (?)", storage::Blob{row})
                       .has_value() &&
                   (*writer)->commit().has_value();
        };
        for (int i = 0; i < commits_a_checkpoint; ++i)
            if (!insert()) throw e2e::Broken("a database can't be written in " + folder);
        rate = rate_of(&wall_now, seconds, insert);
    }
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
    return rate;
}

// One submission with so many messages.
std::string transaction_of(std::size_t events)
{
    protocol::SystemRandom random;
    const auto home = protocol::ServerName::trusted("a.test");
    const auto author = protocol::ServerName::trusted("b.test");
    protocol::OutgoingTransaction transaction;
    protocol::Submission submission;
    submission.channel = protocol::make_channel_id(home, event_time, random);
    for (std::size_t i = 0; i < events; ++i) {
        protocol::EventDraft draft;
        draft.type = "message.create";
        draft.channel = submission.channel;
        draft.sender = "bob@b.test";
        draft.txn = protocol::make_uuid7(event_time, random);
        draft.at = event_time;
        draft.content =
            "{\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"text\":\"" + std::string(octets, 't') + "\"}";
        auto event = protocol::write_event(draft);
        submission.seal.events.push_back(protocol::event_id(event));
        submission.events.push_back({std::move(event), draft.content});
    }
    protocol::RootBuilder leaves;
    leaves.add(protocol::seal_leaf(submission.channel, submission.seal.events));
    transaction.roots.push_back(leaves.sign(fixed_key(), author, event_time).jws);
    transaction.submissions.push_back(std::move(submission));
    return protocol::write_transaction(transaction);
}

bool read_all(const std::string& body)
{
    auto transaction = protocol::parse_transaction(body, {}, rules);
    if (!transaction || !transaction->submissions.front().value) return false;
    for (const auto& item : transaction->submissions.front().value->events) {
        auto event = protocol::parse_channel_event(item.event, rules);
        if (!event || !protocol::check_content(*event, item.content)) return false;
    }
    return true;
}

}  // namespace

RawLimits measure_limits(const std::string& folder, double seconds)
{
    const auto key = fixed_key();
    const auto public_key = key.public_key();
    const std::string message(octets, 'm');
    const auto signature = key.sign(message);
    RawLimits limits;
    limits.signs_per_second =
        rate_of(&thread_cpu_now, seconds, [&] { return !key.sign(message).empty(); });
    limits.verifies_per_second =
        rate_of(&thread_cpu_now, seconds, [&] { return public_key.verifies(signature, message); });
    limits.syncs_per_second = syncs_per_second(folder, seconds);
    limits.commits_per_second = commits_per_second(folder, seconds);
    return limits;
}

double events_read_per_second(std::size_t events_each, double seconds)
{
    const auto body = transaction_of(events_each);
    const auto rate = rate_of(&thread_cpu_now, seconds, [&] { return read_all(body); });
    return rate * static_cast<double>(events_each);
}

}  // namespace entente::bench
