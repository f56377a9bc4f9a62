"""From checkpoints to the ONNX files that `norface.runtime` reads, each compared with its original.

    encoder.onnx         image -> tokens
    normalizer.onnx      original, geometry, target, target_image -> normalized
    action_units.onnx    a classification network with that head -> intensity, probability
    emotions.onnx        a classification network with that head -> probability
    classification.onnx  a classification network with both heads -> intensity, probability, emotion

A classification network reads, of ``original`` and ``normalized`` (tokens), ``image`` and
``normalized_image`` (pictures of the size that its encoder reads) and ``geometry``, what it was
built to read. N is dynamic wherever there is a face: 1 and many give the same results.

`graphs` says what becomes a file, `trace` makes it, `precision` shrinks it, `parity` compares it,
`faces` are what it is compared on, `folder` writes all.
"""

from __future__ import annotations

from norface.export.folder import Exported, export, export_networks
from norface.export.parity import Difference, ParityError
from norface.export.precision import PRECISIONS

__all__ = ["PRECISIONS", "Difference", "Exported", "ParityError", "export", "export_networks"]
