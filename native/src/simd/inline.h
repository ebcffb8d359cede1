// How functions in headers of ISA files are declared, inside an anonymous namespace: always inlined, never exported.
#pragma once

#define LOWP_INLINE inline __attribute__((always_inline))
