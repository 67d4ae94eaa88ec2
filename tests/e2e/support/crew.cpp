#include "tests/e2e/support/crew.hpp"

#include <algorithm>

namespace entente::e2e {

namespace {

constexpr Milliseconds tick_time{20};
constexpr std::size_t most_unanswered = 400;

struct Unanswered {
    std::string txn, text;
};

}  // namespace

struct Crew::Writer {
    Writer(Client& person, int posts, std::size_t number)
        : client(person), posts_per_tick(posts), index(number)
    {
    }
    Client& client;
    int posts_per_tick;
    std::size_t index;
    std::size_t written = 0;
    std::optional<LiveSocket> socket;
    std::deque<Unanswered> unanswered;
    std::string trouble;  // the last
};

Crew::Crew(std::string channel) : channel_(std::move(channel)) {}

Crew::~Crew()
{
    abandoned_ = true;
    if (thread_.joinable()) thread_.join();
}

void Crew::add(Client& client, int posts_per_tick)
{
    writers_.push_back(std::make_unique<Writer>(client, posts_per_tick, writers_.size()));
    told_.emplace_back();
}

void Crew::start()
{
    thread_ = std::thread([this] { run(); });
}

void Crew::run()
{
    for (;;) {
        const auto next = std::chrono::steady_clock::now() + tick_time;
        const bool ending = ending_;
        bool waiting = false;
        for (auto& writer : writers_) {
            try {
                tick(*writer, !ending);
            } catch (const Broken& broken) {
                writer->socket.reset();
                writer->trouble = broken.what();
            }
            waiting = waiting || !writer->unanswered.empty();
        }
        if ((ending && !waiting) || abandoned_) break;
        std::this_thread::sleep_until(next);
    }
    ended_ = true;
}

void Crew::tick(Writer& writer, bool fresh)
{
    json posts = json::array();
    const auto add = [&](const Unanswered& item) {
        posts.push_back(
            {{"txn", item.txn}, {"channel", channel_}, {"content", {{"text", item.text}}}});
    };
    if (!writer.socket) {
        writer.socket = writer.client.open_socket();
        for (const auto& item : writer.unanswered) add(item);
    }
    for (int i = 0;
         fresh && i < writer.posts_per_tick && writer.unanswered.size() < most_unanswered; ++i) {
        auto text = writer.client.user() + " " + std::to_string(++writer.written);
        writer.unanswered.push_back({new_uuid(), std::move(text)});
        add(writer.unanswered.back());
    }
    if (!posts.empty()) writer.socket->send({{"posts", std::move(posts)}});
    while (const auto frame = writer.socket->read(Milliseconds(0))) {
        if (frame->contains("results")) take_results(writer, (*frame)["results"]);
    }
}

// Answers come in the order of the posts.
void Crew::take_results(Writer& writer, const json& results)
{
    const std::lock_guard lock(mutex_);
    for (const auto& result : results) {
        if (writer.unanswered.empty() || result.at("txn") != writer.unanswered.front().txn) {
            complaints_.push_back("a result that nobody waits for: " + result.dump());
            continue;
        }
        auto item = std::move(writer.unanswered.front());
        writer.unanswered.pop_front();
        const std::string status = result.at("status");
        if (status != "accepted" && status != "pending") {
            complaints_.push_back(item.text + ": " + result.dump());
            continue;
        }
        told_[writer.index].push_back(
            {item.txn, item.text, writer.client.user(), result.value("seq", std::int64_t{0})});
        ++counts_[writer.client.node().name()];
    }
}

void Crew::finish(Milliseconds time)
{
    ending_ = true;
    std::string trouble;
    try {
        wait_until("every message has its answer", [this] { return ended_.load(); }, time);
    } catch (const Broken& broken) {
        trouble = broken.what();
    }
    abandoned_ = true;
    thread_.join();
    for (const auto& writer : writers_) {
        if (!trouble.empty() && !writer->unanswered.empty())
            trouble += "; " + writer->client.user() + " waits for " +
                       std::to_string(writer->unanswered.size()) + " answers from " +
                       writer->unanswered.front().text + " on; " + writer->trouble;
    }
    for (const auto& complaint : complaints_) trouble += "; " + complaint;
    if (!trouble.empty()) throw Broken(trouble);
}

std::vector<std::vector<Acknowledged>> Crew::told_since(std::vector<std::size_t>& seen) const
{
    const std::lock_guard lock(mutex_);
    seen.resize(told_.size());
    std::vector<std::vector<Acknowledged>> news;
    for (std::size_t i = 0; i < told_.size(); ++i) {
        const auto& told = told_[i];
        news.emplace_back(told.begin() + static_cast<std::ptrdiff_t>(seen[i]), told.end());
        seen[i] = told.size();
    }
    return news;
}

std::size_t Crew::acknowledged(const std::string& server) const
{
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(server);
    return found == counts_.end() ? 0 : found->second;
}

}  // namespace entente::e2e
