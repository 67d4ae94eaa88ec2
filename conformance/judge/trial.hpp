#pragma once

// A case while it runs: its own servers and channel, what it sends, and the three oracles. A
// verdict ends a trial at once, wherever it is found, by one of the exceptions below.

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/judge/verdict.hpp"
#include "conformance/judge/world.hpp"
#include "conformance/wire/events.hpp"
#include "conformance/wire/signing.hpp"

namespace entente::conformance {

// The target breaks what the case proves.
struct Broken : std::runtime_error {
    Broken(std::string assertion, const std::string& detail)
        : std::runtime_error(detail), assertion(std::move(assertion))
    {
    }
    std::string assertion;
};
// Nothing could be judged.
struct CouldNotRun : std::runtime_error {
    using std::runtime_error::runtime_error;
};
// A hook of the target's file fails, or has done nothing.
struct HookFailed : CouldNotRun {
    HookFailed(std::string hook, const std::string& detail)
        : CouldNotRun(detail), hook(std::move(hook))
    {
    }
    std::string hook;
};
// Something took too long, and the machine may be why: to be measured again.
struct TooNoisy : CouldNotRun {
    using CouldNotRun::CouldNotRun;
};
struct NotApplicable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A refusal that a case takes for right: a status, and a problem code where one is asked for.
struct Refusal {
    int status = 0;
    std::string code;
};

// Where a request is changed: what a case leaves alone is right.
struct Defect {
    // The transaction's body, before it is written.
    std::function<void(nlohmann::json&)> body{};
    // Its octets, before they are digested.
    std::function<void(std::string&)> text{};
    // Fields and signature input, before it is signed.
    std::function<void(Request&, SignatureInput&)> before_signing{};
    // The octets of the signature over `base`, in place of `key`'s own.
    std::function<std::string(const std::string& base, const SigningKey& key)> signature{};
    // After.
    std::function<void(Request&)> after_signing{};
    // The whole message, as it is written to the connection.
    std::function<void(std::string&)> octets{};
    // Which key signs; the origin's own where absent.
    std::optional<SigningKey> key{};
    // The target may end the connection in place of an answer.
    bool may_close = false;
    // What the target answers to it is none of the case's business, only what comes of it.
    bool any_answer = false;
};

// What came back; `error` where there was no whole answer.
struct Response {
    Answer answer;
    std::string error;
    bool closed = false;
    bool reset = false;
    nlohmann::json json;

    [[nodiscard]] int status() const { return error.empty() ? answer.status : 0; }
    [[nodiscard]] std::string code() const;
    // "401 signature-invalid", "no answer: it took too long"
    [[nodiscard]] std::string text() const;
};

class Trial {
 public:
    Trial(World& world, std::string case_id);
    ~Trial();
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    // --- its world

    [[nodiscard]] World& world() { return world_; }
    [[nodiscard]] Accounts& accounts() { return world_.accounts(); }
    // The target's door, from an address of the case's own where that can be had.
    [[nodiscard]] const Door& door() const { return door_; }
    [[nodiscard]] const std::string& target() const { return world_.file().name; }
    // The target's clock: ms, and whole seconds.
    [[nodiscard]] std::int64_t now() const { return world_.now(); }
    [[nodiscard]] std::int64_t seconds() const { return world_.now() / 1000; }

    // The server that this case is; made when it is first asked for.
    [[nodiscard]] Origin& origin();
    // One more.
    [[nodiscard]] Origin& another(const std::string& label = "b",
                                  CertificateFault fault = CertificateFault::none);
    // mallory@origin, who is a member of `channel`.
    [[nodiscard]] std::string user() { return origin().user(); }
    // A public channel at the target, made by its first account, that `user` has joined.
    [[nodiscard]] const std::string& channel();
    // Joins `user` of `origin` to a public channel of the target, whose first account is in it; the
    // answer. Throws CouldNotRun.
    Response join(Origin& origin, const std::string& user, const std::string& channel);
    // The public key `kid` of the target, or of a server of this trial as it signs now; empty where
    // there is none.
    [[nodiscard]] std::string key_of(const std::string& server, const std::string& kid);

    // --- what is sent

    // An event of `user` in `channel`, with a text that no other has.
    [[nodiscard]] Event message();
    [[nodiscard]] Event message_of(const std::string& sender, const std::string& channel,
                                   const std::string& text);
    // A new text, unique in this run.
    [[nodiscard]] std::string new_text();
    // A transaction of these events of `origin`.
    [[nodiscard]] nlohmann::json submitting(const std::vector<Event>& events);
    [[nodiscard]] nlohmann::json submitting(Origin& origin, const std::string& channel,
                                            const std::vector<Event>& events);

    // Signed requests of `origin` to the target, changed by `defect`, over `connection` (the
    // trial's own where null).
    Response transact(Origin& origin, nlohmann::json body, const Defect& defect = {},
                      const std::string& what = "transaction", Connection* connection = nullptr);
    Response query(Origin& origin, const std::string& path, const Defect& defect = {},
                   const std::string& what = "query", Connection* connection = nullptr);
    // As transact and query do, without sending it.
    [[nodiscard]] std::string octets_of(Origin& origin, const std::string& method,
                                        const std::string& path, const nlohmann::json& body,
                                        const Defect& defect, std::string& base,
                                        std::string& signature);
    // Octets as they are.
    Response send_octets(const std::string& octets, const std::string& what,
                         Connection* connection = nullptr, Millis time = Connection::answer_time);
    [[nodiscard]] Connection& connection() { return connection_; }

    // --- the control: the same, without the defect. Throws CouldNotRun.

    // A message of `user` is accepted and can be read.
    void control();

    // --- oracles. Each throws Broken under the name of its assertion.

    // "refused": the response is one of `allowed`.
    void expect_refused(const Response& response, const std::vector<Refusal>& allowed);
    // "accepted": a 200 whose signature is the target's [SIG-10].
    void expect_ok(const Response& response);
    // The same of the answer to another request than the last: that one's Signature field.
    void expect_ok(const Response& response, const std::string& request_signature);
    // `assertion`, where `holds` is false.
    void expect(bool holds, const std::string& assertion, const std::string& detail);
    // Reads `channel` behind a barrier: a message that is accepted afterwards.
    // "no-effect": nobody can read `text`; "once": it can be read exactly once.
    void expect_absent(const std::string& text);
    void expect_once(const std::string& text);
    // "still-serves": a fresh connection serves a message of `user`.
    void expect_still_serves();

    // The whole of a negative case over the inbox: control, a message with `defect`, refused as
    // `allowed` says, no effect, still serves.
    void refuses(const Defect& defect, const std::vector<Refusal>& allowed);
    // The whole of a positive one: a message with `defect` is accepted and can be read once.
    void accepts(const Defect& defect);
    // A transaction that is answered 200, in which the event of `defect` is `rejected` with one of
    // `codes` ("" any) or has one of `statuses` ("deferred"), and has no effect.
    void rejects_event(const std::function<void(nlohmann::json& body)>& change,
                       const std::vector<std::string>& codes,
                       const std::vector<std::string>& statuses = {"rejected"});

    // --- channels that are homed here, and followed by the target

    // A channel of `origin` that the target's first account has joined.
    [[nodiscard]] HomeChannel& home_channel();
    // Sends a slice under `origin`'s key, changed before it is proven and before it is sent; the
    // result of that slice.
    nlohmann::json send_slice(std::uint64_t after, std::uint64_t last,
                              const std::function<void(HomeChannel::Slice&)>& change = {},
                              const std::function<void(nlohmann::json&)>& change_body = {},
                              const std::string& what = "slice");
    // "no-effect" and "once" by what the target's first account reads of `home_channel`, waiting
    // up to 5 s for `barrier` to be there.
    void expect_read_at_follower(const std::string& text, bool present, const std::string& barrier);

    // --- hooks

    // Runs a hook of the target's file. Throws NotApplicable where there is none or it can't, and
    // HookFailed where it fails or has provably done nothing: behind `restart` and `kill9` a
    // connection from before must have ended, behind `clock` the target's Date must have moved.
    nlohmann::json hook(const std::string& name, const nlohmann::json& input = {},
                        Millis time = Millis(60'000));
    // The same for many at once: a line of JSON each, a line of JSON for each.
    std::vector<nlohmann::json> hook_lines(const std::string& name,
                                           const std::vector<nlohmann::json>& lines,
                                           Millis time = Millis(60'000));
    // Waits until the target serves its document again. Throws Broken("serves-again").
    void wait_until_served(Millis time);

    // What was sent and received so far, the requests of the target to this trial's servers among
    // it.
    [[nodiscard]] Exchanges take_exchanges();
    void note(Exchange exchange);
    [[nodiscard]] std::int64_t elapsed() const;

 private:
    // Runs it, and has it proven; what it prints.
    [[nodiscard]] std::string hook_that_restarts(const std::string& name, std::string_view input,
                                                 Millis time);
    [[nodiscard]] std::string hook_that_sets_the_clock(const std::string& name,
                                                       std::string_view input, std::int64_t ahead,
                                                       Millis time);
    // What the hook prints.
    [[nodiscard]] std::string run_hook(const std::string& name, std::string_view input,
                                       Millis time);
    [[nodiscard]] Response send_signed(Origin& origin, const std::string& method,
                                       const std::string& path, const nlohmann::json& body,
                                       const Defect& defect, const std::string& what,
                                       Connection* connection);
    // Sends a message that must be accepted; its text.
    [[nodiscard]] std::string accepted_message(const std::string& what, Connection* connection);
    [[nodiscard]] std::size_t times_readable(const std::string& text, const std::string& barrier);
    void invite_first(Origin& origin, const std::string& user, const std::string& channel);

    World& world_;
    const std::string id_;
    const Deadline began_;
    const Door door_;
    Connection connection_;
    std::vector<std::shared_ptr<Origin>> origins_;
    std::string channel_;
    HomeChannel* home_channel_ = nullptr;
    // Of the last signed request, to check its answer by.
    std::string last_signature_;
    std::vector<Exchange> exchanges_;
    int texts_ = 0;
    // What the hook `clock` was last asked for, ms.
    std::int64_t clock_ahead_ = 0;
};

}  // namespace entente::conformance
