#include "tests/sim/network.hpp"

#include <algorithm>

namespace entente::sim {

namespace {

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

net::FetchedResponse as_fetched(const net::Response& response)
{
    net::FetchedResponse fetched;
    fetched.status = response.status;
    for (const auto& [name, value] : response.fields)
        fetched.fields.emplace_back(lower(name), value);
    fetched.fields.emplace_back("content-type", response.content_type);
    fetched.body = response.body;
    return fetched;
}

std::pair<std::string, std::string> ordered(const std::string& one, const std::string& other)
{
    return {std::min(one, other), std::max(one, other)};
}

}  // namespace

asio::awaitable<FetchResult> Call::wait(milliseconds time)
{
    // A wake-up that isn't the answer's is none.
    const auto end = net::MonotonicClock::now() + time;
    while (!result_) {
        const auto left = std::chrono::ceil<milliseconds>(end - net::MonotonicClock::now());
        if (left.count() <= 0) co_return fail(Code::timeout, "no answer");
        co_await done_.wait_for(left);
    }
    co_return std::move(*result_);
}

asio::awaitable<FetchResult> SimulatedClient::fetch(net::Fetch fetch)
{
    auto call = std::make_shared<Call>(executor_);
    const auto time = fetch.time;
    network_.send(self_, std::move(fetch), call);
    auto result = co_await call->wait(time);
    co_return result;
}

void Network::listen(const std::string& name, Listener listener)
{
    listeners_[name] = std::move(listener);
}

void Network::fall_silent(const std::string& name)
{
    listeners_.erase(name);
}

void Network::cut(const std::string& one, const std::string& other)
{
    cut_.insert(ordered(one, other));
}

bool Network::is_cut(const std::string& one, const std::string& other) const
{
    return cut_.contains(ordered(one, other));
}

void Network::spoil(const std::string& name, Outgoing requests, Answering answers)
{
    spoilers_[name] = {std::move(requests), std::move(answers)};
}

milliseconds Network::delay()
{
    if (chance_.percent(weather_.very_slow)) return milliseconds(chance_.between(20'000, 280'000));
    if (chance_.percent(weather_.slow)) return milliseconds(chance_.between(200, 20'000));
    return milliseconds(chance_.between(1, 30));
}

void Network::refuse(const std::shared_ptr<Call>& call, std::string why)
{
    time_.after(delay(),
                [call, why = std::move(why)] { call->answer(fail(Code::unavailable, why)); });
}

net::Request Network::make_request(const std::string& from, net::Fetch& fetch)
{
    net::Request request;
    request.method = fetch.method;
    request.target = fetch.target;
    const auto question = fetch.target.find('?');
    request.path = fetch.target.substr(0, question);
    if (question != std::string::npos) request.query = fetch.target.substr(question + 1);
    for (auto& [name, value] : fetch.fields) request.fields.emplace_back(lower(name), value);
    request.body = std::move(fetch.body);
    request.id = std::to_string(++next_id_);
    // Of the documentation's addresses, one a machine.
    const auto place = addresses_.emplace(from, std::to_string(addresses_.size() + 1)).first;
    request.source = asio::ip::make_address("192.0.2." + place->second);
    return request;
}

void Network::send(const std::string& from, net::Fetch fetch, const std::shared_ptr<Call>& call)
{
    const auto to = fetch.host;
    auto request = make_request(from, fetch);
    const auto spoiler = spoilers_.find(from);
    if (spoiler == spoilers_.end()) return dispatch(from, to, std::move(request), call);
    auto sent = spoiler->second.requests(to, request);
    const auto is_true = [&](const net::Request& each) { return each.id == request.id; };
    auto heard = std::find_if(sent.begin(), sent.end(), is_true);
    if (heard == sent.end()) heard = sent.begin();
    for (auto at = sent.begin(); at != sent.end(); ++at)
        dispatch(from, to, *at, at == heard ? call : nullptr);
}

void Network::dispatch(const std::string& from, const std::string& to, net::Request request,
                       const std::shared_ptr<Call>& call)
{
    trace_.say(from, "request " + request.id + " to " + to + " " + request.method + " " +
                         request.target + " " + std::to_string(request.body.size()));
    trace_.show(request.body);
    if (chance_.percent(weather_.lost)) {
        if (call && chance_.percent(50)) refuse(call, "cut off");
        return;
    }
    const bool is_heard = !chance_.percent(weather_.unheard);
    if (chance_.percent(weather_.doubled)) {
        const milliseconds later(chance_.percent(50) ? chance_.between(1, 100)
                                                     : chance_.between(1'000, 290'000));
        arrive_after(later, from,
                     [this, from, to, request] { arrive(from, to, request, nullptr, false); });
    }
    arrive_after(delay(), from, [this, from, to, request = std::move(request), call, is_heard] {
        arrive(from, to, request, call, is_heard);
    });
}

void Network::arrive_after(milliseconds time, const std::string& from,
                           std::function<void()> arrival)
{
    ++under_way_;
    time_.after(time, [this, from, arrival = std::move(arrival), forgotten = forgotten_[from]] {
        --under_way_;
        if (forgotten == forgotten_[from]) arrival();
    });
}

void Network::arrive(const std::string& from, const std::string& to, const net::Request& request,
                     const std::shared_ptr<Call>& call, bool is_heard)
{
    if (is_cut(from, to)) {
        if (call && chance_.percent(30)) refuse(call, "no route");
        return;
    }
    const auto listener = listeners_.find(to);
    if (listener == listeners_.end()) {
        if (call) refuse(call, "connection refused");
        return;
    }
    trace_.say(to, "serves " + request.id + (call ? "" : " again"));
    listener->second(request, [this, from, to, request, call, is_heard](net::Response response) {
        const auto spoiler = spoilers_.find(to);
        if (spoiler != spoilers_.end()) spoiler->second.answers(request, response);
        trace_.say(to, "answers " + request.id + " " + std::to_string(response.status) + " " +
                           std::to_string(response.body.size()));
        trace_.show(response.body);
        if (!call) return;
        if (!is_heard || is_cut(from, to)) {
            if (chance_.percent(50)) refuse(call, "the answer was cut off");
            return;
        }
        time_.after(delay(), [call, fetched = as_fetched(response)] { call->answer(fetched); });
    });
}

}  // namespace entente::sim
