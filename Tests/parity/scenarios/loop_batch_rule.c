/* A pass runs exactly the calls that were ready when it began (L-01, L-02, L-04). */
#include "parity.h"

static void a(void *arg)
{
    (void)arg;
    say("a");
    soon(say_arg, "c");
}

int main(void)
{
    static char *const names[] = { "1", "2", "3", "4" };

    loop = new_loop();
    soon(a, NULL);
    soon(say_arg, "b");
    soon(stop, NULL);
    soon(say_arg, "after stop, same batch");
    MUST(rondo_loop_run_forever(loop));
    say("stopped");
    soon(stop, NULL);
    MUST(rondo_loop_run_forever(loop));
    say("stopped");
    for (int i = 0; i < 4; i++)
        soon(say_arg, names[i]);
    soon(stop, NULL);
    MUST(rondo_loop_run_forever(loop));
    return finish();
}
