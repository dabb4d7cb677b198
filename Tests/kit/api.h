/*
 * api.h - every public function, read from the headers when a test starts.
 *
 * Tests of what holds for all of them (NULL, stale handles, wrong threads, forks) so never miss a
 * new one. All parameters of the API are integers and pointers, so one shape of call does.
 */
#ifndef KIT_API_H
#define KIT_API_H

#include "kit.h"

#define API_PARAMS 8

enum api_kind {
    API_VALUE,   /* an integer */
    API_OBJECT,  /* a handle: rondo_loop *, rondo_awaitable *, ... */
    API_OUT,     /* a pointer to a result */
    API_POINTER, /* any other pointer */
    API_FN,      /* a callback */
    API_DROP,
    API_ARG      /* what drop drops */
};

struct api_param {
    char type[64];
    char name[40];
    enum api_kind kind;
};

struct api_function {
    char name[64];
    char result[40];
    char contract[400];
    int count;
    struct api_param params[API_PARAMS];
    void *address;
};

extern struct api_function api_functions[];
/** Read include/rondo/ (RONDO_INCLUDE, or include/ in this directory or one above); how many functions. */
int api_load(void);
/** Call a function with raw arguments. */
uint64_t api_call(const struct api_function *function, const uint64_t *args);
/** Call visit(name, value text) for each #define of a RONDO_ number; how many. */
int api_constants(void (*visit)(const char *name, const char *text));

#endif
