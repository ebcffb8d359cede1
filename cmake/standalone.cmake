# Included when CMake is used without Node.js's addon: the shared C interface, the tests, installation.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
option(LOWP_BUILD_TESTS "Build lowp_tests and the test of the C interface" ON)

target_include_directories(lowp_core PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/native/include>)

add_library(lowp SHARED ${LOWP_CAPI_SOURCES})
target_compile_definitions(lowp PUBLIC LOWP_SHARED)
target_include_directories(lowp PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/native/include> $<INSTALL_INTERFACE:include>)
target_link_libraries(lowp PRIVATE lowp_core)
set_target_properties(lowp PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 EXPORT_NAME shared)
add_library(lowp::shared ALIAS lowp)

if(LOWP_BUILD_TESTS)
  enable_testing()
  add_executable(lowp_capi_test native/test/capi_test.c)
  target_link_libraries(lowp_capi_test PRIVATE lowp lowp_flags)
  add_test(NAME capi COMMAND lowp_capi_test)

  find_package(GTest QUIET)
  if(GTest_FOUND)
    file(GLOB_RECURSE lowp_test_sources CONFIGURE_DEPENDS native/src/*_test.cc native/test/*_test.cc)
    add_executable(lowp_tests ${lowp_test_sources})
    target_include_directories(lowp_tests PRIVATE native/test)
    target_link_libraries(lowp_tests PRIVATE lowp_core GTest::gtest GTest::gtest_main)
    foreach(isa scalar avx2 avx512 native)
      add_test(NAME kernels_${isa} COMMAND lowp_tests --gtest_brief=1)
      set_tests_properties(kernels_${isa} PROPERTIES ENVIRONMENT LOWP_MAX_ISA=${isa})
    endforeach()
  else()
    message(STATUS "GoogleTest was not found: lowp_tests is left out (Debian: libgtest-dev)")
  endif()
endif()

install(TARGETS lowp_base lowp_kernels lowp_core lowp EXPORT lowp_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES native/include/lowp/lowp.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lowp)
install(EXPORT lowp_targets NAMESPACE lowp:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/lowp)
configure_package_config_file(cmake/lowp-config.cmake.in lowp-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/lowp)
write_basic_package_version_file(lowp-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lowp-config.cmake ${PROJECT_BINARY_DIR}/lowp-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/lowp)
