/*
 * executor_unblock.c - a job that blocks in read(), and how it is interrupted.
 *
 * The job says with rondo_job_set_unblock() what gets it out of its system call: here a byte in the
 * pipe that it reads from. When the timeout cancels the future, the hook is called, the job sees that
 * it was cancelled and ends, and the pool can be shut down without hanging. Before that, the
 * shutdown that did not want to wait names the job.
 */
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static int fds[2], was_cancelled;

/* In the thread that cancels, while the job is in read(). */
static void send_a_byte(void *arg)
{
    (void)arg;
    if (write(fds[1], "!", 1) != 1)
        perror("write");
}

static rondo_status read_pipe(rondo_job *job, void *arg)
{
    char byte;
    (void)arg;
    if (rondo_job_set_unblock(job, send_a_byte, NULL) != RONDO_OK)
        return RONDO_E_CANCELLED; /* cancelled before it began */
    ssize_t size = read(fds[0], &byte, 1);
    rondo_job_set_unblock(job, NULL, NULL); /* from here on the hook is not called */
    was_cancelled = rondo_job_is_cancelled(job);
    return size < 0 ? -errno : was_cancelled ? RONDO_E_CANCELLED : RONDO_OK;
}

struct main_frame {
    RONDO_FRAME;
    rondo_executor *pool;
    rondo_future *future;
    rondo_coroutine *waiting;
};

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_job_options options = { .size = sizeof options, .name = "read the pipe" };
    rondo_executor_report report = { .size = sizeof report };
    char text[200];
    RONDO_BEGIN(self);
    if (rondo_loop_run_in_executor(rondo_running_loop(), self->pool, &options, read_pipe, NULL, NULL,
                                   &self->future) != RONDO_OK)
        RONDO_RAISE(1, "no executor");
    RONDO_SLEEP(self, 20 * MS);
    if (rondo_executor_shutdown(self->pool, 0, 1 * MS, &report) == RONDO_E_TIMEOUT &&
        rondo_executor_describe_jobs(self->pool, text, sizeof text, NULL) == RONDO_OK)
        printf("%u hangs: %.*s ...\n", report.running, (int)strcspn(text, "0123456789"), text);
    if (rondo_wait_for(self->future, 1 * MS, &self->waiting) != RONDO_OK)
        RONDO_RAISE(1, "out of memory");
    RONDO_TRY_AWAIT_MOVED(self, self->waiting);
    printf("wait_for: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    rondo_future_release(self->future);
    printf("shutdown: %s\n", rondo_status_name(rondo_executor_shutdown(self->pool, 0, RONDO_NEVER, NULL)));
    printf("the job ended, cancelled: %d\n", was_cancelled);
    RONDO_END(self);
}

int main(void)
{
    static struct main_frame frame;
    rondo_coroutine *coroutine = NULL;

    if (pipe(fds) != 0 || rondo_executor_new_thread_pool(NULL, &frame.pool) != RONDO_OK)
        return 1;
    if (rondo_coroutine_new("main", main_step, &frame, NULL, &coroutine) != RONDO_OK)
        return 1;
    rondo_status status = rondo_run(coroutine, NULL, NULL, NULL);
    rondo_executor_release(frame.pool);
    close(fds[0]);
    close(fds[1]);
    return status == RONDO_OK ? 0 : 1;
}
