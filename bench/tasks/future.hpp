// future.hpp - what C++20 coroutines and fibers need beside them to do asyncio's work: a run queue
// and a future. Waiter is what is woken: a coroutine handle, a pointer to a fiber.
#pragma once

#include <utility>
#include <vector>

#include "tasks.h"

// A queue that grows by doubling; std::deque allocates and frees a block every few hundred entries.
template <typename Waiter> class RunQueue {
public:
    bool empty() const { return head_ == tail_; }

    void push(Waiter waiter)
    {
        if (tail_ - head_ == slots_.size())
            grow();
        slots_[tail_++ & (slots_.size() - 1)] = waiter;
    }

    Waiter pop() { return slots_[head_++ & (slots_.size() - 1)]; }

private:
    void grow()
    {
        std::vector<Waiter> bigger(2 * slots_.size());
        for (std::size_t i = 0; i < slots_.size(); i++)
            bigger[i] = slots_[(head_ + i) & (slots_.size() - 1)];
        head_ = 0;
        tail_ = slots_.size();
        slots_.swap(bigger);
    }

    std::vector<Waiter> slots_ = std::vector<Waiter>(64);
    std::size_t head_ = 0, tail_ = 0;
};

// A result that comes later; counted without atomics, because one thread has all of it.
template <typename Waiter> class Future {
public:
    bool is_done = false;
    void *value = nullptr;
    Waiter waiter{};

    void retain() { references_++; }

    void release()
    {
        if (--references_ == 0)
            delete this;
    }

    void set_result(void *result, RunQueue<Waiter> &queue)
    {
        is_done = true;
        value = result;
        if (waiter)
            queue.push(waiter);
    }

private:
    int references_ = 1;
};

template <typename Waiter> class FutureRef {
public:
    FutureRef() = default;
    static FutureRef make() { return FutureRef(new Future<Waiter>); }
    FutureRef(FutureRef &&other) noexcept : future_(std::exchange(other.future_, nullptr)) {}
    FutureRef(const FutureRef &other) : future_(other.future_)
    {
        if (future_ != nullptr)
            future_->retain();
    }
    FutureRef &operator=(FutureRef other) noexcept
    {
        std::swap(future_, other.future_);
        return *this;
    }
    ~FutureRef()
    {
        if (future_ != nullptr)
            future_->release();
    }
    Future<Waiter> *operator->() const { return future_; }
    explicit operator bool() const { return future_ != nullptr; }

private:
    explicit FutureRef(Future<Waiter> *future) : future_(future) {}
    Future<Waiter> *future_ = nullptr;
};
