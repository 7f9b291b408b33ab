"""The guide's code runs as it stands."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs/python.md"


def test_the_guide_runs(tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) > 4 and 40 <= sum(block.count("\n") for block in blocks) <= 80
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)  # noqa: S102
