#include "trust/policy/enforcer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "trust/policy/rehearsal.hpp"
#include "trust/policy/shipped.hpp"

namespace entente::trust::policy {

namespace {

using A = Attribute;

constexpr protocol::Millis minute_ms = 60'000;

std::string_view text_of(const Request& request, Attribute attribute)
{
    return request.has(attribute) ? request.text(attribute) : std::string_view{};
}

// Whom a limit counts together; "*" stands for all, and for a subject without a name.
Counter::Who counted_as(const Request& request, Counted counted)
{
    const auto server = text_of(request, A::subject_server);
    const bool is_local = request.has(A::subject_local) && request.value(A::subject_local) != 0;
    auto name = std::string_view{};
    if (counted == Counted::subject) name = text_of(request, A::subject_id);
    if (counted == Counted::server) name = server;
    if (name.empty()) return {"*", {}, true};
    return {name, server, is_local || server.empty()};
}

// Of a rule's limits, which differ.
std::string limit_name(const CompiledEffect& limit)
{
    const auto& effect = limit.effect;
    return limit.rule.text() + " " + std::to_string(effect.count) + " " +
           std::to_string(effect.seconds) + " " + std::string(to_text(effect.counted));
}

std::string joined(const std::vector<std::string>& tags)
{
    std::string text;
    for (const auto& tag : tags) text += (text.empty() ? "" : " ") + tag;
    return text;
}

std::string told_by(const RuleName& rule)
{
    return "by the policy rule " + rule.text();
}

protocol::Failure used_up(const RuleName& rule, protocol::Millis left)
{
    return protocol::Failure{
        Error{Code::rate_limited, told_by(rule), told_by(rule), (left + 999) / 1'000}};
}

}  // namespace

bool Ruling::has_tag(std::string_view tag) const
{
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

Enforcer::Enforcer(std::shared_ptr<Policies> live, const protocol::Clock& clock, Tell tell)
    : live_(std::move(live)), clock_(clock), tell_(std::move(tell))
{
}

bool Enforcer::asks(Action action, Attribute attribute) const
{
    return (live_->current()->asked(action) & bit(attribute)) != 0;
}

Result<Ruling> Enforcer::decide(Request request, Unallowed unallowed)
{
    const auto policies = live_->current();
    const auto now = clock_.now_ms();
    const auto knows = row_of(request.action()).knows;
    if ((knows & bit(A::context_time)) != 0) request.at(now);
    if ((policies->asked(request.action()) & bit(A::context_rate)) != 0)
        request.number(A::context_rate, rate(request, now));
    const auto verdict = policies->decide(request);
    const bool is_by_a_rule = verdict.rule.by == Decider::by_rule;
    if (unallowed == Unallowed::goes_on && verdict.outcome == Outcome::denied && !is_by_a_rule)
        return Ruling{};
    sample(request, verdict, now);
    if (verdict.outcome == Outcome::permitted && verdict.effects.none()) return Ruling{};
    return carry_out(*policies, request, verdict, now);
}

Result<Ruling> Enforcer::carry_out(const Compiled& policies, const Request& request,
                                   const Verdict& verdict, protocol::Millis now)
{
    Ruling ruling;
    bool is_logged = false, is_notified = false;
    policies.effects_of(verdict, [&](const CompiledEffect& one) {
        switch (one.effect.kind) {
            case EffectKind::hold:
                // The first that is carried out: `effects_of` keeps their order.
                if (ruling.held_for.empty())
                    ruling.held_for = one.effect.text == "user" ? "user" : "moderator";
                break;
            case EffectKind::tag:
                is_logged |= one.effect.text != no_push_tag;
                ruling.tags.push_back(one.effect.text);
                break;
            case EffectKind::notify: is_notified = true; break;
            case EffectKind::log: is_logged = true; break;
            case EffectKind::limit:
            case EffectKind::allow:
            case EffectKind::deny: break;
        }
    });
    if (tell_ && (is_logged || is_notified))
        tell_({is_notified, request.action(), verdict.outcome, verdict.rule.text(),
               std::string(text_of(request, A::subject_id)),
               std::string(text_of(request, A::resource_id)), joined(ruling.tags)});
    if (verdict.outcome == Outcome::denied)
        return verdict.rule == nothing_allows ? refuse(Code::forbidden, "no policy rule allows it")
                                              : refuse(Code::forbidden, told_by(verdict.rule));
    if (auto spent = spend(policies, request, verdict, now); !spent) return fail(spent);
    if (verdict.outcome == Outcome::held) {
        ruling.rule = verdict.rule.text();
    } else {
        ruling.held_for = {};
    }
    return ruling;
}

// All of them, or none where one is used up.
Result<void> Enforcer::spend(const Compiled& policies, const Request& request,
                             const Verdict& verdict, protocol::Millis now)
{
    std::vector<std::pair<Counter*, Counter::Who>> counters;
    Result<void> spent;
    const std::lock_guard lock(mutex_);
    policies.effects_of(verdict, [&](const CompiledEffect& one) {
        const auto& effect = one.effect;
        if (effect.kind != EffectKind::limit || !spent) return;
        auto& counter = limits_.of(limit_name(one), effect.seconds * 1'000);
        const auto who = counted_as(request, effect.counted);
        if (counter.count(who, now) >= effect.count)
            spent = used_up(one.rule, counter.left(who, now));
        counters.emplace_back(&counter, who);
    });
    if (!spent) return spent;
    for (const auto& [counter, who] : counters) counter->add(who, now);
    return {};
}

std::int64_t Enforcer::rate(const Request& request, protocol::Millis now)
{
    const std::lock_guard lock(mutex_);
    auto& counter = rates_.of(std::string(row_of(request.action()).name), minute_ms);
    const auto who = counted_as(request, Counted::subject);
    const auto before = counter.count(who, now);
    counter.add(who, now);
    return before;
}

void Enforcer::sample(const Request& request, const Verdict& verdict, protocol::Millis now)
{
    const bool is_plain = verdict.outcome == Outcome::permitted;
    const auto at = static_cast<std::size_t>(request.action());
    auto& last = is_plain ? permitted_.at(at) : others_.at(at);
    auto before = last.load(std::memory_order_relaxed);
    const auto pause = is_plain ? permission_sample_ms : other_sample_ms;
    if (now >= before && now - before < pause) return;
    // One of those who come at once.
    if (!last.compare_exchange_strong(before, now, std::memory_order_relaxed)) return;
    auto text = write_record(request, Decided{verdict.outcome, verdict.rule.text()});
    if (!text) return;
    const std::lock_guard lock(mutex_);
    if (records_.size() < max_waiting_records)
        records_.push_back({request.action(), verdict.outcome, std::move(*text)});
}

std::vector<Record> Enforcer::take_records()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(records_, {});
}

std::shared_ptr<Policies> shipped_alone()
{
    auto shipped = Compiled::make(shipped_sources());
    assert(shipped);
    return std::make_shared<Policies>(std::move(*shipped));
}

}  // namespace entente::trust::policy
