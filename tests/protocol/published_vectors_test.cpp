// The published test vectors (docs/protocol/test-vectors.md) against our code: they were
// computed by other means, and other implementers rely on them.
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "protocol/channel_state.hpp"
#include "protocol/ed25519.hpp"
#include "protocol/message_signature.hpp"
#include "protocol/proofs.hpp"
#include "protocol/slice.hpp"
#include "protocol/statement.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol {
namespace {

// The boxes of the document by the bold title above each.
std::map<std::string, std::string> read_boxes()
{
    std::ifstream file(ENTENTE_TEST_VECTORS_MD);
    std::map<std::string, std::string> boxes;
    std::string line;
    std::string title;
    bool inside = false;
    while (std::getline(file, line)) {
        if (line == "```") {
            inside = !inside;
            continue;
        }
        if (inside) {
            auto& box = boxes[title];
            if (!box.empty()) box += '\n';
            box += line;
        } else if (line.starts_with("**") && line.ends_with("**")) {
            title = line.substr(2, line.size() - 4);
            boxes.erase(title);
        }
    }
    return boxes;
}

// "name   value" lines of a box.
std::string member(const std::string& box, const std::string& name)
{
    std::istringstream lines(box);
    std::string line;
    while (std::getline(lines, line)) {
        if (!line.starts_with(name + " ")) continue;
        const auto value = line.find_first_not_of(' ', name.size());
        if (name == "content" && line.substr(value).starts_with("hash")) continue;
        return line.substr(value);
    }
    return {};
}

std::string from_hex(const std::string& text)
{
    std::string octets;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        octets.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return octets;
}

std::string field_line(const std::string& message, const std::string& name)
{
    std::istringstream lines(message);
    std::string line;
    while (std::getline(lines, line)) {
        if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    }
    return {};
}

std::string value_of(const Fields& fields, std::string name)
{
    for (const auto& [key, value] : fields) {
        std::string lower = key;
        for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (lower == name) return value;
    }
    return {};
}

class PublishedVectors : public testing::Test {
 protected:
    static void SetUpTestSuite() { start_crypto(); }
    void SetUp() override { ASSERT_GT(boxes.size(), 20U) << "the document has no boxes"; }

    SigningKey key(const std::string& title) const
    {
        auto made = SigningKey::from_seed(from_hex(member(boxes.at(title), "seed")));
        return made.value();
    }
    const std::string& box(const std::string& title) const { return boxes.at(title); }

    const std::map<std::string, std::string> boxes = read_boxes();
    const NameRules rules{};
    const ServerName home = ServerName::trusted("a.example");
    const ServerName author = ServerName::trusted("b.example");
    const ChannelId channel = ChannelId::trusted("019aa3b5-ec00-7001-8001-000000000001@a.example");
};

TEST_F(PublishedVectors, KeysHaveTheirIds)
{
    for (const auto* title : {"a.example, signing", "b.example, signing", "a.example, recovery",
                              "a.example, next signing", "a.example, next recovery"}) {
        const auto made = key(title);
        EXPECT_EQ(made.public_key().x(), member(box(title), "x"));
        EXPECT_EQ(made.id().str(), member(box(title), "key id"));
    }
}

TEST_F(PublishedVectors, EventsAndContentsHaveTheirNames)
{
    for (const auto* title : {"Event 1, channel.create", "Event 2, member.invite",
                              "Event 3, member.join", "Event 4, message.create"}) {
        const auto event = parse_channel_event(member(box(title), "event"), rules);
        ASSERT_TRUE(event) << title << event.error().detail;
        EXPECT_EQ(to_base64url(event->id), member(box(title), "event id"));
        EXPECT_EQ(to_base64url(content_hash(member(box(title), "content"))),
                  member(box(title), "content hash"));
        EXPECT_TRUE(check_content(*event, member(box(title), "content"))) << title;
    }
}

TEST_F(PublishedVectors, EntriesMakeTheChain)
{
    const std::map<int, std::pair<const char*, Millis>> entries{
        {1, {"Event 1, channel.create", 1763683200100}},
        {2, {"Event 2, member.invite", 1763683201000}},
        {3, {"Event 3, member.join", 1763683205200}},
        {4, {"Event 4, message.create", 1763683209300}}};
    std::string hash;
    for (const auto& [seq, entry] : entries) {
        const auto id = hash_from_base64url(member(box(entry.first), "event id"));
        hash = entry_hash(channel, 1, seq, entry.second, hash, *id);
        EXPECT_EQ(hash, box("Entry " + std::to_string(seq) + ", hash"));
    }
}

TEST_F(PublishedVectors, ASealsRootIsSignedAlike)
{
    const auto id = hash_from_base64url(member(box("Event 4, message.create"), "event id"));
    const auto leaf = seal_leaf(channel, {*id});
    EXPECT_EQ(leaf, box("Seal, leaf input (every line ends with LF)") + "\n");
    EXPECT_EQ(to_base64url(merkle_leaf(leaf)), box("Seal, leaf hash = root"));
    RootBuilder builder;
    builder.add(leaf);
    EXPECT_EQ(builder.sign(key("b.example, signing"), author, 1763683209100).jws,
              box("Signed root of b.example, JWS"));
}

TEST_F(PublishedVectors, TheStateIsTheFoldOfTheLog)
{
    ChannelState state;
    std::int64_t seq = 0;
    for (const auto* title :
         {"Event 1, channel.create", "Event 2, member.invite", "Event 3, member.join"}) {
        const auto event = parse_channel_event(member(box(title), "event"), rules);
        ASSERT_TRUE(event);
        const auto applied = apply_event(state, *event, member(box(title), "content"), ++seq, 1,
                                         std::nullopt, rules);
        ASSERT_TRUE(applied) << applied.error().detail;
    }
    EXPECT_EQ(state_json(state), box("State"));
    EXPECT_EQ(to_base64url(state_hash(state_json(state))), box("State hash"));
}

TEST_F(PublishedVectors, ThreeLeavesHaveTheirRootAndPaths)
{
    RootBuilder builder;
    builder.add(checkpoint_leaf(channel, 1, 4, box("Entry 4, hash")));
    builder.add(snapshot_leaf(channel, 1, 3, box("Entry 3, hash"), 1763683205200,
                              state_hash(box("State"))));
    builder.add(checkpoint_leaf(channel, 1, 3, box("Entry 3, hash")));
    const auto made = builder.sign(key("a.example, signing"), home, 1763683209400);
    EXPECT_EQ(made.jws, box("Signed root of a.example, JWS"));
    for (std::size_t leaf = 0; leaf < 3; ++leaf) {
        std::string path = "[";
        for (const auto& step : made.paths[leaf])
            path += std::string(path.size() > 1 ? "," : "") + "\"" + to_base64url(step) + "\"";
        EXPECT_EQ(path + "]",
                  member(box("Leaf " + std::to_string(leaf) + ", hash and path"), "path"));
    }
}

// [SIG-1] [SIG-10]
TEST_F(PublishedVectors, ARequestIsSignedAlike)
{
    const auto& message = box("The request");
    const auto fields =
        sign_request(key("b.example, signing"), author, home, "POST", "/federation/v1/inbox",
                     box("Body"), {1763683209, 1763683509}, "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3");
    EXPECT_EQ(value_of(fields, "signature-input"), field_line(message, "Signature-Input"));
    EXPECT_EQ(value_of(fields, "signature"), field_line(message, "Signature"));
    EXPECT_EQ(value_of(fields, "content-digest"), field_line(message, "Content-Digest"));

    const auto& answer = box("The answer");
    const auto answered = sign_answer(key("a.example, signing"), home, 200, box("Answer body"),
                                      field_line(message, "Signature"), 1763683209);
    EXPECT_EQ(value_of(answered, "signature-input"), field_line(answer, "Signature-Input"));
    EXPECT_EQ(value_of(answered, "signature"), field_line(answer, "Signature"));
}

TEST_F(PublishedVectors, AQueryIsSignedAlike)
{
    const auto fields =
        sign_request(key("b.example, signing"), author, home, "GET",
                     "/federation/v1/channels/019aa3b5-ec00-7001-8001-000000000001@a.example/"
                     "log?after=3&limit=100",
                     "", {1763683209, 1763683509}, "gIGCg4SFhoeIiYqLjI2Ojw");
    EXPECT_EQ(value_of(fields, "signature"), box("Query signature"));
}

TEST_F(PublishedVectors, ASliceIsReadAndProven)
{
    const auto read = parse_transaction(box("Slice transaction"), {}, rules);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->logs.size(), 1U);
    ASSERT_TRUE(read->logs[0].value) << read->logs[0].problem.detail;
    const auto& slice = *read->logs[0].value;
    const auto own = parse_signed_root(read->roots[0], rules);
    const auto foreign = parse_signed_root(read->roots[1], rules);
    ASSERT_TRUE(own && foreign);
    EXPECT_TRUE(verifies(own->jws, key("a.example, signing").public_key()));
    EXPECT_TRUE(verifies(foreign->jws, key("b.example, signing").public_key()));
    EXPECT_TRUE(proves(*own, slice.checkpoint.proof,
                       checkpoint_leaf(channel, 1, 4, slice.checkpoint.hash)));
    EXPECT_TRUE(proves(*foreign, slice.seals[0].proof, seal_leaf(channel, slice.seals[0].events)));
    EXPECT_TRUE(parse_result(box("Its result"), rules));
}

TEST_F(PublishedVectors, StatementsAreReadAndSignedAlike)
{
    const auto old = key("a.example, signing"), fresh = key("a.example, next signing");
    const auto recovery = key("a.example, recovery"), next = key("a.example, next recovery");
    EXPECT_EQ(make_jws(fresh, home, "entente-rotation-proof", box("Rotation proof, payload")),
              box("Rotation proof, JWS"));
    EXPECT_EQ(make_jws(old, home, "entente-rotation", box("Rotation, payload")),
              box("Rotation by the key itself, JWS"));
    EXPECT_EQ(make_jws(recovery, home, "entente-recovery", box("Recovery, payload")),
              box("Recovery, JWS"));

    const auto own = parse_statement(box("Rotation by the key itself, JWS"), rules);
    ASSERT_TRUE(own) << own.error().detail;
    EXPECT_TRUE(is_signed_by(*own, old.public_key()));
    EXPECT_EQ(std::get<Rotation>(own->what).previous, old.id());
    EXPECT_EQ(std::get<Rotation>(own->what).key, fresh.public_key());
    EXPECT_EQ(sign_again(*own, recovery), box("Rotation by the recovery key, JWS"));

    const auto revocation = parse_statement(box("Revocation by the recovery key, JWS"), rules);
    ASSERT_TRUE(revocation) << revocation.error().detail;
    EXPECT_TRUE(is_signed_by(*revocation, recovery.public_key()));
    EXPECT_EQ(std::get<Revocation>(revocation->what).key, old.id());
    EXPECT_EQ(std::get<Revocation>(revocation->what).reason, "laptop stolen");

    const auto replaced = parse_statement(box("Recovery, JWS"), rules);
    ASSERT_TRUE(replaced) << replaced.error().detail;
    EXPECT_EQ(std::get<Recovery>(replaced->what).key, next.public_key());
}

}  // namespace
}  // namespace entente::protocol
