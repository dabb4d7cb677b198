/* Which context callbacks, tasks and awaits run in (F-18, K-18, K-19, K-20). */
#include "parity.h"

static rondo_contextvar *var;

static void set_var(const char *value)
{
    MUST(rondo_contextvar_set(var, (void *)value, NULL));
}

static void see(void *label)
{
    void *value = NULL;

    MUST(rondo_contextvar_get(var, &value));
    say("%s: %s", (char *)label, text(value));
}

static void see_and_set(void *label)
{
    see(label);
    set_var("leak");
}

static void see_done(rondo_future *future, void *label)
{
    (void)future;
    see(label);
}

RONDO_STEP(sets)
{
    SELF;
    see("child sees");
    set_var("child");
    RONDO_END(self);
}

RONDO_STEP(main_step)
{
    static rondo_context *context;
    static struct frame in_task, inline_one, in_context;

    SELF;
    set_var("one");
    soon(see_and_set, "soon");
    self->f = new_future();
    MUST(rondo_future_add_done_callback(self->f, see_done, "done callback", NULL));
    set_var("two");
    set(self->f, NULL);
    RONDO_SLEEP(self, 0);
    MUST(rondo_future_release(self->f));
    see("main");
    self->t = spawn(sets, &in_task);
    set_var("three");
    RONDO_AWAIT_MOVED(self, self->t);
    see("after the task");
    RONDO_AWAIT_MOVED(self, new_coroutine("sets", sets, &inline_one));
    see("after the await");
    MUST(rondo_context_copy_current(&context));
    MUST(rondo_loop_create_task(
        loop, new_coroutine("sets", sets, &in_context),
        &(rondo_task_options){ .size = sizeof(rondo_task_options), .context = context }, &self->t));
    RONDO_AWAIT_MOVED(self, self->t);
    set_var("four");
    MUST(rondo_context_run(context, see, "in the given context"));
    MUST(rondo_loop_call_soon_in_context(loop, context, see, "soon in it", NULL, NULL));
    RONDO_SLEEP(self, 0);
    MUST(rondo_context_release(context));
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    MUST(rondo_contextvar_new("var", "default", &var));
    run(main_step, &frame);
    see("outside");
    MUST(rondo_contextvar_release(var));
    return finish();
}
