/* abi.c - what the library is to its host: statuses, constants, unwinding, the alarm, the log. */
#define _GNU_SOURCE
#include "api.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- statuses -------------------------------------------------------------------------------- */

static int statuses;

static void check_status_constant(const char *name, const char *text)
{
    if (strncmp(name, "RONDO_E_", 8) != 0)
        return;
    rondo_status status = (rondo_status)strtol(text + (text[0] == '('), NULL, 0);
    CHECK(status <= -20001 && status > -21000);
    CHECK_EQ_STR(rondo_status_name(status), name);
    const char *message = rondo_status_message(status);
    CHECK(message != NULL && strlen(message) > 4);
    statuses++;
}

/* Every status of the headers has its name and a sentence. */
KIT_TEST(statuses_have_names_and_messages)
{
    statuses = 0;
    api_constants(check_status_constant);
    CHECK(statuses >= 26);
    CHECK_EQ_STR(rondo_status_name(RONDO_OK), "RONDO_OK");
    CHECK(rondo_status_message(RONDO_OK) != NULL);
    kit_note("statuses=%d", statuses);
}

KIT_TEST(errno_statuses)
{
    static const struct {
        int code;
        const char *name;
    } known[] = { { ENOMEM, "ENOMEM" }, { EINVAL, "EINVAL" }, { E2BIG, "E2BIG" }, { EBADF, "EBADF" },
                  { EPERM, "EPERM" }, { EDEADLK, "EDEADLK" }, { ERANGE, "ERANGE" }, { EPIPE, "EPIPE" },
                  { ECONNREFUSED, "ECONNREFUSED" }, { EBUSY, "EBUSY" }, { ENOSYS, "ENOSYS" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        CHECK_EQ_STR(rondo_status_name(-known[i].code), known[i].name);
        CHECK(strlen(rondo_status_message(-known[i].code)) > 4);
    }
    for (int code = -30000; code <= 300; code += 7) { /* also what no status is */
        CHECK(rondo_status_name(code) != NULL && rondo_status_name(code)[0] != '\0');
        CHECK(rondo_status_message(code) != NULL && rondo_status_message(code)[0] != '\0');
    }
    CHECK(rondo_status_name(INT32_MIN) != NULL && rondo_status_message(INT32_MIN) != NULL);
    CHECK(rondo_status_name(INT32_MAX) != NULL && rondo_status_message(INT32_MAX) != NULL);
}

/* ---- constants ------------------------------------------------------------------------------- */

static int missing;

static void check_constant(const char *name, const char *text)
{
    int64_t value = -1, expected = strcmp(text, "INT64_MAX") == 0
                                       ? INT64_MAX
                                       : strtoll(text + (text[0] == '('), NULL, 0);
    rondo_status status = rondo_constant_get(name, &value);
    if (status == RONDO_OK && value == expected)
        return;
    kit_note("%s is %lld (%s), not %lld", name, (long long)value, rondo_status_name(status),
             (long long)expected);
    missing++;
}

/* A host that cannot read headers finds every number of theirs. */
KIT_TEST(constants_can_be_looked_up)
{
    int64_t value = 42;
    missing = 0;
    int count = api_constants(check_constant);
    CHECK(count >= 50);
    kit_note("constants=%d", count);
    CHECK_EQ_INT(missing, 0);
    CHECK_STATUS(rondo_constant_get("RONDO_E_NO_SUCH_THING", &value), -ENOENT);
    CHECK_STATUS(rondo_constant_get("", &value), -ENOENT);
    CHECK_STATUS(rondo_constant_get("RONDO_E_TIMEOU", &value), -ENOENT);
    CHECK_STATUS(rondo_constant_get("RONDO_E_TIMEOUT_", &value), -ENOENT);
    CHECK_STATUS(rondo_constant_get(NULL, &value), -EINVAL);
    CHECK_STATUS(rondo_constant_get("RONDO_OK", NULL), -EINVAL);
    CHECK_EQ_INT(value, 42);
}

KIT_TEST(version)
{
    char text[32];
    CHECK_EQ_INT(rondo_version(), RONDO_VERSION);
    CHECK_EQ_INT(rondo_version(),
                 RONDO_VERSION_MAJOR << 16 | RONDO_VERSION_MINOR << 8 | RONDO_VERSION_PATCH);
    snprintf(text, sizeof text, "%d.%d.%d", RONDO_VERSION_MAJOR, RONDO_VERSION_MINOR,
             RONDO_VERSION_PATCH);
    CHECK_EQ_STR(rondo_version_string(), text);
    CHECK_OK(rondo_debug_check_ffi());
}

/* ---- unwinding ------------------------------------------------------------------------------- */

static bool saw_core, saw_run, saw_caller;
static void *caller_start, *caller_end;

__attribute__((noinline)) static void walk(void *arg)
{
    (void)arg;
    void *frames[64];
    int count = backtrace(frames, 64);
    for (int i = 0; i < count; i++) {
        Dl_info info;
        if (!dladdr(frames[i], &info))
            continue;
        if (info.dli_fname != NULL && strstr(info.dli_fname, "librondo") != NULL) {
            saw_core = true;
            if (info.dli_sname != NULL && strcmp(info.dli_sname, "rondo_loop_run_forever") == 0)
                saw_run = true;
        }
        if (frames[i] >= caller_start && frames[i] < caller_end)
            saw_caller = true;
    }
}

__attribute__((noinline)) static void run_and_walk(void)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon(loop, walk, NULL, NULL, NULL));
    CHECK_OK(rondo_loop_stop(loop));
    CHECK_OK(rondo_loop_run_forever(loop));
    kit_loop_end(loop);
}

/* A backtrace from a C callback goes through the core back to who runs the loop. */
KIT_TEST(backtrace_through_the_core)
{
    saw_core = saw_run = saw_caller = false;
    caller_start = (void *)(uintptr_t)run_and_walk;
    caller_end = (char *)caller_start + 512;
    run_and_walk();
    CHECK(saw_core);
    /* An instrumented build jumps from the export to what does the work, which has no public name. */
    if (!KIT_SANITIZED)
        CHECK(saw_run);
    CHECK(saw_caller);
}

/* ---- the alarm ------------------------------------------------------------------------------- */

/* F82: a broken promise of the library's own is one sentence on stderr and SIGABRT. */
KIT_TEST(trap_says_one_sentence_and_aborts)
{
    int fds[2];
    char text[1024];
    CHECK_EQ_INT(pipe(fds), 0);
    int pid = kit_fork();
    if (pid == 0) {
        dup2(fds[1], 2);
        rondo_debug_trap();
        _exit(0);
    }
    close(fds[1]);
    ssize_t size = 0, got;
    while ((got = read(fds[0], text + size, sizeof text - 1 - (size_t)size)) > 0)
        size += got;
    text[size] = '\0';
    close(fds[0]);
    CHECK_EQ_INT(kit_wait_child(pid), 128 + 6);
    CHECK(strncmp(text, "rondo: ", 7) == 0);
    CHECK(size > 20);
    CHECK(strchr(text, '\n') == text + size - 1); /* one line */
}

/* ---- the log --------------------------------------------------------------------------------- */

static void forbidden_sink(int32_t level, const char *message, const rondo_log_field *fields,
                           size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    (void)level;
    (void)arg;
    kit_fail(__FILE__, __LINE__, "logged: %s", message);
}

static void log_again(int32_t level, const char *message, const rondo_log_field *fields,
                      size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    rondo_loop *loop = arg;
    rondo_exception_context *context = NULL;
    CHECK_EQ_INT(level, RONDO_LOG_ERROR);
    kit_log("%s", message);
    if (strcmp(message, "first") != 0)
        return;
    /* No lock is held: the sink may use the library, and log itself. */
    CHECK_OK(rondo_exception_context_new("second", &context));
    CHECK_OK(rondo_loop_default_exception_handler(loop, context));
    CHECK_OK(rondo_exception_context_release(context));
}

KIT_TEST(log_sink)
{
    rondo_loop *loop = kit_loop();
    rondo_exception_context *context = NULL;
    CHECK_OK(rondo_exception_context_new("first", &context));
    CHECK_OK(rondo_log_set_sink(log_again, loop, kit_drop));
    CHECK_OK(rondo_loop_default_exception_handler(loop, context));
    kit_expect_log("first second");
    CHECK_OK(rondo_log_set_sink(forbidden_sink, NULL, kit_drop));
    CHECK_EQ_INT(kit_drops, 1);
    CHECK_OK(rondo_log_set_level(RONDO_LOG_ERROR + 1));
    CHECK_OK(rondo_loop_default_exception_handler(loop, context));
    CHECK_OK(rondo_log_set_level(RONDO_LOG_INFO));
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    CHECK_EQ_INT(kit_drops, 2);
    CHECK_OK(rondo_exception_context_release(context));
    kit_loop_end(loop);
}

/* Nothing global before first use: no thread, no descriptor, no signal handler of ours. */
KIT_TEST(live_objects_are_counted)
{
    uint64_t before = rondo_debug_live();
    rondo_loop *loop = kit_loop();
    rondo_error *error = kit_error(1, NULL);
    rondo_future *future = NULL;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_EQ_INT(rondo_debug_live() - before, 3);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_error_release(error));
    CHECK_EQ_INT(rondo_debug_live() - before, 1);
    kit_loop_end(loop);
    CHECK_EQ_INT(rondo_debug_live(), before);
}

/* D-06: RONDO_DEBUG switches debug mode on; empty is off. */
static int debug_with(const char *value)
{
    if (value != NULL)
        setenv("RONDO_DEBUG", value, 1);
    else
        unsetenv("RONDO_DEBUG");
    rondo_loop *loop = kit_loop();
    int debug = rondo_loop_get_debug(loop);
    kit_loop_end(loop);
    unsetenv("RONDO_DEBUG");
    return debug;
}

KIT_TEST(debug_from_the_environment)
{
    CHECK_EQ_INT(debug_with(NULL), 0);
    CHECK_EQ_INT(debug_with(""), 0);
    CHECK_EQ_INT(debug_with("1"), 1);
}
