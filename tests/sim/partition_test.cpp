// A network that is cut for six hours while both sides write, by a script and not by chance:
// once it is whole again everything goes where it should, in order and once, though nobody
// writes anything new.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "tests/sim/turns.hpp"
#include "tests/storage/support.hpp"

namespace entente::sim {
namespace {

using federation::Actor;
using federation::Channels;
using federation::DeliveryState;
using federation::Posted;
using protocol::ChannelId;
using protocol::UserId;
using std::chrono::minutes;
using std::chrono::seconds;

// 10 writers, 200 times 5 messages each, are 10,000 in 6 hours.
constexpr int writers_a_side = 5;
constexpr int times = 200;
#ifdef ENTENTE_SIM_SHORT
constexpr int at_a_time = 1;
#else
constexpr int at_a_time = 5;
#endif
constexpr std::int64_t messages = std::int64_t{2} * writers_a_side * times * at_a_time;
constexpr seconds between_times{108};
static_assert(times * between_times == std::chrono::hours(6));
static_assert(messages == 2'000 * at_a_time);

// The longest wait of a link that has failed again and again, with its jitter [RETRY-1], and
// the transactions after it.
constexpr minutes longest_drain{75};

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> task, std::optional<T>& outcome)
{
    auto got = co_await std::move(task);
    outcome.emplace(std::move(got));
}

struct Writer {
    Machine* machine;
    UserId user;
    int written = 0;
};

class Partition : public ::testing::Test {
 protected:
    void SetUp() override
    {
        protocol::start_crypto();
        for (const auto* name : {"a.example", "b.example", "c.example"}) {
            MachineOptions options;
            options.number = static_cast<int>(machines_.size());
            options.name = name;
            options.folder = folder_.path() + "/" + name;
            options.seed = 100 + machines_.size();
            for (int i = 0; i < writers_a_side; ++i)
                options.people.push_back("p" + std::to_string(i));
            machines_.push_back(std::make_unique<Machine>(options, time_, network_, trace_));
            machines_.back()->boot();
        }
        turns_.run_for(seconds(5));
        for (auto* machine : {&a(), &b()})
            for (const auto& person : machine->people())
                writers_.push_back({machine, user(*machine, person)});
    }
    void TearDown() override
    {
        time_.forget_all();
        for (auto& machine : machines_) machine->stop();
        EXPECT_EQ(trace_.faults(), std::vector<std::string>{});
    }

    Machine& a() { return *machines_[0]; }
    Machine& b() { return *machines_[1]; }
    Machine& c() { return *machines_[2]; }
    static UserId user(const Machine& machine, const std::string& person)
    {
        return UserId::trusted(person + "@" + machine.name());
    }
    Actor actor(Machine& machine, const UserId& who)
    {
        return {who, std::nullopt, protocol::make_uuid7(machine.clock().now_ms(), random_)};
    }

    // Until it has ended; what it takes meanwhile passes.
    template <class T>
    T wait(Machine& machine, asio::awaitable<T> task)
    {
        std::optional<T> outcome;
        machine.spawn(keep(std::move(task), outcome));
        for (int i = 0; i < 600 && !outcome; ++i) turns_.run_for(milliseconds(100));
        if (!outcome) throw std::runtime_error("no answer comes");
        return std::move(*outcome);
    }

    bool is_member(Machine& machine, const UserId& who, const ChannelId& channel)
    {
        return wait(machine, machine.channels().get(who, channel)).has_value();
    }
    ChannelId make_channel()
    {
        federation::NewChannel wanted;
        wanted.name = "both sides";
        wanted.is_public = true;
        wanted.history = "all";
        const auto owner = writers_.front().user;
        auto made = wait(a(), a().channels().create(actor(a(), owner), wanted));
        if (!made) throw std::runtime_error(made.error().detail);
        for (auto& machine : machines_) {
            for (const auto& person : machine->people()) {
                const auto who = user(*machine, person);
                if (who == owner) continue;
                EXPECT_TRUE(wait(*machine, machine->channels().join(actor(*machine, who), *made)));
                // The first one's brings the channel here.
                for (int i = 0; i < 60 && !is_member(*machine, who, *made); ++i)
                    turns_.run_for(seconds(1));
            }
        }
        return *made;
    }

    void write(Writer& writer, const ChannelId& channel)
    {
        std::vector<Channels::Post> posts;
        for (int i = 0; i < at_a_time; ++i) {
            const auto text = writer.user.str() + " " + std::to_string(writer.written++);
            posts.push_back(
                {actor(*writer.machine, writer.user), channel, R"({"text":")" + text + "\"}"});
        }
        const auto expected =
            writer.machine == &a() ? DeliveryState::accepted : DeliveryState::pending;
        auto& channels = writer.machine->channels();
        for (const auto& posted : wait(*writer.machine, channels.post_all(std::move(posts)))) {
            ASSERT_TRUE(posted) << writer.user.str() << ": " << posted.error().detail;
            EXPECT_EQ(posted->state, expected);
        }
    }

    std::int64_t latest(Machine& machine, const ChannelId& channel)
    {
        const auto who = user(machine, machine.people().front());
        return wait(machine, machine.channels().get(who, channel)).value().latest;
    }
    federation::ClientEntries entries(Machine& machine, const ChannelId& channel,
                                      std::int64_t after)
    {
        const auto who = user(machine, machine.people().front());
        federation::ClientEntries all;
        for (;;) {
            const federation::PageSize size{1'000, 4'194'304};
            auto page =
                wait(machine, machine.channels().page_after(who, channel, after, size)).value();
            if (page.empty()) return all;
            after = page.back().seq;
            std::ranges::move(page, std::back_inserter(all));
        }
    }

    storage::testing::TemporaryFolder folder_;
    Timeline time_;
    Trace trace_{time_, folder_.path(), Printing::nothing};
    Network network_{time_, trace_, 3};
    Chance chance_{4};
    SeededRandom random_{5};
    Turns::Machines machines_;
    Turns turns_{time_, trace_, chance_, machines_};
    std::vector<Writer> writers_;
};

std::string text_of(const federation::ClientEntry& entry)
{
    const auto content = entry.content.value_or("");
    constexpr std::string_view member = "\"text\":\"";
    const auto at = content.find(member);
    if (at == std::string::npos) return {};
    const auto begin = at + member.size();
    return content.substr(begin, content.find('"', begin) - begin);
}

// Each writer's messages are all there, in order, none twice.
void expect_in_order(const federation::ClientEntries& log, const std::vector<Writer>& writers)
{
    std::map<std::string, int> next;
    for (const auto& entry : log) {
        const auto text = text_of(entry);
        const auto space = text.find(' ');
        ASSERT_NE(space, std::string::npos) << entry.event;
        auto& number = next[text.substr(0, space)];
        ASSERT_EQ(text.substr(space + 1), std::to_string(number)) << text;
        ++number;
    }
    for (const auto& writer : writers) EXPECT_EQ(next[writer.user.str()], writer.written);
}

// [RETRY-1] [INBOX-3]
TEST_F(Partition, OfSixHoursDrainsInOrderWithoutNewTraffic)
{
    const auto channel = make_channel();
    turns_.run_for(minutes(2));
    const auto before = latest(a(), channel);
    ASSERT_EQ(latest(b(), channel), before);
    ASSERT_EQ(latest(c(), channel), before);

    for (auto* other : {&a(), &c()}) network_.cut(b().name(), other->name());
    const auto cut_at = time_.elapsed_ms();
    for (int i = 0; i < times; ++i) {
        for (auto& writer : writers_) write(writer, channel);
        turns_.run_for(milliseconds(cut_at) + (i + 1) * between_times -
                       milliseconds(time_.elapsed_ms()));
    }
    EXPECT_GE(time_.elapsed_ms() - cut_at, milliseconds(std::chrono::hours(6)).count());
    EXPECT_EQ(latest(a(), channel), before + messages / 2);
    EXPECT_EQ(latest(c(), channel), before + messages / 2);
    EXPECT_EQ(latest(b(), channel), before);

    network_.mend_all();
    const auto mended_at = time_.elapsed_ms();
    const auto is_drained = [&] {
        return std::ranges::all_of(machines_, [&](const auto& machine) {
            return latest(*machine, channel) == before + messages;
        });
    };
    while (!is_drained()) {
        ASSERT_LT(time_.elapsed_ms() - mended_at, milliseconds(longest_drain).count());
        turns_.run_for(seconds(10));
    }
    RecordProperty("drained_after_s", static_cast<int>((time_.elapsed_ms() - mended_at) / 1'000));

    const auto log = entries(a(), channel, before);
    ASSERT_EQ(log.size(), static_cast<std::size_t>(messages));
    expect_in_order(log, writers_);
    for (auto* other : {&b(), &c()}) {
        const auto held = entries(*other, channel, before);
        ASSERT_EQ(held.size(), log.size());
        for (std::size_t i = 0; i < log.size(); ++i) {
            ASSERT_EQ(held[i].seq, log[i].seq);
            ASSERT_EQ(held[i].event_id, log[i].event_id);
            ASSERT_EQ(held[i].content, log[i].content);
        }
    }
    // Nobody owes anybody anything any more.
    turns_.run_for(minutes(2));
    for (auto& machine : machines_) machine->see_what_is_owed();
    turns_.run_for(seconds(2));
    for (auto& machine : machines_) {
        ASSERT_TRUE(machine->debts());
        EXPECT_TRUE(machine->debts()->empty()) << machine->name();
        EXPECT_EQ(machine->links(), 0U) << machine->name();
    }
}

}  // namespace
}  // namespace entente::sim
