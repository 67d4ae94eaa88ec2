#include "conformance/judge/trial.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "conformance/sockets/patience.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr const char* inbox = "/federation/v1/inbox";
constexpr Millis read_time{5'000};
constexpr Millis poll_step{20};

std::string member(const std::string& field, const std::string& name)
{
    const auto at = field.find(name);
    if (at == std::string::npos) return {};
    const auto from = at + name.size();
    return field.substr(from, field.find('"', from) - from);
}

// The result of the first event of the first submission; null where there is none.
nlohmann::json event_result(const nlohmann::json& body)
{
    const nlohmann::json::json_pointer place("/submissions/0/events/0");
    return body.is_object() && body.contains(place) ? body[place] : nlohmann::json();
}

std::string status_of(const nlohmann::json& result)
{
    return result.is_object() ? result.value("status", "") : std::string();
}

}  // namespace

std::string Response::code() const
{
    return problem_code(json);
}

std::string Response::text() const
{
    if (!error.empty()) return "no answer: " + error;
    const auto named = code();
    return std::to_string(answer.status) + (named.empty() ? "" : " " + named);
}

Trial::Trial(World& world, std::string case_id)
    : world_(world),
      id_(std::move(case_id)),
      began_(Clock::now()),
      door_(world.door().from_own_address()),
      connection_(door_)
{
}

Trial::~Trial()
{
    for (const auto& origin : origins_) world_.end_origin(*origin);
}

Origin& Trial::origin()
{
    if (origins_.empty()) origins_.push_back(world_.make_origin(id_));
    return *origins_.front();
}

Origin& Trial::another(const std::string& label, CertificateFault fault)
{
    static_cast<void>(origin());
    origins_.push_back(world_.make_origin(id_ + label, fault));
    return *origins_.back();
}

const std::string& Trial::channel()
{
    if (channel_.empty()) {
        const auto made = accounts().create_channel(Who::first, {});
        join(origin(), user(), made);
        channel_ = made;
    }
    return channel_;
}

Response Trial::join(Origin& origin, const std::string& user, const std::string& channel)
{
    const auto event = make_event({{"type", "member.join"}, {"channel", channel}, {"sender", user}},
                                  salted({}), now());
    const auto body = submitting(origin, channel, {event});
    auto response = transact(origin, body, {}, "join of " + user);
    // So many new servers at one address that the target looks up no more of them for a while
    // [KEY-8]: one that it writes to itself it looks up all the same.
    if (response.status() == 503) {
        invite_first(origin, user, channel);
        response = transact(origin, body, {}, "join of " + user);
    }
    const auto status = status_of(event_result(response.json));
    if (response.status() != 200 || (status != "accepted" && status != "duplicate"))
        throw CouldNotRun("the join that prepares the case isn't accepted: " + response.text() +
                          (response.json.is_null() ? "" : " " + response.json.dump()));
    return response;
}

void Trial::invite_first(Origin& origin, const std::string& user, const std::string& channel)
{
    constexpr Millis invitation_time{10'000};
    accounts().invite(Who::first, channel, user);
    const auto invited = origin.wait_for(
        [&](const Received& one) {
            return is_inbox(one) && one.request.body.find(channel) != std::string::npos;
        },
        in(invitation_time));
    if (!invited)
        throw CouldNotRun(
            "the target answers 503 to a server that it doesn't know, and doesn't "
            "write to it either");
}

std::string Trial::key_of(const std::string& server, const std::string& kid)
{
    if (server == target()) return world_.key_of(kid);
    for (const auto& one : origins_) {
        const auto key = one->key();
        if (one->name() == server && key.id() == kid) return key.public_octets();
    }
    return {};
}

std::string Trial::new_text()
{
    return id_ + " " + std::to_string(++texts_) + " " + hex(random_octets(6));
}

Event Trial::message()
{
    return message_of(user(), channel(), new_text());
}

Event Trial::message_of(const std::string& sender, const std::string& channel,
                        const std::string& text)
{
    return make_event({{"type", "message.create"}, {"channel", channel}, {"sender", sender}},
                      salted({{"text", text}}), now());
}

nlohmann::json Trial::submitting(const std::vector<Event>& events)
{
    const auto& id = channel();
    return submitting(origin(), id, events);
}

nlohmann::json Trial::submitting(Origin& origin, const std::string& channel,
                                 const std::vector<Event>& events)
{
    return conformance::submitting(origin.name(), origin.key(), channel, events, now());
}

std::string Trial::octets_of(Origin& origin, const std::string& method, const std::string& path,
                             const nlohmann::json& body, const Defect& defect, std::string& base,
                             std::string& signature)
{
    Request request;
    request.method = method;
    request.target = path;
    request.fields = {{"Host", world_.door().authority()}, {"Entente-Destination", target()}};
    if (!body.is_null()) {
        request.body = body.dump();
        if (defect.text) defect.text(request.body);
        request.fields.emplace_back("Content-Type", "application/json");
        request.fields.emplace_back("Content-Digest", content_digest(request.body));
    }
    request.fields.emplace_back("Content-Length", std::to_string(request.body.size()));
    const auto key = defect.key ? *defect.key : origin.key();
    auto input = full_input(!body.is_null(), origin.name(), key, seconds());
    if (defect.before_signing) defect.before_signing(request, input);
    base = signature_base(request, input);
    sign(request, input, key);
    if (defect.signature)
        set_field(request.fields, "Signature", signature_field(input, defect.signature(base, key)));
    if (defect.after_signing) defect.after_signing(request);
    signature = field_of(request.fields, "signature").value_or("");
    auto octets = serialise(request);
    if (defect.octets) defect.octets(octets);
    return octets;
}

Response Trial::send_octets(const std::string& octets, const std::string& what,
                            Connection* connection, Millis time)
{
    auto& over = connection == nullptr ? connection_ : *connection;
    Exchange exchange;
    exchange.at = elapsed();
    exchange.what = what;
    exchange.sent = octets;
    const bool was_open = over.stream() != nullptr;
    auto result = over.ask_octets(octets, time);
    // A kept connection may have been closed as idle meanwhile.
    if (was_open && (result.closed || result.reset) && connection == nullptr)
        result = over.ask_octets(octets, time);
    Response response;
    response.answer = std::move(result.answer);
    response.error = std::move(result.error);
    response.closed = result.closed;
    response.reset = result.reset;
    if (response.error.empty()) {
        world_.learn_clock(response.answer);
        response.json = json_body(response.answer);
    }
    exchange.received = with_remark(response.answer.raw, response.error);
    note(std::move(exchange));
    return response;
}

Response Trial::send_signed(Origin& origin, const std::string& method, const std::string& path,
                            const nlohmann::json& body, const Defect& defect,
                            const std::string& what, Connection* connection)
{
    std::string base;
    const auto octets = octets_of(origin, method, path, body, defect, base, last_signature_);
    auto response = send_octets(octets, what, connection);
    auto& exchange = exchanges_.back();
    exchange.request_base = base;
    if (response.error.empty()) {
        const auto input = field_of(response.answer.fields, "signature-input").value_or("");
        const auto equals = input.find('=');
        if (equals != std::string::npos)
            exchange.answer_base =
                answer_base(response.answer.status,
                            field_of(response.answer.fields, "content-digest").value_or(""),
                            last_signature_, input.substr(equals + 1));
    }
    return response;
}

Response Trial::transact(Origin& origin, nlohmann::json body, const Defect& defect,
                         const std::string& what, Connection* connection)
{
    if (defect.body) defect.body(body);
    return send_signed(origin, "POST", inbox, body, defect, what, connection);
}

Response Trial::query(Origin& origin, const std::string& path, const Defect& defect,
                      const std::string& what, Connection* connection)
{
    return send_signed(origin, "GET", path, nullptr, defect, what, connection);
}

std::string Trial::accepted_message(const std::string& what, Connection* connection)
{
    const auto text = new_text();
    const auto event = message_of(user(), channel(), text);
    const auto response = transact(origin(), submitting({event}), {}, what, connection);
    if (response.status() != 200 || status_of(event_result(response.json)) != "accepted")
        throw CouldNotRun("the " + what +
                          ", a request without a defect, isn't accepted: " + response.text() + " " +
                          (response.json.is_null() ? "" : response.json.dump()));
    return text;
}

void Trial::control()
{
    const auto text = accepted_message("control", nullptr);
    if (times_readable(text, text) != 1)
        throw CouldNotRun("the control was accepted, but the target's account can't read it");
}

std::size_t Trial::times_readable(const std::string& text, const std::string& barrier)
{
    const auto until = within_patience(in(read_time));
    for (;;) {
        const auto all = accounts().messages(Who::first, channel());
        const auto is = [](const std::string& words) {
            return [&words](const Message& one) { return one.text == words; };
        };
        if (std::any_of(all.begin(), all.end(), is(barrier)))
            return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is(text)));
        if (Clock::now() >= until)
            throw CouldNotRun(
                "a message that the target has accepted can't be read by its account");
        std::this_thread::sleep_for(poll_step);
    }
}

void Trial::expect(bool holds, const std::string& assertion, const std::string& detail)
{
    if (!holds) throw Broken(assertion, detail);
}

void Trial::expect_refused(const Response& response, const std::vector<Refusal>& allowed)
{
    const bool fits = std::any_of(allowed.begin(), allowed.end(), [&](const Refusal& one) {
        return response.status() == one.status && (one.code.empty() || response.code() == one.code);
    });
    std::string wanted;
    for (const auto& one : allowed)
        wanted += (wanted.empty() ? "" : " or ") + std::to_string(one.status) +
                  (one.code.empty() ? "" : " " + one.code);
    expect(fits, "refused", "the answer is " + response.text() + ", not " + wanted);
}

void Trial::expect_ok(const Response& response)
{
    expect_ok(response, last_signature_);
}

void Trial::expect_ok(const Response& response, const std::string& request_signature)
{
    expect(response.status() == 200, "accepted", "the answer is " + response.text() + ", not 200");
    const auto& fields = response.answer.fields;
    const auto input = field_of(fields, "signature-input").value_or("");
    const auto signature = field_of(fields, "signature").value_or("");
    const auto digest = field_of(fields, "content-digest").value_or("");
    expect(!input.empty() && !signature.empty(), "answer-signed",
           "the answer has no signature [SIG-10]");
    expect(digest == content_digest(response.answer.body), "answer-signed",
           "the answer's Content-Digest isn't of its octets [SIG-10]");
    const auto keyid = member(input, "keyid=\"");
    const auto hash = keyid.find('#');
    expect(hash != std::string::npos && keyid.substr(0, hash) == target(), "answer-signed",
           "the answer is signed by " + keyid + ", not by the target [SIG-10]");
    const auto key = world_.key_of(keyid.substr(hash + 1));
    const auto equals = input.find('=');
    const auto from = signature.find("=:");
    const auto octets = from == std::string::npos || !signature.ends_with(':')
                            ? std::nullopt
                            : from_base64(signature.substr(from + 2, signature.size() - from - 3));
    const auto base =
        answer_base(response.answer.status, digest, request_signature, input.substr(equals + 1));
    expect(member(input, "tag=\"") == "entente-v1-response", "answer-signed",
           "the answer's signature has another tag [SIG-10]");
    expect(octets && verifies(base, *octets, key), "answer-signed",
           "the answer's signature doesn't verify [SIG-10]");
}

void Trial::expect_absent(const std::string& text)
{
    const auto barrier = accepted_message("barrier", nullptr);
    const auto times = times_readable(text, barrier);
    expect(times == 0, "no-effect",
           "it took effect, whatever was answered: the target's account can read the message");
}

void Trial::expect_once(const std::string& text)
{
    const auto barrier = accepted_message("barrier", nullptr);
    const auto times = times_readable(text, barrier);
    expect(times == 1, "once",
           times == 0 ? "it was accepted, but the target's account can't read it"
                      : "the target's account reads it " + std::to_string(times) + " times");
}

void Trial::expect_still_serves()
{
    Connection fresh(door_);
    try {
        static_cast<void>(accepted_message("control over a fresh connection", &fresh));
    } catch (const CouldNotRun& error) {
        throw Broken("still-serves", std::string("afterwards ") + error.what());
    }
}

void Trial::refuses(const Defect& defect, const std::vector<Refusal>& allowed)
{
    control();
    const auto text = new_text();
    const auto event = message_of(user(), channel(), text);
    // A connection of its own: what a target makes of the defect may end it.
    Connection own(door_);
    const auto response = transact(origin(), submitting({event}), defect, "the defect", &own);
    if (!defect.any_answer && !(defect.may_close && (response.closed || response.reset)))
        expect_refused(response, allowed);
    expect_absent(text);
    expect_still_serves();
}

void Trial::accepts(const Defect& defect)
{
    control();
    const auto text = new_text();
    const auto event = message_of(user(), channel(), text);
    const auto response =
        transact(origin(), submitting({event}), defect, "what is unusual and right");
    expect_ok(response);
    const auto result = event_result(response.json);
    expect(status_of(result) == "accepted", "accepted",
           "the event isn't accepted: " + result.dump());
    expect_once(text);
}

void Trial::rejects_event(const std::function<void(nlohmann::json& body)>& change,
                          const std::vector<std::string>& codes,
                          const std::vector<std::string>& statuses)
{
    control();
    const auto text = new_text();
    auto body = submitting({message_of(user(), channel(), text)});
    change(body);
    const auto response = transact(origin(), std::move(body), {}, "the defect");
    expect_ok(response);
    const auto result = event_result(response.json);
    expect(std::find(statuses.begin(), statuses.end(), status_of(result)) != statuses.end(),
           "refused", "the event's result is " + result.dump() + ", and should be " + statuses[0]);
    const auto code = result.contains("problem") ? problem_code(result["problem"]) : "";
    expect(codes.empty() || std::find(codes.begin(), codes.end(), code) != codes.end(), "refused",
           "the event is refused as " + (code.empty() ? "nothing" : code) +
               (codes.empty() ? "" : ", not as " + codes[0]));
    expect_absent(text);
    expect_still_serves();
}

HomeChannel& Trial::home_channel()
{
    if (home_channel_ != nullptr) return *home_channel_;
    auto& home = origin().make_channel();
    accounts().join(Who::first, home.id());
    const auto member_name = accounts().user(Who::first);
    const auto joined = origin().wait_for(
        [&](const Received& one) {
            return is_inbox(one) && one.request.body.find("member.join") != std::string::npos &&
                   one.request.body.find(home.id()) != std::string::npos;
        },
        in(Millis(20'000)));
    if (!joined)
        throw CouldNotRun("the join of " + member_name +
                          " to a channel of the runner's never came");
    home_channel_ = &home;
    return home;
}

nlohmann::json Trial::send_slice(std::uint64_t after, std::uint64_t last,
                                 const std::function<void(HomeChannel::Slice&)>& change,
                                 const std::function<void(nlohmann::json&)>& change_body,
                                 const std::string& what)
{
    auto& home = home_channel();
    auto body = origin().with([&] {
        auto slice = home.slice(after, last);
        if (change) change(slice);
        return home.transaction(slice, origin().key(), now());
    });
    if (change_body) change_body(body);
    const auto response = transact(origin(), std::move(body), {}, what);
    if (response.status() != 200)
        throw Broken("accepted", "the transaction with the slice is answered " + response.text());
    const nlohmann::json::json_pointer place("/logs/0");
    return response.json.contains(place) ? response.json[place] : nlohmann::json();
}

void Trial::expect_read_at_follower(const std::string& text, bool present,
                                    const std::string& barrier)
{
    const auto until = within_patience(in(read_time));
    for (;;) {
        const auto all = accounts().messages(Who::first, home_channel().id());
        const auto count = [&](const std::string& words) {
            return std::count_if(all.begin(), all.end(),
                                 [&](const Message& one) { return one.text == words; });
        };
        if (count(barrier) > 0) {
            const auto times = count(text);
            if (present)
                expect(times == 1, "once",
                       "the target's account reads it " + std::to_string(times) + " times");
            else
                expect(times == 0, "no-effect", "the target's account can read it");
            return;
        }
        if (Clock::now() >= until)
            throw CouldNotRun("an entry that the target has taken can't be read by its account");
        std::this_thread::sleep_for(poll_step);
    }
}

}  // namespace entente::conformance
