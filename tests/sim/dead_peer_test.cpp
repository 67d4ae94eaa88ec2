// One server with fifty others that follow its channels, one of which is dead: what that costs
// the other forty-nine. In virtual time, where each turn of a store takes a millisecond, so that
// whatever waits for anything shows, and the same on every machine.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/sim/machine.hpp"
#include "tests/storage/support.hpp"

namespace entente::sim {
namespace {

using protocol::ChannelId;
using protocol::UserId;

constexpr std::size_t peers = 50;
#ifdef ENTENTE_SIM_SHORT
constexpr int posts_measured = 10;
#else
constexpr int posts_measured = 40;
#endif
constexpr milliseconds between_messages{400};

enum class Fate : std::uint8_t { lives, refuses, never_answers };

struct Experience {
    std::size_t arrivals = 0;
    double p99 = 0;           // ms from a post to its commit at one of the other forty-nine
    std::uint64_t steps = 0;  // that the home's thread went
};

// Hears of one server's commits.
struct Arrivals final : federation::CommitListener {
    explicit Arrivals(const Timeline& timeline) : time(timeline) {}

    void entries_committed(const ChannelId& channel,
                           const std::shared_ptr<const federation::ClientEntries>& entries) override
    {
        for (const auto& entry : *entries) at.emplace(std::pair{channel, entry.seq}, now());
    }
    void delivery_changed(const ChannelId&, const UserId&, const federation::Posted&) override {}
    void delivered_to(const ChannelId&, const protocol::ServerName&, std::int64_t) override {}
    void membership_changed(const UserId&) override {}
    void channel_frozen(const ChannelId&, bool) override {}
    void channel_stalled(const ChannelId&, const std::optional<federation::Stalled>&) override {}
    [[nodiscard]] protocol::Millis now() const { return time.elapsed_ms(); }

    const Timeline& time;
    std::map<std::pair<ChannelId, std::int64_t>, protocol::Millis> at;
};

class Fleet {
 public:
    explicit Fleet(const std::string& folder)
        : trace_(time_, folder, Printing::nothing), network_(time_, trace_, 1)
    {
        for (std::size_t i = 0; i <= peers; ++i) {
            MachineOptions options;
            options.number = static_cast<int>(i);
            options.name = i == 0 ? "home.example" : "p" + std::to_string(i) + ".example";
            options.folder = folder + "/" + options.name;
            options.seed = i + 1;
            options.people = {"ann"};
            options.turn_time = milliseconds(1);
            machines_.push_back(std::make_unique<Machine>(options, time_, network_, trace_));
            arrivals_.push_back(std::make_unique<Arrivals>(time_));
        }
        for (auto& machine : machines_) machine->boot();
        run_for(milliseconds(2'000));
        for (std::size_t i = 0; i <= peers; ++i) machines_[i]->channels().listen(*arrivals_[i]);
    }
    ~Fleet()
    {
        time_.forget_all();
        for (auto& machine : machines_) machine->kill();
        time_.forget_all();
    }
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // Channels that all of them follow.
    void share(int count)
    {
        for (int i = 0; i < count; ++i) machines_[0]->spawn(create());
        run_for(milliseconds(1'000));
        for (const auto& channel : channels_) {
            for (std::size_t i = 1; i <= peers; ++i) machines_[i]->spawn(join(i, channel));
        }
        run_for(milliseconds(60'000));
    }
    void lose_last(Fate fate)
    {
        const auto name = machines_.back()->name();
        if (fate == Fate::refuses) network_.fall_silent(name);
        if (fate == Fate::never_answers) network_.listen(name, [](net::Request, Answer) {});
    }
    Experience speak()
    {
        steps_ = 0;
        for (int i = 0; i < posts_measured; ++i) {
            const auto& channel = channels_[static_cast<std::size_t>(i) % channels_.size()];
            machines_[0]->spawn(post(channel));
            run_for(between_messages);
        }
        Experience experience;
        experience.steps = steps_;
        run_for(milliseconds(20'000));
        std::vector<double> waits;
        for (const auto& [place, posted] : posted_) {
            for (std::size_t i = 1; i < peers; ++i) {
                const auto found = arrivals_[i]->at.find(place);
                if (found == arrivals_[i]->at.end()) continue;
                waits.push_back(static_cast<double>(found->second - posted));
            }
        }
        std::ranges::sort(waits);
        experience.arrivals = waits.size();
        if (!waits.empty()) experience.p99 = waits[(waits.size() * 99 - 1) / 100];
        EXPECT_EQ(trace_.faults(), std::vector<std::string>{});
        return experience;
    }

 private:
    [[nodiscard]] federation::Actor ann(std::size_t machine)
    {
        const auto& at = *machines_[machine];
        return {UserId::trusted("ann@" + at.name()), std::nullopt,
                protocol::make_uuid7(DayClock(time_).now_ms(), random_)};
    }
    asio::awaitable<void> create()
    {
        federation::NewChannel about;
        about.name = "square";
        about.is_public = true;
        about.history = "all";
        auto made = co_await machines_[0]->channels().create(ann(0), about);
        if (made) channels_.push_back(*made);
    }
    asio::awaitable<void> join(std::size_t machine, ChannelId channel)
    {
        auto joined = co_await machines_[machine]->channels().join(ann(machine), channel);
        EXPECT_TRUE(joined);
    }
    asio::awaitable<void> post(ChannelId channel)
    {
        const auto begun = time_.elapsed_ms();
        auto posted = co_await machines_[0]->channels().post(ann(0), channel, R"({"text":"hi"})");
        EXPECT_TRUE(posted);
        if (posted) posted_.emplace(std::pair{channel, posted->seq}, begun);
    }
    void run_for(milliseconds span)
    {
        const auto end = time_.in(span);
        for (std::set<int> fired;; fired.clear()) {
            while (take_turns()) {
            }
            if (!time_.move_on(end, fired)) return;
            for (const auto number : fired) {
                if (number >= 0) machines_[static_cast<std::size_t>(number)]->feel_time();
            }
        }
    }
    // Each machine all that it can do; false where none could do anything.
    bool take_turns()
    {
        bool any = false;
        for (std::size_t i = 0; i < machines_.size(); ++i) {
            while (machines_[i]->step()) {
                any = true;
                if (i == 0) ++steps_;
            }
        }
        return any;
    }

    Timeline time_;
    Trace trace_;
    Network network_;
    SeededRandom random_{7};
    std::vector<std::unique_ptr<Arrivals>> arrivals_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::vector<ChannelId> channels_;
    std::map<std::pair<ChannelId, std::int64_t>, protocol::Millis> posted_;
    std::uint64_t steps_ = 0;
};

Experience live_with(Fate fate)
{
    const storage::testing::TemporaryFolder folder;
    Fleet fleet(folder.path());
    fleet.share(2);
    fleet.lose_last(fate);
    const auto experience = fleet.speak();
    std::cout << "fate " << static_cast<int>(fate) << ": p99 " << experience.p99 << " ms, "
              << experience.steps << " steps" << std::endl;
    return experience;
}

// [INBOX-7] [RETRY-1]
TEST(DeadPeer, OneOfFiftyCostsTheOthersNothing)
{
    protocol::start_crypto();
    const auto before = live_with(Fate::lives);
    ASSERT_EQ(before.arrivals, (peers - 1) * posts_measured);
    for (const auto fate : {Fate::refuses, Fate::never_answers}) {
        const auto now = live_with(fate);
        EXPECT_EQ(now.arrivals, before.arrivals);
        EXPECT_LT(now.p99, before.p99 * 1.1);
        EXPECT_LT(static_cast<double>(now.steps), static_cast<double>(before.steps) * 1.1);
    }
}

}  // namespace
}  // namespace entente::sim
