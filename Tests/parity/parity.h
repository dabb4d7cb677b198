/*
 * parity.h - what the C halves of the parity scenarios share; parity.py says the same in Python.
 *
 * Values are texts (const char *), NULL is None. A failure of the scaffolding itself ends the
 * program with status 2, so it can never look like a transcript.
 */
#ifndef PARITY_H
#define PARITY_H

#include <rondo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS 1000000LL
#define UNUSED __attribute__((unused))

/* The loop of the scenario. */
static rondo_loop *loop;

#define MUST(call)                                                                                \
    do {                                                                                          \
        rondo_status must_ = (call);                                                              \
        if (must_ != RONDO_OK) {                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,                         \
                    rondo_status_name(must_));                                                    \
            exit(2);                                                                              \
        }                                                                                         \
    } while (0)

/* One frame for all bodies; each uses what it needs. Frames are static, hence zeroed at the start. */
struct frame {
    RONDO_FRAME;
    const char *name;
    int i, n;
    rondo_future *f, *g;
    rondo_task *t, *u;
    rondo_coroutine *c, *d;
};

/* The beginning of each body. */
#define SELF                                                                                      \
    struct frame *self = frame;                                                                   \
    RONDO_BEGIN(self)

/* ---- saying ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static UNUSED void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* A message without what differs from run to run: everything from the first '<' on. */
static UNUSED const char *brief(const char *message)
{
    static char text[256];
    size_t length;

    if (message == NULL)
        return "";
    if (strncmp(message, "Exception in callback", 21) == 0)
        return "Exception in callback";
    length = strcspn(message, "<");
    if (length >= sizeof text)
        length = sizeof text - 1;
    while (length > 0 && strchr(": ", message[length - 1]) != NULL)
        length--;
    memcpy(text, message, length);
    text[length] = '\0';
    return text;
}

/* CPython's class for a status. */
static UNUSED const char *class_of(rondo_status status)
{
    switch (status) {
    case RONDO_E_CANCELLED: return "CancelledError";
    case RONDO_E_TIMEOUT: return "TimeoutError";
    case RONDO_E_INVALID_STATE: return "InvalidStateError";
    case RONDO_E_TYPE: return "TypeError";
    case RONDO_E_ALREADY_RUNNING: return "ValueError";
    case RONDO_E_GENERATOR_EXIT: return "GeneratorExit";
    case RONDO_E_EXIT: return "SystemExit";
    case RONDO_E_STOP_ITERATION: return "StopIteration";
    case RONDO_E_STOP_ASYNC_ITERATION: return "StopAsyncIteration";
    case RONDO_E_USER: return "Boom";
    case RONDO_E_QUEUE_EMPTY: return "QueueEmpty";
    case RONDO_E_QUEUE_FULL: return "QueueFull";
    case RONDO_E_QUEUE_SHUT_DOWN: return "QueueShutDown";
    case RONDO_E_BROKEN_BARRIER: return "BrokenBarrierError";
    default: return status >= -20099 && status <= -20000 ? "RuntimeError" : "OSError";
    }
}

static UNUSED void say_error(const char *label, rondo_error *error)
{
    rondo_status status = rondo_error_get_status(error);
    const char *message = brief(rondo_error_get_message(error));

    /* An error made without a message has its code's own sentence; in Python it has none. */
    if (status == RONDO_E_CANCELLED || status == RONDO_E_TIMEOUT || status == RONDO_E_GENERATOR_EXIT ||
        status == RONDO_E_QUEUE_SHUT_DOWN || status == RONDO_E_STOP_ASYNC_ITERATION)
        if (strcmp(message, rondo_status_message(status)) == 0)
            message = "";
    say("%s: %s%s%s", label, class_of(status), *message ? ": " : "", message);
}

/* Say whether a call was allowed. Of most errors only the class: a bare status has no message. */
static UNUSED void attempt(const char *label, rondo_status status)
{
    switch (status) {
    case RONDO_OK:
        say("%s: ok", label);
        break;
    case RONDO_E_LOOP_CLOSED:
    case RONDO_E_LOOP_RUNNING:
    case RONDO_E_OTHER_LOOP_RUNNING:
    case RONDO_E_LOOP_STOPPED:
    case RONDO_E_NO_LOOP:
    case RONDO_E_ALREADY_AWAITED:
        say("%s: RuntimeError: %s", label, rondo_status_message(status));
        break;
    default:
        say("%s: %s", label, class_of(status));
    }
}

static UNUSED const char *text(void *value)
{
    return value != NULL ? value : "None";
}

/* Say how an awaitable that is a future or a task ended. */
static UNUSED void outcome(const char *label, void *awaitable)
{
    char raised[100];
    rondo_future *future = awaitable;
    rondo_error *error = NULL;
    void *value = NULL;
    int32_t state;

    MUST(rondo_future_get_state(future, &state));
    switch (state) {
    case RONDO_FUTURE_PENDING:
        say("%s: pending", label);
        break;
    case RONDO_FUTURE_CANCELLED:
        say("%s: cancelled", label);
        break;
    case RONDO_FUTURE_EXCEPTION:
        MUST(rondo_future_exception(future, &error));
        snprintf(raised, sizeof raised, "%s: raised", label);
        say_error(raised, error);
        rondo_error_release(error);
        break;
    default:
        MUST(rondo_future_result(future, &value));
        say("%s: result %s", label, text(value));
    }
}

static UNUSED void print_report(rondo_loop *of, rondo_exception_context *context, void *arg)
{
    rondo_error *error = rondo_exception_context_get_error(context);

    (void)of;
    (void)arg;
    say("handler: %s", brief(rondo_exception_context_get_message(context)));
    if (error != NULL)
        say_error("handler: exception", error);
}

/* ---- making ---------------------------------------------------------------------------------- */

static UNUSED rondo_loop *new_loop(void)
{
    rondo_loop *made = NULL;

    alarm(30); /* a scenario that hangs must end by itself */
#ifdef VIRTUAL_TIME /* defined by scenarios that sleep: Python waits, rondo's clock jumps */
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_VIRTUAL_CLOCK };
    MUST(rondo_loop_new(&options, &made));
#else
    MUST(rondo_loop_new(NULL, &made));
#endif
    MUST(rondo_loop_set_exception_handler(made, print_report, NULL, NULL));
    return made;
}

static UNUSED int finish(void)
{
    MUST(rondo_loop_close(loop, NULL));
    MUST(rondo_loop_release(loop));
    return 0;
}

static UNUSED rondo_future *new_future(void)
{
    rondo_future *made = NULL;

    MUST(rondo_future_new(loop, &made));
    return made;
}

static UNUSED rondo_error *new_error(const char *message)
{
    rondo_error *made = NULL;

    MUST(rondo_error_new(RONDO_DOMAIN_USER, 1, message, &made));
    return made;
}

static UNUSED rondo_coroutine *new_coroutine(const char *name, rondo_step_fn step,
                                             struct frame *frame)
{
    rondo_coroutine *made = NULL;

    MUST(rondo_coroutine_new(name, step, frame, NULL, &made));
    return made;
}

/* A future moves its value; a text that lives as long as the program needs no drop. */
static UNUSED void set(rondo_future *future, const char *value)
{
    MUST(rondo_future_set_result(future, (void *)value, NULL));
}

static UNUSED void fail(rondo_future *future, const char *message)
{
    rondo_error *error = new_error(message);

    MUST(rondo_future_set_exception(future, error));
    rondo_error_release(error);
}

static UNUSED rondo_task *spawn(rondo_step_fn step, struct frame *frame)
{
    rondo_task *made = NULL;

    MUST(rondo_loop_create_task(loop, new_coroutine("scenario", step, frame), NULL, &made));
    return made;
}

/* Run a body to its end; its outcome is the caller's to say, or nobody's. */
static UNUSED void run(rondo_step_fn step, struct frame *frame)
{
    MUST(rondo_loop_run_until_complete(loop, new_coroutine("main", step, frame), NULL));
}

static UNUSED void soon(rondo_call_fn fn, void *arg)
{
    MUST(rondo_loop_call_soon(loop, fn, arg, NULL, NULL));
}

/* A callback that says its arg. */
static UNUSED void say_arg(void *arg)
{
    say("%s", (char *)arg);
}

/* A callback that stops the loop. */
static UNUSED void stop(void *arg)
{
    (void)arg;
    MUST(rondo_loop_stop(loop));
}

/* A done callback that says its arg and how the future ended. */
static UNUSED void say_done(rondo_future *future, void *arg)
{
    outcome(arg, future);
}

/* ---- counting passes ------------------------------------------------------------------------- */

static int ticks;
static uintptr_t ticking; /* which counting goes on, 0 for none */
static uintptr_t last_counting;

static UNUSED void tick(void *arg)
{
    if (ticking != (uintptr_t)arg)
        return; /* of a counting that has ended */
    ticks++;
    soon(tick, arg);
}

static UNUSED void start_ticks(void)
{
    ticks = 0;
    ticking = ++last_counting;
    soon(tick, (void *)ticking);
}

static UNUSED int stop_ticks(void)
{
    ticking = 0;
    return ticks;
}

#endif
