/* Coroutines inside of coroutines, driven by hand with send, throw and close at random. */
#include "parity.h"

#define DEEPEST 5

static uint32_t seed;

static int choose(int of)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 16) % (uint32_t)of);
}

struct body {
    RONDO_FRAME;
    int depth, what;
    intptr_t total;
};

static struct body bodies[DEEPEST + 1];

static rondo_coroutine *new_body(int depth);

/* What the except clauses do; 1 to go on. */
static int is_handled(struct body *self, rondo_error *thrown)
{
    if (rondo_error_get_status(thrown) == RONDO_E_GENERATOR_EXIT) {
        printf(" %dx", self->depth);
        return 0;
    }
    printf(" %d!%s", self->depth, rondo_error_get_message(thrown));
    return choose(2) != 0;
}

/* A raise that the body itself may catch. */
static rondo_error *raised(struct body *self)
{
    char message[16];

    snprintf(message, sizeof message, "b%d", self->depth);
    return new_error(message);
}

RONDO_STEP(body_step)
{
    struct body *self = frame;

    RONDO_BEGIN(self);
    for (;;) {
        self->what = choose(7);
        if (self->what < 3) {
            RONDO_TRY(self, rondo_coroutine_yield(co, (void *)(intptr_t)(self->depth * 10 + self->what)));
        } else if (self->what == 3 && self->depth < DEEPEST) {
            RONDO_TRY_AWAIT(self, new_body(self->depth + 1));
        } else if (self->what == 4) {
            RONDO_RETURN((void *)(self->total % 1000));
        } else if (self->what == 5) {
            rondo_error *error = raised(self);
            rondo_step step;
            if (is_handled(self, error)) {
                rondo_error_release(error);
                continue;
            }
            step = rondo_coroutine_raise(co, error);
            rondo_error_release(error);
            return step;
        } else {
            self->total++;
            continue;
        }
        if (thrown == NULL)
            self->total += (intptr_t)sent;
        else if (!is_handled(self, thrown))
            return rondo_coroutine_raise(co, thrown);
    }
    RONDO_END(self);
}

static rondo_coroutine *new_body(int depth)
{
    rondo_coroutine *made = NULL;

    bodies[depth] = (struct body){ .depth = depth };
    MUST(rondo_coroutine_new("body", body_step, &bodies[depth], NULL, &made));
    return made;
}

/* How a drive went; 1 if there is more to come. */
static int tell(const char *label, rondo_step step, void *value, rondo_error *error)
{
    if (step == RONDO_STEP_YIELD) {
        printf(" %s%d", label, (int)(intptr_t)value);
    } else if (step == RONDO_STEP_RETURN) {
        printf(" =%d", (int)(intptr_t)value);
    } else {
        printf(" !%s", rondo_error_get_message(error));
        rondo_error_release(error);
    }
    return step == RONDO_STEP_YIELD;
}

static int drive(rondo_coroutine *coroutine, int is_first)
{
    int what = is_first ? 0 : choose(8);
    rondo_step step = RONDO_STEP_RETURN;
    void *value = NULL;
    rondo_error *error = NULL;

    if (what == 7) {
        MUST(rondo_coroutine_close(coroutine, NULL));
        printf(" closed");
        return 0;
    }
    if (what == 6) {
        rondo_error *thrown = new_error("t");
        MUST(rondo_coroutine_throw(coroutine, thrown, &step, &value, &error));
        rondo_error_release(thrown);
        return tell("t", step, value, error);
    }
    value = is_first ? NULL : (void *)(intptr_t)choose(9);
    MUST(rondo_coroutine_send(coroutine, value, &step, &value, &error));
    return tell("s", step, value, error);
}

int main(void)
{
    for (int round = 0; round < 400; round++) {
        rondo_coroutine *coroutine = new_body(0);
        seed = (uint32_t)round;
        printf("%d:", round);
        if (drive(coroutine, 1))
            while (drive(coroutine, 0)) {
            }
        say("%s", "");
        MUST(rondo_coroutine_release(coroutine));
    }
    return 0;
}
