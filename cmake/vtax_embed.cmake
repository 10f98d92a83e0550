# vtax_embed(TARGET NAME files...): the files' bytes inside TARGET, as the function
#   const std::vector<vtax::EmbeddedFile>& vtax::embedded::NAME();
# declared by whoever uses it (core/embedded_file.h). The assembler takes the bytes in as they are, so
# a large file costs no compile time.
function(vtax_embed target name)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.cpp)
  set(blocks "")
  set(externs "")
  set(entries "")
  set(i 0)
  foreach(file IN LISTS ARGN)
    get_filename_component(path ${file} ABSOLUTE)
    get_filename_component(base ${file} NAME)
    set(symbol vtax_embedded_${name}_${i})
    string(APPEND blocks
      "asm(\".section .rodata\\n.balign 16\\n.global ${symbol}\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n\"\n"
      "    \".global ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n.previous\\n\");\n")
    string(APPEND externs "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND entries
      "      {\"${base}\", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}},\n")
    list(APPEND paths ${path})
    math(EXPR i "${i} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${generated} CONTENT [[
#include "core/embedded_file.h"

@externs@
@blocks@
namespace vtax::embedded {

const std::vector<EmbeddedFile>& @name@();

const std::vector<EmbeddedFile>& @name@() {
  static const std::vector<EmbeddedFile> all{
@entries@  };
  return all;
}

}  // namespace vtax::embedded
]] @ONLY)
  # On its own: what a unity build joins does not know what it depends on.
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS "${paths}" SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE ${generated})
endfunction()
