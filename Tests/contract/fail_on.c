/* fail_on.c - RONDO_FAIL_ON makes a report the end of the process: one sentence on stderr, SIGABRT.
 *
 * The variable is read once in a process, so each case runs in a program of its own: this one again,
 * which does the deed named in FAIL_ON_DEED before the kit's main() begins. */
#define _GNU_SOURCE
#include "coro.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define HOUR INT64_C(3600000000000)
#define WRONG "Non-thread-safe operation invoked on an event loop other than the current one"

/* ---- deeds ----------------------------------------------------------------------------------- */

static void unretrieved_future(rondo_loop *loop)
{
    rondo_error *error = kit_error(5, "five");
    rondo_future *future = future_of(loop);
    CHECK_OK(rondo_future_set_exception(future, error));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
}

static struct frame deed_frame = { .name = "work" };

RONDO_STEP(raising_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_RAISE(5, "five");
    RONDO_END(self);
}

static void unretrieved_task(rondo_loop *loop)
{
    end_task(task_of(loop, raising_step, &deed_frame));
    kit_pass(loop);
    kit_pass(loop);
}

static void unawaited(rondo_loop *loop)
{
    (void)loop;
    CHECK_OK(rondo_coroutine_release(coroutine_of(no_step, &deed_frame)));
}

static void leaked(rondo_loop *loop)
{
    end_task(task_of(loop, no_step, &deed_frame));
    CHECK_OK(rondo_loop_close(loop, NULL));
}

RONDO_STEP(yielding_step)
{
    struct frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE(self, NULL, NULL);
    RONDO_END(self);
}

static struct frame rows_frame;

/* The first question is asked in the loop, which is to close the generator then. */
RONDO_STEP(asking_step)
{
    struct frame *self = frame;
    rondo_async_generator *generator = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_async_generator_new("rows", yielding_step, &rows_frame, NULL, &generator));
    self->value = generator;
    CHECK_OK(rondo_async_generator_anext(generator, &self->child));
    RONDO_AWAIT_MOVED(self, self->child);
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void half_way(rondo_loop *loop)
{
    end_future(run_frame(loop, asking_step, &deed_frame));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_async_generator_release(deed_frame.value));
}

static void slow(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_set_debug(loop, 1));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    CHECK_OK(rondo_loop_call_soon(loop, kit_drop, NULL, NULL, NULL));
    kit_pass(loop);
}

static void until_aborted(void *arg)
{
    (void)arg;
    if (strcmp(getenv("RONDO_FAIL_ON"), "blocked") != 0)
        return; /* nobody would end this one */
    for (;;)
        pause();
}

static void stalled(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_set_watchdog(loop, 1000000));
    CHECK_OK(rondo_loop_call_soon(loop, until_aborted, NULL, NULL, NULL));
    kit_pass(loop);
}

static void stop_it(void *loop)
{
    CHECK_STATUS(rondo_loop_stop(loop), RONDO_E_WRONG_THREAD);
}

static void wrong_thread(rondo_loop *loop)
{
    kit_in_thread(stop_it, loop);
}

static const struct deed {
    const char *name, *trap, *sentence;
    void (*run)(rondo_loop *loop);
} deeds[] = {
    { "future", "unretrieved", "Future exception was never retrieved", unretrieved_future },
    { "task", "unretrieved", "Task exception was never retrieved", unretrieved_task },
    { "coroutine", "unawaited", "coroutine 'work' was never awaited", unawaited },
    { "pending", "leaked", "Task was destroyed but it is pending!", leaked },
    { "generator", "leaked", "asynchronous generator ", half_way },
    { "slow", "blocked", "Executing <Handle ", slow },
    { "stalled", "blocked", "Executing <Handle ", stalled },
    { "thread", "wrongthread", WRONG, wrong_thread },
};
enum { DEEDS = sizeof deeds / sizeof *deeds };

__attribute__((constructor)) static void do_the_deed(void)
{
    const char *name = getenv("FAIL_ON_DEED");
    for (int i = 0; name != NULL && i < DEEDS; i++)
        if (strcmp(name, deeds[i].name) == 0) {
            rondo_loop *loop = NULL;
            if (rondo_loop_new(NULL, &loop) != RONDO_OK)
                _exit(1);
            deeds[i].run(loop);
            _exit(0);
        }
}

/* ---- the process that does it ---------------------------------------------------------------- */

static char output[65536];

/* Its exit status, or 128 + signal; what it wrote to stderr is in output. */
static int run_deed(const char *deed, const char *fail_on)
{
    char variables[2][200];
    char *argv[] = { "fail_on", NULL };
    char *envp[] = { variables[0], variables[1], NULL };
    int ends[2];
    size_t size = 0;
    ssize_t got;
    snprintf(variables[0], sizeof variables[0], "FAIL_ON_DEED=%s", deed);
    snprintf(variables[1], sizeof variables[1], "RONDO_FAIL_ON=%s", fail_on);
    CHECK_EQ_INT(pipe2(ends, O_CLOEXEC), 0);
    int pid = kit_fork();
    if (pid == 0) {
        dup2(ends[1], 2);
        execve("/proc/self/exe", argv, envp);
        _exit(96);
    }
    close(ends[1]);
    while ((got = read(ends[0], output + size, sizeof output - 1 - size)) > 0)
        size += (size_t)got;
    output[size] = '\0';
    close(ends[0]);
    return kit_wait_child(pid);
}

/* The last line, as the trap writes it. */
static bool has_trap_line(const char *sentence)
{
    const char *at = strstr(output, "rondo: RONDO_FAIL_ON: ");
    return at != NULL && (at == output || at[-1] == '\n') &&
           strncmp(at + strlen("rondo: RONDO_FAIL_ON: "), sentence, strlen(sentence)) == 0;
}

/* Each trap ends the process for its own reports, after they were made. */
KIT_TEST_WITHIN(each_trap, 30)
{
    for (int i = 0; i < DEEDS; i++) {
        int status = run_deed(deeds[i].name, deeds[i].trap);
        if (status != 128 + SIGABRT || !has_trap_line(deeds[i].sentence))
            kit_fail(__FILE__, __LINE__, "%s with %s: status %d, said\n%s", deeds[i].name, deeds[i].trap,
                     status, output);
        if (strcmp(deeds[i].trap, "wrongthread") != 0) /* that is a report in debug mode only */
            CHECK(strncmp(output, "rondo: ", 7) != 0 && strstr(output, deeds[i].sentence) != NULL);
    }
}

KIT_TEST_WITHIN(no_trap_for_others, 30)
{
    static const char *const all[] = { "unretrieved", "unawaited", "leaked", "blocked", "wrongthread" };
    for (int i = 0; i < DEEDS; i++) {
        char others[200] = "";
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            if (strcmp(all[k], deeds[i].trap) != 0) {
                strcat(others, others[0] != '\0' ? "," : "");
                strcat(others, all[k]);
            }
        CHECK_EQ_INT(run_deed(deeds[i].name, others), 0);
        CHECK(strstr(output, "RONDO_FAIL_ON") == NULL);
    }
}

KIT_TEST_WITHIN(names_in_a_list, 30)
{
    CHECK_EQ_INT(run_deed("future", "unawaited,unretrieved"), 128 + SIGABRT);
    CHECK_EQ_INT(run_deed("future", ",,tomorrow,unretrieved,"), 128 + SIGABRT);
    CHECK_EQ_INT(run_deed("future", ""), 0);
    CHECK_EQ_INT(run_deed("future", "unretrieve"), 0); /* unknown: ignored */
    CHECK_EQ_INT(run_deed("future", "unretrieved2"), 0);
    CHECK_EQ_INT(run_deed("future", " unretrieved"), 0);
}
