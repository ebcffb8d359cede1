#!/usr/bin/env bash
# Fails when an object that was compiled for AVX2 or more exports a weak or unique symbol: the linker could
# hand such code to every caller, also on a CPU that lacks the instructions. Also fails when an instruction of a higher
# level is found in an object of a lower one.
#
#   scripts/check-isa-symbols.sh [build folder]    default: build, then build/tests
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-}
if [ -z "$folder" ]; then
  for candidate in build build/tests; do
    if [ -d "$candidate/CMakeFiles/lowp_kernels.dir" ]; then folder=$candidate; break; fi
  done
fi
objects=${folder:-build}/CMakeFiles/lowp_kernels.dir
if [ ! -d "$objects" ]; then
  echo "check-isa-symbols: no kernel objects below ${folder:-build}; run npm run build first" >&2
  exit 2
fi

failed=0
checked=0
report() {
  echo "$1" >&2
  failed=1
}

# Not grep -q, which stops reading: the signal that this gives objdump would count as "not found".
contains() {
  objdump -d --no-show-raw-insn "$1" | grep -E "$(printf '%b' "$2")" >/dev/null
}

# name pattern of the object, instructions that it must not contain
check() {
  local level=$1 forbidden=$2 object symbols
  while IFS= read -r object; do
    checked=$((checked + 1))
    symbols=$(nm -C "$object" | grep -E ' [WVu] ' || true)
    if [ -n "$symbols" ]; then report "$object exports weak symbols:"$'\n'"$symbols"; fi
    if [ -n "$forbidden" ] && contains "$object" "$forbidden"; then
      report "$object ($level) contains instructions of a higher level: $forbidden"
    fi
  done < <(find "$objects" -name "$level.cc.o" -o -name "*_$level.cc.o" | sort)
}

check avx2 '%zmm|%k[0-7]|vpdp'
# Without {vex} the product is encoded for AVX-512.
check avxvnni '%zmm|%k[0-7]|%[xy]mm(1[6-9]|[23][0-9])|\tvpdp'
check avx512 'vpdp'
check vnni '%tmm'
check amx ''

while IFS= read -r object; do
  checked=$((checked + 1))
  if contains "$object" '%[yz]mm'; then
    report "$object is meant for every x86-64 and contains AVX instructions"
  fi
done < <(find "$objects" -name '*.cc.o' | grep -vE '(/|_)(avx2|avxvnni|avx512|vnni|amx)\.cc\.o$' | sort)

if [ "$checked" -eq 0 ]; then report "no objects below $objects"; fi
if [ "$failed" -ne 0 ]; then exit 1; fi
echo "$checked kernel objects: no weak symbols, no instruction above its level"
