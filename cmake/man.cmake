# man.cmake - man pages, made of the headers' comments by tools/make-man: target man, part of all.

option(RONDO_BUILD_MAN "Make and install the man pages, if python3 is there" ON)
find_program(PYTHON3 python3)
if(RONDO_BUILD_MAN AND NOT PYTHON3)
  message(STATUS "Skipped: the man pages, because there is no python3")
endif()
if(NOT RONDO_BUILD_MAN OR NOT PYTHON3 OR RONDO_SANITIZE)
  return()
endif()

file(GLOB man_sources CONFIGURE_DEPENDS
     "${PROJECT_SOURCE_DIR}/include/*.h" "${PROJECT_SOURCE_DIR}/include/rondo/*.h"
     "${PROJECT_SOURCE_DIR}/examples-c/*.c")
set(man_stamp "${PROJECT_BINARY_DIR}/man/made")
add_custom_command(
  OUTPUT "${man_stamp}"
  COMMAND "${PYTHON3}" "${PROJECT_SOURCE_DIR}/tools/make-man" "${PROJECT_BINARY_DIR}/man"
  COMMAND "${CMAKE_COMMAND}" -E touch "${man_stamp}"
  DEPENDS ${man_sources} "${PROJECT_SOURCE_DIR}/tools/make-man" "${PROJECT_SOURCE_DIR}/tools/headers.py"
          "${PROJECT_SOURCE_DIR}/tools/roff.py" "${PROJECT_SOURCE_DIR}/tools/man-pages.list"
  COMMENT "Making the man pages"
  VERBATIM)
add_custom_target(man ALL DEPENDS "${man_stamp}")

install(DIRECTORY "${PROJECT_BINARY_DIR}/man/man3" "${PROJECT_BINARY_DIR}/man/man7"
        DESTINATION "${CMAKE_INSTALL_MANDIR}" COMPONENT development)
