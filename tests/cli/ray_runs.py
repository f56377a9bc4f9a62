"""Runs `norface ARGUMENT ...` with the quick networks of `killed_runs.py`, in Ray's workers too.

    python ray_runs.py ARGUMENT ...

Ray's workers are fresh processes: they find a `sitecustomize` in the folder that $QUICK names,
which takes the same networks. $MACHINE is the name that those of one machine have; $FATE is what
becomes of it: `lost` with the first picture that is read there, `old`, with another norface, or
`broken`, where no worker outlives its start.
While $QUICK holds a file `meet`, the machines wait until two of them have work.
With $ONCE a unit is given up when the first worker that does it is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FOR_WORKERS = """
import sys

if any(argument.endswith("default_worker.py") for argument in sys.orig_argv):
    sys.path.insert(0, {here!r})
    import ray_runs

    ray_runs.prepare_worker()
"""


def environment(quick: Path) -> dict[str, str]:
    """What processes need so that the workers they start take the quick networks."""
    (quick / "sitecustomize.py").write_text(_FOR_WORKERS.format(here=str(Path(__file__).parent)))
    path = os.pathsep.join([str(quick), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "QUICK": str(quick), "PYTHONPATH": path}


def prepare_worker() -> None:
    import killed_runs

    import norface
    from norface.cli.work.ray_actor import RayActor

    killed_runs.prepare()
    fate = os.environ.get("FATE")
    if fate == "old":
        norface.__version__ = "0.0"
    elif fate == "broken":
        RayActor.__init__ = lambda *_: os._exit(1)
    read = killed_runs.Networks.read

    def read_here(self: killed_runs.Networks, crops: Sequence[Any]) -> list[Any]:
        machine, quick = os.environ.get("MACHINE", ""), Path(os.environ["QUICK"])
        (quick / f"worked-{machine}").touch()
        # Else a quick machine may have done everything before another has begun.
        while (quick / "meet").exists() and len(list(quick.glob("worked-*"))) < 2:
            time.sleep(0.05)
        if fate == "lost":
            # The other's only core is taken by then.
            while not (quick / "worked-first").exists():
                time.sleep(0.05)
            # Ray's process for the machine, whose end is that of all others there.
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        return read(self, crops)

    killed_runs.Networks.read = read_here


if __name__ == "__main__":
    os.environ.update(environment(Path(os.environ["QUICK"])))
    sys.path.insert(0, str(Path(__file__).parent))
    import killed_runs

    from norface.cli.work import crew

    killed_runs.prepare()
    if "ONCE" in os.environ:
        crew._ATTEMPTS = 1
    sys.exit(killed_runs.main(sys.argv[1:]))
