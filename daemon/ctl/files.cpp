#include "daemon/ctl/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

namespace entente::daemon::ctl {

Result<std::string> read_file(const std::string& path, std::size_t most)
{
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return fail(Code::not_found, path + " can't be read");
    std::string text(most + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return fail(Code::unavailable, path + " can't be read");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

Result<void> write_new_file(const std::string& path, const std::string& text)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return fail(Code::unavailable, path + ": " + std::strerror(errno));
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            const int error = errno;
            ::close(file);
            return fail(Code::unavailable, path + ": " + std::strerror(error));
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    ::close(file);
    return {};
}

}  // namespace entente::daemon::ctl
