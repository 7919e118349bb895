// Vectors of 16 bytes, 32 registers.
#pragma once
#define MC_TARGET neon
#define MC_VECTOR_BYTES 16
#define MC_REGISTERS 32
