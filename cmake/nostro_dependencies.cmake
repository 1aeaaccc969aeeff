# What comes from Debian, and the two things that do not; docs/dependencies.md gives each its reason.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(tomlplusplus REQUIRED)
find_package(simdjson REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_library(zstd zstd REQUIRED)
# Kafka's client is fetched and built by a script, and may be missing: the rest builds without it, and whoever
# asks the program for Kafka is told. Fetched later: configured again.
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/tools/fetch/librdkafka.sh --prefix
                OUTPUT_VARIABLE RdKafka_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(GLOB librdkafka CONFIGURE_DEPENDS ${RdKafka_ROOT}/lib/librdkafka.a)
find_package(RdKafka 2.13 QUIET)
find_package(Hiredis)  # without it nostro builds, and a start with redis.url says what is missing
if(NOSTRO_TESTS)
  find_package(GTest REQUIRED)
  find_package(date REQUIRED)
  include(GoogleTest)
  find_library(rapidcheck rapidcheck REQUIRED)
endif()
if(NOSTRO_BENCH)
  find_package(benchmark REQUIRED)
endif()
