#include "conformance/reference/client_api.hpp"

#include <cstdlib>
#include <utility>
#include <vector>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/reference/settings.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::string_view prefix = "/api/v1";

std::vector<std::string> parts_of(const std::string& path)
{
    std::vector<std::string> parts;
    for (std::size_t from = 1; from <= path.size();) {
        const auto end = std::min(path.find('/', from), path.size());
        parts.push_back(path.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

Answer json_answer(int status, const nlohmann::json& body)
{
    Answer answer;
    answer.status = status;
    answer.fields = {{"Content-Type", "application/json"}};
    answer.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return answer;
}

// A content that is written into the entry as it came, whatever it is.
nlohmann::json with_raw_content(const nlohmann::json& entry, const std::string& content)
{
    auto text = entry.dump();
    text.pop_back();
    text += ",\"content\":" + content + "}";
    return nlohmann::json::parse("[" + text + "]", nullptr, false);
}

}  // namespace

ClientApi::ClientApi(Channels& channels, Outbox& outbox, const Identity& identity,
                     const Flags& flags, const PeerClock& clock,
                     std::function<void(const std::string&)> touched)
    : channels_(channels),
      outbox_(outbox),
      identity_(identity),
      flags_(flags),
      clock_(clock),
      touched_(std::move(touched))
{
}

Answer ClientApi::serve(const Request& request)
{
    try {
        const auto question = request.target.find('?');
        const auto parts = parts_of(request.target.substr(prefix.size(), question - prefix.size()));
        const auto query = question == std::string::npos ? "" : request.target.substr(question + 1);
        auto body = nlohmann::json::parse(request.body, nullptr, false);
        if (!body.is_object()) body = nlohmann::json::object();
        const auto is = [&](const char* method, std::size_t count, const char* first) {
            return request.method == method && parts.size() == count && parts[0] == first;
        };
        if (is("POST", 2, "auth") && parts[1] == "login") return json_answer(200, log_in(body));
        const auto user = user_of(request);
        if (is("POST", 1, "channels")) {
            const nlohmann::json content = {{"kind", "group"},
                                            {"name", body.value("name", "")},
                                            {"public", body.value("public", false)},
                                            {"history", body.value("history", "since-join")}};
            return json_answer(201, {{"channel", channels_.create(user, content)}});
        }
        if (is("GET", 3, "channels") && parts[2] == "messages")
            return json_answer(200, read(user, parts[1], query));
        if (is("GET", 3, "messages") && parts[2] == "delivery")
            return json_answer(200, {{"status", outbox_.standing_of(parts[1])}});
        if (is("POST", 3, "channels") || is("POST", 5, "channels"))
            return json_answer(201, act(user, parts[1],
                                        parts.size() == 3 ? parts[2] : "delete " + parts[3], body));
        throw Refused{"not-found", "no such path"};
    } catch (const Refused& refused) {
        return json_answer(status_of(refused.code), problem_of(refused));
    } catch (const Deferred& deferred) {
        return json_answer(
            503, problem_of({"unavailable", "not now", {{"retry_after", deferred.retry_after}}}));
    }
}

std::string ClientApi::token_of(const std::string& localpart) const
{
    // Known to who holds the peer's recovery key, and the same after a restart.
    return base64url(sha256("token " + localpart + " " +
                            identity_.document()["recovery"]["x"].get<std::string>()));
}

nlohmann::json ClientApi::log_in(const nlohmann::json& body) const
{
    const auto name = text_of(body, "name");
    if ((name != "alice" && name != "bob") || text_of(body, "password") != account_password)
        throw Refused{"forbidden", "no such account"};
    return {{"access_token", token_of(name)}};
}

std::string ClientApi::user_of(const Request& request) const
{
    const auto given = field_of(request.fields, "authorization").value_or("");
    for (const auto* name : {"alice", "bob"})
        if (given == "Bearer " + token_of(name)) return std::string(name) + "@" + identity_.name();
    throw Refused{"forbidden", "not logged in"};
}

nlohmann::json ClientApi::act(const std::string& user, const std::string& channel,
                              const std::string& what, const nlohmann::json& body)
{
    const auto no_content = nlohmann::json::object();
    const auto done = [](const std::string& event) { return nlohmann::json{{"event", event}}; };
    if (what == "messages")
        return done(write(user, channel, "message.create", member_of(body, "content")));
    if (what == "join") return done(write(user, channel, "member.join", no_content));
    if (what == "invite")
        return done(write(user, channel, "member.invite", {{"user", text_of(body, "user")}}));
    if (what == "ban")
        return done(write(user, channel, "member.ban", {{"user", text_of(body, "user")}}));
    if (what.starts_with("delete "))
        return done(write(user, channel, "message.delete", no_content, what.substr(7)));
    throw Refused{"not-found", "no such path"};
}

std::string ClientApi::write(const std::string& user, const std::string& channel,
                             const std::string& type, const nlohmann::json& content,
                             const std::string& target)
{
    if (!is_channel_id(channel, flags_)) throw Refused{"malformed", "a channel that is none"};
    nlohmann::json members = {{"type", type}, {"channel", channel}, {"sender", user}};
    if (!target.empty()) members["target"] = target;
    const auto made = make_event(std::move(members), salted(content), clock_.now());
    auto* log = channels_.find(channel);
    if (server_of(channel) == identity_.name()) {
        if (log == nullptr) throw Refused{"not-found", "no such channel"};
        const bool again = type == "member.join" && log->state().members.contains(user);
        if (!again)
            channels_.take(*log, read_item(made.item(), EventPlace::log, flags_), nullptr, {});
    } else {
        const bool is_join = type == "member.join";
        if (is_join) channels_.note_joining(channel, user);
        outbox_.add(channel, {made.id(), made.octets, made.content, is_join});
    }
    touched_(channel);
    return made.id();
}

nlohmann::json ClientApi::read(const std::string& user, const std::string& channel,
                               const std::string& query)
{
    const auto* log = channels_.find(channel);
    if (log == nullptr || !log->state().members.contains(user))
        throw Refused{"not-found", "no such channel"};
    const auto at = query.find("after=");
    const auto after =
        at == std::string::npos ? 0 : std::strtoull(query.c_str() + at + 6, nullptr, 10);
    auto entries = nlohmann::json::array();
    for (auto seq = std::max<std::uint64_t>(after, log->floor()) + 1; seq <= log->latest(); ++seq) {
        const auto& entry = log->entry(seq);
        const bool is_shown = !entry.is_marked || entry.is_vouched;
        const nlohmann::json written = {
            {"seq", seq},
            {"id", entry.event.id},
            {"event", {{"type", entry.event.type}, {"sender", entry.event.sender}}},
            {"content", is_shown && entry.has_content ? entry.event.body : nlohmann::json()}};
        entries.push_back(written);
        if (log->shown_twice.contains(seq)) entries.push_back(written);
        if (flags_.has<"contents-shown-raw">() && entry.has_content) {
            entries.back().erase("content");
            const auto shown = with_raw_content(entries.back(), entry.event.content);
            if (!shown.is_array()) return {{"entries", nlohmann::json::array()}};
            entries.erase(entries.size() - 1);
            entries.insert(entries.end(), shown.begin(), shown.end());
        }
        if (entries.size() >= 1'000) break;
    }
    return {{"entries", std::move(entries)}};
}

}  // namespace entente::conformance::reference
