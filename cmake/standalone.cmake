# Included when CMake is used without Node.js's addon: the shared C ABI, the tests, installation.
include(GNUInstallDirs)
