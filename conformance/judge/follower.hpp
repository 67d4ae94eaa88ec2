#pragma once

// A channel of the runner's that the target follows, as the groups log and outbound use it: it is
// brought up to its end first, and every slice's result is what a case looks at.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

class Follower {
 public:
    using Change = std::function<void(HomeChannel::Slice&)>;
    using ChangeBody = std::function<void(nlohmann::json&)>;

    // The control: the target has joined, and holds all of the log. Throws CouldNotRun.
    explicit Follower(Trial& trial);

    [[nodiscard]] HomeChannel& home() { return home_; }
    [[nodiscard]] const std::string& id() const { return home_.id(); }
    // What the target holds for certain.
    [[nodiscard]] std::uint64_t have() const { return have_; }
    // The same log, to go on otherwise: what is done to it the home doesn't know.
    [[nodiscard]] HomeChannel copy();

    // Appends a message of the owner's; its text.
    std::string say();
    // Appends an event of `author`'s, sealed under `key`, the author's own where null.
    Event append_sealed(HomeChannel& log, Origin& author, const Event& event,
                        const SigningKey* key = nullptr);
    // A user of `author` is a member from now on, as the target knows.
    void add_member(Origin& author);

    // Sends a slice of `log` by `sender`, proven under `key`, changed before and behind that; the
    // slice's result.
    nlohmann::json send(const HomeChannel& log, std::uint64_t after, std::uint64_t last,
                        const Change& change = {}, const ChangeBody& change_body = {});
    nlohmann::json send_by(Origin& sender, const SigningKey& key, const HomeChannel& log,
                           const HomeChannel::Slice& slice, const ChangeBody& change_body = {});
    // All that the target lacks; throws Broken("taken") where it doesn't take it.
    void catch_up();

    // `assertion`, where the result has another status; the result otherwise.
    void expect_status(const nlohmann::json& result, const std::string& status,
                       const std::string& assertion);
    // "refused": with one of `codes`, any where there is none.
    void expect_refused(const nlohmann::json& result, const std::vector<std::string>& codes);
    // "taken": ok, and holding all up to `seq` of `log` by hash.
    void expect_taken(const nlohmann::json& result, const HomeChannel& log, std::uint64_t seq);
    // "no-effect": the target's account doesn't read it. What was answered is done [INBOX-2].
    void expect_unread(const std::string& text);
    // "once": it reads it once.
    void expect_read(const std::string& text);
    // "still-serves": a message of the home's comes through.
    void expect_goes_on();

 private:
    [[nodiscard]] std::size_t times_read(const std::string& text);

    Trial& trial_;
    HomeChannel& home_;
    std::uint64_t have_ = 0;
};

// Computes the slice's chain anew from its `after` over its entries, and lets its checkpoint say
// so: what was changed in them is then what the home has signed.
void sign_as_changed(HomeChannel::Slice& slice);

}  // namespace entente::conformance
