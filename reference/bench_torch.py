"""Times the work of the Rust benchmarks in PyTorch on the CPU.

Prints one JSON line. `train`: forward, both focal losses, backward and SGD step
of one batch. `infer`: forward of one batch of crops. `image`: sliding-window
inference of one whole image in batches of windows. One warm-up run comes first.
"""

import argparse
import json
import resource
import statistics
import time

import torch

import losses
import pipeline
from model import Segmentor, initialise


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", choices=("train", "infer", "image"), default="train")
    parser.add_argument("--arch", choices=tuple(Segmentor.HEADS), default="pspnet")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--layout", choices=("channels_last", "nchw"), default="channels_last")
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="2048x1536", help="width x height, for --work image")
    return parser.parse_args()


class Layout(torch.nn.Module):
    """Puts the input into the wanted memory layout before the model sees it."""

    def __init__(self, model, memory_format):
        super().__init__()
        self.model, self.memory_format = model, memory_format

    def forward(self, x):
        return self.model(x.contiguous(memory_format=self.memory_format)).float()


def make_work(args):
    """A function that does the chosen work once."""
    last = args.layout == "channels_last"
    memory_format = torch.channels_last if last else torch.contiguous_format
    model = initialise(Segmentor(args.arch)).to(memory_format=memory_format)
    crops = torch.randn(args.batch, 3, args.crop, args.crop).contiguous(memory_format=memory_format)
    label = torch.randint(0, 2, (args.batch, args.crop, args.crop), dtype=torch.uint8)

    if args.work == "train":
        model.train()
        optimiser = losses.sgd(model)

        def work():
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
                decode, aux = model.forward_train(crops)
            losses.total_loss(decode.float(), aux.float(), label).backward()
            optimiser.step()

        return work

    network = Layout(model.eval(), memory_format)
    width, height = map(int, args.size.split("x"))
    image = torch.randn(3, height, width) if args.work == "image" else None

    def work():
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
            if args.work == "infer":
                network(crops)
            else:
                pipeline.slide_logits(network, image, args.crop, args.crop // 2,
                                      args.batch).argmax(0)

    return work


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    work = make_work(args)
    work()
    times = []
    for _ in range(args.repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    print(json.dumps({
        **vars(args),
        "median_s": statistics.median(times), "min_s": min(times), "max_s": max(times),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
