// Every call that a few batches make of the disk fails once, in every way that a disk has:
// nothing that was acknowledged is lost, nothing is acknowledged after a failed sync, and
// what was refused can be sent again and is there once.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/fault/store_rig.hpp"

namespace entente::fault {
namespace {

using storage::testing::TemporaryFolder;

constexpr int posts_per_batch = 3;
constexpr int batches = 3;
constexpr int posts = posts_per_batch * batches;

// What happens between the failure and the next start.
enum class End : std::uint8_t {
    stop,      // the process ends, in order where it can
    cut,       // the power goes at once
    stop_cut,  // the process is started again and takes more, then the power goes
};

struct Case {
    std::string name;
    Rule rule;
    End end = End::stop;
    double survival = 0;
};

class Batches : public ::testing::Test {
 protected:
    // A log with one acknowledged entry, as each case begins.
    void SetUp() override
    {
        StoreRig rig(folder_.file("template"), {});
        ASSERT_TRUE(rig.open());
        ASSERT_EQ(rig.post(1, 1).size(), 1U);
        rig.close();
    }
    [[nodiscard]] std::string fresh_copy()
    {
        const auto copy = folder_.file("case");
        std::filesystem::remove_all(copy);
        std::filesystem::copy(folder_.file("template"), copy);
        return copy;
    }
    // Calls of each kind that a run without failures makes.
    [[nodiscard]] std::array<std::uint64_t, op_count> count()
    {
        StoreRig rig(fresh_copy(), {});
        EXPECT_TRUE(rig.open());
        for (int i = 0; i < batches; ++i)
            EXPECT_EQ(rig.post(first_of(i), first_of(i) + posts_per_batch - 1).size(), 3U);
        rig.close();
        std::array<std::uint64_t, op_count> calls{};
        for (std::size_t i = 0; i < op_count; ++i) calls[i] = rig.disk().calls(static_cast<Op>(i));
        return calls;
    }
    // A server that has never run, in place of the usual log with one entry.
    void start_from_nothing()
    {
        std::filesystem::remove_all(folder_.file("template"));
        std::filesystem::create_directories(folder_.file("template"));
        known_.clear();
    }
    [[nodiscard]] static int first_of(int batch) { return 2 + batch * posts_per_batch; }

    void run(const Case& one);
    void expect_all(StoreRig& rig, const std::vector<int>& acknowledged, const char* when);

    TemporaryFolder folder_;
    std::vector<int> known_{1};  // acknowledged before a case begins
};

void Batches::expect_all(StoreRig& rig, const std::vector<int>& acknowledged, const char* when)
{
    const auto log = rig.log();
    ASSERT_TRUE(log) << when << ": " << log.error().detail;
    for (const int number : acknowledged)
        ASSERT_EQ(std::ranges::count(*log, number), 1) << when << ": event " << number;
    auto sorted = *log;
    std::ranges::sort(sorted);
    ASSERT_EQ(std::ranges::adjacent_find(sorted), sorted.end()) << when << ": one is there twice";
}

void Batches::run(const Case& one)
{
    StoreRig rig(fresh_copy(), {7, one.survival, {}});
    rig.disk().add(one.rule);
    std::vector<int> acknowledged = known_;
    const bool is_open = rig.open().has_value();
    bool sync_failed = false;
    for (int i = 0; i < batches && is_open; ++i) {
        const auto told = rig.post(first_of(i), first_of(i) + posts_per_batch - 1);
        sync_failed = sync_failed || (one.rule.op == Op::sync && rig.disk().struck() > 0);
        if (sync_failed) {
            EXPECT_TRUE(told.empty()) << "acknowledged after a failed sync";
            EXPECT_EQ(rig.fatal(), 1);
        }
        acknowledged.insert(acknowledged.end(), told.begin(), told.end());
    }
    if (one.end == End::cut) {
        rig.cut_power();
    } else {
        rig.close();
        rig.disk().heal();
    }
    if (one.rule.error == power_cut) rig.cut_power();
    ASSERT_TRUE(rig.open());
    expect_all(rig, acknowledged, "after the restart");
    const auto told = rig.post(2, 1 + posts);
    EXPECT_EQ(told.size(), static_cast<std::size_t>(posts)) << "it must go on by itself";
    acknowledged.insert(acknowledged.end(), told.begin(), told.end());
    std::ranges::sort(acknowledged);
    acknowledged.erase(std::ranges::unique(acknowledged).begin(), acknowledged.end());
    if (one.end == End::stop_cut) {
        rig.cut_power();
        ASSERT_TRUE(rig.open());
    }
    expect_all(rig, acknowledged, "at last");
}

// [INBOX-2]
TEST_F(Batches, SurviveEveryFailure)
{
    const auto calls = count();
    int cases = 0;
    for (std::size_t i = 0; i < op_count; ++i) {
        const auto op = static_cast<Op>(i);
        // SQLite tells nobody of it: only the process that goes on would notice.
        if (op == Op::sync_folder) continue;
        // Reads change nothing: some of them will do.
        const std::uint64_t step = op == Op::read ? 4 : 1;
        for (std::uint64_t n = 1; n <= calls[i]; n += step) {
            for (const auto end : {End::stop, End::cut, End::stop_cut}) {
                for (const int error : {EIO, ENOSPC}) {
                    if (error == ENOSPC && op != Op::write && op != Op::open) continue;
                    const auto name = std::string(name_of(op)) + " " + std::to_string(n) +
                                      " errno " + std::to_string(error) + " end " +
                                      std::to_string(static_cast<int>(end));
                    SCOPED_TRACE(name);
                    run({name, {op, "", n, 1, error}, end});
                    ++cases;
                    if (HasFatalFailure()) return;
                }
            }
        }
    }
    std::cout << cases << " cases\n";
}

// [INBOX-2]
TEST_F(Batches, SurviveACutAtEveryCall)
{
    const auto calls = count();
    std::uint64_t all = 0;
    for (const auto count_of_op : calls) all += count_of_op;
    for (std::uint64_t n = 1; n <= all; ++n) {
        for (const double survival : {0.0, 0.5}) {
            const auto name = "call " + std::to_string(n) + " survival " + std::to_string(survival);
            SCOPED_TRACE(name);
            run({name, {std::nullopt, "", n, 1, power_cut}, End::stop, survival});
            if (HasFatalFailure()) return;
        }
    }
    std::cout << all << " calls\n";
}

TEST_F(Batches, SurviveTheFirstStartEver)
{
    start_from_nothing();
    const auto calls = count();
    std::uint64_t all = 0;
    for (const auto count_of_op : calls) all += count_of_op;
    for (std::uint64_t n = 1; n <= all; n += 5) {
        const double survival = n % 2 == 1 ? 0.0 : 0.5;
        SCOPED_TRACE("call " + std::to_string(n) + " survival " + std::to_string(survival));
        run({"cut", {std::nullopt, "", n, 1, power_cut}, End::stop, survival});
        run({"fail", {std::nullopt, "/db", n, 1, EIO}, End::stop_cut, survival});
        if (HasFatalFailure()) return;
    }
}

// After a failed sync the next start still reads pages that the disk never got. Nothing may
// be built on them before they are written again: a cut in the middle would find a database
// with half of a change whose other half is nowhere.
TEST_F(Batches, SurviveACutWhileStartingAfterAFailedSync)
{
    const auto calls = count();
    const auto restarted = [&](std::uint64_t sync, std::uint64_t cut_at, double survival) {
        StoreRig rig(fresh_copy(), {11, survival, {}});
        std::vector<int> acknowledged{1};
        rig.disk().add({Op::sync, "", sync, 1, EIO});
        if (rig.open())
            for (int i = 0; i < batches; ++i)
                for (const int told : rig.post(first_of(i), first_of(i) + posts_per_batch - 1))
                    acknowledged.push_back(told);
        rig.kill();
        const auto before = rig.disk().all_calls();
        rig.disk().add({std::nullopt, "", cut_at, 1, power_cut});
        if (rig.open())
            for (const int told : rig.post(2, 1 + posts)) acknowledged.push_back(told);
        rig.close();
        const auto made = rig.disk().all_calls() - before;
        rig.cut_power();
        EXPECT_TRUE(rig.open());
        std::ranges::sort(acknowledged);
        acknowledged.erase(std::ranges::unique(acknowledged).begin(), acknowledged.end());
        expect_all(rig, acknowledged, "after the cut");
        return made;
    };
    int cases = 0;
    for (std::uint64_t sync = 1; sync <= calls[static_cast<std::size_t>(Op::sync)]; ++sync) {
        const auto restart = restarted(sync, for_ever, 0);
        // An eighth of the calls each, another one for each sync.
        for (auto n = 1 + sync % 8; n <= restart; n += 8) {
            for (const double survival : {0.0, 0.5}) {
                SCOPED_TRACE("sync " + std::to_string(sync) + " fails, cut at " +
                             std::to_string(n) + " survival " + std::to_string(survival));
                restarted(sync, n, survival);
                ++cases;
                if (HasFatalFailure()) return;
            }
        }
    }
    std::cout << cases << " cases\n";
}

}  // namespace
}  // namespace entente::fault
