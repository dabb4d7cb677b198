"""What the Python halves of the parity scenarios share; parity.h says the same in C."""
import asyncio

# Sentences that rondo's statuses have word for word; of other errors only the class is compared,
# because a bare status carries no message.
SENTENCES = (
    "Event loop is closed",
    "This event loop is already running",
    "Cannot run the event loop while another loop is running",
    "Event loop stopped before Future completed.",
    "no running event loop",
    "cannot reuse already awaited coroutine",
)


class Boom(Exception):
    """The program's own error: RONDO_DOMAIN_USER."""


def say(line):
    print(line, flush=True)


def brief(message):
    """A message without what differs from run to run: everything from the first '<' on."""
    if message.startswith("Exception in callback"):
        return "Exception in callback"
    return message.split("<")[0].rstrip(": ")


def error_text(error):
    message = brief(str(error))
    return type(error).__name__ + (": " + message if message else "")


def say_error(label, error):
    say(label + ": " + error_text(error))


def outcome(label, future):
    if not future.done():
        say(label + ": pending")
    elif future.cancelled():
        say(label + ": cancelled")
    elif future.exception() is not None:
        say_error(label + ": raised", future.exception())
    else:
        say(label + ": result " + str(future.result()))


def attempt(label, function, *args, **options):
    """Call it and say whether it was allowed."""
    try:
        function(*args, **options)
    except Exception as error:
        text = type(error).__name__
        if str(error) in SENTENCES:
            text += ": " + str(error)
        say(label + ": " + text)
    else:
        say(label + ": ok")


def watch(loop):
    """Print what reaches the exception handler."""
    def handler(loop, context):
        say("handler: " + brief(context["message"]))
        if "exception" in context:
            say_error("handler: exception", context["exception"])
    loop.set_exception_handler(handler)


def new_loop():
    loop = asyncio.new_event_loop()
    watch(loop)
    return loop


class Ticks:
    """Counts the passes of a loop with a callback that schedules itself."""

    def __init__(self, loop):
        self.loop, self.count, self.on = loop, 0, True
        loop.call_soon(self.tick)

    def tick(self):
        if self.on:
            self.count += 1
            self.loop.call_soon(self.tick)

    def stop(self):
        self.on = False
        return self.count
