#include "tests/e2e/support/forger.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/message_signature.hpp"
#include "protocol/server_document.hpp"
#include "tests/e2e/support/client.hpp"

namespace entente::e2e {

namespace {

using namespace protocol;

constexpr NameRules rules{true};

SigningKey new_key()
{
    start_crypto();
    SystemRandom random;
    return SigningKey::generate(random);
}

std::atomic<std::int64_t> ahead_ms = 0;

std::int64_t now_ms()
{
    return SystemClock{}.now_ms() + ahead_ms;
}

SigningKey key_of(const Node& real)
{
    start_crypto();
    std::ifstream file(real.folder() + "/data/keys/identity.json");
    const auto seed = json::parse(file).at("current").at("seed").get<std::string>();
    return SigningKey::from_seed(from_base64url(seed).value()).value();
}

std::string covered_value(const Craft& craft, const std::string& component)
{
    const auto question = craft.target.find('?');
    if (component == "@method") return craft.method;
    if (component == "@path") return craft.target.substr(0, question);
    if (component == "@query")
        return question == std::string::npos ? "?" : craft.target.substr(question);
    for (const auto& [name, value] : craft.fields)
        if (name == component) return value;
    return {};
}

std::string signature_input(const Craft& craft)
{
    std::string text = "(";
    for (const auto& component : craft.components)
        text += (text.size() > 1 ? " \"" : "\"") + component + "\"";
    text += ")";
    if (craft.created != 0) text += ";created=" + std::to_string(craft.created);
    if (craft.expires != 0) text += ";expires=" + std::to_string(craft.expires);
    if (!craft.nonce.empty()) text += ";nonce=\"" + craft.nonce + "\"";
    if (!craft.keyid.empty()) text += ";keyid=\"" + craft.keyid + "\"";
    if (!craft.alg.empty()) text += ";alg=\"" + craft.alg + "\"";
    if (!craft.tag.empty()) text += ";tag=\"" + craft.tag + "\"";
    return text;
}

void sign(Craft& craft)
{
    const auto input = signature_input(craft);
    std::string base;
    for (const auto& component : craft.components)
        base += "\"" + component + "\": " + covered_value(craft, component) + "\n";
    base += "\"@signature-params\": " + input;
    craft.fields.emplace_back("signature-input", "entente=" + input);
    craft.fields.emplace_back("signature", "entente=:" + to_base64(craft.key->sign(base)) + ":");
}

}  // namespace

TransactionResult Forger::take_everything(const Transaction& transaction)
{
    TransactionResult result;
    for (const auto& read : transaction.direct) {
        auto& event = result.direct.emplace_back();
        if (read.value) event.event = event_id(read.value->event);
        event.status = ItemStatus::accepted;
    }
    for (const auto& read : transaction.logs) {
        auto& slice = result.logs.emplace_back();
        slice.channel = read.channel_text;
        if (!read.value) continue;
        slice.epoch = read.value->epoch;
        slice.have = {read.value->checkpoint.seq, read.value->checkpoint.hash};
    }
    for (const auto& read : transaction.submissions)
        result.submissions.push_back({read.channel_text, {}});
    result.signals.resize(transaction.signals.size());
    return result;
}

void Craft::set(const std::string& name, const std::string& value)
{
    drop(name);
    fields.emplace_back(name, value);
}

void Craft::drop(const std::string& name)
{
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
}

void Craft::set_body(std::string text)
{
    body = std::move(text);
    set("content-digest", content_digest(body));
}

std::string Answered::problem() const
{
    const auto document = json::parse(message.body, nullptr, false);
    if (!document.is_object() || !document.contains("type")) return {};
    const auto type = document["type"].get<std::string>();
    return type.substr(type.rfind(':') + 1);
}

std::int64_t Answered::retry_after() const
{
    const auto text = message.field("retry-after");
    std::int64_t seconds = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? seconds : -1;
}

Forger::Forger(const World& world, const std::string& name)
    : world_(world),
      name_(ServerName::trusted(name)),
      key_(new_key()),
      recovery_(new_key()),
      from_(now_ms() - 60'000),
      inbox_(take_everything)
{
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(world.port(name));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_, 16) != 0)
        throw Broken("the forger's port is taken");
    thread_ = std::thread([this] { serve(); });
}

Forger::Forger(const World& world, const Node& real)
    : world_(world),
      name_(ServerName::trusted(real.name())),
      key_(key_of(real)),
      recovery_(new_key())
{
}

void Forger::set_clock_ahead(std::int64_t ms)
{
    ahead_ms = ms;
}

Forger::~Forger()
{
    stopping_ = true;
    if (listening_ < 0) return;
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
}

void Forger::change_key()
{
    protocol::SystemRandom random;
    change_key(protocol::SigningKey::generate(random));
}

void Forger::change_key(const protocol::SigningKey& key)
{
    const std::lock_guard lock(mutex_);
    key_ = key;
}

void Forger::on_inbox(Inbox inbox)
{
    const std::lock_guard lock(mutex_);
    inbox_ = std::move(inbox);
}

void Forger::on_document(Document change)
{
    const std::lock_guard lock(mutex_);
    document_change_ = std::move(change);
}

void Forger::on_answer(Spoiler change)
{
    const std::lock_guard lock(mutex_);
    answer_change_ = std::move(change);
}

// One connection at a time, each for one request.
void Forger::serve()
{
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    SSL_CTX_use_certificate_chain_file(context.get(), world_.certificate(name_.str()).c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), world_.key(name_.str()).c_str(), SSL_FILETYPE_PEM);
    while (!stopping_) {
        const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        try {
            auto socket = TlsSocket::accept(fd, context.get());
            std::string buffer;
            const auto request = read_message(socket, buffer, Milliseconds(5'000));
            if (request) answer(socket, *request);
        } catch (const Broken&) {
            continue;  // the other side's affair
        }
    }
}

void Forger::answer(TlsSocket& socket, const HttpMessage& request)
{
    int status = 404;
    std::string body = "{}";
    const auto& line = request.start_line;
    if (line.starts_with("GET /.well-known/entente ")) {
        const std::lock_guard lock(mutex_);
        body = document_change_ ? document_change_(document()) : document();
        status = body.empty() ? 503 : 200;
    } else if (line.starts_with("POST /federation/v1/inbox ")) {
        auto transaction = parse_transaction(request.body, TransactionLimits{}, rules);
        status = transaction ? 200 : 400;
        const std::lock_guard lock(mutex_);
        if (transaction) body = write_result(inbox_(*transaction), now_ms());
    }
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Said\r\nConnection: close\r\n";
    const auto key = [this] {
        const std::lock_guard lock(mutex_);
        return key_;
    }();
    auto fields =
        sign_answer(key, name_, status, body, request.field("signature"), now_ms() / 1000);
    fields.emplace_back("content-type", "application/json");
    fields.emplace_back("content-length", std::to_string(body.size()));
    {
        const std::lock_guard lock(mutex_);
        if (answer_change_) answer_change_(fields);
    }
    for (const auto& [name, value] : fields)
        text.append(name).append(": ").append(value).append("\r\n");
    socket.write(text + "\r\n" + body);
}

std::string Forger::document() const
{
    ServerDocument document;
    document.server = name_;
    document.api = "https://" + name_.str();
    document.keys.push_back({key_.public_key(), from_, 0, 0});
    document.recovery = recovery_.public_key();
    document.software_name = "forger";
    document.software_version = "1";
    return write_server_document(document);
}

Craft Forger::craft(const Node& to, const std::string& body) const
{
    SystemRandom random;
    Craft craft;
    craft.set("entente-destination", to.name());
    craft.components = {"@method", "@path", "@query", "entente-destination"};
    if (!body.empty()) {
        craft.set("content-type", "application/json");
        craft.set_body(body);
        craft.components.insert(craft.components.end(), {"content-type", "content-digest"});
    }
    craft.created = now_ms() / 1000;
    craft.expires = craft.created + 300;
    craft.nonce = to_base64url(random.octets(16));
    craft.keyid = name_.str() + "#" + key_.id().str();
    craft.key = key_;
    return craft;
}

Craft Forger::get(const Node& to, const std::string& target) const
{
    auto made = craft(to, "");
    made.method = "GET";
    made.target = target;
    return made;
}

std::string Forger::octets(const Node& to, Craft& craft)
{
    sign(craft);
    if (craft.afterwards) craft.afterwards(craft);
    return write_request(craft.method, craft.target, to.name(), craft.fields, craft.body);
}

Answered Forger::send(const Node& to, Craft craft) const
{
    const auto text = octets(to, craft);
    Answered answered;
    for (const auto& [name, value] : craft.fields)
        if (name == "signature") answered.request_signature = value;
    auto socket = to.connect(craft.source);
    try {
        socket.write(text);
    } catch (const Broken&) {
        // Refused by its head: the answer is on its way all the same.
    }
    std::string buffer;
    auto message = read_message(socket, buffer, Milliseconds(20'000));
    if (!message) throw Broken(to.name() + " closed the connection without an answer");
    answered.message = std::move(*message);
    return answered;
}

TransactionResult Forger::deliver(const Node& to, const std::string& body) const
{
    const auto answer = send(to, craft(to, body));
    if (answer.status() != 200) throw Broken("a transaction was refused: " + answer.message.body);
    if (!is_signed_by(to, answer)) throw Broken("an answer without a valid signature");
    auto result = parse_result(answer.message.body, rules);
    if (!result) throw Broken("an answer that can't be read: " + answer.message.body);
    return std::move(*result);
}

bool Forger::is_signed_by(const Node& to, const Answered& answer) const
{
    const auto document = json::parse(to.get("/.well-known/entente").body);
    const auto key = PublicKey::from_x(document.at("keys").at(0).at("x").get<std::string>());
    const auto read = read_answer_signature(answer.status(), answer.message.fields,
                                            answer.message.body, answer.request_signature, rules);
    return key && read && read->key.server.str() == to.name() &&
           key->verifies(read->signature, read->base);
}

EventAndContent Forger::event(const std::string& channel, const std::string& type,
                              const std::string& content_members, const std::string& txn) const
{
    SystemRandom random;
    EventAndContent made;
    made.content = "{\"salt\":\"" + to_base64url(random.octets(16)) + "\"" +
                   (content_members.empty() ? "" : "," + content_members) + "}";
    EventDraft draft;
    draft.type = type;
    draft.channel = ChannelId::trusted(channel);
    draft.sender = user();
    draft.txn = txn.empty() ? make_uuid7(now_ms(), random) : parse_uuid(txn).value();
    draft.at = now_ms();
    draft.content = made.content;
    made.event = write_event(draft);
    return made;
}

std::string Forger::submission(const std::string& channel,
                               const std::vector<EventAndContent>& events, const Spoil& spoil) const
{
    OutgoingTransaction transaction;
    auto& submission = transaction.submissions.emplace_back();
    submission.channel = ChannelId::trusted(channel);
    submission.events = events;
    for (const auto& event : events) submission.seal.events.push_back(event_id(event.event));
    RootBuilder leaves;
    submission.seal.proof.index = leaves.add(seal_leaf(submission.channel, submission.seal.events));
    auto root = leaves.sign(key_, name_, now_ms());
    submission.seal.proof.path = root.paths.at(0);
    transaction.roots.push_back(root.jws);
    if (spoil) spoil(transaction);
    return write_transaction(transaction);
}

}  // namespace entente::e2e
