/* Generators that are dropped half-way: when their cleaning up runs, in which task, in which context. */
#include "told.h"

static rondo_contextvar *variable;
static rondo_task *main_task;

struct body {
    RONDO_FRAME;
    const char *name;
    int i, count, fails;
    rondo_error *left;
};

static const char *context_value(void)
{
    void *value = NULL;

    MUST(rondo_contextvar_get(variable, &value));
    return value;
}

RONDO_STEP(body_step)
{
    struct body *self = frame;
    rondo_task *task = NULL;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE_IN(self, body, (void *)self->name, NULL);
    RONDO_YIELD_VALUE_IN(self, body, (void *)self->name, NULL);
    RONDO_FINALLY(self, body, self->left);
    MUST(rondo_current_task(loop, &task));
    say("%s ends in a task: %s, %s", self->name, task != main_task ? "True" : "False", context_value());
    for (self->i = 0; self->i < self->count; self->i++)
        RONDO_SLEEP(self, 0);
    if (self->fails)
        RONDO_RAISE(1, self->name);
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

static rondo_async_generator *g, *h;

#define FIRST(where, name, count, fails)                                                          \
    do {                                                                                          \
        (where) = make((name), (count), (fails));                                                 \
        RONDO_AWAIT(self, CO(rondo_async_generator_anext, (where)));                              \
        say("first %s", text(sent));                                                              \
    } while (0)
#define PASSES_HERE(count)                                                                        \
    do {                                                                                          \
        for (self->i = 0; self->i < (count); self->i++)                                           \
            RONDO_SLEEP(self, 0);                                                                 \
    } while (0)

static void drop(rondo_async_generator **generator)
{
    rondo_async_generator *dropped = *generator;

    *generator = NULL;
    MUST(rondo_async_generator_release(dropped));
}

static void drop_g(void *arg)
{
    (void)arg;
    drop(&g);
}

RONDO_STEP(order)
{
    SELF;
    FIRST(g, "a", 0, 0);
    drop(&g);
    soon(say_arg, "call after a");
    say("dropped a");
    FIRST(h, "b", 2, 0);
    FIRST(g, "c", 1, 0);
    drop(&g);
    drop(&h);
    say("dropped c, b");
    PASSES_HERE(6);
    RONDO_END(self);
}

RONDO_STEP(in_context)
{
    SELF;
    FIRST(g, "d", 0, 0);
    MUST(rondo_contextvar_set(variable, "set", NULL));
    drop(&g);
    MUST(rondo_contextvar_set(variable, "later", NULL));
    PASSES_HERE(3);
    RONDO_END(self);
}

static void *item;

RONDO_STEP(breaks)
{
    SELF;
    g = make("e", 1, 0);
    RONDO_ASYNC_FOR(self, g, item) {
        say("item %s", text(item));
        break;
    }
    drop(&g);
    say("after the loop");
    PASSES_HERE(4);
    RONDO_END(self);
}

RONDO_STEP(in_a_callback)
{
    SELF;
    FIRST(g, "f", 0, 0);
    soon(drop_g, NULL);
    PASSES_HERE(1);
    say("one pass");
    PASSES_HERE(1);
    say("two passes");
    PASSES_HERE(2);
    RONDO_END(self);
}

RONDO_STEP(failing)
{
    SELF;
    FIRST(g, "g", 1, 1);
    drop(&g);
    PASSES_HERE(5);
    RONDO_END(self);
}

RONDO_STEP(finished)
{
    SELF;
    FIRST(g, "h", 0, 0);
    RONDO_AWAIT(self, CO(rondo_async_generator_aclose, g));
    drop(&g);
    g = make("i", 0, 0);
    drop(&g);
    say("nothing to do");
    PASSES_HERE(2);
    RONDO_END(self);
}

static int count_tasks(void)
{
    size_t count = 0;

    MUST(rondo_all_tasks(loop, NULL, 0, &count));
    return (int)count;
}

RONDO_STEP(unawaited)
{
    rondo_coroutine *once;

    SELF;
    g = make("j", 0, 0);
    once = CO(rondo_async_generator_anext, g);
    MUST(rondo_coroutine_close(once, NULL));
    rondo_coroutine_release(once);
    drop(&g);
    self->n = count_tasks();
    PASSES_HERE(1);
    say("tasks more: %d", count_tasks() - self->n);
    PASSES_HERE(2);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static const struct { const char *name; rondo_step_fn step; } parts[] = {
        { "order", order }, { "in_context", in_context }, { "breaks", breaks },
        { "in_a_callback", in_a_callback }, { "failing", failing }, { "finished", finished },
        { "unawaited", unawaited },
    };
    static struct frame part;

    SELF;
    MUST(rondo_current_task(loop, &main_task));
    for (self->i = 0; self->i < 7; self->i++) {
        say("- %s", parts[self->i].name);
        part = (struct frame){ 0 };
        RONDO_AWAIT(self, new_coroutine("part", parts[self->i].step, &part));
    }
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    MUST(rondo_contextvar_new("variable", "unset", &variable));
    run(main_step, &frame);
    rondo_contextvar_release(variable);
    return finish();
}
