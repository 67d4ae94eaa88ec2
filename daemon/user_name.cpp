#include "daemon/user_name.hpp"

#include <vector>

#include <pwd.h>

namespace entente::daemon {

std::string user_name(uid_t user)
{
    std::vector<char> room(16'384);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) == 0 && found != nullptr)
        return found->pw_name;
    return std::to_string(user);
}

std::string run_as(uid_t user)
{
    const auto name = user_name(user);
    const bool is_number = name == std::to_string(user);
    return "run this as that user: sudo -u " + (is_number ? "'#" + name + "'" : name) + " …";
}

}  // namespace entente::daemon
