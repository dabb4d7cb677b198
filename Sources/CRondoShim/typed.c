/* typed.c - the values of typed calls: read from "..." or an array, passed on, caught.
 *
 * A plain call needs no libffi. On x86-64 and AArch64 integers and floating point numbers are put
 * into registers of their own, each kind in order, and a function looks only at those that it knows
 * of. So one call that loads all of them fits every function whose arguments are in registers, and
 * one function that looks at all of them can stand for every such function (functions.c). */
#include "rondo_shim.h"

#include <complex.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>

typedef void (*rondo_any_drop)(void *);

/* -- values in -------------------------------------------------------------------------------- */

static void set_float(void *cell, float value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value); /* the low half of the register, whose other half nobody reads */
    memcpy(cell, &bits, sizeof bits);
}

int32_t rondo_shim_read_list(const struct rondo_plan *plan, void *area, void *list)
{
    va_list *from = list;
    int32_t status = 0;
    for (size_t i = 0; i < plan->values; i++) {
        const struct rondo_value *value = &plan->value[i];
        void *cell = (char *)area + value->offset, *extra = (char *)area + value->extra;
        uint64_t *word = cell;
        switch (value->code) {
        case RONDO_CODE_BOOL: *word = va_arg(*from, int) != 0; break;
        case RONDO_CODE_I8: *word = (uint64_t)(int64_t)(int8_t)va_arg(*from, int); break;
        case RONDO_CODE_U8: *word = (uint8_t)va_arg(*from, int); break;
        case RONDO_CODE_I16: *word = (uint64_t)(int64_t)(int16_t)va_arg(*from, int); break;
        case RONDO_CODE_U16: *word = (uint16_t)va_arg(*from, int); break;
        case RONDO_CODE_I32: *word = (uint64_t)(int64_t)va_arg(*from, int32_t); break;
        case RONDO_CODE_U32: *word = va_arg(*from, uint32_t); break;
        case RONDO_CODE_I64:
        case RONDO_CODE_U64: *word = va_arg(*from, uint64_t); break;
        case RONDO_CODE_F32: set_float(cell, (float)va_arg(*from, double)); break;
        case RONDO_CODE_F64: *(double *)cell = va_arg(*from, double); break;
        case RONDO_CODE_LDOUBLE: *(long double *)cell = va_arg(*from, long double); break;
        case RONDO_CODE_C64: *(float _Complex *)cell = va_arg(*from, float _Complex); break;
        case RONDO_CODE_C128: *(double _Complex *)cell = va_arg(*from, double _Complex); break;
        case RONDO_CODE_STRUCT: {
            const void *given = va_arg(*from, const void *);
            if (given == NULL)
                status = -EINVAL;
            else
                memcpy(cell, given, value->size);
            break;
        }
        case RONDO_CODE_BYTES:
            *(void **)cell = va_arg(*from, void *);
            *(size_t *)extra = va_arg(*from, size_t);
            break;
        case RONDO_CODE_OWN:
            *(void **)cell = va_arg(*from, void *);
            *(rondo_any_drop *)extra = va_arg(*from, rondo_any_drop);
            break;
        default: *(void **)cell = va_arg(*from, void *);
        }
    }
    return status;
}

/* One value as it lies in memory, made as wide as a register. */
static void widen(const struct rondo_value *value, void *cell, const void *from)
{
    uint64_t *word = cell;
    switch (value->code) {
    case RONDO_CODE_BOOL: *word = *(const uint8_t *)from != 0; break;
    case RONDO_CODE_I8: *word = (uint64_t)(int64_t)*(const int8_t *)from; break;
    case RONDO_CODE_U8: *word = *(const uint8_t *)from; break;
    case RONDO_CODE_I16: *word = (uint64_t)(int64_t)*(const int16_t *)from; break;
    case RONDO_CODE_U16: *word = *(const uint16_t *)from; break;
    case RONDO_CODE_I32: *word = (uint64_t)(int64_t)*(const int32_t *)from; break;
    case RONDO_CODE_U32: *word = *(const uint32_t *)from; break;
    case RONDO_CODE_F32: set_float(cell, *(const float *)from); break;
    default: memcpy(cell, from, value->size);
    }
}

int32_t rondo_shim_read_array(const struct rondo_plan *plan, void *area, const void *const *args)
{
    int32_t status = 0;
    for (size_t i = 0; i < plan->values; i++) {
        const struct rondo_value *value = &plan->value[i];
        void *cell = (char *)area + value->offset, *extra = (char *)area + value->extra;
        const void *given = *args++, *second = NULL;
        memset(cell, 0, 8);
        if (given == NULL)
            status = -EINVAL;
        else
            widen(value, cell, given);
        if (value->code != RONDO_CODE_BYTES && value->code != RONDO_CODE_OWN)
            continue;
        second = *args++;
        memset(extra, 0, 8);
        if (second == NULL)
            status = -EINVAL;
        else
            memcpy(extra, second, 8);
    }
    return status;
}

void rondo_shim_point(const struct rondo_plan *plan, void *area, void **args)
{
    for (size_t i = 0; i < plan->values; i++) {
        *args++ = (char *)area + plan->value[i].offset;
        if (plan->value[i].code == RONDO_CODE_BYTES)
            *args++ = (char *)area + plan->value[i].extra;
    }
}

void rondo_shim_catch_closure(const struct rondo_plan *plan, void *area, void **values)
{
    for (size_t i = 0; i < plan->values; i++) {
        const struct rondo_value *value = &plan->value[i];
        memcpy((char *)area + value->offset, *values++, value->split ? 8 : value->size);
        if (value->split)
            memcpy((char *)area + value->offset + 8, *values++, 8);
        if (value->code == RONDO_CODE_BYTES)
            memcpy((char *)area + value->extra, *values++, sizeof(size_t));
    }
}

/* -- the call --------------------------------------------------------------------------------- */

#define INTS uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t
#define FLOATS double, double, double, double, double, double, double, double
#define GIVE_INTS i[0], i[1], i[2], i[3], i[4], i[5]
#define GIVE_FLOATS f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]
/* Most have at most two, and the areas of many calls that wait are then smaller. */
#define CALL(type)                                                                                \
    (plan->floats == 0  ? ((type(*)(INTS))fn)(GIVE_INTS)                                          \
     : plan->floats <= 2 ? ((type(*)(INTS, double, double))fn)(GIVE_INTS, f[0], f[1])              \
                         : ((type(*)(INTS, FLOATS))fn)(GIVE_INTS, GIVE_FLOATS))

void rondo_shim_call(const struct rondo_plan *plan, void (*fn)(void), void *area, void *result)
{
    const uint64_t *i = area;
    const double *f = (const double *)area + RONDO_INT_REGISTERS;
    if ((plan->flags & RONDO_PLAN_PLAIN) == 0)
        rondo_shim_call_ffi(plan, fn, area, result);
    else if (plan->result == RONDO_CODE_VOID)
        CALL(void);
    else if (plan->result == RONDO_CODE_F32)
        *(float *)result = CALL(float);
    else if (plan->result == RONDO_CODE_F64)
        *(double *)result = CALL(double);
    else
        *(uint64_t *)result = CALL(uint64_t);
}
