# oldest: 3.11
# An exception that nobody read is reported once, when its future goes (F-11, F-12, F-13).
import gc
from parity import Boom, new_loop, say

loop = new_loop()


def failed(message):
    future = loop.create_future()
    future.set_exception(Boom(message))
    return future


def drop():
    gc.collect()


say("not read")
future = failed("lost")
del future
drop()
say("read")
future = failed("seen")
future.exception()
del future
drop()
say("cancelled afterwards")
future = failed("cancelled")
future.cancel()
del future
drop()
say("awaited")


async def awaits(future):
    try:
        await future
    except Boom as error:
        say("caught " + str(error))


future = failed("awaited")
loop.run_until_complete(awaits(future))
del future
drop()
say("pending and with a result")
future = loop.create_future()
del future
future = loop.create_future()
future.set_result("x")
del future
drop()
say("task")


async def raises():
    raise Boom("task lost")


task = loop.create_task(raises())
loop.stop()
loop.run_forever()
del task
drop()
loop.close()
