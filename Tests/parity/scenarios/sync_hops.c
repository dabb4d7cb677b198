/* How many passes until the awaiting task runs again, for locks and queues. */
#include "told.h"

static rondo_lock *lock;
static rondo_event *event;
static rondo_semaphore *semaphore;
static rondo_condition *condition;
static rondo_barrier *barrier;
static rondo_queue *queue;

static int counted, is_counting;

static void count(void *arg)
{
    if (!is_counting)
        return;
    counted++;
    soon(count, arg);
}

/* Awaits d and says the passes. */
RONDO_STEP(hop_step)
{
    SELF;
    is_counting = 1;
    counted = 0;
    soon(count, NULL);
    RONDO_AWAIT(self, self->d);
    is_counting = 0;
    say("%s: %d", self->name, counted);
    PASSES(1);
    RONDO_END(self);
}

/* A coroutine that is awaited inline, so the passes are those of the task that awaits it. */
static rondo_coroutine *hop(const char *label, rondo_coroutine *awaited)
{
    static struct frame frame;

    frame = (struct frame){ .name = label, .d = awaited };
    return new_coroutine("hop", hop_step, &frame);
}

static void unlock(void *arg) { (void)arg; MUST(rondo_lock_unlock(lock)); }
static void set_event(void *arg) { (void)arg; MUST(rondo_event_set(event)); }
static void post(void *arg) { (void)arg; MUST(rondo_semaphore_post(semaphore)); }
static void put(void *arg) { (void)arg; MUST(rondo_queue_put_nowait(queue, "x", NULL)); }
static void task_done(void *arg) { (void)arg; MUST(rondo_queue_task_done(queue)); }
static void notify(void *arg) { (void)arg; MUST(rondo_condition_notify(condition, 1)); }
static void let_go(void *arg) { (void)arg; MUST(rondo_condition_unlock(condition)); }
static void notify_soon(void *arg) { soon(notify, arg); }
static void let_go_soon(void *arg) { soon(let_go, arg); }

static void get(void *arg)
{
    (void)arg;
    void *item;
    MUST(rondo_queue_get_nowait(queue, &item));
}

static void take(void *arg)
{
    (void)arg;
    MUST(rondo_loop_create_task(loop, CO(rondo_condition_acquire, condition), NULL, NULL));
}

RONDO_STEP(main_step)
{
    SELF;
    part("hops");
    RONDO_AWAIT(self, hop("free lock", CO(rondo_lock_acquire, lock)));
    soon(unlock, NULL);
    RONDO_AWAIT(self, hop("lock", CO(rondo_lock_acquire, lock)));
    soon(set_event, NULL);
    RONDO_AWAIT(self, hop("event", CO(rondo_event_wait, event)));
    RONDO_AWAIT(self, hop("set event", CO(rondo_event_wait, event)));
    RONDO_AWAIT(self, hop("free semaphore", CO(rondo_semaphore_acquire, semaphore)));
    soon(post, NULL);
    RONDO_AWAIT(self, hop("semaphore", CO(rondo_semaphore_acquire, semaphore)));
    RONDO_AWAIT(self, hop("condition's lock", CO(rondo_condition_acquire, condition)));
    soon(take, NULL);
    soon(notify_soon, NULL);
    soon(let_go_soon, NULL);
    RONDO_AWAIT(self, hop("condition", CO(rondo_condition_wait, condition)));
    RONDO_AWAIT(self, hop("barrier of one", CO(rondo_barrier_wait, barrier)));
    soon(put, NULL);
    RONDO_AWAIT(self, hop("get", CO(rondo_queue_get, queue)));
    RONDO_AWAIT(self, hop("put", CO(rondo_queue_put, queue, "y", NULL)));
    soon(get, NULL);
    RONDO_AWAIT(self, hop("put into full", CO(rondo_queue_put, queue, "z", NULL)));
    RONDO_AWAIT(self, hop("get at once", CO(rondo_queue_get, queue)));
    for (int i = 0; i < 3; i++)
        soon(task_done, NULL);
    RONDO_AWAIT(self, hop("join", CO(rondo_queue_join, queue)));
    RONDO_AWAIT(self, hop("join at once", CO(rondo_queue_join, queue)));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_lock_new(loop, &lock));
    MUST(rondo_event_new(loop, &event));
    MUST(rondo_semaphore_new(loop, 1, 0, &semaphore));
    MUST(rondo_condition_new(loop, NULL, &condition));
    MUST(rondo_barrier_new(loop, 1, &barrier));
    MUST(rondo_queue_new(loop, 1, &queue));
    run_told(main_step);
    rondo_lock_release(lock);
    rondo_event_release(event);
    rondo_semaphore_release(semaphore);
    rondo_condition_release(condition);
    rondo_barrier_release(barrier);
    rondo_queue_release(queue);
    return 0;
}
