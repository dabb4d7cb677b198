# oldest: 3.11
# Debug mode, switched at run time: which reports tell where their subject was made (F-19, L-13).
import gc

from parity import Boom, new_loop, say

loop = new_loop()


def told(loop, context):
    message = " ".join(context["message"].split()[:3])
    place = context.get("source_traceback")
    say(f"{message}: {'it is known who made it' if place else 'nobody knows who made it'}")


def bad():
    raise Boom("bad")


async def bug():
    raise Boom("bug")


def turn():
    loop.call_soon(loop.stop)
    loop.run_forever()


def forget():
    future = loop.create_future()
    future.set_exception(Boom("future"))
    del future
    gc.collect()
    task = loop.create_task(bug())
    turn()
    del task
    gc.collect()
    loop.call_soon(bad)
    turn()


loop.set_exception_handler(told)
for debug in False, True, False:
    loop.set_debug(debug)
    say(f"debug: {int(loop.get_debug())}")
    forget()

# Made in one mode, forgotten in the other: it is the making that counts.
future = loop.create_future()
loop.set_debug(True)
other = loop.create_future()
loop.set_debug(False)
for each in future, other:
    each.set_exception(Boom("late"))
del future, each
gc.collect()
del other
gc.collect()
loop.close()
