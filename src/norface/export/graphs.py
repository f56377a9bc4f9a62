"""Which parts of the networks become ONNX files, what they read and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from norface.export.faces import FaceExamples
from norface.models.classification import ClassificationNetwork, ClassificationOutput
from norface.models.encoder import Encoder
from norface.models.normalization import NormalizationNetwork


class Input(NamedTuple):
    """An input of a graph.

    Attributes:
        name: see `norface.export`.
        examples: (N, ...) one for each face, or (1, ...) the same for all.
        of_a_face: whether there is one for each face.
    """

    name: str
    examples: Tensor
    of_a_face: bool = True


class Output(NamedTuple):
    """An output of a graph: its name, and what it is (a key of `norface.export.parity.LIMITS`)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Graph:
    """One ONNX file to be.

    Attributes:
        file: its name.
        network: called with the inputs in their order, gives the outputs in theirs.
        inputs: all of them have an effect.
        outputs: at least one.
    """

    file: str
    network: nn.Module
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]

    @property
    def faces(self) -> int:
        """How many example faces there are."""
        return max(len(i.examples) for i in self.inputs)

    def examples(self, count: int, first: int = 0) -> tuple[Tensor, ...]:
        """The inputs of `count` faces."""
        return tuple(
            i.examples[first : first + count] if i.of_a_face else i.examples for i in self.inputs
        )

    def run(self, count: int) -> tuple[Tensor, ...]:
        """What PyTorch says of the first `count` faces."""
        with torch.no_grad():
            said = self.network(*self.examples(count))
        return (said,) if isinstance(said, Tensor) else tuple(said)


class _Render(nn.Module):
    """F_nor after its encoder."""

    def __init__(self, network: NormalizationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        original: Tensor,
        target: Tensor,
        target_image: Tensor,
        geometry: Tensor | None = None,
    ) -> Tensor:
        return self.network.render(original, geometry, target, target_image)


class _Read(nn.Module):
    """F_cla as a function of the inputs that it needs, logits turned into probabilities."""

    def __init__(self, network: ClassificationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        given = iter(inputs)
        original = next(given) if self.network.use_original else None
        normalized = next(given) if self.network.use_normalized else None
        geometry = next(given) if self.network.geometry is not None else None
        output: ClassificationOutput = self.network(original, normalized, geometry)
        said = []
        if output.intensity is not None and output.presence is not None:
            said += [output.intensity, output.presence.sigmoid()]
        if output.emotion is not None:
            said.append(output.emotion.softmax(-1))
        return tuple(said)


def normalization_graphs(network: NormalizationNetwork, faces: FaceExamples) -> list[Graph]:
    """The encoder, which reads any face, and the rest of F_nor."""
    encoder = Graph(
        "encoder.onnx",
        network.encoder,
        (Input("image", faces.image(network.encoder.image_size)),),
        (Output("tokens", "tokens"),),
    )
    inputs = [
        Input("original", faces.original),
        Input("target", faces.target, of_a_face=False),
        Input("target_image", faces.target_image, of_a_face=False),
    ]
    if network.geometry is not None:
        inputs.append(Input("geometry", faces.geometry))
    return [
        encoder,
        Graph(
            "normalizer.onnx",
            _Render(network),
            tuple(inputs),
            (Output("normalized", "normalized"),),
        ),
    ]


def classification_graph(network: ClassificationNetwork, faces: FaceExamples) -> Graph:
    """F_cla, with one head or both."""
    inputs = []
    if network.use_original:
        if network.encoder is None:
            inputs.append(Input("original", faces.original))
        else:
            inputs.append(Input("image", faces.image(network.encoder.image_size)))
    if network.use_normalized:
        reader: Encoder | None = network.normalized_encoder or network.encoder
        if reader is None:
            inputs.append(Input("normalized", faces.normalized))
        else:
            inputs.append(Input("normalized_image", faces.normalized_image(reader.image_size)))
    if network.geometry is not None:
        inputs.append(Input("geometry", faces.geometry))

    units = [Output("intensity", "intensity"), Output("probability", "probability")]
    if network.heads == ("action_units",):
        return Graph("action_units.onnx", _Read(network), tuple(inputs), tuple(units))
    if network.heads == ("emotions",):
        only = (Output("probability", "emotion"),)
        return Graph("emotions.onnx", _Read(network), tuple(inputs), only)
    both = (*units, Output("emotion", "emotion"))
    return Graph("classification.onnx", _Read(network), tuple(inputs), both)


def reads_tokens(network: ClassificationNetwork) -> bool:
    """Whether F_cla reads tokens of F_nor's encoder."""
    original = network.use_original and network.encoder is None
    reader = network.normalized_encoder or network.encoder
    return original or (network.use_normalized and reader is None)


def check_heads(networks: Sequence[ClassificationNetwork]) -> None:
    """See that no two networks read the same.

    Raises:
        ValueError: they do.
    """
    heads = [head for network in networks for head in network.heads]
    twice = sorted({head for head in heads if heads.count(head) > 1})
    if twice:
        raise ValueError(
            f"several networks read {' and '.join(twice)}: leave one of the checkpoints out"
        )
