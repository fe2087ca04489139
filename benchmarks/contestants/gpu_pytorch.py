"""PyTorch on a GPU. Each line on stdin is a number of iterations; the answer has the milliseconds of one."""

import json
import sys
import time

import pytorch
import torch


def main():
    setting = json.loads(sys.argv[1])
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    contestant = pytorch.build(setting)

    def run(n):
        began = time.perf_counter()
        for _ in range(n):
            contestant.step()
        torch.cuda.synchronize()
        return (time.perf_counter() - began) / n * 1e3

    run(1)
    print(json.dumps({"versions": contestant.versions}), flush=True)
    run(5)
    for line in sys.stdin:
        print(json.dumps({"step": run(int(line)), "memory": torch.cuda.max_memory_allocated()}), flush=True)


if __name__ == "__main__":
    main()
