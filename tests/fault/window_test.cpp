// The replay window on a disk that fails [SIG-4]: whatever happens, a nonce that was spent
// is never spent again, and a full disk is waited for without a restart.
#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "storage/nonce_window.hpp"
#include "tests/fault/rocks_files.hpp"
#include "tests/storage/support.hpp"

namespace entente::fault {
namespace {

using storage::MemoryState;
using storage::ReplayMemory;
using storage::testing::TemporaryFolder;

const protocol::KeyRef key{protocol::ServerName::trusted("a.example"),
                           protocol::KeyId::trusted("key")};
constexpr protocol::Seconds start = 10'000;
constexpr protocol::Seconds expires = start + 300;

class WindowOnDisk : public ::testing::Test {
 protected:
    void fresh(DiskOptions options = {})
    {
        window_.reset();
        env_.reset();
        disk_ = std::make_unique<Disk>(std::move(options));
        env_ = make_rocks_env(*disk_);
        path_ = folder_.file("w" + std::to_string(++folders_));
        boot_ = 1;
        broken_ = 0;
        ran_before_ = false;
    }
    Result<void> open(protocol::Seconds at = start)
    {
        storage::RocksWindowOptions options;
        options.folder = path_;
        options.ran_before = ran_before_;
        options.start = at;
        options.boot_id = "boot " + std::to_string(boot_);
        options.env = env_.get();
        options.on_broken = [this](const Error&) { ++broken_; };
        auto opened = storage::open_rocks_window(options);
        if (!opened) return fail(opened);
        window_ = std::move(*opened);
        ran_before_ = true;
        return {};
    }
    void cut_power()
    {
        disk_->cut();
        window_.reset();
        disk_->heal();
        disk_->power_on();
        ++boot_;
    }
    // Without the mark of an orderly end.
    void kill()
    {
        disk_->heal();
        disk_->add({std::nullopt, "", 1, for_ever, EIO});
        window_.reset();
        disk_->heal();
    }
    Result<void> spend(int number, protocol::Seconds created = start)
    {
        return window_->spend(key, "nonce " + std::to_string(number), created, expires);
    }
    void expect_spent(int from, int to)
    {
        for (int i = from; i < to; ++i) {
            const auto again = spend(i);
            ASSERT_FALSE(again) << "nonce " << i << " was spent twice";
            ASSERT_EQ(again.error().code, Code::replayed) << again.error().detail;
        }
    }

    TemporaryFolder folder_;
    std::unique_ptr<Disk> disk_;
    std::unique_ptr<rocksdb::Env> env_;
    std::string path_;
    int folders_ = 0;
    int boot_ = 1;
    int broken_ = 0;
    bool ran_before_ = false;
    std::unique_ptr<ReplayMemory> window_;
};

TEST_F(WindowOnDisk, APowerCutLosesNoncesAndIsNoticed)
{
    fresh();
    ASSERT_TRUE(open());
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(spend(i));
    cut_power();
    ASSERT_TRUE(open(start + 1));
    EXPECT_EQ(window_->state(), MemoryState::incomplete);
    for (int i = 0; i < 50; ++i) {
        const auto again = spend(i);
        ASSERT_FALSE(again) << i;
        EXPECT_EQ(again.error().code, Code::unavailable);
    }
    EXPECT_FALSE(spend(0, start + 61));
    EXPECT_TRUE(spend(0, start + 62)) << "what is newer than the loss by a minute is believed";
}

// [SIG-4]
TEST_F(WindowOnDisk, ACutAtEveryCallLetsNoNonceBeSpentTwice)
{
    fresh();
    ASSERT_TRUE(open());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(spend(i));
    window_->close();
    window_.reset();
    const auto calls = disk_->all_calls();
    for (std::uint64_t n = 1; n <= calls; ++n) {
        for (const double survival : {0.0, 0.5}) {
            SCOPED_TRACE("call " + std::to_string(n) + " survival " + std::to_string(survival));
            fresh({n, survival, {}});
            disk_->add({std::nullopt, "", n, 1, power_cut});
            std::vector<int> spent;
            if (open())
                for (int i = 0; i < 5; ++i)
                    if (spend(i)) spent.push_back(i);
            if (window_) window_->close();
            cut_power();
            ASSERT_TRUE(open(start + 1));
            for (const int i : spent) ASSERT_FALSE(spend(i)) << i;
            ASSERT_TRUE(spend(1000, start + 62));
        }
    }
}

TEST_F(WindowOnDisk, AFailureAtEveryCallLetsNoNonceBeSpentTwice)
{
    fresh();
    ASSERT_TRUE(open());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(spend(i));
    ASSERT_TRUE(window_->sweep(start));
    window_->close();
    window_.reset();
    std::array<std::uint64_t, op_count> calls{};
    for (std::size_t i = 0; i < op_count; ++i) calls[i] = disk_->calls(static_cast<Op>(i));
    for (std::size_t i = 0; i < op_count; ++i) {
        // Reads change nothing: some of them will do.
        const std::uint64_t step = static_cast<Op>(i) == Op::read ? 5 : 1;
        for (std::uint64_t n = 1; n <= calls[i]; n += step) {
            for (const int error : {EIO, ENOSPC}) {
                if (error == ENOSPC && static_cast<Op>(i) == Op::read) continue;
                SCOPED_TRACE(std::string(name_of(static_cast<Op>(i))) + " " + std::to_string(n) +
                             " errno " + std::to_string(error));
                fresh();
                disk_->add({static_cast<Op>(i), "", n, 1, error});
                std::vector<int> spent;
                if (open()) {
                    for (int k = 0; k < 5; ++k)
                        if (spend(k)) spent.push_back(k);
                    static_cast<void>(window_->sweep(start));
                }
                kill();
                ASSERT_TRUE(open(start + 1));
                for (const int k : spent) ASSERT_FALSE(spend(k)) << k;
                ASSERT_TRUE(spend(1000, start + 62));
            }
        }
    }
}

TEST_F(WindowOnDisk, AFullDiskIsWaitedForAndLosesNothing)
{
    // Room for so many octets, so that it ends in records, tables and manifests alike.
    for (const std::uint64_t room : {0U, 20U, 100U, 5000U, 100000U}) {
        SCOPED_TRACE("room " + std::to_string(room));
        fresh();
        ASSERT_TRUE(open());
        int spent = 0;
        for (; spent < 20; ++spent) ASSERT_TRUE(spend(spent));
        disk_->set_space(room);
        while (true) {
            const auto done = spend(spent);
            if (!done) {
                EXPECT_EQ(done.error().code, Code::unavailable);
                EXPECT_GT(done.error().retry_after, 0);
                break;
            }
            ++spent;
        }
        for (int i = 0; i < 5; ++i) EXPECT_FALSE(spend(spent));
        disk_->set_space(std::nullopt);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!spend(spent)) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it must resume by itself";
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ++spent;
        expect_spent(0, spent);
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(spend(spent++));
        EXPECT_EQ(broken_, 0);
        kill();
        ASSERT_TRUE(open(start + 1));
        EXPECT_EQ(window_->state(), MemoryState::complete);
        expect_spent(0, spent);
    }
}

TEST_F(WindowOnDisk, WhatIsIndexedIsAllThereOrRefused)
{
    fresh();
    ASSERT_TRUE(open());
    auto& events = window_->events();
    const auto id = [](int number) { return protocol::sha256(std::to_string(number)); };
    const auto add = [&](int number) {
        return events.add_events({{id(number), {1, number}}},
                                 storage::IndexMark{number, std::to_string(number)});
    };
    ASSERT_TRUE(add(1));
    disk_->set_space(0);
    const auto refused = add(2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unavailable);
    disk_->set_space(std::nullopt);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!add(3)) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it must resume by itself";
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(broken_, 0);
    kill();
    ASSERT_TRUE(open(start + 1));
    EXPECT_EQ(window_->events().index_mark()->value().run, 3);
    EXPECT_EQ(window_->events().find_event(id(1))->size(), 1U);
    EXPECT_EQ(window_->events().find_event(id(2))->size(), 0U);
    EXPECT_EQ(window_->events().find_event(id(3))->size(), 1U);
}

TEST_F(WindowOnDisk, AFailedSyncEndsItAndTheNextStartBelievesNothingOlder)
{
    fresh();
    ASSERT_TRUE(open());
    ASSERT_TRUE(spend(1));
    disk_->add({Op::sync, "", 1, 1, EIO});
    EXPECT_FALSE(window_->sweep(start + 20));
    EXPECT_EQ(broken_, 1);
    EXPECT_FALSE(spend(2));
    window_->close();
    window_.reset();
    ASSERT_TRUE(open(start + 30));
    EXPECT_EQ(window_->state(), MemoryState::incomplete);
    EXPECT_EQ(spend(1, start + 90).error().code, Code::unavailable);
    EXPECT_TRUE(spend(2, start + 91));
    window_->close();
    window_.reset();
    ASSERT_TRUE(open(start + 100)) << "found once, and not for ever";
    EXPECT_EQ(window_->state(), MemoryState::complete);
}

TEST_F(WindowOnDisk, AFailedWriteIsToldOnce)
{
    fresh();
    ASSERT_TRUE(open());
    disk_->add({Op::write, "", 1, for_ever, EIO});
    EXPECT_FALSE(spend(1));
    EXPECT_FALSE(spend(2));
    EXPECT_FALSE(window_->sweep(start + 20));
    EXPECT_EQ(broken_, 1);
}

}  // namespace
}  // namespace entente::fault
