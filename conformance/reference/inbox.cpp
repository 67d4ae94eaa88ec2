#include "conformance/reference/inbox.hpp"

#include <algorithm>
#include <utility>

#include "conformance/reference/json_rules.hpp"
#include "conformance/reference/names.hpp"
#include "conformance/wire/events.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::int64_t seal_past = 3'600'000;
constexpr std::int64_t seal_future = 60'000;
constexpr std::int64_t rejected_time = 361'000;
constexpr std::size_t max_rejected = 10'000;
constexpr Budget item_budget{700, 30};
// Of a mutant in which all share one.
constexpr Budget shared_budget{700, 0.1};
// For how long a slice waits for the answer to the join that it overtook.
constexpr Millis join_time{2'000};

std::size_t weight_of(const nlohmann::json& item, const char* list)
{
    if (!item.is_object() || !item.contains(list) || !item[list].is_array()) return 1;
    return std::max<std::size_t>(item[list].size(), 1);
}

ShownKeys keys_shown_in(const nlohmann::json& body, Discovery& discovery, const Flags& flags)
{
    ShownKeys shown;
    for (const auto& slice : array_if_any(body, "logs")) {
        if (!slice.is_object() || !slice.contains("keys")) continue;
        for (const auto& one : array_of(slice, "keys")) {
            try {
                const auto server = text_of(one, "server");
                const auto key = read_jwk(member_of(one, "key"), flags);
                shown[server + "#" + key.id] = key.octets;
                std::vector<std::string> statements;
                for (const auto& statement : array_if_any(one, "statements"))
                    if (statement.is_string()) statements.push_back(statement.get<std::string>());
                discovery.take_statements(server, statements);
            } catch (const Refused&) {
                // A key that can't be read is one that isn't shown.
            }
        }
    }
    return shown;
}

std::string txn_of(const nlohmann::json& item)
{
    const auto event = item.is_object() ? item.value("event", std::string()) : std::string();
    const auto members = nlohmann::json::parse(event, nullptr, false);
    return members.is_object() ? members.value("txn", std::string()) : std::string();
}

nlohmann::json rejected_result(const nlohmann::json& item, const Refused& refused)
{
    const auto id = id_of_item(item);
    return {{"event", id.empty() ? nlohmann::json() : nlohmann::json(id)},
            {"status", "rejected"},
            {"problem", problem_of(refused)}};
}

nlohmann::json deferred_result(const nlohmann::json& item, std::int64_t retry_after,
                               const Flags& flags)
{
    nlohmann::json result = {{"event", id_of_item(item)}, {"status", "deferred"}};
    if (!flags.has<"deferred-without-time">()) result["retry_after"] = retry_after;
    return result;
}

}  // namespace

Inbox::Inbox(Channels& channels, Discovery& discovery, const Identity& identity, const Flags& flags,
             const PeerClock& clock, Journal& journal, std::mutex& mutex,
             std::condition_variable& changed)
    : channels_(channels),
      discovery_(discovery),
      identity_(identity),
      flags_(flags),
      clock_(clock),
      mutex_(mutex),
      changed_(changed),
      follower_(channels, discovery, flags),
      direct_(flags, clock, journal),
      items_(flags.has<"budget-shared">() ? shared_budget : item_budget)
{
}

std::size_t Inbox::count_items(const nlohmann::json& body) const
{
    std::size_t items = 0;
    for (const auto& one : array_if_any(body, "submissions")) items += weight_of(one, "events");
    for (const auto& one : array_if_any(body, "logs")) items += weight_of(one, "entries");
    return items + array_if_any(body, "direct").size() + array_if_any(body, "signals").size();
}

nlohmann::json Inbox::take(const std::string& text, const std::string& origin)
{
    const auto body =
        text.empty() ? nlohmann::json::object() : read_json(text, flags_, JsonPlace::body);
    if (!body.is_object()) throw Refused{"malformed", "the body is no object"};
    const auto items = count_items(body);
    auto most = static_cast<std::size_t>(Identity::transaction_items);
    if (flags_.has<"item-limit-too-narrow">()) most /= 2;
    if (items > most && !flags_.has<"items-unbounded">())
        throw Refused{"too-large", "too many items"};
    const auto shown = keys_shown_in(body, discovery_, flags_);
    // Keys are fetched before anything is locked.
    const Roots for_seals(body, false, {}, discovery_, identity_, flags_);
    for_seals.check_use(body, items);
    const Roots for_logs(body.contains("logs") ? body : nlohmann::json::object(), true, shown,
                         discovery_, identity_, flags_);

    std::unique_lock lock(mutex_);
    wait_for_joins(body, lock);
    pass_ = {};
    ProvenBody proven(identity_, flags_);
    auto answer = nlohmann::json::object();
    if (body.contains("submissions")) {
        answer["submissions"] = nlohmann::json::array();
        for (const auto& one : body["submissions"])
            answer["submissions"].push_back(take_submission(one, origin, for_seals, proven));
    }
    if (body.contains("logs")) {
        answer["logs"] = nlohmann::json::array();
        for (const auto& one : body["logs"])
            answer["logs"].push_back(follower_.take(one, origin, for_logs));
    }
    if (body.contains("direct")) answer["direct"] = direct_.take(body["direct"], origin);
    if (body.contains("signals"))
        answer["signals"] =
            nlohmann::json(body["signals"].size(), nlohmann::json{{"status", "ignored"}});
    if (flags_.has<"bad-item-fails-body">() &&
        answer.dump().find("problem:malformed") != std::string::npos)
        throw Refused{"malformed", "a bad item"};
    proven.finish(answer);
    changed_.notify_all();
    return answer;
}

void Inbox::wait_for_joins(const nlohmann::json& body, std::unique_lock<std::mutex>& lock)
{
    for (const auto& slice : array_if_any(body, "logs")) {
        if (!slice.is_object() || !slice.contains("channel") || !slice["channel"].is_string())
            continue;
        const auto channel = slice["channel"].get<std::string>();
        if (channels_.find(channel) != nullptr || !channels_.is_joining(channel)) continue;
        changed_.wait_for(lock, join_time, [&] { return channels_.find(channel) != nullptr; });
    }
}

nlohmann::json Inbox::take_submission(const nlohmann::json& submission, const std::string& origin,
                                      const Roots& roots, ProvenBody& answer)
{
    auto results = nlohmann::json::array();
    const bool has_events =
        submission.is_object() && submission.contains("events") && submission["events"].is_array();
    const auto channel = submission.is_object() && submission.contains("channel")
                             ? submission["channel"]
                             : nlohmann::json();
    if (!has_events) return {{"channel", channel}, {"events", results}};
    const auto& items = submission["events"];
    try {
        const auto submitted = check_submission(submission, origin, roots);
        for (const auto& item : items)
            results.push_back(take_event(item, submitted, origin, answer));
        const auto bad = std::find_if(results.begin(), results.end(), [](const auto& result) {
            return result["status"] == "rejected";
        });
        if (flags_.has<"one-bad-fails-all">() && bad != results.end()) {
            const auto one = *bad;
            for (auto& result : results) result = one;
        }
    } catch (const Refused& refused) {
        for (const auto& item : items) results.push_back(rejected_result(item, refused));
    } catch (const Deferred& deferred) {
        for (const auto& item : items)
            results.push_back(deferred_result(item, deferred.retry_after, flags_));
    }
    return {{"channel", channel}, {"events", results}};
}

Inbox::Submitted Inbox::check_submission(const nlohmann::json& submission,
                                         const std::string& origin, const Roots& roots)
{
    Submitted submitted;
    submitted.channel = text_of(submission, "channel");
    if (!is_channel_id(submitted.channel, flags_))
        throw Refused{"malformed", "a channel that is none"};
    check_seal(submission, origin, roots, submitted);
    submitted.log = channels_.find_for(submitted.channel, origin);
    if (submitted.log == nullptr) throw Refused{"not-found", "no such channel"};
    if (!channels_.is_home_of(*submitted.log))
        throw Refused{"not-home", "the channel is homed elsewhere"};
    return submitted;
}

void Inbox::check_seal(const nlohmann::json& submission, const std::string& origin,
                       const Roots& roots, Submitted& submitted) const
{
    if (flags_.has<"seal-optional">() &&
        (!submission.contains("seal") || !submission["seal"].contains("proof") ||
         !submission["seal"].contains("events")))
        return;
    submitted.seal = member_of(submission, "seal");
    std::vector<std::string> listed;
    for (const auto& id : array_of(submitted.seal, "events")) {
        if (!id.is_string()) throw Refused{"malformed", "a seal over what is no id"};
        listed.push_back(id.get<std::string>());
    }
    std::vector<std::string> given;
    for (const auto& item : submission["events"]) given.push_back(id_of_item(item));
    const auto& proof = member_of(submitted.seal, "proof");
    const auto& root = roots.find(proof);
    const auto signer = flags_.has<"any-submitter">() ? root.server : origin;
    if (!flags_.has<"seal-channel-ignored">())
        static_cast<void>(roots.prove(seal_leaf(submitted.channel, listed), proof, signer));
    auto compared = listed;
    if (flags_.has<"seal-order-ignored">()) {
        std::sort(compared.begin(), compared.end());
        std::sort(given.begin(), given.end());
    }
    if (compared != given && !flags_.has<"seal-ids-ignored">())
        throw Refused{"signature-invalid", "the seal lists other events"};
    submitted.seal_root = root.text;
    if (flags_.has<"seal-age-ignored">()) return;
    const auto past = flags_.has<"seal-age-too-narrow">() ? seal_past / 4 : seal_past;
    const auto now = clock_.now();
    if (root.at < now - past || root.at > now + seal_future) throw Deferred{1};
}

// [INBOX-8] The very first item is always taken.
void Inbox::spend_item(const std::string& origin)
{
    const bool is_first = pass_.items++ == 0;
    if (flags_.has<"no-item-budget">()) return;
    // Of a mutant: where one has used up his share, so has everybody else.
    if (flags_.has<"budget-shared">() && !spent_by_.empty() && spent_by_ != origin)
        throw Deferred{1};
    const bool has_room = items_.spend(origin, clock_.now());
    if (is_first) return;
    if (flags_.has<"deferred-out-of-order">() && pass_.is_spent && pass_.items % 10 == 0) return;
    if (pass_.is_spent || !has_room) {
        pass_.is_spent = true;
        spent_by_ = origin;
        throw Deferred{1};
    }
}

nlohmann::json Inbox::take_event(const nlohmann::json& item, const Submitted& submitted,
                                 const std::string& origin, ProvenBody& answer)
{
    std::string waiter;
    try {
        spend_item(origin);
        const auto event = read_item(item, EventPlace::log, flags_);
        waiter = event.sender;
        if (kept_txns_.contains(event.txn)) throw Refused{"equivocation", "a txn that was refused"};
        if (event.channel != submitted.channel && !flags_.has<"event-channel-ignored">())
            throw Refused{"malformed", "an event for another channel than its submission's"};
        if (server_of(event.sender) != origin && !flags_.has<"any-sender-server">() &&
            !flags_.has<"any-submitter">() && !flags_.has<"event-sender-form-ignored">())
            throw Refused{"forbidden", "a sender of another server"};
        if (pass_.waiting.contains(waiter) && !flags_.has<"deferred-overtaken">())
            throw Deferred{1};
        try {
            return take_read(event, submitted, origin, answer);
        } catch (const Refused& refused) {
            note_rejected(event, origin, refused);
            throw;
        }
    } catch (const Refused& refused) {
        if (flags_.has<"refused-keeps-txn">()) kept_txns_.insert(txn_of(item));
        return rejected_result(item, refused);
    } catch (const Deferred& deferred) {
        if (!waiter.empty()) pass_.waiting.insert(waiter);
        return deferred_result(item, deferred.retry_after, flags_);
    }
}

nlohmann::json Inbox::take_read(const ReadEvent& event, const Submitted& submitted,
                                const std::string& origin, ProvenBody& answer)
{
    auto& log = *submitted.log;
    nlohmann::json result = {{"event", event.id}};
    auto seq = log.find(event.id);
    if (seq > 0 && !flags_.has<"duplicates-appended">()) {
        result["status"] = "duplicate";
    } else if (event.type == "member.join" && log.state().members.contains(event.sender)) {
        // A repeated join is the one that took effect [MEM-1].
        result["status"] = "duplicate";
        seq = log.last_of(event.sender, event.type);
    } else {
        check_rejected(event.id);
        check_ahead(event, clock_.now(), flags_);
        seq = channels_.take(log, event, submitted.seal, submitted.seal_root);
        result["status"] = "accepted";
    }
    result["seq"] = seq;
    if (event.type == "member.join") add_join(result, submitted, origin, seq, answer);
    return result;
}

// [MEM-3] Of a server's first member.
void Inbox::add_join(nlohmann::json& result, const Submitted& submitted, const std::string& origin,
                     std::uint64_t seq, ProvenBody& answer)
{
    auto& log = *submitted.log;
    auto& cursor = channels_.followers_of(log.id())[origin];
    cursor.is_stopped = false;
    const auto& members = log.state().members;
    const auto own = std::count_if(members.begin(), members.end(),
                                   [&](const auto& one) { return server_of(one.first) == origin; });
    if (own != 1) return;
    result["floor"] = cursor.floor;
    if (seq == log.latest() && !flags_.has<"join-without-snapshot">())
        result["snapshot"] = answer.snapshot(log);
}

void Inbox::check_rejected(const std::string& event_id)
{
    const auto found = rejected_.find(event_id);
    if (found == rejected_.end() || flags_.has<"rejections-forgotten">()) return;
    if (found->second.until > clock_.now()) throw found->second.refused;
    rejected_.erase(found);
}

// What another server says of an event is no word about it.
void Inbox::note_rejected(const ReadEvent& event, const std::string& origin, const Refused& refused)
{
    if (server_of(event.sender) != origin) return;
    if (rejected_.size() >= max_rejected) rejected_.clear();
    rejected_.try_emplace(event.id, Rejected{refused, clock_.now() + rejected_time});
}

}  // namespace entente::conformance::reference
