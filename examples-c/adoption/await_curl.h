/*
 * await_curl.h - transfers of libcurl, awaited. Lift this file and await_curl.c into your program.
 *
 * The recipe is that of every library that says which descriptors and which timer it waits for:
 * libcurl's socket callback becomes add_reader and add_writer, its timer callback call_later, and the end
 * of a transfer completes a future. No thread is needed. libcurl calls nothing of the program's from
 * inside but what the program itself has set on an easy handle.
 */
#ifndef AWAIT_CURL_H
#define AWAIT_CURL_H

#include <curl/curl.h>
#include <rondo.h>

/** A multi handle and the loop that drives it. It belongs to the loop's thread. */
struct await_curl;

/** What a transfer ends with, whatever the server answered: 404 is a response, too. */
struct curl_response {
    long status; /* of HTTP, or what other protocols have in its place */
    size_t size;
    char *body; /* NUL-terminated */
};

/** Make one; for a loop one is enough. @return RONDO_OK or -ENOMEM. */
rondo_status await_curl_open(rondo_loop *loop, struct await_curl **out_curl);

/**
 * Begin a transfer; its future's value is a struct curl_response.
 *
 * The future raises RONDO_E_TIMEOUT (CURLOPT_TIMEOUT_MS), an error of RONDO_DOMAIN_POSIX where the system
 * said why (ECONNREFUSED, ...), else one of RONDO_DOMAIN_USER with a CURLcode; the message is libcurl's.
 * Cancelling it, or the task that awaits it, ends the transfer and closes its connection.
 *
 * @param easy Set up by the caller but for where the body goes; moves on every return.
 */
rondo_status await_curl_perform(struct await_curl *curl, CURL *easy, rondo_future **out_future);

/** As await_curl_perform(), for a URL alone. */
rondo_status await_curl_get(struct await_curl *curl, const char *url, rondo_future **out_future);

/** End what still runs, cancelling its futures, and free. Before the loop is closed. NULL is a no-op. */
void await_curl_close(struct await_curl *curl);

#endif
