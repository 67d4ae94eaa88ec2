// A clock of real servers that a test puts ahead while they run, by Debian's libfaketime. Only the
// time of day is: timers, and all that is measured, go on as before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/e2e/support/forger.hpp"

namespace entente::e2e {

class ShiftedClock {
 public:
    // Its file stands in `folder`.
    explicit ShiftedClock(const std::string& folder);
    ~ShiftedClock() { Forger::set_clock_ahead(0); }
    ShiftedClock(const ShiftedClock&) = delete;
    ShiftedClock& operator=(const ShiftedClock&) = delete;

    // Where the library isn't installed, or the programs bring an allocator that has to come before
    // it (a sanitizer), there is none.
    [[nodiscard]] static bool is_there();
    // Not where CI is set, unless a sanitizer is why: there a test fails for want of the library.
    [[nodiscard]] static bool may_be_missing();
    // What a server has to be started with.
    [[nodiscard]] std::vector<std::string> environment() const;
    // From now on, for all who were, and for forgers.
    void set_ahead(std::int64_t ms);

 private:
    std::string file_;
};

}  // namespace entente::e2e
