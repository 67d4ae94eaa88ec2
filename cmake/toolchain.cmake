# Compiler settings that every target of ours shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(ENTENTE_FUZZ "Build the fuzz targets (clang only)" OFF)
set(ENTENTE_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# Sources are compiled eight at a time: most of a unit's seconds are spent on the headers and
# templates that its neighbours need as well. Names in an unnamed namespace are therefore
# a folder's, not a file's. OFF where one file is worked on for long, and in the gcc preset,
# which shows that each file still stands alone.
option(ENTENTE_UNITY "Compile several sources as one unit" ON)
set(CMAKE_UNITY_BUILD ${ENTENTE_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)

# Not in entente_options, whose flags come last: tests take it back.
add_compile_options(-Wshadow)

# What our own code is compiled with; foreign headers are SYSTEM.
add_library(entente_options INTERFACE)
target_include_directories(entente_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(entente_options INTERFACE
    -Wall -Wextra -Wconversion -Werror -fstack-protector-strong)
# g++ 12 warns falsely of "literal" + std::string and of coroutine frames.
target_compile_options(entente_options INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-mismatched-new-delete>)
target_compile_definitions(entente_options INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
    $<$<CONFIG:Release>:_FORTIFY_SOURCE=2> SPDLOG_FMT_EXTERNAL SPDLOG_COMPILED_LIB)
if(ENTENTE_SANITIZE)
    target_compile_options(entente_options INTERFACE
        -fsanitize=${ENTENTE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(entente_options INTERFACE -fsanitize=${ENTENTE_SANITIZE})
endif()
if(ENTENTE_FUZZ)
    target_compile_options(entente_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
