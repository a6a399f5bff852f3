"""The shapes of successful answers, for OpenAPI and for those who write clients; the values are those of ``--json`` on the command line."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lungcad.api.volume_jobs import Stage, State


class Answer(BaseModel):
    """Of JSON that is already plain."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Gate(Answer):
    """outcome: answer, warn or decline. overridden: shown although declined, because show_anyway asked for it."""

    outcome: str
    reason: str | None
    overridden: bool
    measured: dict[str, float]
    compared_with_training: bool


class Gated(Answer):
    """What every answer has. class, probabilities and set are null where the gate declined the image."""

    model: str
    gate: Gate
    label: str | None = Field(alias="class")
    probabilities: dict[str, float] | None
    set: list[str] | None = Field(description="Classes of which one is the truth, in the share set_level of such sets.")
    set_level: float
    set_note: str | None
    backend: str = Field(description="Runtime of the forward passes; of several networks that differ, with commas between.")
    warnings: list[str]
    notes: list[str]


class Prediction(Gated):
    """Answer of POST /v1/predict: what ``predict --json`` prints, without the path."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "phantom-honest",
                    "gate": {"outcome": "answer", "reason": None, "overridden": False, "measured": {}, "compared_with_training": False},
                    "class": "lesion",
                    "probabilities": {"lesion": 0.93, "none": 0.07},
                    "set": ["lesion"],
                    "set_level": 0.9,
                    "set_note": None,
                    "backend": "torch",
                    "warnings": [],
                    "notes": [],
                }
            ]
        }
    )


class Explanation(Gated):
    """Answer of POST /v1/explain: what ``explain --json`` prints, without the path. attributions is empty where the answer is hidden."""

    image_sha256: str
    image: dict[str, Any]
    explained_class: str | None
    seen_box: dict[str, int]
    attributions: dict[str, dict[str, Any]]
    concepts: dict[str, Any] | None = Field(None, description="Of a concept network: the answer as a sum; left out for others.")
    precision: str
    seconds: dict[str, float]
    notice: str


class CheckAnswer(Answer):
    """One trust check: its number beside that of its control. verdict: supports, unclear, contradicts or does not apply."""

    name: str
    question: str
    measure: str
    value: float | None
    control: float | None
    verdict: str
    sentence: str
    numbers: dict[str, float | None]


class Trust(Explanation):
    """Answer of POST /v1/trust: the explanation, and its checks; none where the answer is hidden."""

    method: str
    checks: list[CheckAnswer]


class SeriesResult(Answer):
    """What ``volume --json`` prints: of a folder's readers' marks nothing is known here."""

    series: dict[str, Any]
    slices: list[dict[str, Any]]
    answer: dict[str, Any]


class VolumeAnswer(Answer):
    """A job over a series. result: once it is done."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "Jm0vTqkWc7Xz1sV3oQ9r5yBn2LdEaHuG",
                    "state": "running",
                    "stage": "network",
                    "done": 24,
                    "total": 61,
                    "before": 0,
                    "detail": None,
                    "result": None,
                }
            ]
        }
    )

    id: str
    state: State
    stage: Stage | None = Field(description="What it is at while it runs.")
    done: int = Field(description="Of total, in this stage: files whose header is read, slices opened, slices that the network has read.")
    total: int
    before: int = Field(description="How many are read before it.")
    detail: str | None = Field(description="Why it failed.")
    result: SeriesResult | None


class RunSummary(Answer):
    """One evaluation run, as ``runs list --json`` prints it. metrics: each with its 95 % interval over groups."""

    model_config = ConfigDict(extra="allow")

    run: str
    dataset: str | None
    protocol: str | None
    n: int


class Runs(Answer):
    """faults: a sentence for each run that cannot be read."""

    runs: list[RunSummary]
    faults: list[str]


class Health(Answer):
    """status: ok. networks: how many are installed."""

    status: str
    version: str
    networks: int
