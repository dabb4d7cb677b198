/*
 * load.h - the work of this folder: load the library, make a loop, run one callback, destroy it all.
 *
 * The program links none of the libraries, so that loading is part of the work, as when an
 * interpreter loads an extension. Once a process: the runner starts many and takes the median.
 * Microseconds from before dlopen() to after the loop is gone; the library stays loaded.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "../bench.h"

#include <dlfcn.h>

static void *library;
static int called;

/** Declare what a function of the library is, from its own header, and find it. */
#define LOAD(name) __typeof__(name) *my_##name = (__typeof__(name) *)load_find(#name)

static inline void *load_find(const char *name)
{
    void *found = dlsym(library, name);

    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

static inline void load_open(const char *name)
{
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
}

/** Load the library, make a loop, run one callback that sets called, destroy the loop. */
static void load_and_use(void);

int main(int argc, char **argv)
{
    int64_t start;

    bench_count(argc, argv);
    if (!bench_is(argv, "load"))
        return bench_unknown(argv);
    start = bench_work_now();
    load_and_use();
    start = bench_work_now() - start;
    BENCH_CHECK(called == 1);
    return bench_report((double)start / 1000);
}

#endif
