// The members of an event and of a content: what must be there, in which form, and what may be
// there besides [EVT-4, EVT-5, EVT-6, EVT-8, EVT-9, MEM-6].
#include "conformance/cases/events.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

const Codes event_malformed = {"malformed"};

// The event without the member, and with each of `values` in its place.
Run refuses_member(const std::string& name, const std::vector<nlohmann::json>& values)
{
    std::vector<OddEvent> odd = {
        with_members(name + " missing", [=](nlohmann::json& members) { members.erase(name); })};
    for (const auto& value : values)
        odd.push_back(with_members(name + " " + value.dump(),
                                   [=](nlohmann::json& members) { members[name] = value; }));
    return refuses_each(std::move(odd), event_malformed);
}

std::string upper_case(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

// Set bits behind the last octet: another spelling of the same hash.
std::string other_spelling(std::string hash)
{
    static const std::string alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    hash.back() = alphabet[alphabet.find(hash.back()) + 1];
    return hash;
}

std::vector<OddEvent> wrong_contents_members()
{
    return {
        with_members("content missing", [](nlohmann::json& members) { members.erase("content"); }),
        with_members("content a number", [](nlohmann::json& members) { members["content"] = 1; }),
        with_members("content with padding",
                     [](nlohmann::json& members) {
                         members["content"] = members["content"].get<std::string>() + "=";
                     }),
        with_members("content in another spelling",
                     [](nlohmann::json& members) {
                         members["content"] = other_spelling(members["content"]);
                     }),
        with_members(
            "content of another text",
            [](nlohmann::json& members) { members["content"] = content_hash("another content"); }),
    };
}

std::vector<OddEvent> wrong_senders()
{
    const auto changed = [](const std::string& what,
                            std::function<std::string(const std::string&)> spell) {
        return with_members(what, [=](nlohmann::json& members) {
            members["sender"] = spell(members["sender"].get<std::string>());
        });
    };
    return {
        with_members("sender missing", [](nlohmann::json& members) { members.erase("sender"); }),
        with_members("sender a number", [](nlohmann::json& members) { members["sender"] = 7; }),
        changed("sender in upper case", [](const std::string& name) { return upper_case(name); }),
        changed("sender with a trailing dot", [](const std::string& name) { return name + "."; }),
        changed("sender with two @", [](const std::string& name) { return "mallory@" + name; }),
        changed("sender with an empty localpart",
                [](const std::string& name) { return name.substr(name.find('@')); }),
        changed("sender with a port", [](const std::string& name) { return name + ":443"; }),
    };
}

std::vector<OddEvent> wrong_channels()
{
    return {
        with_members("channel missing", [](nlohmann::json& members) { members.erase("channel"); }),
        with_members("channel a number", [](nlohmann::json& members) { members["channel"] = 7; }),
        with_members("channel of version 4",
                     [](nlohmann::json& members) {
                         const auto id = members["channel"].get<std::string>();
                         members["channel"] = random_uuid() + id.substr(id.find('@'));
                     }),
        with_members("another channel than its submission's",
                     [](nlohmann::json& members) {
                         const auto id = members["channel"].get<std::string>();
                         members["channel"] =
                             time_uuid(1'763'683'200'000) + id.substr(id.find('@'));
                     }),
    };
}

std::vector<OddEvent> wrong_places(const std::string& to)
{
    return {
        with_members("both channel and to", [=](nlohmann::json& members) { members["to"] = to; }),
        with_members("to in place of channel",
                     [=](nlohmann::json& members) {
                         members.erase("channel");
                         members["to"] = to;
                     }),
    };
}

std::vector<OddEvent> wrong_optional_members()
{
    const auto set = [](const std::string& name, const nlohmann::json& value) {
        return with_members(name + " " + value.dump(),
                            [=](nlohmann::json& members) { members[name] = value; });
    };
    return {set("device", "phone"), set("device", 1), set("device", nullptr),
            set("target", "none"),  set("target", 1), set("target", nullptr)};
}

// Events whose text is something else than an object.
std::vector<OddEvent> no_objects()
{
    const auto written = [](const std::string& text) {
        return with_octets("the event " + text, [=](std::string& octets) { octets = text; });
    };
    return {written(""),
            written("[]"),
            written("7"),
            written("null"),
            with_octets("the event, cut off", [](std::string& octets) { octets.pop_back(); }),
            with_octets("the event within a list",
                        [](std::string& octets) { octets = "[" + octets + "]"; })};
}

void item_is_no_text(Trial& trial)
{
    trial.control();
    const std::vector<std::pair<std::string, std::function<void(nlohmann::json&)>>> changes = {
        {"an event that is an object",
         [](nlohmann::json& item) {
             item["event"] = nlohmann::json::parse(item["event"].get<std::string>());
         }},
        {"an item without a content", [](nlohmann::json& item) { item.erase("content"); }},
        {"an item that is null", [](nlohmann::json& item) { item = nullptr; }},
    };
    for (const auto& [what, change] : changes) {
        const auto text = trial.new_text();
        auto body = trial.submitting({trial.message_of(trial.user(), trial.channel(), text)});
        change(body["submissions"][0]["events"][0]);
        const auto response = trial.transact(trial.origin(), std::move(body), {}, what);
        trial.expect_ok(response);
        // Its id can't be told any more, so the seal may be what is found wrong.
        expect_result(trial, result_of(response), what, "rejected",
                      {"malformed", "signature-invalid"});
        trial.expect_absent(text);
    }
    trial.expect_still_serves();
}

void unknown_members(Trial& trial)
{
    const nlohmann::json anything = {{"deep", {1, true, nullptr, "text"}}};
    accepts_each({with_members("an unknown member in the event",
                               [=](nlohmann::json& members) { members["x-anything"] = anything; }),
                  with_content("an unknown member in the content",
                               inserting("\"x-anything\":" + anything.dump()))})(trial);
    trial.accepts({.body = [&](nlohmann::json& body) { body["x-anything"] = anything; }});
    trial.accepts({.body = [&](nlohmann::json& body) {
        auto& submission = body["submissions"][0];
        submission["x-anything"] = anything;
        submission["events"][0]["x-anything"] = anything;
        submission["seal"]["x-anything"] = anything;
        submission["seal"]["proof"]["x-anything"] = anything;
    }});
    trial.accepts({.body = [&](nlohmann::json& body) {
        const auto& submission = body["submissions"][0];
        const auto leaf = seal_leaf(submission["channel"].get<std::string>(),
                                    submission["seal"]["events"].get<std::vector<std::string>>());
        const nlohmann::json payload = {{"root", base64url(tree_hash({leaf}))},
                                        {"size", 1},
                                        {"at", trial.now()},
                                        {"x-anything", anything}};
        body["roots"][0] =
            jws(trial.origin().name(), "entente-root", payload.dump(), trial.origin().key());
    }});
}

// Counted like any other, and what follows stands behind it.
void unknown_type(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    const auto event = event_of(trial, "x-conformance.unheard-of", trial.user(), trial.channel(),
                                {{"anything", text}});
    const auto seq =
        expect_taken(trial, hand_in(trial, origin, trial.channel(), event, "an unknown type"),
                     "an event of an unknown type");
    const auto message = trial.message();
    const auto next = expect_taken(
        trial, hand_in(trial, origin, trial.channel(), message, "what follows"), "what follows");
    trial.expect(next == seq + 1, "counted", "the event behind it isn't the next of the log");
    trial.expect(origin.wait_for_entry(trial.channel(), message.id(), in(Millis(10'000))),
                 "delivered", "the message behind it never came to a follower");
    const auto held = origin.entries_of(trial.channel());
    trial.expect(std::any_of(held.begin(), held.end(),
                             [&](const HeldEntry& one) { return one.event == event.octets; }),
                 "delivered", "the event itself never came to a follower");
    const auto stranger = event_of(trial, "x-conformance.unheard-of", origin.user("eve"),
                                   trial.channel(), nlohmann::json::object());
    expect_result(trial, hand_in(trial, origin, trial.channel(), stranger, "no member's"),
                  "no member's event of an unknown type", "rejected", {"not-member"});
}

// An event and a content in a spelling that no writer of JSON would choose.
void odd_spelling(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    auto event = trial.message_of(trial.user(), trial.channel(), text);
    auto members = nlohmann::json::parse(event.octets);
    event.content = "\t{ \"text\" :\"" + text + "\",\r\n\"salt\":\"" +
                    base64url(random_octets(24)) + "\",\"x\":[ 0 ,-1,\"\\/\\u00fC\\u0041\"] }\n";
    const auto quoted_member = [&](const char* name) { return members[name].dump(); };
    event.octets =
        "\n{ \"\\u0074xn\": " + quoted_member("txn") +
        ",\"type\" :\"message\\u002ecreate\",\t\"v\":1 ,\"sender\":" + quoted_member("sender") +
        ",\"at\":" + quoted_member("at") + ", \"x\":\"\\ud83d\\ude00\xc3\xbc\",\"content\":\"" +
        content_hash(event.content) + "\",\"channel\":" + quoted_member("channel") + "}\r\n";
    expect_taken(trial, hand_in(trial, origin, trial.channel(), event, "an odd spelling"),
                 "an event in an odd spelling");
    trial.expect_once(text);
    // What comes back is what was hashed.
    trial.expect(origin.wait_for_entry(trial.channel(), event.id(), in(Millis(10'000))),
                 "octets-kept", "the log has no event with the octets that were handed in");
    const auto held = origin.entries_of(trial.channel());
    trial.expect(std::any_of(held.begin(), held.end(),
                             [&](const HeldEntry& one) {
                                 return one.event == event.octets && one.content == event.content;
                             }),
                 "octets-kept", "the content's octets aren't those that were handed in");
}

std::vector<OddEvent> wrong_salts()
{
    const auto with_salt = [](const std::string& what, const nlohmann::json& salt) {
        return with_content(what, [=](std::string& content) {
            auto members = nlohmann::json::parse(content);
            members["salt"] = salt;
            content = members.dump();
        });
    };
    return {with_content("no salt",
                         [](std::string& content) {
                             auto members = nlohmann::json::parse(content);
                             members.erase("salt");
                             content = members.dump();
                         }),
            with_salt("a salt of 15 octets", base64url(random_octets(15))),
            with_salt("a salt with padding", base64(random_octets(16))),
            with_salt("a salt that is a number", 1'234'567'890'123'456)};
}

std::vector<OddEvent> no_contents()
{
    std::vector<OddEvent> odd;
    for (const std::string written : {"", "[]", "\"text\"", "null", "7"})
        odd.push_back(with_content("the content " + written,
                                   [=](std::string& content) { content = written; }));
    odd.push_back(with_content("the content within a list",
                               [](std::string& content) { content = "[" + content + "]"; }));
    return odd;
}

std::vector<OddEvent> wrong_messages()
{
    const auto of = [](const std::string& what, const nlohmann::json& message) {
        return with_content(what, [=](std::string& content) { content = salted(message); });
    };
    return {
        of("a message without text", nlohmann::json::object()),
        of("a text that is a number", {{"text", 7}}),
        of("both text and ciphertext", {{"text", "a"}, {"ciphertext", "b"}, {"algorithm", "mls"}}),
        of("a ciphertext without algorithm", {{"ciphertext", "b"}})};
}

}  // namespace

std::vector<Case> event_member_cases()
{
    return {
        {.id = "evt-36",
         .clause = "EVT-9",
         .proves = "An event without v, or of another v than the number 1, is malformed",
         .run = refuses_member("v", {2, 0, "1", nullptr}),
         .mutants = {{"event-v-ignored", "refused"}}},
        {.id = "evt-37",
         .clause = "EVT-9",
         .proves = "An event without a type, or with an empty one, is malformed",
         .run = refuses_member("type", {"", 1, nullptr}),
         .mutants = {{"event-type-ignored", "refused"}}},
        {.id = "evt-38",
         .clause = "EVT-8",
         .proves = "An event without its submission's channel is malformed",
         .run = refuses_each(wrong_channels(), event_malformed),
         .mutants = {{"event-channel-ignored", "refused"}}},
        {.id = "evt-39",
         .clause = "NAME-1",
         .proves = "An event without a sender, or by a name of another form, is malformed",
         .run = refuses_each(wrong_senders(), event_malformed),
         .mutants = {{"event-sender-form-ignored", "refused"}}},
        {.id = "evt-40",
         .clause = "EVT-9",
         .proves = "An event whose txn is missing or no UUID in lower case is malformed",
         .run = refuses_member("txn", {"1", 1, "019AA3B6-0F28-7014-8014-000000000014",
                                       "019aa3b60f28701480140000000000014"}),
         .mutants = {{"event-txn-ignored", "refused"}}},
        {.id = "evt-41",
         .clause = "EVT-9",
         .proves = "An event whose at is missing, negative or no number is malformed",
         .run = refuses_member("at", {-1, "1763683209000", nullptr}),
         .mutants = {{"event-at-ignored", "refused"}}},
        {.id = "evt-42",
         .clause = "EVT-6",
         .proves = "An event whose content is missing, or not its content's hash, is malformed",
         .run = refuses_each(wrong_contents_members(), event_malformed),
         .mutants = {{"content-hash-ignored", "refused"}}},
        {.id = "evt-43",
         .clause = "EVT-9",
         .proves = "A device that is no UUID, and a target that is no hash, are malformed",
         .run = refuses_each(wrong_optional_members(), event_malformed),
         .mutants = {{"event-optional-ignored", "refused"}}},
        {.id = "evt-44",
         .clause = "EVT-8",
         .proves = "An event of a submission that has a `to` is malformed",
         .run = refuses_each(wrong_places("a.example"), event_malformed),
         .mutants = {{"event-to-ignored", "refused"}}},
        {.id = "evt-45",
         .clause = "EVT-3",
         .proves = "An event whose text is no JSON object, but nothing, a list, a number, null or "
                   "cut off, is rejected as malformed",
         .run = refuses_each(no_objects(), event_malformed),
         .mutants = {{"bad-item-fails-body", "accepted"}}},
        {.id = "evt-46",
         .clause = "INBOX-10",
         .proves = "An item of a submission that isn't two texts is rejected as malformed, and its "
                   "neighbours are taken",
         .run = item_is_no_text,
         .mutants = {{"bad-item-fails-body", "accepted"}}},
        {.id = "evt-47",
         .clause = "EVT-3",
         .proves = "Members that nobody knows are ignored: in event, content, body, seal and root",
         .run = unknown_members,
         .mutants = {{"unknown-members-refused", "accepted"}},
         .negative = false},
        {.id = "evt-48",
         .clause = "LOG-7",
         .proves = "An event of an unknown type by a member is counted and passed on",
         .run = unknown_type,
         .mutants = {{"unknown-types-refused", "accepted"}},
         .negative = false},
        {.id = "evt-49",
         .clause = "EVT-4",
         .proves = "What was handed in comes to followers octet for octet, however it is spelt",
         .run = odd_spelling,
         .mutants = {{"octets-written-anew", "octets-kept"}},
         .negative = false},
        {.id = "evt-50",
         .clause = "EVT-6",
         .proves = "A content without a salt of at least 16 octets is malformed",
         .run = refuses_each(wrong_salts(), event_malformed),
         .mutants = {{"salt-ignored", "refused"}}},
        {.id = "evt-51",
         .clause = "EVT-6",
         .proves = "An event whose content is no JSON object, but nothing, a list, a text, null or "
                   "a number, is rejected as malformed",
         .run = refuses_each(no_contents(), event_malformed),
         .mutants = {{"content-any-text", "refused"}}},
        {.id = "evt-52",
         .clause = "MEM-6",
         .proves = "A message has exactly one of text and ciphertext, which names its algorithm",
         .run = refuses_each(wrong_messages(), event_malformed),
         .mutants = {{"message-form-ignored", "refused"}}},
    };
}

}  // namespace entente::conformance
