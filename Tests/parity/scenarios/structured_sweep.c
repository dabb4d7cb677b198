/* Groups in a group in a timeout, cancelled after each number of passes: every order of events. */
#include "parity.h"

static char events[500];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    size_t length = strlen(events);
    va_list args;

    if (length > 0)
        events[length++] = ' ';
    va_start(args, format);
    vsnprintf(events + length, sizeof events - length, format, args);
    va_end(args);
}

struct child {
    RONDO_FRAME;
    const char *name;
    int i, count, fails;
};

RONDO_STEP(child)
{
    struct child *self = frame;

    RONDO_BEGIN(self);
    for (self->i = 0; self->i < self->count; self->i++) {
        RONDO_TRY(self, rondo_coroutine_sleep(co, 0));
        if (thrown != NULL) {
            note("%s:cancelled", self->name);
            return rondo_coroutine_raise(co, thrown);
        }
    }
    note("%s:%s", self->name, self->fails ? "fails" : "ok");
    if (self->fails)
        RONDO_RAISE(1, self->name);
    RONDO_END(self);
}

static void add(rondo_task_group *group, const char *name, int count, int fails)
{
    rondo_coroutine *made = NULL;
    void *memory = NULL;

    MUST(rondo_coroutine_new_with_frame("child", child, sizeof(struct child), NULL, &memory, &made));
    *(struct child *)memory = (struct child){ .name = name, .count = count, .fails = fails };
    MUST(rondo_task_group_create_task(group, made, NULL, NULL));
}

struct parent {
    RONDO_FRAME;
    int inner_fails, outer_fails;
    rondo_task *task;
    rondo_timeout *limit;
    rondo_task_group *outer, *inner;
};

static const char *name_of(rondo_error *error)
{
    rondo_status status = rondo_error_get_status(error);

    return status == RONDO_E_GROUP ? "ExceptionGroup" : class_of(status);
}

RONDO_STEP(parent)
{
    struct parent *self = frame;
    rondo_error *left = NULL;
    rondo_step step;
    uint32_t cancelling;

    RONDO_BEGIN(self);
    if (self->task == NULL)
        MUST(rondo_current_task(NULL, &self->task));
    RONDO_TIMEOUT_ENTER(self, self->limit, loop, 60000 * MS);
    RONDO_TASK_GROUP_ENTER(self, self->outer, loop);
    add(self->outer, "a", 5, self->outer_fails);
    add(self->outer, "b", 1, 0);
    RONDO_TASK_GROUP_ENTER(self, self->inner, loop);
    add(self->inner, "c", 3, self->inner_fails);
    add(self->inner, "d", 6, 0);
    RONDO_SLEEP_IN(self, inner, 0);
    RONDO_SLEEP_IN(self, inner, 0);
    note("body");
    RONDO_TRY_TASK_GROUP_EXIT(self, inner, self->inner);
    if (thrown != NULL)
        goto rondo_exit_outer;
    note("inner");
    RONDO_SLEEP_IN(self, outer, 0);
    RONDO_TRY_TASK_GROUP_EXIT(self, outer, self->outer);
    if (thrown == NULL)
        note("outer");
    RONDO_TRY_TIMEOUT_EXIT(self, limit, self->limit, left);
    if (left == NULL) {
        note("end");
        return RONDO_STEP_RETURN;
    }
    MUST(rondo_task_cancelling(self->task, &cancelling));
    note("%s/%u", name_of(left), cancelling);
    step = rondo_coroutine_raise(co, left);
    rondo_error_release(left);
    return step;
    RONDO_END(self);
}

static void tell(int point, int passes, rondo_task *task)
{
    static const char *const states[] = { "pending", "result", "raised", "cancelled" };
    int32_t state;
    uint32_t cancelling;

    MUST(rondo_future_get_state(rondo_task_as_future(task), &state));
    if (state == RONDO_FUTURE_EXCEPTION)
        MUST(rondo_future_exception(rondo_task_as_future(task), NULL));
    MUST(rondo_task_cancelling(task, &cancelling));
    say("%d: %s after %d, cancelling %u: %s", point, states[state], passes, cancelling, events);
}

RONDO_STEP(main_step)
{
    static struct parent parents[56];
    static int k, passes;

    SELF;
    for (k = 0; k < 56; k++) {
        events[0] = '\0';
        parents[k].inner_fails = k / 14 % 2;
        parents[k].outer_fails = k / 28;
        MUST(rondo_loop_spawn(loop, parent, &parents[k], NULL, NULL, &self->t));
        for (self->i = 0; self->i < k % 14; self->i++)
            RONDO_SLEEP(self, 0);
        (void)rondo_task_cancel(self->t, NULL, NULL);
        for (passes = 0; !rondo_future_is_done(rondo_task_as_future(self->t)); passes++)
            RONDO_SLEEP(self, 0);
        tell(k % 14, passes, self->t);
        MUST(rondo_task_release(self->t));
    }
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
