/*
 * The raw ring in a shared library that does nothing else: what call_soon would cost if the call into the
 * library and the callback out of it were all there is. No library can be faster than this.
 */
#define RING_ELSEWHERE
#include "ring.c"
