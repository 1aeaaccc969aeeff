# hiredis with TLS, as tools/fetch/hiredis.sh has built it: Hiredis::hiredis. Not the Debian package, which has no TLS.
file(GLOB _hiredis CONFIGURE_DEPENDS ${NOSTRO_HOME}/hiredis/lib/libhiredis.a)  # fetched later: configured again
find_path(Hiredis_INCLUDE_DIR hiredis/hiredis_ssl.h PATHS ${NOSTRO_HOME}/hiredis/include NO_DEFAULT_PATH NO_CACHE)
set(Hiredis_LIBRARY ${_hiredis})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Hiredis REQUIRED_VARS Hiredis_LIBRARY Hiredis_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "tools/fetch/hiredis.sh brings it")
if(Hiredis_FOUND AND NOT TARGET Hiredis::hiredis)
  add_library(Hiredis::hiredis STATIC IMPORTED)
  set_target_properties(Hiredis::hiredis PROPERTIES IMPORTED_LOCATION ${Hiredis_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${Hiredis_INCLUDE_DIR}
                        INTERFACE_LINK_LIBRARIES "OpenSSL::SSL;OpenSSL::Crypto")
endif()
