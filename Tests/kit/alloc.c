/*
 * alloc.c - the allocator of a test program: glibc's, counted, and failing where a test says so.
 *
 * The executable's malloc takes the place of glibc's for every library in the process. Only what
 * librondo itself asks for is counted and made to fail (the caller's address tells), so glibc's
 * own caches and the test's memory disturb nothing.
 *
 * The core keeps 256 KiB chunks of object memory in a pool for ever; that is its design and not
 * a leak, so aligned allocations of that size are not watched, though they can fail.
 */
#define _GNU_SOURCE
#include "kit.h"

#if KIT_SANITIZED

bool kit_alloc_works(void) { return false; }
void kit_alloc_fail(long n, bool sticky) { (void)n; (void)sticky; }
long kit_alloc_end(void) { return 0; }
long kit_alloc_failed(void) { return 0; }
void kit_alloc_only_this_thread(bool only) { (void)only; }
bool kit_is_library(const void *caller) { (void)caller; return false; }
size_t kit_alloc_bytes(void) { return 0; }
void kit_alloc_setup(void) {}
void kit_alloc_mark(void) {}
int kit_alloc_leaks(bool print) { (void)print; return 0; }

#else

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

/* ---- which allocations are the library's ----------------------------------------------------- */

static uintptr_t library_start, library_end;

static int find_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    if (strstr(info->dlpi_name, "librondo") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            library_start = info->dlpi_addr + part->p_vaddr;
            library_end = library_start + part->p_memsz;
        }
    }
    return 1;
}

bool kit_is_library(const void *caller)
{
    return (uintptr_t)caller >= library_start && (uintptr_t)caller < library_end;
}

/* ---- what is alive: open addressing, linear probing, one lock -------------------------------- */

#define TABLE_SIZE (1u << 20)
#define CHUNK_SIZE (200u * 1024)

struct block {
    void *address;
    size_t size;
    void *caller;
    uint64_t serial;
};

static struct block table[TABLE_SIZE];
static atomic_flag table_lock = ATOMIC_FLAG_INIT;
static unsigned table_used;
static bool table_overflow;
static uint64_t serial, marked;
static long newer; /* live blocks since the mark */
static size_t live_bytes;

static void lock(void)
{
    while (atomic_flag_test_and_set_explicit(&table_lock, memory_order_acquire))
        sched_yield();
}

static void unlock(void)
{
    atomic_flag_clear_explicit(&table_lock, memory_order_release);
}

static unsigned home(void *address)
{
    return (unsigned)(((uintptr_t)address >> 4) * 0x9E3779B97F4A7C15u >> 44) & (TABLE_SIZE - 1);
}

static void remember(void *address, size_t size, void *caller)
{
    if (address == NULL)
        return;
    lock();
    serial++;
    if (table_used > TABLE_SIZE / 2) {
        table_overflow = true;
    } else {
        unsigned i = home(address);
        while (table[i].address != NULL)
            i = (i + 1) & (TABLE_SIZE - 1);
        table[i] = (struct block){ address, size, caller, serial };
        table_used++;
        newer++;
        live_bytes += size;
    }
    unlock();
}

/* Take entry i out and move up what was pushed past it. */
static void close_gap(unsigned i)
{
    for (unsigned j = (i + 1) & (TABLE_SIZE - 1); table[j].address != NULL;
         j = (j + 1) & (TABLE_SIZE - 1)) {
        unsigned want = home(table[j].address);
        if (((j - want) & (TABLE_SIZE - 1)) >= ((j - i) & (TABLE_SIZE - 1))) {
            table[i] = table[j];
            i = j;
        }
    }
    table[i].address = NULL;
}

static void forget(void *address)
{
    if (address == NULL)
        return;
    lock();
    unsigned i = home(address);
    while (table[i].address != NULL && table[i].address != address)
        i = (i + 1) & (TABLE_SIZE - 1);
    if (table[i].address != NULL) {
        live_bytes -= table[i].size;
        newer -= table[i].serial > marked;
        table_used--;
        close_gap(i);
    }
    unlock();
}

/* ---- failing --------------------------------------------------------------------------------- */

static atomic_int armed;
static atomic_long asked, refused;
static long fail_at;
static bool fail_sticky, only_one;
static pthread_t the_one;

static bool must_fail(void *caller)
{
    if (!atomic_load_explicit(&armed, memory_order_acquire) || !kit_is_library(caller))
        return false;
    if (only_one && !pthread_equal(the_one, pthread_self()))
        return false;
    long number = atomic_fetch_add(&asked, 1) + 1;
    if (fail_at == 0 || number < fail_at || (number > fail_at && !fail_sticky))
        return false;
    atomic_fetch_add(&refused, 1);
    errno = ENOMEM;
    return true;
}

bool kit_alloc_works(void)
{
    return library_start != 0;
}

void kit_alloc_only_this_thread(bool only)
{
    only_one = only;
    the_one = pthread_self();
}

void kit_alloc_fail(long n, bool sticky)
{
    fail_at = n;
    fail_sticky = sticky;
    atomic_store(&asked, 0);
    atomic_store(&refused, 0);
    atomic_store(&armed, 1);
}

long kit_alloc_end(void)
{
    atomic_store(&armed, 0);
    return atomic_load(&asked);
}

long kit_alloc_failed(void)
{
    return atomic_load(&refused);
}

size_t kit_alloc_bytes(void)
{
    return live_bytes;
}

/* ---- the balance ----------------------------------------------------------------------------- */

void kit_alloc_setup(void)
{
    dl_iterate_phdr(find_library, NULL);
    pthread_atfork(lock, unlock, unlock);
}

void kit_alloc_mark(void)
{
    lock();
    marked = serial;
    newer = 0;
    table_overflow = table_used > TABLE_SIZE / 2;
    unlock();
}

int kit_alloc_leaks(bool print)
{
    int leaks = 0;
    if (table_overflow) {
        dprintf(1, "# the allocation table is full: leaks are not counted\n");
        return 0;
    }
    for (unsigned i = 0; i < TABLE_SIZE && newer > 0; i++) {
        if (table[i].address == NULL || table[i].serial <= marked)
            continue;
        leaks++;
        if (print && leaks <= 8) {
            Dl_info where = { 0 };
            dladdr(table[i].caller, &where);
            dprintf(1, "#   leaked: %zu bytes, allocated from %s+0x%lx (%s)\n", table[i].size,
                    where.dli_fname ? where.dli_fname : "?",
                    (unsigned long)((uintptr_t)table[i].caller - (uintptr_t)where.dli_fbase),
                    where.dli_sname ? where.dli_sname : "?");
        }
    }
    return leaks;
}

/* ---- the functions that take glibc's place --------------------------------------------------- */

static void *watch(void *block, size_t size, void *caller)
{
    if (kit_is_library(caller))
        remember(block, size, caller);
    return block;
}

static void *aligned(size_t alignment, size_t size, void *caller)
{
    if (must_fail(caller))
        return NULL;
    void *block = __libc_memalign(alignment, size);
    return size >= CHUNK_SIZE ? block : watch(block, size, caller);
}

void *malloc(size_t size)
{
    void *caller = __builtin_return_address(0);
    return must_fail(caller) ? NULL : watch(__libc_malloc(size), size, caller);
}

void *calloc(size_t count, size_t size)
{
    void *caller = __builtin_return_address(0);
    return must_fail(caller) ? NULL : watch(__libc_calloc(count, size), count * size, caller);
}

void *realloc(void *old, size_t size)
{
    void *caller = __builtin_return_address(0);
    if (must_fail(caller))
        return NULL;
    /* Forgotten before the call: afterwards another thread may have the old address already. */
    if (!kit_is_library(caller))
        return __libc_realloc(old, size);
    forget(old);
    void *block = __libc_realloc(old, size);
    watch(block != NULL ? block : old, size, caller);
    return block;
}

void free(void *block)
{
    forget(block);
    __libc_free(block);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return aligned(alignment, size, __builtin_return_address(0));
}

void *memalign(size_t alignment, size_t size)
{
    return aligned(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block = aligned(alignment, size, __builtin_return_address(0));
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

#endif
