#include "conformance/host/origin.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "conformance/sockets/patience.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

// Requests that are kept of one origin; a target that sends more has its last ones dropped.
constexpr std::size_t max_received = 20'000;
// Broken handshakes that are remembered.
constexpr std::size_t max_broken = 16;

std::string sender_of(const nlohmann::json& event)
{
    const auto found = event.find("sender");
    return found != event.end() && found->is_string() ? found->get<std::string>() : std::string();
}

nlohmann::json parsed(const std::string& text)
{
    auto value = nlohmann::json::parse(text, nullptr, false);
    return value.is_discarded() ? nlohmann::json() : value;
}

nlohmann::json array_at(const nlohmann::json& body, const char* name)
{
    const auto found = body.find(name);
    return found != body.end() && found->is_array() ? *found : nlohmann::json::array();
}

}  // namespace

nlohmann::json problem(const std::string& code, int status)
{
    return {{"type", "urn:entente:problem:" + code}, {"status", status}, {"title", code}};
}

bool is_inbox(const Received& received)
{
    return received.request.method == "POST" && received.request.target == "/federation/v1/inbox";
}

bool is_discovery(const Received& received)
{
    return received.request.method == "GET" && received.request.target == "/.well-known/entente";
}

Origin::Origin(std::string name, std::function<std::int64_t()> clock)
    : name_(std::move(name)),
      clock_(std::move(clock)),
      key_(SigningKey::random()),
      recovery_(SigningKey::random())
{
    auto key = key_.jwk();
    key["from"] = clock_() - 86'400'000;
    document_ = {{"server", name_},
                 {"api", "https://" + name_},
                 {"versions", {"1"}},
                 {"software", {{"name", "entente-conformance"}, {"version", "1"}}},
                 {"keys", {std::move(key)}},
                 {"old_keys", nlohmann::json::array()},
                 {"recovery", recovery_.jwk()},
                 {"statements", nlohmann::json::array()},
                 {"max_age", 3600}};
}

SigningKey Origin::key() const
{
    const std::lock_guard lock(key_mutex_);
    return key_;
}

std::string Origin::user(std::string_view localpart) const
{
    return std::string(localpart) + "@" + name_;
}

nlohmann::json Origin::document() const
{
    const std::lock_guard lock(mutex_);
    return document_;
}

void Origin::publish(nlohmann::json document)
{
    const std::lock_guard lock(mutex_);
    document_ = std::move(document);
}

void Origin::use_key(const SigningKey& key)
{
    const std::lock_guard lock(key_mutex_);
    key_ = key;
}

void Origin::on(Handler handler)
{
    const std::lock_guard lock(mutex_);
    handlers_.push_back(std::move(handler));
}

void Origin::forget_handlers()
{
    const std::lock_guard lock(mutex_);
    handlers_.clear();
}

void Origin::set_down(bool down)
{
    const std::lock_guard lock(mutex_);
    down_ = down;
}

HomeChannel& Origin::make_channel()
{
    const std::lock_guard lock(mutex_);
    return channels_.emplace_back(name_, user("owner"), clock_());
}

HomeChannel* Origin::channel(const std::string& id)
{
    for (auto& one : channels_)
        if (one.id() == id) return &one;
    return nullptr;
}

std::vector<Received> Origin::received() const
{
    const std::lock_guard lock(mutex_);
    return received_;
}

std::size_t Origin::count(const Seen& seen) const
{
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(received_.begin(), received_.end(), seen));
}

std::optional<Received> Origin::wait_for(const Seen& seen, Deadline deadline, std::size_t skip)
{
    deadline = within_patience(deadline);
    std::unique_lock lock(mutex_);
    for (;;) {
        for (; skip < received_.size(); ++skip)
            if (seen(received_[skip])) return received_[skip];
        if (changed_.wait_until(lock, deadline) == std::cv_status::timeout &&
            skip >= received_.size())
            return std::nullopt;
    }
}

std::uint64_t Origin::connections_to(const std::string& address) const
{
    const std::lock_guard lock(mutex_);
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? 0 : found->second;
}

std::uint64_t Origin::connections() const
{
    const std::lock_guard lock(mutex_);
    return connections_;
}

std::vector<std::string> Origin::broken_handshakes() const
{
    const std::lock_guard lock(mutex_);
    return broken_;
}

std::vector<HeldEntry> Origin::entries_of(const std::string& channel) const
{
    const std::lock_guard lock(mutex_);
    return followed_.of(channel);
}

bool Origin::wait_for_entry(const std::string& channel, const std::string& id, Deadline deadline)
{
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, within_patience(deadline), [&] {
        const auto& entries = followed_.of(channel);
        return std::any_of(entries.begin(), entries.end(),
                           [&](const HeldEntry& held) { return event_id(held.event) == id; });
    });
}

Reply Origin::signed_reply(const Request& request, Answer answer) const
{
    sign_answer(answer, request, name_, key(), clock_() / 1000);
    return reply_with(std::move(answer));
}

Reply Origin::signed_json(const Request& request, int status, const nlohmann::json& body) const
{
    Answer answer;
    answer.status = status;
    answer.fields = {
        {"Content-Type", status == 200 ? "application/json" : "application/problem+json"}};
    answer.body = body.dump();
    return signed_reply(request, std::move(answer));
}

nlohmann::json Origin::inbox_result(const nlohmann::json& body)
{
    const std::lock_guard lock(mutex_);
    auto result = apply(body);
    // Whoever waits for an entry isn't told by the request alone, which came before it was applied.
    changed_.notify_all();
    return result;
}

void Origin::on_connection()
{
    const std::lock_guard lock(mutex_);
    ++connections_;
}

void Origin::on_address(const std::string& address)
{
    const std::lock_guard lock(mutex_);
    ++by_address_[address];
}

void Origin::on_broken_handshake(const std::string& why)
{
    static_cast<void>(
        trace_.begin("a connection to " + name_ + " whose TLS handshake fails: " + why, ""));
    const std::lock_guard lock(mutex_);
    if (broken_.size() < max_broken) broken_.push_back(why);
}

Reply Origin::serve(const Request& request)
{
    const auto number =
        trace_.begin(request.method + " " + request.target + " at " + name_, serialise(request));
    auto reply = reply_to(request);
    trace_.end(number, shown(reply));
    return reply;
}

Reply Origin::reply_to(const Request& request)
{
    std::vector<Handler> handlers;
    {
        const std::lock_guard lock(mutex_);
        if (down_) return reply_nothing();
        if (received_.size() < max_received)
            received_.push_back({system_milliseconds(), request, parsed(request.body)});
        handlers = handlers_;
    }
    changed_.notify_all();
    // Without the lock: a handler may look at, and change, what is here.
    for (auto handler = handlers.rbegin(); handler != handlers.rend(); ++handler)
        if (auto reply = (*handler)(request)) return *reply;
    auto reply = default_reply(request);
    changed_.notify_all();
    return reply;
}

Reply Origin::default_reply(const Request& request)
{
    const std::lock_guard lock(mutex_);
    if (request.target == "/.well-known/entente") return reply_json(200, document_.dump());
    if (request.method == "POST" && request.target == "/federation/v1/inbox")
        return signed_json(request, 200, apply(parsed(request.body)));
    static const std::string channels = "/federation/v1/channels/";
    if (request.target.starts_with(channels)) {
        auto path = request.target.substr(channels.size());
        const auto query = path.find('?');
        const bool is_log = path.find("/log") != std::string::npos;
        const auto id = path.substr(0, std::min(query, path.find('/')));
        if (auto* found = channel(id)) {
            if (!is_log) return signed_json(request, 200, found->snapshot(key(), clock_()));
            std::uint64_t after = 0;
            const auto at = path.find("after=");
            if (at != std::string::npos) after = std::strtoull(path.c_str() + at + 6, nullptr, 10);
            const auto slice = found->slice(std::min(after, found->latest()), found->latest());
            auto body = found->transaction(slice, key(), clock_());
            return signed_json(request, 200,
                               {{"roots", body["roots"]}, {"slice", body["logs"][0]}});
        }
    }
    return signed_json(request, 404, problem("not-found", 404));
}

// With the lock held.
nlohmann::json Origin::apply(const nlohmann::json& body)
{
    auto result = nlohmann::json::object();
    auto roots = nlohmann::json::array();
    if (!body.is_object()) return result;
    if (body.contains("submissions")) {
        result["submissions"] = nlohmann::json::array();
        for (const auto& one : array_at(body, "submissions"))
            result["submissions"].push_back(take_submission(one, array_at(body, "roots"), roots));
    }
    if (body.contains("logs")) {
        result["logs"] = nlohmann::json::array();
        for (const auto& one : array_at(body, "logs"))
            result["logs"].push_back(followed_.take(one));
    }
    if (body.contains("direct")) {
        result["direct"] = nlohmann::json::array();
        for (const auto& one : array_at(body, "direct"))
            result["direct"].push_back(
                {{"event", event_id(one.value("event", ""))}, {"status", "accepted"}});
    }
    if (body.contains("signals")) {
        result["signals"] = nlohmann::json::array();
        for (std::size_t n = 0; n < array_at(body, "signals").size(); ++n)
            result["signals"].push_back({{"status", "ignored"}});
    }
    if (!roots.empty()) result["roots"] = std::move(roots);
    return result;
}

nlohmann::json Origin::take_submission(const nlohmann::json& submission,
                                       const nlohmann::json& roots, nlohmann::json& answer_roots)
{
    const auto id = submission.value("channel", "");
    auto* home = channel(id);
    auto results = nlohmann::json::array();
    for (const auto& item : array_at(submission, "events")) {
        const Event event{item.value("event", ""), item.value("content", "")};
        if (home == nullptr) {
            results.push_back({{"event", event.id()},
                               {"status", "rejected"},
                               {"problem", problem("not-found", 404)}});
            continue;
        }
        nlohmann::json result = {{"event", event.id()}};
        auto seq = home->find(event.id());
        result["status"] = seq == 0 ? "accepted" : "duplicate";
        const auto members = parsed(event.octets);
        const bool is_join = members.is_object() && members.value("type", "") == "member.join";
        if (seq == 0) {
            const auto seal = submission.value("seal", nlohmann::json());
            const auto root = seal.is_object() && seal.contains("proof")
                                  ? seal["proof"].value("root", std::size_t{0})
                                  : std::size_t{0};
            if (is_join) home->add_member(sender_of(members), "member");
            seq = home->append(event, clock_(), seal,
                               root < roots.size() ? roots[root].get<std::string>() : "");
        }
        result["seq"] = seq;
        if (is_join) {
            result["floor"] = 0;
            // As of the join itself: nothing comes behind it before this is answered.
            if (seq == home->latest()) {
                auto snapshot = home->snapshot(key(), clock_());
                snapshot["snapshot"]["proof"]["root"] = answer_roots.size();
                answer_roots.push_back(snapshot["roots"][0]);
                result["snapshot"] = snapshot["snapshot"];
            }
        }
        results.push_back(std::move(result));
    }
    return {{"channel", id}, {"events", std::move(results)}};
}

}  // namespace entente::conformance
