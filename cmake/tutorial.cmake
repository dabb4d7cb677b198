# tutorial.cmake - examples-c/tutorial: the programs of docs/tutorial, each run as the test tutorial/NAME.

set(tutorial "${PROJECT_SOURCE_DIR}/examples-c/tutorial")
file(GLOB tutorial_sources CONFIGURE_DEPENDS "${tutorial}/*.c")
foreach(source IN LISTS tutorial_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable("tutorial-${name}" "${source}")
  set_target_properties("tutorial-${name}" PROPERTIES
    OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples-c/tutorial")
  target_link_libraries("tutorial-${name}" PRIVATE rondo)
  rondo_test("tutorial/${name}" example "${PROJECT_SOURCE_DIR}/tools/run-example"
             "$<TARGET_FILE:tutorial-${name}>" "${tutorial}/expected/${name}.txt")
endforeach()
