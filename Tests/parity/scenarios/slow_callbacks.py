# oldest: 3.11
# Debug mode says which callbacks and steps are slow, in these words, in this order (D-01).
import asyncio
import logging
import re
from parity import Boom, new_loop, say


class Say(logging.Handler):
    def emit(self, record):
        text = record.getMessage()
        text = re.sub(r"<(\w*Handle) .*> took", r"<\1> took", text)
        text = re.sub(r"<Task (\w+) name='(\w+)' .*> took", r"<Task \1 \2> took", text)
        text = re.sub(r"took \d+\.\d\d\d seconds", "took N seconds", text)
        say(f"{record.levelname}: {text}")


logger = logging.getLogger("asyncio")
logger.propagate = False
logger.setLevel(logging.INFO)
logger.addHandler(Say())
loop = new_loop()


def passes(count):
    for _ in range(count):
        loop.stop()
        loop.run_forever()


def nothing():
    pass


def ignore(future):
    pass


def raises():
    raise Boom("callback")


def leaves():
    raise SystemExit


async def work():
    await asyncio.sleep(0)


say("production")
loop.slow_callback_duration = 0
loop.call_soon(nothing)
passes(1)
say("debug")
loop.set_debug(True)
passes(1)
say("calls")
loop.call_soon(nothing)
loop.call_soon(nothing)
passes(1)
say("timer")
loop.call_later(0, nothing)
passes(2)
say("done callback")
future = loop.create_future()
future.add_done_callback(ignore)
future.set_result(None)
passes(1)
say("task")
task = loop.create_task(work(), name="worker")
passes(1)
passes(1)
say("a task that waits")
future = loop.create_future()
task = loop.create_task(asyncio.wait_for(future, None), name="waiter")
passes(1)
future.set_result(None)
passes(2)
say("a callback that raises")
loop.call_soon(raises)
passes(1)
say("a callback that leaves")
loop.call_soon(leaves)
try:
    loop.run_forever()
except SystemExit:
    say("left")
say("not slow")
loop.slow_callback_duration = 3600
loop.call_soon(nothing)
passes(1)
say("production again")
loop.slow_callback_duration = 0
loop.set_debug(False)
loop.call_soon(nothing)
passes(1)
loop.close()
