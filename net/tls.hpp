// TLS contexts: the server's, whose certificate can be exchanged while it runs, and
// what the HTTP client trusts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/clock.hpp"
#include "protocol/result.hpp"

namespace entente::net {

class TlsServerContext {
 public:
    // TLS ≥ 1.2. Errors name the file and what is wrong with it.
    [[nodiscard]] static Result<std::shared_ptr<TlsServerContext>> load(
        const std::string& certificate_file, const std::string& key_file);
    virtual ~TlsServerContext() = default;
    // Reads the files again; new connections get the new certificate, the old stay. On an
    // error the old certificate stays in use.
    [[nodiscard]] virtual Result<void> reload() = 0;
    [[nodiscard]] virtual protocol::Millis not_after() const = 0;
    // Whether the certificate names `host`, a DNS name or an IP address; wildcards count.
    [[nodiscard]] virtual bool is_for(const std::string& host) const = 0;
};

// A self-made certificate for `names` (DNS names or IP literals), valid `days`; the key
// file is written 0600, both are replaced atomically.
[[nodiscard]] Result<void> make_self_signed(const std::string& certificate_file,
                                            const std::string& key_file,
                                            const std::vector<std::string>& names, int days);

}  // namespace entente::net
