/* Everything of locks and queues at random: who gets what in which pass, with cancellations at any time. */
#include "told.h"

#define MOST 80

static uint32_t seed;

static int choose(int count)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 16) % (uint32_t)count);
}

static struct {
    rondo_lock *lock;
    rondo_event *event;
    rondo_semaphore *semaphore;
    rondo_condition *condition;
    rondo_barrier *barrier;
    rondo_queue *queue;
    rondo_task *tasks[MOST];
    int count;
} world;

struct worker {
    RONDO_FRAME;
    int kind, number, pause, i;
    char name[16];
};

static struct worker workers[MOST];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf(" %d:", ticks);
    vprintf(format, args);
    va_end(args);
}

/* How the worker ends. */
static rondo_step ends(rondo_coroutine *co, struct worker *self, rondo_error *thrown)
{
    rondo_status status = thrown != NULL ? rondo_error_get_status(thrown) : RONDO_OK;

    if (thrown == NULL)
        note("%s.", self->name);
    else if (status == RONDO_E_CANCELLED)
        note("%s~%s", self->name, rondo_error_get_message(thrown));
    else
        note("%s!%c", self->name, status == RONDO_E_QUEUE_SHUT_DOWN  ? 'S'
                                  : status == RONDO_E_BROKEN_BARRIER ? 'B'
                                                                     : 'V');
    return rondo_coroutine_return(co, NULL, NULL);
}

/* The first thing that it waits for. */
static rondo_coroutine *first_of(struct worker *self)
{
    switch (self->kind) {
    case 0: return CO(rondo_lock_acquire, world.lock);
    case 1: return CO(rondo_semaphore_acquire, world.semaphore);
    case 2: return CO(rondo_event_wait, world.event);
    case 3:
    case 4: return CO(rondo_condition_acquire, world.condition);
    case 5: return CO(rondo_queue_put, world.queue, (void *)(intptr_t)self->number, NULL);
    case 6: return CO(rondo_queue_get, world.queue);
    case 7: return CO(rondo_barrier_wait, world.barrier);
    case 8: return CO(rondo_queue_join, world.queue);
    default:
        if (self->pause)
            return CO(rondo_barrier_reset, world.barrier);
        return CO(rondo_barrier_abort, world.barrier);
    }
}

/* It has it: say so, where Python does. */
static void has(struct worker *self, void *sent)
{
    if (self->kind <= 1)
        note("%s+", self->name);
    else if (self->kind == 4)
        MUST(rondo_condition_notify(world.condition, (size_t)(1 + self->pause)));
    else if (self->kind == 6)
        note("%s<%d", self->name, (int)(intptr_t)sent);
    else if (self->kind == 7)
        note("%s=%d", self->name, (int)(intptr_t)sent);
}

/* What Python's finally does. */
static void gives_back(struct worker *self)
{
    if (self->kind == 0)
        MUST(rondo_lock_unlock(world.lock));
    else if (self->kind == 1)
        MUST(rondo_semaphore_post(world.semaphore));
    else if (self->kind == 3 || self->kind == 4)
        MUST(rondo_condition_unlock(world.condition));
}

RONDO_STEP(worker_step)
{
    struct worker *self = frame;

    RONDO_BEGIN(self);
    RONDO_TRY_AWAIT(self, first_of(self));
    if (thrown != NULL)
        return ends(co, self, thrown);
    has(self, sent);
    if (self->kind == 3) {
        RONDO_TRY_AWAIT(self, CO(rondo_condition_wait, world.condition));
        if (thrown == NULL)
            note("%s+%d", self->name, rondo_lock_is_locked(world.lock));
    }
    if (thrown == NULL && (self->kind <= 1 || self->kind == 3 || self->kind == 6))
        for (self->i = 0; self->i < self->pause && thrown == NULL; self->i++)
            RONDO_TRY(self, rondo_coroutine_sleep(co, 0));
    gives_back(self);
    if (thrown == NULL && self->kind == 6 && rondo_queue_task_done(world.queue) != RONDO_OK) {
        note("%s!V", self->name);
        return rondo_coroutine_return(co, NULL, NULL);
    }
    return ends(co, self, thrown);
    RONDO_END(self);
}

static void nowait(int number)
{
    void *item = NULL;
    rondo_status status = number % 2
        ? rondo_queue_put_nowait(world.queue, (void *)(intptr_t)number, NULL)
        : rondo_queue_get_nowait(world.queue, &item);

    if (status != RONDO_OK)
        note("!%c", status == RONDO_E_QUEUE_SHUT_DOWN ? 'S' : status == RONDO_E_QUEUE_FULL ? 'F' : 'E');
    else if (number % 2 == 0)
        note("<%d", (int)(intptr_t)item);
}

static void start(int number)
{
    struct worker *worker = &workers[world.count];
    int kind = choose(10), pause = choose(3);

    *worker = (struct worker){ .kind = kind, .number = number, .pause = pause };
    snprintf(worker->name, sizeof worker->name, "%c%d", "abcdefghij"[kind], number);
    MUST(rondo_loop_spawn(loop, worker_step, worker, NULL, NULL, &world.tasks[world.count++]));
}

static void act(int what, int number)
{
    char message[16];

    if (what < 5) {
        start(number);
    } else if (what < 7 && world.count > 0) {
        snprintf(message, sizeof message, "m%d", number);
        rondo_task_cancel(world.tasks[choose(world.count)], message, NULL);
    } else if (what == 7) {
        nowait(number);
    } else if (what == 8) {
        MUST(choose(2) ? rondo_event_set(world.event) : rondo_event_clear(world.event));
    } else if (what == 9 && choose(8) == 0) {
        MUST(rondo_queue_shutdown(world.queue, choose(2)));
    }
}

static void begin(int number)
{
    seed = (uint32_t)number;
    world.count = 0;
    MUST(rondo_lock_new(loop, &world.lock));
    MUST(rondo_event_new(loop, &world.event));
    MUST(rondo_semaphore_new(loop, 2, 0, &world.semaphore));
    MUST(rondo_condition_new(loop, world.lock, &world.condition));
    MUST(rondo_barrier_new(loop, 3, &world.barrier));
    MUST(rondo_queue_new(loop, 2, &world.queue));
    printf("seed %d:", number);
    start_ticks();
}

static void end(void)
{
    size_t size = 0, waiting = 0;
    int left = 0;

    stop_ticks();
    MUST(rondo_queue_qsize(world.queue, &size));
    MUST(rondo_barrier_get_n_waiting(world.barrier, &waiting));
    for (int i = 0; i < world.count; i++) {
        left += !rondo_future_is_done(rondo_task_as_future(world.tasks[i]));
        rondo_task_release(world.tasks[i]);
    }
    say(" left %d, locked %d, size %d, waiting %d, value %d", left, rondo_lock_is_locked(world.lock),
        (int)size, (int)waiting, rondo_semaphore_is_locked(world.semaphore));
    rondo_lock_release(world.lock);
    rondo_event_release(world.event);
    rondo_semaphore_release(world.semaphore);
    rondo_condition_release(world.condition);
    rondo_barrier_release(world.barrier);
    rondo_queue_release(world.queue);
}

static int seeds = 30;

RONDO_STEP(main_step)
{
    static int round, number, what;

    SELF;
    for (round = 0; round < seeds; round++) {
        begin(round);
        for (number = 1; number < MOST; number++) {
            what = choose(14);
            if (what < 10) {
                act(what, number);
                continue;
            }
            RONDO_SLEEP(self, 0);
        }
        PASSES(5);
        note("end");
        for (int i = 0; i < world.count; i++)
            rondo_task_cancel(world.tasks[i], "end", NULL);
        PASSES(60);
        end();
        PASSES(1);
    }
    RONDO_END(self);
}

int main(int argc, char **argv)
{
    static struct frame frame;

    loop = new_loop();
    if (argc > 1)
        seeds = atoi(argv[1]);
    run(main_step, &frame);
    return finish();
}
