/* primes.c - the job of process_pool.c: how many primes are below a number? A plain shared object. */
#include <errno.h>
#include <rondo/process_pool.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) rondo_status count_primes(const void *input, size_t size, rondo_reply *reply)
{
    uint32_t limit, count = 0;
    if (size != sizeof limit)
        return reply->raise(reply, -EINVAL, "a number of 32 bits is wanted");
    memcpy(&limit, input, sizeof limit);
    char *composite = calloc(limit + 1, 1);
    if (composite == NULL)
        return -ENOMEM;
    for (uint32_t n = 2; n < limit; n++) {
        if (composite[n])
            continue;
        count++;
        for (uint64_t m = (uint64_t)n * n; m < limit; m += n)
            composite[m] = 1;
    }
    free(composite);
    return reply->write(reply, &count, sizeof count);
}

/* What no thread pool survives. */
__attribute__((visibility("default"))) rondo_status crash(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    (void)reply;
    abort();
}
