/* api.c - reads the public headers: enough of C for prototypes and #defines, and no more. */
#define _GNU_SOURCE
#include "api.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_FUNCTIONS 600

struct api_function api_functions[MAX_FUNCTIONS];
static int function_count;

/* ---- files ----------------------------------------------------------------------------------- */

static const char *include_directory(void)
{
    static const char *const places[] = { "include/rondo", "../include/rondo", "../../include/rondo" };
    static char own[1024];
    if (getenv("RONDO_INCLUDE") != NULL) {
        snprintf(own, sizeof own, "%s/rondo", getenv("RONDO_INCLUDE"));
        return own;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        DIR *directory = opendir(places[i]);
        if (directory != NULL) {
            closedir(directory);
            return places[i];
        }
    }
    kit_fail(__FILE__, __LINE__, "the headers are not here: set RONDO_INCLUDE");
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    char *text = malloc(262144);
    size_t size = fread(text, 1, 262143, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void for_each_header(void (*visit)(char *text))
{
    const char *path = include_directory();
    DIR *directory = opendir(path);
    struct dirent *entry;
    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        char name[2048];
        if (strstr(entry->d_name, ".h") == NULL)
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        char *text = read_text(name);
        visit(text);
        free(text);
    }
    closedir(directory);
}

/* ---- prototypes ------------------------------------------------------------------------------ */

/* Blank out preprocessor lines, continued ones, too. */
static void blank_directives(char *text)
{
    bool in_directive = false, line_start = true;
    for (char *at = text; *at != '\0'; at++) {
        if (line_start && *at == '#')
            in_directive = true;
        line_start = *at == '\n';
        if (in_directive && *at == '\n')
            in_directive = at > text && at[-1] == '\\';
        else if (in_directive && *at != '\\')
            *at = ' ';
    }
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\\')
            *at = ' ';
}

static void trim(char *text)
{
    size_t size = strlen(text), skip = strspn(text, " \n\t");
    memmove(text, text + skip, size - skip + 1);
    size -= skip;
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
}

static bool is_object(const char *type)
{
    static const char *const types[] = {
        "rondo_loop *", "rondo_handle *", "rondo_future *", "rondo_task *", "rondo_coroutine *",
        "rondo_thread_future *", "rondo_error *", "rondo_context *", "rondo_contextvar *",
        "rondo_exception_context *", "rondo_awaitable *", "rondo_lock *", "rondo_event *",
        "rondo_condition *", "rondo_semaphore *", "rondo_barrier *", "rondo_queue *",
        "rondo_timeout *", "rondo_task_group *", "rondo_cancel_scope *", "rondo_as_completed *",
        "rondo_runner *", "rondo_thread_queue *", "rondo_thread_event *", "rondo_context_token *",
        "rondo_call_graph *", "rondo_async_generator *", "rondo_object *",
        "rondo_executor *", "rondo_job *",
    };
    if (strncmp(type, "const ", 6) == 0)
        type += 6;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static enum api_kind kind_of(const char *type, const char *name)
{
    if (strcmp(type, "rondo_drop_fn") == 0)
        return API_DROP;
    if (strstr(type, "_fn") != NULL && strchr(type, '*') == NULL)
        return API_FN;
    if (is_object(type))
        return API_OBJECT;
    if (strchr(type, '*') == NULL)
        return API_VALUE;
    if (strncmp(name, "out_", 4) == 0)
        return API_OUT;
    if (strcmp(type, "void *") == 0 && strcmp(name, "buffer") != 0)
        return API_ARG;
    return API_POINTER;
}

static void parse_param(struct api_param *param, char *text)
{
    trim(text);
    if (strstr(text, "(*") != NULL) { /* a callback that is spelled out */
        strcpy(param->type, "rondo_thread_future_fn");
        strcpy(param->name, "fn");
        param->kind = API_FN;
        return;
    }
    char *name = text + strlen(text);
    while (name > text && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
        name--;
    snprintf(param->name, sizeof param->name, "%.39s", name);
    *name = '\0';
    trim(text);
    snprintf(param->type, sizeof param->type, "%.63s", text);
    param->kind = kind_of(param->type, param->name);
}

static void parse_params(struct api_function *function, char *text)
{
    int depth = 0;
    char *start = text;
    trim(text);
    if (strcmp(text, "void") == 0)
        return;
    for (char *at = text;; at++) {
        depth += (*at == '(') - (*at == ')');
        if (*at != '\0' && (*at != ',' || depth > 0))
            continue;
        bool last = *at == '\0';
        *at = '\0';
        CHECK(function->count < API_PARAMS);
        parse_param(&function->params[function->count++], start);
        start = at + 1;
        if (last)
            return;
    }
}

static void parse_statement(char *text, const char *comment)
{
    trim(text);
    char *name = strstr(text, " rondo_"), *star = strstr(text, "*rondo_");
    char *open = strchr(text, '(');
    if (open == NULL || strncmp(text, "typedef", 7) == 0)
        return;
    name = star != NULL && star < open ? star : name;
    if (name == NULL || name > open)
        return;
    /* The last " rondo_" before the parenthesis: the result may be a rondo_ type itself. */
    for (char *next = name; next != NULL && next < open; next = strstr(next + 1, "rondo_"))
        name = next[0] == 'r' ? next - 1 : next;
    CHECK(function_count < MAX_FUNCTIONS);
    struct api_function *function = &api_functions[function_count];
    memset(function, 0, sizeof *function);
    snprintf(function->name, sizeof function->name, "%.*s", (int)(open - name - 1), name + 1);
    snprintf(function->result, sizeof function->result, "%.*s", (int)(name + 1 - text), text);
    trim(function->result);
    char *end = strrchr(text, ')');
    *end = '\0';
    parse_params(function, open + 1);
    const char *line = strstr(comment, "@par Contract");
    line = line != NULL ? strstr(line, "thread:") : NULL;
    snprintf(function->contract, sizeof function->contract, "%.399s", line != NULL ? line : "");
    function->address = dlsym(RTLD_DEFAULT, function->name);
    function_count++;
}

static void parse_header(char *text)
{
    char statement[4096], comment[8192] = "";
    size_t size = 0;
    int depth = 0;
    blank_directives(text);
    for (char *at = text; *at != '\0'; at++) {
        if (at[0] == '/' && at[1] == '*') {
            char *end = strstr(at, "*/");
            CHECK(end != NULL);
            if (depth == 0 && at[2] == '*')
                snprintf(comment, sizeof comment, "%.*s", (int)(end - at), at);
            at = end + 1;
            continue;
        }
        depth += (*at == '{') - (*at == '}');
        if (*at == ';' && depth == 0) {
            statement[size] = '\0';
            parse_statement(statement, comment);
            size = 0;
        } else if (size < sizeof statement - 1) {
            statement[size++] = *at == '\n' || *at == '\t' ? ' ' : *at;
        }
        /* RONDO_BEGIN_DECLS and RONDO_END_DECLS stand alone on a line and end no statement. */
        if (*at == '\n' && size > 12 && memmem(statement, size, "_DECLS", 6) != NULL)
            size = 0;
    }
}

/* One space only: prototypes go over several lines. */
static void squeeze(char *text)
{
    char *to = text;
    for (char *from = text; *from != '\0'; from++)
        if (*from != ' ' || to == text || to[-1] != ' ')
            *to++ = *from;
    *to = '\0';
}

int api_load(void)
{
    function_count = 0;
    for_each_header(parse_header);
    CHECK(function_count > 100);
    for (int i = 0; i < function_count; i++) {
        struct api_function *function = &api_functions[i];
        for (int p = 0; p < function->count; p++)
            squeeze(function->params[p].type);
        if (function->address == NULL)
            kit_fail(__FILE__, __LINE__, "%s() is in no library", function->name);
    }
    return function_count;
}

uint64_t api_call(const struct api_function *function, const uint64_t *args)
{
    typedef uint64_t (*any_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                               uint64_t);
    any_fn call = (any_fn)(uintptr_t)function->address;
    return call(args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7]);
}

/* ---- constants ------------------------------------------------------------------------------- */

static void (*visit_constant)(const char *name, const char *text);
static int constant_count;

static void read_constants(char *text)
{
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char name[64], value[64];
        if (sscanf(line, "#define RONDO_%58s %63s", name, value) != 2)
            continue;
        if (strchr(name, '(') != NULL || (!isdigit((unsigned char)value[0]) && value[0] != '(' &&
                                          strncmp(value, "INT", 3) != 0))
            continue;
        char full[80];
        snprintf(full, sizeof full, "RONDO_%s", name);
        visit_constant(full, value);
        constant_count++;
    }
}

int api_constants(void (*visit)(const char *name, const char *text))
{
    visit_constant = visit;
    constant_count = 0;
    for_each_header(read_constants);
    return constant_count;
}
