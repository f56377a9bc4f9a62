"""Runs `norface ARGUMENT ...` with the quick networks of `killed_runs.py`, in Ray's workers too.

    python ray_runs.py ARGUMENT ...

Ray's workers are fresh processes: they find a `sitecustomize` in the folder that $QUICK names,
which takes the same networks.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FOR_WORKERS = """
import sys

if any(argument.endswith("default_worker.py") for argument in sys.orig_argv):
    sys.path.insert(0, {here!r})
    import killed_runs

    killed_runs.prepare()
"""

if __name__ == "__main__":
    here = Path(__file__).parent
    quick = Path(os.environ["QUICK"])
    (quick / "sitecustomize.py").write_text(_FOR_WORKERS.format(here=str(here)))
    os.environ["PYTHONPATH"] = str(quick)
    sys.path.insert(0, str(here))
    import killed_runs

    killed_runs.prepare()
    sys.exit(killed_runs.main(sys.argv[1:]))
