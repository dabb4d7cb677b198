/* rondo_shim_ffi.h - typed calls and functions that complete: what C has to do of them.
 *
 * A signature becomes codes (Foreign/SignatureParser.swift), the codes become a plan (ffi_gate.c),
 * and by the plan values are read, calls made (typed.c) and arguments caught (functions.c). */
#ifndef RONDO_SHIM_FFI_H
#define RONDO_SHIM_FFI_H

#include <stddef.h>
#include <stdint.h>

#define RONDO_CODE_VOID 1
#define RONDO_CODE_BOOL 2
#define RONDO_CODE_I8 3
#define RONDO_CODE_U8 4
#define RONDO_CODE_I16 5
#define RONDO_CODE_U16 6
#define RONDO_CODE_I32 7
#define RONDO_CODE_U32 8
#define RONDO_CODE_I64 9
#define RONDO_CODE_U64 10
#define RONDO_CODE_F32 11
#define RONDO_CODE_F64 12
#define RONDO_CODE_LDOUBLE 13
#define RONDO_CODE_C64 14   /* float _Complex */
#define RONDO_CODE_C128 15  /* double _Complex */
#define RONDO_CODE_PTR 16
#define RONDO_CODE_STR 17   /* a C string, copied */
#define RONDO_CODE_BYTES 18 /* a pointer and a size_t, copied */
#define RONDO_CODE_OWN 19   /* a pointer, and what drops it */
#define RONDO_CODE_USER 20  /* where a completer finds itself */
#define RONDO_CODE_CORO 21  /* a coroutine, as a result */
#define RONDO_CODE_STRUCT 22
#define RONDO_CODE_END 23      /* of a struct */
#define RONDO_CODE_VARIADIC 24 /* what follows goes through "..." */

#define RONDO_INT_REGISTERS 6
#define RONDO_FLOAT_REGISTERS 8

/* One value that the caller gives, and where it lies in the area of a call. */
struct rondo_value {
    uint8_t code;
    uint8_t split; /* libffi is told of two values: see ffi_gate.c */
    uint16_t offset;
    uint16_t extra; /* bytes: where the size lies; own: where the drop lies */
    uint16_t size;
};

#define RONDO_PLAN_PLAIN 1  /* every value fits into a register: no libffi needed */
#define RONDO_PLAN_COPIES 2 /* has str or bytes */
#define RONDO_PLAN_OWNS 4   /* has own */
#define RONDO_PLAN_USER 8   /* has user */

/* A signature that has been prepared. It never changes. */
struct rondo_plan {
    uint64_t hash;
    uint32_t state; /* of one in the cache: 0 free, 1 being written, 2 there */
    uint32_t text_size;
    uint16_t values;
    uint16_t entries; /* of an array of arguments: bytes and own count twice */
    uint16_t params;  /* of the C function */
    uint16_t fixed;   /* of these, in front of "..." */
    uint16_t told;    /* what libffi is told of; one more if a value is split */
    uint32_t area;    /* bytes that the values of one call need */
    uint32_t result_size;
    uint8_t result;
    uint8_t flags;
    uint8_t floats;
    uint8_t user; /* which integer register has the completer */
    struct rondo_value *value;
    char *text;
    void *cif;
};

/* How many bytes the plan of these codes takes, 0 if there are too many of something. */
size_t rondo_shim_plan_size(const uint8_t *codes, size_t count, size_t text_size);
/* Write it; 0, or -1 if its values are too large or libffi does not know how. */
int32_t rondo_shim_plan_build(struct rondo_plan *plan, const uint8_t *codes, size_t count,
                              const char *text, size_t text_size);

/* Plans that stay. Static, so that they are nobody's memory and nobody has to count who uses them. */
#define RONDO_CACHE_PLANS 256
#define RONDO_CACHE_BYTES 768
struct rondo_plan *rondo_shim_cached_plan(uint32_t number);

/* -- typed.c: values in, values out ----------------------------------------------------------- */

/* list: a va_list *. 0 or -EINVAL (NULL for a struct); all is read in either case. */
int32_t rondo_shim_read_list(const struct rondo_plan *plan, void *area, void *list);
int32_t rondo_shim_read_array(const struct rondo_plan *plan, void *area, const void *const *args);
/* Write where the entries of an array of arguments lie. */
void rondo_shim_point(const struct rondo_plan *plan, void *area, void **args);
/* Call fn with the values of the area; result has room for result_size, made a multiple of 16. */
void rondo_shim_call(const struct rondo_plan *plan, void (*fn)(void), void *area, void *result);
void rondo_shim_call_ffi(const struct rondo_plan *plan, void (*fn)(void), void *area, void *result);
void rondo_shim_catch_closure(const struct rondo_plan *plan, void *area, void **values);

/* -- what typed_calls.c calls: Api/TypedApi.swift ---------------------------------------------- */

/* Make the frame of a call from a va_list *. */
int32_t rondo_shim_typed_frame(void (*fn)(void), const char *signature, void *list, void **out_frame);
/* Schedule it. If `made` is not RONDO_OK there is none, and the answer is that, or what is wrong with
 * the loop, which comes first. */
int32_t rondo_shim_typed_soon(void *loop, void *frame, int32_t made);
int32_t rondo_shim_typed_later(void *loop, int64_t delay_ns, void *frame, int32_t made);
int32_t rondo_shim_typed_at(void *loop, int64_t when_ns, void *frame, int32_t made);
int32_t rondo_shim_typed_post(void *loop, void *frame, int32_t made);
int32_t rondo_shim_typed_job(void *loop, void *executor, void *out_future, void *frame, int32_t made);
int32_t rondo_shim_typed_run(void *loop, void *out_future, void *frame, int32_t made);

/* -- functions.c: C functions that lead to completers ------------------------------------------ */

#define RONDO_STATIC_FUNCTIONS 64
#define RONDO_FUNCTIONS 8192

/* A function that is handed out without user data: one of the library's own, or a closure of libffi. */
struct rondo_function {
    uint64_t completer; /* any thread; address, 0 if it is nobody's */
    void *closure;
    void *code;
    uint32_t next; /* in the line of free ones; under the lock of completers */
    uint32_t pad;
};

struct rondo_functions {
    /* What is called: by number, by the completer's handle, by number with libffi's pointers. */
    uint64_t (*called)(uint64_t number, const uint64_t *ints, const double *floats);
    uint64_t (*called_user)(uint64_t handle, const uint64_t *ints, const double *floats);
    void (*called_closure)(uint64_t number, void **values, void *result);
    uint32_t made;                /* closures */
    uint32_t static_head, static_tail, static_used;   /* the longest free is taken first */
    uint32_t closure_head, closure_tail;
};
extern struct rondo_functions rondo_functions_;
static inline struct rondo_functions *rondo_functions(void) { return &rondo_functions_; }
extern struct rondo_function rondo_function_table_[RONDO_FUNCTIONS];
static inline struct rondo_function *rondo_function(uint32_t number)
{
    return &rondo_function_table_[number % RONDO_FUNCTIONS];
}

/* 1 where a static function can stand for any plain signature. */
static inline int32_t rondo_has_static_functions(void)
{
#if (defined(__x86_64__) && !defined(__ILP32__)) || (defined(__aarch64__) && !defined(__ILP32__))
    return 1;
#else
    return 0;
#endif
}
void *rondo_shim_static_function(uint32_t number);
void *rondo_shim_user_function(uint32_t register_number);
/* Let closure `number` be of this plan, of void(void) with NULL. 0; -1 if the system allows none. */
int32_t rondo_shim_prepare_closure(uint32_t number, const struct rondo_plan *plan);

#endif
