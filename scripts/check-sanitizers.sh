#!/usr/bin/env bash
# The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer, with the scalar and with the best kernels.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build/asan
cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DLOWP_SANITIZE=address,undefined -DLOWP_BUILD_TESTS=ON
cmake --build "$folder" --target lowp_tests -j "${LOWP_BUILD_JOBS:-2}"
for isa in avx2 native; do
  LOWP_MAX_ISA=$isa ASAN_OPTIONS=detect_leaks=1 "$folder/lowp_tests" --gtest_brief=1
done
