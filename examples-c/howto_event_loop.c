/*
 * howto_event_loop.c - the HOWTO's first listing: an event loop that cycles through its jobs.
 *
 * The HOWTO's loop has no work and never ends. This one gets three jobs: they run in the order in
 * which they were added, one adds another, and the loop rests until the timer's job stops it.
 */
#include <rondo.h>
#include <stdio.h>

static void say(void *arg)
{
    puts(arg);
}

static void add_a_job(void *arg)
{
    puts("job 2 runs and adds job 4");
    if (rondo_loop_call_soon(arg, say, "job 4 runs, in the next cycle", NULL, NULL) != RONDO_OK)
        puts("job 4 could not be added");
}

static void stop(void *arg)
{
    puts("the timer's job stops the loop");
    if (rondo_loop_stop(arg) != RONDO_OK)
        puts("the loop could not be stopped");
}

static rondo_status run(rondo_loop *event_loop)
{
    rondo_status status = rondo_loop_call_soon(event_loop, say, "job 1 runs", NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_call_soon(event_loop, add_a_job, event_loop, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_call_soon(event_loop, say, "job 3 runs", NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_call_later(event_loop, 20000000, stop, event_loop, NULL, NULL);
    if (status == RONDO_OK)
        status = rondo_loop_run_forever(event_loop);
    if (status == RONDO_OK)
        status = rondo_loop_close(event_loop, NULL);
    return status;
}

int main(void)
{
    rondo_loop *event_loop = NULL;
    rondo_status status = rondo_loop_new(NULL, &event_loop);
    if (status == RONDO_OK)
        status = run(event_loop);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return rondo_loop_release(event_loop) == RONDO_OK && status == RONDO_OK ? 0 : 1;
}
