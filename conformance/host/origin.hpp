#pragma once

// One server that the runner plays: a name, keys, a document, an inbox that answers as it should,
// and whatever a case wants it to answer instead. A case has its own, since what a target
// remembers of a server (backoff, budgets, pins) would leak from one case into the next.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conformance/host/followed_log.hpp"
#include "conformance/host/home_channel.hpp"
#include "conformance/host/host.hpp"
#include "conformance/host/trace.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance {

// A request that the target has made.
struct Received {
    std::int64_t at = 0;  // ms since 1970, this machine's clock
    Request request;
    // Null where the body is no JSON.
    nlohmann::json body;
};

class Origin final : public Site {
 public:
    // Answers in a handler's place with nothing: the default answer then follows.
    using Handler = std::function<std::optional<Reply>(const Request&)>;
    using Seen = std::function<bool(const Received&)>;

    // `clock` gives ms since 1970 by the target's clock.
    Origin(std::string name, std::function<std::int64_t()> clock);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] SigningKey key() const;
    [[nodiscard]] const SigningKey& recovery() const { return recovery_; }
    [[nodiscard]] std::string user(std::string_view localpart = "mallory") const;

    // What is published; a case may change it. Not a JSON object any more: say it by `on`.
    [[nodiscard]] nlohmann::json document() const;
    void publish(nlohmann::json document);
    // The key that signs answers and roots from now on. The document is left as it is.
    void use_key(const SigningKey& key);

    // Asked first, the latest of them before the others, for every request.
    void on(Handler handler);
    void forget_handlers();
    // Answers nothing at all: every connection is closed before an answer.
    void set_down(bool down);

    // A channel homed here. Its joins and submissions are taken, its snapshot is served. The
    // reference stays; `with` guards what is done to it.
    [[nodiscard]] HomeChannel& make_channel();
    template <typename Action>
    auto with(Action action)
    {
        const std::lock_guard lock(mutex_);
        return action();
    }

    [[nodiscard]] std::vector<Received> received() const;
    [[nodiscard]] std::size_t count(const Seen& seen) const;
    // The first that fits, behind the first `skip` of all; nothing where none has come in time.
    [[nodiscard]] std::optional<Received> wait_for(const Seen& seen, Deadline deadline,
                                                   std::size_t skip = 0);
    [[nodiscard]] std::uint64_t connections() const;
    // Those of them that came to this address of the runner's.
    [[nodiscard]] std::uint64_t connections_to(const std::string& address) const;

    // What came here, with what was answered.
    [[nodiscard]] const Trace& trace() const { return trace_; }
    // Why the handshakes for this name failed that did, the first of them.
    [[nodiscard]] std::vector<std::string> broken_handshakes() const;

    // Entries of the target's channels that have arrived here.
    [[nodiscard]] std::vector<HeldEntry> entries_of(const std::string& channel) const;
    // Waits until an entry with this event id has arrived.
    [[nodiscard]] bool wait_for_entry(const std::string& channel, const std::string& event_id,
                                      Deadline deadline);

    // Signs `answer` to `request` and makes it a reply.
    [[nodiscard]] Reply signed_reply(const Request& request, Answer answer) const;
    [[nodiscard]] Reply signed_json(const Request& request, int status,
                                    const nlohmann::json& body) const;
    // What the inbox would say.
    [[nodiscard]] nlohmann::json inbox_result(const nlohmann::json& body);

    Reply serve(const Request& request) override;
    void on_connection() override;
    void on_address(const std::string& address) override;
    void on_broken_handshake(const std::string& why) override;

 private:
    [[nodiscard]] Reply reply_to(const Request& request);
    [[nodiscard]] Reply default_reply(const Request& request);
    [[nodiscard]] nlohmann::json apply(const nlohmann::json& body);
    [[nodiscard]] nlohmann::json take_submission(const nlohmann::json& submission,
                                                 const nlohmann::json& roots,
                                                 nlohmann::json& answer_roots);
    [[nodiscard]] HomeChannel* channel(const std::string& id);

    const std::string name_;
    const std::function<std::int64_t()> clock_;
    // Guarded alone, since answers are signed with and without `mutex_`.
    mutable std::mutex key_mutex_;
    SigningKey key_;
    const SigningKey recovery_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    nlohmann::json document_;
    std::vector<Handler> handlers_;
    bool down_ = false;
    std::vector<Received> received_;
    std::uint64_t connections_ = 0;
    std::map<std::string, std::uint64_t> by_address_;
    std::vector<std::string> broken_;
    Trace trace_;
    FollowedLogs followed_;
    std::list<HomeChannel> channels_;
};

// {"type":"urn:entente:problem:CODE","status","title"}
[[nodiscard]] nlohmann::json problem(const std::string& code, int status);

[[nodiscard]] bool is_inbox(const Received& received);
// A fetch of the server document.
[[nodiscard]] bool is_discovery(const Received& received);

}  // namespace entente::conformance
