// The runner's certificate authority: P-256 keys, certificates of seven days.
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "conformance/sockets/tls.hpp"

namespace entente::conformance {

namespace {

template <typename T, auto Free>
struct Freed {
    void operator()(T* value) const { Free(value); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, Freed<X509, X509_free>>;
using BioPointer = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;

constexpr long hour = 3'600;

std::string text_of(BIO* bio)
{
    char* data = nullptr;
    const auto length = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(length)};
}

std::string pem_of(EVP_PKEY* key)
{
    const BioPointer bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio.get());
}

std::string pem_of(X509* certificate)
{
    const BioPointer bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return text_of(bio.get());
}

KeyPointer key_from(const std::string& pem)
{
    const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return KeyPointer(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

CertificatePointer certificate_from(const std::string& pem)
{
    const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return CertificatePointer(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (extension == nullptr) throw std::runtime_error("a certificate can't be made of " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// Valid from `from` to `until`, s from now; named `name`. Signed by `issuer`, or by itself.
Certificate make(const std::string& name, const Certificate* issuer, bool is_authority, long from,
                 long until)
{
    const KeyPointer key(EVP_EC_gen("P-256"));
    const CertificatePointer certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    unsigned char serial[8];
    RAND_bytes(serial, sizeof serial);
    serial[0] &= 0x7fU;
    BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
    BN_free(number);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
    X509_set_pubkey(certificate.get(), key.get());

    // A common name has at most 64 octets; the subject alternative name says the host anyway.
    auto* subject = X509_get_subject_name(certificate.get());
    const auto common = name.substr(0, 64);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common.data()),
                               static_cast<int>(common.size()), -1, 0);
    CertificatePointer issuer_certificate;
    KeyPointer issuer_key;
    if (issuer != nullptr) {
        issuer_certificate = certificate_from(issuer->chain);
        issuer_key = key_from(issuer->key);
    }
    auto* by = issuer_certificate ? issuer_certificate.get() : certificate.get();
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));
    if (is_authority) {
        extend(certificate.get(), by, NID_basic_constraints, "critical,CA:TRUE");
        extend(certificate.get(), by, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extend(certificate.get(), by, NID_basic_constraints, "critical,CA:FALSE");
        extend(certificate.get(), by, NID_ext_key_usage, "serverAuth");
        extend(certificate.get(), by, NID_subject_alt_name, "DNS:" + name);
    }
    X509_sign(certificate.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256());
    return {pem_of(certificate.get()), pem_of(key.get())};
}

}  // namespace

Authority Authority::make(const std::string& common_name)
{
    return Authority(conformance::make(common_name, nullptr, true, -hour, 10L * 365 * 24 * hour));
}

Authority Authority::load(const std::string& certificate_pem, const std::string& key_pem)
{
    const auto certificate = certificate_from(certificate_pem);
    if (!certificate) throw std::runtime_error("the authority's certificate can't be read");
    const auto key = key_from(key_pem);
    if (!key) throw std::runtime_error("the authority's key can't be read");
    if (X509_check_private_key(certificate.get(), key.get()) != 1)
        throw std::runtime_error("the key isn't that of the authority's certificate");
    if (X509_check_ca(certificate.get()) == 0)
        throw std::runtime_error("the certificate isn't an authority's");
    return Authority({certificate_pem, key_pem});
}

Certificate Authority::issue(const std::string& host, CertificateFault fault) const
{
    const long week = 7 * 24 * hour;
    switch (fault) {
        case CertificateFault::none: break;
        case CertificateFault::wrong_name:
            return conformance::make("other." + host, &own_, false, -hour, week);
        case CertificateFault::expired: return conformance::make(host, &own_, false, -week, -hour);
        case CertificateFault::self_signed:
            return conformance::make(host, nullptr, false, -hour, week);
        case CertificateFault::foreign_authority: {
            const auto stranger = make("A stranger's authority");
            return conformance::make(host, &stranger.own_, false, -hour, week);
        }
    }
    return conformance::make(host, &own_, false, -hour, week);
}

}  // namespace entente::conformance
