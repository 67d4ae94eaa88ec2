// A hostile peer: a server name with keys of its own, a server document and an inbox that
// answers, and signed requests of which a test can change any part. It builds signature
// bases by itself; only keys, hashes and the writing of bodies are protocol/'s.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "protocol/transaction.hpp"
#include "tests/e2e/support/node.hpp"

namespace entente::e2e {

// A request before it is signed. What a test leaves alone is right.
struct Craft {
    std::string method = "POST";
    std::string target = "/federation/v1/inbox";
    std::string body;
    Fields fields;  // what is covered is looked up here
    std::vector<std::string> components;
    std::int64_t created = 0, expires = 0;  // s; 0 leaves the parameter out
    std::string nonce, keyid, tag = "entente-v1";
    std::string alg = "ed25519";
    std::optional<protocol::SigningKey> key;
    std::string source = "127.0.0.1";  // the address that it comes from
    // Changes what was signed, on its way out.
    std::function<void(Craft&)> afterwards;

    void set(const std::string& name, const std::string& value);
    void drop(const std::string& name);
    // Body, and what depends on it.
    void set_body(std::string text);
};

// An answer, and the Signature field of the request that it has to answer.
struct Answered {
    HttpMessage message;
    std::string request_signature;
    [[nodiscard]] int status() const { return message.status(); }
    [[nodiscard]] std::string problem() const;  // "" where it is none
    // Seconds; -1 where the field is absent or no plain number.
    [[nodiscard]] std::int64_t retry_after() const;
};

class Forger {
 public:
    // `name` is one of the world's others.
    Forger(const World& world, const std::string& name);
    // Signs with the key of a real server beside it, as an administrator with a program of his own
    // could: what asks that server is answered by it, nothing by this.
    Forger(const World& world, const Node& real);
    ~Forger();
    Forger(const Forger&) = delete;
    Forger& operator=(const Forger&) = delete;

    [[nodiscard]] const protocol::ServerName& name() const { return name_; }
    [[nodiscard]] std::string user() const { return "mallory@" + name_.str(); }
    [[nodiscard]] const protocol::SigningKey& key() const { return key_; }
    [[nodiscard]] const protocol::SigningKey& recovery() const { return recovery_; }

    [[nodiscard]] Craft craft(const Node& to, const std::string& body) const;
    [[nodiscard]] Craft get(const Node& to, const std::string& target) const;
    [[nodiscard]] Answered send(const Node& to, Craft craft) const;
    // What send() writes, for who keeps a connection: signed, and changed afterwards.
    [[nodiscard]] static std::string octets(const Node& to, Craft& craft);
    // Requires a signed 200, and reads it.
    [[nodiscard]] protocol::TransactionResult deliver(const Node& to,
                                                      const std::string& body) const;
    // [SIG-10] by the key that `to` publishes.
    [[nodiscard]] bool is_signed_by(const Node& to, const Answered& answer) const;

    // An event of this server's user.
    [[nodiscard]] protocol::EventAndContent event(const std::string& channel,
                                                  const std::string& type,
                                                  const std::string& content_members = "",
                                                  const std::string& txn = "") const;
    // A transaction with one sealed submission; `spoil` may change it before it is written.
    using Spoil = std::function<void(protocol::OutgoingTransaction&)>;
    [[nodiscard]] std::string submission(const std::string& channel,
                                         const std::vector<protocol::EventAndContent>& events,
                                         const Spoil& spoil = {}) const;

    // From now on all forgers' clocks are so far ahead of the system's.
    static void set_clock_ahead(std::int64_t ms);

    // From now on another key, published without any statement.
    void change_key();
    void change_key(const protocol::SigningKey& key);

    // What stands at the well-known place from now on: what `change` makes of the usual
    // document. Where it makes nothing, who asks gets a 503.
    using Document = std::function<std::string(std::string usual)>;
    void on_document(Document change);

    // What the inbox says to a transaction; by default it takes everything.
    using Inbox = std::function<protocol::TransactionResult(const protocol::Transaction&)>;
    void on_inbox(Inbox inbox);
    [[nodiscard]] static protocol::TransactionResult take_everything(
        const protocol::Transaction& transaction);
    // Changes an answer's fields on their way out, behind the signing.
    using Spoiler = std::function<void(Fields&)>;
    void on_answer(Spoiler change);

 private:
    void serve();
    void answer(TlsSocket& socket, const HttpMessage& request);
    [[nodiscard]] std::string document() const;

    const World& world_;
    protocol::ServerName name_;
    protocol::SigningKey key_, recovery_;
    std::int64_t from_ = 0;
    std::mutex mutex_;  // over what follows, and over changes of the key
    Inbox inbox_;
    Document document_change_;
    Spoiler answer_change_;
    int listening_ = -1;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace entente::e2e
