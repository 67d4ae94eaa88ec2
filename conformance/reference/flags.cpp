#include "conformance/reference/flags.hpp"

#include <stdexcept>

namespace entente::conformance::reference {

namespace {

std::set<std::string, std::less<>>& asked_for()
{
    static std::set<std::string, std::less<>> names;
    return names;
}

}  // namespace

Flags::Flags(const std::vector<std::string>& names) : names_(names.begin(), names.end())
{
    for (const auto& name : names_)
        if (!known().contains(name))
            throw std::runtime_error("no check of the reference peer has the flag " + name);
}

const std::set<std::string, std::less<>>& Flags::known()
{
    return asked_for();
}

bool Flags::note(std::string_view name)
{
    return asked_for().emplace(name).second;
}

}  // namespace entente::conformance::reference
