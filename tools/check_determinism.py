"""Check that painted faces have the same bytes whatever the processor offers.

    python tools/check_determinism.py [COUNT] [SIZE] [WITHOUT ...]

Renders a few samples as the machine is, then with newer instructions withheld (from the
``libraries`` NumPy, OpenBLAS, OpenCV and C, and from the code that ``numba`` compiles), each in its
own process, and compares checksums.
"""

from __future__ import annotations

import os
import subprocess
import sys

_RENDER = """
import sys, zlib
from norface.synthesis.samples import render_sample
for index in range(int(sys.argv[1])):
    picture = render_sample(31, index, int(sys.argv[2])).picture
    print(index, *(zlib.crc32(values.tobytes()) for values in
                   (picture.image, picture.parts, picture.vertices, picture.intensity)))
"""

WITHHELD = {
    "libraries": {
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
        "OPENCV_CPU_DISABLE": "AVX2,FP16,AVX,AVX512-SKX,AVX512-COMMON,FMA3",
    },
    "numba": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}


def checksums(count: int, size: int, changes: dict[str, str]) -> str:
    """One line a sample: its index and the checksums of picture, parts, vertices, intensities."""
    command = [sys.executable, "-W", "ignore", "-c", _RENDER, str(count), str(size)]
    return subprocess.run(
        command, env={**os.environ, **changes}, check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    """Compare every reduced machine with the whole one."""
    given = sys.argv[1:]
    count, size = (int(v) for v in (given[:2] + ["6", "128"][len(given[:2]) :]))
    whole = checksums(count, size, {})
    failed = False
    for name in given[2:] or WITHHELD:
        reduced = checksums(count, size, WITHHELD[name])
        print(f"{name}: {'the same' if reduced == whole else 'DIFFERS'}")
        if reduced != whole:
            failed = True
            for one, other in zip(whole.splitlines(), reduced.splitlines(), strict=True):
                if one != other:
                    print(f"  {one}\n  {other}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
