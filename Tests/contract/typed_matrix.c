/*
 * typed_matrix.c - typed calls and completers over very many types, against what the C compiler makes of
 * the same types (generate-typed-matrix). Each value has to arrive, each result has to come back.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <complex.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

struct typed_case {
    const char *signature;
    rondo_any_fn fn;
    void (*set)(void);
    rondo_status (*call)(rondo_loop *loop, rondo_thread_future **out);
    void (*use)(rondo_any_fn fn);
    void (*look)(void **args);
    void (*result)(void *result);
    const void *const *args;
    size_t count;
    size_t result_size;
    const void *result_value;
};

static int seen;
static const char *current;

#define SAME(a, b)                                                                                \
    do {                                                                                          \
        if (!((a) == (b)))                                                                        \
            kit_fail(__FILE__, __LINE__, "%s: %s is not %s", current, #a, #b);                   \
    } while (0)

#include "typed_matrix.h"

#define CASES (sizeof typed_cases / sizeof *typed_cases)

static void check_result(const struct typed_case *one, rondo_loop *loop, rondo_thread_future *future)
{
    _Alignas(16) char buffer[1024];
    while (!rondo_thread_future_is_done(future))
        kit_pass(loop);
    CHECK_EQ_INT(seen, 1);
    if (one->result_size == 0) {
        void *value = &seen;
        CHECK_OK(rondo_thread_future_result(future, 0, &value));
        CHECK_EQ_PTR(value, NULL);
    } else {
        CHECK_OK(rondo_thread_future_result_typed(future, 0, buffer, one->result_size));
        one->result(buffer);
        CHECK_STATUS(rondo_thread_future_result_typed(future, 0, buffer, one->result_size + 1), -ERANGE);
    }
    CHECK_OK(rondo_thread_future_release(future));
    seen = 0;
}

/* Every type behind the signature and in an array; results of every type. */
KIT_TEST_WITHIN(calls_of_every_type, 60)
{
    rondo_loop *loop = kit_loop();
    for (size_t i = 0; i < CASES; i++) {
        const struct typed_case *one = &typed_cases[i];
        rondo_thread_future *future = NULL;
        rondo_signature *signature = NULL;
        size_t count = 0, size = 0;
        current = one->signature;
        one->set();
        rondo_status status = one->call(loop, &future);
        if (status != RONDO_OK)
            kit_fail(__FILE__, __LINE__, "%s: %s", current, rondo_status_name(status));
        check_result(one, loop, future);
        CHECK_OK(rondo_signature_new(one->signature, &signature));
        CHECK_OK(rondo_signature_get_sizes(signature, &count, &size));
        CHECK_EQ_INT(count, one->count);
        CHECK_EQ_INT(size, one->result_size);
        CHECK_OK(rondo_loop_run_coroutine_threadsafe_typed_array(loop, one->fn, signature, one->args,
                                                                 one->count, &future));
        check_result(one, loop, future);
        CHECK_OK(rondo_loop_call_soon_typed_array(loop, one->fn, signature, one->args, one->count, NULL));
        CHECK_OK(rondo_signature_release(signature)); /* the call keeps what it needs */
        kit_pass(loop);
        CHECK_EQ_INT(seen, 1);
        seen = 0;
    }
    kit_note("signatures=%zu", CASES);
    kit_loop_end(loop);
}

static void check_completer(const struct typed_case *one, rondo_loop *loop, uint32_t flags)
{
    rondo_completer_options options = { .size = sizeof options, .flags = flags, .result = one->result_value };
    rondo_completer *completer = NULL;
    rondo_future *future = NULL;
    rondo_any_fn fn = NULL;
    void *args = NULL;
    uint64_t calls = 0, ignored = 0;
    current = one->signature;
    one->set();
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_OK(rondo_future_completer(future, one->signature, &options, NULL, NULL, &completer));
    CHECK_OK(rondo_completer_get_function(completer, &fn));
    one->use(fn);
    one->use(fn);
    kit_pass(loop);
    CHECK_OK(rondo_completer_get_counts(completer, &calls, &ignored));
    CHECK_EQ_INT(calls, 1);
    CHECK_EQ_INT(ignored, 1);
    CHECK_OK(rondo_completer_release(completer));
    CHECK_OK(rondo_future_result(future, &args)); /* it outlives the completer */
    one->look(args);
    CHECK_OK(rondo_future_release(future));
}

/* Every type arrives through a function that is handed out, the library's own or a closure. */
KIT_TEST_WITHIN(completers_of_every_type, 60)
{
    rondo_loop *loop = kit_loop();
    for (size_t i = 0; i < CASES; i++) {
        check_completer(&typed_cases[i], loop, 0);
        check_completer(&typed_cases[i], loop, RONDO_COMPLETER_CLOSURE);
    }
    kit_loop_end(loop);
}
