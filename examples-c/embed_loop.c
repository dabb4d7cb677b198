/*
 * embed_loop.c - rondo inside of another event loop, which stays in charge.
 *
 * The host here is a loop around poll(). It watches a pipe of its own and one descriptor of rondo's,
 * and drives rondo when that is readable. Both are in one thread, so they may call each other.
 */
#include <poll.h>
#include <rondo.h>
#include <stdio.h>
#include <unistd.h>

#define MS INT64_C(1000000)

/* ---- the guest: a task ----------------------------------------------------------------------- */

struct guest {
    RONDO_FRAME;
    int host; /* where to write to the host */
    rondo_future *answer;
};

RONDO_STEP(guest_step)
{
    struct guest *self = frame;
    RONDO_BEGIN(self);
    RONDO_SLEEP(self, 10 * MS); /* the host waits meanwhile, in its own poll() */
    puts("guest: asks the host");
    if (write(self->host, "?", 1) != 1)
        RONDO_RAISE(1, "the host does not listen");
    RONDO_AWAIT(self, self->answer);
    printf("guest: the answer is %d\n", (int)(intptr_t)sent);
    RONDO_END(self);
}

/* ---- the host -------------------------------------------------------------------------------- */

static rondo_status answer(int fd, rondo_future *future)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        return RONDO_E_RUNTIME;
    puts("host: answers");
    return rondo_future_set_result(future, (void *)(intptr_t)42, NULL);
}

/* Both loops in one: at most 100 callbacks or 2 ms of rondo's at a time. */
static rondo_status host_loop(rondo_loop *loop, int own, rondo_future *future, rondo_task *task)
{
    int32_t fd = -1;
    rondo_status status = rondo_loop_get_fd(loop, &fd);
    while (status == RONDO_OK && !rondo_future_is_done(rondo_task_as_future(task))) {
        struct pollfd fds[] = { { .fd = own, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
        if (poll(fds, 2, -1) < 0)
            continue; /* a signal */
        if (fds[0].revents != 0)
            status = answer(own, future);
        if (status == RONDO_OK && fds[1].revents != 0)
            status = rondo_loop_drive(loop, 100, 2 * MS, NULL);
    }
    return status;
}

int main(void)
{
    struct guest guest = { 0 };
    rondo_loop *loop = NULL;
    rondo_task *task = NULL;
    int fds[2];
    rondo_status status;

    if (pipe(fds) != 0)
        return 1;
    guest.host = fds[1];
    status = rondo_loop_new(NULL, &loop);
    if (status == RONDO_OK)
        status = rondo_future_new(loop, &guest.answer);
    if (status == RONDO_OK)
        status = rondo_loop_spawn(loop, guest_step, &guest, NULL, NULL, &task);
    if (status == RONDO_OK)
        status = host_loop(loop, fds[0], guest.answer, task);
    if (status == RONDO_OK)
        status = rondo_future_result(rondo_task_as_future(task), NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    rondo_task_release(task);
    rondo_future_release(guest.answer);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    close(fds[0]);
    close(fds[1]);
    return status == RONDO_OK ? 0 : 1;
}
