/*
 * await_curl.c - libcurl's multi interface on a rondo loop: two callbacks in, one future out.
 *
 * The life of a transfer. Its easy handle is in the multi handle as long as its future is pending. Three
 * ends there are, and each goes through end_transfer(): libcurl says that it is done; the future was
 * cancelled, of which a done callback tells; the multi handle is closed. The memory is freed by the drop
 * of that done callback, which the library calls exactly once, after the last use, in all three cases and
 * also if the callback could not be registered.
 *
 * Knows: libcurl and rondo. Does not know: what is fetched.
 */
#include "await_curl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
    struct await_curl *curl;
    struct transfer *next, **link; /* in curl->transfers */
    CURL *easy;                    /* NULL when it has ended */
    rondo_future *future;          /* ours, to complete; NULL when it has ended */
    struct curl_response *response;
    char message[CURL_ERROR_SIZE];
};

struct await_curl {
    rondo_loop *loop;
    CURLM *multi;
    rondo_handle *timer;
    struct transfer *transfers;
};

/* ---- what a transfer ends with --------------------------------------------------------------- */

static void free_response(void *value)
{
    struct curl_response *response = value;
    if (response != NULL)
        free(response->body);
    free(response);
}

/* libcurl's: here is more of the body. Answering less than we were given fails the transfer. */
static size_t take_body(char *data, size_t one, size_t size, void *arg)
{
    struct curl_response *response = arg;
    char *body = realloc(response->body, response->size + size + 1);
    (void)one; /* always 1 */
    if (body == NULL)
        return 0;
    memcpy(body + response->size, data, size);
    response->size += size;
    body[response->size] = '\0';
    response->body = body;
    return size;
}

/* The error that stands for a CURLcode: the system's own where there is one. */
static rondo_status make_error(CURL *easy, CURLcode code, const char *message, rondo_error **out_error)
{
    long os_errno = 0;
    int32_t domain = RONDO_DOMAIN_USER, number = (int32_t)code;
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        domain = RONDO_DOMAIN_RONDO;
        number = RONDO_E_TIMEOUT;
    } else if (code == CURLE_OUT_OF_MEMORY) {
        domain = RONDO_DOMAIN_POSIX;
        number = ENOMEM;
    } else if (code == CURLE_COULDNT_CONNECT && os_errno > 0) {
        domain = RONDO_DOMAIN_POSIX;
        number = (int32_t)os_errno;
    }
    rondo_status status = rondo_error_new(domain, number, message[0] != '\0' ? message
                                          : curl_easy_strerror(code), out_error);
    if (status == RONDO_OK)
        status = rondo_error_set_operation(*out_error, "transfer");
    return status;
}

/* Take it out of libcurl and let go of the future, which was completed, or nobody can complete any more. */
static void end_transfer(struct transfer *transfer)
{
    rondo_future *future = transfer->future;
    if (transfer->easy != NULL) {
        curl_multi_remove_handle(transfer->curl->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
        *transfer->link = transfer->next;
        if (transfer->next != NULL)
            transfer->next->link = transfer->link;
    }
    transfer->easy = NULL;
    transfer->future = NULL;
    rondo_future_release(future); /* last: it may free the transfer */
}

/* libcurl is done with it. Completing a future runs no callback now, so this cannot be re-entered. */
static void complete(struct transfer *transfer, CURLcode code)
{
    rondo_error *error = NULL;
    if (code == CURLE_OK) {
        struct curl_response *response = transfer->response;
        transfer->response = NULL;
        (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
        (void)rondo_future_set_result(transfer->future, response, free_response); /* cancelled: dropped */
    } else if (make_error(transfer->easy, code, transfer->message, &error) == RONDO_OK) {
        (void)rondo_future_set_exception(transfer->future, error);
    } else { /* no memory for an error: that of -ENOMEM needs none */
        (void)rondo_future_set_exception_status(transfer->future, -ENOMEM, "transfer");
    }
    rondo_error_release(error);
    end_transfer(transfer);
}

/* ---- libcurl asks the loop ------------------------------------------------------------------- */

/* After every call into libcurl: who is done? */
static void collect(struct await_curl *curl)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result; /* the message is gone once the handle is removed */
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        complete(transfer, code);
    }
}

static void on_readable(int32_t fd, void *arg)
{
    struct await_curl *curl = arg;
    int running;
    (void)curl_multi_socket_action(curl->multi, fd, CURL_CSELECT_IN, &running);
    collect(curl);
}

static void on_writable(int32_t fd, void *arg)
{
    struct await_curl *curl = arg;
    int running;
    (void)curl_multi_socket_action(curl->multi, fd, CURL_CSELECT_OUT, &running);
    collect(curl);
}

static void on_timer(void *arg)
{
    struct await_curl *curl = arg;
    int running;
    (void)curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(curl);
}

/* libcurl's: from now on watch fd for `what`. It says REMOVE before it closes fd. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct await_curl *curl = arg;
    rondo_status reader, writer;
    (void)easy;
    (void)unused;
    reader = (what & CURL_POLL_IN) != 0 && what != CURL_POLL_REMOVE
        ? rondo_loop_add_reader(curl->loop, fd, on_readable, curl, NULL)
        : rondo_loop_remove_reader(curl->loop, fd, NULL);
    writer = (what & CURL_POLL_OUT) != 0 && what != CURL_POLL_REMOVE
        ? rondo_loop_add_writer(curl->loop, fd, on_writable, curl, NULL)
        : rondo_loop_remove_writer(curl->loop, fd, NULL);
    return reader == RONDO_OK && writer == RONDO_OK ? 0 : -1; /* -1: the transfers of it fail */
}

/* libcurl's: call me in so many milliseconds; 0 is not "now, from in here", but as soon as possible. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct await_curl *curl = arg;
    (void)multi;
    if (curl->timer != NULL)
        rondo_handle_cancel(curl->timer);
    rondo_handle_release(curl->timer);
    curl->timer = NULL;
    if (timeout_ms < 0)
        return 0;
    return rondo_loop_call_later(curl->loop, (int64_t)timeout_ms * 1000000, on_timer, curl, NULL,
                                 &curl->timer) == RONDO_OK ? 0 : -1;
}

rondo_status await_curl_open(rondo_loop *loop, struct await_curl **out_curl)
{
    struct await_curl *curl = calloc(1, sizeof *curl);
    if (curl == NULL)
        return -ENOMEM;
    curl->multi = curl_multi_init();
    if (curl->multi == NULL) {
        free(curl);
        return -ENOMEM;
    }
    curl->loop = loop;
    rondo_loop_retain(loop);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    *out_curl = curl;
    return RONDO_OK;
}

void await_curl_close(struct await_curl *curl)
{
    if (curl == NULL)
        return;
    while (curl->transfers != NULL) {
        (void)rondo_future_cancel(curl->transfers->future, "libcurl is shut down", NULL);
        end_transfer(curl->transfers);
    }
    curl_multi_cleanup(curl->multi); /* the idle connections, too: each says REMOVE */
    if (curl->timer != NULL)
        rondo_handle_cancel(curl->timer);
    rondo_handle_release(curl->timer);
    rondo_loop_release(curl->loop);
    free(curl);
}

/* ---- a transfer ------------------------------------------------------------------------------ */

/* The future is done. If libcurl does not know yet, it was cancelled. */
static void on_done(rondo_future *future, void *arg)
{
    struct transfer *transfer = arg;
    (void)future;
    if (transfer->future != NULL)
        end_transfer(transfer);
}

static void free_transfer(void *arg)
{
    struct transfer *transfer = arg;
    if (transfer->easy != NULL) /* it never began */
        curl_easy_cleanup(transfer->easy);
    free_response(transfer->response);
    free(transfer);
}

/* From here on the easy handle is the transfer's. */
static struct transfer *make_transfer(struct await_curl *curl, CURL *easy)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    struct curl_response *response = calloc(1, sizeof *response);
    char *empty = calloc(1, 1);
    if (transfer == NULL || response == NULL || empty == NULL) {
        free(transfer);
        free(response);
        free(empty);
        curl_easy_cleanup(easy);
        return NULL;
    }
    response->body = empty;
    transfer->curl = curl;
    transfer->easy = easy;
    transfer->response = response;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, response);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* no SIGALRM for the resolver */
    return transfer;
}

/* Into libcurl with it. On failure the caller's future goes, and the transfer with it. */
static rondo_status begin(struct transfer *transfer, rondo_future *future)
{
    struct await_curl *curl = transfer->curl;
    CURLMcode code = curl_multi_add_handle(curl->multi, transfer->easy);
    if (code != CURLM_OK)
        return code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
    rondo_future_retain(future);
    transfer->future = future;
    transfer->next = curl->transfers;
    transfer->link = &curl->transfers;
    if (transfer->next != NULL)
        transfer->next->link = &transfer->next;
    curl->transfers = transfer;
    return RONDO_OK;
}

rondo_status await_curl_perform(struct await_curl *curl, CURL *easy, rondo_future **out_future)
{
    rondo_future *future = NULL;
    struct transfer *transfer = easy != NULL ? make_transfer(curl, easy) : NULL;
    if (transfer == NULL)
        return easy == NULL ? -EINVAL : -ENOMEM;
    rondo_status status = rondo_future_new(curl->loop, &future);
    if (status != RONDO_OK) {
        free_transfer(transfer);
        return status;
    }
    status = rondo_future_add_done_callback(future, on_done, transfer, free_transfer);
    if (status == RONDO_OK)
        status = begin(transfer, future);
    if (status != RONDO_OK || out_future == NULL)
        rondo_future_release(future);
    else
        *out_future = future;
    return status;
}

rondo_status await_curl_get(struct await_curl *curl, const char *url, rondo_future **out_future)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return -ENOMEM;
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) {
        curl_easy_cleanup(easy);
        return -ENOMEM;
    }
    return await_curl_perform(curl, easy, out_future);
}
