"""Figures and pictures of a normalization training."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from norface.data.shards import Shards
from norface.losses.expression import expression_distance
from norface.losses.pixels import weighted_l1
from norface.models.normalization import NormalizationNetwork, NormalizationOutput
from norface.training.judges import Judges
from norface.training.normalization_batches import Batch, collate, plain_rows
from norface.training.normalization_config import NormalizationConfig
from norface.training.normalization_plan import Plan
from norface.training.pictures import sheet
from norface.training.run import Run

_PART = 32


@torch.no_grad()
def validate(
    run: Run[NormalizationConfig],
    network: NormalizationNetwork,
    shards: Shards,
    plan: Plan,
    judges: Judges,
) -> None:
    """Figures of both regimes on held-out identities, and sheets of pictures."""
    network.eval()
    figures: dict[str, float] = {}
    pictures: dict[str, NDArray[np.uint8]] = {}
    if len(plan.validation):
        figures |= paired_figures(run, network, shards, plan)
    if run.config.unpaired_share > 0:
        chosen = plan.unpaired_validation
        if len(chosen):
            figures |= unpaired_figures(run, network, shards, plan, judges)
        chosen = chosen[:12] if len(chosen) else plan.unpaired[:: max(len(plan.unpaired) // 12, 1)]
        pictures["unpaired"] = unpaired_sheet(run, network, shards, plan, chosen[:12])
    real = plan.training[shards.real[plan.training]]
    chosen = np.concatenate([plan.validation[:8], real[:: max(len(real) // 4, 1)][:4]])
    chosen = chosen if len(chosen) else plan.training[:8]
    if len(chosen):
        rows = plain_rows(chosen, shards.target_id[chosen], kind="paired")
        batch = collate(shards, plan, rows, run.config, None)
        out = _forward(run, network, batch)
        pictures["samples"] = sheet([batch.original, out.image, batch.truth])
    best = -figures["val_pixel"] if "val_pixel" in figures else None
    run.validated(figures, best=best, pictures=pictures)


def paired_figures(
    run: Run[NormalizationConfig], network: NormalizationNetwork, shards: Shards, plan: Plan
) -> dict[str, float]:
    """Pixel error, that of the neutral target itself, and how well actions are read.

    ``val_idle`` is what a network gets that ignores the face.
    """
    read, true, pixel, idle = [], [], 0.0, 0.0
    for start in range(0, len(plan.validation), _PART):
        part = plan.validation[start : start + _PART]
        rows = plain_rows(part, shards.target_id[part], kind="paired")
        batch = collate(shards, plan, rows, run.config, None)
        out = _forward(run, network, batch)
        still = batch.target[batch.target_index]
        pixel += float(weighted_l1(out.image.cpu(), batch.truth, batch.weight)) * len(part)
        idle += float(weighted_l1(still, batch.truth, batch.weight)) * len(part)
        read.append(out.actions.float().cpu().numpy())
        true.append(batch.actions.numpy())
    return {
        "val_pixel": pixel / len(plan.validation),
        "val_idle": idle / len(plan.validation),
        "val_action_correlation": mean_correlation(np.concatenate(read), np.concatenate(true)),
    }


def unpaired_figures(
    run: Run[NormalizationConfig],
    network: NormalizationNetwork,
    shards: Shards,
    plan: Plan,
    judges: Judges,
) -> dict[str, float]:
    """Held-out faces on the common face, judged by the encoders given.

    Cosines of identity with the target (high is good) and with the original (as low as the
    neutral target's own is good); distances of expression from the original, and ``_idle`` that of
    the neutral target itself; ``expression_rank``, how often the result is nearer in expression to
    its own original than to another one (0.5 is chance, which a result that is always the neutral
    target gets).
    """
    kept: dict[str, list[torch.Tensor]] = {}
    chosen = plan.unpaired_validation
    for start in range(0, len(chosen), _PART):
        part = chosen[start : start + _PART]
        rows = plain_rows(part, np.zeros(len(part), np.int64), kind="other")
        batch = collate(shards, plan, rows, run.config, None)
        image = _forward(run, network, batch).image
        faces = {
            "original": batch.clean.to(run.device),
            "target": batch.target[batch.target_index].to(run.device),
            "result": image,
        }
        for subject, judge in (("expression", judges.expression), ("identity", judges.identity)):
            if judge is None:
                continue
            for name, face in faces.items():
                kept.setdefault(f"{subject}_{name}", []).append(judge(face).float().cpu())
        moved = (image.cpu() - batch.target[batch.target_index]).abs().mean((1, 2, 3))
        kept.setdefault("change", []).append(moved)
    found = {name: torch.cat(values) for name, values in kept.items()}
    figures = {"change": float(found["change"].mean())}
    if judges.identity is not None:
        one = found["identity_result"]
        for name in ("target", "original"):
            cosine = F.cosine_similarity(one, found[f"identity_{name}"])
            figures[f"identity_to_{name}"] = float(cosine.mean())
        cosine = F.cosine_similarity(found["identity_target"], found["identity_original"])
        figures["identity_to_original_idle"] = float(cosine.mean())
    if judges.expression is not None:
        ours, theirs = found["expression_result"], found["expression_original"]
        figures["expression_distance"] = float(expression_distance(ours, theirs).mean())
        still = expression_distance(found["expression_target"], theirs)
        figures["expression_distance_idle"] = float(still.mean())
        figures["expression_rank"] = own_rank(ours, theirs)
    return figures


def own_rank(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """How often a row of (N, E) is nearer to its own row of the other (N, E) than to another row.

    0.5 is chance, 1 is always; NaN for fewer than two rows.
    """
    distance = torch.cdist(ours, theirs)
    own = distance.diagonal()[:, None]
    others = ~torch.eye(len(ours), dtype=torch.bool)
    wins = (own < distance).float() + 0.5 * (own == distance).float()
    return float(wins[others].mean())


def unpaired_sheet(
    run: Run[NormalizationConfig],
    network: NormalizationNetwork,
    shards: Shards,
    plan: Plan,
    chosen: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Rows of original, result on the common face, the face with another expression, and mended."""
    common = plain_rows(chosen, np.zeros(len(chosen), np.int64), kind="other")
    itself = plain_rows(chosen, np.full(len(chosen), -1), kind="own")
    columns = []
    for rows in (common, itself):
        batch = collate(shards, plan, rows, run.config, None)
        first = batch.clean if rows is common else batch.target
        columns += [first, _forward(run, network, batch).image]
    return sheet(columns)


def _forward(
    run: Run[NormalizationConfig], network: NormalizationNetwork, batch: Batch
) -> NormalizationOutput:
    inputs = (batch.original, batch.geometry, batch.target, batch.target_index)
    with run.autocast():
        out: NormalizationOutput = network(*(value.to(run.device) for value in inputs))
    return out


def mean_correlation(read: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """Mean over the actions that vary of Pearson's correlation; (N, 52) both."""
    a, b = read - read.mean(axis=0), true - true.mean(axis=0)
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    varies = b.std(axis=0) > 1e-3
    if not varies.any():
        return float("nan")
    return float(((a * b).sum(axis=0)[varies] / np.maximum(spread[varies], 1e-9)).mean())
