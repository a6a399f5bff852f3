"""How each method's maps fare where the truth is known, as tables: marks shown and answers followed, evidence behind a wall, lesions found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lungcad.evaluate.truth.networks import KNOWN_NETWORKS
from lungcad.evaluate.truth.parts import PARTS
from lungcad.evaluate.truth.variants import variant_title
from lungcad.explain import METHODS
from lungcad.publish.interval_text import with_interval

Facts = Mapping[str, Any]
NONE = 0.001
SMALL_MM = "4–8"
"""The sizes that a question about a nodule of 6 mm is answered by."""
TOLD = {"pointing_game": "the peak lies inside more often", "energy_inside": "the share of the evidence inside is larger"}


def published_table(facts: Facts) -> str:
    """Markdown: a row a network and method."""
    lines = [
        "| network | cheats by | method | cases | CS: mark among the top tenth | SPC: correlation with and without the mark |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['network']}` | {row['cheat']} | {variant_title(row['method'])} | {row['n']} | {with_interval(row, 'cs', 2)} | {with_interval(row, 'spc', 2)} |"
        for row in facts["published_measures"]
    ]
    measured = {row["network"] for row in facts["published_measures"]}
    suited = [known.name for known in KNOWN_NETWORKS.values() if PARTS["published_measures"].suits(known)]
    missing = ", ".join(f"`{name}`" for name in suited if name not in measured)
    return "\n".join([*lines, "", f"Not measured yet: {missing}."] if missing else lines)


def wall_table(facts: Facts) -> str:
    """Markdown: a row a network and method."""
    lines = [
        "| network | method | cases | share of the evidence behind the wall | maps that light up there |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['network']}` | {variant_title(row['method'])} | {row['n']} | {with_interval(row, 'behind', 2)} | {with_interval(row, 'lights_up', 2)} |"
        for row in facts["walls"]
    ]
    return "\n".join(lines)


def wall_words(facts: Facts) -> str:
    """Which methods see through the wall, from the rows, and what the networks are still worth behind it."""
    rows = [row for row in facts["walls"] if not _is_control(row["method"])]
    if not rows:
        return "Not measured yet."
    names = list(dict.fromkeys(row["network"] for row in rows))
    accuracies = {row["network"]: with_interval(row, "accuracy", 2) for row in rows if row["n"] == max(each["n"] for each in rows)}
    most = [_methods((row for row in rows if row["network"] == name and row["behind"] >= row["area"]), "behind") for name in names]
    least = [_methods((row for row in rows if row["network"] == name and row["behind"] < NONE), "behind") for name in names]
    area = rows[0]["area"]
    lines = [
        f"- `{name}` (accuracy behind the wall {accuracies.get(name, '–')}): as much evidence behind the wall as its area of {area:.0%}, or more: "
        f"{more or 'none'}; less than a thousandth: {less or 'none'}."
        for name, more, less in zip(names, most, least, strict=True)
    ]
    return "\n".join(lines)


def localisation_table(facts: Facts, network: str, measure: str) -> str:
    """Markdown: a row a method, a column a size of the lesion."""
    rows = [row for row in facts["localisation"] if row["network"] == network]
    sizes = list(dict.fromkeys(row["size_mm"] for row in rows))
    lines = [
        f"| method | {' | '.join('all sizes' if size == 'all' else f'{size} mm' for size in sizes)} |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    for method in dict.fromkeys(row["method"] for row in rows):
        of_size = {row["size_mm"]: row for row in rows if row["method"] == method}
        cells = [f"{with_interval(of_size[size], measure, 2)} (n {of_size[size]['n']})" if size in of_size else "" for size in sizes]
        lines.append(f"| {variant_title(method)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def small_lesion_words(facts: Facts) -> str:
    """Which method to use for a nodule of 6 mm: those whose interval lies above that of both controls; first the answer over all networks, then a line
    a network.
    """
    by_network: dict[str, list[Mapping[str, Any]]] = {}
    for row in facts["localisation"]:
        if row["size_mm"] == SMALL_MM:
            by_network.setdefault(row["network"], []).append(row)
    if not by_network:
        return "Not measured yet."
    answers = []
    for measure, told in TOLD.items():
        names = [{row["method"]: row[measure] for row in _above_controls(rows, measure)} for rows in by_network.values()]
        everywhere = [name for name in names[0] if all(name in others for others in names)]
        words = [f"{variant_title(name)} (at most {max(others[name] for others in names):.2g})" for name in everywhere]
        answers.append(f"{told}: {', '.join(words) or 'no method'}")
    advice = " So no map here should be trusted to point at such a nodule." if answers[0].endswith("no method") else ""
    lines = [f"In every honest network, above both controls: {'; '.join(answers)}.{advice} In each:", ""]
    for network, rows in by_network.items():
        words = [f"{told}: {_methods(_above_controls(rows, measure), measure) or 'no method'}" for measure, told in TOLD.items()]
        called = max(rows, key=lambda row: row["n"])
        share = f"finds {with_interval(called, 'called', 2)} of these {called['n']} lesions itself; "
        lines.append(f"- `{network}` {share}above both controls, {'; '.join(words)}.")
    return "\n".join(lines)


def _above_controls(rows: Sequence[Mapping[str, Any]], measure: str) -> list[Mapping[str, Any]]:
    """Rows whose interval begins above where both controls' end, the best first."""
    highest = max((row["intervals"][measure][1] for row in rows if _is_control(row["method"])), default=0.0)
    above = [row for row in rows if not _is_control(row["method"]) and row["intervals"][measure][0] > highest]
    return sorted(above, key=lambda row: -row[measure])


def _is_control(method: str) -> bool:
    return method in METHODS and METHODS[method].control


def _methods(rows: Iterable[Mapping[str, Any]], measure: str) -> str:
    return ", ".join(f"{variant_title(row['method'])} ({row[measure]:.2g}, {row['n']} cases)" for row in rows)
