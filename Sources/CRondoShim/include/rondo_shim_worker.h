/* rondo_shim_worker.h - what a pool and its worker processes say to one another.
 *
 * A stream socket in both directions. A request is its head, the library, the symbol and the input;
 * an answer is its head, the text of a failure and the output. A worker reads a whole request before
 * it begins, and writes nothing until it is done, so neither ever waits for the other's buffers.
 * Both ends are on the same machine, so numbers go as they lie in memory, but they need not be of the same version:
 * a package may be upgraded while a program runs. So what is said stays as it is, as long as the soname does. */
#ifndef RONDO_SHIM_WORKER_H
#define RONDO_SHIM_WORKER_H

#include <stdint.h>

/* The number that ends librondo.so.0; CMakeLists.txt reads it here. Two versions of the library that can be
 * installed together each have a directory of their own beside them, rondo0, rondo1, for their workers. */
#define RONDO_SOVERSION "0"
#define RONDO_WORKER_PATH "rondo" RONDO_SOVERSION "/rondo-worker"

#define RONDO_WORKER_SOCKET 3 /* its number in a worker process */
#define RONDO_WORKER_MAGIC 0x72300001u

#define RONDO_WORKER_CALL 0
#define RONDO_WORKER_AT_END 1 /* found now, called with this input when the stream ends */

struct rondo_worker_request {
    uint32_t magic;
    uint32_t library_size; /* without a NUL */
    uint32_t symbol_size;
    uint32_t kind; /* one of the following */
    uint64_t input_size;
};

struct rondo_worker_answer {
    uint32_t magic;
    int32_t status;
    uint32_t text_size;
    uint32_t reserved;
    uint64_t output_size;
};

/* How a process ended. */
#define RONDO_END_UNKNOWN 0 /* somebody else has reaped it */
#define RONDO_END_EXITED 1
#define RONDO_END_KILLED 2

struct rondo_process_end {
    int32_t how;
    int32_t number; /* the exit status or the signal */
};

/* Start the worker program with one end of a new socket. 0 or an errno. */
int32_t rondo_shim_start_process(const char *path, int32_t *out_socket, int32_t *out_pidfd);
/* Kill it if it lives and wait for its end; it leaves no zombie, and closes the pidfd. */
struct rondo_process_end rondo_shim_end_process(int32_t pidfd, int32_t must_kill);
/* Where the worker program lies beside the library; malloc'd, or NULL with errno. */
char *rondo_shim_worker_path(void);

#endif
