/* The exception handler runs in the context of what failed, and what it sets stays there. */
#include "parity.h"

static rondo_contextvar *var;

static const char *value_of(void)
{
    void *value = NULL;

    MUST(rondo_contextvar_get(var, &value));
    return value;
}

static void set_var(const char *value)
{
    MUST(rondo_contextvar_set(var, (void *)value, NULL));
}

static void handler(rondo_loop *of, rondo_exception_context *context, void *arg)
{
    const char *message = rondo_exception_context_get_message(context);

    (void)of;
    (void)arg;
    say("%.*s: handler sees %s", (int)strcspn(message, " "), message, value_of());
    set_var("handler");
}

static void callback(void *value)
{
    rondo_error *error = new_error("callback");

    set_var(value);
    MUST(rondo_loop_raise(loop, error));
    MUST(rondo_error_release(error));
}

static void done(rondo_future *future, void *value)
{
    (void)future;
    callback(value);
}

static void set_done(void *future)
{
    set(future, NULL);
}

RONDO_STEP(sets_and_raises)
{
    SELF;
    set_var(self->name);
    RONDO_RAISE(1, "task");
    RONDO_END(self);
}

static void say_has(void *label)
{
    say("%s %s", (char *)label, value_of());
}

RONDO_STEP(main_step)
{
    static struct frame one = { .name = "task" }, two = { .name = "task in context" };
    static rondo_task_options options = { .size = sizeof options };

    SELF;
    set_var("main");
    soon(callback, "soon");
    MUST(rondo_context_new(&options.context));
    MUST(rondo_loop_call_soon_in_context(loop, options.context, callback, "in context", NULL, NULL));
    MUST(rondo_loop_call_later_in_context(loop, options.context, 0, callback, "later", NULL, NULL));
    self->f = new_future();
    MUST(rondo_future_add_done_callback(self->f, done, "done callback", NULL));
    set(self->f, NULL);
    RONDO_AWAIT_MOVED(self, self->f);
    RONDO_SLEEP(self, 5 * MS);
    self->t = spawn(sets_and_raises, &one);
    MUST(rondo_loop_create_task(loop, new_coroutine("scenario", sets_and_raises, &two), &options, &self->u));
    for (self->i = 0; self->i < 3; self->i++) {
        self->f = new_future();
        soon(set_done, self->f);
        RONDO_AWAIT_MOVED(self, self->f);
    }
    MUST(rondo_task_release(self->t));
    MUST(rondo_task_release(self->u));
    MUST(rondo_context_run(options.context, say_has, "context has"));
    MUST(rondo_context_release(options.context));
    say_has("main has");
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    MUST(rondo_contextvar_new("var", "outer", &var));
    MUST(rondo_loop_set_exception_handler(loop, handler, NULL, NULL));
    run(main_step, &frame);
    say_has("outside");
    MUST(rondo_contextvar_release(var));
    return finish();
}
