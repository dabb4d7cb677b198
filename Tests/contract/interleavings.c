/*
 * interleavings.c - waking and cancelling in every order that a loop could take: F85, F86.
 *
 * For each primitive a few tasks that wait, hold and give back, and one or two that are cancelled. Whom,
 * in which pass, and in which order the calls of each pass run, is decided by an explorer (explore.h):
 * small worlds in all ways there are, larger ones in thousands that seeds pick. What must hold in all
 * of them: nobody who was not cancelled is left behind, nothing is lost or doubled, who came first is
 * first, and it ends. That it ends needs no time limit: a loop with a virtual clock that has nothing to
 * do any more says RONDO_E_DEADLOCK.
 */
#include "explore.h"

#define MOST 6

enum { WAITS, GOT, CANCELLED };

struct world;

struct worker {
    RONDO_FRAME;
    struct world *world;
    rondo_task *task;
    int id, state, arrived, i;
    bool is_victim;
};

struct world {
    struct explorer *x;
    rondo_loop *loop;
    rondo_lock *lock;
    rondo_event *event;
    rondo_condition *condition;
    rondo_semaphore *semaphore;
    rondo_barrier *barrier;
    rondo_queue *queue;
    rondo_future *future;
    rondo_step_fn step;
    struct worker workers[MOST];
    int count, arrivals, last, holders, most_holders, delay, i_passes, notified, seen_arrivals;
    int put[16], puts, gets;
};

/* ---- the world ------------------------------------------------------------------------------- */

static void make_world(struct world *self, struct explorer *x, rondo_step_fn step, int count)
{
    *self = (struct world){ .x = x, .step = step, .count = count };
    self->loop = explore_loop(x);
    for (int i = 0; i < count; i++)
        self->workers[i] = (struct worker){ .world = self, .id = i };
}

/* Start workers with their first step at once, so that who comes first is known: 0, 1, 2, ... */
static void start_workers(struct world *self, int from, int to)
{
    rondo_task_options eager = { .size = sizeof eager, .eager_start = RONDO_EAGER_YES };
    for (int i = from; i < to; i++)
        CHECK_OK(rondo_loop_spawn(self->loop, self->step, &self->workers[i], NULL, &eager,
                                  &self->workers[i].task));
}

/* Passes go by, one each time, and then the victim is cancelled. */
struct canceller {
    struct world *world;
    int victim, passes;
};

static void cancel_later(void *arg)
{
    struct canceller *self = arg;
    struct worker *victim = &self->world->workers[self->victim];
    if (victim->task == NULL || self->passes-- > 0) {
        CHECK_OK(rondo_loop_call_soon(self->world->loop, cancel_later, self, NULL, NULL));
        return;
    }
    rondo_status status = rondo_task_cancel(victim->task, NULL, NULL);
    CHECK(status == RONDO_OK || status == RONDO_E_INVALID_STATE); /* or it was done by then */
    if (status == RONDO_OK)
        victim->is_victim = true;
}

static void cancel_someone(struct world *world, struct canceller *self, int passes)
{
    self->world = world;
    self->victim = (int)explore_pick(world->x, (uint32_t)world->count);
    self->passes = (int)explore_pick(world->x, (uint32_t)passes);
    CHECK_OK(rondo_loop_call_soon(world->loop, cancel_later, self, NULL, NULL));
}

/* Run until nothing can happen any more. */
static void run_out(struct world *self)
{
    EXPECT(self->x, rondo_loop_run_forever(self->loop) == RONDO_E_DEADLOCK);
}

static void expect_all_ended(struct world *self)
{
    for (int i = 0; i < self->count; i++) {
        struct worker *worker = &self->workers[i];
        EXPECT(self->x, rondo_future_is_done(as_future(worker->task)) == 1);
        EXPECT(self->x, worker->is_victim || worker->state == GOT);
    }
}

static void end_world(struct world *self)
{
    for (int i = 0; i < self->count; i++)
        CHECK_OK(rondo_task_release(self->workers[i].task));
    CHECK_OK(rondo_lock_release(self->lock));
    CHECK_OK(rondo_event_release(self->event));
    CHECK_OK(rondo_condition_release(self->condition));
    CHECK_OK(rondo_semaphore_release(self->semaphore));
    CHECK_OK(rondo_barrier_release(self->barrier));
    CHECK_OK(rondo_queue_release(self->queue));
    CHECK_OK(rondo_future_release(self->future));
    kit_loop_end(self->loop);
}

static rondo_step cancelled(struct worker *self, rondo_coroutine *co, rondo_error *thrown)
{
    EXPECT(self->world->x, rondo_error_get_status(thrown) == RONDO_E_CANCELLED);
    EXPECT(self->world->x, self->is_victim);
    self->state = CANCELLED;
    return rondo_coroutine_raise(co, thrown);
}

/* It is its turn: nobody who came later was before it, and no more than may are in. */
static void enter(struct worker *self)
{
    struct world *world = self->world;
    /* Two that may be in together are woken in order, but run in any. */
    if (world->most_holders == 1)
        EXPECT(world->x, self->arrived > world->last);
    world->last = self->arrived;
    world->holders++;
    EXPECT(world->x, world->holders <= world->most_holders);
}

static void explore(const char *name, void (*scenario)(struct explorer *), long most)
{
    long paths = explore_all(scenario, KIT_SANITIZED ? 5000 : most);
    kit_note("%s: %ld orders%s", name, paths, paths == most ? " (not all)" : "");
    if (!KIT_SANITIZED && getenv("EXPLORE_PATH") == NULL)
        CHECK(paths < most);
}

static struct canceller cancellers[2];

static void start_all(void *arg)
{
    struct world *self = arg;
    start_workers(self, 0, self->count - 1);
}

/* One comes later than the others, so that it can come between a wake-up and the one who was woken. */
static void start_last(void *arg)
{
    struct world *self = arg;
    if (self->delay-- > 0)
        CHECK_OK(rondo_loop_call_soon(self->loop, start_last, self, NULL, NULL));
    else
        start_workers(self, self->count - 1, self->count);
}

static void begin(struct world *self, int victims, int passes)
{
    CHECK_OK(rondo_loop_call_soon(self->loop, start_all, self, NULL, NULL));
    kit_pass(self->loop);
    self->delay = (int)explore_pick(self->x, 3);
    CHECK_OK(rondo_loop_call_soon(self->loop, start_last, self, NULL, NULL));
    for (int i = 0; i < victims; i++)
        cancel_someone(self, &cancellers[i], passes);
}

/* ---- lock ------------------------------------------------------------------------------------ */

RONDO_STEP(lock_step)
{
    struct worker *self = frame;
    rondo_coroutine *acquire = NULL;
    RONDO_BEGIN(self);
    self->arrived = ++self->world->arrivals;
    CHECK_OK(rondo_lock_acquire(self->world->lock, &acquire));
    RONDO_TRY_AWAIT_MOVED(self, acquire);
    if (thrown != NULL)
        return cancelled(self, co, thrown);
    enter(self);
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    self->world->holders--;
    CHECK_OK(rondo_lock_unlock(self->world->lock));
    if (thrown != NULL)
        return cancelled(self, co, thrown);
    self->state = GOT;
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void lock_world(struct explorer *x, int count, int victims, int passes)
{
    struct world world;
    make_world(&world, x, lock_step, count);
    world.most_holders = 1;
    CHECK_OK(rondo_lock_new(world.loop, &world.lock));
    begin(&world, victims, passes);
    run_out(&world);
    expect_all_ended(&world);
    EXPECT(x, rondo_lock_is_locked(world.lock) == 0);
    end_world(&world);
}

static void lock_small(struct explorer *x)
{
    lock_world(x, 3, 1, 6);
}

static void lock_two_victims(struct explorer *x)
{
    lock_world(x, 3, 2, 2);
}

static void lock_large(struct explorer *x)
{
    lock_world(x, 6, 2, 9);
}

/* F85 */
KIT_TEST_WITHIN(F85_lock, 60)
{
    explore("lock", lock_small, 1000000);
    explore("lock, two cancelled", lock_two_victims, 1000000);
    explore_seeds(lock_large, kit_rounds(5000));
}

/* ---- semaphore ------------------------------------------------------------------------------- */

RONDO_STEP(semaphore_step)
{
    struct worker *self = frame;
    rondo_coroutine *acquire = NULL;
    RONDO_BEGIN(self);
    self->arrived = ++self->world->arrivals;
    CHECK_OK(rondo_semaphore_acquire(self->world->semaphore, &acquire));
    RONDO_TRY_AWAIT_MOVED(self, acquire);
    if (thrown != NULL)
        return cancelled(self, co, thrown);
    enter(self);
    RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    self->world->holders--;
    CHECK_OK(rondo_semaphore_post(self->world->semaphore));
    if (thrown != NULL)
        return cancelled(self, co, thrown);
    self->state = GOT;
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void semaphore_world(struct explorer *x, int count, int permits, int victims, int passes)
{
    struct world world;
    int64_t value = -1;
    make_world(&world, x, semaphore_step, count);
    world.most_holders = permits;
    CHECK_OK(rondo_semaphore_new(world.loop, permits, RONDO_SEMAPHORE_BOUNDED, &world.semaphore));
    begin(&world, victims, passes);
    run_out(&world);
    expect_all_ended(&world);
    CHECK_OK(rondo_semaphore_get_value(world.semaphore, &value));
    EXPECT(x, value == permits);
    end_world(&world);
}

static void semaphore_of_one(struct explorer *x)
{
    semaphore_world(x, 3, 1, 1, 6);
}

static void semaphore_of_two(struct explorer *x)
{
    semaphore_world(x, 4, 2, 1, 4);
}

static void semaphore_large(struct explorer *x)
{
    semaphore_world(x, 6, 1 + (int)explore_pick(x, 3), 2, 9);
}

/* F85 */
KIT_TEST_WITHIN(F85_semaphore, 60)
{
    explore("semaphore", semaphore_of_one, 1000000);
    explore("semaphore, two permits", semaphore_of_two, 1000000);
    explore_seeds(semaphore_large, kit_rounds(5000));
}

/* ---- event ----------------------------------------------------------------------------------- */

RONDO_STEP(event_step)
{
    struct worker *self = frame;
    rondo_coroutine *wait = NULL;
    RONDO_BEGIN(self);
    self->arrived = ++self->world->arrivals;
    CHECK_OK(rondo_event_wait(self->world->event, &wait));
    RONDO_TRY_AWAIT_MOVED(self, wait);
    if (thrown != NULL)
        return cancelled(self, co, thrown);
    self->state = GOT;
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void clear_event(void *arg)
{
    struct world *self = arg;
    CHECK_OK(rondo_event_clear(self->event));
}

/* Set it, and clear it at once or a little later: who waited by then gets through all the same. */
static void set_event(void *arg)
{
    struct world *self = arg;
    if (self->i_passes-- > 0) {
        CHECK_OK(rondo_loop_call_soon(self->loop, set_event, self, NULL, NULL));
        return;
    }
    self->seen_arrivals = self->arrivals;
    CHECK_OK(rondo_event_set(self->event));
    if (explore_pick(self->x, 2) == 0)
        clear_event(self);
    else
        CHECK_OK(rondo_loop_call_soon(self->loop, clear_event, self, NULL, NULL));
}

static void event_world(struct explorer *x, int count, int victims, int passes)
{
    struct world world;
    make_world(&world, x, event_step, count);
    CHECK_OK(rondo_event_new(world.loop, &world.event));
    world.i_passes = (int)explore_pick(x, 3);
    begin(&world, victims, passes);
    CHECK_OK(rondo_loop_call_soon(world.loop, set_event, &world, NULL, NULL));
    run_out(&world);
    for (int i = 0; i < count; i++) {
        struct worker *worker = &world.workers[i];
        if (worker->arrived <= world.seen_arrivals)
            EXPECT(x, worker->state == GOT || worker->state == CANCELLED);
    }
    EXPECT(x, rondo_event_is_set(world.event) == 0);
    CHECK_OK(rondo_event_set(world.event));
    run_out(&world);
    expect_all_ended(&world);
    end_world(&world);
}

static void event_small(struct explorer *x)
{
    event_world(x, 3, 1, 4);
}

static void event_large(struct explorer *x)
{
    event_world(x, 6, 2, 6);
}

KIT_TEST_WITHIN(F85_event, 60)
{
    explore("event", event_small, 1000000);
    explore_seeds(event_large, kit_rounds(5000));
}

/* ---- condition ------------------------------------------------------------------------------- */

RONDO_STEP(condition_step)
{
    struct worker *self = frame;
    rondo_coroutine *next = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_condition_acquire(self->world->condition, &next));
    RONDO_TRY_AWAIT_MOVED(self, next);
    if (thrown != NULL)
        return cancelled(self, co, thrown);
    next = NULL;
    self->world->arrivals++;
    CHECK_OK(rondo_condition_wait(self->world->condition, &next));
    RONDO_TRY_AWAIT_MOVED(self, next);
    /* However the wait ended, the lock is ours, and nobody else's. */
    EXPECT(self->world->x, rondo_condition_is_locked(self->world->condition) == 1);
    self->world->holders++;
    EXPECT(self->world->x, self->world->holders == 1);
    if (thrown == NULL)
        self->state = GOT;
    else
        self->i = 1;
    if (thrown == NULL)
        RONDO_TRY(self, rondo_coroutine_yield(co, NULL));
    self->world->holders--;
    CHECK_OK(rondo_condition_unlock(self->world->condition));
    if (self->i == 1)
        return cancelled(self, co, thrown);
    RONDO_RETURN(NULL); /* cancelled behind the wait: it was notified, and that is that */
    RONDO_END(self);
}

struct notifier {
    RONDO_FRAME;
    struct world *world;
    int times, i;
};

RONDO_STEP(notifier_step)
{
    struct notifier *self = frame;
    rondo_coroutine *next = NULL;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->times; self->i++) {
        next = NULL;
        CHECK_OK(rondo_condition_acquire(self->world->condition, &next));
        RONDO_AWAIT_MOVED(self, next);
        CHECK_OK(rondo_condition_notify(self->world->condition, 1));
        self->world->notified++;
        CHECK_OK(rondo_condition_unlock(self->world->condition));
        if (explore_pick(self->world->x, 2) == 1)
            RONDO_YIELD(self);
    }
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static int count_state(struct world *self, int state)
{
    int count = 0;
    for (int i = 0; i < self->count; i++)
        count += self->workers[i].state == state;
    return count;
}

static void condition_world(struct explorer *x, int count, int notifies, int victims, int passes)
{
    struct world world;
    make_world(&world, x, condition_step, count);
    CHECK_OK(rondo_condition_new(world.loop, NULL, &world.condition));
    struct notifier notifier = { .world = &world, .times = notifies };
    CHECK_OK(rondo_loop_call_soon(world.loop, start_all, &world, NULL, NULL));
    kit_pass(world.loop);
    start_last(&world);
    run_out(&world);
    EXPECT(x, world.arrivals == count);
    CHECK_OK(rondo_loop_spawn(world.loop, notifier_step, &notifier, NULL, NULL, NULL));
    for (int i = 0; i < victims; i++)
        cancel_someone(&world, &cancellers[i], passes);
    run_out(&world);
    /* A notification that a cancelled one got went on to somebody else, if there was anybody. */
    EXPECT(x, world.notified == notifies);
    int left = count - count_state(&world, CANCELLED);
    EXPECT(x, count_state(&world, GOT) >= (notifies < left ? notifies : left));
    EXPECT(x, rondo_condition_is_locked(world.condition) == 0);
    for (int i = 0; i < count; i++)
        if (world.workers[i].is_victim && world.workers[i].state == WAITS)
            EXPECT(x, !"a task that was cancelled still waits");
    notifier = (struct notifier){ .world = &world, .times = count };
    CHECK_OK(rondo_loop_spawn(world.loop, notifier_step, &notifier, NULL, NULL, NULL));
    run_out(&world);
    expect_all_ended(&world);
    end_world(&world);
}

static void condition_small(struct explorer *x)
{
    condition_world(x, 3, 1, 1, 4);
}

static void condition_large(struct explorer *x)
{
    condition_world(x, 6, 3, 2, 8);
}

KIT_TEST_WITHIN(F85_condition, 120)
{
    explore("condition", condition_small, 2000000);
    explore_seeds(condition_large, kit_rounds(5000));
}

/* ---- queue ----------------------------------------------------------------------------------- */

/* Even workers put two items, odd ones get two. */
RONDO_STEP(queue_step)
{
    struct worker *self = frame;
    struct world *world = self->world;
    rondo_coroutine *next = NULL;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 2; self->i++) {
        next = NULL;
        if (self->id % 2 == 0)
            CHECK_OK(rondo_queue_put(world->queue, (void *)(intptr_t)(self->id * 2 + self->i + 1), NULL, &next));
        else
            CHECK_OK(rondo_queue_get(world->queue, &next));
        RONDO_TRY_AWAIT_MOVED(self, next);
        if (thrown != NULL && rondo_error_get_status(thrown) == RONDO_E_QUEUE_SHUT_DOWN)
            break;
        if (thrown != NULL)
            return cancelled(self, co, thrown);
        if (self->id % 2 == 0) {
            world->put[world->puts++] = self->id * 2 + self->i + 1;
        } else {
            /* First in, first out: what is got is what was put first of what is left. */
            EXPECT(world->x, world->gets < world->puts);
            EXPECT(world->x, (int)(intptr_t)sent == world->put[world->gets]);
            world->gets++;
        }
    }
    self->state = GOT;
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void queue_world(struct explorer *x, int count, int maxsize, int victims, int passes)
{
    struct world world;
    size_t size = 99;
    make_world(&world, x, queue_step, count);
    CHECK_OK(rondo_queue_new(world.loop, maxsize, &world.queue));
    begin(&world, victims, passes);
    run_out(&world);
    CHECK_OK(rondo_queue_qsize(world.queue, &size));
    EXPECT(x, (int)size == world.puts - world.gets);
    /* Nobody waits for what is there. */
    for (int i = 0; i < count; i++) {
        struct worker *worker = &world.workers[i];
        if (worker->state != WAITS)
            continue;
        EXPECT(x, !worker->is_victim);
        EXPECT(x, worker->id % 2 == 0 ? (int)size == maxsize : size == 0);
    }
    CHECK_OK(rondo_queue_shutdown(world.queue, 0));
    run_out(&world);
    expect_all_ended(&world);
    for (void *item = NULL; rondo_queue_get_nowait(world.queue, &item) == RONDO_OK; world.gets++)
        EXPECT(x, (int)(intptr_t)item == world.put[world.gets]);
    EXPECT(x, world.gets == world.puts);
    end_world(&world);
}

static void queue_small(struct explorer *x)
{
    queue_world(x, 3, 1, 1, 5);
}

static void queue_two_each(struct explorer *x)
{
    queue_world(x, 4, 1, 1, 3);
}

static void queue_large(struct explorer *x)
{
    queue_world(x, 6, 1 + (int)explore_pick(x, 2), 2, 9);
}

KIT_TEST_WITHIN(F85_queue, 120)
{
    explore("queue", queue_small, 1000000);
    explore("queue, two each", queue_two_each, 2000000);
    explore_seeds(queue_large, kit_rounds(5000));
}

/* ---- barrier --------------------------------------------------------------------------------- */

RONDO_STEP(barrier_step)
{
    struct worker *self = frame;
    rondo_coroutine *wait = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_barrier_wait(self->world->barrier, &wait));
    RONDO_TRY_AWAIT_MOVED(self, wait);
    if (thrown != NULL && rondo_error_get_status(thrown) == RONDO_E_BROKEN_BARRIER) {
        EXPECT(self->world->x, rondo_barrier_is_broken(self->world->barrier) == 1);
        self->i = 1;
    } else if (thrown != NULL) {
        return cancelled(self, co, thrown);
    } else {
        EXPECT(self->world->x, (uintptr_t)sent < 2);
    }
    self->state = GOT;
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

RONDO_STEP(abort_step)
{
    struct worker *self = frame;
    rondo_coroutine *next = NULL;
    RONDO_BEGIN(self);
    CHECK_OK(rondo_barrier_abort(self->world->barrier, &next));
    RONDO_AWAIT_MOVED(self, next);
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void barrier_world(struct explorer *x, int count, int victims, int passes)
{
    struct world world;
    make_world(&world, x, barrier_step, count);
    CHECK_OK(rondo_barrier_new(world.loop, 2, &world.barrier));
    begin(&world, victims, passes);
    run_out(&world);
    /* Two that wait are let through, so one is left at most, and no victim. */
    EXPECT(x, count_state(&world, WAITS) <= 1);
    EXPECT(x, victims > 0 || count_state(&world, WAITS) == count % 2);
    for (int i = 0; i < count; i++)
        EXPECT(x, world.workers[i].state != WAITS || !world.workers[i].is_victim);
    size_t waiting = 99;
    CHECK_OK(rondo_barrier_get_n_waiting(world.barrier, &waiting));
    EXPECT(x, (int)waiting == count_state(&world, WAITS));
    struct worker aborts = { .world = &world };
    CHECK_OK(rondo_loop_spawn(world.loop, abort_step, &aborts, NULL, NULL, NULL));
    run_out(&world);
    expect_all_ended(&world);
    end_world(&world);
}

static void barrier_small(struct explorer *x)
{
    barrier_world(x, 3, 1, 4);
}

static void barrier_of_four(struct explorer *x)
{
    barrier_world(x, 4, 1, 3);
}

static void barrier_large(struct explorer *x)
{
    barrier_world(x, 6, (int)explore_pick(x, 3), 9);
}

KIT_TEST_WITHIN(F85_barrier, 120)
{
    explore("barrier", barrier_small, 1000000);
    explore("barrier, four come", barrier_of_four, 2000000);
    explore_seeds(barrier_large, kit_rounds(5000));
}

/* ---- wait_for: the result, the timeout and a cancellation in the same turn --------------------- */

enum { TIMED_OUT = 10 };

RONDO_STEP(wait_for_step)
{
    struct worker *self = frame;
    struct world *world = self->world;
    rondo_coroutine *inner = NULL, *limited = NULL;
    RONDO_BEGIN(self);
    if (world->lock != NULL)
        CHECK_OK(rondo_lock_acquire(world->lock, &inner));
    else if (world->queue != NULL)
        CHECK_OK(rondo_queue_get(world->queue, &inner));
    if (inner != NULL)
        CHECK_OK(rondo_wait_for(inner, 2, &limited));
    else
        CHECK_OK(rondo_wait_for(world->future, 2, &limited));
    RONDO_TRY_AWAIT_MOVED(self, limited);
    if (thrown == NULL) {
        self->state = GOT;
        world->gets += sent == world;
        RONDO_RETURN(NULL);
    }
    if (rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
        return cancelled(self, co, thrown);
    EXPECT(world->x, rondo_error_get_status(thrown) == RONDO_E_TIMEOUT);
    self->state = TIMED_OUT;
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void come_up_with_it(void *arg)
{
    struct world *self = arg;
    if (self->lock != NULL)
        CHECK_OK(rondo_lock_unlock(self->lock));
    else if (self->queue != NULL)
        CHECK_OK(rondo_queue_put_nowait(self->queue, self, NULL));
    else if (rondo_future_is_done(self->future) == 0)
        CHECK_OK(rondo_future_set_result(self->future, self, NULL));
}

static void cancel_now(void *arg)
{
    cancel_later(arg);
}

/* All at the same nanosecond, or what is waited for or the cancellation one before, in each order; the
 * cancellation perhaps a pass or two later, or not at all. */
static void begin_wait_for(struct world *self, struct canceller *canceller)
{
    self->count = 1;
    CHECK_OK(rondo_loop_call_at(self->loop, 1 + explore_pick(self->x, 2), come_up_with_it, self, NULL, NULL));
    CHECK_OK(rondo_loop_spawn(self->loop, wait_for_step, &self->workers[0], NULL, NULL,
                              &self->workers[0].task));
    self->workers[0] = (struct worker){ .world = self, .task = self->workers[0].task };
    *canceller = (struct canceller){ self, 0, (int)explore_pick(self->x, 3) };
    if (explore_pick(self->x, 2) == 1)
        CHECK_OK(rondo_loop_call_at(self->loop, 1 + explore_pick(self->x, 2), cancel_now, canceller, NULL, NULL));
    run_out(self);
    EXPECT(self->x, rondo_future_is_done(as_future(self->workers[0].task)) == 1);
    EXPECT(self->x, self->workers[0].state != WAITS);
    EXPECT(self->x, self->workers[0].is_victim || self->workers[0].state != CANCELLED);
}

static int outcomes[16];

static void end_wait_for(struct world *self)
{
    outcomes[self->workers[0].state]++;
    end_world(self);
}

/* A future: it has the result, or was cancelled by the timeout; if we did not get the result it is
 * there to be read. */
static void wait_for_future(struct explorer *x)
{
    struct world world;
    struct canceller canceller;
    make_world(&world, x, NULL, 0);
    CHECK_OK(rondo_future_new(world.loop, &world.future));
    begin_wait_for(&world, &canceller);
    void *value = NULL;
    int state = world.workers[0].state;
    if (rondo_future_is_cancelled(world.future)) {
        EXPECT(x, state != GOT);
    } else {
        EXPECT(x, rondo_future_result(world.future, &value) == RONDO_OK && value == &world);
        EXPECT(x, state != GOT || world.gets == 1);
    }
    end_wait_for(&world);
}

/* A lock: it is ours if and only if we were told so. */
static void wait_for_lock(struct explorer *x)
{
    struct world world;
    struct canceller canceller;
    make_world(&world, x, NULL, 0);
    CHECK_OK(rondo_lock_new(world.loop, &world.lock));
    rondo_coroutine *acquire = NULL;
    CHECK_OK(rondo_lock_acquire(world.lock, &acquire));
    CHECK_OK(rondo_loop_run_until_complete(world.loop, acquire, NULL));
    begin_wait_for(&world, &canceller);
    EXPECT(x, (rondo_lock_is_locked(world.lock) == 1) == (world.workers[0].state == GOT));
    if (world.workers[0].state == GOT)
        CHECK_OK(rondo_lock_unlock(world.lock));
    end_wait_for(&world);
}

/* A queue: the item is ours, or it is in the queue. */
static void wait_for_item(struct explorer *x)
{
    struct world world;
    struct canceller canceller;
    size_t size = 99;
    make_world(&world, x, NULL, 0);
    CHECK_OK(rondo_queue_new(world.loop, 0, &world.queue));
    begin_wait_for(&world, &canceller);
    CHECK_OK(rondo_queue_qsize(world.queue, &size));
    EXPECT(x, (int)size + world.gets == 1);
    EXPECT(x, (world.gets == 1) == (world.workers[0].state == GOT));
    end_wait_for(&world);
}

/* F86 */
KIT_TEST_WITHIN(F86_wait_for, 60)
{
    static void (*const scenarios[])(struct explorer *) = { wait_for_future, wait_for_lock, wait_for_item };
    static const char *const names[] = { "wait_for future", "wait_for lock", "wait_for item" };
    for (int i = 0; i < 3; i++) {
        memset(outcomes, 0, sizeof outcomes);
        explore(names[i], scenarios[i], 100000);
        kit_note("got %d, timed out %d, cancelled %d", outcomes[GOT], outcomes[TIMED_OUT], outcomes[CANCELLED]);
        /* Each of the three outcomes came up in some order, or this shows nothing. */
        if (getenv("EXPLORE_PATH") == NULL)
            CHECK(outcomes[GOT] > 0 && outcomes[TIMED_OUT] > 0 && outcomes[CANCELLED] > 0);
    }
}
