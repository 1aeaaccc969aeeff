# nostro_layer(NAME [FOLDER path] [EXCLUDE files] LINK targets...)
#
# Makes nostro::NAME of every .cpp in src/nostro/FOLDER (default: NAME). A folder that has only headers
# becomes an interface library, so that a layer may begin as a header.
function(nostro_layer name)
  cmake_parse_arguments(ARG "" "FOLDER" "EXCLUDE;LINK" ${ARGN})
  if(NOT ARG_FOLDER)
    set(ARG_FOLDER ${name})
  endif()
  set(dir ${PROJECT_SOURCE_DIR}/src/nostro/${ARG_FOLDER})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  foreach(file IN LISTS ARG_EXCLUDE)
    list(REMOVE_ITEM sources ${dir}/${file})
  endforeach()
  if(sources)
    add_library(nostro_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(nostro_${name} PRIVATE nostro_flags)
  else()
    add_library(nostro_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(nostro::${name} ALIAS nostro_${name})
  target_include_directories(nostro_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(nostro_${name} ${scope} ${ARG_LINK})
endfunction()

# nostro_copies_inline(NAME files...): what every payment passes through. Copies of some hundred bytes are made by a loop:
# g++ takes `rep movs` otherwise, which begins slowly and waits for what was just written.
function(nostro_copies_inline name)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    return()
  endif()
  set(strategy vector_loop:1024:noalign,libcall:-1:noalign)
  foreach(file IN LISTS ARGN)
    set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/nostro/${name}/${file} APPEND PROPERTY COMPILE_OPTIONS
                 -mmemcpy-strategy=${strategy} -mmemset-strategy=${strategy})
  endforeach()
endfunction()

# nostro_program(NAME SOURCES... LINK targets...): an executable under the project's flags.
function(nostro_program name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE nostro_flags ${ARG_LINK})
endfunction()

# nostro_test(NAME FOLDER path LINK targets...): one GoogleTest program of every *_test.cpp below
# tests/FOLDER; each test becomes a ctest entry, which may take TIMEOUT seconds (300). An empty folder makes nothing.
function(nostro_test name)
  cmake_parse_arguments(ARG "" "FOLDER;TIMEOUT" "LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${ARG_FOLDER}/*.cpp)
  if(NOT sources)
    return()
  endif()
  nostro_program(${name} ${sources} LINK ${ARG_LINK} GTest::gmock GTest::gtest_main rapidcheck)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_precompile_headers(${name} REUSE_FROM nostro_test_headers)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS ${name})
endfunction()
