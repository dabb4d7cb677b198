/*
 * runner_two_runs.c - a runner: two runs on one loop and in one context, and a task that outlives the first.
 *
 * rondo_run() makes a loop and closes it. A program that calls into asynchronous code now and then (a
 * test, a command line, a plugin) keeps a runner instead: what the first run sets and starts is there in the
 * second, and the close ends what is left.
 */
#include <rondo.h>
#include <stdio.h>

static rondo_contextvar *user;

struct ticker { RONDO_FRAME; int count; };

RONDO_STEP(ticker_step)
{
    struct ticker *self = frame;

    RONDO_BEGIN(self);
    for (;;) {
        printf("tick %d\n", ++self->count);
        RONDO_TRY(self, rondo_coroutine_sleep(co, 0)); /* a turn of the loop */
        if (thrown != NULL) {
            puts("the ticker is cancelled");
            return rondo_coroutine_raise(co, thrown);
        }
    }
    RONDO_END(self);
}

struct login { RONDO_FRAME; struct ticker *ticker; };

RONDO_STEP(login_step)
{
    struct login *self = frame;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_contextvar_set(user, "ada", NULL), "set");
    RONDO_CHECK(rondo_loop_spawn(rondo_running_loop(), ticker_step, self->ticker, NULL, NULL, NULL), "spawn");
    RONDO_SLEEP(self, 0);
    puts("logged in");
    RONDO_END(self);
}

struct greet { RONDO_FRAME; };

RONDO_STEP(greet_step)
{
    struct greet *self = frame;
    void *name = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_contextvar_get(user, &name), "get");
    printf("hello, %s\n", (char *)name);
    RONDO_SLEEP(self, 0);
    RONDO_END(self);
}

static int run(rondo_runner *runner, const char *name, rondo_step_fn step, void *frame)
{
    rondo_coroutine *main = NULL;
    rondo_status status = rondo_coroutine_new(name, step, frame, NULL, &main);

    if (status == RONDO_OK)
        status = rondo_runner_run(runner, main, NULL, NULL);
    if (status != RONDO_OK)
        fprintf(stderr, "%s: %s\n", name, rondo_status_message(status));
    return status == RONDO_OK;
}

int main(void)
{
    static struct ticker ticker;
    struct login login = { .ticker = &ticker };
    struct greet greet = { 0 };
    rondo_runner *runner = NULL;
    void *name = NULL;
    int ok;

    if (rondo_contextvar_new("user", "nobody", &user) != RONDO_OK || rondo_runner_new(NULL, &runner) != RONDO_OK)
        return 1;
    ok = run(runner, "login", login_step, &login);
    rondo_contextvar_get(user, &name);
    printf("outside of the runner: %s\n", (char *)name);
    ok = ok && run(runner, "greet", greet_step, &greet);
    ok = rondo_runner_close(runner) == RONDO_OK && ok;
    rondo_runner_release(runner);
    rondo_contextvar_release(user);
    return ok ? 0 : 1;
}
