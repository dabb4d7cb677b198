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

# The servers once more, from outside: what ends them is a SIGINT, which only the last step takes for a good end.
foreach(name step6_server step7_group step8_executor)
  rondo_test("tutorial/visit-${name}" example "${tutorial}/visit" "$<TARGET_FILE:tutorial-${name}>" 1)
endforeach()
rondo_test(tutorial/visit-step9_shutdown example "${tutorial}/visit" "$<TARGET_FILE:tutorial-step9_shutdown>" 0
           "the house closes")
