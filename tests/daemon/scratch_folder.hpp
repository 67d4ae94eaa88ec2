// A folder of a test's own under the temporary one, gone with the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace entente::daemon {

class ScratchFolder {
 public:
    ScratchFolder()
    {
        std::string pattern = std::filesystem::temp_directory_path() / "entente-daemon-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string operator/(const std::string& name) const
    {
        return path_ + "/" + name;
    }

 private:
    std::string path_;
};

}  // namespace entente::daemon
