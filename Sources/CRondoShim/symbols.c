/* symbols.c - function, file and line of a code address, by elfutils' libdw if it is installed.
 *
 * libdw is loaded when a report wants it and not before, so the library does not depend on it, and
 * it is declared here by hand, so neither does the build. Each question has a session of its own:
 * no lock is held in it, several threads may ask, and what was loaded or unloaded meanwhile is
 * seen. Debug information that is not in the file is looked for on this machine only; elfutils' own
 * search would ask a debuginfod server, and a report must not wait for a network. */
#include "rondo_shim.h"

struct dwfl_callbacks {
    int (*find_elf)(void *, void **, const char *, uint64_t, char **, void **);
    int (*find_debuginfo)(void *, void **, const char *, uint64_t, const char *, const char *, uint32_t, char **);
    int (*section_address)(void *, void **, const char *, uint64_t, const char *, uint32_t, const void *, uint64_t *);
    char **debuginfo_path;
};

static struct {
    void *(*begin)(const struct dwfl_callbacks *);
    void (*end)(void *);
    int (*report)(void *, pid_t);
    int (*report_end)(void *, void *, void *);
    void *(*module)(void *, uint64_t);
    const char *(*name)(void *, uint64_t);
    void *(*line)(void *, uint64_t);
    const char *(*line_info)(void *, uint64_t *, int *, int *, uint64_t *, uint64_t *);
    int (*find_by_id)(void *, void **, const char *, uint64_t, const char *, const char *, uint32_t, char **);
    void *(*next_unit)(void *, void *, uint64_t *);
    int (*has_pc)(void *, uint64_t);
    void *(*line_of_unit)(void *, uint64_t);
    const char *(*source)(void *, uint64_t *, uint64_t *);
    int (*number)(void *, int *);
    int is_there;
} dw;

static char *no_path = NULL;
static struct dwfl_callbacks callbacks = { .debuginfo_path = &no_path };
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Beside the program, or in .debug beside it, under the name that the program gives. */
static int open_linked(const char *file, const char *link)
{
    char path[1024];
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    if (slash == NULL || link == NULL)
        return -1;
    for (int i = 0; i < 2; i++) {
        int size = snprintf(path, sizeof path, "%.*s%s%s", (int)(slash - file + 1), file, i == 0 ? "" : ".debug/", link);
        int fd = size < (int)sizeof path && strcmp(path, file) != 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static int find_debuginfo(void *module, void **data, const char *name, uint64_t base, const char *file,
                          const char *link, uint32_t sum, char **out_file)
{
    int fd = dw.find_by_id(module, data, name, base, file, link, sum, out_file);
    return fd >= 0 ? fd : open_linked(file, link);
}

static void set_up(void)
{
    static const char *const names[] = { "dwfl_begin", "dwfl_end", "dwfl_linux_proc_report", "dwfl_report_end",
                                         "dwfl_addrmodule", "dwfl_module_addrname", "dwfl_module_getsrc",
                                         "dwfl_lineinfo", "dwfl_build_id_find_debuginfo", "dwfl_module_nextcu",
                                         "dwarf_haspc", "dwarf_getsrc_die", "dwarf_linesrc", "dwarf_lineno" };
    void **functions = (void **)&dw, *library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return;
    dw.is_there = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        functions[i] = dlsym(library, names[i]);
        dw.is_there &= functions[i] != NULL;
    }
    *(void **)&callbacks.find_elf = dlsym(library, "dwfl_linux_proc_find_elf");
    callbacks.find_debuginfo = find_debuginfo;
    dw.is_there &= callbacks.find_elf != NULL;
}

/* clang writes no table of which unit an address is in, and then libdw looks no further. */
static const char *search_units(void *module, uint64_t pc, int *line)
{
    uint64_t bias = 0;
    void *found, *unit = NULL;
    while ((unit = dw.next_unit(module, unit, &bias)) != NULL)
        if (dw.has_pc(unit, pc - bias) > 0 && (found = dw.line_of_unit(unit, pc - bias)) != NULL &&
            dw.number(found, line) == 0)
            return dw.source(found, NULL, NULL);
    return NULL;
}

static void tell(void *session, uint64_t pc, rondo_symbol_fn visit)
{
    void *module = dw.module(session, pc), *found;
    const char *file;
    int line = 0;
    if (module == NULL) { /* made at run time, say; that is known now, too */
        visit(pc, NULL, NULL, 0);
        return;
    }
    const char *name = dw.name(module, pc);
    if ((found = dw.line(module, pc)) != NULL)
        file = dw.line_info(found, NULL, &line, NULL, NULL, NULL);
    else
        file = search_units(module, pc, &line);
    visit(pc, name, file, line);
}

/* libdw puts whole line tables on the stack. A thread with a small one learns less and does not crash; of
 * a stack that is not the thread's own nothing is known. */
static int32_t has_room(void)
{
    enum { ROOM = 256 * 1024 };
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    pthread_attr_t about;
    void *lowest = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &about) != 0)
        return 0;
    pthread_attr_getstack(&about, &lowest, &size);
    pthread_attr_destroy(&about);
    uintptr_t end = (uintptr_t)lowest;
    return here < end || here - end >= size || here - end > ROOM;
}

int32_t rondo_shim_symbolize(const uint64_t *pcs, uint32_t count, rondo_symbol_fn visit)
{
    int saved = errno;
    void *session;
    if (!has_room()) {
        errno = saved;
        return 0;
    }
    pthread_once(&once, set_up);
    if (!dw.is_there || (session = dw.begin(&callbacks)) == NULL)
        return 0;
    int32_t works = dw.report(session, getpid()) == 0 && dw.report_end(session, NULL, NULL) == 0;
    for (uint32_t i = 0; works && i < count; i++)
        tell(session, pcs[i], visit);
    dw.end(session);
    errno = saved;
    return works;
}

int32_t rondo_shim_frame_line(const void *frame)
{
    struct {
        int32_t line, mark;
    } head = { 0, 0 };
    struct iovec here = { &head, sizeof head }, there = { (void *)(uintptr_t)frame, sizeof head };
    int saved = errno;
    ssize_t size = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    errno = saved;
    return size == (ssize_t)sizeof head && head.mark == 0x6F646E72 && head.line > 0 ? head.line : 0;
}

int32_t rondo_shim_source_line(const char *file, int64_t line, char *buffer, int32_t size)
{
    struct stat about;
    int saved = errno;
    int64_t at = 0;
    int32_t length = 0;
    buffer[0] = '\0';
    FILE *source = stat(file, &about) == 0 && S_ISREG(about.st_mode) ? fopen(file, "re") : NULL;
    while (source != NULL && at < line && fgets(buffer, size, source) != NULL) {
        length = (int32_t)strlen(buffer);
        if (length > 0 && buffer[length - 1] == '\n')
            at++;
        else if (at + 1 == line) /* too long, or the last one: what there is of it will do */
            break;
    }
    if (source != NULL) {
        if (at != line && at + 1 != line)
            length = 0;
        fclose(source);
    }
    errno = saved;
    while (length > 0 && (buffer[length - 1] == '\n' || buffer[length - 1] == '\r' || buffer[length - 1] == ' '))
        buffer[--length] = '\0';
    return length;
}
