/*
 * timeout.c - a part of a coroutine that may take so long and no longer; and waiting for the first.
 *
 * asyncio's "async with timeout(delay)": between RONDO_TIMEOUT_ENTER and its exit the macros that
 * end in _IN go to the exit when they fail. When the time is over the task is cancelled, and the
 * exit makes RONDO_E_TIMEOUT of that.
 */
#include <rondo.h>
#include <stdio.h>

#define MS INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

struct body {
    RONDO_FRAME;
    rondo_timeout *limit;
    rondo_error *error; /* what left the part */
    rondo_task *slow, *quick;
    int64_t when;
};

static void body_drop(void *frame)
{
    struct body *self = frame;
    rondo_timeout_release(self->limit); /* NULL, unless it left before the exit */
    rondo_error_release(self->error);
    rondo_task_release(self->slow);
    rondo_task_release(self->quick);
}

static void tell(const char *what, struct body *self)
{
    printf("%s: %s\n", what, self->error == NULL ? "in time" : rondo_error_get_message(self->error));
    rondo_error_release(self->error);
    self->error = NULL;
}

struct nap {
    RONDO_FRAME;
    int64_t delay_ns;
};

/* Sleeps for as long as its frame says. */
RONDO_STEP(sleeps)
{
    struct nap *self = frame;
    RONDO_BEGIN(self);
    RONDO_SLEEP(self, self->delay_ns);
    RONDO_END(self);
}

static rondo_status start(int64_t delay_ns, rondo_task **out_task)
{
    rondo_coroutine *made = NULL;
    void *memory = NULL;
    rondo_status status =
        rondo_coroutine_new_with_frame("sleeps", sleeps, sizeof(struct nap), NULL, &memory, &made);
    if (status != RONDO_OK)
        return status;
    ((struct nap *)memory)->delay_ns = delay_ns;
    return rondo_loop_create_task(rondo_running_loop(), made, NULL, out_task);
}

RONDO_STEP(body_step)
{
    struct body *self = frame;
    rondo_coroutine *wait = NULL;
    RONDO_BEGIN(self);

    RONDO_TIMEOUT_ENTER(self, self->limit, rondo_running_loop(), HOUR);
    RONDO_SLEEP_IN(self, nap, 1 * MS);
    RONDO_TRY_TIMEOUT_EXIT(self, nap, self->limit, self->error);
    tell("a nap", self);

    RONDO_TIMEOUT_ENTER(self, self->limit, rondo_running_loop(), 1 * MS);
    RONDO_SLEEP_IN(self, night, HOUR);
    puts("not reached");
    RONDO_TRY_TIMEOUT_EXIT(self, night, self->limit, self->error);
    tell("a night", self);

    /* The deadline moves while there is progress, and stays when there is none. */
    RONDO_TIMEOUT_ENTER(self, self->limit, rondo_running_loop(), HOUR);
    RONDO_SLEEP_IN(self, moved, 1 * MS);
    RONDO_CHECK(rondo_loop_time(rondo_running_loop(), &self->when), "time");
    RONDO_CHECK(rondo_timeout_reschedule(self->limit, self->when + 2 * MS), "reschedule");
    RONDO_SLEEP_IN(self, moved, HOUR);
    RONDO_TRY_TIMEOUT_EXIT(self, moved, self->limit, self->error);
    tell("a moved deadline", self);

    /* wait(): the first of several. Nothing is cancelled. */
    RONDO_CHECK(start(HOUR, &self->slow), "slow");
    RONDO_CHECK(start(1 * MS, &self->quick), "quick");
    RONDO_CHECK(rondo_wait(rondo_running_loop(), (rondo_awaitable *[]){ self->slow, self->quick }, 2,
                           RONDO_NEVER, RONDO_WAIT_FIRST_COMPLETED, &wait), "wait");
    RONDO_AWAIT(self, wait);
    printf("%d of 2 done; the slow one: %s\n", (int)(uintptr_t)sent,
           rondo_future_is_done(rondo_task_as_future(self->slow)) ? "done" : "pending");
    RONDO_CHECK(rondo_task_cancel(self->slow, NULL, NULL), "cancel");
    RONDO_TRY_AWAIT(self, self->slow);
    printf("the slow one: %s\n", rondo_error_get_message(thrown));
    RONDO_END(self);
}

int main(void)
{
    struct body frame = { 0 };
    rondo_coroutine *body = NULL;
    rondo_status status = rondo_coroutine_new("body", body_step, &frame, body_drop, &body);
    if (status == RONDO_OK)
        status = rondo_run(body, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
