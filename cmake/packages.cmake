# `cmake --build --preset release --target package`: a .deb, and a tarball that runs from any folder, in build/PRESET.
# CPack's own module is not included: its target would build all tests, and could not make the manuals first.
include(GNUInstallDirs)
install(TARGETS vtax RUNTIME DESTINATION bin)
# Where vtax looks for them: beside itself, or in ../lib/vtax.
install(TARGETS vtax_probe_v1 vtax_probe_v4 vtax_turns vtax_parallel_time vtax_vmrun LIBRARY DESTINATION lib/vtax)
install(FILES ${CMAKE_BINARY_DIR}/vtax-build.txt DESTINATION lib/vtax)
install(DIRECTORY ${CMAKE_BINARY_DIR}/manuals/man1 DESTINATION share/man)
install(FILES ${CMAKE_BINARY_DIR}/manuals/vtax.bash DESTINATION share/bash-completion/completions RENAME vtax)
install(FILES ${CMAKE_BINARY_DIR}/manuals/_vtax DESTINATION share/zsh/vendor-completions)
install(FILES ${CMAKE_BINARY_DIR}/manuals/vtax.fish DESTINATION share/fish/vendor_completions.d)
install(FILES ${CMAKE_BINARY_DIR}/manuals/vtax-top.service DESTINATION lib/systemd/system)
install(FILES packaging/grafana-vtax-top.json DESTINATION share/vtax)
install(DIRECTORY studies DESTINATION share/vtax FILES_MATCHING PATTERN "*.toml")
install(DIRECTORY servers DESTINATION share/vtax FILES_MATCHING PATTERN "*.toml")
install(DIRECTORY models DESTINATION share/vtax FILES_MATCHING PATTERN "*.model")
install(FILES README.md CHANGELOG.md DESTINATION share/doc/vtax)
install(DIRECTORY docs/ DESTINATION share/doc/vtax/docs)
install(FILES LICENSE DESTINATION share/doc/vtax RENAME copyright)

if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  set(package_architecture amd64)
else()
  set(package_architecture ${CMAKE_SYSTEM_PROCESSOR})
endif()
configure_file(cmake/cpack_settings.cmake.in ${CMAKE_BINARY_DIR}/cpack_settings.cmake @ONLY)
add_custom_target(package
  COMMAND ${CMAKE_COMMAND} -D BUILD=${CMAKE_BINARY_DIR} -D SOURCE=${PROJECT_SOURCE_DIR}
    -P ${PROJECT_SOURCE_DIR}/cmake/make_packages.cmake
  DEPENDS vtax vtax_lab_parts vtax_build_facts USES_TERMINAL VERBATIM)
