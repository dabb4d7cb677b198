// Locks, queues and joins with C++20 coroutines: the least that does the work.
//
// Every wake-up goes through the run queue, waiters stand in a list through their own frames, and a
// lock, a unit or an item is handed to who waits first. Nothing can be cancelled, no failure is
// reported, and no object is checked.
#include "waits.h"

#include "../tasks/future.hpp"

#include <coroutine>

using Handle = std::coroutine_handle<>;

static RunQueue<Handle> queue;

struct Pass {
    bool await_ready() const noexcept { return false; }
    void await_suspend(Handle coroutine) const { queue.push(coroutine); }
    void await_resume() const noexcept {}
};

// Who waits for many to end; the last of them wakes it.
struct Latch {
    long left = 0;
    Handle waiter{};

    void one_done()
    {
        if (--left == 0 && waiter)
            queue.push(waiter);
    }
    bool await_ready() const noexcept { return left == 0; }
    void await_suspend(Handle coroutine) noexcept { waiter = coroutine; }
    void await_resume() const noexcept {}
};

struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        Pass initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() { std::abort(); }
    };
};

static void run_to_end(Latch &latch)
{
    while (!queue.empty())
        queue.pop().resume();
    BENCH_CHECK(latch.left == 0);
}

// First in, first out, through the waiters' own frames.
struct Line {
    struct Place {
        Place *next = nullptr;
        Handle coroutine{};
    };
    Place *first = nullptr, *last = nullptr;

    bool empty() const { return first == nullptr; }
    void join(Place &place, Handle coroutine)
    {
        place.coroutine = coroutine;
        place.next = nullptr;
        (empty() ? first : last->next) = &place;
        last = &place;
    }
    void wake_first()
    {
        Place *place = first;
        first = place->next;
        queue.push(place->coroutine);
    }
};

// ---- lock, semaphore --------------------------------------------------------------------------

struct Units {
    long free;
    Line line;

    struct Acquire : Line::Place {
        Units &units;
        explicit Acquire(Units &from) : units(from) {}
        bool await_ready() noexcept
        {
            if (units.free == 0)
                return false;
            units.free--;
            return true;
        }
        void await_suspend(Handle coroutine) { units.line.join(*this, coroutine); }
        void await_resume() const noexcept {}
    };
    Acquire acquire() { return Acquire(*this); }
    void put_back()
    {
        if (line.empty())
            free++;
        else
            line.wake_first();
    }
};

static Detached use(Units &units, long times, Latch &done)
{
    for (; times > 0; times--) {
        co_await units.acquire();
        co_await Pass{};
        units.put_back();
    }
    done.one_done();
}

static void share(long free, long users, long count)
{
    Units units{free, {}};
    Latch done{users};

    for (long i = 0; i < users; i++)
        use(units, count / users, done);
    run_to_end(done);
}

// ---- queue ------------------------------------------------------------------------------------

// A queue with room for one.
struct Box {
    void *item = nullptr;
    Line putters, getters;

    struct Room : Line::Place {
        Box &box;
        explicit Room(Box &in) : box(in) {}
        bool await_ready() const noexcept { return box.item == nullptr; }
        void await_suspend(Handle coroutine) { box.putters.join(*this, coroutine); }
        void await_resume() const noexcept {}
    };
    struct Item : Line::Place {
        Box &box;
        explicit Item(Box &in) : box(in) {}
        bool await_ready() const noexcept { return box.item != nullptr; }
        void await_suspend(Handle coroutine) { box.getters.join(*this, coroutine); }
        void await_resume() const noexcept {}
    };
};

static Detached put_all(Box &box, long items, Latch &done)
{
    for (; items > 0; items--) {
        co_await Box::Room(box);
        box.item = &box;
        if (!box.getters.empty())
            box.getters.wake_first();
    }
    done.one_done();
}

static Detached get_all(Box &box, long items, Latch &done)
{
    for (; items > 0; items--) {
        co_await Box::Item(box);
        BENCH_CHECK(std::exchange(box.item, nullptr) != nullptr);
        if (!box.putters.empty())
            box.putters.wake_first();
    }
    done.one_done();
}

static void hand_over(long count)
{
    Box box;
    Latch done{2};

    put_all(box, count, done);
    get_all(box, count, done);
    run_to_end(done);
}

// ---- group, gather ----------------------------------------------------------------------------

static Detached child(Latch &done)
{
    co_await Pass{};
    done.one_done();
}

static Detached child_with_result(void *&result, Latch &done)
{
    co_await Pass{};
    result = &done;
    done.one_done();
}

static Detached parent(long count, bool keeps_results, Latch &end)
{
    std::vector<void *> results(CHILDREN);

    for (; count > 0; count -= CHILDREN) {
        Latch done{CHILDREN};
        for (int i = 0; i < CHILDREN; i++) {
            if (keeps_results)
                child_with_result(results[i], done);
            else
                child(done);
        }
        co_await done;
    }
    end.one_done();
}

static void groups(long count)
{
    Latch end{1};

    parent(count, false, end);
    run_to_end(end);
}

static void gathers(long count)
{
    Latch end{1};

    parent(count, true, end);
    run_to_end(end);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    if (bench_is(argv, "lock"))
        return waits_measure([](long times) { share(1, LOCKERS, times); }, count);
    if (bench_is(argv, "semaphore"))
        return waits_measure([](long times) { share(UNITS, USERS, times); }, count);
    if (bench_is(argv, "queue"))
        return waits_measure(hand_over, count);
    if (bench_is(argv, "group"))
        return waits_measure(groups, count);
    if (bench_is(argv, "gather"))
        return waits_measure(gathers, count);
    return bench_unknown(argv);
}
