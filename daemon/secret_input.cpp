#include "daemon/secret_input.hpp"

#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/durable_file.hpp"
#include "protocol/ed25519.hpp"

namespace entente::daemon {

namespace {

constexpr std::size_t max_secret_file_octets = 4096;
constexpr std::string_view label = "recovery secret:";
constexpr std::string_view blank = " \t\r\n";

std::string trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return std::string{text.substr(first, text.find_last_not_of(blank) - first + 1)};
}

Result<std::string> from_file(const std::string& file)
{
    auto text = read_private_file(file, max_secret_file_octets);
    if (!text) return fail(text);
    const std::string_view view = *text;
    const auto labelled = view.find(label);
    auto secret = labelled == std::string_view::npos
                      ? trimmed(view)
                      : trimmed(view.substr(labelled + label.size(),
                                            view.find('\n', labelled) - labelled - label.size()));
    protocol::wipe(*text);
    if (secret.empty()) return fail(Code::malformed, file + " holds no recovery secret");
    return secret;
}

// The terminal with echo switched off; as it was when this goes.
class SilentTerminal {
 public:
    SilentTerminal() : terminal_(::open("/dev/tty", O_RDWR | O_CLOEXEC))
    {
        silent_ = terminal_ >= 0 && ::tcgetattr(terminal_, &before_) == 0;
        if (!silent_) return;
        auto without_echo = before_;
        without_echo.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent_ = ::tcsetattr(terminal_, TCSAFLUSH, &without_echo) == 0;
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    ~SilentTerminal()
    {
        if (silent_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
        if (terminal_ >= 0) ::close(terminal_);
    }

    [[nodiscard]] bool is_silent() const { return silent_; }
    void say(std::string_view text) const
    {
        [[maybe_unused]] const auto written = ::write(terminal_, text.data(), text.size());
    }
    // Up to the end of the line.
    [[nodiscard]] std::string read_line() const
    {
        std::string line;
        line.reserve(max_secret_file_octets);  // so that no copy of it stays behind
        char octet = 0;
        while (line.size() < max_secret_file_octets) {
            const auto got = ::read(terminal_, &octet, 1);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0 || octet == '\n') break;
            line.push_back(octet);
        }
        return line;
    }

 private:
    int terminal_;
    bool silent_ = false;
    termios before_{};
};

Result<std::string> from_terminal()
{
    const SilentTerminal terminal;
    if (!terminal.is_silent()) {
        return fail(Code::forbidden,
                    "there is no terminal to ask for the recovery secret; name a file that holds "
                    "it with --recovery-file");
    }
    terminal.say("recovery secret: ");
    auto line = terminal.read_line();
    terminal.say("\n");
    auto secret = trimmed(line);
    protocol::wipe(line);
    if (secret.empty()) return fail(Code::malformed, "no recovery secret was typed");
    return secret;
}

}  // namespace

Result<std::string> read_recovery_secret(const std::string& file)
{
    return file.empty() ? from_terminal() : from_file(file);
}

}  // namespace entente::daemon
