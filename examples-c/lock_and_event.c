/*
 * lock_and_event.c - a lock, an event and a condition: three tasks share a counter.
 *
 * A lock keeps others out over an await, which is where tasks take turns. An event starts them
 * all at once. A condition tells main when the counter has got where it should.
 */
#include <rondo.h>
#include <stdio.h>

struct shared {
    rondo_lock *lock;
    rondo_event *start;
    rondo_condition *changed; /* with the same lock */
    int counter;
};

struct worker { RONDO_FRAME; struct shared *shared; const char *name; rondo_coroutine *next; int seen; };

RONDO_STEP(worker_step)
{
    struct worker *self = frame;
    struct shared *shared = self->shared;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_event_wait(shared->start, &self->next), "event");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_lock_acquire(shared->lock, &self->next), "lock");
    RONDO_AWAIT(self, self->next);
    self->seen = shared->counter;
    printf("%s read %d\n", self->name, self->seen);
    RONDO_SLEEP(self, 0); /* without the lock the others would read the same now */
    shared->counter = self->seen + 1;
    printf("%s wrote %d\n", self->name, shared->counter);
    RONDO_CHECK(rondo_condition_notify_all(shared->changed), "notify");
    RONDO_CHECK(rondo_lock_unlock(shared->lock), "unlock");
    RONDO_END(self);
}

static int32_t is_complete(void *arg)
{
    return ((struct shared *)arg)->counter == 3;
}

struct main_frame {
    RONDO_FRAME;
    struct shared shared;
    struct worker workers[3];
    rondo_coroutine *next;
};

static rondo_status make(struct shared *shared)
{
    rondo_loop *loop = rondo_running_loop();
    rondo_status status = rondo_lock_new(loop, &shared->lock);
    if (status == RONDO_OK)
        status = rondo_event_new(loop, &shared->start);
    if (status == RONDO_OK)
        status = rondo_condition_new(loop, shared->lock, &shared->changed);
    return status;
}

static void drop_main(void *frame)
{
    struct shared *shared = &((struct main_frame *)frame)->shared;
    rondo_condition_release(shared->changed);
    rondo_event_release(shared->start);
    rondo_lock_release(shared->lock);
}

RONDO_STEP(main_step)
{
    static const char *const names[] = { "anne", "bert", "carla" };
    struct main_frame *self = frame;

    RONDO_BEGIN(self);
    RONDO_CHECK(make(&self->shared), "make");
    for (int i = 0; i < 3; i++) {
        self->workers[i] = (struct worker){ .shared = &self->shared, .name = names[i] };
        RONDO_CHECK(rondo_loop_spawn(rondo_running_loop(), worker_step, &self->workers[i], NULL, NULL,
                                     NULL), "spawn");
    }
    RONDO_SLEEP(self, 0);
    puts("everybody waits for the event");
    RONDO_CHECK(rondo_event_set(self->shared.start), "set");
    RONDO_CHECK(rondo_lock_acquire(self->shared.lock, &self->next), "lock");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_condition_wait_for(self->shared.changed, is_complete, &self->shared, NULL,
                                         &self->next), "wait_for");
    RONDO_AWAIT(self, self->next);
    printf("the counter is %d\n", self->shared.counter);
    RONDO_CHECK(rondo_lock_unlock(self->shared.lock), "unlock");
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, drop_main, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
