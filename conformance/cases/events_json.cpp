// The JSON of everything: events and contents fail alone, a body as a whole [EVT-3].
#include "conformance/cases/events.hpp"

#include <iterator>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

const Codes json_malformed = {"malformed"};
const std::vector<Refusal> body_malformed = {{400, "malformed"}};

// `"x":` and so many lists inside one another.
std::string nested(std::size_t depth)
{
    return "\"x\":" + std::string(depth, '[') + std::string(depth, ']');
}

OddBody body_with(const std::string& written)
{
    return {"a body with " + written.substr(0, 60), {.text = inserting(written)}};
}

std::vector<OddBody> bodies_with(const std::vector<std::string>& written)
{
    std::vector<OddBody> odd;
    for (const auto& member : written) odd.push_back(body_with(member));
    return odd;
}

const std::vector<std::string> too_large_numbers = {
    "\"x\":9007199254740992", "\"x\":-9007199254740992", "\"x\":18446744073709551616",
    "\"x\":123456789012345678901234567890"};
const std::vector<std::string> no_integers = {"\"x\":1.0", "\"x\":0.5", "\"x\":1e2", "\"x\":1E400",
                                              "\"x\":-1e-400"};
const std::vector<std::string> negative_zero = {"\"x\":-0", "\"x\":[{\"y\":-0}]"};
const std::vector<std::string> names_twice = {"\"x\":1,\"x\":1",
                                              "\"x\":[{\"y\":1,\"z\":2,\"y\":1}]", "\"\":1,\"\":2"};
const std::vector<std::string> escaped_names_twice = {"\"xy\":1,\"\\u0078y\":1",
                                                      "\"x\\ty\":1,\"x\\u0009y\":1"};
const std::vector<std::string> lone_surrogates = {"\"x\":\"\\ud800\"", "\"x\":\"\\udc00\\ud800\"",
                                                  "\"x\":\"\\ud83d \\ude00\"", "\"\\udfff\":1"};
// What some parsers let pass, or mend.
const std::vector<std::string> no_json = {
    "\"x\":01",   "\"x\":+1",       "\"x\":.5",        "\"x\":NaN",       "\"x\":'a'",
    "x:1",        "\"x\":[1,]",     "/* x */\"x\":1",  "\"x\":\"\\x41\"", "\"x\":True",
    "\"x\":0x10", "\"x\":\"a\nb\"", "\"x\":undefined", "\"x\" 1"};

// Written into a name that an event must have once: whoever takes the first and whoever takes the
// last see different events.
std::vector<OddEvent> sender_twice()
{
    const auto again = [](const std::string& what, const std::string& name) {
        return with_octets(what, [=](std::string& octets) {
            octets.insert(octets.size() - 1, "," + name + ":\"somebody@else.example\"");
        });
    };
    return {again("a second sender", "\"sender\""),
            again("a second sender, escaped", "\"s\\u0065nder\"")};
}

Run refuses_names_twice()
{
    auto odd = in_both(names_twice);
    auto more = sender_twice();
    odd.insert(odd.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
    return refuses_each(std::move(odd), json_malformed);
}

// The content has `bad` in a member that nobody knows. The event and its seal fit it, so that the
// octets alone are what is wrong.
void refuses_octets(Trial& trial, const std::string& what, const std::string& bad)
{
    static const std::string place = "@@here@@";
    const auto text = trial.new_text();
    const nlohmann::json members = {
        {"salt", base64url(random_octets(16))}, {"text", text}, {"x", place}};
    const auto written = members.dump();
    auto content = written;
    content.replace(content.find(place), place.size(), bad);
    auto event = make_event(
        {{"type", "message.create"}, {"channel", trial.channel()}, {"sender", trial.user()}},
        content, trial.now());
    event.content = written;
    const Defect defect = {
        .text = [&](std::string& body) { body.replace(body.find(place), place.size(), bad); }};
    Connection own(trial.door());
    trial.expect_refused(
        trial.transact(trial.origin(), trial.submitting({event}), defect, what, &own),
        body_malformed);
    trial.expect_absent(text);
}

void refuses_bad_utf8(Trial& trial)
{
    trial.control();
    const std::vector<std::pair<std::string, std::string>> bad = {
        {"an octet that UTF-8 never has", "\xff"},
        {"a slash in two octets", "\xc0\xaf"},
        {"a NUL in two octets", "\xc0\x80"},
        {"a surrogate in three octets", "\xed\xa0\x80"},
        {"a sequence that is cut off", "\xe2\x82"},
        {"a continuation alone", "\x80"},
        {"a code point beyond the last", "\xf4\x90\x80\x80"},
    };
    for (const auto& [what, octets] : bad) refuses_octets(trial, what, octets);
    trial.expect_still_serves();
}

// Octets that JSON wants escaped: in the event's own text they stand bare, though the body's
// strings carry them well.
std::vector<OddEvent> bare_controls()
{
    std::vector<OddEvent> odd;
    for (const char control : {'\0', '\x01', '\x1f'}) {
        const auto written = std::string("\"x\":\"a") + control + "b\"";
        const auto name = " with a bare octet " + std::to_string(control);
        odd.push_back(with_octets("an event" + name, inserting(written)));
        odd.push_back(with_content("a content" + name, inserting(written)));
    }
    return odd;
}

std::vector<OddEvent> texts_around(const std::string& before, const std::string& behind,
                                   const std::string& what)
{
    const auto around = [=](std::string& text) { text = before + text + behind; };
    return {with_octets("an event " + what, around), with_content("a content " + what, around)};
}

std::vector<OddEvent> values_behind()
{
    auto odd = texts_around("", "{}", "with a value behind it");
    for (auto& one : texts_around("", "]", "with a bracket behind it")) odd.push_back(one);
    for (auto& one : texts_around("", std::string(1, '\0'), "with a NUL behind it"))
        odd.push_back(one);
    return odd;
}

// Accepted, and read as it was meant.
void accepts_text(Trial& trial, const std::string& what, const std::string& escaped,
                  const std::string& meant)
{
    const auto text = trial.new_text();
    const auto content =
        R"({"salt":")" + base64url(random_octets(16)) + R"(","text":")" + text + escaped + R"("})";
    const auto event = make_event(
        {{"type", "message.create"}, {"channel", trial.channel()}, {"sender", trial.user()}},
        content, trial.now());
    expect_taken(trial, hand_in(trial, trial.origin(), trial.channel(), event, what), what);
    trial.expect_once(text + meant);
}

void accepts_escapes(Trial& trial)
{
    trial.control();
    accepts_text(trial, "an escaped surrogate pair", R"(\ud83d\ude00!)", "\xf0\x9f\x98\x80!");
    accepts_text(trial, "the last code point", R"(\uDBFF\uDFFF)", "\xf4\x8f\xbf\xbf");
    // U+0000 is a character like any other: no rule forbids it, and none cuts a text off there.
    accepts_text(trial, "an escaped NUL", R"(\u0000 behind)", std::string(1, '\0') + " behind");
}

const std::string bom = "\xef\xbb\xbf";

Run refuses_deep_bodies()
{
    return refuses_bodies({body_with(nested(32)),
                           body_with(nested(10'000)),
                           {"a body with 400,000 brackets open",
                            {.text = inserting("\"x\":" + std::string(400'000, '['))}}},
                          body_malformed);
}

// Each in a body too: the rules are one.
std::vector<std::string> of_bodies()
{
    std::vector<std::string> all;
    for (const auto* some : {&too_large_numbers, &no_integers, &negative_zero, &names_twice,
                             &escaped_names_twice, &lone_surrogates, &no_json})
        all.insert(all.end(), some->begin(), some->end());
    return all;
}

}  // namespace

std::vector<Case> event_json_cases()
{
    return {
        {.id = "evt-53",
         .clause = "EVT-3",
         .proves = "An integer of 2^53 or beyond in an event or a content is malformed",
         .run = refuses_each(in_both(too_large_numbers), json_malformed),
         .mutants = {{"json-any-integer", "refused"}},
         .descends_from = "RFC 8259 section 6"},
        {.id = "evt-54",
         .clause = "EVT-3",
         .proves = "A number with a fraction or an exponent, 1e400 too, is malformed",
         .run = refuses_each(in_both(no_integers), json_malformed),
         .mutants = {{"json-any-number", "refused"}}},
        {.id = "evt-55",
         .clause = "EVT-3",
         .proves = "A negative zero in an event or a content is malformed",
         .run = refuses_each(in_both(negative_zero), json_malformed),
         .mutants = {{"json-negative-zero", "refused"}}},
        {.id = "evt-56",
         .clause = "EVT-3",
         .proves = "Integers from -(2^53-1) to 2^53-1 are taken",
         .run = accepts_each(
             in_both({"\"x\":9007199254740991", "\"x\":-9007199254740991", "\"x\":-1", "\"x\":0"})),
         .mutants = {{"json-integers-too-narrow", "accepted"}},
         .negative = false},
        {.id = "evt-57",
         .clause = "EVT-3",
         .proves = "A name that stands twice in an object makes an event or a content malformed",
         .run = refuses_names_twice(),
         .mutants = {{"json-duplicate-names", "refused"}},
         .descends_from = "CVE-2017-12635"},
        {.id = "evt-58",
         .clause = "EVT-3",
         .proves = "Names that are the same once they are unescaped stand twice",
         .run = refuses_each(in_both(escaped_names_twice), json_malformed),
         .mutants = {{"json-names-as-written", "refused"}}},
        {.id = "evt-59",
         .clause = "EVT-3",
         .proves = "33 containers inside one another make an event or a content malformed",
         .run = refuses_each(in_both({nested(32)}), json_malformed),
         .mutants = {{"json-depth-unbounded", "refused"}}},
        {.id = "evt-60",
         .clause = "EVT-3",
         .proves = "32 containers inside one another are taken",
         .run = accepts_each(in_both({nested(31)})),
         .mutants = {{"json-depth-too-narrow", "accepted"}},
         .negative = false},
        {.id = "evt-61",
         .clause = "EVT-3",
         .proves = "A content of 10,000 containers inside one another is malformed, alone",
         .run = refuses_each({with_content("10,000 containers", inserting(nested(10'000)))},
                             json_malformed),
         .mutants = {{"json-depth-unbounded", "refused"}},
         .descends_from = "CVE-2022-42003"},
        {.id = "evt-62",
         .clause = "EVT-3",
         .proves = "A transaction of 33, of 10,000 and of 400,000 JSON containers inside one "
                   "another is refused whole, as malformed (400)",
         .run = refuses_deep_bodies(),
         .mutants = {{"json-depth-unbounded", "refused"}},
         .descends_from = "CVE-2022-42003"},
        {.id = "evt-63",
         .clause = "EVT-3",
         .proves = "Octets in a body that are no UTF-8 make it malformed",
         .run = refuses_bad_utf8,
         .mutants = {{"json-any-octets", "refused"}},
         .descends_from = "RFC 3629 section 10"},
        {.id = "evt-64",
         .clause = "EVT-3",
         .proves = "A lone surrogate makes an event or a content malformed",
         .run = refuses_each(in_both(lone_surrogates), json_malformed),
         .mutants = {{"json-lone-surrogates", "refused"}}},
        {.id = "evt-65",
         .clause = "EVT-3",
         .proves = "A control character that isn't escaped makes an event or a content malformed",
         .run = refuses_each(bare_controls(), json_malformed),
         .mutants = {{"json-bare-controls", "refused"}}},
        {.id = "evt-66",
         .clause = "EVT-3",
         .proves = "Escaped surrogate pairs and an escaped NUL are taken, and read as meant",
         .run = accepts_escapes,
         .mutants = {{"json-escapes-refused", "accepted"}},
         .negative = false},
        {.id = "evt-67",
         .clause = "EVT-3",
         .proves = "A byte order mark before an event or a content is malformed",
         .run = refuses_each(texts_around(bom, "", "behind a byte order mark"), json_malformed),
         .mutants = {{"json-bom-skipped", "refused"}}},
        {.id = "evt-68",
         .clause = "EVT-3",
         .proves = "A transaction with a byte order mark before its JSON is refused whole, as "
                   "malformed (400)",
         .run = refuses_bodies(
             {{"a byte order mark", {.text = [](std::string& body) { body = bom + body; }}}},
             body_malformed),
         .mutants = {{"json-bom-skipped", "refused"}}},
        {.id = "evt-69",
         .clause = "EVT-3",
         .proves = "What stands behind the value of an event or a content makes it malformed",
         .run = refuses_each(values_behind(), json_malformed),
         .mutants = {{"json-trailing-octets", "refused"}}},
        {.id = "evt-70",
         .clause = "EVT-3",
         .proves = "What only a lenient parser takes for JSON is malformed",
         .run = refuses_each(in_both(no_json), json_malformed),
         .mutants = {{"json-lenient", "refused"}}},
        {.id = "evt-71",
         .clause = "EVT-3",
         .proves = "A transaction whose own JSON breaks a rule of numbers, names, escapes or form "
                   "is refused whole, as malformed (400)",
         .run = refuses_bodies(bodies_with(of_bodies()), body_malformed),
         .mutants = {{"json-body-unchecked", "refused"}}},
    };
}

}  // namespace entente::conformance
