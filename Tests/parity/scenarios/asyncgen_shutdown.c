/* shutdown_asyncgens() and the end of run(): what is closed, in what order, and what is reported. */
#include "told.h"

struct body {
    RONDO_FRAME;
    const char *name;
    int i, count;
    rondo_status fails;
    rondo_error *left;
};

static rondo_step end_with(rondo_coroutine *co, struct body *self)
{
    rondo_step step;

    say("%s ended", self->name);
    if (self->fails == RONDO_E_USER)
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, 1, self->name);
    if (self->fails != RONDO_OK)
        return rondo_coroutine_raise_new(co, RONDO_DOMAIN_RONDO, self->fails, self->name);
    step = rondo_coroutine_raise(co, self->left);
    return step;
}

RONDO_STEP(body_step)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    RONDO_TRY_YIELD_VALUE(self, (void *)self->name, NULL);
    self->left = thrown;
    rondo_error_retain(thrown);
    say_error(self->name, thrown);
    for (self->i = 0; self->i < self->count; self->i++)
        RONDO_SLEEP(self, 0);
    return end_with(co, self);
    RONDO_END(self);
}

static void end_body(void *frame)
{
    struct body *self = frame;

    rondo_error_release(self->left);
}

static rondo_async_generator *make(const char *name, int count, rondo_status fails)
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

static rondo_async_generator *kept[10];
static int kept_count;

#define FIRST(name, count, fails)                                                                 \
    do {                                                                                          \
        kept[kept_count++] = make((name), (count), (fails));                                      \
        RONDO_AWAIT(self, CO(rondo_async_generator_anext, kept[kept_count - 1]));                 \
    } while (0)

static void drop_kept(void)
{
    while (kept_count > 0)
        rondo_async_generator_release(kept[--kept_count]);
}

static void tell_report(rondo_loop *of, rondo_exception_context *context, void *arg)
{
    char label[400];

    (void)of, (void)arg;
    snprintf(label, sizeof label, "handler: %s: %s",
             rondo_exception_context_get_asyncgen(context) != NULL ? "asyncgen"
             : rondo_exception_context_get_task(context) != NULL   ? "task"
                                                                   : "none",
             brief(rondo_exception_context_get_message(context)));
    say_error(label, rondo_exception_context_get_error(context));
}

static void begin(void)
{
    loop = rondo_running_loop();
    MUST(rondo_loop_set_exception_handler(loop, tell_report, NULL, NULL));
}

RONDO_STEP(shutdown)
{
    SELF;
    begin();
    FIRST("a", 2, RONDO_OK);
    FIRST("b", 1, RONDO_E_USER);
    FIRST("c", 0, RONDO_OK);
    kept[kept_count++] = make("d", 0, RONDO_OK);
    FIRST("e", 0, RONDO_E_CANCELLED);
    FIRST("f", 3, RONDO_E_TYPE);
    RONDO_AWAIT(self, CO(rondo_loop_shutdown_asyncgens, loop));
    say("closed");
    RONDO_AWAIT(self, CO(rondo_loop_shutdown_asyncgens, loop));
    FIRST("late", 1, RONDO_OK);
    RONDO_AWAIT(self, CO(rondo_loop_shutdown_asyncgens, loop));
    drop_kept();
    RONDO_END(self);
}

RONDO_STEP(background)
{
    static rondo_async_generator *g;

    SELF;
    g = make("background", 1, RONDO_OK);
    RONDO_AWAIT(self, CO(rondo_async_generator_anext, g));
    RONDO_TRY(self, rondo_coroutine_sleep(co, 3600 * 1000 * MS));
    say("task ended");
    rondo_async_generator_release(g);
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

RONDO_STEP(left)
{
    static struct frame other;

    SELF;
    begin();
    rondo_task_release(spawn(background, &other));
    FIRST("kept", 2, RONDO_OK);
    RONDO_SLEEP(self, 0);
    say("main ended");
    RONDO_END(self);
}

RONDO_STEP(dropped_late)
{
    SELF;
    begin();
    FIRST("dropped", 2, RONDO_OK);
    FIRST("failing", 0, RONDO_E_USER);
    rondo_async_generator_release(kept[0]);
    rondo_async_generator_release(kept[1]);
    kept_count = 0;
    say("main ended");
    RONDO_END(self);
}

static void no_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count,
                   void *arg)
{
    (void)fields, (void)field_count;
    (void)level, (void)message, (void)arg;
}

int main(void)
{
    static const struct { const char *name; rondo_step_fn step; } parts[] = {
        { "shutdown", shutdown }, { "left", left }, { "dropped_late", dropped_late },
    };

    alarm(30);
    MUST(rondo_log_set_sink(no_log, NULL, NULL)); /* "after loop.shutdown_asyncgens() call" */
    for (int i = 0; i < 3; i++) {
        struct frame frame = { 0 };
        say("- %s", parts[i].name);
        MUST(rondo_run(new_coroutine("main", parts[i].step, &frame), NULL, NULL, NULL));
        drop_kept();
    }
    say("- end");
    return 0;
}
