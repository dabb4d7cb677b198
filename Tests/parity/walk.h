/*
 * walk.h - tasks that wait for futures and for each other in ways drawn by lot; walk.py does the
 * same in Python. A scenario defines KINDS, one letter for each way, and includes this.
 */
#ifndef WALK_H
#define WALK_H

#include "parity.h"

#define FUTURES 5
#define MOST 60
#define ROUNDS 40

#define PASSES(count)                                                                             \
    for (self->i = 0; self->i < (count); self->i++)                                               \
    RONDO_SLEEP(self, 0)

static uint32_t seed;

static int choose(int count)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 16) % (uint32_t)count);
}

struct worker {
    RONDO_FRAME;
    char kind;
    char name[16];
    int count, at;
    intptr_t total;
    rondo_awaitable *things[3]; /* with a reference each */
    rondo_future *made;         /* a gather or a shield */
    rondo_as_completed *completed;
    rondo_coroutine *next;
};

static struct {
    rondo_future *futures[FUTURES];
    rondo_task *tasks[MOST];
    struct worker workers[MOST];
    int count;
} world;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf(" %d:", ticks);
    vprintf(format, args);
    va_end(args);
}

static void worker_drop(void *frame)
{
    struct worker *self = frame;

    for (int i = 0; i < self->count; i++)
        rondo_future_release(self->things[i]);
    rondo_future_release(self->made);
    rondo_as_completed_release(self->completed);
}

/* What it waits for first: a future that was there or is made, or a coroutine. */
static rondo_awaitable *begin(struct worker *self)
{
    rondo_coroutine *wait = NULL;
    rondo_future *gather = NULL;

    switch (self->kind) {
    case 'a':
    case 'x': return self->things[0];
    case 'g':
    case 'G':
        MUST(rondo_gather(loop, self->things, (size_t)self->count,
                          self->kind == 'G' ? RONDO_GATHER_RETURN_EXCEPTIONS : 0, &self->made));
        return self->made;
    case 's': MUST(rondo_shield(loop, self->things[0], &self->made)); return self->made;
    case 'S':
        MUST(rondo_gather(loop, self->things, (size_t)self->count, 0, &gather));
        MUST(rondo_shield(loop, gather, &self->made));
        MUST(rondo_future_release(gather));
        return self->made;
    default:
        MUST(rondo_wait(loop, self->things, (size_t)self->count, RONDO_NEVER,
                        self->kind == 'w'   ? RONDO_WAIT_ALL_COMPLETED
                        : self->kind == 'f' ? RONDO_WAIT_FIRST_COMPLETED
                                            : RONDO_WAIT_FIRST_EXCEPTION, &wait));
        return wait;
    }
}

/* What it makes of what it waited for. */
static intptr_t value_of(struct worker *self, void *sent)
{
    intptr_t total = 0;

    if (strchr("gGS", self->kind) == NULL)
        return (intptr_t)sent;
    for (int i = 0; i < self->count; i++) {
        void *value = NULL;
        rondo_status status = RONDO_OK;
        if (self->kind == 'G')
            status = rondo_gather_get_result(self->made, (size_t)i, &value);
        else
            value = ((void **)sent)[i];
        total += status == RONDO_OK ? (intptr_t)value : status == RONDO_E_CANCELLED ? 1000 : 100;
    }
    return total;
}

static rondo_step ends(rondo_coroutine *co, struct worker *self, void *sent, rondo_error *thrown)
{
    if (thrown == NULL) {
        intptr_t value = self->kind == 'c' ? self->total % 100000 : value_of(self, sent);
        note("%s=%d", self->name, (int)value);
        return rondo_coroutine_return(co, (void *)(value % 100000), NULL);
    }
    if (rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
        note("%s~", self->name);
    else
        note("%s!%s", self->name, rondo_error_get_message(thrown));
    return rondo_coroutine_raise(co, thrown);
}

/* What is done already is another matter: see walk.py. */
static void leave_out_what_is_done(struct worker *self)
{
    int count = 0;

    for (int i = 0; i < self->count; i++)
        if (rondo_future_is_done(self->things[i]))
            rondo_future_release(self->things[i]);
        else
            self->things[count++] = self->things[i];
    self->count = count;
}

RONDO_STEP(worker_step)
{
    struct worker *self = frame;

    RONDO_BEGIN(self);
    leave_out_what_is_done(self);
    if (self->count < (self->kind == 'x' ? 2 : 1)) {
        note("%s-", self->name);
        return rondo_coroutine_return(co, NULL, NULL);
    }
    if (self->kind == 'c') {
        MUST(rondo_as_completed_new(loop, self->things, (size_t)self->count, RONDO_NEVER, &self->completed));
        while (rondo_as_completed_next(self->completed, &self->next) == RONDO_OK) {
            RONDO_TRY_AWAIT(self, self->next);
            if (thrown != NULL)
                break;
            note("<%d", (int)(intptr_t)sent);
            self->total = self->total * 2 + (intptr_t)sent;
        }
        return ends(co, self, sent, thrown);
    }
    RONDO_TRY_AWAIT(self, begin(self));
    if (thrown != NULL && self->kind == 'x' && rondo_error_get_status(thrown) == RONDO_E_CANCELLED) {
        note("x");
        RONDO_TRY_AWAIT(self, self->things[1]);
    }
    return ends(co, self, sent, thrown);
    RONDO_END(self);
}

static void start(const char *kinds, int number)
{
    struct worker *self = &world.workers[world.count];
    int count;

    *self = (struct worker){ .kind = kinds[choose((int)strlen(kinds))] };
    snprintf(self->name, sizeof self->name, "%c%d", self->kind, number);
    count = 1 + choose(3);
    if (self->kind == 'x' && count < 2)
        count = 2;
    for (int i = 0; i < count; i++) {
        int pick = choose(FUTURES + world.count);
        rondo_future *thing = pick < FUTURES ? world.futures[pick]
                                             : rondo_task_as_future(world.tasks[pick - FUTURES]);
        MUST(rondo_future_retain(thing));
        self->things[self->count++] = thing;
    }
    MUST(rondo_loop_spawn(loop, worker_step, self, worker_drop, NULL, &world.tasks[world.count++]));
}

static void complete(int number)
{
    int at = choose(FUTURES), how = choose(6);
    rondo_future *future = world.futures[at];
    char message[16];

    snprintf(message, sizeof message, "e%d", number);
    if (rondo_future_is_done(future)) {
        MUST(rondo_future_release(future));
        world.futures[at] = new_future();
    } else if (how < 4) {
        MUST(rondo_future_set_result(future, (void *)(intptr_t)number, NULL));
    } else if (how == 4) {
        fail(future, message);
    } else {
        MUST(rondo_future_cancel(future, NULL, NULL));
    }
}

static void act(const char *kinds, int what, int number)
{
    char message[16];

    snprintf(message, sizeof message, "m%d", number);
    if (what < 4)
        start(kinds, number);
    else if (what < 7)
        complete(number);
    else if (world.count > 0)
        rondo_task_cancel(world.tasks[choose(world.count)], message, NULL);
}

static void begin_round(int number)
{
    seed = (uint32_t)number;
    world.count = 0;
    for (int i = 0; i < FUTURES; i++)
        world.futures[i] = new_future();
    printf("%d:", number);
    start_ticks();
}

static void end_round(void)
{
    int left = 0;

    stop_ticks();
    for (int i = 0; i < world.count; i++) {
        left += !rondo_future_is_done(rondo_task_as_future(world.tasks[i]));
        rondo_task_release(world.tasks[i]);
    }
    for (int i = 0; i < FUTURES; i++)
        MUST(rondo_future_release(world.futures[i]));
    say(" left %d", left);
}

RONDO_STEP(walk_step)
{
    static int round, number, what;

    SELF;
    for (round = 0; round < ROUNDS; round++) {
        begin_round(round);
        for (number = 1; number < MOST; number++) {
            what = choose(12);
            if (what < 8) {
                act(KINDS, what, number);
                continue;
            }
            RONDO_SLEEP(self, 0);
        }
        PASSES(3);
        note("end");
        for (int i = 0; i < FUTURES; i++)
            if (!rondo_future_is_done(world.futures[i]))
                MUST(rondo_future_set_result(world.futures[i], (void *)7, NULL));
        PASSES(4);
        for (int i = 0; i < world.count; i++)
            rondo_task_cancel(world.tasks[i], "end", NULL);
        PASSES(40);
        end_round();
        PASSES(1);
    }
    RONDO_END(self);
}

static void say_nothing(rondo_loop *of, rondo_exception_context *context, void *arg)
{
    (void)of;
    (void)context;
    (void)arg;
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    MUST(rondo_loop_set_exception_handler(loop, say_nothing, NULL, NULL));
    run(walk_step, &frame);
    return finish();
}

#endif
