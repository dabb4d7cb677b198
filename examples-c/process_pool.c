/*
 * process_pool.c - counting primes in processes of their own, and one that crashes.
 *
 * The jobs are functions of jobs/primes.c, a shared object that is built beside this program. The
 * process that crashes fails its own job and no other; the pool goes on with a new one.
 */
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 8 };

static void check(rondo_status status, const char *what)
{
    if (status == RONDO_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, rondo_status_message(status));
    exit(1);
}

/* "primes.so" in the directory of this program. */
static const char *library_path(void)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 20);
    if (size <= 0)
        return NULL;
    path[size] = '\0';
    strcpy(strrchr(path, '/'), "/primes.so");
    return path;
}

struct main_frame {
    RONDO_FRAME;
    rondo_executor *pool;
    rondo_process_call call;
    uint32_t limits[JOBS];
    rondo_future *futures[JOBS];
    rondo_future *crashing;
    int i;
};

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_loop *loop = rondo_running_loop();
    RONDO_BEGIN(self);
    for (int i = 0; i < JOBS; i++) {
        self->limits[i] = 100000 * (uint32_t)(i + 1);
        self->call.symbol = "count_primes";
        check(rondo_loop_run_in_process(loop, self->pool, &self->call, &self->limits[i], sizeof self->limits[i],
                                        NULL, &self->futures[i]), "run");
    }
    self->call.symbol = "crash";
    check(rondo_loop_run_in_process(loop, self->pool, &self->call, NULL, 0, NULL, &self->crashing), "run");

    for (self->i = 0; self->i < JOBS; self->i++) {
        RONDO_AWAIT(self, self->futures[self->i]);
        const rondo_bytes *bytes = sent;
        uint32_t count;
        memcpy(&count, bytes->data, sizeof count);
        printf("primes below %6u: %u\n", (unsigned)self->limits[self->i], (unsigned)count);
        rondo_future_release(self->futures[self->i]);
    }
    RONDO_TRY(self, rondo_coroutine_await(co, self->crashing));
    if (thrown != NULL)
        printf("%s\n", rondo_error_get_message(thrown));
    rondo_future_release(self->crashing);
    RONDO_END(self);
}

int main(void)
{
    rondo_process_pool_options options = { .size = sizeof options, .max_workers = 2 };
    struct main_frame frame = { .call = { .size = sizeof frame.call, .library = library_path() } };
    rondo_coroutine *coroutine = NULL;
    check(rondo_executor_new_process_pool(&options, &frame.pool), "pool");
    check(rondo_coroutine_new("main", main_step, &frame, NULL, &coroutine), "coroutine");
    check(rondo_run((rondo_awaitable *)coroutine, NULL, NULL, NULL), "run");
    check(rondo_executor_shutdown(frame.pool, 0, RONDO_NEVER, NULL), "shutdown");
    rondo_executor_release(frame.pool);
    return 0;
}
