// The memory of what was refused for good [INBOX-18]: in RocksDB and on a simulated machine.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>

#include "storage/nonce_window.hpp"
#include "support.hpp"
#include "tests/sim/window.hpp"

namespace entente::storage {
namespace {

protocol::Hash item(std::uint8_t first)
{
    protocol::Hash hash{};
    hash[0] = first;
    return hash;
}

// Where it lies outlives the window.
struct Place {
    testing::TemporaryFolder folder;
    sim::WindowMemory memory;
};

struct Kind {
    const char* name;
    std::function<std::unique_ptr<ReplayMemory>(Place& place)> open;
};

void PrintTo(const Kind& kind, std::ostream* out)
{
    *out << kind.name;
}

RocksWindowOptions options_for(const Place& place)
{
    RocksWindowOptions options;
    options.folder = place.folder.file("window");
    options.boot_id = "boot";
    return options;
}

class RefusedItemsContract : public ::testing::TestWithParam<Kind> {
 protected:
    RefusedItemsContract() : window(GetParam().open(place)) {}

    std::optional<Code> found(std::uint8_t first)
    {
        auto refused = window->refused().find_refused(item(first));
        EXPECT_TRUE(refused) << refused.error().detail;
        return refused.value_or(std::nullopt);
    }
    void note(std::uint8_t first, Code code, protocol::Seconds expires)
    {
        auto noted = window->refused().note_refused(item(first), code, expires);
        EXPECT_TRUE(noted) << noted.error().detail;
    }

    Place place;
    std::unique_ptr<ReplayMemory> window;
};

// [INBOX-18]
TEST_P(RefusedItemsContract, SaysWithWhatEachWasRefused)
{
    EXPECT_EQ(found(1), std::nullopt);
    note(1, Code::forbidden, 1000);
    note(2, Code::not_found, 1000);
    EXPECT_EQ(found(1), Code::forbidden);
    EXPECT_EQ(found(2), Code::not_found);
    EXPECT_EQ(found(3), std::nullopt);
}

TEST_P(RefusedItemsContract, ForgetsWithTheSweepAndNotBefore)
{
    note(1, Code::forbidden, 1000);
    note(2, Code::forbidden, 1001);
    ASSERT_TRUE(window->sweep(1001));
    EXPECT_EQ(found(1), Code::forbidden);
    ASSERT_TRUE(window->sweep(1002));
    EXPECT_EQ(found(1), std::nullopt);
    EXPECT_EQ(found(2), Code::forbidden);
    ASSERT_TRUE(window->sweep(2000));
    EXPECT_EQ(found(2), std::nullopt);
}

TEST_P(RefusedItemsContract, OutlivesItsProcess)
{
    note(1, Code::forbidden, 1000);
    window.reset();  // without close(): as after a kill
    window = GetParam().open(place);
    EXPECT_EQ(found(1), Code::forbidden);
    EXPECT_EQ(found(2), std::nullopt);
}

TEST_P(RefusedItemsContract, DoesNotMixThemUpWithNonces)
{
    const protocol::KeyRef key{protocol::ServerName::trusted("a.example"),
                               protocol::KeyId::trusted("k")};
    note(1, Code::forbidden, 1000);
    EXPECT_TRUE(window->spend(key, protocol::as_view(item(1)), 900, 1000));
    EXPECT_TRUE(window->spend(key, protocol::as_view(item(2)), 900, 1000));
    EXPECT_EQ(found(2), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    Windows, RefusedItemsContract,
    ::testing::Values(Kind{"Rocks",
                           [](Place& place) {
                               auto opened = open_rocks_window(options_for(place));
                               if (!opened) throw std::runtime_error(opened.error().detail);
                               return std::move(*opened);
                           }},
                      Kind{"Simulated",
                           [](Place& place) {
                               return sim::open_simulated_window(place.memory, options_for(place));
                           }}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace entente::storage
