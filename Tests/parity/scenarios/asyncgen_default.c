/* anext() with a default: what is answered with it, and what is raised all the same. */
#include "told.h"

struct body {
    RONDO_FRAME;
    int fails;
    rondo_error *left;
    rondo_future *future;
};

static struct body bodies[8];
static int body_count;
static rondo_async_generator *g;

static void end_body(void *frame)
{
    rondo_error_release(((struct body *)frame)->left);
}

static struct body *make(rondo_step_fn step)
{
    struct body *body = &bodies[body_count++];

    rondo_async_generator_release(g);
    g = NULL;
    MUST(rondo_async_generator_new("g", step, body, end_body, &g));
    return body;
}

RONDO_STEP(counts)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE_IN(self, counts, "1", NULL);
    RONDO_YIELD_VALUE_IN(self, counts, "2", NULL);
    if (self->fails) {
        say("finally"); /* the part below is skipped by what is raised in here */
        RONDO_RAISE(1, "fails");
    }
    RONDO_FINALLY(self, counts, self->left);
    say("finally");
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    RONDO_AWAIT(self, self->future);
    RONDO_YIELD_VALUE(self, "waited", NULL);
    RONDO_END(self);
}

#define OR(value) CO(rondo_async_generator_anext_default, g, (value), NULL)
#define TELL(label, operation)                                                                    \
    do {                                                                                          \
        RONDO_TRY_AWAIT(self, operation);                                                         \
        if (thrown != NULL)                                                                       \
            say_error((label), thrown);                                                           \
        else                                                                                      \
            say("%s: %s", (label), text(sent));                                                   \
    } while (0)

RONDO_STEP(values)
{
    SELF;
    make(counts)->fails = self->n;
    for (self->i = 0; self->i < 4; self->i++)
        TELL("anext", OR("default"));
    TELL("without", CO(rondo_async_generator_anext, g));
    RONDO_END(self);
}

RONDO_STEP(closed)
{
    SELF;
    make(counts);
    TELL("anext", OR("default"));
    RONDO_AWAIT(self, CO(rondo_async_generator_aclose, g));
    TELL("closed", OR("default"));
    RONDO_END(self);
}

RONDO_STEP(first)
{
    SELF;
    TELL("first", self->c);
    RONDO_END(self);
}

RONDO_STEP(running)
{
    static struct frame other;

    SELF;
    self->f = new_future();
    make(waits)->future = self->f;
    other.c = OR("default");
    self->t = spawn(first, &other);
    RONDO_SLEEP(self, 0);
    TELL("second", OR("default"));
    MUST(rondo_task_cancel(self->t, NULL, NULL));
    RONDO_AWAIT_MOVED(self, self->t);
    TELL("after", OR("default"));
    rondo_future_release(self->f);
    RONDO_END(self);
}

RONDO_STEP(nothing)
{
    SELF;
    make(counts);
    for (self->i = 0; self->i < 3; self->i++)
        TELL("nothing", OR(NULL));
    RONDO_END(self);
}

int main(void)
{
    static const struct { const char *name; rondo_step_fn step; int fails; } parts[] = {
        { "values", values, 0 }, { "fails", values, 1 }, { "closed", closed, 0 },
        { "running", running, 0 }, { "nothing", nothing, 0 },
    };

    loop = new_loop();
    for (int i = 0; i < 5; i++) {
        struct frame frame = { .n = parts[i].fails };
        say("- %s", parts[i].name);
        run(parts[i].step, &frame);
    }
    rondo_async_generator_release(g);
    return finish();
}
