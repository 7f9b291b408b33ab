"""Writes the PyTorch files that the reader of weights is tested with: every layout of `torch.save` that is still
made, and one that must never be executed. Run `python reference/make_weight_files.py`.
"""

import os
import pathlib
import pickle

import torch

FOLDER = pathlib.Path(__file__).parent / "fixtures" / "weights"


class Trap:
    """Unpickling this by executing it would make a folder."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    values = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4
    state = {
        "conv1.weight": values,
        "bn1.running_mean": values[:, 1].clone(),
        "bn1.num_batches_tracked": torch.tensor(7),
        "half.weight": values.to(torch.float16),
        "brain.weight": values.to(torch.bfloat16),
        "double.weight": values.to(torch.float64),
        "view.weight": values.t(),
    }
    torch.save(state, FOLDER / "zip.pth")
    torch.save(state, FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)
    nested = {"meta": {"epoch": 3}, "state_dict": {f"backbone.{k}": v for k, v in state.items()}}
    torch.save(nested, FOLDER / "nested.pth")
    (FOLDER / "trap.pth").write_bytes(pickle.dumps({"conv1.weight": Trap()}))


if __name__ == "__main__":
    main()
