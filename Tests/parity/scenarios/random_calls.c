/* Callbacks that schedule, cancel and stop at random: what runs in which run of the loop. */
#include "parity.h"

#define MOST 60

static uint32_t seed;
static rondo_handle *handles[MOST];
static int count;

static int choose(int of)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 16) % (uint32_t)of);
}

static void call(void *arg);

static void schedule(void)
{
    if (count == MOST)
        return;
    MUST(rondo_loop_call_soon(loop, call, (void *)(intptr_t)count, NULL, &handles[count]));
    count++;
}

static void call(void *arg)
{
    int what;

    printf(" %d", (int)(intptr_t)arg);
    what = choose(6);
    if (what < 3) {
        for (int left = choose(4); left > 0; left--)
            schedule();
    } else if (what == 3) {
        rondo_handle_cancel(handles[choose(count)]);
    } else if (what == 4) {
        MUST(rondo_loop_stop(loop));
    }
}

int main(void)
{
    loop = new_loop();
    for (int round = 0; round < 40; round++) {
        int cancelled = 0;
        seed = (uint32_t)round;
        count = 0;
        printf("%d:", round);
        for (int i = 0; i < 5; i++)
            schedule();
        for (int i = 0; i < 20; i++) {
            MUST(rondo_loop_stop(loop));
            MUST(rondo_loop_run_forever(loop));
            printf(" |");
        }
        for (int i = 0; i < count; i++) {
            cancelled += rondo_handle_is_cancelled(handles[i]);
            MUST(rondo_handle_release(handles[i]));
        }
        say(" cancelled %d", cancelled);
    }
    return finish();
}
