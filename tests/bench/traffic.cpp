#include "tests/bench/traffic.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tests/bench/scan.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::bench {

namespace {

// A txn is PPPPPPPP-PPPP-7PPP-8fff-ffNNNNNNNNNN: the run, the flow, the message's number.
constexpr std::size_t prefix_size = 20;  // with the digit of the variant
constexpr std::size_t txn_size = 36;
constexpr std::size_t flow_digits = 3;
constexpr std::size_t number_at = 24, number_digits = 12;
constexpr std::size_t max_flows = 1U << (4U * flow_digits);
constexpr std::size_t event_key_octets = 8;
constexpr std::size_t max_frame = 900'000;

std::uint64_t event_key(std::string_view event)
{
    std::uint64_t key = 0;
    std::memcpy(&key, event.data(), std::min(event.size(), event_key_octets));
    return key;
}

// The number again, then what stays the same.
std::string filling()
{
    std::string text;
    while (text.size() < text_octets - number_digits) text += "entente carries words ";
    text.resize(text_octets - number_digits);
    return text;
}

const std::string& text_tail()
{
    static const std::string tail = filling();
    return tail;
}

}  // namespace

void Faults::add(const Faults& other)
{
    lost += other.lost;
    doubled += other.doubled;
    out_of_order += other.out_of_order;
    changed += other.changed;
    refused += other.refused;
    resyncs += other.resyncs;
    if (first.empty()) first = other.first;
}

std::string Faults::text() const
{
    return std::to_string(lost) + " lost, " + std::to_string(doubled) + " doubled, " +
           std::to_string(out_of_order) + " out of order, " + std::to_string(changed) +
           " changed, " + std::to_string(refused) + " refused, " + std::to_string(resyncs) +
           " resyncs; the first: " + first;
}

Traffic::Traffic(std::size_t sockets, Send send, const std::vector<FlowPlan>& plans,
                 std::size_t posts_a_frame)
    : send_(std::move(send)),
      posts_a_frame_(posts_a_frame),
      prefix_(e2e::new_uuid().substr(0, prefix_size - 1) + "8"),
      writers_(sockets),
      views_(sockets * plans.size())
{
    if (plans.size() > max_flows) throw e2e::Broken("too many flows in a run");
    for (std::size_t i = 0; i < plans.size(); ++i) {
        const auto& plan = plans[i];
        auto& flow = flows_.emplace_back();
        std::string digits(flow_digits, '0');
        write_hex(i, digits.data(), flow_digits);
        flow.head = "{\"txn\":\"" + prefix_ + digits + "-";
        flow.tail = "\",\"channel\":\"" + plan.channel + "\",\"content\":{\"text\":\"";
        flow.writer = plan.writer;
        flow.window = plan.window;
        flow.readers = plan.readers.size();
        flow.ring.resize(std::bit_ceil(2 * std::max<std::size_t>(plan.window, 1024)));
        for (const auto reader : plan.readers) views_[reader * plans.size() + i].reads = true;
    }
}

void Traffic::open()
{
    open_ = true;
    for (std::size_t i = 0; i < flows_.size(); ++i) {
        auto& flow = flows_[i];
        flow.waiting = flow.window;
        flow.listed = true;
        if (writers_[flow.writer].waiting.empty()) dirty_.push_back(flow.writer);
        writers_[flow.writer].waiting.push_back(i);
    }
    send_waiting();
}

void Traffic::add_post(Flow& flow, Nanoseconds sent)
{
    const auto number = flow.next++;
    auto& message = flow.at(number);
    if (message.sent != 0 && (!message.accepted || message.readers_left > 0))
        throw e2e::Broken("the bench has run over its own messages");
    message = {sent, number, static_cast<std::uint16_t>(flow.readers), false};
    char digits[number_digits];
    write_hex(number, digits, number_digits);
    const std::string_view text(digits, number_digits);
    out_.append(out_.size() == 0 ? R"({"posts":[)" : ",");
    out_.append(flow.head);
    out_.append(text);
    out_.append(flow.tail);
    out_.append(text);
    out_.append(text_tail());
    out_.append("\"}}");
    ++sent_;
}

void Traffic::post_one(std::size_t index, Nanoseconds due)
{
    auto& flow = flows_[index];
    out_.clear();
    add_post(flow, due);
    out_.append("]}");
    send_(flow.writer, out_.finish());
}

void Traffic::send(std::size_t socket)
{
    auto& waiting = writers_[socket].waiting;
    const auto now = wall_now();
    std::size_t posts = 0;
    out_.clear();
    const auto finish = [&] {
        if (posts == 0) return;
        out_.append("]}");
        send_(socket, out_.finish());
        out_.clear();
        posts = 0;
    };
    for (const auto index : waiting) {
        auto& flow = flows_[index];
        for (; flow.waiting > 0; --flow.waiting) {
            add_post(flow, now);
            if (++posts >= posts_a_frame_ || out_.size() > max_frame) finish();
        }
        flow.listed = false;
    }
    finish();
    waiting.clear();
}

void Traffic::send_waiting()
{
    for (const auto socket : dirty_) send(socket);
    dirty_.clear();
}

void Traffic::take(std::size_t index, std::string_view frame, Nanoseconds now)
{
    if (frame.starts_with(R"({"entries":[)")) return take_entries(index, frame, now);
    if (frame.starts_with(R"({"results":[)")) return take_results(index, frame, now);
    if (frame.starts_with(R"({"state":[)")) return take_states(index, frame, now);
    if (frame.starts_with(R"({"resync")"))
        return fault(&Faults::resyncs, "a reader was told that it hadn't kept up");
    if (frame.starts_with(R"({"request")") || frame.starts_with(R"({"following")") ||
        frame.starts_with(R"({"pong")"))
        return;
    fault(&Faults::refused, "a server said: " + std::string(frame.substr(0, 300)));
}

Traffic::Named Traffic::named_by(std::string_view txn) const
{
    if (txn.size() != txn_size || !txn.starts_with(prefix_)) return {};
    const auto flow = parse_hex(txn.substr(prefix_size, flow_digits));
    const auto number = parse_hex(txn.substr(number_at, number_digits));
    if (flow < 0 || number < 0 || static_cast<std::size_t>(flow) >= flows_.size()) return {};
    const auto index = static_cast<std::size_t>(flow);
    if (number >= flows_[index].next) return {};
    return {index, static_cast<std::uint32_t>(number), true};
}

void Traffic::take_results(std::size_t index, std::string_view frame, Nanoseconds now)
{
    auto& writer = writers_[index];
    Scan scan(frame);
    while (scan.pass(R"({"txn":")")) {
        const auto named = named_by(scan.take_word());
        if (!named.ours) {
            fault(&Faults::changed, "a result that no message waits for");
            continue;
        }
        if (!scan.rest().starts_with(R"(,"event":")")) {
            fault(&Faults::refused,
                  "a message was refused: " + std::string(scan.rest().substr(0, 300)));
            continue;
        }
        scan.pass(R"("event":")");
        const auto key = event_key(scan.take_word());
        scan.pass(R"("status":")");
        const auto status = scan.take_word();
        if (status == "accepted") {
            accepted(named, now);
        } else if (status != "pending") {
            fault(&Faults::refused, "a message was " + std::string(status));
        } else if (const auto early = std::find(writer.early.begin(), writer.early.end(), key);
                   early != writer.early.end()) {
            writer.early.erase(early);
            accepted(named, now);
        } else {
            writer.pending.emplace(key, named);
        }
    }
}

void Traffic::take_states(std::size_t index, std::string_view frame, Nanoseconds now)
{
    auto& writer = writers_[index];
    Scan scan(frame);
    while (scan.pass(R"(,"event":")")) {
        const auto key = event_key(scan.take_word());
        scan.pass(R"("status":")");
        const auto status = scan.take_word();
        if (status == "pending") continue;
        if (status != "accepted") {
            fault(&Faults::refused,
                  "a message was rejected: " + std::string(scan.rest().substr(0, 300)));
            continue;
        }
        const auto found = writer.pending.find(key);
        if (found == writer.pending.end()) {
            writer.early.push_back(key);
            continue;
        }
        accepted(found->second, now);
        writer.pending.erase(found);
    }
}

void Traffic::accepted(Named named, Nanoseconds now)
{
    auto& flow = flows_[named.flow];
    auto& message = flow.at(named.number);
    if (message.number != named.number || message.accepted)
        return fault(&Faults::doubled, "a message was accepted twice");
    message.accepted = true;
    check_done(flow, message, named.flow, now);
}

void Traffic::take_entries(std::size_t index, std::string_view frame, Nanoseconds now)
{
    Scan scan(frame);
    while (scan.pass(R"({"channel":")")) {
        scan.pass(R"(,"seq":)");
        const auto seq = scan.take_number();
        // The event names the channel too, before its txn.
        scan.pass(R"(,"event":{)");
        const auto event = scan.rest();
        if (!scan.pass(R"("txn":")")) return;
        const auto txn = scan.take(txn_size);
        if (!txn.starts_with(prefix_)) {
            // Not a message of this run, perhaps not a message.
            scan = Scan(event);
            scan.pass(R"("channel":")");
            continue;
        }
        scan.pass(R"("text":")");
        take_entry(index, seq, txn, scan.take(text_octets + 1), now);
    }
}

void Traffic::take_entry(std::size_t index, std::int64_t seq, std::string_view txn,
                         std::string_view text, Nanoseconds now)
{
    const auto named = named_by(txn);
    if (!named.ours) return fault(&Faults::changed, "an entry that nobody wrote");
    auto& view = views_[index * flows_.size() + named.flow];
    if (!view.reads) return;
    if (text.size() != text_octets + 1 || text.back() != '"' ||
        text.substr(0, number_digits) != txn.substr(number_at) ||
        text.substr(number_digits, text_tail().size()) != text_tail())
        return fault(&Faults::changed, "an entry has another text than was sent");
    if (named.number < view.next) return fault(&Faults::doubled, "an entry came twice");
    if (named.number > view.next || seq <= view.seq)
        fault(&Faults::out_of_order, "an entry came before the one that it follows");
    view.next = named.number + 1;
    view.seq = seq;
    auto& flow = flows_[named.flow];
    auto& message = flow.at(named.number);
    if (message.number != named.number || message.readers_left == 0) return;
    --message.readers_left;
    check_done(flow, message, named.flow, now);
}

void Traffic::check_done(Flow& flow, Message& message, std::size_t index, Nanoseconds now)
{
    if (!message.accepted || message.readers_left > 0) return;
    ++done_;
    if (keeping_) latencies_.push_back(static_cast<double>(now - message.sent) / 1e6);
    if (!open_ || flow.window == 0) return;
    ++flow.waiting;
    if (flow.listed) return;
    flow.listed = true;
    auto& waiting = writers_[flow.writer].waiting;
    if (waiting.empty()) dirty_.push_back(flow.writer);
    waiting.push_back(index);
}

void Traffic::fault(std::int64_t Faults::* kind, const std::string& what)
{
    ++(faults_.*kind);
    if (faults_.first.empty()) faults_.first = what;
}

Faults Traffic::judge() const
{
    auto faults = faults_;
    faults.lost = under_way();
    if (faults.lost > 0 && faults.first.empty())
        faults.first = "messages were never accepted, or never read";
    return faults;
}

}  // namespace entente::bench
