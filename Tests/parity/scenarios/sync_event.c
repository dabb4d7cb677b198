/* Event: all at once, in order, also when it is cleared before they run (S-08). */
#include "told.h"

static rondo_event *event;
static rondo_task *tasks[3];

static void three(void)
{
    static const char *const names[] = { "a", "b", "c" };

    for (int i = 0; i < 3; i++)
        tasks[i] = tell(names[i], CO(rondo_event_wait, event));
}

RONDO_STEP(main_step)
{
    SELF;
    part("set");
    three();
    PASSES(2);
    cancel(tasks[1]);
    MUST(rondo_event_set(event));
    MUST(rondo_event_set(event));
    tell("late", CO(rondo_event_wait, event));
    PASSES(3);
    part("cleared");
    MUST(rondo_event_clear(event));
    tell("d", CO(rondo_event_wait, event));
    PASSES(1);
    MUST(rondo_event_set(event));
    MUST(rondo_event_clear(event));
    tell("late", CO(rondo_event_wait, event));
    PASSES(3);
    part("woken, then cancelled");
    tasks[0] = tell("e", CO(rondo_event_wait, event));
    PASSES(1);
    MUST(rondo_event_set(event));
    cancel(tasks[0]);
    PASSES(3);
    MUST(rondo_event_release(event));
    RONDO_END(self);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_event_new(loop, &event));
    return run_told(main_step);
}
