/* stop() before a run: exactly one pass, even though it leaves work. */
#include "parity.h"

static int n;

static void again(void *arg)
{
    say("pass %d", ++n);
    if (n < 5)
        soon(again, arg);
}

int main(void)
{
    loop = new_loop();
    MUST(rondo_loop_stop(loop));
    soon(again, NULL);
    MUST(rondo_loop_call_later(loop, 3600000 * MS, say_arg, "never", NULL, NULL));
    MUST(rondo_loop_run_forever(loop));
    say("back");
    MUST(rondo_loop_stop(loop));
    MUST(rondo_loop_stop(loop));
    MUST(rondo_loop_run_forever(loop));
    say("back");
    soon(stop, NULL);
    MUST(rondo_loop_run_forever(loop));
    say("back");
    return finish();
}
