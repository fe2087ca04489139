"""Hosts as threads of this process, which tell each other what those of JAX tell."""

import threading
from concurrent.futures import ThreadPoolExecutor

from keras_gan import backend

WAITED = 60  # seconds for the other hosts


class Hosts:
    """Several hosts. Call it with a function to run on each: it returns their results, or the errors they raised."""

    def __init__(self, monkeypatch, count):
        self.count, self.place = count, threading.local()
        self.told, self.barrier = [None] * count, threading.Barrier(count)
        monkeypatch.setattr(backend, "hosts", lambda: (getattr(self.place, "number", 0), count))
        monkeypatch.setattr(backend, "exchanged", self.exchanged)
        monkeypatch.setattr(backend, "broadcast", lambda arrays: self.exchanged(arrays)[0])
        monkeypatch.setattr(backend, "give_signs", lambda: None)

    @property
    def number(self):
        return self.place.number

    def exchanged(self, value):
        self.told[self.place.number] = value
        self.barrier.wait(WAITED)
        told = list(self.told)
        self.barrier.wait(WAITED)
        return told

    def __call__(self, function):
        def run(number):
            self.place.number = number
            try:
                return function(number)
            except Exception as error:
                return error

        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(run, range(self.count)))
