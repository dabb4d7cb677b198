# oldest: 3.13
# A future cannot hold StopIteration: a RuntimeError with it as cause (F-09).
from parity import attempt, new_loop, outcome, say

loop = new_loop()
future = loop.create_future()
attempt("set_exception", future.set_exception, StopIteration())
outcome("future", future)
say("cause: " + type(future.exception().__cause__).__name__)
loop.close()
