#include "conformance/cases/load_crowd.hpp"

#include <algorithm>
#include <utility>

#include <sys/resource.h>
#include <sys/socket.h>

#include "conformance/sockets/patience.hpp"

namespace entente::conformance {

namespace {

constexpr Millis open_time{5'000};
constexpr Millis write_time_each{1'000};
constexpr Millis looking_step{50};
constexpr Millis served_within{1'000};
// On a machine that is busy anyway: so many times the longest wait before there was a crowd, but
// never more than this.
constexpr int first_messages = 5;
constexpr int busy_factor = 10;
constexpr Millis busy_within{2'500};
constexpr int small_room = 4'096;
// For the runner's own peers and connections.
constexpr rlim_t own_descriptors = 600;

bool is_message_accepted(const Response& response)
{
    const nlohmann::json::json_pointer place("/submissions/0/events/0/status");
    return response.status() == 200 && response.json.contains(place) &&
           response.json[place] == "accepted";
}

}  // namespace

void need_descriptors(std::size_t count)
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw NotApplicable("no limit of files is known");
    const auto wanted = own_descriptors + static_cast<rlim_t>(count);
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (limit.rlim_cur < wanted || ::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        throw NotApplicable("the runner needs " + std::to_string(wanted) +
                            " open files; raise its limit by ulimit -n");
}

void need_two_sources(const Trial& trial)
{
    if (!trial.door().has_own_address())
        throw NotApplicable("the runner has one address towards this target");
}

Crowd::Crowd(Trial& trial, std::string what)
    : trial_(trial), what_(std::move(what)), door_(trial.door().from_own_address())
{
}

Crowd::~Crowd()
{
    stop_dripping();
    // By resets: thousands of orderly ends would keep their ports.
    for (auto& member : streams_) member.stream->reset();
}

void Crowd::note_begin(std::size_t wanted)
{
    Exchange exchange;
    exchange.at = trial_.elapsed();
    exchange.what = what_;
    exchange.sent =
        std::to_string(streams_.size()) + " of " + std::to_string(wanted) + " connections";
    trial_.note(std::move(exchange));
}

void Crowd::open(std::size_t count)
{
    need_descriptors(count);
    for (std::size_t n = 0; n < count; ++n) {
        auto opened = door_.open(in(open_time));
        if (!opened.stream) break;
        streams_.push_back({std::move(opened.stream)});
    }
    note_begin(count);
}

void Crowd::open_without_tls(std::size_t count)
{
    need_descriptors(count);
    for (std::size_t n = 0; n < count; ++n) {
        auto socket = door_.open_tcp(in(open_time));
        if (!socket.is_open()) break;
        streams_.push_back({plain_stream(std::move(socket))});
    }
    note_begin(count);
}

void Crowd::write(const std::function<std::string(std::size_t place)>& octets)
{
    for (std::size_t place = 0; place < streams_.size(); ++place) {
        auto& member = streams_[place];
        if (!member.ended && !member.stream->write(octets(place), in(write_time_each)))
            member.ended = true;
    }
}

void Crowd::take_little()
{
    for (const auto& member : streams_)
        ::setsockopt(member.stream->descriptor(), SOL_SOCKET, SO_RCVBUF, &small_room,
                     sizeof small_room);
}

void Crowd::drip(std::string octets, Millis step)
{
    dripper_ = std::jthread([this, octets = std::move(octets), step](const std::stop_token& stop) {
        drip_on(stop, octets, step);
    });
}

void Crowd::drip_on(const std::stop_token& stop, const std::string& octets, Millis step)
{
    for (std::size_t at = 0; !stop.stop_requested(); ++at) {
        const auto next = in(step);
        const std::string_view octet(&octets[at % octets.size()], 1);
        {
            const std::lock_guard lock(mutex_);
            for (auto& member : streams_)
                if (!member.ended && !member.stream->write(octet, in(write_time_each)))
                    member.ended = true;
        }
        while (!stop.stop_requested() && Clock::now() < next)
            std::this_thread::sleep_for(std::min(left(next), looking_step));
    }
}

void Crowd::stop_dripping()
{
    if (!dripper_.joinable()) return;
    dripper_.request_stop();
    dripper_.join();
}

void Crowd::look(Member& member)
{
    while (!member.ended) {
        const auto got = member.stream->read(in(Millis(0)));
        if (got.state == ReadState::timeout) return;
        // What it says before it ends is none of the case's business.
        member.ended = got.state != ReadState::octets;
    }
}

std::size_t Crowd::ended()
{
    stop_dripping();
    for (auto& member : streams_) look(member);
    return static_cast<std::size_t>(std::count_if(
        streams_.begin(), streams_.end(), [](const Member& member) { return member.ended; }));
}

bool Crowd::wait_until_ended(Deadline deadline)
{
    deadline = within_patience(deadline);
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            for (auto& member : streams_) look(member);
            if (std::all_of(streams_.begin(), streams_.end(),
                            [](const Member& member) { return member.ended; }))
                return true;
        }
        if (Clock::now() >= deadline) return false;
        std::this_thread::sleep_for(looking_step);
    }
}

Bystander::Bystander(Trial& trial, const std::string& label)
    : trial_(trial),
      origin_(trial.another(label)),
      door_(trial.door().from_own_address()),
      watch_(trial.world().file().folder)
{
    trial.join(origin_, origin_.user(), trial.channel());
    Millis longest{0};
    for (int n = 0; n < first_messages; ++n) {
        const auto asked = ask();
        if (!is_message_accepted(asked.response))
            throw CouldNotRun("a second server is answered " + asked.response.text() +
                              " before anything has happened");
        longest = std::max(longest, asked.took);
    }
    allowed_ = std::clamp(busy_factor * longest, served_within, busy_within);
}

// A message, over a connection of its own.
Bystander::Asked Bystander::ask()
{
    const auto& channel = trial_.channel();
    latest_ = trial_.new_text();
    const auto body =
        trial_.submitting(origin_, channel, {trial_.message_of(origin_.user(), channel, latest_)});
    Connection connection(door_);
    const auto began = Clock::now();
    auto response = trial_.transact(origin_, body, {}, "another server", &connection);
    return {std::move(response), began, std::chrono::duration_cast<Millis>(Clock::now() - began)};
}

void Bystander::hand_in()
{
    const auto asked = ask();
    watch_.expect_within(
        asked.took, allowed_, "others-served",
        "a server that has done nothing wrong is answered " + asked.response.text(), asked.began);
    trial_.expect(is_message_accepted(asked.response), "others-served",
                  "a server that has done nothing wrong is answered " + asked.response.text() +
                      " after " + std::to_string(asked.took.count()) + " ms");
}

void Bystander::expect_served(std::size_t count, Millis pause)
{
    for (std::size_t n = 0; n < count; ++n) {
        hand_in();
        std::this_thread::sleep_for(pause);
    }
}

MemoryWatch::MemoryWatch(Trial& trial) : trial_(trial)
{
    before_ = measured();
}

std::int64_t MemoryWatch::measured()
{
    if (!trial_.world().has_hook("metrics")) return 0;
    const auto told = trial_.hook("metrics");
    return told.is_object() ? told.value("rss_bytes", std::int64_t{0}) : 0;
}

void MemoryWatch::expect_bounded()
{
    const auto now = measured();
    if (before_ == 0 || now == 0) return;
    Exchange exchange;
    exchange.at = trial_.elapsed();
    exchange.what = "memory, before and now, in octets";
    exchange.received = std::to_string(before_) + " " + std::to_string(now);
    trial_.note(std::move(exchange));
    trial_.expect(now - before_ <= allowed_growth, "memory-bounded",
                  "its memory has grown from " + std::to_string(before_ >> 20) + " to " +
                      std::to_string(now >> 20) + " MiB, by more than 64");
}

}  // namespace entente::conformance
