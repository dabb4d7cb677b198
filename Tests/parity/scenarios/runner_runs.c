/* Runner: several runs on one loop and in one context, its states, what it refuses. */
#include "parity.h"

static rondo_contextvar *var;
static rondo_runner *runner;

static const char *value_of(void)
{
    void *value = NULL;

    MUST(rondo_contextvar_get(var, &value));
    return value;
}

static void say_var(void *arg)
{
    say("%s %s", (char *)arg, value_of());
}

RONDO_STEP(sets)
{
    SELF;
    say_var("sees");
    MUST(rondo_contextvar_set(var, (void *)self->name, NULL));
    RONDO_SLEEP(self, 0);
    MUST(rondo_loop_call_soon(rondo_running_loop(), say_var, "callback sees", NULL, NULL));
    RONDO_SLEEP(self, 0);
    RONDO_RETURN((void *)self->name);
    RONDO_END(self);
}

RONDO_STEP(raises)
{
    SELF;
    MUST(rondo_contextvar_set(var, "raised", NULL));
    RONDO_RAISE(1, "in a run");
    RONDO_END(self);
}

RONDO_STEP(never)
{
    SELF;
    say("never");
    RONDO_END(self);
}

static void refused(const char *label)
{
    static struct frame frames[4];
    static int count;

    attempt(label, rondo_runner_run(runner, new_coroutine("never", never, &frames[count++]), NULL, NULL));
}

RONDO_STEP(nested)
{
    rondo_loop *own = NULL;

    SELF;
    say("nested run: RuntimeError%s", rondo_runner_run(runner, new_coroutine("never", never, &self[1]), NULL, NULL) ==
                                              RONDO_E_LOOP_RUNNING ? "" : " is not what it was");
    MUST(rondo_runner_get_loop(runner, &own));
    say("same loop: %d", own == rondo_running_loop());
    RONDO_END(self);
}

static void run_sets(const char *label, const char *value, rondo_context *context)
{
    static struct frame frames[4];
    static int count;
    struct frame *frame = &frames[count++];
    void *result = NULL;

    frame->name = value;
    MUST(rondo_runner_run_in_context(runner, context, new_coroutine("sets", sets, frame), &result, NULL));
    say("%s: %s", label, text(result));
}

static rondo_status make_loop(void *arg, rondo_loop **out_loop)
{
    (void)arg;
    return rondo_loop_new(NULL, out_loop);
}

int main(void)
{
    static struct frame bad, inside[2];
    rondo_run_options options = { .size = sizeof options, .loop_factory = make_loop };
    rondo_loop *first = NULL, *again = NULL;
    rondo_context *context = NULL;
    rondo_error *error = NULL;

    alarm(30);
    MUST(rondo_contextvar_new("var", "outer", &var));
    MUST(rondo_runner_new(NULL, &runner));
    MUST(rondo_runner_close(runner)); /* nothing to close: it can still be used */
    run_sets("run", "five", NULL);
    say_var("outside");
    MUST(rondo_runner_get_loop(runner, &first));
    run_sets("run", "six", NULL);
    if (rondo_runner_run(runner, new_coroutine("raises", raises, &bad), NULL, &error) == RONDO_E_RAISED)
        say("raised Boom: %s", rondo_error_get_message(error));
    MUST(rondo_error_release(error));
    MUST(rondo_context_new(&context));
    run_sets("in a context", "seven", context);
    MUST(rondo_context_release(context));
    run_sets("run", "eight", NULL);
    MUST(rondo_runner_run(runner, new_coroutine("nested", nested, inside), NULL, NULL));
    MUST(rondo_runner_get_loop(runner, &again));
    say("one loop: %d", again == first);
    say_var("outside");
    MUST(rondo_loop_retain(first));
    MUST(rondo_runner_close(runner));
    MUST(rondo_runner_close(runner));
    say("closed: %d", rondo_loop_is_closed(first));
    MUST(rondo_loop_release(first));
    refused("run after close");
    attempt("get_loop after close", rondo_runner_get_loop(runner, &again));
    MUST(rondo_runner_release(runner));
    MUST(rondo_runner_new(&options, &runner));
    MUST(rondo_runner_get_loop(runner, &first));
    MUST(rondo_loop_close(first, NULL));
    refused("run on a closed loop");
    attempt("close on a closed loop", rondo_runner_close(runner));
    attempt("close again", rondo_runner_close(runner));
    MUST(rondo_runner_release(runner));
    MUST(rondo_contextvar_release(var));
    return 0;
}
