/* A process pool: results in the order in which they are asked for, exceptions, cancelling. */
#include "parity.h"

#include <fcntl.h>
#include <sys/stat.h>

static rondo_process_call call = { .size = sizeof call };
static rondo_executor *pool;
static char directory[] = "/tmp/rondo-parity-XXXXXX", gate[80], opener[88];
static int64_t numbers[] = { 0, 1, 2, 3, 4, 8, 9 };

/* The contract tests' jobs, from where this program lies. */
static void find_jobs(void)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 60);
    path[size > 0 ? size : 0] = '\0';
    strcpy(strrchr(path, '/'), "/../../contract/process_jobs.so");
    call.library = path;
}

static rondo_future *run_job(const char *symbol, const void *input, size_t size)
{
    rondo_future *future = NULL;
    call.symbol = symbol;
    MUST(rondo_loop_run_in_process(loop, pool, &call, (void *)input, size, NULL, &future));
    return future;
}

static rondo_future *square(const int64_t *number) { return run_job("square", number, sizeof *number); }

static long number_in(const void *value)
{
    int64_t number;
    memcpy(&number, ((const rondo_bytes *)value)->data, sizeof number);
    return (long)number;
}

static const char *cancelled(rondo_future *future)
{
    return rondo_future_cancel(future, NULL, NULL) == RONDO_OK ? "True" : "False";
}

static long result_of(rondo_future *future)
{
    void *value;
    MUST(rondo_future_result(future, &value));
    return number_in(value);
}

/* The job waits until somebody writes. */
static void open_gate(void)
{
    int fd = open(opener, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "!", 1) != 1)
        exit(2);
    close(fd);
}

static void make_gate(void)
{
    if (mkdtemp(directory) == NULL)
        exit(2);
    snprintf(gate, sizeof gate, "%s/gate", directory);
    snprintf(opener, sizeof opener, "%s.go", gate);
    if (mkfifo(gate, 0600) != 0 || mkfifo(opener, 0600) != 0)
        exit(2);
}

static void wait_for_job(void)
{
    int pid, fd = open(gate, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, &pid, sizeof pid) != sizeof pid)
        exit(2);
    close(fd);
}

RONDO_STEP(main_step)
{
    static rondo_future *futures[5], *running;
    const char *once;

    SELF;
    for (int i = 0; i < 5; i++)
        futures[i] = square(&numbers[i]);
    for (self->i = 0; self->i < 5; self->i++) {
        RONDO_AWAIT(self, futures[self->i]);
        say("%ld", number_in(sent));
        MUST(rondo_future_release(futures[self->i]));
    }
    self->f = run_job("fail_with_words", "7", 1);
    RONDO_TRY_AWAIT_MOVED(self, self->f);
    if (thrown != NULL)
        say("raised %s", rondo_error_get_message(thrown));
    futures[0] = square(&numbers[3]);
    futures[1] = square(&numbers[1]);
    futures[2] = square(&numbers[2]);
    rondo_awaitable *const three[] = { (rondo_awaitable *)futures[0], (rondo_awaitable *)futures[1],
                                       (rondo_awaitable *)futures[2] };
    MUST(rondo_gather(loop, three, 3, 0, &self->g));
    RONDO_AWAIT_MOVED(self, self->g);
    say("gathered %ld %ld %ld", result_of(futures[0]), result_of(futures[1]), result_of(futures[2]));
    for (int i = 0; i < 3; i++)
        MUST(rondo_future_release(futures[i]));
    running = run_job("wait_for_go", gate, strlen(gate));
    for (int i = 0; i < 3; i++)
        futures[i] = square(&numbers[5]);
    self->f = square(&numbers[6]);
    wait_for_job();
    once = cancelled(self->f);
    say("queued: %s again: %s", once, cancelled(self->f));
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_SLEEP(self, 0);
    outcome("queued", self->f);
    MUST(rondo_future_release(self->f));
    open_gate();
    RONDO_AWAIT(self, running);
    say("%.*s", (int)((const rondo_bytes *)sent)->size, (const char *)((const rondo_bytes *)sent)->data);
    MUST(rondo_future_release(running));
    for (self->i = 0; self->i < 3; self->i++) {
        RONDO_AWAIT(self, futures[self->i]);
        say("%ld", number_in(sent));
        MUST(rondo_future_release(futures[self->i]));
    }
    MUST(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    if (rondo_loop_run_in_process(loop, pool, &call, NULL, 0, NULL, NULL) == RONDO_E_EXECUTOR_SHUT_DOWN)
        say("%s", rondo_status_message(RONDO_E_EXECUTOR_SHUT_DOWN));
    MUST(rondo_executor_release(pool));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;
    rondo_process_pool_options options = { .size = sizeof options, .max_workers = 1 };

    find_jobs();
    make_gate();
    MUST(rondo_executor_new_process_pool(&options, &pool));
    loop = new_loop();
    run(main_step, &frame);
    unlink(gate);
    unlink(opener);
    rmdir(directory);
    return finish();
}
