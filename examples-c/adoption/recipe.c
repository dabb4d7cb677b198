/* recipe.c - see recipe.h. */
#include "recipe.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int recipe_bind(int type, uint16_t *out_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        (type == SOCK_STREAM && listen(fd, 16) != 0) ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("bind");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *out_port = ntohs(address.sin_port);
    return fd;
}

void recipe_print_error(const char *what, rondo_error *error)
{
    if (error == NULL) {
        printf("%s: no error\n", what);
        return;
    }
    const char *operation = rondo_error_get_operation(error);
    printf("%s: %s", what, rondo_status_name(rondo_error_get_status(error)));
    if (rondo_error_get_domain(error) == RONDO_DOMAIN_USER)
        printf(" %d", rondo_error_get_code(error));
    printf(", %s%s%s\n", operation != NULL ? operation : "", operation != NULL ? ": " : "",
           rondo_error_get_message(error));
}

int recipe_run(rondo_step_fn step, void *frame, rondo_drop_fn drop)
{
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("main", step, frame, drop, &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, &error);
    if (status == RONDO_E_RAISED)
        recipe_print_error("main", error);
    else if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    rondo_error_release(error);
    return status == RONDO_OK ? 0 : 1;
}
