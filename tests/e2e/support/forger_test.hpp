// The fixture of tests between one real server and a hostile peer: a.test, alice on it with
// a public channel, and the forger f.test, whose user has joined or not.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "tests/e2e/support/forger.hpp"
#include "tests/e2e/support/world_test.hpp"

namespace entente::e2e {

class ForgerTest : public WorldTest {
 protected:
    void SetUp() override
    {
        WorldTest::SetUp();
        open({"a.test"}, {"f.test"});
        alice_ = std::make_unique<Client>(person("a.test", "alice"));
        forger_ = std::make_unique<Forger>(world(), "f.test");
        channel_ = alice_->create_channel("garden", {{"public", true}});
    }

    [[nodiscard]] Node& home() { return node("a.test"); }
    [[nodiscard]] std::string joining() const
    {
        return forger_->submission(channel_, {forger_->event(channel_, "member.join")});
    }
    [[nodiscard]] std::string message(const std::string& text) const
    {
        return forger_->submission(
            channel_, {forger_->event(channel_, "message.create", "\"text\":\"" + text + "\"")});
    }
    void join()
    {
        const auto joined = forger_->deliver(home(), joining());
        ASSERT_EQ(joined.submissions.at(0).events.at(0).status, protocol::ItemStatus::accepted);
    }
    [[nodiscard]] bool has_joined()
    {
        const auto users = members(*alice_, channel_);
        return std::ranges::find(users, forger_->user()) != users.end();
    }
    [[nodiscard]] std::vector<std::string> texts() { return alice_->texts(channel_); }

    std::unique_ptr<Client> alice_;
    std::unique_ptr<Forger> forger_;
    std::string channel_;
};

}  // namespace entente::e2e
