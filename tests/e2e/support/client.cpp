#include "tests/e2e/support/client.hpp"

#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"

namespace entente::e2e {

namespace {

constexpr Milliseconds answer_time{20'000};
constexpr const char* password = "correct horse battery";

std::string encode_frame(std::string_view text)
{
    protocol::SystemRandom random;
    std::string frame(1, '\x81');
    const auto octet = [&frame](std::size_t value) { frame += static_cast<char>(value & 0xFFU); };
    if (text.size() < 126) {
        octet(0x80U | text.size());
    } else if (text.size() < 65'536) {
        octet(0x80U | 126U);
        octet(text.size() >> 8U);
        octet(text.size());
    } else {
        octet(0x80U | 127U);
        for (int shift = 56; shift >= 0; shift -= 8)
            octet(text.size() >> static_cast<unsigned>(shift));
    }
    const auto mask = random.octets(4);
    frame += mask;
    for (std::size_t i = 0; i < text.size(); ++i) frame += static_cast<char>(text[i] ^ mask[i % 4]);
    return frame;
}

struct FrameView {
    int opcode = 0;
    std::size_t head = 0, size = 0;
};

std::optional<FrameView> look_at_frame(std::string_view buffer)
{
    if (buffer.size() < 2) return std::nullopt;
    const auto octet = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(buffer[i]));
    };
    FrameView frame{static_cast<int>(octet(0) & 0x0FU), 2, octet(1) & 0x7FU};
    const std::size_t longer = frame.size == 126 ? 2 : frame.size == 127 ? 8 : 0;
    if (buffer.size() < 2 + longer) return std::nullopt;
    if (longer > 0) {
        frame.size = 0;
        for (std::size_t i = 0; i < longer; ++i) frame.size = frame.size << 8U | octet(2 + i);
        frame.head += longer;
    }
    if (buffer.size() - frame.head < frame.size) return std::nullopt;
    return frame;
}

}  // namespace

std::string new_uuid()
{
    protocol::SystemRandom random;
    return protocol::make_uuid7(protocol::SystemClock{}.now_ms(), random).str();
}

std::string ApiAnswer::problem() const
{
    if (!body.is_object() || !body.contains("type")) return {};
    const auto type = body["type"].get<std::string>();
    return type.substr(type.rfind(':') + 1);
}

LiveSocket::LiveSocket(TlsSocket socket, std::string left_over)
    : socket_(std::move(socket)), buffer_(std::move(left_over))
{
}

void LiveSocket::send(const json& frame)
{
    socket_.write(encode_frame(frame.dump()));
}

// Text of the next whole frame in the buffer; control frames are dealt with.
std::optional<std::string> LiveSocket::take_frame()
{
    for (;;) {
        const auto frame = look_at_frame(buffer_);
        if (!frame) return std::nullopt;
        const bool last = (static_cast<unsigned char>(buffer_[0]) & 0x80U) != 0;
        auto text = buffer_.substr(frame->head, frame->size);
        buffer_.erase(0, frame->head + frame->size);
        if (frame->opcode == 8) throw Broken("the server has closed the WebSocket");
        if (frame->opcode == 1 && last) return text;
        if (frame->opcode < 8) throw Broken("a fragmented or binary frame");
        if (frame->opcode == 9) {
            auto pong = encode_frame(text);
            pong[0] = '\x8A';
            socket_.write(pong);
        }
    }
}

std::optional<json> LiveSocket::read(Milliseconds time)
{
    const auto deadline = std::chrono::steady_clock::now() + time;
    for (;;) {
        if (auto text = take_frame()) return json::parse(*text);
        const auto left =
            std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
        const auto octets = socket_.read(left);
        if (!octets) return std::nullopt;
        if (octets->empty()) throw Broken("the WebSocket has ended");
        buffer_ += *octets;
    }
}

json LiveSocket::read_until(const std::string& member, Milliseconds time)
{
    const auto deadline = std::chrono::steady_clock::now() + time;
    for (;;) {
        const auto left =
            std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
        const auto frame = read(left);
        if (!frame) throw Broken("no frame with " + member + " in time");
        if (frame->contains(member)) return *frame;
    }
}

Client::Client(const Node& node, std::string localpart, std::string source)
    : node_(node), localpart_(std::move(localpart)), source_(std::move(source)), device_(new_uuid())
{
    protocol::start_crypto();
    protocol::SystemRandom random;
    device_key_ = protocol::SigningKey::generate(random).public_key().x();
}

json Client::credentials() const
{
    return {{"name", localpart_},
            {"password", password},
            {"device", {{"id", device_}, {"key", device_key_}, {"name", "test"}}}};
}

void Client::take_tokens(const json& tokens)
{
    access_ = tokens.at("access_token");
    refresh_ = tokens.at("refresh_token");
}

void Client::register_user()
{
    take_tokens(call("POST", "/auth/register", credentials()));
}

void Client::login()
{
    take_tokens(call("POST", "/auth/login", credentials()));
}

void Client::refresh()
{
    take_tokens(call("POST", "/auth/refresh", {{"refresh_token", refresh_}}));
}

// Everything that creates carries a txn, so a connection that had died may be replaced and
// the request repeated.
HttpMessage Client::exchange(const std::string& octets)
{
    for (int attempt = 0;; ++attempt) {
        try {
            if (!socket_) {
                buffer_.clear();
                socket_ = node_.connect(source_);
            }
            socket_->write(octets);
            auto answer = read_message(*socket_, buffer_, answer_time);
            if (!answer) throw Broken("the connection ended before the answer");
            if (answer->field("connection") == "close") socket_.reset();
            return *answer;
        } catch (const Broken&) {
            socket_.reset();
            if (attempt == 1) throw;
        }
    }
}

HttpMessage Client::ask(std::string_view method, const std::string& path, const json& body)
{
    Fields fields;
    if (!access_.empty()) fields.emplace_back("Authorization", "Bearer " + access_);
    const std::string text = body.is_null() ? std::string() : body.dump();
    if (!text.empty()) fields.emplace_back("Content-Type", "application/json");
    return exchange(write_request(method, "/api/v1" + path, node_.name(), fields, text));
}

std::string Client::fetch(const std::string& path)
{
    auto answer = ask("GET", path, nullptr);
    if (answer.status() != 200) throw Broken("GET " + path + ": " + answer.start_line);
    return std::move(answer.body);
}

ApiAnswer Client::request(std::string_view method, const std::string& path, const json& body)
{
    const auto answer = ask(method, path, body);
    ApiAnswer result;
    result.status = answer.status();
    result.retry_after = answer.field("retry-after");
    if (!answer.body.empty()) result.body = json::parse(answer.body, nullptr, false);
    return result;
}

json Client::call(std::string_view method, const std::string& path, const json& body)
{
    auto answer = request(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
        throw Broken(user() + ": " + std::string(method) + " " + path + ": " +
                     std::to_string(answer.status) + " " + answer.body.dump());
    }
    return std::move(answer.body);
}

std::string Client::create_channel(const std::string& name, json options)
{
    options["txn"] = new_uuid();
    options["name"] = name;
    return call("POST", "/channels", options).at("channel");
}

json Client::invite(const std::string& channel, const std::string& user)
{
    return call("POST", "/channels/" + channel + "/invite", {{"txn", new_uuid()}, {"user", user}});
}

json Client::join(const std::string& channel)
{
    wait_until(user() + " is invited", [&] {
        const auto answer = call("GET", "/invitations");
        for (const auto& invitation : answer.at("invitations"))
            if (invitation.at("channel") == channel) return true;
        return false;
    });
    auto joined = call("POST", "/channels/" + channel + "/join", {{"txn", new_uuid()}});
    wait_until(user() + " has joined", [&] {
        const auto summary = request("GET", "/channels/" + channel);
        return summary.status == 200 && summary.body.contains("role") &&
               !summary.body["role"].is_null();
    });
    return joined;
}

json Client::leave(const std::string& channel)
{
    return call("POST", "/channels/" + channel + "/leave", {{"txn", new_uuid()}});
}

json Client::post(const std::string& channel, const std::string& text, std::string txn)
{
    if (txn.empty()) txn = new_uuid();
    return call("POST", "/channels/" + channel + "/messages",
                {{"txn", txn}, {"content", {{"text", text}}}});
}

json Client::delivery(const std::string& event)
{
    return call("GET", "/messages/" + event + "/delivery");
}

std::vector<PageEntry> Client::log(const std::string& channel, std::int64_t after)
{
    std::vector<PageEntry> entries;
    for (;;) {
        const auto page =
            call("GET", "/channels/" + channel + "/messages?after=" + std::to_string(after) +
                            "&limit=1000");
        if (page.at("entries").empty()) return entries;
        for (const auto& entry : page.at("entries")) {
            const auto& event = entry.at("event");
            PageEntry& seen = entries.emplace_back();
            seen.seq = after = entry.at("seq");
            seen.id = entry.at("id");
            seen.type = event.value("type", "");
            seen.sender = event.value("sender", "");
            seen.txn = event.value("txn", "");
            if (entry.at("content").is_object()) seen.text = entry["content"].value("text", "");
        }
    }
}

std::vector<std::string> Client::texts(const std::string& channel)
{
    std::vector<std::string> texts;
    for (auto& entry : log(channel))
        if (entry.type == "message.create") texts.push_back(std::move(entry.text));
    return texts;
}

json Client::channel(const std::string& channel)
{
    return call("GET", "/channels/" + channel);
}

std::string Client::open_ticket()
{
    return call("POST", "/auth/ws-ticket", json::object()).at("ticket");
}

LiveSocket Client::open_socket()
{
    const auto ticket = open_ticket();
    auto socket = node_.connect(source_);
    const Fields fields{{"Upgrade", "websocket"},
                        {"Connection", "Upgrade"},
                        {"Sec-WebSocket-Version", "13"},
                        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    socket.write(write_request("GET", "/api/v1/ws?ticket=" + ticket, node_.name(), fields, ""));
    std::string buffer;
    const auto answer = read_message(socket, buffer, answer_time);
    if (!answer || answer->status() != 101)
        throw Broken("no WebSocket: " + (answer ? answer->start_line : "closed"));
    return {std::move(socket), std::move(buffer)};
}

}  // namespace entente::e2e
