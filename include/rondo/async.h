/*
 * rondo/async.h - a coroutine written as straight code. Macros over rondo/coroutine.h; nothing
 * else in the library needs them.
 *
 *     struct hello { RONDO_FRAME; int i; };  // local variables
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
 *
 * It goes on also with the two that are there to end the coroutine. After a cancellation there may be awaits
 * that clean up, and then it is raised on. RONDO_E_GENERATOR_EXIT says that the coroutine is closed, or that
 * nobody holds it any more: it can await nothing after that, so raise it before anything that would. (An
 * asynchronous generator that is closed with aclose can await then, but yields no more.)
 *
 * A part of a body under a timeout, in a cancel scope, or with a group of tasks, has a name of your
 * own choice, which its exit makes a label. Inside, the macros that end in _IN go to the exit when they fail:
 *
 *     RONDO_TIMEOUT_ENTER(self, self->limit, self->loop, 1000000);
 *     RONDO_AWAIT_IN(self, work, self->future);
 *     RONDO_TIMEOUT_EXIT(self, work, self->limit);
 *
 * Inside such a part no RONDO_AWAIT and no return: they would leave it without its exit. An error
 * that you dealt with inside is forgotten with "thrown = NULL".
 */
#ifndef RONDO_ASYNC_H
#define RONDO_ASYNC_H

#include <rondo/coroutine.h>
#include <rondo/generator.h>
#include <rondo/group.h>
#include <rondo/error.h>
#include <rondo/scope.h>
#include <rondo/wait.h>

/** The first member of a frame, which is zeroed at first: the line to go on from, and what tells
 * rondo_task_get_stack() that there is one. */
#define RONDO_FRAME int32_t rondo_line, rondo_mark

/** The head of a coroutine's body. */
#define RONDO_STEP(name)                                                                          \
    static rondo_step name(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)

/** The beginning of a coroutine's body: each step goes on from here to where the last one ended. */
#define RONDO_BEGIN(self)                                                                         \
    (void)sent;                                                                                   \
    (void)thrown;                                                                                 \
    switch ((self)->rondo_line) {                                                                 \
    case 0:                                                                                       \
        (self)->rondo_mark = 0x6F646E72;

/** The end of a coroutine's body: what comes to it returns NULL. */
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

/* ---- a part of a body ----------------------------------------------------------------------- */

/** End this step with an action; go on after it, or go to the exit of the part with what was thrown. */
#define RONDO_DO_IN(self, part, action)                                                           \
    do {                                                                                          \
        RONDO_SUSPEND_(self, action)                                                              \
        if (thrown != NULL)                                                                       \
            goto rondo_exit_##part;                                                               \
    } while (0)
/** Await, inside of a part. */
#define RONDO_AWAIT_IN(self, part, awaitable) \
    RONDO_DO_IN(self, part, rondo_coroutine_await(co, (awaitable)))
/** Await inside of a part, and let go of the reference. */
#define RONDO_AWAIT_MOVED_IN(self, part, awaitable) \
    RONDO_DO_IN(self, part, rondo_coroutine_await_moved(co, (awaitable)))
/** Sleep, inside of a part. */
#define RONDO_SLEEP_IN(self, part, delay_ns) \
    RONDO_DO_IN(self, part, rondo_coroutine_sleep(co, (delay_ns)))
/** Leave a part early, without an error. */
#define RONDO_LEAVE(part)                                                                         \
    do {                                                                                          \
        thrown = NULL;                                                                            \
        goto rondo_exit_##part;                                                                   \
    } while (0)

/** Make a timeout and enter it. It is released by its exit, or with the frame: see RONDO_CHECK. */
#define RONDO_TIMEOUT_ENTER(self, timeout, loop, delay_ns)                                        \
    do {                                                                                          \
        thrown = NULL;                                                                            \
        RONDO_CHECK(rondo_timeout_new((loop), (delay_ns), &(timeout)), "timeout");                \
        RONDO_CHECK(rondo_timeout_enter(timeout), "timeout");                                     \
    } while (0)
/** The end of a part under a timeout; go on after it, and error (owned, or NULL) tells what left it. */
#define RONDO_TRY_TIMEOUT_EXIT(self, part, timeout, error)                                        \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        if (0)                                                                                    \
            goto rondo_exit_##part; /* a part may fail nowhere: no warning about its label */     \
        (error) = NULL;                                                                           \
        RONDO_CHECK(rondo_timeout_exit((timeout), thrown, &(error)), "timeout");                  \
        rondo_timeout_release(timeout);                                                           \
        (timeout) = NULL;                                                                         \
    } while (0)
/** The end of a part under a timeout; go on after it, or leave with what left it. */
#define RONDO_TIMEOUT_EXIT(self, part, timeout)                                                   \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        rondo_error *rondo_left_;                                                                 \
        rondo_step rondo_step_;                                                                   \
        if (0)                                                                                    \
            goto rondo_exit_##part;                                                               \
        rondo_left_ = NULL;                                                                       \
        RONDO_CHECK(rondo_timeout_exit((timeout), thrown, &rondo_left_), "timeout");              \
        rondo_timeout_release(timeout);                                                           \
        (timeout) = NULL;                                                                         \
        if (rondo_left_ == NULL)                                                                  \
            break;                                                                                \
        rondo_step_ = rondo_coroutine_raise(co, rondo_left_);                                     \
        rondo_error_release(rondo_left_);                                                         \
        return rondo_step_;                                                                       \
    } while (0)

/** Make a cancel scope (options NULL: the defaults) and enter it. It is released by its exit, or with the frame. */
#define RONDO_CANCEL_SCOPE_ENTER(self, scope, loop, options)                                      \
    do {                                                                                          \
        thrown = NULL;                                                                            \
        RONDO_CHECK(rondo_cancel_scope_new((loop), (options), &(scope)), "cancel scope");         \
        RONDO_CHECK(rondo_cancel_scope_enter(scope), "cancel scope");                             \
    } while (0)
/** A part that is cut short after delay_ns, and then the body goes on behind it. */
#define RONDO_MOVE_ON_AFTER(self, scope, loop, delay_ns)                                          \
    do {                                                                                          \
        thrown = NULL;                                                                            \
        RONDO_CHECK(rondo_cancel_scope_new_after((loop), (delay_ns), NULL, &(scope)),             \
                    "cancel scope");                                                              \
        RONDO_CHECK(rondo_cancel_scope_enter(scope), "cancel scope");                             \
    } while (0)
/** A part that is cut short after delay_ns, and its exit raises RONDO_E_TIMEOUT then. */
#define RONDO_FAIL_AFTER(self, scope, loop, delay_ns)                                             \
    do {                                                                                          \
        rondo_cancel_scope_options rondo_options_ = { sizeof rondo_options_, 0, 0, 0 };           \
        rondo_options_.flags = RONDO_CANCEL_SCOPE_FAIL;                                           \
        thrown = NULL;                                                                            \
        RONDO_CHECK(rondo_cancel_scope_new_after((loop), (delay_ns), &rondo_options_, &(scope)),  \
                    "cancel scope");                                                              \
        RONDO_CHECK(rondo_cancel_scope_enter(scope), "cancel scope");                             \
    } while (0)
/** The end of a part in a cancel scope; go on after it, and error (owned, or NULL) tells what left it. */
#define RONDO_TRY_CANCEL_SCOPE_EXIT(self, part, scope, error)                                     \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        if (0)                                                                                    \
            goto rondo_exit_##part;                                                               \
        (error) = NULL;                                                                           \
        RONDO_CHECK(rondo_cancel_scope_exit((scope), thrown, &(error)), "cancel scope");          \
        thrown = NULL;                                                                            \
        rondo_cancel_scope_release(scope);                                                        \
        (scope) = NULL;                                                                           \
    } while (0)
/** The end of a part in a cancel scope; go on after it, or leave with what left it. */
#define RONDO_CANCEL_SCOPE_EXIT(self, part, scope)                                                \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        rondo_error *rondo_left_;                                                                 \
        rondo_step rondo_step_;                                                                   \
        if (0)                                                                                    \
            goto rondo_exit_##part;                                                               \
        rondo_left_ = NULL;                                                                       \
        RONDO_CHECK(rondo_cancel_scope_exit((scope), thrown, &rondo_left_), "cancel scope");      \
        thrown = NULL;                                                                            \
        rondo_cancel_scope_release(scope);                                                        \
        (scope) = NULL;                                                                           \
        if (rondo_left_ == NULL)                                                                  \
            break;                                                                                \
        rondo_step_ = rondo_coroutine_raise(co, rondo_left_);                                     \
        rondo_error_release(rondo_left_);                                                         \
        return rondo_step_;                                                                       \
    } while (0)

/** Make a task group and enter it. It is released by its exit, or with the frame. */
#define RONDO_TASK_GROUP_ENTER(self, group, loop)                                                 \
    do {                                                                                          \
        thrown = NULL;                                                                            \
        RONDO_CHECK(rondo_task_group_new((loop), &(group)), "task group");                        \
        RONDO_CHECK(rondo_task_group_enter(group), "task group");                                 \
    } while (0)
/** The end of a part with a task group: wait for the tasks; go on after it, and thrown tells. */
#define RONDO_TRY_TASK_GROUP_EXIT(self, part, group)                                              \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        rondo_coroutine *rondo_exit_;                                                             \
        if (0)                                                                                    \
            goto rondo_exit_##part;                                                               \
        rondo_exit_ = NULL;                                                                       \
        RONDO_CHECK(rondo_task_group_exit((group), thrown, &rondo_exit_), "task group");          \
        rondo_task_group_release(group);                                                          \
        (group) = NULL;                                                                           \
        RONDO_SUSPEND_(self, rondo_coroutine_await(co, rondo_exit_));                             \
    } while (0)
/** The end of a part with a task group: wait for the tasks; go on after it, or leave with what failed. */
#define RONDO_TASK_GROUP_EXIT(self, part, group)                                                  \
    RONDO_TRY_TASK_GROUP_EXIT(self, part, group);                                                 \
    if (thrown != NULL)                                                                           \
        return rondo_coroutine_raise(co, thrown)

/** The end of a part whose cleaning up awaits: whatever way the part was left, go on after it. What
 * left it is kept in error, which the frame's drop releases should the cleaning up fail. */
#define RONDO_FINALLY(self, part, error)                                                          \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        if (0)                                                                                    \
            goto rondo_exit_##part;                                                               \
        (error) = thrown;                                                                         \
        rondo_error_retain(error);                                                                \
    } while (0)
/** The end of the cleaning up: leave with what left the part, if anything. */
#define RONDO_END_FINALLY(self, error)                                                            \
    do {                                                                                          \
        rondo_step rondo_step_;                                                                   \
        if ((error) == NULL)                                                                      \
            break;                                                                                \
        rondo_step_ = rondo_coroutine_raise(co, (error));                                         \
        rondo_error_release(error);                                                               \
        (error) = NULL;                                                                           \
        return rondo_step_;                                                                       \
    } while (0)

/* ---- asynchronous generators ---------------------------------------------------------------- */

/** In a generator's body: yield a value; go on after it with what was sent in as sent, or leave. */
#define RONDO_YIELD_VALUE(self, value, drop) \
    RONDO_DO(self, rondo_coroutine_yield_value(co, (value), (drop)))
/** Yield a value; if the generator is closed meanwhile, thrown is the error. */
#define RONDO_TRY_YIELD_VALUE(self, value, drop) \
    RONDO_TRY(self, rondo_coroutine_yield_value(co, (value), (drop)))
/** Yield a value, inside of a part. */
#define RONDO_YIELD_VALUE_IN(self, part, value, drop) \
    RONDO_DO_IN(self, part, rondo_coroutine_yield_value(co, (value), (drop)))

#define RONDO_PASTE_(a, b) RONDO_PASTED_(a, b)
#define RONDO_PASTED_(a, b) a##b
#define RONDO_ASYNC_FOR_(self, generator, item, leave)                                            \
    for (;;)                                                                                      \
        if (((self)->rondo_line = __LINE__) != 0) {                                               \
            return rondo_coroutine_anext(co, (generator));                                        \
        case __LINE__:                                                                            \
            if (thrown != NULL) {                                                                 \
                if (rondo_error_get_status(thrown) != RONDO_E_STOP_ASYNC_ITERATION)               \
                    leave;                                                                        \
                thrown = NULL;                                                                    \
                break;                                                                            \
            }                                                                                     \
            (item) = sent;                                                                        \
            goto RONDO_PASTE_(rondo_body_, __LINE__);                                             \
        } else                                                                                    \
            RONDO_PASTE_(rondo_body_, __LINE__)                                                   \
                :
/** The head of a loop over a generator's values: RONDO_ASYNC_FOR(self, self->rows, self->row) { ... }
 *
 * item is borrowed until the next await; rondo_coroutine_take_sent() at the beginning of the loop
 * makes it yours. break and continue mean what they mean; break leaves the generator as it is, as
 * Python's does: to be closed, or released. What else the generator raises leaves the coroutine. */
#define RONDO_ASYNC_FOR(self, generator, item) \
    RONDO_ASYNC_FOR_(self, generator, item, return rondo_coroutine_raise(co, thrown))
/** The same inside of a part, to whose exit what the generator raises goes. */
#define RONDO_ASYNC_FOR_IN(self, part, generator, item) \
    RONDO_ASYNC_FOR_(self, generator, item, goto rondo_exit_##part)

/** The end of a part that uses a generator (contextlib.aclosing()): close it, whatever way the part is
 * left, and release it; go on after it, and thrown tells. */
#define RONDO_TRY_ACLOSING_EXIT(self, part, generator)                                            \
    rondo_exit_##part:                                                                            \
    do {                                                                                          \
        rondo_coroutine *rondo_exit_;                                                             \
        if (0)                                                                                    \
            goto rondo_exit_##part;                                                               \
        rondo_exit_ = NULL;                                                                       \
        RONDO_CHECK(rondo_async_generator_exit((generator), thrown, &rondo_exit_), "aclose");     \
        rondo_async_generator_release(generator);                                                 \
        (generator) = NULL;                                                                       \
        RONDO_SUSPEND_(self, rondo_coroutine_await(co, rondo_exit_));                             \
    } while (0)
/** The end of a part that uses a generator; go on after it, or leave with what left it. */
#define RONDO_ACLOSING_EXIT(self, part, generator)                                                \
    RONDO_TRY_ACLOSING_EXIT(self, part, generator);                                               \
    if (thrown != NULL)                                                                           \
        return rondo_coroutine_raise(co, thrown)

/** The same for a part inside of another one: what left it, or its closing, goes to the outer one's exit. */
#define RONDO_ACLOSING_EXIT_IN(self, part, generator, outer)                                      \
    RONDO_TRY_ACLOSING_EXIT(self, part, generator);                                               \
    if (thrown != NULL)                                                                           \
        goto rondo_exit_##outer

#endif
