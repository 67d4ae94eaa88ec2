#include "conformance/reference/journal.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace entente::conformance::reference {

Journal::Journal(const std::string& file)
    : file_(file),
      was_there_(std::filesystem::exists(file)),
      descriptor_(::open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600))
{
    if (!descriptor_.is_open()) throw std::runtime_error(file + " can't be opened");
}

void Journal::replay(const std::function<void(const nlohmann::json& record)>& take)
{
    std::ifstream file(file_, std::ios::binary);
    std::string line;
    std::uintmax_t whole = 0;
    while (std::getline(file, line) && !file.eof()) {
        whole += line.size() + 1;
        take(nlohmann::json::parse(line));
    }
    // What is appended next must not stand behind half a record.
    std::filesystem::resize_file(file_, whole);
}

void Journal::append(const nlohmann::json& record)
{
    const auto line = record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    // A peer that can't remember must not answer as if it could.
    if (::write(descriptor_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        std::abort();
}

}  // namespace entente::conformance::reference
