// Vectors of 32 bytes, 16 registers.
#pragma once
#define MC_TARGET avx2
#define MC_VECTOR_BYTES 32
#define MC_REGISTERS 16
