# oldest: 3.11
# SIGINT in the runs of a runner: the first cancels main, the second ends the run.
import asyncio
import os
import signal
from parity import say


async def interrupted(mode):
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        say(mode + ": cancelled")
        if mode == "swallows":
            return "value"
        if mode == "uncancels":
            asyncio.current_task().uncancel()
        if mode == "twice cancelled":
            asyncio.current_task().cancel()
        await asyncio.sleep(0)
        say(mode + ": cleaned up")
        if mode == "twice":
            loop = asyncio.get_running_loop()
            loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
            loop.call_soon(say, "twice: after the interrupt")
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                say(mode + ": cancelled by the close")
                raise
        raise


def run(mode):
    try:
        say(mode + ": returned " + str(runner.run(interrupted(mode))))
    except BaseException as error:
        say(mode + ": " + type(error).__name__)


signal.signal(signal.SIGINT, signal.default_int_handler)
runner = asyncio.Runner()
run("passes")
run("swallows")
run("uncancels")
run("twice cancelled")
run("passes")
run("twice")
runner.close()
say("closed")
