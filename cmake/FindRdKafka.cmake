# librdkafka, as tools/fetch/librdkafka.sh built it or as RdKafka_ROOT or the system has it: RdKafka::rdkafka.
#
# pkg-config's file of the static library names it in front of the objects that need it; hence this module.
find_path(RdKafka_INCLUDE_DIR librdkafka/rdkafka.h)
find_library(RdKafka_LIBRARY NAMES librdkafka.a rdkafka)
if(RdKafka_INCLUDE_DIR)
  # 0x020f01ff is 2.15.1.
  file(STRINGS ${RdKafka_INCLUDE_DIR}/librdkafka/rdkafka.h line REGEX "^#define RD_KAFKA_VERSION 0x")
  string(REGEX REPLACE ".*0x(..)(..)(..)..*" "\\1;\\2;\\3" numbers "${line}")
  set(parts "")
  foreach(number IN LISTS numbers)
    math(EXPR part 0x${number})
    list(APPEND parts ${part})
  endforeach()
  list(JOIN parts . RdKafka_VERSION)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RdKafka REQUIRED_VARS RdKafka_LIBRARY RdKafka_INCLUDE_DIR VERSION_VAR RdKafka_VERSION)

if(RdKafka_FOUND AND NOT TARGET RdKafka::rdkafka)
  add_library(RdKafka::rdkafka UNKNOWN IMPORTED)
  set_target_properties(RdKafka::rdkafka PROPERTIES IMPORTED_LOCATION ${RdKafka_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${RdKafka_INCLUDE_DIR})
  if(RdKafka_LIBRARY MATCHES "\\.a$")
    find_package(OpenSSL REQUIRED COMPONENTS SSL Crypto)
    find_package(ZLIB REQUIRED)
    find_package(Threads REQUIRED)
    target_link_libraries(RdKafka::rdkafka INTERFACE OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB ${zstd} Threads::Threads
                          ${CMAKE_DL_LIBS} m)
  endif()
endif()
