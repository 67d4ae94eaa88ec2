// Servers that nobody has ever heard of: whatever they claim to be costs a bounded memory, and
// nothing of it is kept.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "storage/query.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/overload/mute_peer.hpp"
#include "tests/overload/overload_test.hpp"
#include "tests/overload/stranger_flood.hpp"

namespace entente::overload {
namespace {

namespace fs = std::filesystem;

constexpr double strangers_mib = 64;  // however many they are

class Strangers : public OverloadTest {
 protected:
    // Files of the stopped server in which `octets` stand: its database, the replay window.
    [[nodiscard]] std::vector<std::string> files_with(const std::string& octets)
    {
        std::vector<std::string> found;
        for (const auto& file : fs::recursive_directory_iterator(a().folder() + "/data")) {
            if (!file.is_regular_file()) continue;
            std::ifstream stream(file.path(), std::ios::binary);
            const std::string text{std::istreambuf_iterator<char>(stream), {}};
            if (text.find(octets) != std::string::npos) found.push_back(file.path().string());
        }
        return found;
    }
    [[nodiscard]] std::vector<std::int64_t> counts(const std::vector<const char*>& queries)
    {
        const auto database = storage::make_sqlite_database(a().folder() + "/data/entente.sqlite",
                                                            storage::sqlite_migrations());
        auto db = database->open_writer();
        if (!db) throw e2e::Broken(db.error().detail);
        std::vector<std::int64_t> counts;
        const auto number = [](storage::Statement& row) { return row.integer(0); };
        for (const auto* query : queries)
            counts.push_back(storage::one_row(**db, query, number).value().value());
        return counts;
    }
};

// [DISC-4] [KEY-8] [SIG-8]
TEST_F(Strangers, HoweverManyCostABoundedMemoryAndLeaveNothing)
{
    const std::size_t requests = scale().full ? 100'000 : 10'000;
    open({"a.test"}, {"f.test", "mute.test"});
    const e2e::Forger forger(world(), "f.test");
    const MutePeer mute(world(), "mute.test");
    make_bystanders();
    StrangerFlood flood(forger, a(), requests, {"mute.test"});
    endure(strangers_mib, [&] { flood.run(); });
    std::size_t answered = 0;
    for (const auto& [answer, count] : flood.answers()) {
        std::cout << "strangers:  " << count << " answered " << answer << std::endl;
        answered += count;
        EXPECT_EQ(answer, "503 key-unavailable");
    }
    EXPECT_EQ(answered, requests);
    EXPECT_GT(mute.connections(), 0U);

    bystanders_.reset();
    ASSERT_EQ(a().terminate(), 0);
    EXPECT_EQ(files_with(strangers_domain), std::vector<std::string>{});
    EXPECT_EQ(files_with(strangers_nonce), std::vector<std::string>{});
    EXPECT_EQ(files_with(forger.key().id().str()), std::vector<std::string>{});
    // Where there is something, it is seen.
    EXPECT_NE(files_with("reader0"), std::vector<std::string>{});
    EXPECT_EQ(
        counts({"SELECT count(*) FROM server WHERE name <> 'a.test'", "SELECT count(*) FROM pin",
                "SELECT count(*) FROM pin_key", "SELECT count(*) FROM pin_statement"}),
        (std::vector<std::int64_t>{0, 0, 0, 0}));
}

}  // namespace
}  // namespace entente::overload
