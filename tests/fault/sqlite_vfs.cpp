#include "tests/fault/sqlite_vfs.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <sqlite3.h>

namespace entente::fault {
namespace {

constexpr int kinds_on_disk =
    SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
constexpr int usual_sector = 4096;  // what SQLite's own VFS answers

// What an open file is beyond SQLite's part of it, on the heap.
struct Inner {
    Disk& disk;
    Disk::File file;
    sqlite3_file* real = nullptr;  // of the database itself: its locks, its shared memory
    bool is_name_unsynced = false;
};

struct FaultyFile {
    sqlite3_file base;
    Inner* inner;
};

sqlite3_vfs* system_vfs()
{
    return sqlite3_vfs_find("unix");
}

Disk& disk_of(sqlite3_vfs* vfs)
{
    return *static_cast<Disk*>(vfs->pAppData);
}

Inner& inner_of(sqlite3_file* file)
{
    return *reinterpret_cast<FaultyFile*>(file)->inner;
}

std::string parent_of(const std::string& path)
{
    return std::filesystem::path(path).parent_path().string();
}

// --- files -------------------------------------------------------------------------------

int on_close(sqlite3_file* file)
{
    auto* inner = &inner_of(file);
    if (inner->real != nullptr) {
        inner->real->pMethods->xClose(inner->real);
        std::free(inner->real);
    }
    delete inner;
    file->pMethods = nullptr;
    return SQLITE_OK;
}

int on_read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset)
{
    const auto& inner = inner_of(file);
    const auto wanted = static_cast<std::size_t>(count);
    auto* octets = static_cast<char*>(to);
    const auto got =
        inner.disk.read(inner.file, static_cast<std::uint64_t>(offset), octets, wanted);
    if (!got) return SQLITE_IOERR_READ;
    if (*got == wanted) return SQLITE_OK;
    std::memset(octets + *got, 0, wanted - *got);
    return SQLITE_IOERR_SHORT_READ;
}

int on_write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset)
{
    const auto& inner = inner_of(file);
    const std::string_view octets(static_cast<const char*>(from), static_cast<std::size_t>(count));
    const auto done = inner.disk.write(inner.file, static_cast<std::uint64_t>(offset), octets);
    if (done) return SQLITE_OK;
    return done.error() == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int on_truncate(sqlite3_file* file, sqlite3_int64 size)
{
    const auto& inner = inner_of(file);
    const auto done = inner.disk.truncate(inner.file, static_cast<std::uint64_t>(size));
    return done ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

// As SQLite's own: the first sync of a new journal or WAL is followed by one of its folder,
// and nobody learns how that one went.
int on_sync(sqlite3_file* file, int /*flags*/)
{
    auto& inner = inner_of(file);
    if (!inner.disk.sync(inner.file)) return SQLITE_IOERR_FSYNC;
    if (std::exchange(inner.is_name_unsynced, false))
        static_cast<void>(inner.disk.sync_folder(parent_of(inner.file.path)));
    return SQLITE_OK;
}

int on_size(sqlite3_file* file, sqlite3_int64* size)
{
    const auto& inner = inner_of(file);
    *size = static_cast<sqlite3_int64>(inner.disk.size(inner.file));
    return SQLITE_OK;
}

int on_lock(sqlite3_file* file, int level)
{
    auto* real = inner_of(file).real;
    return real == nullptr ? SQLITE_OK : real->pMethods->xLock(real, level);
}

int on_unlock(sqlite3_file* file, int level)
{
    auto* real = inner_of(file).real;
    return real == nullptr ? SQLITE_OK : real->pMethods->xUnlock(real, level);
}

int on_check_lock(sqlite3_file* file, int* is_reserved)
{
    auto* real = inner_of(file).real;
    *is_reserved = 0;
    return real == nullptr ? SQLITE_OK : real->pMethods->xCheckReservedLock(real, is_reserved);
}

int on_control(sqlite3_file* file, int op, void* argument)
{
    auto* real = inner_of(file).real;
    // Hints about the size would reach the real file past us.
    if (real == nullptr || op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE ||
        op == SQLITE_FCNTL_MMAP_SIZE)
        return SQLITE_NOTFOUND;
    return real->pMethods->xFileControl(real, op, argument);
}

int on_sector(sqlite3_file* /*file*/)
{
    return usual_sector;
}

int on_characteristics(sqlite3_file* /*file*/)
{
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int on_map(sqlite3_file* file, int region, int size, int may_extend, void volatile** place)
{
    auto* real = inner_of(file).real;
    return real->pMethods->xShmMap(real, region, size, may_extend, place);
}

int on_map_lock(sqlite3_file* file, int offset, int count, int flags)
{
    auto* real = inner_of(file).real;
    return real->pMethods->xShmLock(real, offset, count, flags);
}

void on_barrier(sqlite3_file* file)
{
    auto* real = inner_of(file).real;
    real->pMethods->xShmBarrier(real);
}

int on_unmap(sqlite3_file* file, int must_delete)
{
    auto* real = inner_of(file).real;
    return real->pMethods->xShmUnmap(real, must_delete);
}

const sqlite3_io_methods methods = [] {
    sqlite3_io_methods made{};
    made.iVersion = 2;
    made.xClose = on_close;
    made.xRead = on_read;
    made.xWrite = on_write;
    made.xTruncate = on_truncate;
    made.xSync = on_sync;
    made.xFileSize = on_size;
    made.xLock = on_lock;
    made.xUnlock = on_unlock;
    made.xCheckReservedLock = on_check_lock;
    made.xFileControl = on_control;
    made.xSectorSize = on_sector;
    made.xDeviceCharacteristics = on_characteristics;
    made.xShmMap = on_map;
    made.xShmLock = on_map_lock;
    made.xShmBarrier = on_barrier;
    made.xShmUnmap = on_unmap;
    return made;
}();

// --- names -------------------------------------------------------------------------------

int open_real(const char* path, int flags, Inner& inner, int* flags_out)
{
    auto* system = system_vfs();
    inner.real =
        static_cast<sqlite3_file*>(std::calloc(1, static_cast<std::size_t>(system->szOsFile)));
    const int outcome = system->xOpen(system, path, inner.real, flags, flags_out);
    if (outcome != SQLITE_OK) {
        std::free(inner.real);
        inner.real = nullptr;
    }
    return outcome;
}

int on_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out)
{
    if (path == nullptr || (flags & kinds_on_disk) == 0)
        return system_vfs()->xOpen(system_vfs(), path, file, flags, flags_out);
    auto& disk = disk_of(vfs);
    file->pMethods = nullptr;
    auto inner = std::make_unique<Inner>(Inner{disk, {}});
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        const int outcome = open_real(path, flags, *inner, flags_out);
        if (outcome != SQLITE_OK) return outcome;
    }
    const bool may_create = (flags & SQLITE_OPEN_CREATE) != 0;
    auto opened = disk.open(path, may_create ? Disk::Mode::create : Disk::Mode::existing);
    if (!opened) {
        if (inner->real != nullptr) {
            inner->real->pMethods->xClose(inner->real);
            std::free(inner->real);
        }
        return SQLITE_CANTOPEN;
    }
    inner->file = std::move(*opened);
    inner->is_name_unsynced = may_create && (flags & SQLITE_OPEN_MAIN_DB) == 0;
    if (flags_out != nullptr) *flags_out = flags;
    auto* faulty = reinterpret_cast<FaultyFile*>(file);
    faulty->inner = inner.release();
    faulty->base.pMethods = &methods;
    return SQLITE_OK;
}

int on_delete(sqlite3_vfs* vfs, const char* path, int sync_folder)
{
    auto& disk = disk_of(vfs);
    const auto removed = disk.remove(path);
    if (!removed)
        return removed.error() == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    if (sync_folder != 0 && !disk.sync_folder(parent_of(path))) return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

// As SQLite's own: a journal without content doesn't exist.
int on_access(sqlite3_vfs* vfs, const char* path, int /*flags*/, int* outcome)
{
    const auto size = disk_of(vfs).size_of(path);
    *outcome = size && *size > 0 ? 1 : 0;
    return SQLITE_OK;
}

}  // namespace

SqliteVfs::SqliteVfs(Disk& disk, std::string name)
    : name_(std::move(name)), vfs_(std::make_unique<sqlite3_vfs>(*system_vfs()))
{
    vfs_->iVersion = 2;
    vfs_->szOsFile = std::max(vfs_->szOsFile, static_cast<int>(sizeof(FaultyFile)));
    vfs_->pNext = nullptr;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = &disk;
    vfs_->xOpen = on_open;
    vfs_->xDelete = on_delete;
    vfs_->xAccess = on_access;
    sqlite3_vfs_register(vfs_.get(), 0);
}

SqliteVfs::~SqliteVfs()
{
    sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace entente::fault
