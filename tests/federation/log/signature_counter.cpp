// Stands before libsodium's verification, counts its calls and hands them on.
#include "tests/federation/log/signature_counter.hpp"

#include <atomic>

#include <dlfcn.h>

namespace {

std::atomic<std::uint64_t> calls{0};

using Verify = int (*)(const unsigned char* signature, const unsigned char* message,
                       unsigned long long size, const unsigned char* key);

}  // namespace

extern "C" int crypto_sign_verify_detached(const unsigned char* signature,
                                           const unsigned char* message, unsigned long long size,
                                           const unsigned char* key)
{
    static const auto next =
        reinterpret_cast<Verify>(::dlsym(RTLD_NEXT, "crypto_sign_verify_detached"));
    calls.fetch_add(1, std::memory_order_relaxed);
    return next(signature, message, size, key);
}

namespace entente::federation::log_rig {

std::uint64_t signatures_verified()
{
    return calls.load(std::memory_order_relaxed);
}

}  // namespace entente::federation::log_rig
