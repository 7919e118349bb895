// Vectors of 64 bytes, 32 registers.
#pragma once
#define MC_TARGET avx512
#define MC_VECTOR_BYTES 64
#define MC_REGISTERS 32
