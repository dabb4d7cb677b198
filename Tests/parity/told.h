/*
 * told.h - what the scenarios about locks and queues share; told.py says the same in Python.
 *
 * Tasks that wait for one thing and say, with the number of the pass, how that ended.
 */
#ifndef TOLD_H
#define TOLD_H

#include "parity.h"

#define TOLD_MOST 64

static struct frame told_frames[TOLD_MOST]; /* n: what is awaited gives a number */
static rondo_task *told_tasks[TOLD_MOST];
static int told_count;

/* The coroutine that call makes. */
#define CO(call, ...)                                                                             \
    ({                                                                                            \
        rondo_coroutine *co_ = NULL;                                                              \
        MUST(call(__VA_ARGS__, &co_));                                                            \
        co_;                                                                                      \
    })

RONDO_STEP(told_step)
{
    char label[100];

    SELF;
    RONDO_TRY_AWAIT(self, self->c);
    snprintf(label, sizeof label, "%d %s", ticks, self->name);
    if (thrown != NULL)
        say_error(label, thrown);
    else if (self->n)
        say("%s: %d", label, (int)(intptr_t)sent);
    else
        say("%s: %s", label, sent != NULL ? (char *)sent : "ok");
    RONDO_END(self);
}

static UNUSED rondo_task *tell_as(const char *name, rondo_coroutine *child, int is_number)
{
    struct frame *frame = &told_frames[told_count];

    frame->name = name;
    frame->c = child;
    frame->n = is_number;
    return told_tasks[told_count++] = spawn(told_step, frame);
}

static UNUSED rondo_task *tell(const char *name, rondo_coroutine *child)
{
    return tell_as(name, child, 0);
}

static UNUSED void cancel(rondo_task *task)
{
    MUST(rondo_task_cancel(task, NULL, NULL));
}

/* So many passes, at most once on a line. */
#define PASSES(count)                                                                             \
    for (self->i = 0; self->i < (count); self->i++)                                               \
    RONDO_SLEEP(self, 0)

/* A new part of the scenario: the passes are counted from here. */
static UNUSED void part(const char *name)
{
    start_ticks();
    say("%s", name);
}

static struct frame told_main;

RONDO_STEP(finish_step)
{
    int left = 0;

    SELF;
    RONDO_AWAIT(self, self->c);
    stop_ticks();
    for (int i = 0; i < told_count; i++)
        left += !rondo_future_is_done(rondo_task_as_future(told_tasks[i]));
    say("left: %d", left);
    for (int i = 0; i < told_count; i++)
        rondo_task_cancel(told_tasks[i], NULL, NULL);
    PASSES(10);
    for (int i = 0; i < told_count; i++)
        rondo_task_release(told_tasks[i]);
    RONDO_END(self);
}

static UNUSED int run_told(rondo_step_fn main_step)
{
    static struct frame frame;

    told_main.c = new_coroutine("main", main_step, &frame);
    run(finish_step, &told_main);
    return finish();
}

#endif
