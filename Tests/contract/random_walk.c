/*
 * random_walk.c - everything at once: random calls on futures, tasks, coroutines, handles, errors,
 * locks, queues, scopes and groups, from outside, from callbacks and from inside of steps, valid and stale handles alike.
 *
 * No outcome is expected of a single call but that it is a status and does what it says with what
 * moves. In the end every argument was dropped exactly once and nothing is left over, and no
 * sanitizer has complained. A seed names a walk, so a walk that fails comes back.
 */
#include "coro.h"

#include <errno.h>
#include <stdlib.h>

#define POOL 24

static uint64_t state;

static uint64_t number(void)
{
    state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static unsigned below(unsigned limit)
{
    return (unsigned)(number() % limit);
}

/* ---- the world: slots that hold a reference, or a stale handle whose reference was given back -- */

struct slot {
    void *handle;
    bool held;
};

static rondo_loop *loop;
static struct slot futures[POOL], tasks[POOL], handles[POOL], coroutines[POOL], errors[POOL];
static struct slot locks[POOL], events[POOL], conditions[POOL], semaphores[POOL], barriers[POOL], queues[POOL];
static struct slot scopes[POOL], groups[POOL], timeouts[POOL];
static long given, dropped, depth;

static void drop(void *arg)
{
    (void)arg;
    dropped++;
}

static struct slot *any(struct slot *pool)
{
    return &pool[below(POOL)];
}

/* Whatever is in the slot, alive or stale; sometimes rubbish. */
static void *pick(struct slot *pool)
{
    return below(40) == 0 ? (void *)(uintptr_t)number() : any(pool)->handle;
}

static void put(struct slot *pool, void *handle, rondo_status (*release)(void *))
{
    struct slot *slot = any(pool);
    struct slot old = *slot;
    slot->handle = handle;
    slot->held = true;
    if (old.held)
        CHECK_OK(release(old.handle));
}

#define RELEASER(name, type)                                                                      \
    static rondo_status release_##name(void *handle)                                              \
    {                                                                                             \
        return rondo_##name##_release((type *)handle);                                            \
    }
RELEASER(future, rondo_future)
RELEASER(task, rondo_task)
RELEASER(handle, rondo_handle)
RELEASER(coroutine, rondo_coroutine)
RELEASER(error, rondo_error)
RELEASER(lock, rondo_lock)
RELEASER(event, rondo_event)
RELEASER(condition, rondo_condition)
RELEASER(semaphore, rondo_semaphore)
RELEASER(barrier, rondo_barrier)
RELEASER(queue, rondo_queue)
RELEASER(cancel_scope, rondo_cancel_scope)
RELEASER(task_group, rondo_task_group)
RELEASER(timeout, rondo_timeout)

static void let_go(struct slot *pool, rondo_status (*release)(void *))
{
    struct slot *slot = any(pool);
    if (!slot->held)
        return;
    slot->held = false;
    CHECK_OK(release(slot->handle));
}

/* ---- bodies and callbacks -------------------------------------------------------------------- */

static void wander(int steps);

static void call(void *arg)
{
    (void)arg;
    wander(2);
}

static void done(rondo_future *future, void *arg)
{
    (void)arg;
    int32_t ended = 0;
    CHECK_OK(rondo_future_get_state(future, &ended));
    CHECK(ended != RONDO_FUTURE_PENDING);
    wander(1);
}

struct walker {
    int left;
};

static rondo_step walk(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown);

static rondo_coroutine *new_walker(void)
{
    struct walker *walker = NULL;
    rondo_coroutine *coroutine = NULL;
    given++;
    CHECK_OK(rondo_coroutine_new_with_frame("walk", walk, sizeof *walker, drop, (void **)&walker, &coroutine));
    walker->left = (int)below(6);
    return coroutine;
}

static int32_t is_enough(void *arg)
{
    (void)arg;
    wander(1);
    return below(2);
}

/* No order at all. */
static int32_t compare(const void *a, const void *b, void *arg)
{
    (void)a;
    (void)b;
    (void)arg;
    if (below(8) == 0)
        wander(1);
    return (int32_t)below(3) - 1;
}

/* A coroutine that waits for a lock, a queue, ...; NULL if what it was to wait for is stale. */
static rondo_coroutine *new_waiter(void)
{
    rondo_coroutine *made = NULL;
    switch (below(11)) {
    case 0: (void)rondo_lock_acquire(pick(locks), &made); break;
    case 1: (void)rondo_event_wait(pick(events), &made); break;
    case 2: (void)rondo_condition_acquire(pick(conditions), &made); break;
    case 3: (void)rondo_condition_wait(pick(conditions), &made); break;
    case 4:
        given++;
        (void)rondo_condition_wait_for(pick(conditions), is_enough, &state, drop, &made);
        break;
    case 5: (void)rondo_semaphore_acquire(pick(semaphores), &made); break;
    case 6: (void)rondo_barrier_wait(pick(barriers), &made); break;
    case 7: (void)(below(2) ? rondo_barrier_reset : rondo_barrier_abort)(pick(barriers), &made); break;
    case 8:
        given++;
        (void)rondo_queue_put(pick(queues), &state, drop, &made);
        break;
    case 9: (void)rondo_queue_get(pick(queues), &made); break;
    default: (void)rondo_queue_join(pick(queues), &made);
    }
    return made;
}

static rondo_status make_contestant(size_t index, void *arg, rondo_coroutine **out)
{
    (void)index;
    (void)arg;
    wander(1);
    if (below(4) == 0)
        return below(2) ? -EIO : RONDO_OK;
    *out = new_walker();
    return RONDO_OK;
}

/* A race, or the end of a group. */
static rondo_coroutine *new_structure(void)
{
    rondo_coroutine *made = NULL;
    if (below(3) == 0) {
        (void)rondo_task_group_exit(pick(groups), NULL, &made);
        return made;
    }
    given++;
    (void)rondo_staggered_race(below(4), below(3) ? (int64_t)below(3) - 1 : RONDO_NEVER, make_contestant, &state, drop,
                               &made);
    return made;
}

static rondo_step wait_for_something(rondo_coroutine *co)
{
    rondo_future *made = NULL;
    rondo_coroutine *wait = NULL;
    rondo_awaitable *some[] = { pick(futures), pick(tasks), pick(futures) };
    if (below(3) == 0 && (wait = new_waiter()) != NULL)
        return rondo_coroutine_await(co, wait);
    if (below(6) == 0 && (wait = new_structure()) != NULL)
        return rondo_coroutine_await(co, wait);
    switch (below(9)) {
    case 0: return rondo_coroutine_await(co, pick(futures));
    case 1: return rondo_coroutine_await(co, pick(tasks));
    case 2: return rondo_coroutine_await(co, new_walker());
    case 3: return rondo_coroutine_sleep(co, (int64_t)below(3) * 1000);
    case 4: return rondo_coroutine_yield(co, NULL);
    case 5:
        if (rondo_gather(loop, some, 1 + below(3), below(2), &made) == RONDO_OK)
            return rondo_coroutine_await_moved(co, made);
        break;
    case 6:
        if (rondo_shield(loop, pick(tasks), &made) == RONDO_OK)
            return rondo_coroutine_await_moved(co, made);
        break;
    case 7:
        if (rondo_wait_for(below(2) ? (void *)new_walker() : pick(futures), (int64_t)below(3) * 2000 - 1000,
                           &wait) == RONDO_OK)
            return rondo_coroutine_await(co, wait);
        break;
    default:
        if (rondo_future_new(loop, &made) == RONDO_OK)
            return rondo_coroutine_await_moved(co, made); /* nobody can complete it: cancelled at the end */
    }
    return rondo_coroutine_yield(co, NULL);
}

static rondo_step walk(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    struct walker *self = frame;
    void *taken = NULL;
    (void)sent;
    wander(2);
    /* What is taken is not dropped by the library: it is ours to count. */
    if (below(8) == 0 && rondo_coroutine_take_sent(co, &taken) == RONDO_OK && taken == &state)
        dropped++;
    if (thrown != NULL && below(4) != 0)
        return rondo_coroutine_raise(co, thrown);
    if (self->left-- <= 0) {
        if (below(4) == 0)
            return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 7, "walked into something");
        return rondo_coroutine_return(co, (void *)(uintptr_t)number(), NULL);
    }
    return wait_for_something(co);
}

/* ---- one random call ------------------------------------------------------------------------- */

static void touch_future(void)
{
    void *value = NULL;
    rondo_error *error = NULL;
    rondo_future *future = below(2) ? pick(futures) : pick(tasks), *made = NULL;
    switch (below(10)) {
    case 0:
        if (rondo_future_new(loop, &made) == RONDO_OK)
            put(futures, made, release_future);
        break;
    case 1:
        given++;
        (void)rondo_future_set_result(future, &state, drop);
        break;
    case 2: (void)rondo_future_set_exception(future, pick(errors)); break;
    case 3: (void)rondo_future_cancel(future, below(2) ? "enough" : NULL, below(4) ? NULL : pick(errors)); break;
    case 4:
        given++;
        (void)rondo_future_add_done_callback(future, done, &state, drop);
        break;
    case 5: (void)rondo_future_remove_done_callback(future, done, &state, NULL); break;
    case 6: (void)rondo_future_result(future, &value); break;
    case 7:
        if (rondo_future_exception(future, &error) == RONDO_OK)
            CHECK_OK(rondo_error_release(error));
        break;
    case 8:
        given++;
        (void)rondo_future_set_result_threadsafe(future, &state, drop);
        break;
    default: let_go(futures, release_future);
    }
}

static void touch_task(void)
{
    char text[256];
    rondo_task *task = pick(tasks), *made = NULL;
    switch (below(7)) {
    case 0:
    case 1:
        if (rondo_loop_create_task(loop, new_walker(), NULL, &made) == RONDO_OK)
            put(tasks, made, release_task);
        break;
    case 2: (void)rondo_task_cancel(task, NULL, NULL); break;
    case 3: (void)rondo_task_uncancel(task, NULL); break;
    case 4: (void)rondo_task_set_name(task, "walker"); break;
    case 5: (void)rondo_future_describe((rondo_future *)task, text, sizeof text, NULL); break;
    default: let_go(tasks, release_task);
    }
}

static void touch_handle(void)
{
    rondo_handle *made = NULL;
    rondo_handle **out = below(2) ? &made : NULL;
    switch (below(7)) {
    case 0:
        given++;
        (void)rondo_loop_call_soon(loop, call, &state, drop, out);
        break;
    case 1:
        given++;
        (void)rondo_loop_call_later(loop, (int64_t)below(20000), call, &state, drop, out);
        break;
    case 2:
        given++;
        (void)rondo_loop_call_soon_threadsafe(loop, call, &state, drop, out);
        break;
    case 3: (void)rondo_handle_cancel(pick(handles)); break;
    case 4: (void)rondo_handle_rearm(pick(handles), (int64_t)below(20000)); break;
    case 5: (void)rondo_handle_rearm_at(pick(handles), (int64_t)number()); break;
    default: let_go(handles, release_handle);
    }
    if (made != NULL)
        put(handles, made, release_handle);
}

static void touch_lock(void)
{
    rondo_lock *lock = NULL;
    rondo_event *event = NULL;
    rondo_condition *condition = NULL;
    switch (below(10)) {
    case 0:
        if (rondo_lock_new(loop, &lock) == RONDO_OK)
            put(locks, lock, release_lock);
        break;
    case 1:
        if (rondo_event_new(loop, &event) == RONDO_OK)
            put(events, event, release_event);
        break;
    case 2:
        if (rondo_condition_new(loop, below(2) ? pick(locks) : NULL, &condition) == RONDO_OK)
            put(conditions, condition, release_condition);
        break;
    case 3: (void)rondo_lock_unlock(pick(locks)); break;
    case 4: (void)(below(2) ? rondo_event_set : rondo_event_clear)(pick(events)); break;
    case 5: (void)rondo_condition_unlock(pick(conditions)); break;
    case 6: (void)rondo_condition_notify(pick(conditions), below(3)); break;
    case 7: let_go(locks, release_lock); break;
    case 8: let_go(events, release_event); break;
    default: let_go(conditions, release_condition);
    }
}

static void touch_semaphore(void)
{
    rondo_semaphore *semaphore = NULL;
    rondo_barrier *barrier = NULL;
    switch (below(5)) {
    case 0:
        if (rondo_semaphore_new(loop, below(3), below(2), &semaphore) == RONDO_OK)
            put(semaphores, semaphore, release_semaphore);
        break;
    case 1:
        if (rondo_barrier_new(loop, 1 + below(3), &barrier) == RONDO_OK)
            put(barriers, barrier, release_barrier);
        break;
    case 2: (void)rondo_semaphore_post(pick(semaphores)); break;
    case 3: let_go(semaphores, release_semaphore); break;
    default: let_go(barriers, release_barrier);
    }
}

static void make_queue(void)
{
    rondo_queue *queue = NULL;
    rondo_status status;
    if (below(2) == 0) {
        given++;
        status = rondo_queue_new_priority(loop, below(4), compare, &state, drop, &queue);
    } else {
        status = (below(2) ? rondo_queue_new : rondo_queue_new_lifo)(loop, below(4), &queue);
    }
    if (status == RONDO_OK)
        put(queues, queue, release_queue);
}

static void touch_queue(void)
{
    void *item = NULL;
    switch (below(6)) {
    case 0: make_queue(); break;
    case 1:
        given++;
        (void)rondo_queue_put_nowait(pick(queues), &state, drop);
        break;
    case 2:
        if (rondo_queue_get_nowait(pick(queues), &item) == RONDO_OK)
            dropped++;
        break;
    case 3: (void)rondo_queue_task_done(pick(queues)); break;
    case 4:
        if (below(4) == 0)
            (void)rondo_queue_shutdown(pick(queues), (int32_t)below(2));
        break;
    default: let_go(queues, release_queue);
    }
}

static void touch_waiter(void)
{
    rondo_task *task = NULL;
    rondo_coroutine *waiter = new_waiter();
    if (waiter == NULL)
        return;
    if (below(2) == 0)
        put(coroutines, waiter, release_coroutine);
    else if (rondo_loop_create_task(loop, waiter, NULL, &task) == RONDO_OK)
        put(tasks, task, release_task);
}

static void make_scope(void)
{
    rondo_cancel_scope_options options = { .size = sizeof options, .flags = below(4), .deadline_ns = below(4) == 0,
                                           .grace_ns = (int64_t)below(3) * 1000 };
    rondo_cancel_scope *scope = NULL;
    rondo_timeout *timeout = NULL;
    rondo_task_group *group = NULL;
    if (rondo_cancel_scope_new(loop, &options, &scope) == RONDO_OK)
        put(scopes, scope, release_cancel_scope);
    if (rondo_timeout_new(loop, (int64_t)below(3) * 1000, &timeout) == RONDO_OK)
        put(timeouts, timeout, release_timeout);
    if (rondo_task_group_new(loop, &group) == RONDO_OK)
        put(groups, group, release_task_group);
}

/* In no order at all: inner ones after outer ones, from any task and from none. */
static void touch_scope(void)
{
    rondo_future *request = NULL;
    rondo_cancel_scope *scope = pick(scopes);
    switch (below(12)) {
    case 0: make_scope(); break;
    case 1: case 2: (void)rondo_cancel_scope_enter(scope); break;
    case 3: case 4: (void)rondo_cancel_scope_exit(scope, below(2) ? pick(errors) : NULL, NULL); break;
    case 5: (void)rondo_cancel_scope_cancel_here(scope, "a walk"); break;
    case 6: (void)rondo_cancel_scope_insist(scope); break;
    case 7: (void)rondo_cancel_scope_set_deadline(scope, below(2) ? RONDO_NEVER : (int64_t)below(2)); break;
    case 8: (void)rondo_cancel_scope_set_shield(scope, (int32_t)below(2)); break;
    case 9:
        if (rondo_cancel_scope_get_request(scope, &request) == RONDO_OK)
            put(futures, request, release_future);
        break;
    case 10: let_go(scopes, release_cancel_scope); break;
    default: (void)rondo_current_cancel_requested(loop);
    }
}

static void touch_structure(void)
{
    rondo_task *task = NULL;
    switch (below(8)) {
    case 0: case 1: (void)rondo_task_group_enter(pick(groups)); break;
    case 2: case 3:
        if (rondo_task_group_create_task(pick(groups), new_walker(), NULL, &task) == RONDO_OK)
            put(tasks, task, release_task);
        break;
    case 4: (void)rondo_timeout_enter(pick(timeouts)); break;
    case 5: (void)rondo_timeout_exit(pick(timeouts), NULL, NULL); break;
    case 6: let_go(groups, release_task_group); break;
    default: let_go(timeouts, release_timeout);
    }
}

static void touch_coroutine(void)
{
    rondo_step step = 0;
    rondo_coroutine *coroutine = pick(coroutines);
    switch (below(6)) {
    case 0: put(coroutines, new_walker(), release_coroutine); break;
    case 1: (void)rondo_coroutine_send(coroutine, NULL, &step, NULL, NULL); break;
    case 2: (void)rondo_coroutine_throw(coroutine, pick(errors), &step, NULL, NULL); break;
    case 3: (void)rondo_coroutine_close(coroutine, NULL); break;
    default: let_go(coroutines, release_coroutine);
    }
}

static void touch_error(void)
{
    rondo_error *made = NULL;
    switch (below(4)) {
    case 0:
        CHECK_OK(rondo_error_new(RONDO_DOMAIN_USER, 1, "an error", &made));
        put(errors, made, release_error);
        break;
    case 1: (void)rondo_error_set_cause(pick(errors), pick(errors)); break;
    case 2: (void)rondo_loop_raise(loop, pick(errors)); break;
    default: let_go(errors, release_error);
    }
}

static void wander(int steps)
{
    static void (*const touches[])(void) = { touch_future, touch_task,      touch_handle, touch_coroutine, touch_error,
                                             touch_lock,   touch_semaphore, touch_queue,  touch_waiter,    touch_scope,
                                             touch_scope,  touch_structure };
    if (depth >= 8)
        return;
    depth++;
    while (steps-- > 0)
        touches[below(sizeof touches / sizeof *touches)]();
    depth--;
}

/* ---- a walk ---------------------------------------------------------------------------------- */

static void empty(struct slot *pool, rondo_status (*release)(void *))
{
    for (int i = 0; i < POOL; i++) {
        struct slot old = pool[i];
        pool[i] = (struct slot){ 0 };
        if (old.held)
            CHECK_OK(release(old.handle));
    }
}

static void take_a_walk(uint64_t seed, int passes)
{
    state = seed;
    given = dropped = depth = 0;
    CHECK_OK(rondo_loop_new(NULL, &loop));
    CHECK_OK(rondo_loop_set_eager_tasks(loop, seed % 2 == 0));
    for (int i = 0; i < passes; i++) {
        wander(6);
        CHECK_OK(rondo_loop_drive(loop, below(3) ? 0 : 5, 0, NULL));
    }
    CHECK_OK(rondo_loop_close(loop, NULL));
    wander(50); /* and on a closed loop */
    depth = 8;  /* what ends now, and may take its last steps, no longer wanders */
    empty(handles, release_handle);
    empty(coroutines, release_coroutine);
    empty(tasks, release_task);
    empty(futures, release_future);
    empty(errors, release_error);
    empty(locks, release_lock);
    empty(events, release_event);
    empty(conditions, release_condition);
    empty(semaphores, release_semaphore);
    empty(barriers, release_barrier);
    empty(queues, release_queue);
    empty(scopes, release_cancel_scope);
    empty(groups, release_task_group);
    empty(timeouts, release_timeout);
    CHECK_OK(rondo_loop_release(loop));
    CHECK_EQ_INT(dropped, given);
}

static void ignore(int32_t level, const char *message, const rondo_log_field *fields,
                   size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    (void)level;
    (void)message;
    (void)arg;
}

KIT_TEST_WITHIN(random_walks, 60)
{
    CHECK_OK(rondo_log_set_sink(ignore, NULL, NULL));
    int walks = kit_rounds(400);
    for (int seed = 1; seed <= walks; seed++)
        take_a_walk((uint64_t)seed, 100);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    kit_note("walks=%d", walks);
}
