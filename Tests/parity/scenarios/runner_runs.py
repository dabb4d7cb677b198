# oldest: 3.11
# Runner: several runs on one loop and in one context, its states, what it refuses.
import asyncio
import contextvars
from parity import Boom, attempt, error_text, say

var = contextvars.ContextVar("var", default="outer")


async def sets(value):
    say("sees " + var.get())
    var.set(value)
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(lambda: say("callback sees " + var.get()))
    await asyncio.sleep(0)
    return value


async def raises():
    var.set("raised")
    raise Boom("in a run")


async def never():
    say("never")


async def nested():
    coroutine = never()
    attempt("nested run", runner.run, coroutine)
    coroutine.close()
    say("same loop: " + str(int(runner.get_loop() is asyncio.get_running_loop())))


def refused(label, runner):
    coroutine = never()
    attempt(label, runner.run, coroutine)
    coroutine.close()


runner = asyncio.Runner()
runner.close()  # nothing to close: it can still be used
say("run: " + runner.run(sets("five")))
say("outside " + var.get())
loop = runner.get_loop()
say("run: " + runner.run(sets("six")))
try:
    runner.run(raises())
except Boom as error:
    say("raised " + error_text(error))
say("in a context: " + runner.run(sets("seven"), context=contextvars.Context()))
say("run: " + runner.run(sets("eight")))
runner.run(nested())
say("one loop: " + str(int(runner.get_loop() is loop)))
say("outside " + var.get())
runner.close()
runner.close()
say("closed: " + str(int(loop.is_closed())))
refused("run after close", runner)
attempt("get_loop after close", runner.get_loop)
runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
loop = runner.get_loop()
loop.close()
refused("run on a closed loop", runner)
attempt("close on a closed loop", runner.close)
attempt("close again", runner.close)
