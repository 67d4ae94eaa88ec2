// What a channel's log owes those who wrote to it while servers were killed.
#pragma once

#include <map>

#include <gtest/gtest.h>

#include "tests/e2e/support/crew.hpp"

namespace entente::e2e {

// A log from entry 1 on: without a hole, nothing twice, and each writer's acknowledged
// messages as they were told, in their order.
inline void expect_kept(const std::vector<PageEntry>& log, const Crew& crew)
{
    std::map<std::string, PageEntry> by_txn;
    for (std::size_t i = 0; i < log.size(); ++i) {
        ASSERT_EQ(log[i].seq, static_cast<std::int64_t>(i + 1)) << "the numbers have a hole";
        ASSERT_TRUE(by_txn.emplace(log[i].txn, log[i]).second) << log[i].text << " is there twice";
    }
    for (const auto& list : crew.all()) {
        std::int64_t before = 0;
        for (const auto& item : list) {
            const auto found = by_txn.find(item.txn);
            ASSERT_NE(found, by_txn.end()) << item.text << " was acknowledged and is missing";
            ASSERT_EQ(found->second.text, item.text);
            ASSERT_EQ(found->second.sender, item.sender);
            if (item.seq > 0) {
                ASSERT_EQ(found->second.seq, item.seq);
            }
            ASSERT_GT(found->second.seq, before) << item.text << " has overtaken an earlier one";
            before = found->second.seq;
        }
    }
}

}  // namespace entente::e2e
