/* Debug mode says which callbacks and steps are slow, in these words, in this order (D-01). */
#include "parity.h"

static const char *level_name(int32_t level)
{
    return level == RONDO_LOG_ERROR ? "ERROR" : level == RONDO_LOG_WARNING ? "WARNING" : "INFO";
}

/* "Executing <Handle f()> took 0.001 seconds" without what differs from run to run. */
static void say_masked(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    char kind[40], state[40], name[40];
    const char *took = strstr(message, "> took ");
    int whole, thousandths, end = 0;

    (void)fields, (void)count, (void)arg;
    if (took == NULL || sscanf(took, "> took %d.%3d seconds%n", &whole, &thousandths, &end) != 2 || took[end] != '\0')
        say("%s: %s", level_name(level), message);
    else if (sscanf(message, "Executing <Task %39[a-z] name='%39[a-z]'", state, name) == 2)
        say("%s: Executing <Task %s %s> took N seconds", level_name(level), state, name);
    else if (sscanf(message, "Executing <%39[A-Za-z_] ", kind) == 1)
        say("%s: Executing <%s> took N seconds", level_name(level), kind);
}

static void passes(int count)
{
    while (count-- > 0) {
        MUST(rondo_loop_stop(loop));
        MUST(rondo_loop_run_forever(loop));
    }
}

static void nothing(void *arg)
{
    (void)arg;
}

static void ignore(rondo_future *future, void *arg)
{
    (void)future, (void)arg;
}

static void raise_it(void *error)
{
    MUST(rondo_loop_raise(loop, error));
    rondo_error_release(error);
}

RONDO_STEP(work)
{
    SELF;
    RONDO_SLEEP(self, 0);
    RONDO_END(self);
}

RONDO_STEP(waits)
{
    SELF;
    RONDO_AWAIT(self, self->f);
    RONDO_END(self);
}

static rondo_task *named(const char *name, rondo_step_fn step, struct frame *frame)
{
    rondo_task *task = spawn(step, frame);

    MUST(rondo_task_set_name(task, name));
    return task;
}

static void futures(void)
{
    static struct frame worker, waiter;
    rondo_future *future = new_future();
    rondo_task *task;

    say("done callback");
    MUST(rondo_future_add_done_callback(future, ignore, NULL, NULL));
    set(future, NULL);
    passes(1);
    rondo_future_release(future);
    say("task");
    task = named("worker", work, &worker);
    passes(1);
    passes(1);
    rondo_task_release(task);
    say("a task that waits");
    waiter.f = future = new_future();
    task = named("waiter", waits, &waiter);
    passes(1);
    set(future, NULL);
    passes(2);
    rondo_task_release(task);
    rondo_future_release(future);
}

static void raising(void)
{
    rondo_error *error = NULL;

    say("a callback that raises");
    soon(raise_it, new_error("callback"));
    passes(1);
    say("a callback that leaves");
    MUST(rondo_error_new(RONDO_DOMAIN_RONDO, RONDO_E_EXIT, NULL, &error));
    soon(raise_it, error);
    if (rondo_loop_run_forever(loop) == RONDO_E_EXIT)
        say("left");
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_log_set_sink(say_masked, NULL, NULL));
    say("production");
    MUST(rondo_loop_set_slow_callback_duration(loop, 0));
    soon(nothing, NULL);
    passes(1);
    say("debug");
    MUST(rondo_loop_set_debug(loop, 1));
    passes(1);
    say("calls");
    soon(nothing, NULL);
    soon(nothing, NULL);
    passes(1);
    say("timer");
    MUST(rondo_loop_call_later(loop, 0, nothing, NULL, NULL, NULL));
    passes(2);
    futures();
    raising();
    say("not slow");
    MUST(rondo_loop_set_slow_callback_duration(loop, 3600000 * MS));
    soon(nothing, NULL);
    passes(1);
    say("production again");
    MUST(rondo_loop_set_slow_callback_duration(loop, 0));
    MUST(rondo_loop_set_debug(loop, 0));
    soon(nothing, NULL);
    passes(1);
    return finish();
}
