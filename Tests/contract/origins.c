/* origins.c - debug mode: who made an object, where a task waits, and what reports say about it. */
#define _GNU_SOURCE
#include "coro.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT 8192

static atomic_int loop_made_at;

__attribute__((noinline)) static rondo_loop *debug_loop(void)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    atomic_store(&loop_made_at, __LINE__ + 1);
    CHECK_OK(rondo_loop_new(&options, &loop));
    return loop;
}

/* Lines and names of static functions need libdw; what is shown without has tests of its own. */
static bool has_lines(void)
{
    void *libdw = getenv("RONDO_SYMBOLIZER") != NULL ? NULL : dlopen("libdw.so.1", RTLD_NOW);
    if (libdw == NULL)
        return false;
    dlclose(libdw);
    return true;
}

static const char *origin_of(const rondo_object *object)
{
    static char text[TEXT];
    size_t size = 0;
    CHECK_OK(rondo_origin_describe(object, text, sizeof text, &size));
    CHECK_EQ_INT(size, strlen(text));
    return text;
}

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        kit_fail(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", part, text);
}

static void expect_not_in(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        kit_fail(__FILE__, __LINE__, "\"%s\" is in \"%s\"", part, text);
}

/* From the line about the innermost call on; below it may stand its source. */
static const char *last_call(const char *text)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, "  File \"")) != NULL; at++)
        found = at;
    CHECK(found != NULL);
    return found;
}

/* The innermost call is this one. */
static void expect_line(const char *text, int line, const char *function)
{
    char expected[200];
    if (!has_lines()) {
        expect_in(text, "  File \"");
        return;
    }
    snprintf(expected, sizeof expected, "origins.c\", line %d, in %s", line, function);
    expect_in(last_call(text), expected);
}

static const char *logged(void)
{
    CHECK_EQ_INT(kit_logged(), 1);
    return kit_logged_message(0);
}

static rondo_step ends(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)co, (void)frame, (void)sent, (void)thrown;
    return RONDO_STEP_RETURN;
}

/* ---- what is recorded ------------------------------------------------------------------------ */

static atomic_int made_at;

__attribute__((noinline)) static rondo_future *make_future(rondo_loop *loop)
{
    rondo_future *future = NULL;
    made_at = __LINE__ + 1;
    CHECK_OK(rondo_future_new(loop, &future));
    return future;
}

KIT_TEST(each_kind_knows_its_maker)
{
    int line;
    rondo_loop *loop = debug_loop();
    rondo_task *task = NULL;
    rondo_handle *handles[3] = { NULL };
    expect_line(origin_of(loop), loop_made_at, "debug_loop");
    rondo_future *future = make_future(loop);
    expect_line(origin_of(future), made_at, "make_future");
    line = __LINE__ + 1;
    CHECK_OK(rondo_loop_spawn(loop, ends, NULL, NULL, NULL, &task));
    expect_line(origin_of(task), line, "kit_body_each_kind_knows_its_maker");
    line = __LINE__ + 1;
    CHECK_OK(rondo_loop_call_soon(loop, kit_no_call, NULL, NULL, &handles[0]));
    CHECK_OK(rondo_loop_call_later(loop, 1000000000, kit_no_call, NULL, NULL, &handles[1]));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, NULL, &handles[2]));
    for (int i = 0; i < 3; i++) {
        expect_line(origin_of(handles[i]), line + i, "kit_body_each_kind_knows_its_maker");
        CHECK_OK(rondo_handle_cancel(handles[i]));
        expect_line(origin_of(handles[i]), line + i, "kit_body_each_kind_knows_its_maker");
        CHECK_OK(rondo_handle_release(handles[i]));
    }
    run_until_done(loop, task);
    end_task(task);
    end_future(future);
    kit_loop_end(loop);
}

static rondo_step makes_coroutine(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct frame *self = frame;
    (void)sent, (void)thrown;
    self->i = __LINE__ + 1;
    CHECK_OK(rondo_coroutine_new("child", ends, NULL, NULL, &self->child));
    return rondo_coroutine_return(co, NULL, NULL);
}

/* A coroutine belongs to no loop: the one that runs in its thread decides. */
KIT_TEST(a_coroutine_knows_its_maker)
{
    rondo_loop *loop = debug_loop();
    struct frame frame = { 0 };
    rondo_coroutine *outside = NULL;
    unsetenv("RONDO_DEBUG");
    kit_loop_end(kit_loop()); /* which looks at it */
    CHECK_OK(rondo_coroutine_new("outside", ends, NULL, NULL, &outside));
    CHECK_STATUS(rondo_origin_describe(outside, NULL, 0, NULL), -ENOENT);
    CHECK_OK(rondo_coroutine_close(outside, NULL));
    CHECK_OK(rondo_coroutine_release(outside));
    end_future(run_frame(loop, makes_coroutine, &frame));
    const char *origin = origin_of(frame.child);
    expect_line(origin, frame.i, "makes_coroutine");
    expect_in(origin, "  File \"librondo\", in rondo_loop_run_until_complete\n");
    CHECK_OK(rondo_coroutine_close(frame.child, NULL));
    CHECK_OK(rondo_coroutine_release(frame.child));
    kit_loop_end(loop);
}

/* D-06: RONDO_DEBUG is looked at when a loop is made; it also counts where no loop runs. */
KIT_TEST(D06_the_environment)
{
    rondo_coroutine *coroutine = NULL;
    char *before = getenv("RONDO_DEBUG");
    before = before != NULL ? strdup(before) : NULL;
    static const struct {
        const char *value;
        int32_t debug;
    } cases[] = { { "", 0 }, { "0", 0 }, { "1", 1 }, { "yes", 1 }, { NULL, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].value != NULL)
            setenv("RONDO_DEBUG", cases[i].value, 1);
        else
            unsetenv("RONDO_DEBUG");
        rondo_loop *loop = kit_loop();
        CHECK_EQ_INT(rondo_loop_get_debug(loop), cases[i].debug);
        CHECK_OK(rondo_coroutine_new("c", ends, NULL, NULL, &coroutine));
        CHECK_STATUS(rondo_origin_describe(coroutine, NULL, 0, NULL), cases[i].debug ? -ERANGE : -ENOENT);
        CHECK_OK(rondo_coroutine_close(coroutine, NULL));
        CHECK_OK(rondo_coroutine_release(coroutine));
        kit_loop_end(loop);
    }
    if (before != NULL)
        setenv("RONDO_DEBUG", before, 1);
    free(before);
    kit_loop_end(kit_loop());
}

/* Switched on and off at run time: what was recorded stays, nothing else appears. */
KIT_TEST(switched_at_run_time)
{
    rondo_loop *loop = kit_loop();
    rondo_future *futures[300];
    CHECK_OK(rondo_loop_set_debug(loop, 0));
    for (int i = 0; i < 300; i++) {
        if (i % 100 == 0)
            CHECK_OK(rondo_loop_set_debug(loop, i == 100));
        futures[i] = future_of(loop);
    }
    for (int i = 0; i < 300; i++)
        CHECK_STATUS(rondo_origin_describe(futures[i], NULL, 0, NULL), i / 100 == 1 ? -ERANGE : -ENOENT);
    /* Slots are used again, and what their old objects knew is not the new ones'. */
    for (int i = 0; i < 300; i++)
        end_future(futures[i]);
    for (int i = 0; i < 300; i++) {
        futures[i] = future_of(loop);
        CHECK_STATUS(rondo_origin_describe(futures[i], NULL, 0, NULL), -ENOENT);
    }
    for (int i = 0; i < 300; i++)
        end_future(futures[i]);
    kit_loop_end(loop);
}

KIT_TEST(asked_wrongly)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = make_future(loop);
    rondo_error *error = kit_error(1, "one");
    uintptr_t frames[RONDO_ORIGIN_DEPTH] = { 0 };
    char text[TEXT];
    size_t size = 77;
    CHECK_STATUS(rondo_origin_describe(NULL, text, sizeof text, &size), -EINVAL);
    CHECK_STATUS(rondo_origin_describe(error, text, sizeof text, &size), RONDO_E_TYPE);
    CHECK_STATUS(rondo_origin_describe(future, NULL, 5, &size), -EINVAL);
    CHECK_STATUS(rondo_origin_get_frames(future, frames, 1, NULL), -EINVAL);
    CHECK_STATUS(rondo_origin_get_frames(future, NULL, 1, &size), -EINVAL);
    CHECK_STATUS(rondo_origin_get_frames(error, frames, 1, &size), RONDO_E_TYPE);
    CHECK_STATUS(rondo_debug_describe_frame(0, text, sizeof text, &size), -EINVAL);
    CHECK_EQ_INT(size, 77);
    CHECK_STATUS(rondo_origin_describe(future, NULL, 0, &size), -ERANGE);
    CHECK_STATUS(rondo_origin_describe(future, text, size, NULL), -ERANGE);
    CHECK_OK(rondo_origin_describe(future, text, size + 1, NULL));
    CHECK_OK(rondo_debug_describe_frame(1, text, sizeof text, &size)); /* nobody's code */
    CHECK_EQ_STR(text, "  File \"?\", in 0x0");
    end_future(future);
    CHECK_STATUS(rondo_origin_describe(future, text, sizeof text, &size), RONDO_E_STALE_HANDLE);
    CHECK_STATUS(rondo_origin_get_frames(future, frames, 1, &size), RONDO_E_STALE_HANDLE);
    CHECK_OK(rondo_error_release(error));
    kit_loop_end(loop);
}

/* ---- stacks of all shapes -------------------------------------------------------------------- */

__attribute__((noinline)) static rondo_future *make_deep(rondo_loop *loop, int depth)
{
    rondo_future *future = depth == 0 ? make_future(loop) : make_deep(loop, depth - 1);
    __asm__ volatile("" : "+r"(future)); /* no tail call */
    return future;
}

/* The ten innermost calls, as return addresses and as text. Twice, because the second time they
 * are known. */
KIT_TEST(ten_calls)
{
    rondo_loop *loop = debug_loop();
    for (int round = 0; round < 2; round++)
        for (int depth = 0; depth < 40; depth++) {
            uintptr_t frames[RONDO_ORIGIN_DEPTH + 1] = { 0 };
            size_t count = 0, again = 0;
            rondo_future *future = make_deep(loop, depth);
            CHECK_OK(rondo_origin_get_frames(future, NULL, 0, &count));
            CHECK_EQ_INT(count >= 3 && count <= RONDO_ORIGIN_DEPTH, 1);
            CHECK(depth < 9 || count == RONDO_ORIGIN_DEPTH);
            CHECK_OK(rondo_origin_get_frames(future, frames, RONDO_ORIGIN_DEPTH + 1, &again));
            CHECK_EQ_INT(count, again);
            CHECK_EQ_INT(frames[count], 0);
            /* make_deep calls itself from one place */
            for (int i = 2; i < depth + 2 && i < RONDO_ORIGIN_DEPTH; i++)
                CHECK_EQ_INT(frames[i] == frames[2], 1);
            CHECK(depth == 0 || depth + 2 >= RONDO_ORIGIN_DEPTH || frames[depth + 2] != frames[2]);
            int lines = 0;
            for (const char *at = origin_of(future); (at = strstr(at, "  File ")) != NULL; at++)
                lines++;
            CHECK_EQ_INT(lines, count);
            expect_line(origin_of(future), made_at, "make_future");
            end_future(future);
        }
    kit_loop_end(loop);
}

/* A frame whose size differs from call to call. */
__attribute__((noinline)) static rondo_future *make_below(rondo_loop *loop, size_t room)
{
    volatile char *hole = __builtin_alloca(room);
    hole[0] = hole[room - 1] = 1;
    rondo_future *future = room % 96 == 0 ? make_deep(loop, 2) : make_future(loop);
    hole[0]++;
    return future;
}

KIT_TEST(frames_of_any_size)
{
    rondo_loop *loop = debug_loop();
    for (size_t round = 0; round < 3; round++)
        for (size_t room = 16; room < 5000; room += 16) {
            rondo_future *future = make_below(loop, room);
            const char *origin = origin_of(future);
            expect_line(origin, made_at, "make_future");
            if (has_lines()) {
                expect_in(origin, "in make_below\n");
                expect_in(origin, "in kit_body_frames_of_any_size\n");
                CHECK_EQ_INT(strstr(origin, "in make_deep") != NULL, room % 96 == 0);
            }
            end_future(future);
        }
    kit_loop_end(loop);
}

struct compared {
    rondo_loop *loop;
    rondo_future *future;
};

static int compare(const void *a, const void *b, void *arg)
{
    struct compared *self = arg;
    if (self->future == NULL)
        self->future = make_future(self->loop);
    return *(const int *)a - *(const int *)b;
}

/* libc in the middle is part of it; libc at the outer end is not. */
KIT_TEST(called_by_libc)
{
    struct compared self = { .loop = debug_loop() };
    int numbers[] = { 3, 1, 2 };
    qsort_r(numbers, 3, sizeof numbers[0], compare, &self);
    const char *origin = origin_of(self.future);
    if (has_lines()) {
        expect_in(origin, "in compare\n");
        expect_in(origin, "libc");
        expect_not_in(origin, "__libc_start");
        CHECK_EQ_INT(strncmp(strchr(origin, ','), ", line", 6), 0);
        CHECK(strstr(origin, "in main\n") < strstr(origin + 1, "  File ")); /* the outermost */
    }
    end_future(self.future);
    kit_loop_end(self.loop);
}

static void make_in_thread(void *arg)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = make_future(loop);
    snprintf(arg, TEXT, "%s", origin_of(future));
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST(in_a_thread)
{
    char text[TEXT] = "";
    for (int i = 0; i < 20; i++)
        kit_in_thread(make_in_thread, text);
    expect_line(text, made_at, "make_future");
    expect_not_in(text, "clone");
}

/* Four calls of itself, so that each code is a stack of its own. What stands around each of them
 * keeps compilers from making one of them. */
#define CALL_BETWEEN(nops)                                                                        \
    __asm__ volatile(nops : "+r"(code));                                                          \
    future = make_by_code(loop, code >> 2, depth - 1);                                            \
    __asm__ volatile(nops : "+r"(future));                                                        \
    break

__attribute__((noinline)) static rondo_future *make_by_code(rondo_loop *loop, unsigned code, int depth)
{
    rondo_future *future;
    if (depth == 0)
        return make_future(loop);
    switch (code & 3) {
    case 0: CALL_BETWEEN("nop");
    case 1: CALL_BETWEEN("nop\n nop");
    case 2: CALL_BETWEEN("nop\n nop\n nop");
    default: CALL_BETWEEN("nop\n nop\n nop\n nop");
    }
    return future;
}

/* More stacks than are kept: of the last ones there is the innermost call. In a child, which takes
 * what it fills up with it. */
KIT_TEST_WITHIN(stacks_without_end, 60)
{
    int child = kit_fork();
    if (child == 0) {
        rondo_loop *loop = debug_loop();
        size_t count = 0;
        for (unsigned code = 0; code < 65536; code++) {
            rondo_future *future = make_by_code(loop, code, 8);
            CHECK_OK(rondo_origin_get_frames(future, NULL, 0, &count));
            CHECK_EQ_INT(count == RONDO_ORIGIN_DEPTH || count == 1, 1);
            CHECK_EQ_INT(count, code < 30000 ? RONDO_ORIGIN_DEPTH : code > 60000 ? 1 : (int)count);
            end_future(future);
        }
        rondo_future *future = make_by_code(loop, 7, 8); /* known from before the end */
        CHECK_OK(rondo_origin_get_frames(future, NULL, 0, &count));
        expect_line(origin_of(future), made_at, "make_future");
        end_future(future);
        kit_loop_end(loop);
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(child), 0);
}

/* ---- reports --------------------------------------------------------------------------------- */

/* F-19, D-02: the stack that made it, among the keys in their order. */
KIT_TEST(F19_never_retrieved)
{
    rondo_loop *loop = debug_loop();
    rondo_error *error = kit_error(5, "five");
    kit_catch_log();
    rondo_future *future = make_future(loop);
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    kit_pass(loop);
    const char *text = logged();
    expect_in(text, "Future exception was never retrieved\nfuture: <Future finished exception=Exception('five') created at ");
    expect_in(text, ">\nsource_traceback: Object created at (most recent call last):\n  File \"");
    expect_in(strstr(text, "source_traceback"), "\nException('five')");
    if (has_lines())
        expect_in(text, "in make_future\n");
    kit_loop_end(loop);
}

KIT_TEST(K12_destroyed_while_pending)
{
    rondo_loop *loop = debug_loop();
    struct frame frame = { .name = "sleeper", .future = make_future(loop) };
    kit_catch_log();
    int line = __LINE__ + 1;
    CHECK_OK(rondo_loop_spawn(loop, ends, &frame, NULL, NULL, NULL));
    CHECK_OK(rondo_loop_close(loop, NULL));
    const char *text = logged();
    expect_in(text, "Task was destroyed but it is pending!\nsource_traceback: Object created at (most recent call last):\n");
    expect_in(text, "\ntask: <Task pending name='Task-");
    if (has_lines()) {
        char place[100];
        snprintf(place, sizeof place, "origins.c:%d>", line);
        expect_in(text, place);
    }
    end_future(frame.future);
    CHECK_OK(rondo_loop_release(loop));
}

static void raises(void *arg)
{
    rondo_error *error = kit_error(7, "seven");
    CHECK_OK(rondo_loop_raise(arg, error));
    CHECK_OK(rondo_error_release(error));
}

/* L-13, D-07: who scheduled the callback, and where the callback is. */
KIT_TEST(L13_exception_in_callback)
{
    rondo_loop *loop = debug_loop();
    rondo_handle *handle = NULL;
    kit_catch_log();
    int line = __LINE__ + 1;
    CHECK_OK(rondo_loop_call_later(loop, 0, raises, loop, NULL, &handle));
    CHECK_OK(rondo_handle_release(handle));
    kit_pass(loop);
    const char *text = logged();
    expect_in(text, "Exception in callback ");
    expect_in(text, "\nhandle: <TimerHandle ");
    expect_in(text, ">\nsource_traceback: Object created at (most recent call last):\n");
    if (has_lines()) {
        char place[200];
        expect_in(text, "Exception in callback raises()\n");
        snprintf(place, sizeof place, " created at ./Tests/contract/origins.c:%d>", line);
        expect_in(text, strrchr(place, ':'));
    }
    kit_loop_end(loop);
}

static rondo_step forgets(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    rondo_coroutine *forgotten = NULL;
    (void)frame, (void)sent, (void)thrown;
    CHECK_OK(rondo_coroutine_new("test", ends, NULL, NULL, &forgotten));
    CHECK_OK(rondo_coroutine_release(forgotten));
    return rondo_coroutine_return(co, NULL, NULL);
}

KIT_TEST(K13_never_awaited)
{
    rondo_loop *loop = debug_loop();
    struct frame frame = { 0 };
    kit_catch_log();
    end_future(run_frame(loop, forgets, &frame));
    const char *text = logged();
    expect_in(text, "coroutine 'test' was never awaited\nCoroutine created at (most recent call last)\n  File \"");
    if (has_lines())
        expect_in(last_call(text), ", in forgets");
    kit_loop_end(loop);
}

/* ---- asynchronous generators ------------------------------------------------------------------ */

static int yields_made_at;

RONDO_STEP(yields_and_fails)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_TRY_YIELD_VALUE(self, NULL, NULL);
    RONDO_RAISE(7, "cleaning up");
    RONDO_END(self);
}

__attribute__((noinline)) static rondo_async_generator *make_generator(struct frame *frame)
{
    rondo_async_generator *generator = NULL;
    *frame = (struct frame){ .name = "rows" };
    yields_made_at = __LINE__ + 1;
    CHECK_OK(rondo_async_generator_new("rows", yields_and_fails, frame, NULL, &generator));
    return generator;
}

struct generators {
    struct frame frames[2];
    rondo_async_generator *made[2];
    bool is_quiet;
};

/* Made, asked for their first values, and, unless it is to be quiet, one question that is never awaited. */
RONDO_STEP(asks_generators)
{
    struct frame *self = frame;
    struct generators *all = self->value;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 2; self->i++) {
        all->made[self->i] = make_generator(&all->frames[self->i]);
        CHECK_OK(rondo_async_generator_anext(all->made[self->i], &self->child));
        RONDO_AWAIT_MOVED(self, self->child);
    }
    if (!all->is_quiet) {
        CHECK_OK(rondo_async_generator_aclose(all->made[0], &self->child));
        CHECK_OK(rondo_coroutine_release(self->child));
    }
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

struct asked {
    rondo_status status;
    char text[TEXT];
    uintptr_t frames[RONDO_ORIGIN_DEPTH];
    size_t size, count;
};

static void ask_report(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    struct asked *asked = arg;
    (void)loop;
    CHECK_STATUS(rondo_exception_context_get_source_traceback(context, NULL, 5, NULL), -EINVAL);
    asked->status = rondo_exception_context_get_source_traceback(context, asked->text, TEXT, &asked->size);
    CHECK_STATUS(rondo_exception_context_get_source_frames(context, asked->frames, RONDO_ORIGIN_DEPTH, &asked->count),
                 asked->status);
}

/* It knows its maker; so do the reports of its shutdown and of its end after the loop's. */
KIT_TEST(a_generator_knows_its_maker)
{
    rondo_loop *loop = debug_loop();
    struct generators all = { 0 };
    struct frame frame = { .value = &all };
    struct asked asked = { .status = 1 };
    rondo_coroutine *shutdown = NULL;
    kit_catch_log();
    end_future(run_frame(loop, asks_generators, &frame));
    expect_line(origin_of(all.made[0]), yields_made_at, "make_generator");
    const char *text = logged();
    expect_in(text, "coroutine method 'aclose' of 'rows' was never awaited\nCoroutine created at (most recent call last)\n");
    if (has_lines())
        expect_in(last_call(text), ", in asks_generators");
    CHECK_OK(rondo_loop_set_exception_handler(loop, ask_report, &asked, NULL));
    rondo_async_generator *late = all.made[1];
    CHECK_OK(rondo_loop_shutdown_asyncgens(loop, &shutdown));
    CHECK_OK(rondo_loop_run_until_complete(loop, shutdown, NULL));
    CHECK_OK(asked.status);
    expect_line(asked.text, yields_made_at, "make_generator");
    CHECK_EQ_STR(asked.text, origin_of(late));
    for (int i = 0; i < 2; i++)
        CHECK_OK(rondo_async_generator_release(all.made[i]));
    kit_loop_end(loop);
}

KIT_TEST(a_generator_that_is_dropped_half_way_tells_its_maker)
{
    rondo_loop *loop = debug_loop();
    struct generators all = { .is_quiet = true };
    struct frame frame = { .value = &all };
    end_future(run_frame(loop, asks_generators, &frame));
    kit_catch_log();
    kit_loop_end(loop);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(rondo_async_generator_release(all.made[i]));
        CHECK_EQ_INT(kit_logged(), 2 * i + 2);
        expect_in(kit_logged_message(2 * i), "could not be asked to close it\nsource_traceback: Object created at");
        expect_line(kit_logged_message(2 * i), yields_made_at, "make_generator");
        expect_in(kit_logged_message(2 * i + 1), "Exception ignored while closing generator ");
        expect_line(kit_logged_message(2 * i + 1), yields_made_at, "make_generator");
    }
}

/* A handler can ask; the answer is what the object itself said. Without debug mode there is none. */
KIT_TEST(a_handler_asks)
{
    for (int debug = 0; debug < 2; debug++) {
        struct asked asked = { 0 };
        rondo_loop *loop = kit_loop();
        rondo_error *error = kit_error(5, "five");
        char before[TEXT] = "";
        CHECK_OK(rondo_loop_set_debug(loop, debug));
        CHECK_OK(rondo_loop_set_exception_handler(loop, ask_report, &asked, NULL));
        rondo_future *future = make_future(loop);
        if (debug)
            snprintf(before, sizeof before, "%s", origin_of(future));
        CHECK_OK(rondo_future_set_exception(future, error));
        CHECK_OK(rondo_error_release(error));
        end_future(future);
        CHECK_STATUS(asked.status, debug ? RONDO_OK : -ENOENT);
        CHECK_EQ_STR(asked.text, before);
        CHECK_EQ_INT(asked.size, strlen(before));
        CHECK_EQ_INT(asked.count >= 3, debug);
        kit_loop_end(loop);
    }
}

/* D-02: an empty context, and one that the program made. */
KIT_TEST(D02_empty_context)
{
    rondo_loop *loop = debug_loop();
    rondo_exception_context *context = NULL;
    size_t size = 0;
    kit_catch_log();
    CHECK_OK(rondo_exception_context_new(NULL, &context));
    CHECK_STATUS(rondo_exception_context_get_source_traceback(context, NULL, 0, &size), -ENOENT);
    CHECK_STATUS(rondo_exception_context_get_source_frames(context, NULL, 0, &size), -ENOENT);
    CHECK_OK(rondo_loop_call_exception_handler(loop, context));
    CHECK_EQ_STR(logged(), "Unhandled exception in event loop");
    CHECK_OK(rondo_exception_context_release(context));
    kit_loop_end(loop);
}

struct broken {
    rondo_loop *loop;
    int raises; /* so often */
    int calls;
    char seen[3][TEXT];
};

static void broken_sink(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                        void *arg)
{
    (void)fields, (void)field_count;
    struct broken *broken = arg;
    CHECK_EQ_INT(level, RONDO_LOG_ERROR);
    CHECK(broken->calls < 3);
    snprintf(broken->seen[broken->calls++], TEXT, "%s", message);
    if (broken->raises-- > 0) {
        rondo_error *error = kit_error(9, "sink");
        CHECK_OK(rondo_loop_raise(broken->loop, error));
        CHECK_OK(rondo_error_release(error));
    }
}

static void broken_handler(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)context, (void)arg;
    rondo_error *error = kit_error(8, "handler");
    CHECK_OK(rondo_loop_raise(loop, error));
    CHECK_OK(rondo_error_release(error));
}

/* D-03: the handler raises, and what logs that raises, too. Nothing escapes, nothing is repeated. */
KIT_TEST(D03_broken_handlers)
{
    for (int custom = 0; custom < 2; custom++)
        for (int raises = 0; raises < 3; raises++) {
            struct broken broken = { .loop = debug_loop(), .raises = raises };
            rondo_exception_context *context = NULL;
            CHECK_OK(rondo_log_set_sink(broken_sink, &broken, NULL));
            if (custom)
                CHECK_OK(rondo_loop_set_exception_handler(broken.loop, broken_handler, NULL, NULL));
            CHECK_OK(rondo_exception_context_new("it failed", &context));
            CHECK_OK(rondo_loop_call_exception_handler(broken.loop, context));
            CHECK_EQ_INT(broken.calls, raises > 0 ? 2 : 1);
            CHECK_EQ_STR(broken.seen[0], custom ? "Unhandled error in exception handler\ncontext: it failed\n"
                                                  "Exception('handler')"
                                                : "it failed");
            if (raises > 0)
                CHECK_EQ_STR(broken.seen[1],
                             custom ? "Exception in default exception handler while handling an unexpected error "
                                      "in custom exception handler\nException('sink')"
                                    : "Exception in default exception handler\nException('sink')");
            CHECK_OK(rondo_exception_context_release(context));
            kit_loop_end(broken.loop);
            CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
        }
}

/* ---- D-11: a loop that nobody closed ---------------------------------------------------------- */

KIT_TEST(D11_unclosed_loop)
{
    kit_catch_log();
    CHECK_OK(rondo_loop_release(debug_loop()));
    const char *text = logged();
    expect_in(text, "unclosed event loop <EventLoop running=False closed=False debug=True>\n"
                    "source_traceback: Object created at (most recent call last):\n  File \"");
    if (has_lines())
        expect_in(text, "in kit_body_D11_unclosed_loop\n");
}

KIT_TEST(D11_only_in_debug_mode_and_only_unclosed)
{
    rondo_loop *loop = kit_loop();
    kit_catch_log();
    CHECK_OK(rondo_loop_set_debug(loop, 0));
    CHECK_OK(rondo_loop_release(loop));
    loop = debug_loop();
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_loop_release(loop));
    CHECK_EQ_INT(kit_logged(), 0);
}

static void release_loop(void *arg)
{
    CHECK_OK(rondo_loop_release(arg));
}

/* Let go of by another thread; its own closes it, and says so, when it next comes by. */
KIT_TEST(D11_released_by_another_thread)
{
    rondo_loop *loop = debug_loop(), *other = debug_loop();
    kit_catch_log();
    kit_in_thread(release_loop, loop);
    kit_loop_end(other);
    expect_in(logged(), "unclosed event loop");
}

/* ---- descriptions ---------------------------------------------------------------------------- */

KIT_TEST(D07_handles_describe_themselves)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL, *timer = NULL, *posted = NULL;
    char text[TEXT];
    size_t size = 0;
    CHECK_OK(rondo_loop_set_debug(loop, 0));
    CHECK_OK(rondo_loop_call_soon(loop, (rondo_call_fn)(void *)abort, NULL, NULL, &handle));
    CHECK_OK(rondo_handle_describe(handle, text, sizeof text, &size));
    CHECK_EQ_STR(text, "<Handle abort()>");
    CHECK_EQ_INT(size, strlen(text));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_handle_describe(handle, text, sizeof text, NULL));
    CHECK_EQ_STR(text, "<Handle cancelled abort()>");
    CHECK_STATUS(rondo_handle_describe(handle, text, size, &size), -ERANGE);
    CHECK_OK(rondo_loop_set_debug(loop, 1));
    int line = __LINE__ + 1;
    CHECK_OK(rondo_loop_call_later(loop, 1, kit_no_call, NULL, NULL, &timer));
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_no_call, NULL, NULL, &posted));
    CHECK_OK(rondo_handle_cancel(timer));
    CHECK_OK(rondo_handle_describe(timer, text, sizeof text, &size));
    expect_in(text, "<TimerHandle cancelled ");
    expect_in(text, " created at ");
    if (has_lines()) {
        char place[100];
        expect_in(text, "kit_no_call() at ");
        expect_in(text, "Tests/kit/helpers.c:");
        snprintf(place, sizeof place, "origins.c:%d>", line);
        expect_in(text, place);
    }
    CHECK_OK(rondo_handle_describe(posted, text, sizeof text, &size));
    expect_in(text, "<_ThreadSafeHandle ");
    expect_in(text, " created at ");
    CHECK_OK(rondo_handle_cancel(posted));
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_handle_release(timer));
    CHECK_OK(rondo_handle_release(posted));
    kit_pass(loop);
    kit_loop_end(loop);
}

/* ---- where a task waits ---------------------------------------------------------------------- */

static int waits_at;

RONDO_STEP(waits)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    if (self->n > 0) {
        self->child = coroutine_of(waits, self + 1);
        waits_at = __LINE__ + 1;
        RONDO_AWAIT(self, self->child);
    }
    RONDO_TRY_AWAIT(self, self->future);
    RONDO_END(self);
}

static rondo_step waits_by_hand(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    (void)frame, (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    return rondo_coroutine_sleep(co, INT64_C(3600000000000));
}

static const char *stack_of(rondo_task *task, size_t limit)
{
    static char text[TEXT];
    CHECK_OK(rondo_task_print_stack(task, limit, text, sizeof text, NULL));
    return text;
}

KIT_TEST(a_task_has_a_stack)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = future_of(loop);
    struct frame frames[] = { { .n = 2, .name = "outer", .future = future }, { .n = 1, .name = "middle", .future = future },
                              { .n = 0, .name = "inner", .future = future } };
    rondo_stack_frame stack[4];
    size_t count = 0;
    rondo_task *task = task_of(loop, waits, frames);
    CHECK_OK(rondo_task_get_stack(task, stack, 4, &count)); /* it has not begun */
    CHECK_EQ_INT(count, 1);
    CHECK_EQ_INT(stack[0].line, 0);
    CHECK_EQ_STR(stack[0].name, "outer");
    kit_pass(loop);
    CHECK_STATUS(rondo_task_get_stack(task, NULL, 1, &count), -EINVAL);
    CHECK_STATUS(rondo_task_get_stack(task, stack, 4, NULL), -EINVAL);
    CHECK_OK(rondo_task_get_stack(task, NULL, 0, &count));
    CHECK_EQ_INT(count, 3);
    memset(stack, 0, sizeof stack);
    CHECK_OK(rondo_task_get_stack(task, stack, 2, &count));
    CHECK_EQ_INT(count, 3);
    CHECK_EQ_PTR(stack[2].name, NULL);
    CHECK_OK(rondo_task_get_stack(task, stack, 4, &count));
    static const char *const names[] = { "outer", "middle", "inner" };
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_STR(stack[i].name, names[i]);
        CHECK_EQ_INT(stack[i].function == waits, 1);
        CHECK_EQ_INT(stack[i].line, i < 2 ? waits_at : waits_at + 2);
    }
    expect_in(stack_of(task, 0), "Stack for <Task pending name='Task-");
    expect_in(stack_of(task, 0), "> (most recent call last):\n  File \"");
    if (has_lines()) {
        char line[100];
        snprintf(line, sizeof line, "origins.c\", line %d, in waits\n", waits_at);
        expect_in(stack_of(task, 0), line);
        expect_not_in(stack_of(task, 1), line); /* the innermost only */
        snprintf(line, sizeof line, "origins.c\", line %d, in waits", waits_at + 2);
        expect_in(last_call(stack_of(task, 1)), line);
    }
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    CHECK_OK(rondo_task_get_stack(task, stack, 4, &count));
    CHECK_EQ_INT(count, 0);
    expect_in(stack_of(task, 0), "No stack for <Task finished name='Task-");
    end_task(task);
    end_future(future);
    kit_loop_end(loop);
}

/* A frame may be anything, also nothing that can be read, or shorter than a line and a mark. */
KIT_TEST(frames_that_are_not_of_the_macros)
{
    rondo_loop *loop = kit_loop();
    char *short_one = malloc(1);
    void *frames[] = { NULL, (void *)(uintptr_t)5, (void *)UINTPTR_MAX, (void *)(uintptr_t)0x7fffdead0000, short_one,
                       (void *)(uintptr_t)waits };
    rondo_task *tasks[6];
    rondo_stack_frame stack[1];
    size_t count = 0;
    short_one[0] = 1;
    for (int i = 0; i < 6; i++)
        CHECK_OK(rondo_loop_spawn(loop, waits_by_hand, frames[i], NULL, NULL, &tasks[i]));
    kit_pass(loop);
    for (int i = 0; i < 6; i++) {
        CHECK_OK(rondo_task_get_stack(tasks[i], stack, 1, &count));
        CHECK_EQ_INT(count, 1);
        CHECK_EQ_INT(stack[0].line, 0);
        CHECK_EQ_INT(stack[0].function == waits_by_hand, 1);
        expect_in(stack_of(tasks[i], 0), has_lines() ? "in waits_by_hand" : "in coroutine");
        CHECK_OK(rondo_task_cancel(tasks[i], NULL, NULL));
        kit_pass(loop);
        kit_pass(loop);
        end_task(tasks[i]);
    }
    free(short_one);
    kit_loop_end(loop);
}

RONDO_STEP(looks_at_itself)
{
    struct frame *self = frame;
    rondo_stack_frame stack[1];
    size_t count = 0;
    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    CHECK_OK(rondo_task_get_stack(self->task, stack, 1, &count));
    CHECK_EQ_INT(count, 1);
    CHECK_EQ_INT(stack[0].line, 0); /* it waits nowhere */
    RONDO_END(self);
}

KIT_TEST(a_running_task_has_no_line)
{
    rondo_loop *loop = kit_loop();
    struct frame frame = { 0 };
    frame.task = task_of(loop, looks_at_itself, &frame);
    run_until_done(loop, frame.task);
    end_task(frame.task);
    kit_loop_end(loop);
}

/* The library's own coroutines have names and no lines. */
KIT_TEST(a_stack_through_the_library)
{
    rondo_loop *loop = kit_loop();
    rondo_lock *lock = NULL;
    rondo_task *tasks[2];
    rondo_coroutine *acquire = NULL;
    CHECK_OK(rondo_lock_new(loop, &lock));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(rondo_lock_acquire(lock, &acquire));
        CHECK_OK(rondo_loop_create_task(loop, acquire, NULL, &tasks[i]));
    }
    kit_pass(loop);
    expect_in(stack_of(tasks[1], 0), "\n  File \"librondo\", in Lock.acquire");
    CHECK_OK(rondo_lock_unlock(lock));
    run_until_done(loop, tasks[1]);
    CHECK_OK(rondo_lock_unlock(lock));
    end_task(tasks[0]);
    end_task(tasks[1]);
    CHECK_OK(rondo_lock_release(lock));
    kit_loop_end(loop);
}

RONDO_STEP(nests)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    if (self->n > 0) {
        self[1].n = self->n - 1;
        self[1].future = self->future;
        RONDO_AWAIT(self, coroutine_of(nests, self + 1));
    } else {
        RONDO_AWAIT(self, self->future);
    }
    RONDO_END(self);
}

KIT_TEST_WITHIN(a_deep_stack, 60)
{
    int depth = kit_rounds(100000);
    rondo_loop *loop = kit_loop();
    struct frame *frames = calloc((size_t)depth + 1, sizeof *frames);
    rondo_stack_frame *stack = calloc((size_t)depth + 1, sizeof *stack);
    size_t count = 0;
    frames[0].n = depth;
    frames[0].future = future_of(loop);
    rondo_future *future = frames[0].future;
    rondo_task *task = task_of(loop, nests, frames);
    kit_pass(loop);
    CHECK_OK(rondo_task_get_stack(task, stack, (size_t)depth + 1, &count));
    CHECK_EQ_INT(count, depth + 1);
    for (int i = 1; i < depth; i++)
        CHECK_EQ_INT(stack[i].line, stack[0].line);
    CHECK(stack[depth].line != stack[0].line && stack[depth].line > 0);
    int lines = 0;
    for (const char *at = stack_of(task, 5); (at = strstr(at, "  File ")) != NULL; at++)
        lines++;
    CHECK_EQ_INT(lines, 5);
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    end_future(future);
    free(frames);
    free(stack);
    kit_loop_end(loop);
}

/* The source is shown if it is where the compiler saw it: here relative to the project. */
KIT_TEST(source_lines)
{
    char before[1024];
    rondo_loop *loop = debug_loop();
    rondo_future *shown = NULL, *hidden = NULL;
    CHECK_OK(rondo_future_new(loop, &shown)); /* this line */
    CHECK_OK(rondo_future_new(loop, &hidden)); /* not this one */
    CHECK(getcwd(before, sizeof before) != NULL);
    if (has_lines() && access("Tests/contract/origins.c", R_OK) == 0)
        for (int i = 0; i < 2; i++)
            expect_in(last_call(origin_of(shown)), "\n    CHECK_OK(rondo_future_new(loop, &shown)); /* this line */");
    CHECK_EQ_INT(chdir("/"), 0);
    expect_not_in(origin_of(hidden), "not this one");
    CHECK_EQ_INT(chdir(before), 0);
    end_future(shown);
    end_future(hidden);
    kit_loop_end(loop);
}

/* ---- without debug information --------------------------------------------------------------- */

/* As if libdw were not installed: what the program exports has a name, the rest an offset. */
KIT_TEST(without_libdw)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = make_future(loop);
    struct frame frame = { .name = "waiter", .future = future };
    rondo_task *task = task_of(loop, waits, &frame);
    kit_pass(loop);
    CHECK_OK(rondo_task_set_name(task, "t"));
    setenv("RONDO_SYMBOLIZER", "none", 1);
    expect_not_in(origin_of(future), "line");
    expect_not_in(origin_of(future), "make_future");
    expect_in(origin_of(future), "origins\", in 0x");
    char text[TEXT];
    CHECK_OK(rondo_future_describe(future, text, sizeof text, NULL));
    expect_in(text, "<Future pending created at ");
    expect_in(text, "origins+0x");
    expect_in(stack_of(task, 0), "origins\", line "); /* the line is the macros' */
    expect_in(stack_of(task, 0), ", in waiter");
    unsetenv("RONDO_SYMBOLIZER");
    CHECK_OK(rondo_future_set_result(future, NULL, NULL));
    run_until_done(loop, task);
    end_task(task);
    end_future(future);
    kit_loop_end(loop);
}

/* What a stripped program says; run as it is it says more. */
KIT_TEST(says_its_origin)
{
    rondo_loop *loop = debug_loop();
    rondo_future *future = make_future(loop);
    uintptr_t frames[RONDO_ORIGIN_DEPTH];
    size_t count = 0;
    CHECK_OK(rondo_origin_get_frames(future, frames, RONDO_ORIGIN_DEPTH, &count));
    CHECK(count >= 3);
    if (getenv("KIT_STRIPPED") != NULL) {
        expect_not_in(origin_of(future), "line");
        expect_in(origin_of(future), "stripped\", in 0x");
    } else {
        expect_line(origin_of(future), made_at, "make_future");
    }
    end_future(future);
    kit_loop_end(loop);
}

KIT_TEST_WITHIN(a_stripped_program, 60)
{
    char self[1024] = "", directory[] = "/tmp/rondo-origins-XXXXXX", stripped[64], command[2200];
    if (system("command -v strip > /dev/null") != 0) {
        kit_skip("there is no strip");
        return;
    }
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    CHECK(mkdtemp(directory) != NULL);
    snprintf(stripped, sizeof stripped, "%s/stripped", directory);
    snprintf(command, sizeof command, "strip -o '%s' '%s'", stripped, self);
    CHECK_EQ_INT(system(command), 0);
    snprintf(command, sizeof command, "env -u KIT_RESUME KIT_STRIPPED=1 '%s' says_its_origin > '%s/out' 2>&1 || { cat '%s/out' >&2; exit 1; }",
             stripped, directory, directory);
    int status = system(command);
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    CHECK_EQ_INT(system(command), 0);
    CHECK_EQ_INT(status, 0);
}

/* ---- threads, memory, fork ------------------------------------------------------------------- */

static void *make_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < kit_rounds(200); i++) {
        rondo_loop *loop = debug_loop();
        rondo_future *futures[20];
        rondo_handle *handle = NULL;
        char text[TEXT];
        for (int k = 0; k < 20; k++)
            futures[k] = make_deep(loop, k);
        CHECK_OK(rondo_loop_call_later(loop, 1000000000, kit_no_call, NULL, NULL, &handle));
        if (i % 50 == 0)
            CHECK_OK(rondo_future_describe(futures[i / 50 % 20], text, sizeof text, NULL));
        for (int k = 0; k < 20; k++)
            end_future(futures[k]);
        CHECK_OK(rondo_handle_cancel(handle));
        CHECK_OK(rondo_handle_release(handle));
        kit_loop_end(loop);
    }
    return NULL;
}

KIT_TEST_WITHIN(many_threads_at_once, 60)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = kit_thread_start(make_many, NULL);
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
}

struct shared {
    rondo_future *future;
    atomic_int stop;
};

static void *ask_always(void *arg)
{
    struct shared *shared = arg;
    while (!atomic_load(&shared->stop)) {
        size_t count = 0;
        CHECK_OK(rondo_origin_get_frames(shared->future, NULL, 0, &count));
        CHECK(count > 0);
    }
    return NULL;
}

/* Any thread may ask while the loop's own uses the object. */
KIT_TEST(asked_by_another_thread)
{
    rondo_loop *loop = debug_loop();
    struct shared shared = { .future = make_future(loop) };
    struct frame frame = { .future = shared.future };
    pthread_t thread = kit_thread_start(ask_always, &shared);
    rondo_task *task = task_of(loop, waits, &frame);
    for (int i = 0; i < 200; i++)
        kit_pass(loop);
    CHECK_OK(rondo_future_set_result(shared.future, NULL, NULL));
    run_until_done(loop, task);
    atomic_store(&shared.stop, 1);
    kit_thread_join(thread);
    end_task(task);
    end_future(shared.future);
    kit_loop_end(loop);
}

static void make_one_of_each(void *arg)
{
    rondo_loop *loop = arg;
    rondo_future *future = NULL;
    rondo_handle *handle = NULL;
    rondo_task *task = NULL;
    char text[TEXT];
    if (rondo_future_new(loop, &future) == RONDO_OK)
        rondo_future_describe(future, text, sizeof text, NULL);
    if (rondo_loop_call_later(loop, 1000000000, kit_no_call, NULL, NULL, &handle) == RONDO_OK)
        rondo_origin_describe(handle, text, sizeof text, NULL);
    if (rondo_loop_spawn(loop, ends, NULL, NULL, NULL, &task) == RONDO_OK)
        rondo_task_print_stack(task, 0, text, sizeof text, NULL);
    rondo_future_release(future);
    rondo_handle_cancel(handle);
    rondo_handle_release(handle);
    rondo_task_release(task);
}

static void make_with_new_loop(void *arg)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    (void)arg;
    if (rondo_loop_new(&options, &loop) != RONDO_OK)
        return;
    make_one_of_each(loop);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
}

/* Memory is out: the objects are made if they themselves can be; an origin is worth no failure. In
 * fresh threads, so that what a thread needs once is among what fails. */
KIT_TEST_WITHIN(out_of_memory, 60)
{
    if (!kit_alloc_works()) {
        kit_skip("allocations cannot be made to fail here");
        return;
    }
    kit_catch_log();
    for (int sticky = 0; sticky < 2; sticky++)
        for (long n = 1; n < 40; n++) {
            rondo_loop *loop = debug_loop();
            rondo_future *future = NULL;
            kit_alloc_fail(n, sticky);
            kit_in_thread(make_with_new_loop, NULL);
            make_one_of_each(loop);
            kit_alloc_end();
            CHECK_OK(rondo_future_new(loop, &future)); /* and afterwards all is well */
            origin_of(future);
            end_future(future);
            kit_loop_drop(loop);
        }
}

/* A child makes objects and reports, whatever the threads of its parent were doing. */
KIT_TEST_WITHIN(in_a_forked_child, 60)
{
#ifdef KIT_TSAN
    kit_skip("the sanitizer counts the parent's thread as lost in the child");
    return;
#endif
    pthread_t thread = kit_thread_start(make_many, NULL);
    for (int i = 0; i < kit_rounds(20); i++) {
        int child = kit_fork();
        if (child == 0) {
            rondo_loop *loop = debug_loop();
            rondo_future *future = make_future(loop);
            expect_line(origin_of(future), made_at, "make_future");
            end_future(future);
            kit_loop_end(loop);
            _exit(0);
        }
        CHECK_EQ_INT(kit_wait_child(child), 0);
    }
    kit_thread_join(thread);
}
