// Trial: what went over the wire, for the report.
#include <iterator>
#include <map>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

void Trial::note(Exchange exchange)
{
    const auto cut = [](std::string& text) {
        if (text.size() > Exchange::max_kept) text.resize(Exchange::max_kept);
    };
    cut(exchange.sent);
    cut(exchange.received);
    exchanges_.push_back(std::move(exchange));
}

// What the runner did and what the target did on its own lie on one line of time: a refusal is
// often explained by the document that was shown just before.
Exchanges Trial::take_exchanges()
{
    Exchanges taken;
    const auto own = std::move(exchanges_);
    exchanges_.clear();
    // By their time; those of one time stay in the order in which they are put in.
    std::multimap<std::int64_t, Exchange> asked;
    for (const auto& origin : origins_) {
        taken.left_out += origin->trace().left_out();
        for (auto& one : origin->trace().kept()) {
            Exchange exchange;
            exchange.at = std::chrono::duration_cast<Millis>(one.came - began_).count();
            exchange.what = std::move(one.what);
            exchange.from_target = true;
            exchange.sent = std::move(one.answered);
            exchange.received = std::move(one.asked);
            asked.emplace(exchange.at, std::move(exchange));
        }
    }
    if (asked.size() > Exchanges::max_asked) {
        // The middle goes: what a case begins with and what it ends by tell most.
        const auto count = asked.size() - Exchanges::max_asked;
        const auto from = std::next(asked.begin(), Trace::first_kept);
        asked.erase(from, std::next(from, static_cast<std::ptrdiff_t>(count)));
        taken.left_out += count;
    }
    auto next = asked.begin();
    for (const auto& exchange : own) {
        for (; next != asked.end() && next->first < exchange.at; ++next)
            taken.all.push_back(std::move(next->second));
        taken.all.push_back(exchange);
    }
    for (; next != asked.end(); ++next) taken.all.push_back(std::move(next->second));
    return taken;
}

std::int64_t Trial::elapsed() const
{
    return std::chrono::duration_cast<Millis>(Clock::now() - began_).count();
}

}  // namespace entente::conformance
