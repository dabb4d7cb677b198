/* gather: argument order, duplicates, the first failure, failures as results (G-01, G-07). */
#include "parity.h"

static rondo_future *fut[3];
static rondo_future *group;

static void renew(size_t count, uint32_t flags)
{
    for (int i = 0; i < 3; i++) {
        rondo_future_release(fut[i]);
        fut[i] = new_future();
    }
    rondo_future_release(group);
    MUST(rondo_gather(loop, (rondo_awaitable *[]){ fut[0], fut[1], fut[2], fut[1] }, count, flags,
                      &group));
}

static const char *result(size_t index)
{
    void *value = NULL;

    MUST(rondo_gather_get_result(group, index, &value));
    return text(value);
}

static void say_exception(const char *label, size_t index)
{
    rondo_error *error = NULL;

    MUST(rondo_gather_get_exception(group, index, &error));
    say_error(label, error);
    MUST(rondo_error_release(error));
}

RONDO_STEP(main_step)
{
    SELF;
    renew(4, 0);
    set(fut[1], "b");
    set(fut[0], "a");
    RONDO_SLEEP(self, 0);
    outcome("two of three", group);
    set(fut[2], "c");
    RONDO_AWAIT(self, group);
    say("%s %s %s %s", result(0), result(1), result(2), result(3));

    renew(2, 0);
    fail(fut[1], "first");
    RONDO_TRY_AWAIT(self, group);
    say_error("caught", thrown);
    outcome("a", fut[0]);
    set(fut[0], "late");

    renew(3, RONDO_GATHER_RETURN_EXCEPTIONS);
    fail(fut[0], "one");
    MUST(rondo_future_cancel(fut[1], NULL, NULL));
    set(fut[2], "three");
    RONDO_AWAIT(self, group);
    say_exception("0", 0);
    say_exception("1", 1);
    say("2: %s", result(2));

    renew(2, 0);
    MUST(rondo_future_cancel(fut[0], NULL, NULL));
    RONDO_TRY_AWAIT(self, group);
    say_error("child cancelled", thrown);
    outcome("b", fut[1]);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    for (int i = 0; i < 3; i++)
        MUST(rondo_future_release(fut[i]));
    MUST(rondo_future_release(group));
    return finish();
}
