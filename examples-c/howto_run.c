/*
 * howto_run.c - the HOWTO's asyncio.run(main()): most programs are set up like this.
 *
 * rondo_run() makes the loop, runs main() to its end and closes the loop; the program does not
 * reach the next statement before.
 */
#include <rondo.h>
#include <stdio.h>

struct main_frame { RONDO_FRAME; };

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    /* Perform all sorts of wacky, wild asynchronous things... */
    puts("coroutine main() does wacky, wild things...");
    RONDO_SLEEP(self, 10000000);
    puts("... asynchronous ones");
    RONDO_END(self);
}

int main(void)
{
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    if (status != RONDO_OK) {
        fprintf(stderr, "%s\n", rondo_status_message(status));
        return 1;
    }
    /* Not reached until the coroutine main() finishes. */
    puts("coroutine main() is done!");
    return 0;
}
