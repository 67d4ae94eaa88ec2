#pragma once

// Requests to the target: over a connection that is kept, over a fresh one, or as octets.

#include <memory>
#include <optional>
#include <string>

#include "conformance/sockets/http_io.hpp"
#include "conformance/sockets/tls.hpp"

namespace entente::conformance {

// Where the target listens, and whose certificate it must show.
class Door {
 public:
    // Throws std::runtime_error where `ca_file` can't be read or `host` has no address.
    Door(std::string host, std::uint16_t port, const std::optional<Endpoint>& connect,
         const std::string& ca_file);

    [[nodiscard]] TlsClient open(Deadline deadline) const;
    // TCP alone: for cases that never finish their handshake.
    [[nodiscard]] Descriptor open_tcp(Deadline deadline) const;
    // As the Host field says it.
    [[nodiscard]] const std::string& authority() const { return authority_; }
    // The same door, entered from an address that no other has, where the target is on the loopback
    // network: what a target counts by the address (first contacts, unproven requests) would
    // leak from one case into the next. Elsewhere from the machine's own, as this one.
    [[nodiscard]] Door from_own_address() const;
    [[nodiscard]] bool has_own_address() const { return !source_.empty(); }

 private:
    std::string host_;
    std::string authority_;
    Endpoint endpoint_;
    // Of this machine's side; empty: the system's choice.
    std::string source_;
    std::shared_ptr<const ClientContext> context_;
};

// One connection, opened when it is needed and opened anew when the target has closed it.
class Connection {
 public:
    // An answer of the target takes at most this long.
    static constexpr Millis answer_time{30'000};

    explicit Connection(const Door& door) : door_(door) {}

    [[nodiscard]] AnswerResult ask(const Request& request, Millis time = answer_time);
    // Sends octets as they are and reads one answer.
    [[nodiscard]] AnswerResult ask_octets(std::string_view octets, Millis time = answer_time);
    // What comes behind the last answer.
    [[nodiscard]] AnswerResult next(Millis time);
    // Null where the target can't be reached; `error` then says why.
    [[nodiscard]] Stream* stream();
    void drop();
    [[nodiscard]] const std::string& error() const { return error_; }
    // It can't be reached for its certificate's sake.
    [[nodiscard]] bool is_untrusted() const { return untrusted_; }

 private:
    const Door& door_;
    std::unique_ptr<Stream> stream_;
    std::string rest_;
    std::string error_;
    bool untrusted_ = false;
};

}  // namespace entente::conformance
