# oldest: 3.11
# A callback that raises is reported and the batch goes on (L-13).
from parity import Boom, new_loop, outcome, say

loop = new_loop()


def bad():
    say("bad")
    raise Boom("one")


def bad_done(future):
    outcome("done", future)
    raise Boom("two")


loop.call_soon(bad)
loop.call_soon(say, "next")
future = loop.create_future()
future.add_done_callback(bad_done)
future.add_done_callback(lambda future: say("next done callback"))
loop.call_soon(future.set_result, "x")
loop.run_until_complete(future)
loop.call_exception_handler({"message": "my own"})
loop.call_exception_handler({"message": "with error", "exception": Boom("three")})
loop.close()
