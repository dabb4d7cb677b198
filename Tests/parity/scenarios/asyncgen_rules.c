/* Each rule of asynchronous generators, with its sentence. */
#include "told.h"

struct body {
    RONDO_FRAME;
    int i;
    rondo_error *left;
    rondo_future *future;
    rondo_status status;
};

static struct body bodies[40];
static int body_count;
static rondo_async_generator *g;

static void end_body(void *frame)
{
    struct body *self = frame;

    rondo_error_release(self->left);
}

/* A new generator in the old one's place. */
static struct body *make(rondo_step_fn step)
{
    struct body *body = &bodies[body_count++];

    rondo_async_generator_release(g);
    g = NULL;
    MUST(rondo_async_generator_new("g", step, body, end_body, &g));
    return body;
}

static void say_got(void *sent)
{
    say("got %s", text(sent));
}

RONDO_STEP(counts)
{
    static const char *const numbers[] = { "1", "2", "3" };
    struct body *self = frame;

    RONDO_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++) {
        RONDO_YIELD_VALUE_IN(self, counts, (void *)numbers[self->i], NULL);
        say_got(sent);
    }
    RONDO_FINALLY(self, counts, self->left);
    say("finally");
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

RONDO_STEP(catches)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    for (;;) {
        RONDO_TRY_YIELD_VALUE(self, "value", NULL);
        if (thrown == NULL)
            continue;
        if (rondo_error_get_status(thrown) == RONDO_E_GENERATOR_EXIT) {
            say("ignored");
            continue;
        }
        say_error("caught", thrown);
        if (strcmp(rondo_error_get_message(thrown), "end") == 0)
            break;
    }
    RONDO_END(self);
}

RONDO_STEP(raises)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    RONDO_YIELD_VALUE(self, "first", NULL);
    if (self->status == RONDO_E_USER)
        RONDO_RAISE(1, "c");
    return rondo_coroutine_raise_status(co, self->status, NULL);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    RONDO_AWAIT_IN(self, waits, self->future);
    RONDO_YIELD_VALUE_IN(self, waits, "waited", NULL);
    RONDO_FINALLY(self, waits, self->left);
    RONDO_SLEEP(self, 0);
    say("cleaned up");
    RONDO_END_FINALLY(self, self->left);
    RONDO_END(self);
}

/* ---- asking ----------------------------------------------------------------------------------- */

static void say_answer(const char *label, void *sent, rondo_error *thrown)
{
    if (thrown != NULL)
        say_error(label, thrown);
    else
        say("%s: %s", label, text(sent));
}

#define TELL(label, operation)                                                                    \
    do {                                                                                          \
        RONDO_TRY_AWAIT(self, operation);                                                         \
        say_answer((label), sent, thrown);                                                        \
    } while (0)

#define ANEXT CO(rondo_async_generator_anext, g)
#define ASEND(value) CO(rondo_async_generator_asend, g, (value), NULL)
#define ACLOSE CO(rondo_async_generator_aclose, g)
#define ATHROW(message) athrow(new_error(message))

static rondo_coroutine *athrow(rondo_error *error)
{
    rondo_coroutine *made = CO(rondo_async_generator_athrow, g, error);

    rondo_error_release(error);
    return made;
}

static rondo_coroutine *athrow_stop(void)
{
    rondo_error *error = NULL;

    MUST(rondo_error_new(RONDO_DOMAIN_RONDO, RONDO_E_STOP_ASYNC_ITERATION, NULL, &error));
    return athrow(error);
}

RONDO_STEP(values)
{
    SELF;
    make(counts);
    TELL("asend early", ASEND("x"));
    TELL("anext", ANEXT);
    TELL("asend", ASEND("x"));
    TELL("anext", ANEXT);
    TELL("anext", ANEXT);
    TELL("anext", ANEXT);
    TELL("asend", ASEND("x"));
    TELL("athrow", ATHROW("late"));
    TELL("aclose", ACLOSE);
    RONDO_END(self);
}

RONDO_STEP(closing)
{
    SELF;
    make(counts);
    TELL("aclose unstarted", ACLOSE);
    TELL("anext", ANEXT);
    make(counts);
    TELL("athrow unstarted", ATHROW("early"));
    TELL("anext", ANEXT);
    make(counts);
    RONDO_AWAIT(self, ANEXT);
    TELL("aclose", ACLOSE);
    TELL("aclose", ACLOSE);
    make(catches);
    RONDO_AWAIT(self, ANEXT);
    TELL("aclose", ACLOSE);
    TELL("aclose", ACLOSE);
    TELL("athrow", ATHROW("x"));
    TELL("anext", ANEXT);
    make(catches);
    RONDO_AWAIT(self, ANEXT);
    TELL("athrow", ATHROW("go on"));
    TELL("athrow", ATHROW("end"));
    TELL("athrow", ATHROW("x"));
    RONDO_END(self);
}

RONDO_STEP(raising)
{
    static const rondo_status errors[] = { RONDO_E_STOP_ASYNC_ITERATION, RONDO_E_STOP_ITERATION,
                                           RONDO_E_USER, RONDO_E_GENERATOR_EXIT };

    SELF;
    for (self->i = 0; self->i < 4; self->i++) {
        make(raises)->status = errors[self->i];
        RONDO_AWAIT(self, ANEXT);
        TELL("anext", ANEXT);
        TELL("anext", ANEXT);
    }
    make(raises);
    RONDO_AWAIT(self, ANEXT);
    TELL("athrow", athrow_stop());
    make(raises);
    TELL("athrow", athrow_stop());
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
    other.c = ANEXT;
    self->t = spawn(first, &other);
    RONDO_SLEEP(self, 0);
    TELL("anext", ANEXT);
    TELL("asend", ASEND("x"));
    TELL("athrow", ATHROW("x"));
    TELL("aclose", ACLOSE);
    MUST(rondo_task_cancel(self->t, "enough", NULL));
    RONDO_AWAIT_MOVED(self, self->t);
    TELL("anext", ANEXT);
    rondo_future_release(self->f);
    RONDO_END(self);
}

RONDO_STEP(reusing)
{
    static rondo_coroutine *once[4];

    SELF;
    make(counts);
    once[0] = ANEXT;
    once[1] = ASEND("x");
    once[2] = ATHROW("x");
    once[3] = ACLOSE;
    for (self->i = 0; self->i < 4; self->i++) {
        MUST(rondo_coroutine_retain(once[self->i]));
        TELL("once", once[self->i]);
        TELL("again", once[self->i]);
    }
    RONDO_END(self);
}

int main(void)
{
    static const struct { const char *name; rondo_step_fn step; } parts[] = {
        { "values", values }, { "closing", closing }, { "raising", raising },
        { "running", running }, { "reusing", reusing },
    };

    loop = new_loop();
    for (int i = 0; i < 5; i++) {
        struct frame frame = { 0 };
        say("- %s", parts[i].name);
        run(parts[i].step, &frame);
    }
    rondo_async_generator_release(g);
    return finish();
}
