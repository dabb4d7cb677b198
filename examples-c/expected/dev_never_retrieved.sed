# the state of the coroutine and its place, as far as they are told
s/coro=<bug()[^>]*>/coro=<bug()>/
# what follows is the description of the error, Python's traceback
3,$d
