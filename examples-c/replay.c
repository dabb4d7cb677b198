/*
 * replay.c - a bug that only some orders of calls show: found by seeds, and replayed.
 *
 * Two tasks take money from one account. Each looks whether there is enough, lets the loop go on, and
 * then takes it. A loop with a seed varies the order in which the tasks and the salary come; the same
 * seed is the same order, so a run that failed can be run again, in a debugger if need be.
 */
#include <rondo.h>
#include <stdio.h>

struct taker { RONDO_FRAME; int amount; };

static int balance;

RONDO_STEP(take)
{
    struct taker *self = frame;
    RONDO_BEGIN(self);
    if (balance >= self->amount) {
        RONDO_YIELD(self); /* writes to its log, asks a server, ... */
        balance -= self->amount;
    }
    RONDO_RETURN(NULL);
    RONDO_END(self);
}

static void salary(void *arg)
{
    (void)arg;
    balance += 50;
}

/* Run it once; what is left, and the hash of the order in which it ran. */
static int run(uint64_t seed, uint64_t *hash)
{
    rondo_loop_options options = { .size = sizeof options, .seed = seed,
                                   .flags = RONDO_LOOP_VIRTUAL_CLOCK | RONDO_LOOP_ANY_ORDER };
    struct taker first = { .amount = 80 }, second = { .amount = 60 };
    rondo_loop *loop = NULL;

    balance = 50;
    *hash = 0;
    if (rondo_loop_new(&options, &loop) != RONDO_OK)
        return 0;
    rondo_loop_call_soon(loop, salary, NULL, NULL, NULL);
    rondo_loop_spawn(loop, take, &first, NULL, NULL, NULL);
    rondo_loop_spawn(loop, take, &second, NULL, NULL, NULL);
    rondo_loop_run_forever(loop); /* until nothing can happen any more */
    rondo_loop_get_schedule_hash(loop, hash);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    return balance;
}

int main(void)
{
    uint64_t hash, again;
    int good = 0;

    for (uint64_t seed = 1; seed <= 1000; seed++) {
        int left = run(seed, &hash);
        if (left >= 0) {
            good++;
            continue;
        }
        printf("%s: the account is at %d\n", good > 0 ? "after some good orders" : "at once", left);
        left = run(seed, &again);
        printf("the same seed: %d, %s\n", left, again == hash ? "the same schedule" : "another schedule");
        return 0;
    }
    puts("a thousand seeds did not find it");
    return 1;
}
