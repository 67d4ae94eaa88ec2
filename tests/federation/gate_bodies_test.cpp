// Bodies that a reader digests for the gate.
#include <future>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>

#include "federation/long_octets.hpp"
#include "tests/federation/gate_rig.hpp"

namespace entente::federation::testing_rig {
namespace {

using GateBodies = GateTest;

// The job may outlive the test's body by a moment: what it waits for is its own.
asio::awaitable<void> hold_a_reader(storage::GroupCommit& commits, std::string who,
                                    std::shared_future<void> opened)
{
    auto job = [opened = std::move(opened)](storage::Connection&) -> Result<int> {
        opened.wait();
        return 0;
    };
    storage::Cause cause{std::move(who), 0};
    auto done = co_await commits.read(std::move(job), std::move(cause));
    EXPECT_TRUE(done);
}

// At the end of the process: whoever waits is gone at once, while a reader has the octets.
TEST_F(GateBodies, AreTheReadersUntilItIsDoneThoughTheRequestIsGone)
{
    ASSERT_EQ(refusal(Draft{}), passes);
    std::promise<void> gate;
    auto opened = gate.get_future().share();
    for (const auto* who : {"one", "two"})
        asio::co_spawn(world.io, hold_a_reader(*us.commits, who, opened), asio::detached);
    Draft draft;
    draft.body.assign(long_octets + 1, ' ');
    auto request = sign(draft);
    asio::cancellation_signal signal;
    std::optional<Result<Admitted>> ended;
    asio::co_spawn(world.io, us.gate->admit(request, false),
                   asio::bind_cancellation_slot(
                       signal.slot(), [&](const std::exception_ptr&, Result<Admitted> admitted) {
                           ended.emplace(std::move(admitted));
                       }));
    world.poll();
    ASSERT_FALSE(ended);
    EXPECT_EQ(request.body, "");
    signal.emit(asio::cancellation_type::terminal);
    world.poll();
    ASSERT_TRUE(ended);
    EXPECT_FALSE(*ended);
    EXPECT_EQ(request.body, "");
    gate.set_value();
    EXPECT_EQ(refusal(draft), passes);
}

}  // namespace
}  // namespace entente::federation::testing_rig
