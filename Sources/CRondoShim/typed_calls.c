/* typed_calls.c - the exports that take arguments as printf() does, which Swift cannot define.
 *
 * Each reads its arguments into the frame of a call and goes on as the export without types does:
 * whatever that refuses, it drops the frame. */
#include "rondo_shim_ffi.h" /* not all of the shim: its rondo_lock() is the public header's type */

#include <rondo.h>
#include <stdarg.h>

#define EXPORT __attribute__((visibility("default")))

/* Make the frame of a call from what follows `signature`. */
#define FRAME(frame, fn, signature, status)                                                       \
    do {                                                                                          \
        va_list list;                                                                             \
        va_start(list, signature);                                                                \
        status = rondo_shim_typed_frame(fn, signature, &list, &frame);                            \
        va_end(list);                                                                             \
    } while (0)

EXPORT rondo_status rondo_loop_call_soon_typed(rondo_loop *loop, rondo_any_fn fn, const char *signature, ...)
{
    void *frame = NULL;
    rondo_status status;
    FRAME(frame, fn, signature, status);
    return rondo_shim_typed_soon(loop, frame, status);
}

EXPORT rondo_status rondo_loop_call_later_typed(rondo_loop *loop, int64_t delay_ns, rondo_any_fn fn,
                                                const char *signature, ...)
{
    void *frame = NULL;
    rondo_status status;
    FRAME(frame, fn, signature, status);
    return rondo_shim_typed_later(loop, delay_ns, frame, status);
}

EXPORT rondo_status rondo_loop_call_at_typed(rondo_loop *loop, int64_t when_ns, rondo_any_fn fn,
                                             const char *signature, ...)
{
    void *frame = NULL;
    rondo_status status;
    FRAME(frame, fn, signature, status);
    return rondo_shim_typed_at(loop, when_ns, frame, status);
}

EXPORT rondo_status rondo_loop_call_soon_threadsafe_typed(rondo_loop *loop, rondo_any_fn fn,
                                                          const char *signature, ...)
{
    void *frame = NULL;
    rondo_status status;
    FRAME(frame, fn, signature, status);
    return rondo_shim_typed_post(loop, frame, status);
}

EXPORT rondo_status rondo_loop_run_coroutine_threadsafe_typed(rondo_loop *loop,
                                                              rondo_thread_future **out_future,
                                                              rondo_any_fn fn, const char *signature, ...)
{
    void *frame = NULL;
    rondo_status status;
    FRAME(frame, fn, signature, status);
    return rondo_shim_typed_run(loop, out_future, frame, status);
}

EXPORT rondo_status rondo_loop_run_in_executor_typed(rondo_loop *loop, rondo_executor *executor,
                                                     rondo_future **out_future, rondo_any_fn fn,
                                                     const char *signature, ...)
{
    void *frame = NULL;
    rondo_status status;
    FRAME(frame, fn, signature, status);
    return rondo_shim_typed_job(loop, executor, out_future, frame, status);
}
