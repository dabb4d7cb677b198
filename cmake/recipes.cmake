# recipes.cmake - examples-c/adoption: other libraries made awaitable, each built if that library is here.
#
# A recipe whose library is missing is a test that says so and counts as skipped.

set(recipes "${PROJECT_SOURCE_DIR}/examples-c/adoption")

# rondo_recipe(NAME MODULE PACKAGE): recipe_NAME.c and await_NAME.c, with what pkg-config calls MODULE
# and Debian PACKAGE. MODULE is empty for what libc has.
function(rondo_recipe name module package)
  if(module)
    pkg_check_modules("RECIPE_${name}" QUIET IMPORTED_TARGET "${module}")
    if(NOT "${RECIPE_${name}_FOUND}")
      message(STATUS "recipe_${name} is left out: it needs ${package}")
      add_test(NAME "recipe/${name}" COMMAND sh -c "echo 'skipped: ${package} is not installed'; exit 77")
      set_tests_properties("recipe/${name}" PROPERTIES LABELS example SKIP_RETURN_CODE 77)
      return()
    endif()
  endif()
  add_executable("recipe-${name}" "${recipes}/recipe.c" "${recipes}/recipe_${name}.c"
                 "${recipes}/await_${name}.c")
  set_target_properties("recipe-${name}" PROPERTIES
    OUTPUT_NAME "recipe_${name}" RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples-c/adoption")
  target_link_libraries("recipe-${name}" PRIVATE rondo Threads::Threads)
  if(module)
    target_link_libraries("recipe-${name}" PRIVATE "PkgConfig::RECIPE_${name}")
  endif()
  rondo_test("recipe/${name}" example "${PROJECT_SOURCE_DIR}/tools/run-example"
             "$<TARGET_FILE:recipe-${name}>" "${recipes}/expected/recipe_${name}.txt")
  set_tests_properties("recipe/${name}" PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()

rondo_recipe(curl libcurl libcurl4-openssl-dev)
rondo_recipe(cares libcares libc-ares-dev)
rondo_recipe(postgres libpq libpq-dev)
rondo_recipe(sqlite sqlite3 libsqlite3-dev)
# glibc starts the threads that call back by itself, where ThreadSanitizer cannot see it, and dies in them.
if(NOT RONDO_SANITIZE STREQUAL "thread")
  rondo_recipe(getaddrinfo "" "")
endif()
