#!/usr/bin/env python3
"""line_client.py - examples-c/line_client.c from Python's ctypes: no C compiler, no asyncio.

Opens connections to line_server at once, sends the lines of a file over each, and compares every
byte that comes back. Coroutines are Python generators behind one step callback: they yield the
rondo futures that they await.
Usage: line_client.py PORT [CONNECTIONS [FILE]]      The library is $RONDO_LIBRARY or librondo.so.0.
"""
import ctypes
import itertools
import os
import resource
import socket
import struct
import sys
import time
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p

STEP = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p)
DROP = ctypes.CFUNCTYPE(None, c_void_p)
OUT = POINTER(c_void_p)
CHUNK = 4096

# name: (what it returns, its parameters); a handle is an opaque pointer
FUNCTIONS = {
    "constant_get": (c_int32, c_char_p, POINTER(c_int64)),
    "status_message": (c_char_p, c_int32),
    "coroutine_new": (c_int32, c_char_p, STEP, c_void_p, DROP, OUT),
    "coroutine_release": (c_int32, c_void_p),
    "coroutine_await_moved": (c_int32, c_void_p, c_void_p),
    "coroutine_return": (c_int32, c_void_p, c_void_p, c_void_p),
    "coroutine_raise": (c_int32, c_void_p, c_void_p),
    "coroutine_raise_new": (c_int32, c_void_p, c_int32, c_int32, c_char_p),
    "error_get_message": (c_char_p, c_void_p),
    "error_release": (c_int32, c_void_p),
    "future_new": (c_int32, c_void_p, OUT),
    "future_set_result": (c_int32, c_void_p, c_void_p, c_void_p),
    "future_cancel": (c_int32, c_void_p, c_char_p, c_void_p),
    "future_retain": (c_int32, c_void_p),
    "future_release": (c_int32, c_void_p),
    "future_result": (c_int32, c_void_p, c_void_p),
    "gather": (c_int32, c_void_p, OUT, c_size_t, c_uint32, OUT),
    "gather_get_exception": (c_int32, c_void_p, c_size_t, OUT),
    "loop_sock_connect": (c_int32, c_void_p, c_int32, c_void_p, c_uint32, OUT),
    "loop_sock_recv": (c_int32, c_void_p, c_int32, c_void_p, c_size_t, OUT),
    "loop_sock_sendall": (c_int32, c_void_p, c_int32, c_void_p, c_size_t, OUT),
    "run": (c_int32, c_void_p, c_void_p, OUT, OUT),
    "running_loop": (c_void_p,),
}


class Rondo:
    """The functions of the library, without their prefix."""

    def __init__(self, path):
        library = ctypes.CDLL(path)
        for name, (result, *parameters) in FUNCTIONS.items():
            function = getattr(library, "rondo_" + name)
            function.restype, function.argtypes = result, parameters
            setattr(self, name, function)

    def constant(self, name):
        value = c_int64()
        check(self.constant_get(name.encode(), byref(value)))
        return value.value


class Failure(Exception):
    """A call that failed, or the error of what was awaited."""


def check(status):
    if status != 0:
        raise Failure(rondo.status_message(status).decode())


rondo = Rondo(os.environ.get("RONDO_LIBRARY", "librondo.so.0"))
USER = rondo.constant("RONDO_DOMAIN_USER")
RETURN_EXCEPTIONS = rondo.constant("RONDO_GATHER_RETURN_EXCEPTIONS")

# ---- generators as coroutines -----------------------------------------------------------------

frames = {}  # number that the library has as "frame": the generator; until the library drops it
numbers = itertools.count(1)


@STEP
def step(co, frame, sent, thrown):
    """Run a generator to the next future that it awaits. No exception may leave a callback."""
    failure = None
    try:
        generator = frames[frame]
        if thrown:
            failure = Failure(rondo.error_get_message(thrown).decode())
            future = generator.throw(failure)
        else:
            future = generator.send(sent)
        return rondo.coroutine_await_moved(co, future)
    except StopIteration:
        return rondo.coroutine_return(co, None, None)
    except BaseException as error:
        if error is failure:  # not handled there: the library's own error goes on
            return rondo.coroutine_raise(co, thrown)
        return rondo.coroutine_raise_new(co, USER, 1, repr(error).encode())


@DROP
def drop(frame):
    """The coroutine has ended: end the generator, too, so that its finally runs now."""
    frames.pop(frame).close()


names = {}  # the library borrows names for as long as a coroutine lives; these live for ever


def name_of(generator):
    return names.setdefault(generator.__name__, c_char_p(generator.__name__.encode()))


def coroutine(generator):
    """A coroutine object of a generator; whoever gets it owns the reference."""
    number = next(numbers)
    frames[number] = generator
    handle = c_void_p()
    check(rondo.coroutine_new(name_of(generator), step, number, drop, byref(handle)))
    return handle


def future_of(function, *arguments):
    """Start an operation of the running loop; its future, owned."""
    future = c_void_p()
    check(function(rondo.running_loop(), *arguments, byref(future)))
    return future


def shared(future):
    """One more reference: what a coroutine yields, the await takes, and this one is needed on."""
    check(rondo.future_retain(future))
    return future


# ---- the client ---------------------------------------------------------------------------------

class Client:
    def __init__(self, port, count, data):
        self.count, self.data, self.size = count, data, len(data)
        self.memory = ctypes.create_string_buffer(data, max(len(data), 1))  # stays where it is
        self.at = ctypes.addressof(self.memory)
        self.address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton("127.0.0.1"))
        self.connected = self.open = self.most_open = self.arrived = 0
        self.everyone = None  # a future that is done when all have arrived: then all talk at once
        self.lines = self.bytes = self.mismatches = self.failed = 0

    def chunks(self):
        """(where, how long) of whole lines: as many as fit into CHUNK, but at least one."""
        begin = end = 0
        while end < self.size:
            line = self.data.index(b"\n", end) + 1
            if end > begin and line - begin > CHUNK:
                yield begin, end - begin
                begin = end
            end = line
        if end > begin:
            yield begin, end - begin

    def verify(self, got, offset):
        expected = self.data[offset:offset + len(got)]
        if got != expected:
            self.mismatches += sum(a != b for a, b in zip(got, expected))
        self.lines += got.count(b"\n")
        self.bytes += len(got)

    def arrive(self):
        """One more has connected or failed to."""
        self.arrived += 1
        if self.arrived == self.count:
            rondo.future_set_result(self.everyone, None, None)  # or it was cancelled

    def talk(self):
        """One connection."""
        connection = socket.socket()
        connection.setblocking(False)
        fd = connection.fileno()
        buffer = ctypes.create_string_buffer(CHUNK)
        sending, arrived = None, False
        try:
            yield future_of(rondo.loop_sock_connect, fd, self.address, len(self.address))
            self.connected += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            arrived = True
            self.arrive()
            yield shared(self.everyone)
            for offset, size in self.chunks():
                # It receives while it sends, as the C client does.
                sending = future_of(rondo.loop_sock_sendall, fd, self.at + offset, size)
                received = 0
                while received < size:
                    room = min(CHUNK, size - received)
                    count = (yield future_of(rondo.loop_sock_recv, fd, buffer, room)) or 0
                    if count == 0:
                        raise Failure("the server closed the connection too early")
                    self.verify(buffer.raw[:count], offset + received)
                    received += count
                done, sending = sending, None
                yield done
            connection.shutdown(socket.SHUT_WR)
            self.mismatches += (yield future_of(rondo.loop_sock_recv, fd, buffer, 1)) or 0
            self.open -= 1
        finally:
            if not arrived:
                self.arrive()
            if sending is not None:
                rondo.future_cancel(sending, None, None)  # it may be done
                rondo.future_result(sending, None)        # and its failure is known
                rondo.future_release(sending)
            connection.close()

    def main(self):
        """All of them at once."""
        self.everyone = future_of(rondo.future_new)
        handles = (c_void_p * self.count)(*[coroutine(self.talk()).value for _ in range(self.count)])
        everything = future_of(rondo.gather, handles, self.count, RETURN_EXCEPTIONS)
        try:
            yield shared(everything)
            for i in range(self.count):
                self.count_failure(everything, i)
        finally:
            check(rondo.future_release(everything))
            check(rondo.future_release(self.everyone))

    def count_failure(self, everything, index):
        error = c_void_p()
        check(rondo.gather_get_exception(everything, index, byref(error)))
        if error:
            if self.failed == 0:
                message = rondo.error_get_message(error).decode()
                print(f"line_client.py: connection {index}: {message}", file=sys.stderr)
            self.failed += 1
            check(rondo.error_release(error))


def enough_descriptors(count):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < count + 32:
        print(f"line_client.py: {count} connections need {count + 32} descriptors and this process may have "
              f"{hard}: raise the hard limit (ulimit -Hn) or ask for fewer connections", file=sys.stderr)
        return False
    return True


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    port = int(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    path = sys.argv[3] if len(sys.argv) > 3 else "/usr/share/common-licenses/GPL-3"
    with open(path, "rb") as file:
        data = file.read()
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if not enough_descriptors(count):
        return 2
    client = Client(port, count, data)
    begin = time.monotonic()
    error = c_void_p()
    status = rondo.run(coroutine(client.main()), None, None, byref(error))
    if status != 0:
        reason = rondo.error_get_message(error) if error else rondo.status_message(status)
        print(f"line_client.py: {reason.decode()}", file=sys.stderr)
    rondo.error_release(error)
    print(f"line_client.py: {client.connected} connections, {client.lines} lines, {client.bytes} bytes, "
          f"{client.mismatches} mismatches, {client.failed} failed")
    print(f"elapsed: {(time.monotonic() - begin) * 1000:.0f} ms, at most {client.most_open} connections open at once")
    complete = client.connected == count and client.bytes == count * client.size and not frames
    return 0 if status == 0 and complete and client.mismatches == 0 and client.failed == 0 else 1


sys.exit(main())
