/* ffi_gate.c - the only file that talks to libffi.
 *
 * Nothing of libffi is set up when the library is loaded: hardened systems refuse its closures,
 * and that must be the status of one call, not the reason why a program does not start. */
#include "rondo_shim.h"

#include <ffi.h>

#define ROUND16(n) (((n) + 15u) & ~15u)

int32_t rondo_shim_ffi_probe(void)
{
    ffi_cif cif;
    ffi_type *parameters[] = { &ffi_type_pointer };
    return ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_void, parameters) == FFI_OK;
}

/* -- plans ------------------------------------------------------------------------------------ */

static char cache[RONDO_CACHE_PLANS][RONDO_CACHE_BYTES] __attribute__((aligned(16)));

struct rondo_plan *rondo_shim_cached_plan(uint32_t number)
{
    return (struct rondo_plan *)(void *)cache[number % RONDO_CACHE_PLANS];
}

struct counts {
    size_t values, params, structs, elements;
};

static struct counts count_codes(const uint8_t *codes, size_t count)
{
    struct counts counts = { 0, 0, 0, 0 };
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        if (codes[i] == RONDO_CODE_VARIADIC)
            continue;
        if (codes[i] == RONDO_CODE_END) {
            depth--;
            continue;
        }
        if (depth > 0) {
            counts.elements++;
        } else if (i > 0) {
            /* A struct as the result begins at 0, and what is in it is deeper. */
            counts.values++;
            counts.params += codes[i] == RONDO_CODE_BYTES ? 2 : 1;
        }
        if (codes[i] == RONDO_CODE_STRUCT) {
            depth++;
            counts.structs++;
            counts.elements++; /* the NULL at its end */
        }
    }
    return counts;
}

/* Where the parts of a plan lie, one behind the other. */
struct layout {
    size_t cif, structs, params, elements, values, text, size;
};

static struct layout lay_out(struct counts counts, size_t text_size)
{
    struct layout at;
    at.cif = ROUND16(sizeof(struct rondo_plan));
    at.structs = at.cif + ROUND16(sizeof(ffi_cif));
    at.params = at.structs + counts.structs * sizeof(ffi_type);
    at.elements = at.params + (counts.params + 1) * sizeof(ffi_type *); /* one may be split */
    at.values = at.elements + counts.elements * sizeof(ffi_type *);
    at.text = at.values + counts.values * sizeof(struct rondo_value);
    at.size = ROUND16(at.text + text_size + 1);
    return at;
}

size_t rondo_shim_plan_size(const uint8_t *codes, size_t count, size_t text_size)
{
    struct counts counts = count_codes(codes, count);
    return counts.params > 127 ? 0 : lay_out(counts, text_size).size;
}

static ffi_type *scalar_type(uint8_t code)
{
    static ffi_type *const types[] = {
        [RONDO_CODE_VOID] = &ffi_type_void,     [RONDO_CODE_BOOL] = &ffi_type_uint8,
        [RONDO_CODE_I8] = &ffi_type_sint8,      [RONDO_CODE_U8] = &ffi_type_uint8,
        [RONDO_CODE_I16] = &ffi_type_sint16,    [RONDO_CODE_U16] = &ffi_type_uint16,
        [RONDO_CODE_I32] = &ffi_type_sint32,    [RONDO_CODE_U32] = &ffi_type_uint32,
        [RONDO_CODE_I64] = &ffi_type_sint64,    [RONDO_CODE_U64] = &ffi_type_uint64,
        [RONDO_CODE_F32] = &ffi_type_float,     [RONDO_CODE_F64] = &ffi_type_double,
        [RONDO_CODE_LDOUBLE] = &ffi_type_longdouble,
#ifdef FFI_TARGET_HAS_COMPLEX_TYPE
        [RONDO_CODE_C64] = &ffi_type_complex_float,
        [RONDO_CODE_C128] = &ffi_type_complex_double,
#endif
    };
    return code < sizeof types / sizeof *types ? types[code] : &ffi_type_pointer;
}

struct builder {
    const uint8_t *codes;
    size_t at, count;
    ffi_type *structs;
    ffi_type **elements;
};

/* A struct of nothing but a long double is returned where a long double is, which libffi does not do. */
static ffi_type *as_returned(ffi_type *type)
{
    ffi_type *inner = type;
#if defined(__x86_64__) || defined(__aarch64__)
    while (inner != NULL && inner->type == FFI_TYPE_STRUCT && inner->elements[0] != NULL &&
           inner->elements[1] == NULL)
        inner = inner->elements[0];
#endif
    return inner == &ffi_type_longdouble ? inner : type;
}

/* The next type; NULL if libffi has none for it. */
static ffi_type *build_type(struct builder *builder)
{
    uint8_t code = builder->codes[builder->at++];
    if (code != RONDO_CODE_STRUCT)
        return scalar_type(code);
    size_t members = 0, depth = 0;
    for (size_t i = builder->at; depth > 0 || builder->codes[i] != RONDO_CODE_END; i++) {
        members += depth == 0 && builder->codes[i] != RONDO_CODE_END;
        depth += builder->codes[i] == RONDO_CODE_STRUCT;
        depth -= builder->codes[i] == RONDO_CODE_END;
    }
    ffi_type *type = builder->structs++;
    ffi_type **elements = builder->elements;
    builder->elements += members + 1;
    *type = (ffi_type){ .type = FFI_TYPE_STRUCT, .elements = elements };
    for (size_t i = 0; i < members; i++)
        if ((elements[i] = build_type(builder)) == NULL)
            return NULL;
    elements[members] = NULL;
    builder->at++; /* its end */
    return ffi_get_struct_offsets(FFI_DEFAULT_ABI, type, NULL) == FFI_OK ? type : NULL;
}

static int is_float(uint8_t code) { return code == RONDO_CODE_F32 || code == RONDO_CODE_F64; }

static int is_wide(uint8_t code)
{
    return code == RONDO_CODE_LDOUBLE || code == RONDO_CODE_C64 || code == RONDO_CODE_C128 ||
           code == RONDO_CODE_STRUCT;
}

/* Whether all of it travels in registers, integers and floating point ones counted apart, as the
 * calling conventions of x86-64 and AArch64 have it. */
static int is_plain(struct rondo_plan *plan)
{
    unsigned ints = 0, floats = 0;
    for (size_t i = 0; i < plan->values; i++) {
        uint8_t code = plan->value[i].code;
        if (is_wide(code))
            return 0;
        if (code == RONDO_CODE_USER)
            plan->user = (uint8_t)ints;
        floats += is_float(code);
        ints += is_float(code) ? 0 : code == RONDO_CODE_BYTES ? 2 : 1;
    }
    plan->floats = (uint8_t)floats;
    return rondo_has_static_functions() && plan->fixed == plan->params && !is_wide(plan->result) &&
           ints <= RONDO_INT_REGISTERS && floats <= RONDO_FLOAT_REGISTERS;
}

/* -- a mistake of libffi's ------------------------------------------------------------------- */

/* libffi up to 3.4 at least, on x86-64: a struct whose first half goes into the last integer register
 * and whose second half goes into a floating point register is copied whole to the former, and so over
 * the first floating point register, behind it. Told of the two halves as two values, which
 * the ABI passes alike, it does right. That needs to know which registers are taken by then. */
#if defined(__x86_64__)

struct halves {
    uint8_t is_int[2]; /* by eightbytes */
    uint8_t in_memory;
};

static void classify(const ffi_type *type, size_t offset, struct halves *halves)
{
    if (type->size > 16 || type->type == FFI_TYPE_LONGDOUBLE) {
        halves->in_memory = 1;
    } else if (type->type == FFI_TYPE_STRUCT) {
        for (ffi_type **element = type->elements; *element != NULL; element++) {
            offset = (offset + (*element)->alignment - 1) / (*element)->alignment * (*element)->alignment;
            classify(*element, offset, halves);
            offset += (*element)->size;
        }
    } else if (type->type != FFI_TYPE_FLOAT && type->type != FFI_TYPE_DOUBLE && type->type != FFI_TYPE_COMPLEX) {
        halves->is_int[offset / 8] = 1;
    }
}

static void split_values(struct rondo_plan *plan, ffi_type *result, ffi_type **params)
{
    struct halves halves = { { 0, 0 }, 0 };
    unsigned ints = 0, floats = 0;
    classify(result, 0, &halves);
    ints = halves.in_memory && result->type == FFI_TYPE_STRUCT; /* where to write it */
    for (size_t i = 0, at = 0; i < plan->values; i++, at++) {
        struct rondo_value *value = &plan->value[i];
        unsigned more_ints, more_floats;
        halves = (struct halves){ { 0, 0 }, 0 };
        classify(params[at], 0, &halves);
        if (value->code == RONDO_CODE_BYTES) { /* two values already */
            ints += ints < RONDO_INT_REGISTERS;
            ints += ints < RONDO_INT_REGISTERS;
            at++;
            continue;
        }
        more_ints = halves.is_int[0] + (value->size > 8 && halves.is_int[1]);
        more_floats = !halves.is_int[0] + (value->size > 8 && !halves.is_int[1]);
        if (halves.in_memory || ints + more_ints > RONDO_INT_REGISTERS ||
            floats + more_floats > RONDO_FLOAT_REGISTERS)
            continue;
        if (value->code == RONDO_CODE_STRUCT && value->size > 8 && ints == RONDO_INT_REGISTERS - 1 &&
            halves.is_int[0] && !halves.is_int[1]) {
            memmove(&params[at + 2], &params[at + 1], (plan->told - at - 1) * sizeof *params);
            params[at++] = &ffi_type_uint64;
            params[at] = &ffi_type_double;
            value->split = 1;
            plan->told++;
        }
        ints += more_ints;
        floats += more_floats;
    }
}
#else
static void split_values(struct rondo_plan *plan, ffi_type *result, ffi_type **params)
{
    (void)plan, (void)result, (void)params;
}
#endif

static uint32_t float_room(const struct rondo_plan *plan)
{
    return plan->floats == 0 ? 0 : plan->floats <= 2 ? 16 : RONDO_FLOAT_REGISTERS * 8;
}

/* Give each value its place: of a plain plan that of its register, so that the area of a call is
 * the registers as they are to be. */
static int place_values(struct rondo_plan *plan)
{
    int plain = (plan->flags & RONDO_PLAN_PLAIN) != 0;
    uint32_t ints = 0, floats = RONDO_INT_REGISTERS * 8;
    uint32_t end = plain ? floats + float_room(plan) : 0;
    for (size_t i = 0; i < plan->values; i++) {
        struct rondo_value *value = &plan->value[i];
        uint32_t *next = !plain ? &end : is_float(value->code) ? &floats : &ints;
        if (is_wide(value->code))
            *next = ROUND16(*next);
        value->offset = (uint16_t)*next;
        *next += is_wide(value->code) ? ROUND16(value->size) : 8;
        if (value->code == RONDO_CODE_BYTES) {
            value->extra = (uint16_t)*next;
            *next += 8;
        }
        if (end > 32768)
            return -1;
    }
    for (size_t i = 0; i < plan->values; i++)
        if (plan->value[i].code == RONDO_CODE_OWN) {
            plan->value[i].extra = (uint16_t)end;
            end += 8;
        }
    plan->area = ROUND16(end);
    return 0;
}

static uint8_t flag_of(uint8_t code)
{
    switch (code) {
    case RONDO_CODE_STR:
    case RONDO_CODE_BYTES: return RONDO_PLAN_COPIES;
    case RONDO_CODE_OWN: return RONDO_PLAN_OWNS;
    case RONDO_CODE_USER: return RONDO_PLAN_USER;
    default: return 0;
    }
}

/* The values and their types; the number of parameters in front of "...", or -1. */
static int build_values(struct rondo_plan *plan, struct builder *builder, ffi_type **params)
{
    size_t values = 0, count = 0;
    int fixed = -1;
    while (builder->at < builder->count) {
        uint8_t code = builder->codes[builder->at];
        if (code == RONDO_CODE_VARIADIC) {
            fixed = (int)count;
            builder->at++;
            continue;
        }
        ffi_type *type = build_type(builder);
        if (type == NULL || type->size > 16384)
            return -1;
        plan->value[values++] = (struct rondo_value){ .code = code, .size = (uint16_t)type->size };
        plan->flags |= flag_of(code);
        plan->entries += code == RONDO_CODE_BYTES || code == RONDO_CODE_OWN ? 2 : 1;
        params[count++] = type;
        if (code == RONDO_CODE_BYTES)
            params[count++] = sizeof(size_t) == 8 ? &ffi_type_uint64 : &ffi_type_uint32;
    }
    return fixed < 0 ? (int)count : fixed;
}

int32_t rondo_shim_plan_build(struct rondo_plan *plan, const uint8_t *codes, size_t count,
                              const char *text, size_t text_size)
{
    struct counts counts = count_codes(codes, count);
    struct layout at = lay_out(counts, text_size);
    char *base = (char *)plan;
    ffi_type **params = (ffi_type **)(void *)(base + at.params);
    struct builder builder = { codes, 0, count, (ffi_type *)(void *)(base + at.structs),
                               (ffi_type **)(void *)(base + at.elements) };
    plan->text_size = (uint32_t)text_size;
    plan->text = memcpy(base + at.text, text, text_size);
    plan->text[text_size] = '\0';
    plan->values = (uint16_t)counts.values;
    plan->params = (uint16_t)counts.params;
    plan->entries = 0;
    plan->flags = 0;
    plan->value = (struct rondo_value *)(void *)(base + at.values);
    plan->cif = base + at.cif;
    plan->result = codes[0];
    ffi_type *result = as_returned(build_type(&builder));
    if (result == NULL || result->size > 16384)
        return -1;
    plan->result_size = plan->result == RONDO_CODE_VOID ? 0 : (uint32_t)result->size;
    int fixed = build_values(plan, &builder, params);
    if (fixed < 0)
        return -1;
    plan->fixed = (uint16_t)fixed;
    plan->told = plan->params;
    split_values(plan, result, params);
    if (is_plain(plan))
        plan->flags |= RONDO_PLAN_PLAIN;
    if (place_values(plan) < 0)
        return -1;
    ffi_status status = plan->fixed == plan->params
                            ? ffi_prep_cif(plan->cif, FFI_DEFAULT_ABI, plan->told, result, params)
                            : ffi_prep_cif_var(plan->cif, FFI_DEFAULT_ABI, plan->fixed, plan->params,
                                               result, params);
    return status == FFI_OK ? 0 : -1;
}

/* -- calls ------------------------------------------------------------------------------------ */

/* libffi takes narrow values as they lie in memory. */
static char *narrow(const struct rondo_value *value, char *cell)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return is_wide(value->code) || is_float(value->code) || value->size >= 8 ? cell : cell + 8 - value->size;
#else
    (void)value;
    return cell;
#endif
}

void rondo_shim_call_ffi(const struct rondo_plan *plan, void (*fn)(void), void *area, void *result)
{
    void *values[128];
    size_t count = 0;
    for (size_t i = 0; i < plan->values; i++) {
        const struct rondo_value *value = &plan->value[i];
        values[count++] = narrow(value, (char *)area + value->offset);
        if (value->split)
            values[count++] = (char *)area + value->offset + 8;
        if (value->code == RONDO_CODE_BYTES)
            values[count++] = (char *)area + value->extra;
    }
    ffi_call(plan->cif, fn, result, values);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    if (plan->result_size < sizeof(ffi_arg) && plan->result < RONDO_CODE_F32 && plan->result_size > 0)
        memmove(result, (char *)result + sizeof(ffi_arg) - plan->result_size, plan->result_size);
#endif
}

/* -- closures --------------------------------------------------------------------------------- */

static void closure_called(ffi_cif *cif, void *result, void **values, void *number)
{
    if (cif->rtype->type != FFI_TYPE_VOID)
        memset(result, 0, cif->rtype->size < sizeof(ffi_arg) ? sizeof(ffi_arg) : cif->rtype->size);
    rondo_functions_.called_closure((uintptr_t)number, values, result);
}

/* The lock of completers is held: libffi's own lock is then never held while the process forks. */
int32_t rondo_shim_prepare_closure(uint32_t number, const struct rondo_plan *plan)
{
    static ffi_cif nothing;
    struct rondo_function *function = rondo_function(number);
    if (function->closure == NULL)
        function->closure = ffi_closure_alloc(sizeof(ffi_closure), &function->code);
    if (function->closure == NULL)
        return -1;
    if (plan == NULL && ffi_prep_cif(&nothing, FFI_DEFAULT_ABI, 0, &ffi_type_void, NULL) != FFI_OK)
        return -1;
    return ffi_prep_closure_loc(function->closure, plan != NULL ? (ffi_cif *)plan->cif : &nothing,
                                closure_called, (void *)(uintptr_t)number, function->code) == FFI_OK
               ? 0
               : -1;
}
