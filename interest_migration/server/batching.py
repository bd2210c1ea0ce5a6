"""Puts the rows of requests that wait together into one call of the model.

All versions share the worker threads. Requests of the same version, signature and inner shapes form a lane; while a
call of their lane that is not full is under way, or all workers are busy, they gather. A worker that becomes free takes
the oldest one and, with it, further ones of its lane, up to `max_batch` rows. Full batches never wait for each other:

    waiting: a(2 rows) b(1) c(other signature) d(1)   max_batch 3  ->  calls [a, b] and [c], then [d]

The rows are joined and the answer is cut into the requests' own rows. If the model refuses a batch, each of
its requests is called alone, so that one bad request fails alone.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from interest_migration.server.calls import Array, rows_of

Arrays = dict[str, Array]
Run = Callable[[Sequence[Mapping[str, Array]]], Arrays]
"""Joins the inputs of some requests and calls the model."""
Result = Arrays | Exception


@dataclass
class _Waiting:
    """One request that waits."""

    run: Run
    inputs: Mapping[str, Array]
    rows: int
    may_wait: bool
    answer: "asyncio.Future[Arrays]"
    since: float = field(default_factory=time.monotonic)


class BatchScheduler:
    """Runs calls in worker threads, batched.

    Args:
      workers: Number of threads.
      max_batch: Rows of one call; a larger request is called alone.
      timeout_s: How long a batch that is not full waits though a worker is idle.
      observe: Told rows and seconds of every call of a model.
    """

    def __init__(
        self, workers: int, max_batch: int, timeout_s: float, observe: Callable[[int, float], None] = lambda *_: None
    ) -> None:
        self._idle, self._max_batch, self._timeout_s, self._observe = workers, max_batch, timeout_s, observe
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="model")
        self._waiting: OrderedDict[Hashable, deque[_Waiting]] = OrderedDict()
        self._gathering: set[Hashable] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, key: Hashable | None, run: Run, inputs: Mapping[str, Array]) -> Arrays:
        """Answers one request.

        Args:
          key: Requests with the same key may share a call. None: this one is called alone.
          run: Joins the inputs of some requests with this key and calls the model; called in a worker thread.
          inputs: Input name -> array.

        Returns:
          Output name -> array, the request's own rows.
        """
        future: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        alone = key is None or self._max_batch == 1
        request = _Waiting(run, inputs, rows_of(inputs), not alone, future)
        self._waiting.setdefault(object() if alone else key, deque()).append(request)
        self._start()
        return await future

    def close(self) -> None:
        """Lets the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        """Gives waiting requests to idle workers."""
        while self._idle and (lane := self._next_lane()) is not None:
            batch = self._take(lane)
            if batch:
                self._idle -= 1
                if not self._is_full(batch):
                    self._gathering.add(lane)
                job = asyncio.get_running_loop().run_in_executor(self._threads, _answer, batch)
                job.add_done_callback(partial(self._deliver, lane, batch))

    def _next_lane(self) -> Hashable | None:
        """Returns the lane of the request that has waited longest and need not wait for company."""
        now, soonest = time.monotonic(), float("inf")
        for lane, waiting in self._waiting.items():
            is_full = self._is_full(waiting)
            if lane in self._gathering and not is_full:
                continue
            due = waiting[0].since + (self._timeout_s if waiting[0].may_wait else 0)
            if due <= now or is_full:
                return lane
            soonest = min(soonest, due)
        if soonest < float("inf") and (self._timer is None or self._timer.cancelled() or self._timer.when() < now):
            self._timer = asyncio.get_running_loop().call_later(max(0.0, soonest - now), self._start)
        return None

    def _is_full(self, requests: Iterable[_Waiting]) -> bool:
        return sum(each.rows for each in requests) >= self._max_batch

    def _take(self, lane: Hashable) -> list[_Waiting]:
        waiting, rows = self._waiting[lane], 0
        batch: list[_Waiting] = []
        while waiting and (not batch or rows + waiting[0].rows <= self._max_batch):
            request = waiting.popleft()
            if not request.answer.done():  # else nobody waits for it any more
                batch.append(request)
                rows += request.rows
        del self._waiting[lane]
        if waiting:
            self._waiting[lane] = waiting  # behind those that came before its oldest
        return batch

    def _deliver(
        self, lane: Hashable, batch: Sequence[_Waiting], done: "asyncio.Future[tuple[list[Result], float]]"
    ) -> None:
        self._idle += 1
        if not self._is_full(batch):
            self._gathering.discard(lane)
        if not done.cancelled():
            results, seconds = done.result()
            self._observe(sum(request.rows for request in batch), seconds)
            for request, result in zip(batch, results, strict=True):
                if request.answer.done():
                    continue
                if isinstance(result, Exception):
                    request.answer.set_exception(result)
                else:
                    request.answer.set_result(result)
        self._start()


def _answer(batch: Sequence[_Waiting]) -> tuple[list[Result], float]:
    """Calls the model once, or request by request if it refuses the batch; returns the answers and the seconds."""
    began = time.perf_counter()
    results: list[Result]
    try:
        results = list(_together(batch))
    except Exception as error:  # it belongs to a request, not to the worker
        results = [error] if len(batch) == 1 else [_answer([request])[0][0] for request in batch]
    return results, time.perf_counter() - began


def _together(batch: Sequence[_Waiting]) -> list[Arrays]:
    if len(batch) == 1:
        return [batch[0].run([batch[0].inputs])]
    outputs = batch[0].run([request.inputs for request in batch])
    total = sum(request.rows for request in batch)
    if any(np.ndim(value) == 0 or len(value) != total for value in outputs.values()):
        raise ValueError(f"expected outputs of {total} rows, as the inputs have")
    ends = np.cumsum([request.rows for request in batch])
    return [
        {name: value[end - request.rows : end] for name, value in outputs.items()}
        for request, end in zip(batch, ends.tolist(), strict=True)
    ]
