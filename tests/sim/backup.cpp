#include "tests/sim/backup.hpp"

#include <filesystem>
#include <stdexcept>

namespace entente::sim {

namespace {

// Of a sound disk: anything else is the simulation's own fault.
template <class T>
T sound(fault::Io<T> done)
{
    if (!done) throw std::logic_error("a backup met an error of the disk");
    if constexpr (!std::is_void_v<T>) return std::move(*done);
}

// What SQLite makes anew of the rest; its file is the system's own.
bool is_derived(const std::string& name)
{
    return name.ends_with("-shm");
}

}  // namespace

Backup::Backup(fault::Disk& disk, const std::string& folder, const WindowMemory& window)
    : window_(window)
{
    for (const auto& name : sound(disk.list(folder))) {
        if (is_derived(name)) continue;
        const auto file = sound(disk.open(folder + "/" + name, fault::Disk::Mode::existing));
        std::string octets(disk.size(file), '\0');
        octets.resize(sound(disk.read(file, 0, octets.data(), octets.size())));
        files_[name] = std::move(octets);
    }
}

void Backup::put_back(fault::Disk& disk, const std::string& folder, WindowMemory* window) const
{
    for (const auto& name : sound(disk.list(folder))) {
        if (is_derived(name))
            std::filesystem::remove(folder + "/" + name);
        else
            sound(disk.remove(folder + "/" + name));
    }
    for (const auto& [name, octets] : files_) {
        const auto file = sound(disk.open(folder + "/" + name, fault::Disk::Mode::create_anew));
        sound(disk.write(file, 0, octets));
        sound(disk.sync(file));
    }
    sound(disk.sync_folder(folder));
    if (window != nullptr) window->put_back(window_);
}

}  // namespace entente::sim
