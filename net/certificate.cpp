// Makes certificates for nodes that have none yet (net/tls.hpp); reading them is tls.cpp's.
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>

#include "net/tls.hpp"
#include "net/tls_context.hpp"

namespace entente::net {

namespace {

struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// As OpenSSL's configuration syntax wants them, so the names must hold none of its signs.
Result<std::string> alternative_names(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names) {
        boost::system::error_code error;
        const auto address = boost::asio::ip::make_address(name, error);
        if (!text.empty()) text += ',';
        if (!error) {
            text += "IP:" + address.to_string();
            continue;
        }
        const auto legal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*";
        if (name.empty() || name.size() > 253 ||
            name.find_first_not_of(legal) != std::string::npos) {
            return refuse(Code::malformed, "not a name for a certificate: " + name);
        }
        text += "DNS:" + name;
    }
    if (text.empty()) return refuse(Code::malformed, "a certificate needs a name");
    return text;
}

bool add_extension(X509* certificate, int kind, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate)
{
    const Owned<BIGNUM> number(BN_new());
    return number && BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// No key usage: OpenSSL takes the certificate as its own authority only if it either may
// sign certificates, which it must not claim, or doesn't say.
Owned<X509> signed_certificate(EVP_PKEY* key, const std::string& common_name,
                               const std::string& names, int days)
{
    Owned<X509> certificate(X509_new());
    if (!certificate) return nullptr;
    X509* raw = certificate.get();
    X509_set_version(raw, X509_VERSION_3);
    // An hour back, for clocks that differ; a negative term makes one that has expired.
    X509_gmtime_adj(X509_getm_notBefore(raw), days >= 0 ? -3600 : 86'400L * (days - 1));
    X509_gmtime_adj(X509_getm_notAfter(raw), 86'400L * days);
    X509_set_pubkey(raw, key);
    auto* subject = X509_get_subject_name(raw);
    const auto short_name = common_name.substr(0, 64);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(short_name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(raw, subject);
    const bool complete = set_random_serial(raw) &&
                          add_extension(raw, NID_basic_constraints, "critical,CA:FALSE") &&
                          add_extension(raw, NID_ext_key_usage, "serverAuth") &&
                          add_extension(raw, NID_subject_alt_name, names) &&
                          add_extension(raw, NID_subject_key_identifier, "hash");
    if (!complete || X509_sign(raw, key, EVP_sha256()) == 0) return nullptr;
    return certificate;
}

template <class Write>
std::string pem(Write write)
{
    const Owned<BIO> bio(BIO_new(BIO_s_mem()));
    if (!bio || write(bio.get()) != 1) return {};
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

protocol::Failure broken(const std::string& what, const std::string& file)
{
    return fail(Code::internal, what + " " + file + ": " + std::strerror(errno));
}

// Written beside it, synced, then renamed: nobody ever reads half of one.
Result<void> replace_file(const std::string& file, const std::string& octets, mode_t mode)
{
    const auto beside = file + ".new";
    ::unlink(beside.c_str());
    const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor < 0) return broken("create", beside);
    std::size_t written = 0;
    while (written < octets.size()) {
        const auto count = ::write(descriptor, octets.data() + written, octets.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            ::close(descriptor);
            return broken("write", beside);
        }
        written += static_cast<std::size_t>(count);
    }
    const bool durable = ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !durable) return broken("sync", beside);
    if (::rename(beside.c_str(), file.c_str()) != 0) return broken("rename to", file);
    return {};
}

}  // namespace

Result<void> make_self_signed(const std::string& certificate_file, const std::string& key_file,
                              const std::vector<std::string>& names, int days)
{
    const auto alternatives = alternative_names(names);
    if (!alternatives) return fail(alternatives);
    ERR_clear_error();
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    if (!key) return fail(Code::internal, "key: " + openssl_errors());
    const auto certificate = signed_certificate(key.get(), names.front(), *alternatives, days);
    if (!certificate) return fail(Code::internal, "certificate: " + openssl_errors());

    const auto key_text = pem([&](BIO* bio) {
        return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    const auto certificate_text =
        pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
    if (key_text.empty() || certificate_text.empty()) {
        return fail(Code::internal, "PEM: " + openssl_errors());
    }
    if (auto written = replace_file(key_file, key_text, 0600); !written) return written;
    return replace_file(certificate_file, certificate_text, 0644);
}

}  // namespace entente::net
