/* Done callbacks that are added, removed and called at random, also by each other. */
#include "parity.h"

#define FUTURES 4
#define CALLBACKS 5

static uint32_t seed;
static int budget, is_over;
static rondo_future *futures[FUTURES];

static int choose(int of)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 16) % (uint32_t)of);
}

static void act(void);

static void callback(rondo_future *future, void *arg)
{
    char at = '-';

    if (is_over)
        return;
    for (int i = 0; i < FUTURES; i++)
        if (futures[i] == future)
            at = (char)('0' + i);
    printf(" %c%c", at, "abcde"[(intptr_t)arg]);
    if (rondo_future_is_cancelled(future)) {
        printf("~");
    } else {
        void *value = NULL;
        MUST(rondo_future_result(future, &value));
        printf("=%d", (int)(intptr_t)value);
    }
    act();
}

static void act(void)
{
    int what, at;
    size_t removed = 0;
    rondo_future *future;

    if (budget == 0)
        return;
    budget--;
    what = choose(8);
    at = choose(FUTURES);
    future = futures[at];
    if (what < 4) {
        MUST(rondo_future_add_done_callback(future, callback, (void *)(intptr_t)choose(CALLBACKS), NULL));
    } else if (what == 4) {
        MUST(rondo_future_remove_done_callback(future, callback, (void *)(intptr_t)choose(CALLBACKS), &removed));
        printf(" r%d", (int)removed);
    } else if (rondo_future_is_done(future)) {
        MUST(rondo_future_release(future));
        futures[at] = new_future();
    } else if (what < 7) {
        MUST(rondo_future_set_result(future, (void *)(intptr_t)budget, NULL));
    } else {
        MUST(rondo_future_cancel(future, NULL, NULL));
    }
}

int main(void)
{
    loop = new_loop();
    for (int round = 0; round < 40; round++) {
        seed = (uint32_t)round;
        budget = 60;
        printf("%d:", round);
        for (int i = 0; i < FUTURES; i++)
            futures[i] = new_future();
        for (int i = 0; i < 25; i++) {
            act();
            act();
            MUST(rondo_loop_stop(loop));
            MUST(rondo_loop_run_forever(loop));
            printf(" |");
        }
        say("%s", "");
        for (int i = 0; i < FUTURES; i++) {
            rondo_future_cancel(futures[i], NULL, NULL);
            MUST(rondo_future_release(futures[i]));
        }
        is_over = 1;
        MUST(rondo_loop_stop(loop));
        MUST(rondo_loop_run_forever(loop));
        is_over = 0;
    }
    return finish();
}
