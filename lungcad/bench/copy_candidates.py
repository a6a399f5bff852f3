"""An entry about where candidates of copies come from: from keypoints, as the audit takes them, or from a network's embedding."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
import torch

from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import folder_of
from lungcad.bench.turned_copies import write_copies
from lungcad.datasets import DATASETS
from lungcad.datasets.copies import Kind, find_pairs
from lungcad.datasets.copies.candidates import CANDIDATES
from lungcad.datasets.copies.keypoints import Keypoints
from lungcad.datasets.copies.verify import align, compare, kind_of
from lungcad.datasets.fingerprint import fingerprints
from lungcad.imaging import CTImage, read_image
from lungcad.models.backbones import Backbone, load_imagenet
from lungcad.preprocess import Crop, PreprocessConfig, normalise, to_grey

BACKBONE = "efficientnet_lite0"
BATCH = 32


@entry(seconds=300)
def copy_candidates(data: Path | None) -> Row:
    """Copies that the audit finds among LC25000's tiles (made-up copies where it is not at hand), with candidates from keypoints against candidates from
    the embedding of an ImageNet EfficientNet-Lite0, as many for each image, each pair verified alike (higher is better). The seconds are of the search
    for pairs, with reading.
    """
    with tempfile.TemporaryDirectory() as temporary:
        tiles = DATASETS["lc25000"]
        published = folder_of(tiles, data)
        cases = tiles.read(published) if published else write_copies(Path(temporary))[0]
        start = time.perf_counter()
        pairs = find_pairs(cases, fingerprints(cases))
        by_keypoints = {(pair.first, pair.second) for pair in pairs if pair.kind is Kind.COPY}
        middle = time.perf_counter()
        images = [read_image(case.path) for case in cases]
        candidates = nearest_pairs(embeddings(images), CANDIDATES)
        keypoints = [Keypoints.of(image) for image in images]
        by_embedding = {(i, j) for i, j in candidates if is_copy(keypoints[i], keypoints[j])}
        end = time.perf_counter()
    return {
        "ours": len(by_keypoints), "plain": len(by_embedding), "ratio": len(by_keypoints) / max(len(by_embedding), 1), "unit": "pairs",
        "images": len(cases), "data": tiles.name if published else "made-up copies", "candidates_of_each_image": CANDIDATES,
        "found_by_keypoints_only": len(by_keypoints - by_embedding), "found_by_embedding_only": len(by_embedding - by_keypoints),
        "share_of_copies_among_embedding_candidates": len(by_keypoints & candidates) / max(len(by_keypoints), 1),
        "seconds_by_keypoints": middle - start, "seconds_by_embedding": end - middle,
    }  # fmt: skip


@torch.no_grad()
def embeddings(images: Sequence[CTImage]) -> np.ndarray:
    """(n, C), float32, of length 1: what the last layer sees of each whole picture, averaged over positions."""
    backbone = Backbone(BACKBONE)
    load_imagenet(backbone, BACKBONE)
    backbone.eval()
    whole = PreprocessConfig(crop=Crop.NONE)
    rows = []
    for start in range(0, len(images), BATCH):
        greys = np.stack([to_grey(image, whole)[0] for image in images[start : start + BATCH]])
        rows.append(backbone(normalise(torch.from_numpy(greys), whole)).mean((2, 3)))
    found = torch.cat(rows)
    return np.asarray((found / found.norm(dim=1, keepdim=True)).numpy(), dtype=np.float32)


def nearest_pairs(vectors: np.ndarray, k: int) -> set[tuple[int, int]]:
    """(first, second), first < second: each image with its ``k`` nearest others, by the cosine."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    near = index.search(vectors, min(k + 1, len(vectors)))[1]
    return {(min(i, int(j)), max(i, int(j))) for i, row in enumerate(near) for j in row if j != i}


def is_copy(one: Keypoints, other: Keypoints) -> bool:
    """As the audit verifies a candidate, with and without a mirror: keypoints that agree on one affine map, then the detail."""
    for mirrored in (False, True):
        turned = other.mirrored() if mirrored else other
        affine = align(one, turned)
        if affine is not None and kind_of(compare(one.grey, turned.grey, affine, mirrored=mirrored)) is Kind.COPY:
            return True
    return False
