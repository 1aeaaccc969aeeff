# nostro_embed(TARGET NAME=path...)
#
# Puts files into a program as they are. nostro/base/embedded.hpp finds them by NAME. A path that does not
# exist is left out, so a part that has not been fetched never stops a build.
#
# The assembler copies the bytes (.incbin), which costs no compile time at any size; a C array of the same
# file takes seconds a megabyte. A changed file is a changed object (OBJECT_DEPENDS).
function(nostro_embed target)
  set(symbols "")
  set(rows "")
  set(files "")
  set(number 0)
  list(SORT ARGN)  # embedded_names() promises the alphabet's order
  foreach(pair IN LISTS ARGN)
    string(REGEX MATCH "^([^=]+)=(.+)$" matched "${pair}")
    if(NOT matched)
      message(FATAL_ERROR "nostro_embed: '${pair}' is not NAME=path")
    endif()
    set(name "${CMAKE_MATCH_1}")
    set(file "${CMAKE_MATCH_2}")
    if(NOT EXISTS "${file}")
      continue()
    endif()
    set(symbol "nostro_embedded_${number}")
    string(APPEND symbols
      "__asm__(\".pushsection .rodata\\n.hidden ${symbol}\\n.hidden ${symbol}_end\\n.global ${symbol}\\n.global ${symbol}_end\\n\"\n"
      "        \"${symbol}:\\n.incbin \\\"${file}\\\"\\n${symbol}_end:\\n.byte 0\\n.popsection\\n\");\n"
      "extern \"C\" [[gnu::visibility(\"hidden\")]] const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND rows "    {\"${name}\", ${symbol}, ${symbol}_end},\n")
    list(APPEND files "${file}")
    math(EXPR number "${number} + 1")
  endforeach()
  set(generated ${PROJECT_BINARY_DIR}/embedded/${target}.cpp)
  # Written only when it differs, so that a new configure run compiles nothing again.
  file(CONFIGURE OUTPUT ${generated} @ONLY CONTENT
"// Made by cmake/nostro_embed.cmake.
#include <array>

#include \"nostro/base/embedded.hpp\"

@symbols@
namespace nostro {
namespace {
constexpr std::array<EmbeddedFile, @number@> kFiles{{
@rows@}};
}  // namespace

std::span<const EmbeddedFile> embedded_files() { return kFiles; }

}  // namespace nostro
")
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE ${generated})
endfunction()

# Parts that tools/fetch brings stay in NOSTRO_HOME, outside the clone, so that every clone shares them.
if(DEFINED ENV{NOSTRO_HOME})
  set(NOSTRO_HOME $ENV{NOSTRO_HOME})
else()
  set(NOSTRO_HOME $ENV{HOME}/.cache/nostro)
endif()
