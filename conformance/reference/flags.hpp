#pragma once

// The flags of a reference peer: each leaves out one check, or makes one over-strict, so that a
// case can be seen to notice. A flag is known by being asked for, and by nothing else: a name that
// no check asks for is refused, so that no mutant is silently the clean peer.

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace entente::conformance::reference {

template <std::size_t Size>
struct FlagName {
    char text[Size]{};

    consteval FlagName(const char (&name)[Size]) { std::copy_n(name, Size, text); }
    [[nodiscard]] constexpr std::string_view view() const { return {text, Size - 1}; }
};

class Flags {
 public:
    // Throws std::runtime_error that names what no check asks for.
    explicit Flags(const std::vector<std::string>& names);

    template <FlagName Name>
    [[nodiscard]] bool has() const
    {
        static_cast<void>(&Asked<Name>::once);
        return !names_.empty() && names_.contains(Name.view());
    }

    // All that checks ask for.
    [[nodiscard]] static const std::set<std::string, std::less<>>& known();

 private:
    static bool note(std::string_view name);

    // Initialised before main, once for each name that stands in has<…>() anywhere.
    template <FlagName Name>
    struct Asked {
        static inline const bool once = note(Name.view());
    };

    std::set<std::string, std::less<>> names_;
};

}  // namespace entente::conformance::reference
