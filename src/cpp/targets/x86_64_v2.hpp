// Vectors of 16 bytes, 16 registers.
#pragma once
#define MC_TARGET x86_64_v2
#define MC_VECTOR_BYTES 16
#define MC_REGISTERS 16
