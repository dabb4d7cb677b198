# site.cmake - the documentation as HTML: target site. It takes a minute and needs Sphinx, so it has to be asked for.

option(RONDO_BUILD_SITE "Make and install the documentation site (needs Sphinx, MyST and furo)" OFF)
if(NOT RONDO_BUILD_SITE)
  return()
endif()
find_program(SPHINX_BUILD sphinx-build)
if(NOT SPHINX_BUILD)
  message(FATAL_ERROR "RONDO_BUILD_SITE needs sphinx-build: tools/install-deps release")
endif()

file(GLOB_RECURSE site_sources CONFIGURE_DEPENDS
     "${PROJECT_SOURCE_DIR}/docs/*" "${PROJECT_SOURCE_DIR}/include/*" "${PROJECT_SOURCE_DIR}/*.md"
     "${PROJECT_SOURCE_DIR}/examples-c/*" "${PROJECT_SOURCE_DIR}/examples-python/*")
list(FILTER site_sources EXCLUDE REGEX "/(build[^/]*|__pycache__)/")
set(site_stamp "${PROJECT_BINARY_DIR}/site.made")
add_custom_command(
  OUTPUT "${site_stamp}"
  COMMAND "${PROJECT_SOURCE_DIR}/tools/make-site" "${PROJECT_BINARY_DIR}/site"
  COMMAND "${CMAKE_COMMAND}" -E touch "${site_stamp}"
  DEPENDS ${site_sources} "${PROJECT_SOURCE_DIR}/tools/make-site" "${PROJECT_SOURCE_DIR}/tools/headers.py"
  COMMENT "Making the documentation site"
  VERBATIM)
add_custom_target(site ALL DEPENDS "${site_stamp}")

install(DIRECTORY "${PROJECT_BINARY_DIR}/site/" DESTINATION "${CMAKE_INSTALL_DOCDIR}/html" COMPONENT documentation)
