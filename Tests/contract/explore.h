/* explore.h - runs a scenario in every order that its loop could take, or in many that a seed picks.
 *
 * A scenario is a function that makes its world, runs it to the end and checks it. It asks explore_pick()
 * for what is its own to decide (whom to cancel, when), and its loop asks for the order of calls. All
 * answers together are one path; explore_next() goes on to the next one, depth first, until there is none.
 * If a check fails, the path is printed: EXPLORE_PATH=1,0,2 in the environment runs that one alone.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "coro.h"

#include <stdio.h>
#include <stdlib.h>

#define EXPLORE_DEPTH 4000

struct explorer {
    uint32_t answers[EXPLORE_DEPTH], counts[EXPLORE_DEPTH];
    int depth, at;
    uint64_t random; /* not 0: the answers are random */
    rondo_loop *loop;
};

static inline uint32_t explore_pick(struct explorer *self, uint32_t count)
{
    CHECK(self->at < EXPLORE_DEPTH);
    if (self->at == self->depth) {
        uint32_t answer = 0;
        if (self->random != 0) {
            self->random = self->random * 6364136223846793005u + 1442695040888963407u;
            answer = (uint32_t)(self->random >> 33) % count;
        }
        self->answers[self->depth] = answer;
        self->counts[self->depth++] = count;
    }
    /* The same answers lead to the same questions, or it is no replay. */
    if (self->counts[self->at] == 0)
        self->counts[self->at] = count;
    CHECK_EQ_INT(self->counts[self->at], count);
    return self->answers[self->at++];
}

static inline uint32_t explore_choose(rondo_loop *loop, int32_t kind, uint32_t count, void *arg)
{
    (void)loop;
    (void)kind;
    return explore_pick(arg, count);
}

/* The next path; false if that was the last. */
static inline bool explore_next(struct explorer *self)
{
    self->depth = self->at;
    self->at = 0;
    while (self->depth > 0 && self->answers[self->depth - 1] + 1 == self->counts[self->depth - 1])
        self->depth--;
    if (self->depth == 0)
        return false;
    self->answers[self->depth - 1]++;
    return true;
}

_Noreturn static inline void explore_fail(struct explorer *self, const char *file, int line, const char *what)
{
    char path[EXPLORE_DEPTH * 4];
    int size = 0;
    for (int i = 0; i < self->at; i++)
        size += snprintf(path + size, sizeof path - (size_t)size, "%s%u", i > 0 ? "," : "",
                         (unsigned)self->answers[i]);
    path[size] = '\0';
    printf("# EXPLORE_PATH=%s\n", path);
    fflush(stdout);
    kit_fail(file, line, "not so: %s", what);
}

#define EXPECT(explorer, expr)                                                                    \
    do {                                                                                          \
        if (!(expr))                                                                              \
            explore_fail((explorer), __FILE__, __LINE__, #expr);                                  \
    } while (0)

/* A loop on which nothing sleeps and every order is the explorer's to choose. */
static inline rondo_loop *explore_loop(struct explorer *self)
{
    self->loop = kit_loop_of(RONDO_LOOP_VIRTUAL_CLOCK | RONDO_LOOP_ANY_ORDER, 0);
    CHECK_OK(rondo_loop_set_choice(self->loop, explore_choose, self, NULL));
    return self->loop;
}

static inline bool explore_given_path(struct explorer *self)
{
    const char *text = getenv("EXPLORE_PATH");
    if (text == NULL)
        return false;
    for (char *end; *text != '\0'; text = *end == ',' ? end + 1 : end) {
        self->answers[self->depth++] = (uint32_t)strtoul(text, &end, 10);
        CHECK(end != text && self->depth < EXPLORE_DEPTH);
    }
    return true;
}

/* Run every path, which must be at most `most`; how many there were. */
NOT_USED static long explore_all(void (*scenario)(struct explorer *), long most)
{
    static struct explorer self;
    self = (struct explorer){ .at = 0 };
    if (explore_given_path(&self)) {
        scenario(&self);
        return 1;
    }
    long paths = 0;
    do {
        self.at = 0;
        scenario(&self);
        paths++;
    } while (paths < most && explore_next(&self));
    return paths;
}

/* Run paths of random answers, a seed each. */
NOT_USED static void explore_seeds(void (*scenario)(struct explorer *), int seeds)
{
    static struct explorer self;
    for (int seed = 1; seed <= seeds; seed++) {
        self = (struct explorer){ .random = (uint64_t)seed };
        scenario(&self);
    }
}

#endif
