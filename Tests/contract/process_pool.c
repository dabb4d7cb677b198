/*
 * process_pool.c - process pools: bytes in and out, what jobs raise, workers that crash, cancelling,
 * timeouts, shutdowns; hosts that ignore SIGCHLD, reap what is not theirs, or fork.
 *
 * After each test the kit finds neither a descriptor nor a thread of the pool; here a check of our
 * own adds that no child is left, dead or alive.
 */
#define _GNU_SOURCE
#include "../../Sources/CRondoShim/include/rondo_shim_worker.h" /* to say what a worker says, and what none does */
#include "kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* ---- pools and calls --------------------------------------------------------------------------- */

static const char *jobs_path(void)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 20);
    CHECK(size > 0);
    path[size] = '\0';
    strcpy(strrchr(path, '/'), "/process_jobs.so");
    return path;
}

static rondo_executor *pool_with(rondo_process_pool_options options)
{
    rondo_executor *pool = NULL;
    options.size = sizeof options;
    CHECK_OK(rondo_executor_new_process_pool(&options, &pool));
    return pool;
}

static rondo_executor *pool_of(uint32_t workers)
{
    return pool_with((rondo_process_pool_options){ .max_workers = workers });
}

static void check_no_child(void)
{
    CHECK_EQ_INT(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQ_INT(errno, ECHILD);
}

static void end_pool(rondo_executor *pool)
{
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    check_no_child();
}

static rondo_process_call call_of(const char *symbol)
{
    return (rondo_process_call){ .size = sizeof(rondo_process_call), .library = jobs_path(), .symbol = symbol };
}

static rondo_thread_future *submit_call(rondo_executor *pool, rondo_process_call call, void *input, size_t size)
{
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_executor_submit_process(pool, &call, input, size, NULL, &future));
    return future;
}

static rondo_thread_future *submit(rondo_executor *pool, const char *symbol, void *input, size_t size)
{
    return submit_call(pool, call_of(symbol), input, size);
}

static void check_bytes(rondo_thread_future *future, const void *expected, size_t size)
{
    void *value = NULL;
    CHECK_OK(rondo_thread_future_result(future, RONDO_NEVER, &value));
    const rondo_bytes *bytes = value;
    CHECK_EQ_INT(bytes->size, size);
    CHECK(bytes->data != NULL);
    CHECK(memcmp(bytes->data, expected, size) == 0);
    CHECK_OK(rondo_thread_future_release(future));
}

static void check_raised(rondo_thread_future *future, rondo_status status, const char *message)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_thread_future_exception(future, RONDO_NEVER, &error));
    CHECK_STATUS(rondo_error_get_status(error), status);
    if (message != NULL)
        CHECK_EQ_STR(rondo_error_get_message(error), message);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
}

/* The process that does this job; 0 if it got the job just before it ended. */
static pid_t id_or_end_of_worker(rondo_executor *pool)
{
    void *value = NULL;
    pid_t pid;
    rondo_thread_future *future = submit(pool, "process_id", NULL, 0);
    rondo_status status = rondo_thread_future_result(future, RONDO_NEVER, &value);
    if (status == RONDO_E_RAISED) {
        check_raised(future, RONDO_E_BROKEN_POOL, "a worker process ended abruptly: signal 9 (SIGKILL)");
        return 0;
    }
    CHECK_OK(status);
    const rondo_bytes *bytes = value;
    CHECK_EQ_INT(bytes->size, sizeof pid);
    memcpy(&pid, bytes->data, sizeof pid);
    CHECK_OK(rondo_thread_future_release(future));
    CHECK(pid > 0 && pid != getpid());
    return pid;
}

static pid_t id_of_worker(rondo_executor *pool)
{
    pid_t pid = id_or_end_of_worker(pool);
    CHECK(pid != 0);
    return pid;
}

/* A pipe by path, on which a job says that it has begun, and another to let it go on. */
struct signals {
    char directory[64], begun[80], go[88];
};

static struct signals make_signals(void)
{
    struct signals signals = { .directory = "/tmp/rondo-pool-XXXXXX" };
    CHECK(mkdtemp(signals.directory) != NULL);
    snprintf(signals.begun, sizeof signals.begun, "%s/begun", signals.directory);
    snprintf(signals.go, sizeof signals.go, "%s.go", signals.begun);
    CHECK_EQ_INT(mkfifo(signals.begun, 0600), 0);
    CHECK_EQ_INT(mkfifo(signals.go, 0600), 0);
    return signals;
}

static void end_signals(const struct signals *signals)
{
    unlink(signals->begun);
    unlink(signals->go);
    CHECK_EQ_INT(rmdir(signals->directory), 0);
}

/* The process that runs the job. */
static pid_t wait_for_begun(const struct signals *signals)
{
    pid_t pid = 0;
    int fd = open(signals->begun, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ_INT(read(fd, &pid, sizeof pid), sizeof pid);
    close(fd);
    return pid;
}

static void let_go_on(const struct signals *signals)
{
    int fd = open(signals->go, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ_INT(write(fd, "!", 1), 1);
    close(fd);
}

static rondo_thread_future *submit_hang(rondo_executor *pool, const struct signals *signals, uint32_t flags,
                                        int64_t timeout_ns)
{
    rondo_process_call call = call_of("hang");
    call.flags = flags;
    call.timeout_ns = timeout_ns;
    return submit_call(pool, call, (void *)signals->begun, strlen(signals->begun));
}

/* ---- bytes ------------------------------------------------------------------------------------- */

KIT_TEST(bytes_in_bytes_out)
{
    rondo_executor *pool = pool_of(1);
    check_bytes(submit(pool, "echo", "hello", 5), "hello", 5);
    check_bytes(submit(pool, "reverse", "hello", 5), "olleh", 5);
    check_bytes(submit(pool, "echo", NULL, 0), "", 0);
    check_bytes(submit(pool, "say_nothing", "hello", 5), "", 0);
    check_bytes(submit(pool, "misuse_reply", NULL, 0), "good", 4);
    end_pool(pool);
}

/* More than any socket's buffer, both ways at once on both workers. */
KIT_TEST_WITHIN(large_payloads_do_not_deadlock, 120)
{
    enum { COUNT = 4 };
    size_t size = KIT_SANITIZED ? 10000000 : 100000000;
    rondo_executor *pool = pool_of(2);
    rondo_thread_future *futures[COUNT];
    unsigned char *big = malloc(size);
    for (size_t i = 0; i < size; i++)
        big[i] = (unsigned char)(i * 31 + (i >> 12));
    for (int i = 0; i < COUNT; i++)
        futures[i] = submit(pool, "echo", big, size);
    for (int i = 0; i < COUNT; i++)
        check_bytes(futures[i], big, size);
    free(big);
    end_pool(pool);
}

KIT_TEST_WITHIN(thousands_of_jobs, 60)
{
    int count = kit_rounds(5000);
    rondo_executor *pool = pool_of(2);
    int64_t *numbers = malloc((size_t)count * sizeof *numbers);
    rondo_thread_future **futures = malloc((size_t)count * sizeof *futures);
    for (int i = 0; i < count; i++) {
        numbers[i] = i;
        futures[i] = submit(pool, "square", &numbers[i], sizeof numbers[i]);
    }
    for (int i = 0; i < count; i++) {
        int64_t square = (int64_t)i * i;
        check_bytes(futures[i], &square, sizeof square);
    }
    free(futures);
    free(numbers);
    end_pool(pool);
}

KIT_TEST(the_input_moves)
{
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("echo");
    rondo_thread_future *future = NULL;
    CHECK_OK(rondo_executor_submit_process(pool, &call, "text", 4, kit_drop, &future));
    check_bytes(future, "text", 4);
    CHECK_OK(rondo_executor_submit_process(pool, &call, "text", 4, kit_drop, NULL));
    end_pool(pool);
    CHECK_EQ_INT(atomic_load(&kit_drops), 2);
}

KIT_TEST(a_future_of_a_loop)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("echo");
    rondo_future *future = NULL;
    void *value = NULL;
    CHECK_OK(rondo_loop_run_in_process(loop, pool, &call, "text", 4, kit_drop, &future));
    CHECK_OK(rondo_loop_run_until_complete(loop, (rondo_awaitable *)future, NULL));
    CHECK_OK(rondo_future_take_result(future, &value));
    CHECK_EQ_INT(((rondo_bytes *)value)->size, 4);
    CHECK(memcmp(((rondo_bytes *)value)->data, "text", 4) == 0);
    free(value); /* who takes it */
    CHECK_OK(rondo_future_release(future));
    CHECK_EQ_INT(atomic_load(&kit_drops), 1);
    end_pool(pool);
    kit_loop_end(loop);
}

/* ---- what jobs raise --------------------------------------------------------------------------- */

KIT_TEST(what_a_job_raises)
{
    static char long_text[RONDO_PROCESS_MESSAGE_MAX + 1];
    rondo_executor *pool = pool_of(1);
    pid_t pid = id_of_worker(pool);
    check_raised(submit(pool, "fail_plainly", NULL, 0), -EDOM, NULL);
    check_raised(submit(pool, "fail_strangely", NULL, 0), -EINVAL, NULL);
    check_raised(submit(pool, "fail_with_words", "this", 4), -ERANGE, "this is not good");
    check_raised(submit(pool, "square", "x", 1), -EINVAL, "square wants a number");
    memset(long_text, 'x', RONDO_PROCESS_MESSAGE_MAX);
    check_raised(submit(pool, "fail_at_length", NULL, 0), -EDOM, long_text);
    CHECK_EQ_INT(id_of_worker(pool), pid); /* a failure is no end of a process */
    end_pool(pool);
}

KIT_TEST(no_such_library_or_symbol)
{
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("echo");
    rondo_error *error = NULL;
    call.library = "/no/such/library.so";
    rondo_thread_future *future = submit_call(pool, call, NULL, 0);
    CHECK_OK(rondo_thread_future_exception(future, RONDO_NEVER, &error));
    CHECK_STATUS(rondo_error_get_status(error), -ELIBACC);
    CHECK(strstr(rondo_error_get_message(error), "/no/such/library.so") != NULL);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
    check_raised(submit(pool, "no_such_job", NULL, 0), -ENOSYS, NULL);
    check_bytes(submit(pool, "echo", "on", 2), "on", 2);
    end_pool(pool);
}

/* ---- crashes ----------------------------------------------------------------------------------- */

KIT_TEST(a_crash_fails_its_job_and_is_replaced)
{
    static const struct {
        int number;
        const char *message;
    } ends[] = {
        { SIGSEGV, "a worker process ended abruptly: signal 11 (SIGSEGV)" },
        { SIGABRT, "a worker process ended abruptly: signal 6 (SIGABRT)" },
        { SIGKILL, "a worker process ended abruptly: signal 9 (SIGKILL)" },
    };
    rondo_executor *pool = pool_of(1);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int number = ends[i].number;
        pid_t before = id_of_worker(pool);
        rondo_thread_future *crashing = submit(pool, "crash", &number, sizeof number);
        rondo_thread_future *next = submit(pool, "echo", "next", 4);
        check_raised(crashing, RONDO_E_BROKEN_POOL, ends[i].message);
        check_bytes(next, "next", 4); /* what waited did not notice */
        CHECK(id_of_worker(pool) != before);
    }
    end_pool(pool);
}

KIT_TEST(an_exit_fails_its_job)
{
    rondo_executor *pool = pool_of(1);
    int number = 3;
    check_raised(submit(pool, "leave", &number, sizeof number), RONDO_E_BROKEN_POOL,
                 "a worker process ended abruptly: exit status 3");
    number = 0;
    check_raised(submit(pool, "leave", &number, sizeof number), RONDO_E_BROKEN_POOL,
                 "a worker process ended abruptly: exit status 0");
    check_bytes(submit(pool, "echo", "on", 2), "on", 2);
    end_pool(pool);
}

/* The socket lives on in its child: only the pidfd tells. That child is not ours to end. */
KIT_TEST(an_end_is_seen_though_a_grandchild_has_the_socket)
{
    rondo_executor *pool = pool_of(1);
    check_raised(submit(pool, "fork_and_leave", NULL, 0), RONDO_E_BROKEN_POOL,
                 "a worker process ended abruptly: exit status 7");
    check_bytes(submit(pool, "echo", "on", 2), "on", 2);
    end_pool(pool);
}

KIT_TEST(a_job_that_closes_the_socket_is_killed)
{
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *future = submit(pool, "close_everything", NULL, 0);
    rondo_error *error = NULL;
    CHECK_OK(rondo_thread_future_exception(future, RONDO_NEVER, &error));
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_BROKEN_POOL);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
    check_bytes(submit(pool, "echo", "on", 2), "on", 2);
    end_pool(pool);
}

/* What a worker says is not believed: it is told as a crash, or as too much, and the worker is ended. */
KIT_TEST(answers_that_make_no_sense)
{
    struct rondo_worker_answer answer = { .magic = RONDO_WORKER_MAGIC + 1 };
    rondo_executor *pool = pool_of(1);
    check_raised(submit(pool, "answer_with_input", &answer, sizeof answer), RONDO_E_BROKEN_POOL, NULL);
    answer = (struct rondo_worker_answer){ .magic = RONDO_WORKER_MAGIC, .status = -EIO };
    answer.text_size = RONDO_PROCESS_MESSAGE_MAX + 1;
    check_raised(submit(pool, "answer_with_input", &answer, sizeof answer), RONDO_E_BROKEN_POOL, NULL);
    answer = (struct rondo_worker_answer){ .magic = RONDO_WORKER_MAGIC, .output_size = UINT64_MAX };
    check_raised(submit(pool, "answer_with_input", &answer, sizeof answer), -ENOMEM, NULL);
    answer.output_size = UINT64_C(1) << 62;
    check_raised(submit(pool, "answer_with_input", &answer, sizeof answer), -ENOMEM, NULL);
    check_bytes(submit(pool, "echo", "on", 2), "on", 2);
    end_pool(pool);
}

static void wait_until_reaped(pid_t pid)
{
    while (kill(pid, 0) == 0)
        sched_yield();
    CHECK_EQ_INT(errno, ESRCH);
}

/* Nobody submits anything: it is reaped all the same, and the next job does not notice. */
KIT_TEST(an_idle_process_that_is_killed_is_reaped_and_replaced)
{
    rondo_executor *pool = pool_of(1);
    for (int i = 0; i < 5; i++) {
        pid_t before = id_of_worker(pool);
        CHECK_EQ_INT(kill(before, SIGKILL), 0);
        wait_until_reaped(before);
        pid_t next = id_of_worker(pool);
        CHECK(next != before);
        CHECK_EQ_INT(id_of_worker(pool), next);
    }
    end_pool(pool);
}

/* A process of the pool that nobody has asked for its number: the child that some thread of ours has. */
static pid_t id_of_child(void)
{
    for (;;) {
        siginfo_t info = { 0 };
        char path[64], name[32] = "";
        int pid = 0;
        DIR *threads = opendir("/proc/self/task");
        CHECK(threads != NULL);
        for (struct dirent *entry; pid == 0 && (entry = readdir(threads)) != NULL;) {
            snprintf(path, sizeof path, "/proc/self/task/%.20s/children", entry->d_name);
            FILE *file = fopen(path, "re");
            if (file != NULL && fscanf(file, "%d", &pid) != 1)
                pid = 0;
            if (file != NULL)
                fclose(file);
        }
        closedir(threads);
        snprintf(path, sizeof path, "/proc/%d/comm", pid);
        FILE *file = pid != 0 ? fopen(path, "re") : NULL;
        if (file != NULL && fscanf(file, "%31s", name) != 1)
            name[0] = '\0';
        if (file != NULL)
            fclose(file);
        /* Before it execs it has another name. */
        if (strcmp(name, "rondo-worker") == 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
            info.si_pid == 0)
            return pid;
        sched_yield();
    }
}

/* One that ends before it has done anything is not replaced before there is a job: no storm of starts. */
KIT_TEST(a_replacement_that_is_killed_waits_for_a_job)
{
    rondo_executor *pool = pool_of(1);
    pid_t first = id_of_worker(pool);
    CHECK_EQ_INT(kill(first, SIGKILL), 0);
    wait_until_reaped(first);
    pid_t second = id_of_child();
    CHECK(second != first);
    CHECK_EQ_INT(kill(second, SIGKILL), 0);
    wait_until_reaped(second);
    check_no_child();
    pid_t third = id_of_worker(pool);
    CHECK(third != first && third != second);
    end_pool(pool);
}

/* Idle workers of several, all killed, with jobs that come meanwhile. */
KIT_TEST_WITHIN(kills_and_jobs_at_once, 60)
{
    rondo_executor *pool = pool_of(2);
    for (int i = 0, rounds = kit_rounds(200); i < rounds; i++) {
        pid_t pid = id_or_end_of_worker(pool);
        if (pid == 0) /* the one that was killed last has not seen it when it takes this job */
            continue;
        while (kill(pid, SIGKILL) != 0)
            CHECK_EQ_INT(errno, ESRCH);
        rondo_thread_future *future = submit(pool, "echo", "on", 2);
        void *value = NULL;
        rondo_status status = rondo_thread_future_result(future, RONDO_NEVER, &value);
        if (status != RONDO_OK) { /* it got the job just before it was killed */
            CHECK_STATUS(status, RONDO_E_RAISED);
            check_raised(future, RONDO_E_BROKEN_POOL, "a worker process ended abruptly: signal 9 (SIGKILL)");
        } else {
            check_bytes(future, "on", 2);
        }
    }
    end_pool(pool);
}

/* ---- first and last ---------------------------------------------------------------------------- */

static rondo_executor *pool_doing(const char *first, const char *last, const void *input, size_t size, uint64_t jobs)
{
    return pool_with((rondo_process_pool_options){ .max_workers = 1, .jobs_per_process = jobs, .library = jobs_path(),
        .initializer = first, .finalizer = last, .input = input, .input_size = size });
}

KIT_TEST(an_initializer_runs_once_in_each_process)
{
    char input[] = "licence";
    rondo_executor *pool = pool_doing("do_first", NULL, input, 7, 0);
    memset(input, 'x', sizeof input); /* it was copied */
    for (int i = 0; i < 3; i++)
        check_bytes(submit(pool, "tell_first", NULL, 0), "1licence", 8);
    int number = SIGKILL;
    check_raised(submit(pool, "crash", &number, sizeof number), RONDO_E_BROKEN_POOL, NULL);
    check_bytes(submit(pool, "tell_first", NULL, 0), "1licence", 8);
    pid_t idle = id_of_worker(pool);
    CHECK_EQ_INT(kill(idle, SIGKILL), 0);
    wait_until_reaped(idle);
    check_bytes(submit(pool, "tell_first", NULL, 0), "1licence", 8);
    end_pool(pool);
    pool = pool_doing("do_first", NULL, NULL, 0, 1); /* a process per job */
    for (int i = 0; i < 3; i++)
        check_bytes(submit(pool, "tell_first", NULL, 0), "1", 1);
    end_pool(pool);
}

static void check_broken(rondo_thread_future *future, rondo_status status, const char *message)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_thread_future_exception(future, RONDO_NEVER, &error));
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_BROKEN_POOL);
    CHECK_EQ_STR(rondo_error_get_message(error), "A process initializer failed, the process pool is not usable anymore");
    rondo_error *cause = rondo_error_get_cause(error);
    CHECK_STATUS(rondo_error_get_status(cause), status);
    if (message != NULL)
        CHECK_EQ_STR(rondo_error_get_message(cause), message);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
}

static void break_pool(const char *first, const char *last, rondo_status status, const char *message)
{
    rondo_executor *pool = pool_doing(first, last, NULL, 0, 0);
    rondo_process_call call = call_of("echo");
    rondo_thread_future *future = submit(pool, "echo", "never", 5), *second = NULL;
    rondo_status taken = rondo_executor_submit_process(pool, &call, "never", 5, NULL, &second);
    check_broken(future, status, message);
    if (taken == RONDO_OK) /* else the process was even faster */
        check_broken(second, status, message);
    else
        CHECK_STATUS(taken, RONDO_E_BROKEN_POOL);
    CHECK_STATUS(rondo_executor_submit_process(pool, &call, "x", 1, kit_drop, NULL), RONDO_E_BROKEN_POOL);
    CHECK_EQ_INT(atomic_load(&kit_drops), 1);
    atomic_store(&kit_drops, 0);
    end_pool(pool);
}

KIT_TEST(an_initializer_that_fails_breaks_the_pool)
{
    break_pool("fail_first", NULL, -EACCES, "no licence");
    break_pool("crash_first", NULL, RONDO_E_BROKEN_POOL, "a worker process ended abruptly: signal 11 (SIGSEGV)");
    break_pool("no_such_function", NULL, -ENOSYS, NULL);
    break_pool(NULL, "no_such_function", -ENOSYS, NULL);
}

/* Every job that waits is told, each once. */
KIT_TEST(an_initializer_fails_for_all_that_wait)
{
    struct signals signals = make_signals();
    char never[100];
    snprintf(never, sizeof never, "%s/never", signals.directory);
    rondo_executor *pool = pool_doing("hang_if_told", NULL, never, strlen(never), 1);
    rondo_thread_future *futures[10];
    rondo_thread_future *first = submit(pool, "wait_for_go", signals.begun, strlen(signals.begun));
    wait_for_begun(&signals);
    for (int i = 0; i < 10; i++)
        futures[i] = submit(pool, "echo", "never", 5);
    /* The next process's initializer hangs, and is killed. */
    CHECK_EQ_INT(mkfifo(never, 0600), 0);
    let_go_on(&signals);
    check_bytes(first, "went", 4);
    int fd = open(never, O_RDONLY | O_CLOEXEC); /* it hangs now */
    pid_t pid = 0;
    CHECK_EQ_INT(read(fd, &pid, sizeof pid), sizeof pid);
    close(fd);
    CHECK_EQ_INT(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 10; i++)
        check_broken(futures[i], RONDO_E_BROKEN_POOL, "a worker process ended abruptly: signal 9 (SIGKILL)");
    end_pool(pool);
    unlink(never);
    end_signals(&signals);
}

/* An initializer that hangs: a shutdown by force and a job's timeout end it, and do not break the pool. */
KIT_TEST(an_initializer_that_hangs)
{
    struct signals signals = make_signals();
    rondo_executor *pool = pool_doing("hang_if_told", NULL, signals.begun, strlen(signals.begun), 0);
    rondo_process_call call = call_of("echo");
    call.timeout_ns = SECOND / 5;
    rondo_thread_future *late = submit_call(pool, call, "late", 4);
    pid_t pid = wait_for_begun(&signals);
    check_raised(late, RONDO_E_TIMEOUT, NULL);
    CHECK_EQ_INT(kill(pid, 0), -1);
    call.timeout_ns = 0;
    call.flags = RONDO_PROCESS_KILL;
    rondo_thread_future *cancelled = submit_call(pool, call, "cancelled", 9);
    pid = wait_for_begun(&signals);
    CHECK_OK(rondo_thread_future_cancel(cancelled));
    CHECK_OK(rondo_thread_future_release(cancelled));
    wait_until_reaped(pid);
    rondo_thread_future *ended = submit(pool, "echo", "ended", 5);
    pid = wait_for_begun(&signals);
    CHECK_OK(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_UNBLOCK, RONDO_NEVER, NULL));
    CHECK_EQ_INT(kill(pid, 0), -1);
    CHECK_STATUS(rondo_thread_future_result(ended, 0, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_thread_future_release(ended));
    CHECK_OK(rondo_executor_release(pool));
    check_no_child();
    end_signals(&signals);
}

static long size_of(const char *path)
{
    struct stat info;
    CHECK_EQ_INT(stat(path, &info), 0);
    return (long)info.st_size;
}

/* Once for each process that ends in order: by a shutdown, or because it has done its jobs. */
KIT_TEST(a_finalizer_runs_at_the_end)
{
    char path[] = "/tmp/rondo-last-XXXXXX";
    int fd = mkstemp(path), number = SIGKILL;
    CHECK(fd >= 0);
    close(fd);
    rondo_executor *pool = pool_doing("do_first", "do_last", path, strlen(path), 2);
    for (int i = 0; i < 3; i++)
        CHECK(id_of_worker(pool) > 0);
    CHECK_EQ_INT(size_of(path), 1); /* of the first process */
    end_pool(pool);
    CHECK_EQ_INT(size_of(path), 2);
    pool = pool_doing(NULL, "do_last", path, strlen(path), 0);
    check_raised(submit(pool, "crash", &number, sizeof number), RONDO_E_BROKEN_POOL, NULL);
    end_pool(pool);
    CHECK_EQ_INT(size_of(path), 2); /* a crash is no end in order */
    pool = pool_doing(NULL, "do_last", path, strlen(path), 0);
    end_pool(pool);
    CHECK_EQ_INT(size_of(path), 2); /* no process, no end */
    unlink(path);
}

KIT_TEST(calls_first_and_last_that_make_no_sense)
{
    static char longest[5001];
    rondo_executor *pool = NULL;
    memset(longest, 'x', sizeof longest - 1);
    rondo_process_pool_options options = { .size = sizeof options, .initializer = "do_first" };
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -EINVAL);
    options.library = jobs_path();
    options.initializer = NULL;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -EINVAL);
    options.finalizer = longest;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -ENAMETOOLONG);
    options.finalizer = "do_last";
    options.input_size = 1;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -EINVAL);
    options.input = "x";
    options.input_size = SIZE_MAX;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -EINVAL);
    CHECK_EQ_PTR(pool, NULL);
}

KIT_TEST(a_process_is_replaced_after_so_many_jobs)
{
    rondo_executor *pool = pool_with((rondo_process_pool_options){ .max_workers = 1, .jobs_per_process = 2 });
    pid_t ids[4];
    for (int i = 0; i < 4; i++)
        ids[i] = id_of_worker(pool);
    CHECK_EQ_INT(ids[0], ids[1]);
    CHECK(ids[1] != ids[2]);
    CHECK_EQ_INT(ids[2], ids[3]);
    end_pool(pool);
}

KIT_TEST(an_idle_process_ends)
{
    rondo_executor *pool = pool_with((rondo_process_pool_options){ .max_workers = 1, .idle_ns = 1 });
    rondo_executor_report report = { .size = sizeof report };
    pid_t before = id_of_worker(pool);
    do {
        sched_yield();
        CHECK_OK(rondo_executor_get_report(pool, &report));
    } while (report.workers != 0);
    CHECK_EQ_INT(kill(before, 0), -1);
    CHECK(id_of_worker(pool) > 0);
    end_pool(pool);
}

/* ---- cancelling and time ----------------------------------------------------------------------- */

KIT_TEST(a_job_in_the_queue_is_taken_back)
{
    struct signals signals = make_signals();
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("echo");
    rondo_thread_future *queued = NULL;
    rondo_thread_future *first = submit(pool, "wait_for_go", signals.begun, strlen(signals.begun));
    wait_for_begun(&signals);
    CHECK_OK(rondo_executor_submit_process(pool, &call, "text", 4, kit_drop, &queued));
    CHECK_OK(rondo_thread_future_cancel(queued));
    CHECK_EQ_INT(atomic_load(&kit_drops), 1); /* and at once */
    CHECK_STATUS(rondo_thread_future_result(queued, 0, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_thread_future_release(queued));
    let_go_on(&signals);
    check_bytes(first, "went", 4);
    end_pool(pool);
    end_signals(&signals);
}

/* asyncio's way: a job that runs is let be, and what it returns is dropped. */
KIT_TEST(a_running_job_is_not_killed_unless_asked)
{
    struct signals signals = make_signals();
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *first = submit(pool, "wait_for_go", signals.begun, strlen(signals.begun));
    pid_t pid = wait_for_begun(&signals);
    CHECK_OK(rondo_thread_future_cancel(first));
    CHECK_STATUS(rondo_thread_future_result(first, 0, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_thread_future_release(first));
    let_go_on(&signals);
    CHECK_EQ_INT(id_of_worker(pool), pid);
    end_pool(pool);
    end_signals(&signals);
}

KIT_TEST(cancelling_kills_when_asked)
{
    struct signals signals = make_signals();
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("hang");
    rondo_future *future = NULL;
    call.flags = RONDO_PROCESS_KILL;
    CHECK_OK(rondo_loop_run_in_process(loop, pool, &call, signals.begun, strlen(signals.begun), NULL, &future));
    pid_t pid = wait_for_begun(&signals);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_OK(rondo_future_release(future));
    CHECK(id_of_worker(pool) != pid); /* the queue goes on, with another process */
    CHECK_EQ_INT(kill(pid, 0), -1);
    end_pool(pool);
    kit_pass(loop); /* it learns that the job has ended */
    kit_loop_end(loop);
    end_signals(&signals);
}

KIT_TEST(a_timeout_kills)
{
    struct signals signals = make_signals();
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *future = submit_hang(pool, &signals, 0, SECOND / 5);
    pid_t pid = wait_for_begun(&signals);
    check_raised(future, RONDO_E_TIMEOUT, NULL);
    CHECK_EQ_INT(kill(pid, 0), -1);
    rondo_process_call call = call_of("echo");
    call.timeout_ns = INT64_MAX;
    check_bytes(submit_call(pool, call, "on", 2), "on", 2);
    end_pool(pool);
    end_signals(&signals);
}

/* ---- shutdowns --------------------------------------------------------------------------------- */

KIT_TEST(shutdown_runs_what_is_queued)
{
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *futures[10];
    rondo_process_call call = call_of("echo");
    for (int i = 0; i < 10; i++)
        futures[i] = submit(pool, "echo", "text", 4);
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    check_no_child();
    for (int i = 0; i < 10; i++)
        check_bytes(futures[i], "text", 4);
    CHECK_STATUS(rondo_executor_submit_process(pool, &call, "x", 1, kit_drop, NULL), RONDO_E_EXECUTOR_SHUT_DOWN);
    CHECK_EQ_INT(atomic_load(&kit_drops), 1);
    CHECK_OK(rondo_executor_release(pool));
}

/* Wait, cancel, deadline, and then by force (kill_workers), whatever the calls say of killing. */
KIT_TEST(shutdown_by_force)
{
    struct signals signals = make_signals();
    rondo_executor *pool = pool_of(1);
    rondo_executor_report report = { .size = sizeof report };
    char text[500];
    rondo_thread_future *running = submit_hang(pool, &signals, 0, 0);
    pid_t pid = wait_for_begun(&signals);
    rondo_thread_future *queued = submit(pool, "echo", "text", 4);
    CHECK_STATUS(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_CANCEL, 1000000, &report), RONDO_E_TIMEOUT);
    CHECK_EQ_INT(report.running, 1);
    CHECK_EQ_INT(report.cancelled, 1);
    CHECK_STATUS(rondo_thread_future_result(queued, 0, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_thread_future_release(queued));
    CHECK_OK(rondo_executor_describe_jobs(pool, text, sizeof text, NULL));
    CHECK(strncmp(text, "job hang runs for ", 18) == 0);
    CHECK(strstr(text, " s in process_0") != NULL);
    CHECK_OK(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_UNBLOCK, RONDO_NEVER, NULL));
    CHECK_STATUS(rondo_thread_future_result(running, 0, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_thread_future_release(running));
    CHECK_EQ_INT(kill(pid, 0), -1);
    CHECK_OK(rondo_executor_release(pool));
    check_no_child();
    end_signals(&signals);
}

/* One that was cancelled without killing, and then runs into a shutdown by force. */
KIT_TEST(force_ends_a_job_that_nobody_wants)
{
    struct signals signals = make_signals();
    rondo_executor *pool = pool_of(1);
    rondo_thread_future *running = submit_hang(pool, &signals, 0, 0);
    pid_t pid = wait_for_begun(&signals);
    CHECK_OK(rondo_thread_future_cancel(running));
    CHECK_OK(rondo_thread_future_release(running));
    CHECK_OK(rondo_executor_shutdown(pool, RONDO_SHUTDOWN_UNBLOCK, RONDO_NEVER, NULL));
    CHECK_EQ_INT(kill(pid, 0), -1);
    CHECK_OK(rondo_executor_release(pool));
    check_no_child();
    end_signals(&signals);
}

KIT_TEST(a_loop_that_closes_forgets_the_job)
{
    struct signals signals = make_signals();
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("wait_for_go");
    CHECK_OK(rondo_loop_run_in_process(loop, pool, &call, signals.begun, strlen(signals.begun), NULL, NULL));
    wait_for_begun(&signals);
    CHECK_OK(rondo_loop_close(loop, NULL));
    let_go_on(&signals);
    end_pool(pool);
    CHECK_OK(rondo_loop_release(loop));
    end_signals(&signals);
}

/* ---- the host ---------------------------------------------------------------------------------- */

static void crash_and_go_on(rondo_executor *pool, const char *expected)
{
    int number = SIGSEGV;
    check_raised(submit(pool, "crash", &number, sizeof number), RONDO_E_BROKEN_POOL, expected);
    check_bytes(submit(pool, "echo", "on", 2), "on", 2);
}

/* Then the kernel reaps: that a process ended is known, and how is not. */
KIT_TEST(sigchld_may_be_ignored)
{
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    rondo_executor *pool = pool_of(1);
    crash_and_go_on(pool, "a worker process ended abruptly: somebody else has learned how");
    end_pool(pool);
    signal(SIGCHLD, before);
}

static atomic_int reaper_ends;

static void *reap_everything(void *arg)
{
    (void)arg;
    while (atomic_load(&reaper_ends) == 0)
        if (waitpid(-1, NULL, WNOHANG) <= 0)
            sched_yield();
    return NULL;
}

KIT_TEST(the_host_may_reap_everything)
{
    rondo_executor *pool = pool_of(2);
    atomic_store(&reaper_ends, 0);
    pthread_t reaper = kit_thread_start(reap_everything, NULL);
    for (int i = 0; i < 20; i++) {
        int number = SIGKILL;
        check_raised(submit(pool, "crash", &number, sizeof number), RONDO_E_BROKEN_POOL, NULL);
        check_bytes(submit(pool, "echo", "on", 2), "on", 2);
    }
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    atomic_store(&reaper_ends, 1);
    kit_thread_join(reaper);
    check_no_child();
}

/* Nothing of the host's: descriptors, masks, handlers. SIGINT, which the terminal sends to all, is ignored. */
KIT_TEST(a_worker_process_is_clean)
{
    char expected[200];
    int fds[2];
    snprintf(expected, sizeof expected, "descriptors 0, blocked 0, not default %d, socket close-on-exec", SIGINT);
    CHECK_EQ_INT(pipe(fds), 0); /* inheritable */
    void (*before)(int) = signal(SIGUSR1, SIG_IGN);
    rondo_executor *pool = pool_of(2);
    check_bytes(submit(pool, "describe_process", NULL, 0), expected, strlen(expected));
    end_pool(pool);
    signal(SIGUSR1, before);
    close(fds[0]);
    close(fds[1]);
}

/* In a child of fork the pool is the parent's; the parent goes on. */
KIT_TEST(fork_leaves_the_pool_to_the_parent)
{
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("echo");
    pid_t worker = id_of_worker(pool);
    int child = kit_fork();
    if (child == 0) {
        CHECK_STATUS(rondo_executor_submit_process(pool, &call, "x", 1, kit_drop, NULL), RONDO_E_WRONG_PROCESS);
        CHECK_EQ_INT(atomic_load(&kit_drops), 1);
        CHECK_STATUS(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL), RONDO_E_WRONG_PROCESS);
        CHECK_OK(rondo_executor_release(pool));
#ifndef KIT_TSAN /* which starts no thread in the child of a process that had some */
        rondo_executor *own = pool_of(1);
        CHECK(id_of_worker(own) != worker);
        end_pool(own);
#endif
        _exit(0);
    }
    CHECK_EQ_INT(kit_wait_child(child), 0);
    CHECK_EQ_INT(id_of_worker(pool), worker);
    end_pool(pool);
}

/* Killed without a word while a job hangs: the kernel ends the worker. */
KIT_TEST(the_end_of_the_host_ends_its_workers)
{
    struct signals signals = make_signals();
    int child = kit_fork();
    if (child == 0) {
        rondo_executor *pool = pool_of(1);
        submit_hang(pool, &signals, 0, 0);
        pause();
        _exit(0);
    }
    pid_t worker = wait_for_begun(&signals);
    CHECK_EQ_INT(kill(child, SIGKILL), 0);
    CHECK_EQ_INT(kit_wait_child(child), 128 + SIGKILL);
    /* Whoever adopts it may take a while to reap it: ended is ended. */
    for (;;) {
        char path[64], state = 'X';
        snprintf(path, sizeof path, "/proc/%d/stat", worker);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            break;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 'X';
        fclose(file);
        if (state == 'Z' || state == 'X')
            break;
        sched_yield();
    }
    end_signals(&signals);
}

/* ---- misuse ------------------------------------------------------------------------------------ */

static rondo_status thread_job(rondo_job *job, void *arg)
{
    (void)job;
    (void)arg;
    return RONDO_OK;
}

KIT_TEST(jobs_of_the_wrong_sort_are_refused)
{
    rondo_loop *loop = kit_loop();
    rondo_executor *processes = pool_of(1), *threads = NULL;
    rondo_process_call call = call_of("echo");
    CHECK_OK(rondo_executor_new_thread_pool(NULL, &threads));
    CHECK_STATUS(rondo_executor_submit(processes, NULL, thread_job, NULL, kit_drop, NULL), RONDO_E_TYPE);
    CHECK_STATUS(rondo_loop_run_in_executor(loop, processes, NULL, thread_job, NULL, kit_drop, NULL), RONDO_E_TYPE);
    CHECK_STATUS(rondo_executor_submit_process(threads, &call, NULL, 0, kit_drop, NULL), RONDO_E_TYPE);
    CHECK_STATUS(rondo_loop_run_in_process(loop, threads, &call, NULL, 0, kit_drop, NULL), RONDO_E_TYPE);
    CHECK_EQ_INT(atomic_load(&kit_drops), 2 + 2);
    CHECK_STATUS(rondo_loop_set_default_executor(loop, processes), RONDO_E_TYPE);
    end_pool(processes);
    CHECK_OK(rondo_executor_release(threads));
    kit_loop_end(loop);
}

static rondo_status refused(rondo_executor *pool, rondo_process_call call, void *input, size_t size)
{
    long before = atomic_load(&kit_drops);
    rondo_status status = rondo_executor_submit_process(pool, &call, input, size, kit_drop, NULL);
    CHECK_EQ_INT(atomic_load(&kit_drops), before + 1);
    return status;
}

KIT_TEST(calls_that_make_no_sense_are_refused)
{
    static char longest[5001];
    rondo_executor *pool = pool_of(1);
    rondo_process_call call = call_of("echo"), bad;
    memset(longest, 'x', sizeof longest - 1);
    bad = call, bad.library = NULL;
    CHECK_STATUS(refused(pool, bad, NULL, 0), -EINVAL);
    bad = call, bad.symbol = NULL;
    CHECK_STATUS(refused(pool, bad, NULL, 0), -EINVAL);
    bad = call, bad.flags = 0x80;
    CHECK_STATUS(refused(pool, bad, NULL, 0), -EINVAL);
    bad = call, bad.timeout_ns = -1;
    CHECK_STATUS(refused(pool, bad, NULL, 0), -EINVAL);
    bad = call, bad.library = longest;
    CHECK_STATUS(refused(pool, bad, NULL, 0), -ENAMETOOLONG);
    bad = call, bad.symbol = longest;
    CHECK_STATUS(refused(pool, bad, NULL, 0), -ENAMETOOLONG);
    CHECK_STATUS(refused(pool, call, NULL, 1), -EINVAL);
    CHECK_STATUS(refused(pool, call, longest, SIZE_MAX), -EINVAL);
    end_pool(pool);
}

KIT_TEST(pools_that_make_no_sense_are_refused)
{
    rondo_process_pool_options options = { .size = sizeof options, .worker = "/no/such/program" };
    rondo_executor *pool = NULL;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -ENOENT);
    options.worker = NULL;
    options.name = "much too long";
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -ENAMETOOLONG);
    options.name = NULL;
    options.idle_ns = -1;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -EINVAL);
    options.idle_ns = 0;
    options.max_workers = UINT32_MAX;
    CHECK_STATUS(rondo_executor_new_process_pool(&options, &pool), -EINVAL);
    CHECK_STATUS(rondo_executor_new_process_pool(NULL, NULL), -EINVAL);
    CHECK_EQ_PTR(pool, NULL);
}

/* It can be run, but is no worker: each job fails, and nothing is left. */
KIT_TEST(a_worker_program_that_is_none)
{
    rondo_executor *pool = pool_with((rondo_process_pool_options){ .max_workers = 1, .worker = "/bin/true" });
    for (int i = 0; i < 3; i++)
        check_raised(submit(pool, "echo", "text", 4), RONDO_E_BROKEN_POOL,
                     "a worker process ended abruptly: exit status 0");
    end_pool(pool);
    /* It may be run by its mode, but the system cannot. */
    char path[] = "/tmp/rondo-worker-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ_INT(write(fd, "?", 1), 1);
    CHECK_EQ_INT(fchmod(fd, 0700), 0);
    close(fd);
    pool = pool_with((rondo_process_pool_options){ .max_workers = 1, .worker = path });
    check_raised(submit(pool, "echo", "text", 4), -ENOEXEC, NULL);
    end_pool(pool);
    unlink(path);
}
