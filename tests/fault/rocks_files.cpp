#include "tests/fault/rocks_files.hpp"

#include <cstring>
#include <filesystem>

#include <rocksdb/file_system.h>

namespace entente::fault {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// As RocksDB's own file system translates them.
IOStatus status_of(const std::string& path, int error)
{
    switch (error) {
        case 0: return IOStatus::OK();
        case ENOENT: return IOStatus::PathNotFound(path, std::strerror(error));
        case ENOSPC: {
            auto status = IOStatus::NoSpace(path, std::strerror(error));
            status.SetRetryable(true);
            return status;
        }
        default: return IOStatus::IOError(path, std::strerror(error));
    }
}

template <class T>
IOStatus status_of(const std::string& path, const Io<T>& outcome)
{
    return outcome ? IOStatus::OK() : status_of(path, outcome.error());
}

std::string_view view(const Slice& slice)
{
    return {slice.data(), slice.size()};
}

bool is_no_data(const std::string& path)
{
    return std::filesystem::path(path).filename().string().starts_with("LO");
}

class WritableFile final : public rocksdb::FSWritableFile {
 public:
    WritableFile(Disk& disk, Disk::File file) : disk_(disk), file_(std::move(file)) {}

    IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override
    {
        return status_of(file_.path, disk_.append(file_, view(data)));
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, IODebugContext* context) override
    {
        return Append(data, options, context);
    }
    IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override
    {
        return status_of(file_.path, disk_.truncate(file_, size));
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Sync(const IOOptions&, IODebugContext*) override
    {
        return status_of(file_.path, disk_.sync(file_));
    }
    bool IsSyncThreadSafe() const override { return true; }
    std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override
    {
        return disk_.size(file_);
    }

 private:
    Disk& disk_;
    Disk::File file_;
};

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
    SequentialFile(Disk& disk, Disk::File file) : disk_(disk), file_(std::move(file)) {}

    IOStatus Read(std::size_t count, const IOOptions&, Slice* result, char* scratch,
                  IODebugContext*) override
    {
        const auto got = disk_.read(file_, position_, scratch, count);
        *result = Slice(scratch, got.value_or(0));
        position_ += result->size();
        return status_of(file_.path, got);
    }
    IOStatus Skip(std::uint64_t count) override
    {
        position_ += count;
        return IOStatus::OK();
    }

 private:
    Disk& disk_;
    Disk::File file_;
    std::uint64_t position_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
    RandomAccessFile(Disk& disk, Disk::File file) : disk_(disk), file_(std::move(file)) {}

    IOStatus Read(std::uint64_t offset, std::size_t count, const IOOptions&, Slice* result,
                  char* scratch, IODebugContext*) const override
    {
        const auto got = disk_.read(file_, offset, scratch, count);
        *result = Slice(scratch, got.value_or(0));
        return status_of(file_.path, got);
    }

 private:
    Disk& disk_;
    Disk::File file_;
};

class Folder final : public rocksdb::FSDirectory {
 public:
    Folder(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

    IOStatus Fsync(const IOOptions&, IODebugContext*) override
    {
        return status_of(path_, disk_.sync_folder(path_));
    }

 private:
    Disk& disk_;
    std::string path_;
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
    explicit Files(Disk& disk)
        : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk)
    {
    }
    const char* Name() const override { return "EntenteFaultyFiles"; }

    IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSSequentialFile>* result,
                               IODebugContext* context) override
    {
        if (is_no_data(path))
            return FileSystemWrapper::NewSequentialFile(path, options, result, context);
        return open<SequentialFile>(path, Disk::Mode::existing, *result);
    }
    IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                 IODebugContext* context) override
    {
        if (is_no_data(path))
            return FileSystemWrapper::NewRandomAccessFile(path, options, result, context);
        return open<RandomAccessFile>(path, Disk::Mode::existing, *result);
    }
    IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* context) override
    {
        if (is_no_data(path))
            return FileSystemWrapper::NewWritableFile(path, options, result, context);
        return open<WritableFile>(path, Disk::Mode::create_anew, *result);
    }
    IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                                std::unique_ptr<rocksdb::FSWritableFile>* result,
                                IODebugContext*) override
    {
        return open<WritableFile>(path, Disk::Mode::create, *result);
    }
    // Not on this disk, and not asked for by the options that the window sets.
    IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                               std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) override
    {
        return IOStatus::NotSupported("ReuseWritableFile");
    }
    IOStatus NewRandomRWFile(const std::string&, const FileOptions&,
                             std::unique_ptr<rocksdb::FSRandomRWFile>*, IODebugContext*) override
    {
        return IOStatus::NotSupported("NewRandomRWFile");
    }
    IOStatus LinkFile(const std::string&, const std::string&, const IOOptions&,
                      IODebugContext*) override
    {
        return IOStatus::NotSupported("LinkFile");
    }

    IOStatus NewDirectory(const std::string& path, const IOOptions&,
                          std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override
    {
        if (!std::filesystem::is_directory(path)) return status_of(path, ENOENT);
        *result = std::make_unique<Folder>(disk_, path);
        return IOStatus::OK();
    }
    IOStatus FileExists(const std::string& path, const IOOptions& options,
                        IODebugContext* context) override
    {
        if (is_no_data(path) || std::filesystem::is_directory(path))
            return FileSystemWrapper::FileExists(path, options, context);
        const auto size = disk_.size_of(path);
        if (!size && size.error() == ENOENT) return IOStatus::NotFound();
        return status_of(path, size);
    }
    IOStatus GetChildren(const std::string& path, const IOOptions&,
                         std::vector<std::string>* result, IODebugContext*) override
    {
        auto names = disk_.list(path);
        *result = names.value_or(std::vector<std::string>{});
        return status_of(path, names);
    }
    IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                        IODebugContext* context) override
    {
        if (is_no_data(path)) return FileSystemWrapper::DeleteFile(path, options, context);
        return status_of(path, disk_.remove(path));
    }
    IOStatus Truncate(const std::string& path, std::size_t size, const IOOptions&,
                      IODebugContext*) override
    {
        auto file = disk_.open(path, Disk::Mode::existing);
        if (!file) return status_of(path, file);
        return status_of(path, disk_.truncate(*file, size));
    }
    IOStatus GetFileSize(const std::string& path, const IOOptions& options, std::uint64_t* size,
                         IODebugContext* context) override
    {
        if (is_no_data(path)) return FileSystemWrapper::GetFileSize(path, options, size, context);
        const auto found = disk_.size_of(path);
        *size = found.value_or(0);
        return status_of(path, found);
    }
    IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, std::uint64_t* time,
                                     IODebugContext*) override
    {
        *time = 1;
        return status_of(path, disk_.size_of(path));
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                        IODebugContext* context) override
    {
        if (is_no_data(from)) return FileSystemWrapper::RenameFile(from, to, options, context);
        return status_of(from, disk_.rename(from, to));
    }
    IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* octets,
                          IODebugContext* context) override
    {
        const auto space = disk_.space();
        if (!space) return FileSystemWrapper::GetFreeSpace(path, options, octets, context);
        *octets = *space;
        return IOStatus::OK();
    }

 private:
    template <class Concrete, class Abstract>
    IOStatus open(const std::string& path, Disk::Mode mode, std::unique_ptr<Abstract>& result)
    {
        auto file = disk_.open(path, mode);
        if (!file) return status_of(path, file);
        result = std::make_unique<Concrete>(disk_, std::move(*file));
        return IOStatus::OK();
    }

    Disk& disk_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_rocks_env(Disk& disk)
{
    return rocksdb::NewCompositeEnv(std::make_shared<Files>(disk));
}

}  // namespace entente::fault
