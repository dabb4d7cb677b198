# tests.cmake - every program that is built around the library, and every test that ctest runs.
#
# Labels: contract (Tests/contract), example (examples-c), library (what the .so looks like),
# source (what the sources and headers look like). Sanitizer builds have the first two only.

set(test_environment
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0:allocator_may_return_null=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:die_after_fork=0:allocator_may_return_null=1")

function(rondo_test name label)
  add_test(NAME "${name}" COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties("${name}" PROPERTIES LABELS "${label}" TIMEOUT 300
                       ENVIRONMENT "${test_environment}")
endfunction()

# -- programs ------------------------------------------------------------------------------------

add_compile_options(-g) # in every build type: tests and examples ask for files and lines

file(GLOB contract_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/Tests/contract/*.c")
file(GLOB kit_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/Tests/kit/*.c")
file(GLOB example_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples-c/*.c")

if(kit_sources)
  add_library(rondo_kit OBJECT ${kit_sources})
  target_link_libraries(rondo_kit PRIVATE rondo Threads::Threads)
endif()

# Functions of very many types, for the tests of typed calls.
find_program(PYTHON3 python3)
set(typed_matrix "${PROJECT_SOURCE_DIR}/Tests/contract/generate-typed-matrix")
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/generated")
execute_process(COMMAND "${PYTHON3}" "${typed_matrix}" OUTPUT_FILE "${PROJECT_BINARY_DIR}/generated/typed_matrix.h")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${typed_matrix}")

foreach(source IN LISTS contract_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable("contract-${name}" "${source}")
  set_target_properties("contract-${name}" PROPERTIES
    OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/contract")
  target_include_directories("contract-${name}" PRIVATE "${PROJECT_SOURCE_DIR}/Tests/kit"
                             "${PROJECT_BINARY_DIR}/generated")
  target_link_libraries("contract-${name}" PRIVATE rondo Threads::Threads ${CMAKE_DL_LIBS})
  if(kit_sources)
    target_sources("contract-${name}" PRIVATE $<TARGET_OBJECTS:rondo_kit>)
  endif()
  rondo_test("contract/${name}" contract "$<TARGET_FILE:contract-${name}>")
endforeach()

# What the jobs of process pools are: libraries that know the public header and nothing else.
foreach(kind contract examples-c)
  set(library "process_jobs_${kind}")
  if(kind STREQUAL "contract")
    add_library("${library}" MODULE "${PROJECT_SOURCE_DIR}/Tests/contract/jobs/process_jobs.c")
    add_dependencies(contract-process_pool "${library}")
    add_dependencies(contract-alloc_failure "${library}")
  else()
    add_library("${library}" MODULE "${PROJECT_SOURCE_DIR}/examples-c/jobs/primes.c")
  endif()
  set_target_properties("${library}" PROPERTIES PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${kind}")
  target_include_directories("${library}" PRIVATE "${PROJECT_SOURCE_DIR}/include")
  add_dependencies("${library}" rondo_worker)
endforeach()
set_target_properties(process_jobs_contract PROPERTIES OUTPUT_NAME process_jobs)
set_target_properties(process_jobs_examples-c PROPERTIES OUTPUT_NAME primes)

# Some once more with everything in debug mode, where each object records who made it.
foreach(name alloc_failure fork misuse random_walk task task_group threads)
  if(TARGET "contract-${name}")
    rondo_test("debug/${name}" contract "$<TARGET_FILE:contract-${name}>")
    set_property(TEST "debug/${name}" APPEND PROPERTY ENVIRONMENT "RONDO_DEBUG=1" "RONDO_SYMBOLIZER=none")
  endif()
endforeach()

# isolated_lua needs Lua, which nothing else does.
pkg_check_modules(LUA QUIET IMPORTED_TARGET lua5.4)
if(NOT LUA_FOUND)
  message(STATUS "Skipped: examples-c/isolated_lua.c, because there is no lua5.4 (liblua5.4-dev)")
  list(FILTER example_sources EXCLUDE REGEX "isolated_lua\\.c$")
endif()

foreach(source IN LISTS example_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable("example-${name}" "${source}")
  set_target_properties("example-${name}" PROPERTIES
    OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples-c")
  target_link_libraries("example-${name}" PRIVATE rondo Threads::Threads)
  if(name STREQUAL "isolated_lua")
    target_link_libraries("example-${name}" PRIVATE PkgConfig::LUA)
  endif()
  set(expected "${PROJECT_SOURCE_DIR}/examples-c/expected/${name}.txt")
  if(EXISTS "${expected}")
    rondo_test("example/${name}" example "${PROJECT_SOURCE_DIR}/tools/run-example"
               "$<TARGET_FILE:example-${name}>" "${expected}")
  endif()
endforeach()

include(cmake/recipes.cmake)
include(cmake/tutorial.cmake)

# -- the library and its sources -----------------------------------------------------------------

if(EXISTS "${PROJECT_SOURCE_DIR}/Tests/parity/CMakeLists.txt")
  add_subdirectory("${PROJECT_SOURCE_DIR}/Tests/parity" Tests/parity)
endif()

if(RONDO_SANITIZE)
  return()
endif()

foreach(name hello line_client typed_calls)
  if(TARGET example-line_server)
    rondo_test(example/python-${name} example "${PROJECT_SOURCE_DIR}/tools/run-example"
               "${PROJECT_SOURCE_DIR}/examples-python/${name}.py"
               "${PROJECT_SOURCE_DIR}/examples-python/expected/${name}.txt")
    set_property(TEST example/python-${name} APPEND PROPERTY ENVIRONMENT
                 "RONDO_LIBRARY=$<TARGET_FILE:rondo>" "LINE_SERVER=$<TARGET_FILE:example-line_server>"
                 "PYTHONDONTWRITEBYTECODE=1")
  endif()
endforeach()
rondo_test(library/exports library "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/check-exports"
           "$<TARGET_FILE:rondo>" "${CMAKE_C_COMPILER}")
rondo_test(library/symbols library "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/update-symbols" --check
           "$<TARGET_FILE:rondo>")
rondo_test(library/hot-path library "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/hot-path"
           "$<TARGET_FILE:rondo>")
rondo_test(library/linkage library "${PROJECT_SOURCE_DIR}/Tests/headers/linkage"
           "$<TARGET_FILE:rondo>" "$<TARGET_SONAME_FILE_NAME:rondo>")
rondo_test(library/installed library "${PROJECT_SOURCE_DIR}/Tests/headers/installed"
           "${PROJECT_BINARY_DIR}" "${CMAKE_C_COMPILER}")
rondo_test(source/parity-table source "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/parity-table" --check)
rondo_test(source/dictionary source "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/make-dictionary" --check)
rondo_test(source/rooms source "${PROJECT_SOURCE_DIR}/tools/check-rooms" "${RONDO_SWIFTC}")
rondo_test(source/header-reader source "${PYTHON3}" "${PROJECT_SOURCE_DIR}/Tests/tools/headers_test.py")
if(TARGET man)
  rondo_test(source/man-pages source "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/check-man" --quick "${PROJECT_BINARY_DIR}")
endif()
rondo_test(source/snippets source "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/check-snippets" "${CMAKE_C_COMPILER}")
rondo_test(source/site-pages source "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/make-site" --pages
           "${PROJECT_BINARY_DIR}/site.pages")
rondo_test(source/headers source "${PROJECT_SOURCE_DIR}/Tests/headers/compile" "${RONDO_CLANG}")
set_property(TEST source/rooms source/headers APPEND PROPERTY ENVIRONMENT "LC_ALL=C")
