"""workloads.py - what is measured, with whom, how often, and what is to be reached."""
PYTHONS = ("asyncio", "uvloop")
LABELS = {
    "ring": "raw C ring", "ring_library": "raw C ring in a .so",
    "heap4": "C 4-ary heap", "wheel": "C timing wheel", "mpsc": "C lock-free + eventfd",
    "eventfd": "C raw eventfd", "cpp20": "C++20 coroutines", "boost_context": "Boost.Context",
    "callbacks": "C state machine", "glib": "GLib", "asio": "Asio", "rondo_at": "rondo, call_at",
    "rondo_debug": "rondo, debug mode", "boost_fiber": "Boost.Fiber", "pool": "C pool + eventfd",
    "rondo_by_hand": "rondo, arguments packed by hand", "rondo_plain": "rondo, without arguments",
}


class Workload:
    """One table. Reaches are (how it is said, least speed ratio); None where the issue sets none."""

    def __init__(self, name, title, unit, family, work, count, peers, limits, peer_reach, limit_reach,
                 counts=None, repeat=1, also=()):
        self.name, self.title, self.unit = name, title, unit
        self.family, self.work, self.count = family, work, count
        self.peers, self.limits, self.also = peers, limits, also
        self.peer_reach, self.limit_reach = peer_reach, limit_reach
        self.counts = counts or {}  # where a contestant is too slow for the common count
        self.repeat = repeat  # so many times the rounds, where a run is short or the kernel has a say

    @property
    def contestants(self):
        """Those of `also` are shown and judge nothing."""
        return ["rondo", *self.peers, *self.limits, *self.also]


LOOPS = ["libev", "libuv", "libevent", "asio", "glib", *PYTHONS]
TIMERS = ["libev", "libuv", "libevent", *PYTHONS]
WAITERS = ["boost_fiber", *PYTHONS]
FASTER = ("> 1.00 x", 1.0)


def slow(python, **others):
    return {"asyncio": python, "uvloop": python, **others}


WORKLOADS = [
    Workload("call_soon", "call_soon, batches of 1,000 no-op callbacks", "ns per callback",
             "calls", "batch", 10_000_000, LOOPS, ["ring"], FASTER, (">= 0.75 x", 0.75),
             slow(300_000, glib=1_000_000), also=["ring_library", "rondo_debug"]),
    Workload("chain", "call_soon, one callback schedules the next", "ns per callback",
             "calls", "chain", 5_000_000, LOOPS, ["ring"], None, (">= 0.25 x", 0.25),
             slow(100_000, glib=400_000, libuv=1_000_000), also=["ring_library"]),
    Workload("timer_cancel", "1 M timers inserted and cancelled", "ns per timer",
             "timers", "cancel", 1_000_000, TIMERS, ["heap4", "wheel"],
             (">= 1.50 x", 1.5), (">= 0.60 x", 0.6), slow(100_000), also=["rondo_at"]),
    Workload("timer_fire", "1 M timers inserted and fired", "ns per timer",
             "timers", "fire", 1_000_000, TIMERS, ["heap4", "wheel"],
             (">= 1.50 x", 1.5), (">= 0.60 x", 0.6), slow(100_000), also=["rondo_at", "rondo_debug"]),
    Workload("timer_rearm", "one timer of 100 k re-armed 10 M times", "ns per re-arming",
             "timers", "rearm", 10_000_000, TIMERS, ["heap4", "wheel"],
             (">= 1.50 x", 1.5), (">= 0.60 x", 0.6), slow(100_000, libuv=3_000_000)),
    Workload("posts1", "thread-safe posts, 1 producer", "ns per call",
             "threads", "posts1", 2_000_000, LOOPS, ["mpsc"], (">= 2.00 x", 2.0), (">= 0.70 x", 0.7),
             slow(50_000, glib=200_000)),
    Workload("posts2", "thread-safe posts, 2 producers", "ns per call",
             "threads", "posts2", 2_000_000, LOOPS, ["mpsc"], (">= 2.00 x", 2.0), (">= 0.70 x", 0.7),
             slow(50_000, glib=200_000)),
    Workload("pingpong", "cross-thread ping-pong, two processors", "ns per round trip, p50",
             "threads", "pingpong", 1_000, LOOPS, ["eventfd"], None, ("<= 1.05 x its time", 1 / 1.05), repeat=5),
    Workload("pingpong1", "cross-thread ping-pong, one processor", "ns per round trip, p50",
             "threads", "pingpong1", 10_000, LOOPS, ["eventfd"], None, ("- (its time)", None), repeat=2),
    Workload("await", "await ping-pong of two coroutines through futures", "ns per turn",
             "tasks", "await", 5_000_000, ["boost_context", *PYTHONS], ["cpp20"], None, (">= 0.60 x", 0.6),
             slow(100_000), also=["callbacks", "rondo_debug"]),
    Workload("spawn", "spawn, one yield, finish: 1 M coroutines, 1,000 alive", "ns per coroutine",
             "tasks", "spawn", 1_000_000, ["boost_context", *PYTHONS], ["cpp20"], None, (">= 0.60 x", 0.6),
             slow(50_000), also=["callbacks", "rondo_debug"]),
    Workload("bytes", "memory per suspended coroutine", "bytes, resident",
             "tasks", "bytes", 1_000_000, ["boost_context", *PYTHONS], ["cpp20"], None, None,
             slow(100_000, boost_context=100_000), also=["callbacks"]),
    Workload("lock", "a lock that two tasks want, handed over each time", "ns per acquisition",
             "waits", "lock", 1_000_000, WAITERS, ["cpp20"], FASTER, None, slow(50_000), also=["rondo_debug"]),
    Workload("semaphore", "four units that eight tasks want", "ns per acquisition",
             "waits", "semaphore", 1_000_000, WAITERS, ["cpp20"], FASTER, None, slow(50_000)),
    Workload("queue", "a queue with room for one, from one task to another", "ns per item",
             "waits", "queue", 1_000_000, WAITERS, ["cpp20"], FASTER, None, slow(50_000), also=["rondo_debug"]),
    Workload("group", "task groups of 1,000 children that yield once", "ns per child",
             "waits", "group", 1_000_000, WAITERS, ["cpp20"], FASTER, None, slow(50_000, boost_fiber=50_000)),
    Workload("gather", "gathers of 1,000 coroutines that yield once", "ns per child",
             "waits", "gather", 1_000_000, WAITERS, ["cpp20"], FASTER, None, slow(50_000)),
    Workload("timeout", "timeouts of ten seconds, entered and left", "ns per timeout",
             "waits", "timeout", 1_000_000, list(PYTHONS), [], FASTER, None, slow(50_000)),
    Workload("jobs", "no-op jobs in a pool of four, completion on the loop, 1,000 at a time", "ns per job",
             "executor", "jobs", 500_000, ["libuv", "glib", *PYTHONS], ["pool"], (">= 1.50 x", 1.5), (">= 0.70 x", 0.7),
             slow(20_000, glib=200_000)),
    Workload("job", "one no-op job at a time", "ns per job",
             "executor", "single", 50_000, ["libuv", "glib", *PYTHONS], ["pool"], None, None,
             slow(10_000)),
    Workload("typed", "typed calls of three arguments, batches of 1,000", "ns per call",
             "foreign", "typed", 5_000_000, ["rondo_by_hand"], [], None, None, also=["rondo_plain"]),
    Workload("completer", "futures completed by a thread, 1,000 at a time", "ns per future",
             "foreign", "completer", 1_000_000, ["rondo_by_hand"], [], None, None, also=["rondo_plain"]),
    Workload("load", "load the library, make a loop, run one callback, destroy", "us, all of it",
             "load", "load", 1, ["libev", "libuv", "libevent", "glib"], [], ("<= its time", 1.0), None,
             repeat=15),
]
MOST_BYTES = 160  # per suspended task besides its frame
MOST_OF_OTHERS = 0.05  # of the processors; above it a table is marked as disturbed
MOST_SO_BYTES = 300 * 1024  # of the library, stripped
