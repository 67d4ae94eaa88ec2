// The invariants of moderation, as a table and for any question at all.
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "trust/ranks.hpp"

namespace entente::trust {
namespace {

constexpr std::int64_t several = 2;

RankQuestion question(Judgement judgement, Rank actor, Rank target, Rank role = Rank::user)
{
    return {judgement, {actor, true}, {target, true}, false, role, several};
}

std::string verdict(const RankQuestion& asked)
{
    const auto checked = check_judgement(asked);
    if (checked) return "";
    EXPECT_EQ(checked.error().code, Code::forbidden);
    return checked.error().hint;
}

std::vector<Judgement> all_judgements()
{
    std::vector<Judgement> all;
    for (std::uint8_t i = 0; i < judgements; ++i) all.push_back(static_cast<Judgement>(i));
    return all;
}

constexpr const char* inactive = "this account may do nothing any more";
constexpr const char* beyond = "the new role is above your own";
constexpr const char* higher = "this user has a higher role";
constexpr const char* himself = "nobody does this to himself";
constexpr const char* last_one = "the last superadmin stays";
constexpr const char* same_password = "only a higher role resets this password";

TEST(Ranks, WhoMayActOnWhom)
{
    struct Row {
        Rank actor, target;
        const char *ban, *password, *role;
    };
    for (const auto& row :
         std::vector<Row>{{Rank::user, Rank::user, "", same_password, beyond},
                          {Rank::user, Rank::admin, higher, higher, higher},
                          {Rank::admin, Rank::user, "", "", ""},
                          {Rank::admin, Rank::admin, "", same_password, ""},
                          {Rank::admin, Rank::superadmin, higher, higher, higher},
                          {Rank::superadmin, Rank::user, "", "", ""},
                          {Rank::superadmin, Rank::admin, "", "", ""},
                          {Rank::superadmin, Rank::superadmin, "", same_password, ""},
                          {Rank::machine, Rank::user, "", "", ""},
                          {Rank::machine, Rank::superadmin, "", "", ""}}) {
        for (const auto judgement : {Judgement::suspend, Judgement::unsuspend, Judgement::ban,
                                     Judgement::unban, Judgement::end_sessions, Judgement::remove})
            EXPECT_EQ(verdict(question(judgement, row.actor, row.target)), row.ban)
                << to_text(judgement) << " by " << to_text(row.actor) << " of "
                << to_text(row.target);
        EXPECT_EQ(verdict(question(Judgement::reset_password, row.actor, row.target)),
                  row.password);
        EXPECT_EQ(verdict(question(Judgement::set_role, row.actor, row.target, Rank::admin)),
                  row.role);
    }
}

TEST(Ranks, NobodyActsOnHimself)
{
    for (const auto judgement : all_judgements()) {
        auto asked = question(judgement, Rank::superadmin, Rank::superadmin, Rank::admin);
        asked.is_self = true;
        EXPECT_EQ(verdict(asked), himself) << to_text(judgement);
    }
}

TEST(Ranks, WhoIsSuspendedOrBannedDoesNothing)
{
    for (const auto judgement : all_judgements()) {
        auto asked = question(judgement, Rank::superadmin, Rank::user);
        asked.actor.is_active = false;
        EXPECT_EQ(verdict(asked), inactive) << to_text(judgement);
    }
}

TEST(Ranks, TheLastSuperadminStaysWhoeverAsks)
{
    for (const auto judgement : all_judgements()) {
        const bool takes = judgement == Judgement::suspend || judgement == Judgement::ban ||
                           judgement == Judgement::remove || judgement == Judgement::set_role;
        auto asked = question(judgement, Rank::machine, Rank::superadmin, Rank::admin);
        asked.superadmins = 1;
        EXPECT_EQ(verdict(asked), takes ? last_one : "") << to_text(judgement);
        asked.superadmins = 2;
        EXPECT_EQ(verdict(asked), "") << to_text(judgement);
        // One who can't act is not the last: the last is another.
        asked.superadmins = 1;
        asked.target.is_active = false;
        EXPECT_EQ(verdict(asked), "") << to_text(judgement);
    }
    auto kept = question(Judgement::set_role, Rank::machine, Rank::superadmin, Rank::superadmin);
    kept.superadmins = 1;
    EXPECT_EQ(verdict(kept), "");
}

RankQuestion any_question()
{
    RankQuestion asked;
    asked.judgement = static_cast<Judgement>(*rc::gen::inRange(0, static_cast<int>(judgements)));
    asked.actor = {static_cast<Rank>(*rc::gen::inRange(0, 4)), *rc::gen::arbitrary<bool>()};
    asked.target = {static_cast<Rank>(*rc::gen::inRange(0, 3)), *rc::gen::arbitrary<bool>()};
    asked.is_self = *rc::gen::arbitrary<bool>();
    asked.role = static_cast<Rank>(*rc::gen::inRange(0, 3));
    asked.superadmins = *rc::gen::inRange(0, 4);
    return asked;
}

TEST(Ranks, WhatIsAllowedBreaksNoInvariant)
{
    rc::check([] {
        const auto asked = any_question();
        if (!check_judgement(asked)) return;
        RC_ASSERT(asked.actor.is_active);
        RC_ASSERT(!asked.is_self);
        RC_ASSERT(asked.target.rank <= asked.actor.rank);
        if (asked.judgement == Judgement::set_role) RC_ASSERT(asked.role <= asked.actor.rank);
        const bool was = asked.target.rank == Rank::superadmin && asked.target.is_active;
        const bool is_gone =
            asked.judgement == Judgement::suspend || asked.judgement == Judgement::ban ||
            asked.judgement == Judgement::remove ||
            (asked.judgement == Judgement::set_role && asked.role != Rank::superadmin);
        if (was && is_gone) RC_ASSERT(asked.superadmins > 1);
    });
}

}  // namespace
}  // namespace entente::trust
