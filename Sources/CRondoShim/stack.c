/* stack.c - which calls this thread is in, remembered so that asking again is cheap.
 *
 * The unwinder of libgcc is right with every program, also with one that was compiled without frame
 * pointers, and takes a microsecond or two. So what it found is kept: the place of each return
 * address on the stack, and what stood there. The next time the same frame asks, and each place
 * still holds the same address, the answer is the same, because the size of a frame follows from
 * where in its function it is. (Not if a function takes room with alloca(). Then an old return
 * address would have to lie exactly where a new one is looked for, and a report would name a wrong
 * line; nothing else depends on it.)
 *
 * libgcc is loaded with the first stack that is asked for, as glibc's backtrace() does it. Without
 * it there are no stacks. */
#include "rondo_shim.h"

#include <link.h>
#include <unwind.h>

#define WALK 24 /* calls that are looked at; the library's own are among them */
#define WAYS 4
#define SETS 32

struct known_stack {
    uint64_t at; /* the frame that asked, 0 for none */
    uint32_t trace;
    uint32_t count;
    uint32_t place[WALK]; /* of the return address, from `at` */
    uint64_t pc[WALK];
};

struct known_stacks {
    uint32_t next[SETS]; /* which one makes room for a new one */
    struct known_stack stack[SETS][WAYS];
};

size_t rondo_shim_stacks_size(void)
{
    return sizeof(struct known_stacks);
}

/* -- set up once ------------------------------------------------------------------------------- */

struct code {
    uintptr_t start, end;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Unwind_Reason_Code (*backtrace_)(_Unwind_Trace_Fn, void *);
static _Unwind_Word (*ip_of)(struct _Unwind_Context *);
static _Unwind_Word (*cfa_of)(struct _Unwind_Context *);
static struct code own_code, libc_code;

static int find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
    const struct code *wanted = arg;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || wanted->start < start || wanted->start >= start + part->p_memsz)
            continue;
        *(struct code *)arg = (struct code){ start, start + part->p_memsz };
        return 1 + (info->dlpi_name[0] == '\0');
    }
    return 0;
}

static void set_up(void)
{
    void *libgcc = dlopen("libgcc_s.so.1", RTLD_NOW);
    own_code.start = (uintptr_t)(void *)rondo_shim_stacks_size;
    libc_code.start = (uintptr_t)dlsym(RTLD_DEFAULT, "gnu_get_libc_version") /* which nobody replaces */;
    if (rondo_shim_code_begin != NULL && rondo_shim_code_end != NULL) /* librondo.a */
        own_code = (struct code){ (uintptr_t)(void *)rondo_shim_code_begin, (uintptr_t)(void *)rondo_shim_code_end };
    else if (dl_iterate_phdr(find_code, &own_code) != 1) /* part of the program in some other way */
        own_code = (struct code){ 0, 0 };
    if (dl_iterate_phdr(find_code, &libc_code) != 1)
        libc_code = (struct code){ 0, 0 };
    if (libgcc == NULL)
        return;
    *(void **)&ip_of = dlsym(libgcc, "_Unwind_GetIP");
    *(void **)&cfa_of = dlsym(libgcc, "_Unwind_GetCFA");
    if (ip_of != NULL && cfa_of != NULL)
        *(void **)&backtrace_ = dlsym(libgcc, "_Unwind_Backtrace");
}

static int is_in(const struct code *code, uint64_t pc)
{
    return pc > code->start && pc <= code->end;
}

int32_t rondo_shim_is_own_code(uint64_t pc)
{
    pthread_once(&once, set_up);
    return is_in(&own_code, pc);
}

/* -- walking ----------------------------------------------------------------------------------- */

struct walk {
    uint64_t at;
    uint32_t count;
    int32_t is_whole; /* the stack has no more */
    uint64_t pc[WALK], place[WALK];
};

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    uint64_t pc = ip_of(context), cfa = cfa_of(context);
    if (cfa <= walk->at) /* a call of this file's */
        return _URC_NO_REASON;
    if (walk->count == WALK) {
        walk->is_whole = 0;
        return _URC_END_OF_STACK;
    }
    if (pc == 0)
        return _URC_NO_REASON;
    walk->pc[walk->count] = pc;
    walk->place[walk->count++] = cfa - sizeof(uintptr_t);
    return _URC_NO_REASON;
}

/* What came before main or before the thread's function says nothing. */
static uint32_t without_start(const struct walk *walk)
{
    uint32_t end = walk->count;
    if (!walk->is_whole)
        return end;
    if (end >= 2 && is_in(&libc_code, walk->pc[end - 2]) && !is_in(&libc_code, walk->pc[end - 1]))
        end--; /* _start */
    while (end > 0 && is_in(&libc_code, walk->pc[end - 1]))
        end--;
    return end;
}

/* Of the library's own calls only that one counts which the program made, and none of those that
 * it is making right now. `looked_at` is how far the answer depends on the stack. */
static uint32_t reduce(const struct walk *walk, uint64_t *kept, uint32_t *looked_at)
{
    uint32_t count = 0, i = 0, end = without_start(walk);
    while (i < end && is_in(&own_code, walk->pc[i]))
        i++;
    for (; i < end && count < RONDO_TRACE_DEPTH; i++)
        if (!is_in(&own_code, walk->pc[i]) || i + 1 == end || !is_in(&own_code, walk->pc[i + 1]))
            kept[count++] = walk->pc[i];
    *looked_at = i < walk->count ? i + 1 : i;
    return count;
}

__attribute__((noinline, no_sanitize("address"), no_sanitize("thread")))
static void remember(struct known_stacks *known, const struct walk *walk, uint32_t looked_at, uint32_t trace)
{
#if defined(__x86_64__)
    uint32_t set = (uint32_t)(walk->at >> 4) % SETS;
    struct known_stack *stack = &known->stack[set][known->next[set]++ % WAYS];
    stack->at = 0;
    for (uint32_t i = 0; i < looked_at; i++) {
        uint64_t place = walk->place[i] - walk->at;
        /* Not where a signal arrived, or on another stack. */
        if (place > UINT32_MAX || *(uint64_t *)walk->place[i] != walk->pc[i])
            return;
        stack->place[i] = (uint32_t)place;
        stack->pc[i] = walk->pc[i];
    }
    stack->count = looked_at;
    stack->trace = trace;
    stack->at = walk->at;
#else /* where a return address lies is not known from the unwinder */
    (void)known, (void)walk, (void)looked_at, (void)trace;
#endif
}

static __attribute__((noinline)) uint32_t learn(uint64_t at, struct known_stacks *known, rondo_intern_fn intern)
{
    struct walk walk = { .at = at, .is_whole = 1 };
    uint64_t kept[RONDO_TRACE_DEPTH];
    uint32_t looked_at;
    pthread_once(&once, set_up);
    if (backtrace_ == NULL)
        return 0;
    backtrace_(look, &walk);
    uint32_t count = reduce(&walk, kept, &looked_at);
    uint32_t trace = count == 0 ? 0 : intern(kept, count);
    if (known != NULL && trace != 0)
        remember(known, &walk, looked_at, trace);
    return trace;
}

/* -- asking ------------------------------------------------------------------------------------ */

__attribute__((no_sanitize("address"), no_sanitize("thread")))
static inline int is_same(const struct known_stack *stack, uint64_t at)
{
    for (uint32_t i = 0; i < stack->count; i++)
        if (*(const uint64_t *)(at + stack->place[i]) != stack->pc[i])
            return 0;
    return 1;
}

__attribute__((noinline, no_sanitize("address"), no_sanitize("thread")))
uint32_t rondo_shim_trace(void *stacks, rondo_intern_fn intern)
{
    struct known_stacks *known = stacks;
    uint64_t at = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    if (known != NULL) {
        const struct known_stack *set = known->stack[(at >> 4) % SETS];
        for (int i = 0; i < WAYS; i++)
            if (set[i].at == at && is_same(&set[i], at))
                return set[i].trace;
    }
    uint32_t trace = learn(at, known, intern);
    __asm__ volatile("" : : : "memory"); /* no tail call: the frame has to be there */
    return trace;
}
