/* functions.c - C functions that are there already: each leads to a completer, by its number or by
 * what its caller was given as user data.
 *
 * They take every register that arguments come in (see typed.c), so any of them can be called as any
 * function whose arguments are in registers. No memory is made executable for that. */
#include "rondo_shim.h"

struct rondo_functions rondo_functions_;
struct rondo_function rondo_function_table_[RONDO_FUNCTIONS];

#define REGISTERS                                                                                 \
    uint64_t i0, uint64_t i1, uint64_t i2, uint64_t i3, uint64_t i4, uint64_t i5, double f0,      \
        double f1, double f2, double f3, double f4, double f5, double f6, double f7
#define PASS i0, i1, i2, i3, i4, i5, f0, f1, f2, f3, f4, f5, f6, f7

/* number: of a static function; or of the register that has the handle, behind those. Last, so that
 * all the registers stay as they are on the way here. */
__attribute__((noinline)) static uint64_t called(REGISTERS, uint64_t number)
{
    uint64_t ints[RONDO_INT_REGISTERS] = { i0, i1, i2, i3, i4, i5 };
    double floats[RONDO_FLOAT_REGISTERS] = { f0, f1, f2, f3, f4, f5, f6, f7 };
    if (number < RONDO_STATIC_FUNCTIONS)
        return rondo_functions_.called(number, ints, floats);
    return rondo_functions_.called_user(ints[number - RONDO_STATIC_FUNCTIONS], ints, floats);
}

#define FUNCTION(n) \
    static uint64_t function_##n(REGISTERS) { return called(PASS, n); }
#define TEN(with, t)                                                                              \
    with(t##0) with(t##1) with(t##2) with(t##3) with(t##4) with(t##5) with(t##6) with(t##7)       \
        with(t##8) with(t##9)
#define ALL(with)                                                                                 \
    with(0) with(1) with(2) with(3) with(4) with(5) with(6) with(7) with(8) with(9) TEN(with, 1)  \
        TEN(with, 2) TEN(with, 3) TEN(with, 4) TEN(with, 5) TEN(with, 6)
ALL(FUNCTION)

typedef uint64_t (*function)(REGISTERS);
#define ADDRESS(n) function_##n,
static const function functions[] = { ALL(ADDRESS) };

void *rondo_shim_static_function(uint32_t number) { return (void *)(uintptr_t)functions[number]; }

void *rondo_shim_user_function(uint32_t register_number)
{
    return (void *)(uintptr_t)functions[RONDO_STATIC_FUNCTIONS + register_number];
}
