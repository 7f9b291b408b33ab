"""Times a batch of windows through an exported model in OpenVINO or ONNX Runtime on the CPU.

Prints one JSON line. One warm-up run comes first.
"""

import argparse
import json
import resource
import statistics
import time

import numpy as np


def onnx_runtime(args):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return onnxruntime.__version__, lambda windows: session.run(["logits"], {name: windows})[0]


def openvino(args):
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": args.threads, "INFERENCE_PRECISION_HINT": args.dtype, "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(args.model, "CPU", settings)
    used = str(compiled.get_property("INFERENCE_PRECISION_HINT"))
    if args.dtype == "bf16" and "bfloat16" not in used and "bf16" not in used:
        raise SystemExit(f"OpenVINO computes in {used} on this processor")
    request = compiled.create_infer_request()
    return openvino.__version__, lambda windows: request.infer({0: windows})[compiled.output("logits")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--engine", choices=("openvino", "onnxruntime"), required=True)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    version, run = (openvino if args.engine == "openvino" else onnx_runtime)(args)
    windows = np.random.default_rng(0).uniform(0, 255, (args.batch, 1, args.crop, args.crop)).astype(np.float32)
    assert run(windows).shape[0] == args.batch
    times = []
    for _ in range(args.repeats):
        start = time.perf_counter()
        run(windows)
        times.append(time.perf_counter() - start)
    print(json.dumps({
        **vars(args), "version": version,
        "median_s": statistics.median(times), "min_s": min(times), "max_s": max(times),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
