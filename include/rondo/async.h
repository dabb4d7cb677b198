/*
 * rondo/async.h - a coroutine written as straight code. Macros over rondo/coroutine.h; nothing
 * else in the library needs them.
 *
 *     struct hello { RONDO_FRAME; int i; };           // local variables live in the frame
 *
 *     RONDO_STEP(hello_step)
 *     {
 *         struct hello *self = frame;
 *         RONDO_BEGIN(self);
 *         for (self->i = 0; self->i < 3; self->i++) {
 *             puts("hello");
 *             RONDO_SLEEP(self, 1000000);
 *         }
 *         RONDO_END(self);
 *     }
 *
 * A switch is under the hood: no RONDO_ macro inside a switch of your own, at most one per line,
 * and C variables do not survive an await. Inside, these names exist: co, frame, sent, thrown.
 * An await whose awaited thing fails leaves the coroutine with that error; cleaning up is the
 * job of the frame's drop. RONDO_TRY_AWAIT goes on instead, and thrown tells.
 */
#ifndef RONDO_ASYNC_H
#define RONDO_ASYNC_H

#include <rondo/coroutine.h>

/** The first member of a frame. */
#define RONDO_FRAME int32_t rondo_line

/** The head of a coroutine's body. */
#define RONDO_STEP(name)                                                                          \
    static rondo_step name(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)

#define RONDO_BEGIN(self)                                                                         \
    (void)sent;                                                                                   \
    (void)thrown;                                                                                 \
    switch ((self)->rondo_line) {                                                                 \
    case 0:

#define RONDO_END(self)                                                                           \
    }                                                                                             \
    return rondo_coroutine_return(co, NULL, NULL)

#define RONDO_SUSPEND_(self, action)                                                              \
    (self)->rondo_line = __LINE__;                                                                \
    return (action);                                                                              \
    case __LINE__:

/** End this step with an action; go on after it, thrown or not. */
#define RONDO_TRY(self, action)                                                                   \
    do {                                                                                          \
        RONDO_SUSPEND_(self, action);                                                             \
    } while (0)

/** End this step with an action; go on after it, or leave with what was thrown. */
#define RONDO_DO(self, action)                                                                    \
    do {                                                                                          \
        RONDO_SUSPEND_(self, action)                                                              \
        if (thrown != NULL)                                                                       \
            return rondo_coroutine_raise(co, thrown);                                             \
    } while (0)

/** Await a future, task or coroutine; its result is in sent. */
#define RONDO_AWAIT(self, awaitable) RONDO_DO(self, rondo_coroutine_await(co, (awaitable)))
/** Await, and let go of the reference. */
#define RONDO_AWAIT_MOVED(self, awaitable) \
    RONDO_DO(self, rondo_coroutine_await_moved(co, (awaitable)))
/** Await; if it failed or the coroutine is cancelled, thrown is the error. */
#define RONDO_TRY_AWAIT(self, awaitable) RONDO_TRY(self, rondo_coroutine_await(co, (awaitable)))
/** Await, let go of the reference; if it failed, thrown is the error. */
#define RONDO_TRY_AWAIT_MOVED(self, awaitable) \
    RONDO_TRY(self, rondo_coroutine_await_moved(co, (awaitable)))
/** Sleep. */
#define RONDO_SLEEP(self, delay_ns) RONDO_DO(self, rondo_coroutine_sleep(co, (delay_ns)))
/** Give the loop one pass. */
#define RONDO_YIELD(self) RONDO_DO(self, rondo_coroutine_yield(co, NULL))
/** Return a value that needs no drop. */
#define RONDO_RETURN(value) return rondo_coroutine_return(co, (value), NULL)
/** Raise a new error of the program's own. */
#define RONDO_RAISE(code, message) \
    return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, (code), (message))
/** Leave with an error if a call failed; operation names it. */
#define RONDO_CHECK(call, operation)                                                              \
    do {                                                                                          \
        rondo_status rondo_status_ = (call);                                                      \
        if (rondo_status_ != RONDO_OK)                                                            \
            return rondo_coroutine_raise_status(co, rondo_status_, (operation));                  \
    } while (0)

#endif
