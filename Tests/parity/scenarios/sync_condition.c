/* Condition: notifications, the lock taken again on cancellation, what is handed on (S-12, S-13, S-14). */
#include "told.h"

static rondo_condition *condition;
static struct frame frames[16];
static int frame_count, left = 2;
static rondo_task *tasks[4];

RONDO_STEP(waits_step)
{
    SELF;
    RONDO_AWAIT(self, CO(rondo_condition_acquire, condition));
    RONDO_TRY_AWAIT(self, CO(rondo_condition_wait, condition));
    if (thrown != NULL) {
        say("%d %s cancelled %s, locked %d", ticks, self->name, rondo_error_get_message(thrown),
            rondo_condition_is_locked(condition));
        MUST(rondo_condition_unlock(condition));
        return rondo_coroutine_raise(co, thrown);
    }
    say("%d %s woken, locked %d", ticks, self->name, rondo_condition_is_locked(condition));
    PASSES(1);
    MUST(rondo_condition_unlock(condition));
    RONDO_END(self);
}

static void four(const char *part_name)
{
    static const char *const names[] = { "a", "b", "c", "d" };

    part(part_name);
    for (int i = 0; i < 4; i++) {
        struct frame *frame = &frames[frame_count++];

        frame->name = names[i];
        tasks[i] = tell(names[i], new_coroutine("waits", waits_step, frame));
    }
}

#define NOTIFY(count)                                                                             \
    RONDO_AWAIT(self, CO(rondo_condition_acquire, condition));                                    \
    MUST(rondo_condition_notify(condition, (count)));                                             \
    MUST(rondo_condition_unlock(condition))

static int32_t is_zero(void *arg)
{
    return *(int *)arg == 0 ? 42 : 0;
}

RONDO_STEP(until_zero_step)
{
    SELF;
    RONDO_AWAIT(self, CO(rondo_condition_acquire, condition));
    RONDO_AWAIT(self, CO(rondo_condition_wait_for, condition, is_zero, &left, NULL));
    MUST(rondo_condition_unlock(condition));
    RONDO_RETURN(sent);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static const char *const messages[] = { "x", "y", "z" };
    static struct frame until_zero;

    SELF;
    four("one, two, all");
    PASSES(1);
    NOTIFY(1);
    PASSES(3);
    NOTIFY(2);
    PASSES(6);
    NOTIFY(9);
    PASSES(4);
    four("notified, then cancelled");
    PASSES(1);
    NOTIFY(1);
    MUST(rondo_task_cancel(tasks[0], "x", NULL));
    PASSES(6);
    MUST(rondo_task_cancel(tasks[2], "y", NULL));
    NOTIFY(1);
    PASSES(6);
    four("cancelled while it takes the lock again");
    PASSES(1);
    NOTIFY(1);
    RONDO_AWAIT(self, CO(rondo_condition_acquire, condition));
    PASSES(1);
    for (self->n = 0; self->n < 3; self->n++) {
        MUST(rondo_task_cancel(tasks[0], messages[self->n], NULL));
        PASSES(2);
    }
    MUST(rondo_condition_unlock(condition));
    PASSES(6);
    RONDO_AWAIT(self, CO(rondo_condition_acquire, condition));
    MUST(rondo_condition_notify_all(condition));
    MUST(rondo_condition_unlock(condition));
    PASSES(9);
    part("wait_for");
    tell_as("number", new_coroutine("until_zero", until_zero_step, &until_zero), 1);
    PASSES(1);
    NOTIFY(1);
    PASSES(3);
    left = 0;
    PASSES(2);
    NOTIFY(1);
    PASSES(3);
    MUST(rondo_condition_release(condition));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_condition_new(loop, NULL, &condition));
    return run_told(main_step);
}
