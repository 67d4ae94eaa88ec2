// main of every fuzz target in a build without libFuzzer: gives the target the empty
// input, every file of the corpus folder, and small changes of each file (cut short, one
// octet flipped). It finds nothing new by itself; it keeps what was found from coming back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t changes_per_file = 64;

void run_one(const std::string& input)
{
    // A copy of exactly this size, so that a sanitizer sees a read past its end.
    const std::vector<std::uint8_t> exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void run_changes(const std::string& input)
{
    const std::size_t step = std::max<std::size_t>(1, input.size() / changes_per_file);
    for (std::size_t at = 0; at < input.size(); at += step) {
        run_one(input.substr(0, at));
        auto flipped = input;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
        run_one(flipped);
    }
}

}  // namespace

int main(int argc, char** argv)
{
    std::size_t files = 0;
    run_one({});
    for (int i = 1; i < argc; ++i) {
        std::error_code failed;
        for (const auto& entry : std::filesystem::directory_iterator(argv[i], failed)) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string input{std::istreambuf_iterator<char>(file), {}};
            run_one(input);
            run_changes(input);
            ++files;
        }
        if (failed) {
            std::fprintf(stderr, "%s: %s; every fuzz target has a corpus folder with seeds\n",
                         argv[i], failed.message().c_str());
            return 1;
        }
    }
    std::printf("%zu files replayed\n", files);
    return 0;
}
