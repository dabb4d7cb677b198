/* A coroutine driven with send, throw and close, without any loop (K-01). */
#include "parity.h"

RONDO_STEP(rock)
{
    SELF;
    say("rock: before");
    RONDO_DO(self, rondo_coroutine_yield(co, "pebble"));
    say("rock: got %s", text(sent));
    RONDO_RETURN(sent);
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static struct frame inner;

    SELF;
    say("main: before");
    inner.rondo_line = 0;
    RONDO_TRY_AWAIT_MOVED(self, new_coroutine("rock", rock, &inner));
    if (thrown == NULL) {
        say("main: after");
        RONDO_RETURN(sent);
    }
    if (rondo_error_get_status(thrown) == RONDO_E_GENERATOR_EXIT) {
        say("main: closing");
        return rondo_coroutine_raise(co, thrown);
    }
    say_error("main: caught", thrown);
    RONDO_RETURN("after boom");
    RONDO_END(self);
}

static void say_step(const char *label, rondo_status status, rondo_step step, void *value,
                     rondo_error *error)
{
    if (status != RONDO_OK) {
        attempt(label, status);
    } else if (step == RONDO_STEP_YIELD) {
        say("yielded %s", text(value));
    } else if (step == RONDO_STEP_RETURN) {
        say("returned %s", text(value));
    } else {
        say("%s: %s", label, class_of(rondo_error_get_status(error)));
        rondo_error_release(error);
    }
}

static void send(const char *label, rondo_coroutine *coroutine, const char *value)
{
    rondo_step step = RONDO_STEP_RETURN;
    void *out = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_send(coroutine, (void *)value, &step, &out, &error);

    say_step(label, status, step, out, error);
}

static void throw(const char *label, rondo_coroutine *coroutine, const char *message)
{
    rondo_step step = RONDO_STEP_RETURN;
    void *out = NULL;
    rondo_error *error = NULL, *boom = new_error(message);
    rondo_status status = rondo_coroutine_throw(coroutine, boom, &step, &out, &error);

    say_step(label, status, step, out, error);
    rondo_error_release(boom);
}

int main(void)
{
    static struct frame frames[4];
    rondo_coroutine *coroutines[4];

    alarm(30);
    for (int i = 0; i < 4; i++)
        coroutines[i] = new_coroutine("main", main_step, &frames[i]);
    send("send at the start", coroutines[0], "early");
    send("send", coroutines[0], NULL);
    send("send", coroutines[0], "sent");
    send("after its end", coroutines[0], NULL);

    send("send", coroutines[1], NULL);
    throw("throw", coroutines[1], "thrown");

    send("send", coroutines[2], NULL);
    attempt("close", rondo_coroutine_close(coroutines[2], NULL));
    attempt("close again", rondo_coroutine_close(coroutines[2], NULL));
    send("after close", coroutines[2], NULL);

    throw("throw at the start", coroutines[3], "early");
    send("after that", coroutines[3], NULL);
    for (int i = 0; i < 4; i++)
        MUST(rondo_coroutine_release(coroutines[i]));
    return 0;
}
