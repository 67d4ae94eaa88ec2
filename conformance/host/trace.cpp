#include "conformance/host/trace.hpp"

#include <algorithm>
#include <utility>

namespace entente::conformance {

namespace {

std::string cut(std::string text)
{
    if (text.size() > Trace::max_octets) text.resize(Trace::max_octets);
    return text;
}

}  // namespace

std::uint64_t Trace::begin(std::string what, std::string asked)
{
    const std::lock_guard lock(mutex_);
    Traced one{++count_, Clock::now(), std::move(what), cut(std::move(asked)), {}};
    if (first_.size() < first_kept) {
        first_.push_back(std::move(one));
    } else {
        if (last_.size() == last_kept) last_.pop_front();
        last_.push_back(std::move(one));
    }
    return count_;
}

void Trace::end(std::uint64_t number, std::string answered)
{
    answered = cut(std::move(answered));
    const std::lock_guard lock(mutex_);
    const auto is_it = [&](const Traced& one) { return one.number == number; };
    if (const auto found = std::find_if(first_.begin(), first_.end(), is_it);
        found != first_.end()) {
        found->answered = std::move(answered);
    } else if (const auto later = std::find_if(last_.begin(), last_.end(), is_it);
               later != last_.end()) {
        later->answered = std::move(answered);
    }
}

std::vector<Traced> Trace::kept() const
{
    const std::lock_guard lock(mutex_);
    auto all = first_;
    all.insert(all.end(), last_.begin(), last_.end());
    return all;
}

std::uint64_t Trace::left_out() const
{
    const std::lock_guard lock(mutex_);
    return count_ - first_.size() - last_.size();
}

}  // namespace entente::conformance
