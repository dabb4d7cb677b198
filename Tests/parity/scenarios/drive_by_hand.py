# oldest: 3.11
# A coroutine driven with send, throw and close, without any loop (K-01).
from parity import Boom, attempt, say, say_error


class Rock:
    def __await__(self):
        say("rock: before")
        value = yield "pebble"
        say(f"rock: got {value}")
        return value


async def main():
    say("main: before")
    try:
        value = await Rock()
    except Boom as error:
        say_error("main: caught", error)
        return "after boom"
    except GeneratorExit:
        say("main: closing")
        raise
    say("main: after")
    return value


def send(coroutine, value):
    try:
        say("yielded " + coroutine.send(value))
    except StopIteration as stop:
        say("returned " + stop.value)


coroutine = main()
attempt("send at the start", coroutine.send, "early")
send(coroutine, None)
send(coroutine, "sent")
attempt("after its end", coroutine.send, None)

coroutine = main()
send(coroutine, None)
try:
    coroutine.throw(Boom("thrown"))
except StopIteration as stop:
    say("returned " + stop.value)

coroutine = main()
send(coroutine, None)
attempt("close", coroutine.close)
attempt("close again", coroutine.close)
attempt("after close", coroutine.send, None)

coroutine = main()
attempt("throw at the start", coroutine.throw, Boom("early"))
attempt("after that", coroutine.send, None)
