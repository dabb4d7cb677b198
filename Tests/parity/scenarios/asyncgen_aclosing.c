/* aclosing() around async for: what is closed when, and what leaves, and in what order. */
#include "told.h"

struct body {
    RONDO_FRAME;
    const char *name;
    int i, count, fails;
    rondo_error *left;
};

RONDO_STEP(body_step)
{
    char text[40];
    struct body *self = frame;

    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++)
        RONDO_YIELD_VALUE_IN(self, body, (void *)(intptr_t)self->i, NULL);
    RONDO_FINALLY(self, body, self->left);
    say("%s ends", self->name);
    for (self->i = 0; self->i < self->count; self->i++)
        RONDO_SLEEP(self, 0);
    if (self->fails) {
        rondo_error *error;
        rondo_step step;
        snprintf(text, sizeof text, "%s fails", self->name);
        error = new_error(text);
        step = rondo_coroutine_raise(co, error);
        rondo_error_release(error);
        return step;
    }
    say("%s ended", self->name);
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

static void end_body(void *frame)
{
    struct body *self = frame;

    rondo_error_release(self->left);
}

static rondo_async_generator *make(const char *name, int count, int fails)
{
    rondo_async_generator *made = NULL;
    void *memory = NULL;
    struct body *body;

    MUST(rondo_async_generator_new_with_frame("body", body_step, sizeof *body, end_body, &memory, &made));
    body = memory;
    body->name = name;
    body->count = count;
    body->fails = fails;
    return made;
}

struct use {
    RONDO_FRAME;
    const char *how;
    int fails;
    rondo_async_generator *outer, *inner;
    rondo_error *error;
    void *a, *b;
};

static int is(struct use *self, const char *how)
{
    return strcmp(self->how, how) == 0;
}

RONDO_STEP(use_step)
{
    struct use *self = frame;

    RONDO_BEGIN(self);
    self->outer = make("outer", 1, self->fails);
    RONDO_ASYNC_FOR_IN(self, outer, self->outer, self->a) {
        self->inner = make("inner", 2, 0);
        RONDO_ASYNC_FOR_IN(self, inner, self->inner, self->b) {
            say("%d %d", (int)(intptr_t)self->a, (int)(intptr_t)self->b);
            if (is(self, "break"))
                break;
            if (is(self, "raise")) {
                self->error = new_error("use");
                thrown = self->error;
                goto rondo_exit_inner;
            }
            if (is(self, "sleep"))
                RONDO_SLEEP_IN(self, inner, 3600 * 1000 * MS);
        }
        RONDO_TRY_ACLOSING_EXIT(self, inner, self->inner);
        if (thrown != NULL)
            goto rondo_exit_outer;
        if (!is(self, "all"))
            break;
    }
    RONDO_ACLOSING_EXIT(self, outer, self->outer);
    say("after");
    RONDO_END(self);
}

static void tell_end(rondo_task *task)
{
    rondo_error *error = NULL;
    rondo_future *future = rondo_task_as_future(task);

    if (rondo_future_is_cancelled(future)) {
        say("CancelledError");
    } else if (rondo_future_exception(future, &error) == RONDO_OK && error != NULL) {
        say_error("raised", error);
        rondo_error_release(error);
    }
    rondo_task_release(task);
}

static struct use use;

static void end_use(void *frame)
{
    struct use *self = frame;

    rondo_error_release(self->error);
}

static rondo_task *spawn_use(const char *how, int fails)
{
    rondo_task *task = NULL;

    say("- %s, %s", how, fails ? "True" : "False");
    use = (struct use){ .how = how, .fails = fails };
    MUST(rondo_loop_spawn(loop, use_step, &use, end_use, NULL, &task));
    return task;
}

RONDO_STEP(main_step)
{
    static const char *const hows[] = { "all", "break", "raise", "sleep" };

    SELF;
    for (self->i = 0; self->i < 8; self->i++) {
        self->t = spawn_use(hows[self->i / 2], self->i % 2);
        if (self->i >= 6) {
            RONDO_SLEEP(self, 0);
            MUST(rondo_task_cancel(self->t, NULL, NULL));
        }
        RONDO_TRY_AWAIT(self, self->t);
        tell_end(self->t);
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
