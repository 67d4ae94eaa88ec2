#include "tests/e2e/support/shifted_clock.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace entente::e2e {

namespace {

namespace fs = std::filesystem;

bool is_sanitized()
{
#if defined(__has_feature)
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

std::string library()
{
    for (const auto* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}) {
        const auto file = std::string(folder) + "/faketime/libfaketimeMT.so.1";
        if (fs::exists(file)) return file;
    }
    return {};
}

}  // namespace

ShiftedClock::ShiftedClock(const std::string& folder) : file_(folder + "/clock")
{
    set_ahead(0);
}

bool ShiftedClock::is_there()
{
    return !is_sanitized() && !library().empty();
}

bool ShiftedClock::may_be_missing()
{
    return is_sanitized() || std::getenv("CI") == nullptr;
}

std::vector<std::string> ShiftedClock::environment() const
{
    return {"LD_PRELOAD=" + library(), "FAKETIME_TIMESTAMP_FILE=" + file_, "FAKETIME_NO_CACHE=1",
            "DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1"};
}

// It is read at each look at the clock, so it is exchanged at once.
void ShiftedClock::set_ahead(std::int64_t ms)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "+%lld.%03d\n", static_cast<long long>(ms / 1000),
                  static_cast<int>(ms % 1000));
    std::ofstream(file_ + ".new") << text.data();
    fs::rename(file_ + ".new", file_);
    Forger::set_clock_ahead(ms);
}

}  // namespace entente::e2e
