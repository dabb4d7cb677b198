/* TaskGroup: what fails, in which order, and what comes out (TG-01 to TG-04, TG-09, TG-14). */
#include "parity.h"

static void tell(const char *label, rondo_error *error)
{
    char names[200] = "";
    size_t i, count = rondo_error_get_count(error);

    for (i = 0; i < count; i++) {
        strcat(names, i > 0 ? " " : "");
        strcat(names, rondo_error_get_message(rondo_error_get_member(error, i)));
    }
    say("%s: %zu: %s", label, count, names);
}

static uint32_t cancelling_of(rondo_task *task)
{
    uint32_t count = 99;

    MUST(rondo_task_cancelling(task, &count));
    return count;
}

RONDO_STEP(passes)
{
    SELF;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_SLEEP(self, 0);
    say("%s", self->name);
    RONDO_END(self);
}

RONDO_STEP(fails)
{
    SELF;
    for (self->i = 0; self->i < self->n; self->i++)
        RONDO_SLEEP(self, 0);
    RONDO_RAISE(1, self->name);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    RONDO_TRY_AWAIT_MOVED(self, new_future());
    say("%s cancelled", self->name);
    if (self->n)
        RONDO_RAISE(1, self->name);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

static rondo_task_group *tasks;

static rondo_status add(rondo_step_fn step, const char *name, int n)
{
    static struct frame frames[40];
    static int used;
    struct frame *frame = &frames[used++];

    frame->name = name;
    frame->n = n;
    return rondo_task_group_create_task(tasks, new_coroutine("child", step, frame), NULL, NULL);
}

enum { WELL, EMPTY, FAILS, BODY_WAITS, TWO_FAIL, SAME_PASS, BODY_RAISES, BODY_AT_ONCE, CASES };
static const char *const labels[] = { "well", "empty", "fails", "body waits", "two fail", "same pass",
                                      "body raises", "body raises at once" };

static void add_children(int i)
{
    switch (i) {
    case WELL: MUST(add(passes, "three", 3)); MUST(add(passes, "one", 1)); break;
    case EMPTY: break;
    case FAILS:
    case BODY_WAITS: MUST(add(fails, "one", 1)); MUST(add(waits, "sibling", 0)); break;
    case TWO_FAIL: MUST(add(fails, "one", 1)); MUST(add(waits, "sibling", 1)); break;
    case SAME_PASS:
        MUST(add(fails, "one", 1));
        MUST(add(fails, "two", 1));
        MUST(add(fails, "late", 5));
        break;
    case BODY_RAISES: MUST(add(waits, "child", 1)); MUST(add(passes, "child", 1)); break;
    default: MUST(add(waits, "child", 1));
    }
}

RONDO_STEP(groups)
{
    static rondo_error *body;

    SELF;
    MUST(rondo_current_task(NULL, &self->t));
    body = new_error("body");
    for (self->i = 0; self->i < CASES; self->i++) {
        RONDO_TASK_GROUP_ENTER(self, tasks, loop);
        add_children(self->i);
        if (self->i == BODY_WAITS) {
            RONDO_TRY_AWAIT_MOVED(self, new_future());
            say("body ends, cancelling: %u", cancelling_of(self->t));
        }
        if (self->i >= BODY_RAISES)
            thrown = body;
        RONDO_TRY_TASK_GROUP_EXIT(self, work, tasks);
        if (thrown != NULL)
            tell(labels[self->i], thrown);
        else
            say("%s: no error", labels[self->i]);
        RONDO_SLEEP(self, 0);
        say("cancelling: %u", cancelling_of(self->t));
    }
    MUST(rondo_error_release(body));
    RONDO_END(self);
}

RONDO_STEP(states)
{
    rondo_coroutine *end = NULL;

    SELF;
    MUST(rondo_task_group_new(loop, &tasks));
    attempt("not entered", add(passes, "not reached", 0));
    MUST(rondo_task_group_enter(tasks));
    MUST(rondo_task_group_exit(tasks, NULL, &end));
    RONDO_AWAIT(self, end);
    attempt("finished", add(passes, "not reached", 0));
    MUST(rondo_task_group_release(tasks));
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    MUST(add(fails, "one", 0));
    RONDO_TRY(self, rondo_coroutine_sleep(co, 60000 * MS));
    attempt("shutting down", add(passes, "not reached", 0));
    RONDO_TRY_TASK_GROUP_EXIT(self, work, tasks);
    if (thrown != NULL)
        tell("group", thrown);
    RONDO_END(self);
}

RONDO_STEP(cancelled_child)
{
    static struct frame child = { .name = "child" };

    SELF;
    RONDO_TASK_GROUP_ENTER(self, tasks, loop);
    MUST(rondo_task_group_create_task(tasks, new_coroutine("child", waits, &child), NULL, &self->t));
    MUST(add(passes, "other", 4));
    RONDO_SLEEP_IN(self, work, 0);
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    MUST(rondo_task_release(self->t));
    RONDO_TASK_GROUP_EXIT(self, work, tasks);
    say("no error");
    RONDO_END(self);
}

int main(void)
{
    static struct frame first, second, third;

    loop = new_loop();
    run(groups, &first);
    run(states, &second);
    run(cancelled_child, &third);
    return finish();
}
