/*
 * virtual_clock.c - more than an hour of sleeping, retrying and giving up, over at once.
 *
 * The loop has a clock of its own that jumps to the next deadline whenever nothing is ready, so a test
 * of a program full of waiting takes no time, and each thing happens at exactly the time it should.
 */
#include <rondo.h>
#include <stdio.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)

static rondo_loop *loop;

static void say(const char *what)
{
    int64_t now = 0;
    rondo_loop_time(loop, &now);
    printf("%02d:%02d:%02d  %s\n", (int)(now / SECOND / 3600), (int)(now / MINUTE % 60),
           (int)(now / SECOND % 60), what);
}

struct worker { RONDO_FRAME; int attempt; rondo_timeout *limit; rondo_error *left; };

/* Tries again after 10, 20, 40, ... seconds; the server answers at the seventh attempt. */
RONDO_STEP(retries)
{
    struct worker *self = frame;
    RONDO_BEGIN(self);
    for (self->attempt = 1; self->attempt < 7; self->attempt++) {
        say("connection refused");
        RONDO_SLEEP(self, 10 * SECOND << (self->attempt - 1));
    }
    say("connected");
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

/* A report that may take half an hour, and would take three. */
RONDO_STEP(gives_up)
{
    struct worker *self = frame;
    RONDO_BEGIN(self);
    RONDO_TIMEOUT_ENTER(self, self->limit, loop, 30 * MINUTE);
    RONDO_SLEEP_IN(self, report, 180 * MINUTE);
    RONDO_TRY_TIMEOUT_EXIT(self, report, self->limit, self->left);
    say(self->left != NULL ? rondo_error_get_message(self->left) : "the report is there");
    rondo_error_release(self->left);
    RONDO_SLEEP(self, 45 * MINUTE);
    say("the report is there after all");
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

int main(void)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_VIRTUAL_CLOCK };
    static struct worker client, reporter;
    rondo_status status = rondo_loop_new(&options, &loop);

    if (status == RONDO_OK)
        status = rondo_loop_spawn(loop, retries, &client, NULL, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_spawn(loop, gives_up, &reporter, NULL, NULL, NULL);
    /* A virtual clock knows when nothing can happen any more. */
    if (status == RONDO_OK)
        status = rondo_loop_run_forever(loop);
    say(rondo_status_message(status));
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    return status == RONDO_E_DEADLOCK ? 0 : 1;
}
