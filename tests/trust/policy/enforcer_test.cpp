// What an enforcement point gets: limits that are counted, holds, what is told, the sample.
#include "trust/policy/enforcer.hpp"

#include "tests/trust/policy/policy_rig.hpp"
#include "trust/policy/rehearsal.hpp"

namespace entente::trust::policy {
namespace {

using testing::ready;
using testing::rule;
using A = Attribute;

constexpr auto a_message = R"("message.create")";
constexpr auto a_join = R"("member.join")";
constexpr auto allows = R"("allow")";

class StillClock final : public protocol::Clock {
 public:
    [[nodiscard]] protocol::Millis now_ms() const override { return now; }
    protocol::Millis now = 1'763'683'200'000;
};

struct Asked {
    explicit Asked(const std::vector<std::string>& rules)
        : live(std::make_shared<Policies>(ready(rules))),
          enforcer(live, clock, [this](const Told& one) { told.push_back(one); })
    {
    }
    Result<Ruling> ask(const std::string& user, const std::string& server = "b.example",
                       Action action = Action::message_create)
    {
        Request request{action};
        request.text(A::subject_id, user).text(A::subject_server, server);
        return enforcer.decide(request);
    }
    StillClock clock;
    std::shared_ptr<Policies> live;
    std::vector<Told> told;
    Enforcer enforcer;
};

std::string limited(int count, int seconds, const std::string& of)
{
    return R"({"limit":{"count":)" + std::to_string(count) + R"(,"seconds":)" +
           std::to_string(seconds) + R"(,"of":")" + of + R"("}})";
}

TEST(Enforcer, ARefusalNamesTheRule)
{
    Asked asked({rule("no", a_message, R"({"eq":["subject.id","bob@b.example"]})", R"("deny")"),
                 rule("in", a_message, "", allows)});
    EXPECT_TRUE(asked.ask("eve@b.example"));
    const auto refused = asked.ask("bob@b.example");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::forbidden);
    EXPECT_EQ(refused.error().hint, "by the policy rule p@1/no");
    EXPECT_EQ(asked.ask("eve@b.example", "b.example", Action::key_share).error().hint,
              "no policy rule allows it");
}

TEST(Enforcer, ALimitIsCountedForEachSubjectAndEndsWithItsPeriod)
{
    Asked asked(
        {rule("two", a_message, "", limited(2, 60, "subject")), rule("in", a_message, "", allows)});
    EXPECT_TRUE(asked.ask("bob@b.example"));
    asked.clock.now += 10'000;
    EXPECT_TRUE(asked.ask("bob@b.example"));
    const auto over = asked.ask("bob@b.example");
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::rate_limited);
    EXPECT_EQ(over.error().retry_after, 50);
    EXPECT_EQ(over.error().hint, "by the policy rule p@1/two");
    EXPECT_TRUE(asked.ask("eve@b.example"));
    asked.clock.now += 49'999;
    EXPECT_FALSE(asked.ask("bob@b.example"));
    asked.clock.now += 1;
    EXPECT_TRUE(asked.ask("bob@b.example"));
}

TEST(Enforcer, ALimitMayCountAServerOrAllTogether)
{
    Asked by_server({rule("r", a_message, "", limited(1, 60, "server") + R"(,"allow")")});
    EXPECT_TRUE(by_server.ask("bob@b.example"));
    EXPECT_FALSE(by_server.ask("eve@b.example"));
    EXPECT_TRUE(by_server.ask("eve@c.example", "c.example"));
    Asked by_all({rule("r", a_message, "", limited(1, 60, "all") + R"(,"allow")")});
    EXPECT_TRUE(by_all.ask("bob@b.example"));
    EXPECT_FALSE(by_all.ask("eve@c.example", "c.example"));
}

// What one of them refuses costs the others nothing.
TEST(Enforcer, OfSeveralLimitsAllAreChargedOrNone)
{
    Asked asked({rule("all", a_message, "", limited(3, 60, "all") + R"(,"allow")"),
                 rule("each", a_message, "", limited(1, 60, "subject"))});
    EXPECT_TRUE(asked.ask("bob@b.example"));
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(asked.ask("bob@b.example"));
    EXPECT_TRUE(asked.ask("eve@b.example"));
    EXPECT_TRUE(asked.ask("dan@b.example"));
    EXPECT_EQ(asked.ask("fay@b.example").error().hint, "by the policy rule p@1/all");
}

TEST(Enforcer, WhatIsDeniedCostsNoLimit)
{
    Asked asked({rule("r", a_message, "", limited(1, 60, "all") + R"(,"allow")"),
                 rule("no", a_message, R"({"eq":["subject.id","bob@b.example"]})", R"("deny")")});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(asked.ask("bob@b.example").error().code, Code::forbidden);
    EXPECT_TRUE(asked.ask("eve@b.example"));
}

TEST(Enforcer, AVerdictGoesByThePoliciesOfItsTime)
{
    Asked asked({rule("in", a_message, "", allows)});
    EXPECT_TRUE(asked.ask("bob@b.example"));
    asked.live->replace(ready({rule("no", a_message, "", R"("deny")")}));
    EXPECT_FALSE(asked.ask("bob@b.example"));
}

TEST(Enforcer, AHoldSaysForWhomAndByWhichRule)
{
    Asked asked(
        {rule("in", a_join, "", allows), rule("wait", a_join, "", R"({"hold":"moderator"})")});
    const auto held = asked.ask("bob@b.example", "b.example", Action::member_join);
    ASSERT_TRUE(held);
    EXPECT_TRUE(held->is_held());
    EXPECT_EQ(held->held_for, "moderator");
    EXPECT_EQ(held->rule, "p@1/wait");
}

TEST(Enforcer, WhatARuleTellsIsTold)
{
    Asked asked({rule("in", a_message, "", allows),
                 rule("log", a_message, R"({"eq":["subject.id","l@b.example"]})", R"("log")"),
                 rule("tag", a_message, R"({"eq":["subject.id","t@b.example"]})", R"({"tag":"x"})"),
                 rule("silent", a_message, R"({"eq":["subject.id","s@b.example"]})",
                      R"({"tag":"no-push"})"),
                 rule("no", a_message, R"({"eq":["subject.id","n@b.example"]})",
                      R"("deny",{"notify":"administrators"})")});
    EXPECT_TRUE(asked.ask("plain@b.example"));
    EXPECT_TRUE(asked.ask("s@b.example"));
    EXPECT_TRUE(asked.told.empty());
    EXPECT_TRUE(asked.ask("l@b.example"));
    EXPECT_EQ(asked.ask("t@b.example")->tags, std::vector<std::string>{"x"});
    EXPECT_FALSE(asked.ask("n@b.example"));
    ASSERT_EQ(asked.told.size(), 3U);
    EXPECT_FALSE(asked.told[0].for_administrators);
    EXPECT_EQ(asked.told[0].subject, "l@b.example");
    EXPECT_EQ(asked.told[1].tags, "x");
    EXPECT_TRUE(asked.told[2].for_administrators);
    EXPECT_EQ(asked.told[2].rule, "p@1/no");
    EXPECT_EQ(asked.told[2].outcome, Outcome::denied);
}

TEST(Enforcer, TheRateIsOfTheLastMinuteAndCountedWhereARuleAsks)
{
    Asked asked({rule("in", a_message, "", allows),
                 rule("calm", a_message, R"({"ge":["context.rate",2]})", R"("deny")")});
    EXPECT_TRUE(asked.enforcer.asks(Action::message_create, A::context_rate));
    EXPECT_FALSE(asked.enforcer.asks(Action::message_create, A::context_size));
    EXPECT_FALSE(asked.enforcer.asks(Action::key_share, A::context_rate));
    EXPECT_TRUE(asked.ask("bob@b.example"));
    EXPECT_TRUE(asked.ask("bob@b.example"));
    EXPECT_FALSE(asked.ask("bob@b.example"));
    EXPECT_TRUE(asked.ask("eve@b.example"));
    asked.clock.now += 60'000;
    EXPECT_TRUE(asked.ask("bob@b.example"));
}

TEST(Enforcer, WhatNoRuleAllowsMayGoOnWhereAnotherDecidesToo)
{
    Asked asked({rule("no", a_message, R"({"eq":["subject.id","bob@b.example"]})", R"("deny")")});
    const auto ask = [&](const char* user) {
        Request request{Action::message_create};
        request.text(A::subject_id, user);
        return asked.enforcer.decide(request, Unallowed::goes_on).has_value();
    };
    EXPECT_TRUE(ask("eve@b.example"));
    EXPECT_FALSE(ask("bob@b.example"));
}

TEST(Enforcer, TheSampleHoldsOnePermissionInHalfAMinuteAndOneRefusalASecond)
{
    Asked asked({rule("no", a_message, R"({"eq":["subject.id","bob@b.example"]})", R"("deny")"),
                 rule("in", R"("message.*")", "", allows)});
    const auto ask_all = [&] {
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(asked.ask("eve@b.example"));
            EXPECT_FALSE(asked.ask("bob@b.example"));
        }
    };
    ask_all();
    EXPECT_TRUE(asked.ask("eve@b.example", "b.example", Action::message_edit));
    auto records = asked.enforcer.take_records();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(parse_record(records[0].text)->request.text(A::subject_id), "eve@b.example");
    EXPECT_EQ(parse_record(records[0].text)->request.value(A::context_time), asked.clock.now);
    const Decided permitted{Outcome::permitted, "p@1/in"}, denied{Outcome::denied, "p@1/no"};
    EXPECT_EQ(parse_record(records[0].text)->decided, permitted);
    EXPECT_EQ(parse_record(records[1].text)->decided, denied);
    EXPECT_EQ(records[1].action, Action::message_create);
    EXPECT_EQ(records[1].outcome, Outcome::denied);
    EXPECT_TRUE(asked.enforcer.take_records().empty());
    asked.clock.now += 1'000;
    ask_all();
    EXPECT_EQ(asked.enforcer.take_records().size(), 1U);
    asked.clock.now += 28'999;
    ask_all();
    EXPECT_EQ(asked.enforcer.take_records().size(), 1U);
    asked.clock.now += 1;
    ask_all();
    EXPECT_EQ(asked.enforcer.take_records().size(), 1U);
}

TEST(Enforcer, NoMoreOfTheSampleWaitsThanMay)
{
    Asked asked({rule("no", a_message, "", R"("deny")")});
    for (std::size_t i = 0; i < max_waiting_records + 1; ++i) {
        asked.clock.now += other_sample_ms;
        EXPECT_FALSE(asked.ask("bob@b.example"));
    }
    EXPECT_EQ(asked.enforcer.take_records().size(), max_waiting_records);
}

// Names of theirs, each once.
void add_crowd(Counter& counter, const std::string& server, std::size_t names, protocol::Millis now)
{
    for (std::size_t i = 0; i < names; ++i)
        counter.add({std::to_string(i) + "@" + server, server}, now);
}

TEST(LimitCounts, NamesOfOneServerBeyondItsBoundCountAsOneAndTakeNothingFromOthers)
{
    Counter counter{60'000};
    const protocol::Millis now = 1'000'000;
    const std::string b = "b.example";
    add_crowd(counter, b, max_counted_of_server, now);
    EXPECT_EQ(counter.size(), max_counted_of_server);
    counter.add({"more@b.example", b}, now);
    EXPECT_EQ(counter.count({"another@b.example", b}, now), 1);
    EXPECT_EQ(counter.count({"7@b.example", b}, now), 1) << "who was there counts for himself";
    EXPECT_EQ(counter.count({"carol@c.example", "c.example"}, now), 0);
    EXPECT_EQ(counter.count({"alice@a.example", "a.example", true}, now), 0);
    EXPECT_EQ(counter.size(), max_counted_of_server + 3);
    EXPECT_EQ(counter.left({"another@b.example", b}, now + 1), 59'999);
    EXPECT_EQ(counter.count({"another@b.example", b}, now + 60'000), 0) << "the old are forgotten";
    EXPECT_EQ(counter.size(), 1U);
}

TEST(LimitCounts, ManyServersBeyondTheBoundCountEachAsOneAndTakeNothingFromOwnUsers)
{
    Counter counter{60'000};
    const protocol::Millis now = 1'000'000;
    for (std::size_t i = 0; i < max_counted / max_counted_of_server; ++i)
        add_crowd(counter, std::to_string(i) + ".example", max_counted_of_server, now);
    EXPECT_EQ(counter.size(), max_counted);
    counter.add({"one@new.example", "new.example"}, now);
    EXPECT_EQ(counter.count({"two@new.example", "new.example"}, now), 1);
    EXPECT_EQ(counter.count({"one@other.example", "other.example"}, now), 0);
    for (std::size_t i = 0; i < max_counted; ++i)
        counter.add({std::to_string(i), "a.example", true}, now);
    EXPECT_EQ(counter.count({"7", "a.example", true}, now), 1);
    counter.add({"more", "a.example", true}, now);
    EXPECT_EQ(counter.count({"and another", "a.example", true}, now), 1);
    EXPECT_EQ(counter.size(), 2 * max_counted + 3);
}

TEST(LimitCounts, BeyondTheBoundOfServersTheRestIsOne)
{
    Counter counter{60'000};
    const protocol::Millis now = 1'000'000;
    const auto add_one_of_each = [&](const std::string& end, std::size_t servers) {
        for (std::size_t i = 0; i < servers; ++i)
            counter.add({"x@" + std::to_string(i) + end, std::to_string(i) + end}, now);
    };
    add_one_of_each(".counted.example", max_counted);
    add_one_of_each(".crowd.example", max_crowds);
    EXPECT_EQ(counter.size(), max_counted + max_crowds);
    counter.add({"x@y.example", "y.example"}, now);
    EXPECT_EQ(counter.count({"x@z.example", "z.example"}, now), 1);
    EXPECT_EQ(counter.count({"y@7.crowd.example", "7.crowd.example"}, now), 1);
    EXPECT_EQ(counter.size(), max_counted + max_crowds);
}

// A server that makes up senders doesn't shut another's users out.
TEST(Enforcer, ACrowdOfOneServersNamesLeavesTheOthersTheirLimits)
{
    Asked asked({rule("few", a_message, "", R"("allow",{"limit":{"count":2,"seconds":60}})")});
    for (std::size_t i = 0; i < max_counted + 2; ++i)
        static_cast<void>(asked.ask(std::to_string(i) + "@b.example", "b.example"));
    EXPECT_FALSE(asked.ask("more@b.example", "b.example"));
    EXPECT_TRUE(asked.ask("carol@c.example", "c.example"));
    EXPECT_TRUE(asked.ask("dave@c.example", "c.example"));
}

TEST(LimitCounts, TheCounterThatWasUnusedLongestMakesRoom)
{
    LimitCounts counts;
    for (std::size_t i = 0; i < max_counters; ++i) {
        auto& counter = counts.of(std::to_string(i), 60'000);
        counter.add({"a", {}, true}, static_cast<protocol::Millis>(1'000 + i));
    }
    counts.of("0", 60'000).add({"a", {}, true}, 5'000);
    counts.of("more", 60'000).add({"a", {}, true}, 5'000);
    EXPECT_EQ(counts.size(), max_counters);
    EXPECT_EQ(counts.of("0", 60'000).count({"a", {}, true}, 5'000), 2);
    EXPECT_EQ(counts.of("1", 60'000).count({"a", {}, true}, 5'000), 0) << "it had gone";
}

}  // namespace
}  // namespace entente::trust::policy
