#include <iterator>
#include <utility>

#include "conformance/cases/groups.hpp"

namespace entente::conformance {

namespace {

struct Group {
    const char* name;
    const char* about;
    std::vector<Case> (*cases)();
};

constexpr Group groups[] = {
    {"discovery",
     "The target meets servers of the runner's, whose documents, certificates and addresses are as "
     "a "
     "case has them. A server is met where a message of its user is accepted.",
     discovery_cases},
    {"keys",
     "Servers of the runner's that the target knows change their keys, with statements or without. "
     "Whether a key counts shows in what becomes of a message under it.",
     key_cases},
    {"signature",
     "A message that would be accepted is sent under a signature with one defect. It must be "
     "refused, "
     "and nobody may read it.",
     signature_cases},
    {"digest",
     "A signed message is sent whose content isn't what its Content-Digest says. It must be "
     "refused, "
     "and nobody may read it.",
     digest_cases},
    {"window", "A message is signed at other times than now, by the target's clock.", window_cases},
    {"replay", "A request that was served comes again, or its nonce does.", replay_cases},
    {"events",
     "Servers of the runner's hand in events (messages, joins) of their users in a channel that "
     "the "
     "target orders, as submissions. A submission has a seal: the list of its events' ids, in the "
     "name of their server. Signed is not the seal but a root, the hash of a tree of which the "
     "seal's "
     "octets are a leaf; the seal's proof is the leaf's place, its index, and its path, the hashes "
     "from there to the root. What is rejected must not be readable either.",
     event_cases},
    {"log",
     "A home sends a channel's log to those who follow it in slices. A slice is a run of entries "
     "(events with their numbers and times) and what proves them: a seal for each entry by another "
     "server's user, and a checkpoint, the home's signed word on the hash of the last entry, which "
     "the hashes of all entries lead to. Each slice gets a result. The runner is the home and the "
     "target follows; in the last cases the target is the home, and is asked for its log. What "
     "isn't "
     "taken must not be readable either.",
     log_cases},
    {"http",
     "A signed message is sent in octets of which two readers may differ where they end. It must "
     "be "
     "refused, and nobody may read it. Or a second signed message, a whole request, is hidden "
     "inside "
     "of the first or behind it: whatever the answer is, nobody may read that one.",
     http_cases},
    {"load",
     "One address does badly: it is slow, silent, or asks too much. Meanwhile a server at another "
     "address, which has done nothing wrong, hands in messages, and is served as ever.",
     load_cases},
    {"outbound",
     "The target sends and the runner receives: slices of a channel that the target orders, or "
     "submissions of its account's messages in a channel of the runner's. The runner answers as a "
     "case has it, and looks at what comes again, when, and in which order.",
     outbound_cases},
};

}  // namespace

const std::vector<Case>& catalogue()
{
    static const std::vector<Case> all = [] {
        std::vector<Case> cases;
        for (const auto& group : groups) {
            for (auto& one : group.cases()) {
                one.group = group.name;
                cases.push_back(std::move(one));
            }
        }
        return cases;
    }();
    return all;
}

std::string_view about_group(std::string_view name)
{
    for (const auto& group : groups)
        if (name == group.name) return group.about;
    return {};
}

}  // namespace entente::conformance
