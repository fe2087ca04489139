"""Functions that run in processes of their own, forked from one that has already imported what they need."""

import multiprocessing
import os
import signal
import time


def starter(function, modules):
    """Returns a function that runs `function` in a new process and returns its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(modules)

    def start(*arguments):
        life = context.Process(target=function, args=arguments)
        life.start()
        life.join()
        return life.exitcode

    return start


def die_after(seconds):
    """Kills this process."""
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)
