add_library(vtax_options INTERFACE)
target_compile_options(vtax_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Werror)
# GCC 12 warns of overlapping strings that do not overlap (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(vtax_options INTERFACE -Wno-restrict)
endif()
# A unity build (preset release) joins files, whose private names then seem to shadow each other's.
if(CMAKE_UNITY_BUILD)
  target_compile_options(vtax_options INTERFACE -Wno-shadow)
endif()
target_include_directories(vtax_options INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
target_compile_definitions(vtax_options INTERFACE VTAX_VERSION="${PROJECT_VERSION}")
if(VTAX_SANITIZE)
  # GCC sees uninitialised members of std::function in std::regex where it adds its checks.
  target_compile_options(vtax_options INTERFACE -fsanitize=${VTAX_SANITIZE} -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  target_link_options(vtax_options INTERFACE -fsanitize=${VTAX_SANITIZE})
endif()

# Code of tests, and what runs programs beside each other, does little itself and is compiled often: half of its part of a build. Not for a lab machine's
# PID 1 too, nor for sanitizers, which have a level of their own.
function(vtax_compile_quickly target)
  if(CMAKE_BUILD_TYPE STREQUAL Release)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# vtax_library(NAME [LINK targets...] [TEST_LINK targets...]): a static library of every .cpp in the folder, and beside it
# NAME_test of every *_test.cpp, registered with CTest.
function(vtax_library name)
  cmake_parse_arguments(arg "" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE vtax_options)
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_LINK})
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  endif()
  if(tests AND BUILD_TESTING)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${arg_TEST_LINK} vtax_options GTest::gtest_main GTest::gmock)
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(${name}_test PRIVATE VTAX_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    vtax_compile_quickly(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
