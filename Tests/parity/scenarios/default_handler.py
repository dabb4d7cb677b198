# oldest: 3.11
# What the default exception handler logs, and what becomes of a handler that raises (D-02, D-03).
import logging
from parity import Boom, new_loop, say


class Say(logging.Handler):
    def emit(self, record):
        lines = record.getMessage().split("\n")
        say(f"{record.levelname}: {lines[0]}")


logger = logging.getLogger("asyncio")
logger.propagate = False
logger.addHandler(Say())
loop = new_loop()


def bad_handler(loop, context):
    raise Boom("handler")


say("default")
loop.set_exception_handler(None)
loop.call_exception_handler({})
loop.call_exception_handler({"message": "only a message"})
loop.call_exception_handler({"message": "with an error", "exception": Boom("lost")})
say("a handler that raises")
loop.set_exception_handler(bad_handler)
loop.call_exception_handler({"message": "first"})
say("a logger that does not listen")
loop.set_exception_handler(None)
logger.setLevel(logging.CRITICAL)
loop.call_exception_handler({"message": "unheard"})
loop.close()
