// A disk that answers no sync: the supervisor hears no more of a daemon that can't go on by
// itself, though its loop still turns.
#include "tests/e2e/support/notified.hpp"
#include "tests/fault/e2e/faulty_world.hpp"

namespace entente::e2e {
namespace {

using HangingDisk = FaultyWorld;

TEST_F(HangingDisk, NoSignOfLifeIsGivenWhileTheWriterHangs)
{
    set_up({"a.test"}, {}, "", Tuning::brisk);
    auto& a = node("a.test");
    Notified told(a.folder() + "/notify");
    make_faulty(a, "", "", {"NOTIFY_SOCKET=" + a.folder() + "/notify", "WATCHDOG_USEC=300000"});
    a.start();
    for (int i = 0; i < 3; ++i) told.wait_for("WATCHDOG=1");

    tell(a, "slow 600000 entente.sqlite");
    // Something to write; the answer is never waited for.
    auto socket = a.connect();
    const std::string body =
        R"({"name":"alice","password":"correct horse battery","device":{"id":")" + new_uuid() +
        R"(","key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","name":"x"}})";
    socket.write(write_request("POST", "/api/v1/auth/register", "a.test",
                               {{"Content-Type", "application/json"}}, body));
    // The writer is at it once no sign came for five times as long as one takes.
    auto last = std::chrono::steady_clock::now();
    wait_until("signs of life have ended", [&] {
        if (told.all().find("WATCHDOG=1") != std::string::npos) {
            told.forget();
            last = std::chrono::steady_clock::now();
        }
        return std::chrono::steady_clock::now() - last > std::chrono::milliseconds(500);
    });
    // The loop itself turns: that alone would look alive.
    EXPECT_EQ(a.get("/health").status(), 200);
    EXPECT_EQ(told.all().find("WATCHDOG=1"), std::string::npos);
}

}  // namespace
}  // namespace entente::e2e
