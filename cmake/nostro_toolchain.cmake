# What every target of ours is built with. A preset brings its sanitizer in as NOSTRO_SANITIZE.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
option(NOSTRO_TESTS "build the tests" ON)
option(NOSTRO_BENCH "build the benchmarks" OFF)
option(NOSTRO_FUZZ "build the fuzz targets; needs clang" OFF)
set(NOSTRO_SANITIZE "" CACHE STRING "address, thread or empty")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Two clones of the same text share what ccache holds: paths below the clone are made relative before they
# are hashed, and the working directory, which only debug information names, is mapped away. The sloppiness
# is what ccache asks for before it keeps objects that use a precompiled header made a moment ago.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}=.)

# lld links a test program in a fraction of the time of GNU ld; g++ finds it only by its plain name, which
# Debian keeps in LLVM's own folder.
find_program(LLD ld.lld PATHS /usr/lib/llvm-19/bin)
if(LLD)
  get_filename_component(lld_folder ${LLD} DIRECTORY)
  add_link_options(-fuse-ld=lld -B${lld_folder})
endif()
add_link_options(-Wl,--as-needed)

# -g1 is enough for line numbers in a backtrace and halves the size of what is compiled and linked.
# -O2, not -O3: the hot loops are written out, and the rest only grows.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
if(NOSTRO_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
endif()

# The baseline is x86-64-v2 (every server processor since 2009): SSE4.2 with its CRC32C instruction, and
# POPCNT. What is newer (SHA extensions, AVX2) is chosen at run time by the libraries that use it.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2)
endif()

if(NOSTRO_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(NOSTRO_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # What a process that takes bytes from strangers should have. _GLIBCXX_ASSERTIONS checks the index of
  # every [] on our vectors, strings and spans: about one percent, for no silent overrun.
  add_compile_options(-D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_compile_options(-fcf-protection=full)
  endif()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

# The fuzz preset instruments every library of ours, but only the fuzz programs get libFuzzer's main.
if(NOSTRO_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(nostro_flags INTERFACE)
target_compile_options(nostro_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang counts -Wsign-conversion to -Wconversion, g++ does not; one rule for both.
  # It also reports what libstdc++ 12 itself still uses inside std::stable_sort; g++ keeps watch over ours.
  target_compile_options(nostro_flags INTERFACE -Wno-sign-conversion -Wno-deprecated-declarations)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # These come from g++ 12's optimizer, not from the language: with its inlining it sees overlaps and overruns
  # inside std::string and std::optional that are not there (its bugs 105329, 105562 and 105651). What they
  # would find, the sanitizer builds find.
  target_compile_options(nostro_flags INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
                                                -Wno-stringop-overread -Wno-maybe-uninitialized)
endif()
