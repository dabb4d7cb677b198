/*
 * Locks, queues, groups and timeouts with rondo, in bodies written with the macros of async.h.
 *
 * Waiting is a coroutine, as in asyncio: each acquisition, put and get makes one and awaits it.
 */
#include "waits.h"

#include <rondo.h>

static rondo_loop *loop;

/** Run main to its end in a task. */
static void run(rondo_step_fn step, void *frame)
{
    rondo_coroutine *body;

    BENCH_CHECK(rondo_coroutine_new(NULL, step, frame, NULL, &body) == RONDO_OK);
    BENCH_CHECK(rondo_loop_run_until_complete(loop, body, NULL) == RONDO_OK);
}

/** Run a few bodies side by side to their end. */
static void run_all(rondo_coroutine **bodies, size_t count)
{
    rondo_future *all;

    BENCH_CHECK(rondo_gather(loop, (rondo_awaitable *const *)bodies, count, 0, &all) == RONDO_OK);
    BENCH_CHECK(rondo_loop_run_until_complete(loop, all, NULL) == RONDO_OK);
    rondo_future_release(all);
}

/* ---- lock, semaphore ------------------------------------------------------------------------ */

struct user {
    RONDO_FRAME;
    rondo_lock *lock;
    rondo_semaphore *semaphore;
    rondo_coroutine *acquired;
    long times;
};

RONDO_STEP(use_lock)
{
    struct user *self = frame;

    RONDO_BEGIN(self);
    for (; self->times > 0; self->times--) {
        RONDO_CHECK(rondo_lock_acquire(self->lock, &self->acquired), "acquire");
        RONDO_AWAIT(self, self->acquired);
        RONDO_YIELD(self);
        RONDO_CHECK(rondo_lock_unlock(self->lock), "unlock");
    }
    RONDO_END(self);
}

RONDO_STEP(use_semaphore)
{
    struct user *self = frame;

    RONDO_BEGIN(self);
    for (; self->times > 0; self->times--) {
        RONDO_CHECK(rondo_semaphore_acquire(self->semaphore, &self->acquired), "acquire");
        RONDO_AWAIT(self, self->acquired);
        RONDO_YIELD(self);
        RONDO_CHECK(rondo_semaphore_post(self->semaphore), "post");
    }
    RONDO_END(self);
}

static void share(rondo_step_fn step, struct user like, size_t users, long count)
{
    struct user frames[USERS];
    rondo_coroutine *bodies[USERS];
    size_t i;

    for (i = 0; i < users; i++) {
        frames[i] = like;
        frames[i].times = count / (long)users;
        BENCH_CHECK(rondo_coroutine_new(NULL, step, &frames[i], NULL, &bodies[i]) == RONDO_OK);
    }
    run_all(bodies, users);
}

static void share_lock(long count)
{
    struct user like = { 0 };

    BENCH_CHECK(rondo_lock_new(loop, &like.lock) == RONDO_OK);
    share(use_lock, like, LOCKERS, count);
    rondo_lock_release(like.lock);
}

static void share_semaphore(long count)
{
    struct user like = { 0 };

    BENCH_CHECK(rondo_semaphore_new(loop, UNITS, 0, &like.semaphore) == RONDO_OK);
    share(use_semaphore, like, USERS, count);
    rondo_semaphore_release(like.semaphore);
}

/* ---- queue ---------------------------------------------------------------------------------- */

struct end {
    RONDO_FRAME;
    rondo_queue *queue;
    rondo_coroutine *moved;
    long items;
};

RONDO_STEP(put_all)
{
    struct end *self = frame;

    RONDO_BEGIN(self);
    for (; self->items > 0; self->items--) {
        RONDO_CHECK(rondo_queue_put(self->queue, self, NULL, &self->moved), "put");
        RONDO_AWAIT(self, self->moved);
    }
    RONDO_END(self);
}

RONDO_STEP(get_all)
{
    struct end *self = frame;

    RONDO_BEGIN(self);
    for (; self->items > 0; self->items--) {
        RONDO_CHECK(rondo_queue_get(self->queue, &self->moved), "get");
        RONDO_AWAIT(self, self->moved);
    }
    RONDO_END(self);
}

static void hand_over(long count)
{
    struct end ends[2] = { { .items = count }, { .items = count } };
    rondo_coroutine *bodies[2];

    BENCH_CHECK(rondo_queue_new(loop, 1, &ends[0].queue) == RONDO_OK);
    ends[1].queue = ends[0].queue;
    BENCH_CHECK(rondo_coroutine_new(NULL, put_all, &ends[0], NULL, &bodies[0]) == RONDO_OK);
    BENCH_CHECK(rondo_coroutine_new(NULL, get_all, &ends[1], NULL, &bodies[1]) == RONDO_OK);
    run_all(bodies, 2);
    rondo_queue_release(ends[0].queue);
}

/* ---- group, gather -------------------------------------------------------------------------- */

struct child {
    RONDO_FRAME;
};

RONDO_STEP(yield_once)
{
    struct child *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD(self);
    RONDO_END(self);
}

struct parent {
    RONDO_FRAME;
    rondo_task_group *group;
    rondo_future *all;
    rondo_coroutine *bodies[CHILDREN];
    struct child children[CHILDREN];
    long left;
    int i;
};

RONDO_STEP(make_groups)
{
    struct parent *self = frame;

    RONDO_BEGIN(self);
    for (; self->left > 0; self->left -= CHILDREN) {
        memset(self->children, 0, sizeof self->children);
        RONDO_TASK_GROUP_ENTER(self, self->group, loop);
        for (self->i = 0; self->i < CHILDREN; self->i++)
            RONDO_CHECK(rondo_task_group_spawn(self->group, yield_once, &self->children[self->i],
                                               NULL, NULL, NULL), "spawn");
        RONDO_TASK_GROUP_EXIT(self, part, self->group);
    }
    RONDO_END(self);
}

RONDO_STEP(gather_all)
{
    struct parent *self = frame;

    RONDO_BEGIN(self);
    for (; self->left > 0; self->left -= CHILDREN) {
        memset(self->children, 0, sizeof self->children);
        for (self->i = 0; self->i < CHILDREN; self->i++)
            RONDO_CHECK(rondo_coroutine_new(NULL, yield_once, &self->children[self->i], NULL,
                                            &self->bodies[self->i]), "coroutine");
        RONDO_CHECK(rondo_gather(loop, (rondo_awaitable *const *)self->bodies, CHILDREN, 0, &self->all),
                    "gather");
        RONDO_AWAIT_MOVED(self, self->all);
    }
    RONDO_END(self);
}

static struct parent parent;

static void groups(long count)
{
    parent = (struct parent){ .left = count };
    run(make_groups, &parent);
}

static void gathers(long count)
{
    parent = (struct parent){ .left = count };
    run(gather_all, &parent);
}

/* ---- timeout -------------------------------------------------------------------------------- */

struct limited {
    RONDO_FRAME;
    rondo_timeout *timeout;
    long left;
};

RONDO_STEP(enter_and_leave)
{
    struct limited *self = frame;

    RONDO_BEGIN(self);
    for (; self->left > 0; self->left--) {
        RONDO_TIMEOUT_ENTER(self, self->timeout, loop, TIMEOUT_NS);
        RONDO_TIMEOUT_EXIT(self, part, self->timeout);
    }
    RONDO_END(self);
}

static void timeouts(long count)
{
    struct limited limited = { .left = count };

    run(enter_and_leave, &limited);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    BENCH_CHECK(rondo_loop_new(NULL, &loop) == RONDO_OK);
    if (bench_is(argv, "lock"))
        return waits_measure(share_lock, count);
    if (bench_is(argv, "semaphore"))
        return waits_measure(share_semaphore, count);
    if (bench_is(argv, "queue"))
        return waits_measure(hand_over, count);
    if (bench_is(argv, "group"))
        return waits_measure(groups, count);
    if (bench_is(argv, "gather"))
        return waits_measure(gathers, count);
    if (bench_is(argv, "timeout"))
        return waits_measure(timeouts, count);
    return bench_unknown(argv);
}
