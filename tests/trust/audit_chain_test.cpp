// The audit log's chain: what an export proves, and that nothing in it can be changed, left
// out, slipped in or cut off unnoticed.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "protocol/json_rules.hpp"
#include "trust/audit_chain.hpp"

namespace entente::trust {
namespace {

const auto home = protocol::ServerName::trusted("a.example");

protocol::SigningKey chain_key(char seed = 'k')
{
    protocol::start_crypto();
    return protocol::SigningKey::from_seed(std::string(32, seed)).value();
}

AuditEntry next(const AuditEntry& before)
{
    AuditEntry entry;
    entry.seq = before.seq + 1;
    entry.at = before.at + 5;
    entry.actor = "root@a.example";
    entry.act = "user.ban";
    entry.object = "user" + std::to_string(entry.seq) + "@a.example";
    entry.details = R"({"reason":"spam \"x\""})";
    entry.previous = before.hash;
    entry.hash = audit_hash(home, entry);
    return entry;
}

using Lines = std::vector<std::string>;

Lines log_of(int count)
{
    Lines lines{audit_first_line(home)};
    AuditEntry entry;
    for (int i = 0; i < count; ++i) {
        entry = next(entry);
        lines.push_back(audit_entry_line(entry));
    }
    lines.push_back(audit_last_line(home, {entry.seq, entry.hash}, 99, chain_key()));
    return lines;
}

struct Judged {
    AuditReader reader;
    std::string fault;  // "" where the log is whole
};

Judged judge(const Lines& lines)
{
    Judged judged;
    for (const auto& line : lines) {
        if (auto taken = judged.reader.take(line); !taken) {
            judged.fault = taken.error().hint;
            return judged;
        }
    }
    if (auto whole = judged.reader.finish(); !whole) judged.fault = whole.error().hint;
    return judged;
}

TEST(AuditChain, AnExportIsWholeAndSaysWhoSignedIt)
{
    for (const int count : {0, 1, 7}) {
        const auto judged = judge(log_of(count));
        EXPECT_EQ(judged.fault, "");
        EXPECT_EQ(judged.reader.server(), home);
        EXPECT_EQ(judged.reader.head().seq, count);
        ASSERT_TRUE(judged.reader.signature());
        EXPECT_EQ(judged.reader.signature()->key.key, chain_key().id());
        EXPECT_EQ(judged.reader.signature()->at, 99);
    }
}

TEST(AuditChain, TheHashCoversEveryMemberAndWhoseLogItIs)
{
    AuditEntry entry = next({});
    const auto hash = audit_hash(home, entry);
    EXPECT_NE(audit_hash(protocol::ServerName::trusted("b.example"), entry), hash);
    for (const auto change :
         {+[](AuditEntry& e) { ++e.seq; }, +[](AuditEntry& e) { ++e.at; },
          +[](AuditEntry& e) { e.actor += "x"; }, +[](AuditEntry& e) { e.act += "x"; },
          +[](AuditEntry& e) { e.object += "x"; }, +[](AuditEntry& e) { e.details = "{}"; },
          +[](AuditEntry& e) { e.previous = "x"; }}) {
        auto changed = entry;
        change(changed);
        EXPECT_NE(audit_hash(home, changed), hash);
    }
    // Nor can octets wander from one member into the next.
    auto moved = entry;
    moved.act = "user.ba";
    moved.object = "n" + entry.object;
    EXPECT_NE(audit_hash(home, moved), hash);
}

TEST(AuditChain, TheFirstEntryThatDoesntFollowIsNamed)
{
    auto left_out = log_of(5);
    left_out.erase(left_out.begin() + 3);
    EXPECT_EQ(judge(left_out).fault, "entry 3 is missing: entry 4 stands in its place");
    EXPECT_EQ(judge(left_out).reader.broken_at(), 3);

    auto changed = log_of(5);
    changed[2].replace(changed[2].find("user.ban"), 8, "user.bun");
    EXPECT_EQ(judge(changed).fault, "entry 2 was changed: its hash is another");

    // Made anew with its hash: then the next doesn't follow.
    auto forged = log_of(5);
    auto entry = next({});
    entry.object = "nobody@a.example";
    entry.hash = audit_hash(home, entry);
    forged[1] = audit_entry_line(entry);
    EXPECT_EQ(judge(forged).fault, "entry 2 doesn't follow the one before it");

    auto early = next(next({}));
    early.at = 1;
    early.hash = audit_hash(home, early);
    auto aged = log_of(1);
    aged.insert(aged.begin() + 2, audit_entry_line(early));
    EXPECT_EQ(judge(aged).fault, "entry 2 is older than the one before it");
}

TEST(AuditChain, AnEndThatIsCutOffIsNoticed)
{
    auto cut = log_of(5);
    cut.erase(cut.begin() + 5);
    EXPECT_EQ(judge(cut).fault, "entry 5 is missing: the server has signed the log up to entry 5");
    auto unsigned_end = log_of(5);
    unsigned_end.pop_back();
    EXPECT_EQ(judge(unsigned_end).fault,
              "entry 6 or the signed end is missing: the file is cut off");
    // The signed end of the shorter log under the longer one.
    auto longer = log_of(5);
    longer.back() = log_of(4).back();
    EXPECT_EQ(judge(longer).fault, "the signed end: it is of another log");
    auto more = log_of(2);
    more.push_back(more[1]);
    EXPECT_EQ(judge(more).fault, "there is more behind the signed end");
    EXPECT_EQ(judge({}).fault, "this is no exported audit log");
}

TEST(AuditChain, TheEndIsSignedByTheServerOfTheLog)
{
    const auto lines = log_of(2);
    const auto head = judge(lines).reader.head();
    auto other = lines;
    other.back() =
        audit_last_line(protocol::ServerName::trusted("b.example"), head, 9, chain_key());
    EXPECT_EQ(judge(other).fault, "the signed end: its signature doesn't hold");
    // Another key than the one that signed.
    auto swapped = lines;
    auto& end = swapped.back();
    const auto x = end.find(chain_key().public_key().x());
    ASSERT_NE(x, std::string::npos);
    end.replace(x, 43, chain_key('l').public_key().x());
    EXPECT_EQ(judge(swapped).fault, "the signed end: its signature doesn't hold");
}

TEST(AuditChain, WhatIsNoEntryCanBeNone)
{
    const auto refused = [](const AuditEntry& entry) { return !check_audit_entry(entry); };
    auto entry = next({});
    EXPECT_FALSE(refused(entry));
    for (auto member : {&AuditEntry::actor, &AuditEntry::act, &AuditEntry::object}) {
        for (const auto* text : {"", "a\nb", "a\x7f", "\xff"}) {
            auto changed = entry;
            changed.*member = text;
            EXPECT_TRUE(refused(changed)) << text;
        }
        const auto most = member == &AuditEntry::act ? max_audit_act_octets : max_audit_name_octets;
        auto changed = entry;
        changed.*member = std::string(most, 'x');
        EXPECT_FALSE(refused(changed));
        changed.*member += "x";
        EXPECT_TRUE(refused(changed));
    }
    for (const auto* text : {"", "[]", "{} ", "{\n}", "{\t}", R"({"a":1,"a":2})", "{"}) {
        auto changed = entry;
        changed.details = text;
        EXPECT_EQ(refused(changed), std::string(text) != "{} ") << text;
    }
    entry.details = "{\"a\":\"\x7f\\u0001\"}";
    EXPECT_FALSE(refused(entry)) << "what somebody wrote as a reason";
    entry.details = R"({"a":")" + std::string(max_audit_details_octets - 8, 'x') + "\"}";
    EXPECT_FALSE(refused(entry));
    entry.details.insert(7, "x");
    EXPECT_TRUE(refused(entry));
}

// The largest entry there may be fits into a line.
TEST(AuditChain, TheLongestEntryIsRead)
{
    AuditEntry entry;
    entry.seq = 1;
    entry.at = protocol::max_json_integer;
    entry.actor = std::string(max_audit_name_octets, '"');
    entry.act = std::string(max_audit_act_octets, '"');
    entry.object = std::string(max_audit_name_octets, '\\');
    entry.details = R"({"a":")" + std::string(max_audit_details_octets - 8, 'x') + "\"}";
    entry.hash = audit_hash(home, entry);
    const Lines lines{audit_first_line(home), audit_entry_line(entry),
                      audit_last_line(home, {1, entry.hash}, 1, chain_key())};
    EXPECT_EQ(judge(lines).fault, "");
    auto longer = lines;
    longer[1] = std::string(max_audit_line_octets + 1, ' ');
    EXPECT_EQ(judge(longer).fault, "entry 1 is too long");
}

// Whatever single octet of an entry is another, the log isn't whole any more.
TEST(AuditChain, EveryOctetOfAnEntryCounts)
{
    const auto lines = log_of(4);
    rc::check([&lines] {
        auto changed = lines;
        const auto line = *rc::gen::inRange<std::size_t>(1, 5);
        const auto at = *rc::gen::inRange<std::size_t>(0, changed[line].size());
        const auto octet = *rc::gen::arbitrary<char>();
        RC_PRE(octet != changed[line][at]);
        changed[line][at] = octet;
        const auto judged = judge(changed);
        RC_ASSERT(!judged.fault.empty());
        RC_ASSERT(judged.reader.broken_at() == static_cast<std::int64_t>(line));
    });
}

}  // namespace
}  // namespace entente::trust
