# install.cmake - what `cmake --install` puts where: library, headers, pkg-config and CMake package.

install(TARGETS rondo EXPORT rondo-targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime
        NAMELINK_COMPONENT development)
if(TARGET rondo_static)
  install(TARGETS rondo_static EXPORT rondo-targets
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
endif()
# The library looks for it there, wherever the tree is moved to.
install(TARGETS rondo_worker RUNTIME
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/rondo${RONDO_SOVERSION}" COMPONENT runtime)
install(FILES include/rondo.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
install(DIRECTORY include/rondo DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
        FILES_MATCHING PATTERN "*.h")

# rondo.pc finds its prefix from where it lies, so an installed tree may be moved. A distribution's
# stays where it is; with plain paths pkg-config leaves out those that compilers search anyway.
option(RONDO_RELOCATABLE "rondo.pc finds its prefix from where it lies" ON)
if(NOT RONDO_RELOCATABLE OR IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH pc_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
  set(pc_prefix "\${pcfiledir}/${pc_up}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/rondo.pc.in "${PROJECT_BINARY_DIR}/rondo.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/rondo.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rondo")
configure_package_config_file(cmake/rondo-config.cmake.in "${PROJECT_BINARY_DIR}/rondo-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
# Same soname, same ABI: any 0.y is compatible with what asks for less.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/rondo-config-version.cmake"
                                 COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/rondo-config.cmake"
              "${PROJECT_BINARY_DIR}/rondo-config-version.cmake"
        DESTINATION "${package_dir}" COMPONENT development)
install(EXPORT rondo-targets NAMESPACE rondo:: DESTINATION "${package_dir}" COMPONENT development)
