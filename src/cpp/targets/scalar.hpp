// One value at a time: any CPU, and the path that shows what vectors must equal.
#pragma once
#define MC_TARGET scalar
#define MC_VECTOR_BYTES 0
#define MC_REGISTERS 16
